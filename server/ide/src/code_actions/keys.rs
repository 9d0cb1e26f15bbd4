//! Keys of tables: what they cannot hold, and partitions that outlive their rows. And the shape of a `FORWARD_QUERY`.

use headwater_analysis::syntax::MappedText;
use headwater_analysis::{Diagnostic, Directive, Remedy, TextRange, TextSize};

use super::{Actions, Context};
use crate::change::Change;
use crate::tokens::{Token, TokenKind, tokens};

pub(super) fn fix(cx: &Context<'_>, diagnostic: &Diagnostic, actions: &mut Actions<'_>) {
    let range = diagnostic.range;
    match diagnostic.code.name {
        "sorting-key" => {
            let Some((item, rest)) = item_at(cx, range) else { return };
            if rest {
                let text = cx.text[item].trim_matches([',', ' ', '\n', '\r', '\t']).to_owned();
                actions.fix("key-item", format!("Remove `{text}` from the key"), || {
                    Some(Change::replace(cx.file, item, ""))
                });
            }
        }
        "ttl-partition" => {
            let Some(Remedy::PartitionBy(function)) = diagnostic.remedy else { return };
            actions.fix("partition", format!("Partition by `{function}`"), || {
                let entry =
                    cx.parsed.datafile.last(Directive::EnginePartitionKey).filter(|e| e.source == 0)?;
                let body = entry.entry.body(&cx.text);
                let all = tokens(&body.text);
                let call =
                    all.windows(2).find(|w| w[0].kind == TokenKind::Word && w[1].is_sign(&body.text, "("))?;
                Some(Change::replace(cx.file, body.to_source(call[0].range), function))
            });
        }
        "forward-query-shape" => forward_query(cx, range, actions),
        _ => {}
    }
}

/// The item of a key's list that holds a place, with its comma, and whether there are others.
fn item_at(cx: &Context<'_>, range: TextRange) -> Option<(TextRange, bool)> {
    let entry = cx.entry(range)?;
    let body = entry.body(&cx.text);
    let at = body.offset_from_source(range.start())?;
    let all = tokens(&body.text);
    let inside = list(&body, &all);
    let (mut depth, mut start, mut before) = (0i32, inside.start(), None);
    let mut items: Vec<(TextRange, Option<TextRange>)> = Vec::new();
    for token in all.iter().filter(|t| inside.contains_range(t.range)) {
        let is = |sign: &str| token.is_sign(&body.text, sign);
        if is("(") || is("[") {
            depth += 1;
        } else if is(")") || is("]") {
            depth -= 1;
        } else if is(",") && depth == 0 {
            items.push((TextRange::new(start, token.range.start()), before));
            before = Some(token.range);
            start = token.range.end();
        }
    }
    items.push((TextRange::new(start, inside.end()), before));
    let n = items.iter().position(|(item, _)| item.contains_inclusive(at))?;
    let (item, comma) = items[n];
    let end = items.get(n + 1).map_or(item.end(), |(next, _)| match comma {
        // The first item takes the comma and the blanks behind it along.
        None => {
            let text = &body.text[*next];
            next.start() + TextSize::of(&text[..text.len() - text.trim_start().len()])
        }
        Some(_) => item.end(),
    });
    let start = comma.map_or(item.start(), TextRange::start);
    Some((body.to_source(TextRange::new(start, end)), items.len() > 1))
}

/// Where the list of a key stands: inside of the parentheses or quotes around all of it.
fn list(body: &MappedText, all: &[Token]) -> TextRange {
    let text = &body.text;
    let trimmed = text.trim();
    let start = TextSize::of(&text[..text.len() - text.trim_start().len()]);
    let whole = TextRange::at(start, TextSize::of(trimmed));
    let is = |n: usize, sign: &str| all.get(n).is_some_and(|t| t.is_sign(text, sign));
    let open = usize::from(all.first().is_some_and(|t| t.is(text, "tuple")));
    if !is(open, "(") || !trimmed.ends_with(')') {
        return whole;
    }
    // The parenthesis that opens the list closes it.
    let mut depth = 0i32;
    for (n, token) in all.iter().enumerate().skip(open) {
        depth += i32::from(token.is_sign(text, "(")) - i32::from(token.is_sign(text, ")"));
        if depth == 0 {
            let is_last = n + 1 == all.len();
            let inner = TextRange::new(all[open].range.end(), token.range.start());
            return if is_last { inner } else { whole };
        }
    }
    whole
}

fn forward_query(cx: &Context<'_>, range: TextRange, actions: &mut Actions<'_>) {
    let marked = &cx.text[range];
    let is = |words: &[&str]| words.iter().any(|w| w.eq_ignore_ascii_case(marked));
    if marked.len() > 2 && marked.starts_with(['"', '\'', '`']) {
        let inner = marked[1..marked.len() - 1].to_owned();
        if inner.trim_start().to_ascii_uppercase().starts_with("SELECT") {
            actions.fix("unquote", "Remove the quotes", || Some(Change::replace(cx.file, range, inner)));
        }
    } else if is(&["FROM", "WHERE", "PREWHERE"]) {
        let title = format!("Remove everything from {} on", marked.to_ascii_uppercase());
        actions.fix("end", title, || {
            let entry = cx.entry(range)?;
            let before = cx.text[..usize::from(range.start())].trim_end();
            let end = cx.text[..usize::from(entry.full_range().end())].trim_end();
            Some(Change::replace(cx.file, TextRange::new(TextSize::of(before), TextSize::of(end)), ""))
        });
    } else {
        actions.fix("select", "Write SELECT before it", || {
            Some(Change::insert(cx.file, range.start(), "SELECT "))
        });
    }
}
