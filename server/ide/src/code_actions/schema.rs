//! Schemas: types that the format spells otherwise, commas, names given twice.

use headwater_analysis::syntax::Spanned;
use headwater_analysis::{Diagnostic, EdgeKind, Remedy, TextRange, TextSize, Vertex};

use super::{Actions, Context};
use crate::change::Change;

pub(super) fn fix(cx: &Context<'_>, diagnostic: &Diagnostic, actions: &mut Actions<'_>) {
    let (file, range) = (cx.file, diagnostic.range);
    let marked = cx.text.get(std::ops::Range::from(range)).unwrap_or_default();
    match (diagnostic.code.name, marked) {
        ("schema-type", "Boolean" | "boolean") => {
            actions.fix("type", "Change to `Bool`", || Some(Change::replace(file, range, "Bool")));
        }
        ("schema-type", "DateTime64") => {
            actions.fix("type", "Change to `DateTime64(3)`", || {
                Some(Change::replace(file, range, "DateTime64(3)"))
            });
        }
        ("schema-type", "Int" | "UInt") => {
            // The engine takes the first for another spelling of `Int32`, and does not know the second.
            let widths: &[&str] = if marked == "Int" { &["32"] } else { &["32", "64"] };
            for width in widths {
                let ty = format!("{marked}{width}");
                let title = format!("Change to `{ty}`");
                actions.fix(&format!("type-{width}"), title, || Some(Change::replace(file, range, ty)));
            }
        }
        ("schema-syntax", _) if diagnostic.remedy == Some(Remedy::Comma) => {
            actions.fix("comma", "Add the comma", || {
                // Behind the definition before the one that is marked.
                let before = cx.text[..usize::from(range.start())].trim_end();
                let at = headwater_analysis::TextSize::of(before);
                (!before.ends_with(',')).then(|| Change::insert(file, at, ","))
            });
        }
        ("schema-modifier", _) if marked.to_uppercase().starts_with("NOT") => {
            actions.fix("not-null", "Remove NOT NULL", || {
                let before = cx.text[..usize::from(range.start())].trim_end_matches(' ');
                let start = headwater_analysis::TextSize::of(before);
                Some(Change::replace(file, headwater_analysis::TextRange::new(start, range.end()), ""))
            });
        }
        // A view or copy that gives it would give a column too many.
        ("unused-column", _) if is_written(cx) => {}
        ("duplicate-column" | "unused-column", _) => {
            let name = marked.trim_matches('`').to_owned();
            actions.fix("remove-column", format!("Remove the column `{name}`"), || removed(cx, range));
        }
        ("jsonpath-missing", _) => {
            let name = marked.trim_matches('`').to_owned();
            actions.fix("path", format!("Add `json:$.{name}`"), || {
                let (_, ty, _) = column_at(cx, range)?;
                Some(Change::insert(file, ty?.range.end(), format!(" `json:$.{name}`")))
            });
        }
        ("schema-comment", _) if marked.starts_with('#') => {
            actions.fix("comment", "Write the comment with `--`", || {
                let sign = TextRange::at(range.start(), 1.into());
                Some(Change::replace(file, sign, "--"))
            });
        }
        ("schema-not-portable", ",") => {
            actions.fix("array", "Write the array as `array(…)`", || array(cx, range));
        }
        _ => typed(cx, diagnostic, actions),
    }
}

/// Whether views or copies fill the data source.
fn is_written(cx: &Context<'_>) -> bool {
    let graph = headwater_analysis::graph(cx.db, cx.file.project(cx.db));
    let writes = |kind: &EdgeKind| matches!(kind, EdgeKind::Materialize | EdgeKind::Copy);
    graph.upstream(Vertex { file: cx.file, node: None }).iter().any(|(_, kind)| writes(kind))
}

/// A type that the rule says the column should have. Words that are marked and are none of a column go.
fn typed(cx: &Context<'_>, diagnostic: &Diagnostic, actions: &mut Actions<'_>) {
    let Some(Remedy::ColumnType(ty)) = &diagnostic.remedy else { return };
    let range = diagnostic.range;
    let goes = diagnostic.code.name == "schema-modifier";
    let title = if goes { "Make the type Nullable".to_owned() } else { format!("Change the type to `{ty}`") };
    actions.fix("column-type", title, || {
        let (_, old, _) = column_at(cx, range)?;
        let mut change = Change::replace(cx.file, old?.range, ty);
        if goes {
            let before = cx.text[..usize::from(range.start())].trim_end_matches(' ');
            let start = TextSize::of(before);
            change.push(cx.file, TextRange::new(start, range.end()), "", None);
        }
        Some(change)
    });
}

type Column = (Spanned<String>, Option<Spanned<String>>, TextRange);

/// The column that a place of the schema belongs to.
fn column_at(cx: &Context<'_>, range: TextRange) -> Option<Column> {
    crate::place::schema_columns(cx.db, cx.file).into_iter().find(|(_, _, whole)| {
        whole.contains_range(range)
            || whole.end() <= range.start()
                && cx.text[usize::from(whole.end())..usize::from(range.start())].trim().is_empty()
    })
}

/// Without the column, its comma, and its line where nothing else stands there.
fn removed(cx: &Context<'_>, range: TextRange) -> Option<Change> {
    let all = crate::place::schema_columns(cx.db, cx.file);
    let n = all.iter().position(|(_, _, whole)| whole.contains_range(range))?;
    let whole = all[n].2;
    if all.len() < 2 {
        return None;
    }
    let comma = |from: TextSize| {
        let rest = &cx.text[usize::from(from)..];
        let at = rest.find(',').filter(|at| rest[..*at].trim().is_empty())?;
        TextSize::try_from(at + 1).ok().map(|n| from + n)
    };
    let mut change = Change::default();
    match comma(whole.end()) {
        Some(end) => {
            let line = cx.whole_line(whole);
            let is_alone = cx.text[TextRange::new(line.start(), whole.start())].trim().is_empty()
                && cx.text[TextRange::new(end, line.end())].trim().is_empty();
            change.push(cx.file, if is_alone { line } else { TextRange::new(whole.start(), end) }, "", None);
        }
        // The last one: the comma before it goes, and what was said between them stays.
        None => {
            let before = all[n.checked_sub(1)?].2;
            let end = comma(before.end())?;
            let one = TextSize::from(1);
            change.push(cx.file, TextRange::new(end - one, end), "", None);
            let line = cx.whole_line(whole);
            let head = &cx.text[TextRange::new(end, whole.start())];
            let is_alone = cx.text[TextRange::new(line.start(), whole.start())].trim().is_empty()
                && cx.text[TextRange::new(whole.end(), line.end())].trim().is_empty();
            let start = if is_alone { line.start() } else { whole.start() - TextSize::of(head) };
            change.push(
                cx.file,
                TextRange::new(start, if is_alone { line.end() } else { whole.end() }),
                "",
                None,
            );
        }
    }
    Some(change)
}

/// `[1, 2]` around a comma, as a call.
fn array(cx: &Context<'_>, comma: TextRange) -> Option<Change> {
    let (_, _, whole) = column_at(cx, comma)?;
    let text = &cx.text[whole];
    let all = crate::tokens::tokens(text);
    let at = comma.start() - whole.start();
    let mut open = Vec::new();
    for token in &all {
        if token.is_sign(text, "[") {
            open.push(token.range);
        } else if token.is_sign(text, "]") {
            let start = open.pop()?;
            // The outermost one: those inside are no better.
            if open.is_empty() && start.start() < at && at < token.range.start() {
                let inner = TextRange::new(start.end(), token.range.start());
                let list = text[inner].replace('[', "array(").replace(']', ")");
                let place = TextRange::new(start.start(), token.range.end()) + whole.start();
                return Some(Change::replace(cx.file, place, format!("array({list})")));
            }
        }
    }
    None
}
