//! Schemas: types that the format spells otherwise, commas, names given twice.

use headwater_analysis::Diagnostic;

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
        ("schema-syntax", _) if diagnostic.message.contains("comma") => {
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
        ("schema-modifier", _) if diagnostic.message.contains("Nullable") => {
            actions.fix("nullable", "Make the type Nullable", || {
                let (_, ty, _) =
                    crate::place::schema_columns(cx.db, file).into_iter().find(|(_, _, whole)| {
                        whole.contains_range(range)
                            || whole.end() <= range.start()
                                && cx.text[usize::from(whole.end())..usize::from(range.start())]
                                    .trim()
                                    .is_empty()
                    })?;
                let ty = ty?;
                let mut change = Change::replace(file, ty.range, format!("Nullable({})", ty.value));
                let before = cx.text[..usize::from(range.start())].trim_end_matches(' ');
                let start = headwater_analysis::TextSize::of(before);
                change.push(file, headwater_analysis::TextRange::new(start, range.end()), "", None);
                Some(change)
            });
        }
        _ => {}
    }
}
