//! Inside the tags of a template: functions, their keyword arguments, parameters, variables, statements, secrets.

use headwater_analysis::syntax::template::{self as language, Piece};
use headwater_analysis::{Db, File, TextRange, TextSize, interface};

use super::{CompletionKind, Items, sql};
use crate::cursor::{Cursor, MARKER};
use crate::template_docs::{TemplateFunction, all, argument_help, find};
use crate::tokens::is_word_char;

/// Completes when the place is in a tag; says whether it was.
pub(super) fn complete(
    db: &dyn Db,
    file: File,
    cursor: &Cursor,
    (text, at): (&str, TextSize),
    out: &mut Items,
) -> bool {
    let Some(tag) = open_tag(text, at) else { return false };
    let inner = &text[usize::from(tag.start)..usize::from(at)];
    let place = place(inner, tag.opener == "{%");
    match place {
        Inside::Text { function, argument, quote_at } => {
            let typed = TextSize::of(&inner[quote_at + 1..]);
            out.replace = TextRange::new(cursor.offset - typed, cursor.offset);
            in_text(db, file, function, argument, out);
        }
        Inside::Statement => statements(&text[..usize::from(tag.start) - 2], &text[usize::from(at)..], out),
        Inside::Call { function, argument, given, positional } => {
            if let Some(function) = find(function) {
                keywords(function, positional, &given, out);
            }
            if argument == 0 {
                // A new parameter is usually called like the column that it is compared with.
                if let Some(column) = compared_with(&text[..usize::from(tag.start) - 2]) {
                    out.add(column, CompletionKind::Parameter, 690).origin("as the column");
                }
                parameters(db, file, cursor, text, 700, out);
                if function == "defined" || language::TYPE_FUNCTIONS.contains(&function) {
                    likely(db, file, cursor, (text, tag.start), out);
                }
            }
            variables(text, at, out);
            functions(300, out);
        }
        Inside::Truth => {
            for (n, word) in ["True", "False"].iter().enumerate() {
                out.add(*word, CompletionKind::Keyword, 800 - u16::try_from(n).unwrap_or(0));
            }
        }
        Inside::Expression => {
            // What a condition begins with.
            let words = inner.trim_end_matches(is_word_char);
            let last = words.split_whitespace().last().unwrap_or_default();
            if tag.opener == "{%"
                && matches!(last, "if" | "elif" | "and" | "or" | "not")
                && let Some(defined) = find("defined")
            {
                out.add("defined", CompletionKind::Function, 670)
                    .snippet(format!("defined{}", defined.snippet))
                    .detail(defined.signature())
                    .doc("template:defined");
            }
            variables(text, at, out);
            // A condition goes on with what the pipe knows; a value is mostly a new one with its type.
            let is_condition = matches!(last, "if" | "elif" | "and" | "or" | "not" | "in" | "==" | "!=");
            parameters(db, file, cursor, text, if is_condition { 665 } else { 520 }, out);
            functions(600, out);
            if tag.opener == "{%" {
                for (n, word) in ["defined", "not ", "and ", "or ", "in "].iter().enumerate().skip(1) {
                    let label = word.trim();
                    let relevance = 320 - u16::try_from(n).unwrap_or(0);
                    out.add(label, CompletionKind::Keyword, relevance).insert(*word);
                }
            }
            for word in ["True", "False", "None"] {
                out.add(word, CompletionKind::Keyword, 200);
            }
        }
        Inside::Nothing => {}
    }
    true
}

struct OpenTag {
    /// Behind the opener.
    start: TextSize,
    opener: &'static str,
}

/// The tag that the place is in.
fn open_tag(text: &str, at: TextSize) -> Option<OpenTag> {
    let before = &text[..usize::from(at)];
    let (start, opener) = [("{{", "}}"), ("{%", "%}")]
        .into_iter()
        .filter_map(|(open, close)| {
            let start = before.rfind(open)?;
            (!before[start..].contains(close)).then_some((start, open))
        })
        .max()?;
    let start = TextSize::of(&before[..start + opener.len()]);
    Some(OpenTag { start, opener })
}

enum Inside<'t> {
    /// The first word of a control tag.
    Statement,
    Expression,
    /// An argument of a call.
    Call {
        function: &'t str,
        argument: usize,
        given: Vec<&'t str>,
        /// How many arguments go by their place.
        positional: usize,
    },
    /// The value of an argument that is true or false.
    Truth,
    /// A text.
    Text {
        function: &'t str,
        argument: usize,
        quote_at: usize,
    },
    Nothing,
}

fn place(inner: &str, is_control: bool) -> Inside<'_> {
    let is_first = is_control && !inner.trim_start().contains(|c: char| !is_word_char(c));
    let mut calls: Vec<(&str, usize, usize)> = Vec::new();
    let mut quote: Option<(char, usize)> = None;
    let mut word_start = None;
    for (at, c) in inner.char_indices() {
        if let Some((q, _)) = quote {
            if c == q {
                quote = None;
            }
            continue;
        }
        match c {
            '\'' | '"' => quote = Some((c, at)),
            '(' | '[' | '{' => {
                let name = word_start.map_or("", |start: usize| &inner[start..at]);
                calls.push((if c == '(' { name } else { "" }, 0, at + 1));
            }
            ')' | ']' | '}' => {
                calls.pop();
            }
            ',' => {
                if let Some(last) = calls.last_mut() {
                    last.1 += 1;
                }
            }
            _ => {}
        }
        if is_word_char(c) {
            word_start.get_or_insert(at);
        } else {
            word_start = None;
        }
    }
    if let Some((_, quote_at)) = quote {
        let (function, argument) = calls.last().map_or(("", 0), |c| (c.0, c.1));
        return Inside::Text { function, argument, quote_at };
    }
    if inner.trim_end().ends_with('.') {
        return Inside::Nothing;
    }
    match calls.last() {
        Some((function, argument, start)) if !function.is_empty() => {
            let mut given = Vec::new();
            let parts: Vec<&str> = inner[*start..].split(',').collect();
            for part in &parts {
                if let Some((name, _)) = part.split_once('=') {
                    given.push(name.trim());
                }
            }
            let positional = parts[..parts.len() - 1].iter().filter(|p| !p.contains('=')).count();
            // Behind `default=` a value is wanted.
            let last = inner[*start..].rsplit(',').next().unwrap_or_default();
            let keyword = last.split('=').next().unwrap_or_default().trim();
            if last.contains('=') && matches!(keyword, "required" | "defined" | "none_if_error") {
                Inside::Truth
            } else if last.contains('=') {
                Inside::Expression
            } else {
                Inside::Call { function, argument: *argument, given, positional }
            }
        }
        _ if is_first => Inside::Statement,
        _ => Inside::Expression,
    }
}

fn keywords(function: TemplateFunction, positional: usize, given: &[&str], out: &mut Items) {
    if positional == 0 {
        return;
    }
    // What is given by its place is given.
    for (n, argument) in function.arguments.iter().enumerate().skip(positional) {
        let name = argument.split('=').next().unwrap_or_default();
        if given.contains(&name) {
            continue;
        }
        let value = match name {
            "description" | "example" | "format" | "fn" | "separator" | "date_format"
            | "backup_date_format" | "type" => "'$1'",
            "enum" => "['$1']",
            "defined" => "${1|False,True|}",
            "required" | "none_if_error" => "${1|True,False|}",
            _ => "$1",
        };
        let relevance = 760 - u16::try_from(n).unwrap_or(0);
        let item = out.add(format!("{name}="), CompletionKind::Key, relevance);
        item.snippet(format!("{name}={value}"));
        if let Some(help) = argument_help(name) {
            item.detail(help);
        }
    }
}

fn functions(base: u16, out: &mut Items) {
    const COMMON: &[&str] = &[
        "String", "DateTime", "Int32", "Date", "Array", "defined", "column", "error", "Float64", "columns",
        "Int64", "UInt64", "UInt32", "Int16", "Boolean",
    ];
    for function in all() {
        let rank = COMMON.iter().position(|c| *c == function.name);
        let relevance = rank.map_or(base, |n| base + 60 - u16::try_from(n).unwrap_or(0));
        out.add(function.name, CompletionKind::Function, relevance)
            .snippet(format!("{}{}", function.name, function.snippet))
            .detail(function.signature())
            .doc(format!("template:{}", function.name));
    }
}

/// Parameters that this pipe has anywhere, with their type.
fn parameters(db: &dyn Db, file: File, cursor: &Cursor, text: &str, relevance: u16, out: &mut Items) {
    // The letters at the cursor are a name for now, and none that is meant.
    let written = file.text(db);
    let typed = written.get(std::ops::Range::from(out.replace)).unwrap_or_default();
    let is_typed_only = !crate::parameters::all(db, file)
        .iter()
        .any(|p| p.name == typed && !p.range.contains_inclusive(cursor.offset));
    let mut known: Vec<(String, Option<String>)> = Vec::new();
    let own = language::parameters(text, &language::parse(text)).into_iter().map(|p| (p.name, p.ty));
    let others = interface(db, file).iter().flat_map(|f| &f.nodes).flat_map(|n| &n.parameters);
    for (name, ty) in own.chain(others.map(|p| (p.name.clone(), p.ty.clone()))) {
        // What stands behind an unfinished tag is read as if it were in it.
        let is_word =
            matches!(&*name, "if" | "elif" | "else" | "end" | "for" | "in" | "set" | "not" | "and" | "or");
        if name.contains(MARKER) || is_word || is_typed_only && name == typed {
            continue;
        }
        match known.iter_mut().find(|(n, _)| *n == name) {
            Some((_, known)) => *known = known.take().or(ty),
            None => known.push((name, ty)),
        }
    }
    for (n, (name, ty)) in known.into_iter().enumerate() {
        let relevance = relevance - u16::try_from(n).unwrap_or(0).min(50);
        let item = out.add(name, CompletionKind::Parameter, relevance);
        item.origin("parameter");
        if let Some(ty) = ty {
            item.detail(ty);
        }
    }
}

/// Names that a new parameter is likely to get: those of columns around, and of parameters in other pipes of the project.
fn likely(db: &dyn Db, file: File, cursor: &Cursor, (text, tag): (&str, TextSize), out: &mut Items) {
    let known: Vec<String> = out.list.iter().map(|item| item.label.clone()).collect();
    let is_new = |name: &str| !name.contains(MARKER) && !known.iter().any(|k| k == name);
    if let Some(node) = cursor.node {
        // As if the tag were a value.
        let opener = TextSize::from(2);
        let around = sql::around(db, file, node, text, tag - opener);
        let columns = around.tables.iter().flat_map(|t| &t.relation.columns);
        let mut names: Vec<&str> = columns.filter_map(|c| c.name.as_deref()).filter(|n| is_new(n)).collect();
        names.dedup();
        for (n, name) in names.into_iter().take(100).enumerate() {
            let relevance = 480 - u16::try_from(n).unwrap_or(0);
            out.add(name, CompletionKind::Parameter, relevance).origin("as the column");
        }
    }
    let mut others: std::collections::BTreeMap<&str, (usize, Option<&str>)> =
        std::collections::BTreeMap::new();
    for other in file.project(db).files(db).iter().filter(|f| **f != file) {
        let Some(face) = interface(db, *other) else { continue };
        for parameter in face.nodes.iter().flat_map(|n| &n.parameters).filter(|p| is_new(&p.name)) {
            let entry = others.entry(&parameter.name).or_default();
            entry.0 += 1;
            entry.1 = entry.1.or(parameter.ty.as_deref());
        }
    }
    let mut others: Vec<_> = others.into_iter().collect();
    others.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    for (n, (name, (_, ty))) in others.into_iter().take(30).enumerate() {
        let relevance = 540 - u16::try_from(n).unwrap_or(0);
        let item = out.add(name, CompletionKind::Parameter, relevance);
        item.origin("parameter of other pipes");
        if let Some(ty) = ty {
            item.detail(ty);
        }
    }
}

/// Names that `set` and `for` bind before the place.
fn variables(text: &str, at: TextSize, out: &mut Items) {
    language::parse(text).walk(&mut |piece| {
        let (Piece::Set { names, range, .. } | Piece::Loop { names, range, .. }) = piece else { return };
        if range.start() < at {
            for name in names.iter().filter(|n| !n.value.contains(MARKER)) {
                out.add(name.value.clone(), CompletionKind::Variable, 650).origin("variable");
            }
        }
    });
}

/// The word before a comparison that the text ends with: `country = `, `ts >= `.
fn compared_with(before: &str) -> Option<String> {
    let before = before.trim_end();
    let sign = before.trim_end_matches(['=', '<', '>', '!']);
    let rest = if sign.len() < before.len() {
        sign
    } else {
        let upper = before.to_uppercase();
        let word = [" LIKE", " ILIKE", " IN"].into_iter().find(|w| upper.ends_with(w))?;
        &before[..before.len() - word.len()]
    };
    let rest = rest.trim_end().trim_end_matches('`');
    let start = rest.trim_end_matches(is_word_char).len();
    let name = &rest[start..];
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_').then(|| name.to_owned())
}

/// Blocks that are open at the end of a text, the innermost last: the first words of their tags.
fn open_blocks(text: &str) -> Vec<&str> {
    let mut open = Vec::new();
    for part in text.split("{%").skip(1) {
        match part.split_whitespace().next().unwrap_or_default().trim_end_matches("%}") {
            word @ ("if" | "for" | "while" | "try") => open.push(word),
            "end" => {
                open.pop();
            }
            _ => {}
        }
    }
    open
}

fn statements(before: &str, behind: &str, out: &mut Items) {
    let snippets = [
        ("if", "if ${1:defined(name)} %}$0{% end "),
        ("if … else", "if ${1:defined(name)} %}$2{% else %}$0{% end "),
        ("for", "for ${1:item} in ${2:list} %}$0{% end "),
        ("set", "set ${1:name} = ${0:value} "),
        ("else", "else "),
        ("elif", "elif ${1:condition} "),
        ("end", "end "),
        ("try", "try %}$0{% except %}{% end "),
        ("while", "while ${1:condition} %}$0{% end "),
        ("break", "break "),
        ("continue", "continue "),
    ];
    for (n, (label, snippet)) in snippets.iter().enumerate() {
        let relevance = 700 - u16::try_from(n).unwrap_or(0);
        out.add(*label, CompletionKind::Keyword, relevance).snippet(*snippet);
    }
    let open = open_blocks(before);
    if let Some(innermost) = open.last() {
        // Not closed by what follows: that is what is missing.
        let ends = behind.split("{%").skip(1);
        let (mut depth, mut closed) = (0usize, 0usize);
        for part in ends {
            match part.split_whitespace().next().unwrap_or_default().trim_end_matches("%}") {
                "if" | "for" | "while" | "try" => depth += 1,
                "end" if depth > 0 => depth -= 1,
                "end" => closed += 1,
                _ => {}
            }
        }
        let is_missing = closed < open.len();
        for item in &mut out.list {
            item.relevance = match item.label.as_str() {
                "end" if is_missing => 760,
                "else" | "elif" if *innermost == "if" => 740,
                _ => item.relevance,
            };
        }
    }
    functions(300, out);
}

fn in_text(db: &dyn Db, file: File, function: &str, argument: usize, out: &mut Items) {
    match (function, argument) {
        ("tb_secret" | "tb_var", 0) => {
            for name in &file.project(db).surroundings(db).secrets {
                out.add(name.clone(), CompletionKind::Secret, 700).origin(".env.local");
            }
            let mut others: Vec<String> = project_secrets(db, file);
            others.retain(|name| !name.contains(MARKER));
            for name in others {
                out.add(name, CompletionKind::Secret, 600).origin("used in this project");
            }
        }
        ("Array", 1) => {
            for (n, name) in [
                "String", "Int32", "Int64", "UInt32", "UInt64", "Float64", "Date", "DateTime", "Int",
                "Boolean",
            ]
            .iter()
            .enumerate()
            {
                out.add(*name, CompletionKind::Type, 700 - u16::try_from(n).unwrap_or(0));
            }
        }
        ("cache_ttl", 0) => {
            for word in ["5s", "1m", "5m", "30m", "1h"] {
                out.add(word, CompletionKind::Value, 600);
            }
        }
        ("activate", 0) => {
            for word in ["analyzer", "parallel_replicas", "optimize_aggregation_in_order"] {
                out.add(word, CompletionKind::Value, 600);
            }
        }
        ("column" | "columns", 1) => {
            // Defaults of these are names of columns.
            for read in headwater_analysis::node_reads(db, file).into_iter().filter(|r| r.source == 0) {
                let name = read.reference.name;
                let Some(table) = headwater_analysis::names(db, file.project(db)).table(&name) else {
                    continue;
                };
                for column in &headwater_analysis::semantics::relation(db, table).columns {
                    if let Some(column) = &column.name {
                        out.add(sql::written(column), CompletionKind::Column, 600).origin(name.clone());
                    }
                }
            }
        }
        _ => {}
    }
}

/// Names of secrets that other files of the project ask for.
fn project_secrets(db: &dyn Db, file: File) -> Vec<String> {
    let mut found = Vec::new();
    for other in file.project(db).files(db).iter() {
        found.extend(crate::secrets::used(db, *other).iter().cloned());
    }
    found.sort();
    found.dedup();
    found
}
