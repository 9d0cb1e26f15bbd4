//! The `SCHEMA` block: names and types from a sample and from the views that fill it, JSON paths, defaults, codecs.

use headwater_analysis::samples::fields;
use headwater_analysis::{Db, EdgeKind, File, TextRange, TextSize, Vertex, graph};

use super::functions::{self, Wanted};
use super::values::own_columns;
use super::{CompletionKind, Items, sql};
use crate::cursor::Cursor;

pub(super) fn complete(
    db: &dyn Db,
    file: File,
    cursor: &Cursor,
    (text, at): (&str, TextSize),
    out: &mut Items,
) {
    let before = &text[..usize::from(at)];
    let definition = &before[definition_start(before)..];
    let sample = known_columns(db, file);
    // Inside a JSON path.
    if let Some(path) = definition.rfind("`json:").map(|n| &definition[n + 6..]).filter(|p| !p.contains('`'))
    {
        out.replace = TextRange::new(cursor.offset - TextSize::of(path), cursor.offset);
        let name = definition.split_whitespace().next().unwrap_or_default().trim_matches('`');
        for (n, field) in sample.iter().enumerate() {
            let Some(path) = &field.path else { continue };
            let is_it = field.name == name;
            let relevance = if is_it { 800 } else { 600 - u16::try_from(n).unwrap_or(0).min(100) };
            out.add(path.clone(), CompletionKind::Path, relevance)
                .detail(field.ty.clone())
                .origin(field.origin.clone());
        }
        let own = if name.is_empty() { "$.".to_owned() } else { format!("$.{name}") };
        out.add(own, CompletionKind::Path, 700);
        return;
    }
    if before.lines().last().is_some_and(|l| l.contains("--")) || definition.matches('\'').count() % 2 == 1 {
        return;
    }
    let words = words(definition);
    let is_behind = definition.ends_with(char::is_whitespace);
    let done = if is_behind { words.len() } else { words.len().saturating_sub(1) };
    let last = done.checked_sub(1).and_then(|n| words.get(n)).copied().unwrap_or_default();
    if definition.rfind("CODEC(").is_some_and(|n| !definition[n..].contains(')')) {
        for codec in headwater_catalog::codecs().iter().filter(|c| !c.is_experimental) {
            out.add(codec.name, CompletionKind::Value, 600).doc(format!("codec:{}", codec.name));
        }
        return;
    }
    if last.eq_ignore_ascii_case("DEFAULT") {
        defaults(words.get(1).copied().unwrap_or_default(), out);
        functions::add(words.get(done).copied().unwrap_or_default(), Wanted::Scalar, out);
        return;
    }
    match done {
        0 => names(cursor, definition, &sample, out),
        1 if state_open(definition) => states(words.last().copied().unwrap_or_default(), out),
        1 => {
            sql::types(out);
            // Inside of a type another one is wanted.
            suggested_type(words.first().copied().unwrap_or_default(), &sample, out);
        }
        _ if definition.matches('(').count() > definition.matches(')').count() => sql::types(out),
        _ => {
            let name = words[0].trim_matches('`');
            let path = sample.iter().find(|f| f.name == name).and_then(|f| f.path.clone());
            let path = path.unwrap_or_else(|| format!("$.{name}"));
            if !definition.contains("`json:") {
                out.add(format!("`json:{path}`"), CompletionKind::Path, 700)
                    .detail("where the value is in ingested JSON");
            }
            if !words.iter().any(|w| w.eq_ignore_ascii_case("DEFAULT")) {
                out.add("DEFAULT", CompletionKind::Keyword, 650).insert("DEFAULT ").continues = true;
            }
            out.add("CODEC", CompletionKind::Keyword, 500)
                .snippet("CODEC(${1|ZSTD(1),Delta,DoubleDelta,Gorilla,LZ4|})");
        }
    }
}

/// Where the definition begins that the text ends in: behind the last comma outside of parentheses and quotes.
fn definition_start(text: &str) -> usize {
    let (mut depth, mut start) = (0i32, 0);
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, ',') if depth <= 0 => start = at + 1,
            _ => {}
        }
    }
    start
}

/// Words outside of parentheses; a type with its arguments is one.
fn words(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut depth, mut start) = (0i32, None);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if c.is_whitespace() && depth <= 0 {
            out.extend(start.take().map(|s: usize| &text[s..at]));
        } else if start.is_none() {
            start = Some(at);
        }
    }
    out.extend(start.map(|s| &text[s..]));
    out
}

/// A column that this data source could have, and who says so.
struct Known {
    name: String,
    ty: String,
    path: Option<String>,
    origin: String,
}

/// What the fixture has, and what views and copies give that fill the data source.
fn known_columns(db: &dyn Db, file: File) -> Vec<Known> {
    let surroundings = file.project(db).surroundings(db);
    let sample = surroundings.sample_of(file.stem(db)).map(fields).unwrap_or_default().into_iter();
    let mut out: Vec<Known> = sample
        .map(|f| Known { name: f.name, ty: f.ty, path: f.path, origin: "fixture".to_owned() })
        .collect();
    for (writer, kind) in graph(db, file.project(db)).upstream(Vertex { file, node: None }) {
        if !matches!(kind, EdgeKind::Materialize | EdgeKind::Copy) {
            continue;
        }
        for column in &crate::columns::relation(db, *writer).columns {
            let (Some(name), Some(ty)) = (&column.name, &column.ty) else { continue };
            if !out.iter().any(|k| k.name == *name) {
                let origin = crate::locate::label(db, *writer);
                out.push(Known { name: name.clone(), ty: ty.to_string(), path: None, origin });
            }
        }
    }
    out
}

/// Columns that there could be and are not yet.
fn names(cursor: &Cursor, definition: &str, known: &[Known], out: &mut Items) {
    let own = own_columns(cursor);
    // A quote that is open is replaced with the name.
    let is_quoted = definition.trim_start().starts_with('`');
    if is_quoted {
        out.replace = TextRange::new(out.replace.start() - TextSize::from(1), out.replace.end());
    }
    for (n, field) in known.iter().enumerate() {
        if own.iter().any(|(name, _)| *name == field.name) {
            continue;
        }
        let path = field.path.as_ref().map(|p| format!(" `json:{p}`")).unwrap_or_default();
        let item =
            out.add(field.name.clone(), CompletionKind::Column, 700 - u16::try_from(n).unwrap_or(0).min(200));
        item.detail(field.ty.clone()).origin(field.origin.clone());
        item.insert(format!("`{}` {}{path}", field.name, field.ty));
        if is_quoted {
            item.filter(format!("`{}`", field.name));
        }
    }
}

/// The type that others have for this name, first of all.
fn suggested_type(name: &str, known: &[Known], out: &mut Items) {
    let name = name.trim_matches('`');
    let Some(field) = known.iter().find(|f| f.name == name) else { return };
    let path = field.path.as_ref().map(|p| format!(" `json:{p}`")).unwrap_or_default();
    out.add(format!("{}{path}", field.ty), CompletionKind::Type, 800).origin(field.origin.clone());
}

/// Whether the function of a state is wanted: `AggregateFunction(co`.
fn state_open(definition: &str) -> bool {
    let open = definition.rfind("AggregateFunction(").map(|n| &definition[n + "AggregateFunction(".len()..]);
    open.is_some_and(|rest| !rest.contains([',', ')', '(']))
}

/// Functions that states are of.
fn states(typed: &str, out: &mut Items) {
    const COMMON: &[&str] = &[
        "count",
        "sum",
        "avg",
        "uniq",
        "max",
        "min",
        "argMax",
        "argMin",
        "any",
        "anyLast",
        "quantile",
        "quantiles",
        "uniqExact",
        "groupArray",
        "groupUniqArray",
        "sumMap",
        "uniqCombined",
        "topK",
    ];
    let typed = typed.rsplit('(').next().unwrap_or_default();
    for name in headwater_catalog::function_names() {
        let common = COMMON.iter().position(|c| *c == name);
        if common.is_none() && (typed.is_empty() || super::fit(name, typed).is_none()) {
            continue;
        }
        let Some(function) = headwater_catalog::find(name) else { continue };
        if function.kind() != headwater_catalog::Kind::Aggregate || !function.combinators().is_empty() {
            continue;
        }
        let relevance = common.map_or(400, |n| 700 - u16::try_from(n).unwrap_or(0));
        out.add(name, CompletionKind::Function, relevance).doc(format!("function:{name}"));
    }
}

fn defaults(ty: &str, out: &mut Items) {
    let values: &[&str] = match ty {
        _ if ty.contains("DateTime64") => &["now64()"],
        _ if ty.contains("DateTime") => &["now()"],
        _ if ty.contains("Date") => &["today()"],
        _ if ty.contains("UUID") => &["generateUUIDv4()"],
        _ if ty.starts_with("Array") => &["[]"],
        _ if ty.starts_with("Map") => &["map()"],
        _ if ty.contains("String") => &["''"],
        _ if ty.contains("Bool") => &["false", "true"],
        _ => &["0"],
    };
    for (n, value) in values.iter().enumerate() {
        out.add(*value, CompletionKind::Value, 700 - u16::try_from(n).unwrap_or(0));
    }
    if ty.starts_with("Nullable") {
        out.add("NULL", CompletionKind::Value, 690);
    }
}
