//! Queries: qualified names, aliases, keys of `GROUP BY`, `FINAL`.

use headwater_analysis::syntax::sql::ast::{self, AstNode};
use headwater_analysis::{Diagnostic, TextRange, semantics};

use super::{Actions, Context};
use crate::change::Change;
use crate::place::query_at;

pub(super) fn fix(cx: &Context<'_>, diagnostic: &Diagnostic, actions: &mut Actions<'_>) {
    let (file, range) = (cx.file, diagnostic.range);
    let marked = cx.text.get(std::ops::Range::from(range)).unwrap_or_default();
    match diagnostic.code.name {
        "ambiguous-column" => {
            let Some((node, body, at)) = query_at(cx.db, file, range.start()) else { return };
            let around = semantics::around(cx.db, file, node, &body.text, at);
            let name = marked.trim_matches('`').to_owned();
            for table in around.tables.iter().filter(|t| t.relation.column(&name).is_some()) {
                let Some(table) = &table.name else { continue };
                let text = format!("{}.{marked}", crate::completion::written(table));
                let title = format!("Change to `{text}`");
                actions.fix(&format!("qualify-{table}"), title, || Some(Change::replace(file, range, text)));
            }
        }
        "alias-required" => {
            actions.fix("alias", "Give it a name", || {
                let taken = |name: &str| cx.text.contains(&format!("AS {name}"));
                let name = (1..).map(|n| format!("t{n}")).find(|n| !taken(n))?;
                Some(Change::insert(file, range.end(), format!(" AS {name}")))
            });
        }
        "missing-final" => {
            actions.fix("final", "Add FINAL", || {
                let (_, body, at) = query_at(cx.db, file, range.start())?;
                let variant = semantics::variant_at(&body.text, at)?;
                let tree = headwater_analysis::syntax::sql::parse(&variant)?;
                let table = ast::descendants::<ast::TableRef<'_>>(tree.root_node())
                    .filter(|t| t.range().contains_inclusive(at))
                    .last()?;
                let end = table
                    .alias()
                    .map_or_else(|| table.source().map(|s| s.range().end()), |a| Some(a.range().end()))?;
                let end = body.to_source(TextRange::new(table.range().start(), end)).end();
                Some(Change::insert(file, end, " FINAL"))
            });
        }
        "comparison-types" => {
            if let Some((place, text)) = quoted(cx, range) {
                actions.fix("quote", format!("Compare with {text}"), || {
                    Some(Change::replace(file, place, text))
                });
            }
        }
        "unmerged-state" => {
            let Some(item) = item_of(cx, range) else { return };
            let name = crate::completion::written(&item.name);
            let title = "Finish the state: `finalizeAggregation(…)`";
            actions.fix("finalize", title, || {
                let before = &cx.text[TextRange::new(item.item.start(), item.focus?.start())];
                let before = before.trim_end_matches(['`', '"']).trim_end();
                let expression = match before.len().checked_sub(2).and_then(|n| before.split_at_checked(n)) {
                    _ if !item.is_alias => &cx.text[item.item],
                    Some((head, word)) if word.eq_ignore_ascii_case("as") => head.trim_end(),
                    _ => before,
                };
                let text = format!("finalizeAggregation({expression}) AS {name}");
                Some(Change::replace(file, item.item, text))
            });
        }
        "target-columns" if diagnostic.meant.is_none() => super::create::target_column(cx, range, actions),
        "not-grouped" => {
            actions.fix("group", format!("Add `{marked}` to GROUP BY"), || group_by(cx, range));
            if let Some(text) = any_of(cx, range, marked) {
                actions
                    .fix("any", format!("Change to `{text}`"), || Some(Change::replace(file, range, text)));
            }
        }
        _ => {}
    }
}

/// The item of the node's SELECT that a place is.
fn item_of(cx: &Context<'_>, range: TextRange) -> Option<crate::place::Selected> {
    let (node, ..) = query_at(cx.db, cx.file, range.start())?;
    crate::place::selected(cx.db, cx.file, node).into_iter().find(|s| s.item == range)
}

/// The number of a comparison with a text, as a text.
fn quoted(cx: &Context<'_>, range: TextRange) -> Option<(TextRange, String)> {
    let text = &cx.text[range];
    let all = crate::tokens::tokens(text);
    let is_number = |n: usize| all.get(n).is_some_and(|t| t.kind == crate::tokens::TokenKind::Number);
    let signs = ["=", "==", "!=", "<>", "<", ">", "<=", ">="];
    let is_sign = |n: usize| all.get(n).is_some_and(|t| signs.iter().any(|s| t.is_sign(text, s)));
    let last = all.len().checked_sub(1)?;
    let n = if is_number(last) && is_sign(last.checked_sub(1)?) {
        last
    } else if is_number(0) && is_sign(1) {
        0
    } else {
        return None;
    };
    let place = all[n].range + range.start();
    Some((place, format!("'{}'", &cx.text[place])))
}

/// `any(x)`, under the name that the column had for others; `None` where that name would mean the aggregate elsewhere in the
/// query.
fn any_of(cx: &Context<'_>, range: TextRange, marked: &str) -> Option<String> {
    if marked.contains(char::is_whitespace) {
        return None;
    }
    let (node, body, _) = query_at(cx.db, cx.file, range.start())?;
    let is_whole = |s: &crate::place::Selected| s.item == range && !s.is_alias;
    let Some(item) = crate::place::selected(cx.db, cx.file, node).into_iter().find(is_whole) else {
        // Inside of an expression no name changes. An item of a query inside has a name for the one around it.
        let is_item = inner_item(cx, range);
        return (!is_item).then(|| format!("any({marked})"));
    };
    let said = crate::tokens::tokens(&body.text)
        .into_iter()
        .filter(|t| t.text(&body.text).trim_matches(['`', '"']) == item.name)
        .count();
    (said == 1).then(|| format!("any({marked}) AS {}", crate::completion::written(&item.name)))
}

/// Whether a place is a whole item of some SELECT.
fn inner_item(cx: &Context<'_>, range: TextRange) -> bool {
    let found = query_at(cx.db, cx.file, range.start()).and_then(|(_, body, at)| {
        let variant = semantics::variant_at(&body.text, at)?;
        let tree = headwater_analysis::syntax::sql::parse(&variant)?;
        let mut items = ast::descendants::<ast::SelectItem<'_>>(tree.root_node());
        Some(items.any(|item| body.to_source(item.range()) == range))
    });
    found.unwrap_or(true)
}

/// What follows a filter.
const CLAUSES: &[&str] = &[
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "SETTINGS",
    "FORMAT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "WINDOW",
    "QUALIFY",
];

fn group_by(cx: &Context<'_>, range: TextRange) -> Option<Change> {
    let (_, body, at) = query_at(cx.db, cx.file, range.start())?;
    let variant = semantics::variant_at(&body.text, at)?;
    let tree = headwater_analysis::syntax::sql::parse(&variant)?;
    let select = ast::descendants::<ast::SelectQuery<'_>>(tree.root_node())
        .filter(|s| s.range().contains_inclusive(at))
        .last()?;
    let marked = &cx.text[range];
    let groups = select.clauses().find_map(|c| match c {
        ast::Clause::GroupByClause(group) => Some(group),
        _ => None,
    });
    if let Some(last) = groups.and_then(|g| g.expressions().last()) {
        let end = body.to_source(last.range()).end();
        return Some(Change::insert(cx.file, end, format!(", {marked}")));
    }
    // Before the next clause: arms of a template that add to the filter are a part of it.
    let tokens = crate::tokens::tokens(&body.text);
    let from = tokens.iter().position(|t| t.range.start() >= select.range().start())?;
    let (mut depth, mut last, mut has_from) = (0i32, None, false);
    for token in &tokens[from..] {
        let is_clause = depth == 0
            && has_from
            && token.kind == crate::tokens::TokenKind::Word
            && CLAUSES.iter().any(|word| token.is(&body.text, word));
        if token.is_sign(&body.text, "(") {
            depth += 1;
        } else if token.is_sign(&body.text, ")") {
            depth -= 1;
        }
        if is_clause || depth < 0 {
            break;
        }
        let is_from = depth == 0 && token.is(&body.text, "FROM");
        // Arms of a template have a query each, and which end is this one's is not told by words.
        if is_from && has_from {
            return None;
        }
        has_from |= is_from;
        if token.kind != crate::tokens::TokenKind::Comment {
            last = Some(token.range.end());
        }
    }
    let end = body.to_source(TextRange::empty(last.filter(|_| has_from)?)).end();
    Some(Change::insert(cx.file, end, format!(" GROUP BY {marked}")))
}
