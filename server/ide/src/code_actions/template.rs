//! Templates: the marker, the ends of blocks, and literals that become parameters.

use headwater_analysis::syntax::template;
use headwater_analysis::{Diagnostic, TextRange, TextSize};

use super::{ActionKind, Actions, Context};
use crate::change::Change;
use crate::place::query_at;
use crate::tokens::{TokenKind, tokens};

pub(super) fn fix(cx: &Context<'_>, diagnostic: &Diagnostic, actions: &mut Actions<'_>) {
    let (file, range) = (cx.file, diagnostic.range);
    match diagnostic.code.name {
        "missing-template-marker" => {
            actions.fix("marker", "Make the query a template: add `%`", || add_marker(cx, range.start()));
        }
        "jinja-end" => actions.fix("end", "Change to `{% end %}`", || {
            let tag = tag_around(&cx.text, range)?;
            Some(Change::replace(file, tag, "{% end %}"))
        }),
        "unclosed-template-block" => actions.fix("close", "Add `{% end %}`", || {
            let entry = cx.entry(range)?;
            let end = entry.full_range().end();
            Some(Change::insert(file, end, format!("{}    {{% end %}}", cx.newline())))
        }),
        _ => {}
    }
}

/// The `%` before the query around a place.
fn add_marker(cx: &Context<'_>, at: TextSize) -> Option<Change> {
    let entry = cx.entry(TextRange::empty(at))?;
    let first = entry.block.as_ref()?.lines.iter().find(|l| !l.dropped)?;
    let line = &cx.text[first.range];
    let indent = &line[..line.len() - line.trim_start().len()];
    Some(Change::insert(cx.file, first.range.start(), format!("{indent}%{}", cx.newline())))
}

/// The whole tag that holds a place.
fn tag_around(text: &str, range: TextRange) -> Option<TextRange> {
    let start = text[..usize::from(range.start()) + 2.min(usize::from(range.len()))].rfind("{%")?;
    let end = text[start..].find("%}")? + start + 2;
    Some(headwater_analysis::syntax::range(start, end))
}

/// A literal under the cursor becomes a parameter with that default.
pub(super) fn assist(cx: &Context<'_>, actions: &mut Actions<'_>) {
    let Some((_, body, at)) = query_at(cx.db, cx.file, cx.range.start()) else { return };
    let all = tokens(&body.text);
    let Some(token) = all.iter().find(|t| t.range.contains_inclusive(at) && t.closed) else { return };
    let literal = token.text(&body.text);
    let ty = match token.kind {
        TokenKind::Text if literal.len() >= 2 => "String",
        TokenKind::Number if literal.contains('.') && literal.parse::<f64>().is_ok() => "Float64",
        TokenKind::Number if literal.parse::<i64>().is_ok() => "Int64",
        _ => return,
    };
    let range = body.to_source(token.range);
    actions.add("parameter", format!("Make `{literal}` a parameter"), ActionKind::Extract, || {
        let known: Vec<String> = crate::parameters::all(cx.db, cx.file).into_iter().map(|p| p.name).collect();
        // The column that it is compared with gives the name.
        let before = all.iter().rev().filter(|t| t.range.end() <= token.range.start()).take(3);
        let near = before.filter(|t| t.kind == TokenKind::Word).map(|t| t.text(&body.text).to_lowercase());
        let base = near
            .into_iter()
            .find(|w| !crate::sql_context::is_structural(w))
            .unwrap_or_else(|| "value".to_owned());
        let name = (1..)
            .map(|n| if n == 1 { base.clone() } else { format!("{base}_{n}") })
            .find(|n| !known.contains(n))?;
        let mut change = Change::replace(cx.file, range, format!("{{{{{ty}({name}, {literal})}}}}"));
        if !template::is_template(&body.text) {
            for (file, edits) in add_marker(cx, range.start())?.edits {
                edits.into_iter().for_each(|e| change.push(file, e.range, e.text, None));
            }
        }
        Some(change)
    });
}
