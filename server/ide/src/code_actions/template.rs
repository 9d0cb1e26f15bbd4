//! Templates: the marker, the ends of blocks, and literals that become parameters.

use headwater_analysis::syntax::template;
use headwater_analysis::{Diagnostic, TextRange, TextSize};

use super::{ActionKind, Actions, Context};
use crate::change::Change;
use crate::place::query_at;
use crate::tokens::{Token, TokenKind, tokens};

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
        "parameter-default" => default(cx, range, actions),
        "reserved-parameter" | "parameter-name" if diagnostic.remedy.is_none() => {
            let name = cx.text[range].trim_matches(['"', '\'']).to_owned();
            let to = format!("{name}_name");
            let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && name.starts_with(|c: char| c.is_ascii_alphabetic());
            if is_word {
                let at = range.start() + TextSize::from(u32::from(cx.text[range].starts_with(['"', '\''])));
                actions.fix("rename-parameter", format!("Rename the parameter to `{to}`"), || {
                    crate::rename::rename(cx.db, file, at, &to).ok()
                });
            }
        }
        "unclosed-template-block" => actions.fix("close", "Add `{% end %}`", || {
            let entry = cx.entry(range)?;
            let end = entry.full_range().end();
            Some(Change::insert(file, end, format!("{}    {{% end %}}", cx.newline())))
        }),
        _ => {}
    }
}

/// A default that is no value of its type: it goes, and a date for a time gets the time of its midnight.
fn default(cx: &Context<'_>, range: TextRange, actions: &mut Actions<'_>) {
    let Some((_, body, at)) = query_at(cx.db, cx.file, range.start()) else { return };
    let tree = template::parse(&body.text);
    let mut found: Option<(String, TextRange, TextRange, Option<String>)> = None;
    tree.walk_expressions(&mut |expr| {
        let Some((name, args, keywords)) = expr.as_call() else { return };
        if !expr.range.contains_inclusive(at) || !template::TYPE_FUNCTIONS.contains(&name) {
            return;
        }
        let text_of = |e: &template::Expr| match &e.kind {
            template::ExprKind::Str(text) => Some(text.clone()),
            _ => None,
        };
        let named = keywords.iter().enumerate().find(|(_, k)| k.0.value == "default");
        found = match (args, named) {
            // From the end of what stands before it, with the comma between them.
            ([.., before], Some((n, (key, value)))) => {
                let before = n.checked_sub(1).map_or(before.range, |n| keywords[n].1.range);
                let gap = TextRange::new(before.end(), value.range.end());
                gap.contains_range(key.range).then(|| (name.to_owned(), gap, value.range, text_of(value)))
            }
            ([first, second, ..], None) => {
                let gap = TextRange::new(first.range.end(), second.range.end());
                Some((name.to_owned(), gap, second.range, text_of(second)))
            }
            _ => None,
        };
    });
    let Some((function, gap, value, text)) = found else { return };
    let midnight = match &*function {
        "DateTime" => Some("00:00:00"),
        "DateTime64" => Some("00:00:00.000"),
        _ => None,
    };
    let is_date = |t: &String| t.len() == 10 && t.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if let (Some(midnight), Some(date)) = (midnight, text.filter(is_date)) {
        let new = format!("'{date} {midnight}'");
        actions.fix("midnight", format!("Change the default to {new}"), || {
            Some(Change::replace(cx.file, body.to_source(value), new))
        });
    }
    actions.fix("no-default", "Leave the default out", || {
        Some(Change::replace(cx.file, body.to_source(gap), ""))
    });
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
    if !may_be_parameter(&all, token, &body.text) {
        return;
    }
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

/// Whether a literal is a value that requests may choose: compared with something, a limit, an interval. Arguments of functions
/// are often part of what they are, like a scale or a unit.
fn may_be_parameter(all: &[Token], literal: &Token, text: &str) -> bool {
    let Some(n) = all.iter().position(|t| t.range == literal.range) else { return false };
    let signs = ["=", "==", "!=", "<>", "<", ">", "<=", ">="];
    let words = ["LIKE", "ILIKE", "LIMIT", "OFFSET", "INTERVAL", "BETWEEN"];
    let compares = |t: Option<&Token>| t.is_some_and(|t| signs.iter().any(|s| t.is_sign(text, s)));
    let before = n.checked_sub(1).and_then(|n| all.get(n));
    let is_between = before.is_some_and(|t| t.is(text, "AND"))
        && all[..n].iter().rev().take(4).any(|t| t.is(text, "BETWEEN"));
    // In the list of an IN.
    let open = all[..n].iter().rposition(|t| t.is_sign(text, "("));
    let in_list = open.is_some_and(|open| {
        open > 0
            && all[open - 1].is(text, "IN")
            && all[open + 1..n]
                .iter()
                .all(|t| t.is_sign(text, ",") || matches!(t.kind, TokenKind::Text | TokenKind::Number))
    });
    compares(before)
        || compares(all.get(n + 1))
        || before.is_some_and(|t| words.iter().any(|w| t.is(text, w)))
        || is_between
        || in_list
}
