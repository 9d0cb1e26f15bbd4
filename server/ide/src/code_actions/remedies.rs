//! What a rule knows that mends its fault ([`Remedy`]), where that is a text for a place.

use headwater_analysis::{Diagnostic, Directive, FileKind, Remedy, TextRange, TextSize};

use super::{Actions, Context};
use crate::change::Change;
use crate::tokens::tokens;

pub(super) fn fix(cx: &Context<'_>, diagnostic: &Diagnostic, actions: &mut Actions<'_>) {
    let (file, range) = (cx.file, diagnostic.range);
    match &diagnostic.remedy {
        Some(Remedy::Replace(text)) => {
            actions
                .fix("replace", format!("Change to `{text}`"), || Some(Change::replace(file, range, text)));
        }
        Some(Remedy::OneOf(names)) => {
            for name in names {
                actions.fix(&format!("one-{name}"), format!("Change to `{name}`"), || {
                    Some(Change::replace(file, range, name))
                });
            }
        }
        Some(Remedy::SettingValue(value)) => {
            actions.fix("value", format!("Change to the default: {value}"), || {
                let behind = &cx.text[usize::from(range.end())..];
                let at = behind.find('=').filter(|n| behind[..*n].trim().is_empty())? + 1;
                let end = behind[at..].find([',', '"', '\n', '\r']).map_or(behind.len(), |n| at + n);
                let place = headwater_analysis::syntax::range(at, end) + range.end();
                Some(Change::replace(file, place, value))
            });
        }
        Some(Remedy::TextOf { left }) => {
            if let Some((place, side)) = side(&cx.text[range], *left) {
                let text = format!("toString({side})");
                actions.fix("to-string", format!("Compare texts: `{text}`"), || {
                    Some(Change::replace(file, place + range.start(), text))
                });
            }
        }
        Some(Remedy::NodeType(ty)) => {
            actions.fix("node-type", format!("Add `TYPE {ty}`"), || {
                let entry = cx.entry(range)?;
                Some(Change::insert(file, entry.line.start(), format!("TYPE {ty}{}", cx.newline())))
            });
        }
        Some(Remedy::WasCalled(old)) => follow(cx, range, old, actions),
        Some(Remedy::Directives(missing)) if file.kind(cx.db) == Some(FileKind::Datasource) => {
            lines(cx, range, missing, actions);
        }
        _ => {}
    }
}

/// One side of a comparison.
fn side(text: &str, left: bool) -> Option<(TextRange, &str)> {
    let all = tokens(text);
    let signs = ["=", "==", "!=", "<>", "<", ">", "<=", ">="];
    let mut depth = 0i32;
    let mut found = None;
    for token in &all {
        if token.is_sign(text, "(") || token.is_sign(text, "[") {
            depth += 1;
        } else if token.is_sign(text, ")") || token.is_sign(text, "]") {
            depth -= 1;
        } else if depth == 0 && signs.iter().any(|s| token.is_sign(text, s)) {
            // Of a chain nobody knows which one is meant.
            if found.replace(token.range).is_some() {
                return None;
            }
        }
    }
    let sign = found?;
    let part =
        if left { TextRange::up_to(sign.start()) } else { TextRange::new(sign.end(), TextSize::of(text)) };
    let inner = text[part].trim();
    let lead = TextSize::of(&text[part]) - TextSize::of(text[part].trim_start());
    (!inner.is_empty()).then(|| (TextRange::at(part.start() + lead, TextSize::of(inner)), inner))
}

/// A column that was given another name by hand: those who read it follow, as after a rename.
fn follow(cx: &Context<'_>, range: TextRange, old: &str, actions: &mut Actions<'_>) {
    let new = cx.text[range].trim_matches('`').to_owned();
    if let Some(change) = crate::rename::follow(cx.db, cx.file, old, &new) {
        actions.fix("follow", format!("Call it `{new}` wherever it is read"), || Some(change));
    }
}

/// The missing lines of a connector or an engine.
fn lines(cx: &Context<'_>, range: TextRange, missing: &[Directive], actions: &mut Actions<'_>) {
    let columns: Option<Vec<(Directive, String)>> =
        missing.iter().map(|d| Some((*d, value(cx, *d)?))).collect();
    let Some(lines) = columns else { return };
    let title = lines.iter().map(|(d, value)| format!("`{} {value}`", d.name())).collect::<Vec<_>>();
    actions.fix("lines", format!("Add {}", title.join(" and ")), || {
        // A line that says nothing, like a key that is `tuple()`, is replaced.
        if let [(directive, value)] = lines.as_slice()
            && let Some(entry) = cx.parsed.datafile.last(*directive).filter(|e| e.source == 0)
        {
            let place = TextRange::new(entry.entry.keyword.end(), entry.entry.full_range().end());
            return Some(Change::replace(cx.file, place, format!(" {value}")));
        }
        let entry = cx.entry(range)?;
        let whole = cx.whole_line(entry.full_range());
        let newline = cx.newline();
        let lead = if cx.text[whole].ends_with('\n') { "" } else { newline };
        let text: String = lines.iter().map(|(d, v)| format!("{} {v}{newline}", d.name())).collect();
        Some(Change::insert(cx.file, whole.end(), format!("{lead}{text}")))
    });
}

/// A value for a directive of a data source: a column that fits by its type, or a word that tells what to write.
fn value(cx: &Context<'_>, directive: Directive) -> Option<String> {
    let name = cx.file.stem(cx.db);
    let columns = crate::place::schema_columns(cx.db, cx.file);
    let written = |n: &str| crate::completion::written(n);
    let of_type = |fits: &dyn Fn(&str) -> bool| {
        let found = columns.iter().find(|(_, ty, _)| ty.as_ref().is_some_and(|t| fits(&t.value)));
        found.map(|(n, ..)| written(&n.value))
    };
    match directive {
        Directive::EngineSortingKey => of_type(&|ty| {
            !["Nullable", "AggregateFunction", "Array", "Map", "JSON"].iter().any(|word| ty.contains(word))
        }),
        Directive::EngineSign => of_type(&|ty| ty == "Int8"),
        Directive::EngineVersion => of_type(&|ty| ty.starts_with("UInt") || ty.starts_with("DateTime")),
        Directive::KafkaTopic | Directive::PgTable => Some(name.to_owned()),
        Directive::KafkaGroupId => Some(format!("{name}_group")),
        Directive::KafkaConnectionName => connection(cx, &["kafka"]),
        Directive::PgConnectionName => connection(cx, &["postgres"]),
        Directive::ImportConnectionName => connection(cx, &["s3", "gcs", "dynamodb"]),
        Directive::ImportSchedule => Some("@auto".to_owned()),
        _ => None,
    }
}

/// The project's only connection of these services.
fn connection(cx: &Context<'_>, services: &[&str]) -> Option<String> {
    let files = cx.file.project(cx.db).files(cx.db);
    let mut found = files.iter().filter_map(|file| {
        let face = headwater_analysis::interface(cx.db, *file).as_ref()?;
        let service = face.service.as_deref()?;
        services.iter().any(|s| service.starts_with(s)).then(|| face.name.clone())
    });
    found.next().filter(|_| found.next().is_none())
}
