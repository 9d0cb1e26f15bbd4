//! Inside a query: what the words before the place want, and what can be that.

mod keywords;
mod lists;
mod operands;

use std::sync::Arc;

use headwater_analysis::query::{Around, Column, Relation, around_in_expressions};
use headwater_analysis::{Db, File, TextSize, semantics};
use headwater_catalog::Type;

use super::{CompletionKind, Items, tables, template};
use crate::cursor::{Cursor, MARKER};
use crate::sql_context::{Clause, Context, Wanted, context, is_structural};
use crate::tokens::tokens;
use keywords::{after_operand, after_table, keyword};
pub(in crate::completion) use lists::types;
use lists::{in_text, settings, table_functions};
use operands::{members, operands, using};

/// The names that a place can see.
pub(super) struct Scope {
    around: Around,
}

impl Scope {
    /// One table with these columns, by name and type.
    pub(super) fn of_table(_: &dyn Db, columns: &[(String, String)]) -> Self {
        let columns =
            columns.iter().map(|(name, ty)| Column::new(name.clone(), Type::parse(ty).ok())).collect();
        let around = around_in_expressions("", Arc::new(Relation::of(columns)), TextSize::from(0));
        Self { around }
    }
}

pub(super) fn complete(
    db: &dyn Db,
    file: File,
    cursor: &Cursor,
    (text, at): (&str, TextSize),
    out: &mut Items,
) {
    if template::complete(db, file, cursor, (text, at), out) {
        return;
    }
    let context = context(text, at);
    let needs_scope = !matches!(
        context.wanted,
        Wanted::Statement | Wanted::Table | Wanted::Type | Wanted::Format | Wanted::Nothing | Wanted::NewName
    );
    let around = match cursor.node {
        Some(node) if needs_scope => around(db, file, node, text, at + TextSize::of(MARKER)),
        _ => Around::default(),
    };
    offer(db, file, cursor, &Scope { around }, &context, text, out);
}

/// What stands around a place. Where what is being written breaks the query, its list of columns is left out.
pub(in crate::completion) fn around(
    db: &dyn Db,
    file: File,
    node: usize,
    text: &str,
    at: TextSize,
) -> Around {
    let found = around_in(db, file, node, text, at);
    if !found.tables.is_empty() || !found.queries.is_empty() {
        return found;
    }
    match without_list(text, at) {
        Some(shorter) => around_in(db, file, node, &shorter, at),
        None => found,
    }
}

/// The query with nothing but the word at the place between its SELECT and its FROM, offsets kept: a parenthesis or a CASE that
/// is open would swallow what follows.
fn without_list(text: &str, at: TextSize) -> Option<String> {
    let all = tokens(text);
    let mut selects = vec![None];
    for token in all.iter().take_while(|t| t.range.start() < at) {
        if token.is_sign(text, "(") {
            selects.push(None);
        } else if token.is_sign(text, ")") && selects.len() > 1 {
            selects.pop();
        } else if token.is(text, "SELECT")
            && let Some(last) = selects.last_mut()
        {
            *last = Some(token.range.end());
        }
    }
    let select = selects.into_iter().rev().flatten().next()?;
    let mut depth = 0usize;
    let from = all.iter().skip_while(|t| t.range.start() < at).find(|token| {
        if token.is_sign(text, "(") {
            depth += 1;
        } else if token.is_sign(text, ")") {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && token.is(text, "FROM")
    })?;
    let word = all.iter().find(|t| t.range.contains_inclusive(at))?.range;
    let mut out = text.to_owned().into_bytes();
    let blank = |out: &mut Vec<u8>, from: TextSize, to: TextSize| {
        for byte in out.get_mut(usize::from(from)..usize::from(to)).into_iter().flatten() {
            *byte = b' ';
        }
    };
    blank(&mut out, select, word.start());
    blank(&mut out, word.end(), from.range.start());
    String::from_utf8(out).ok()
}

/// Of a template that is not finished no arm can be taken alone: it is read as if all were there.
fn around_in(db: &dyn Db, file: File, node: usize, text: &str, at: TextSize) -> Around {
    let found = semantics::around(db, file, node, text, at);
    let is_template = headwater_analysis::syntax::template::is_template(text);
    if !is_template || !found.tables.is_empty() || !found.queries.is_empty() {
        return found;
    }
    let mut plain = text.to_owned().into_bytes();
    for tag in headwater_analysis::syntax::template::tags(text) {
        let is_output = text[tag.range].starts_with("{{");
        for byte in &mut plain[std::ops::Range::<usize>::from(tag.range)] {
            // A value stays one, of the same length.
            *byte = if is_output { b'0' } else { b' ' };
        }
    }
    if let Some(percent) = plain.iter().position(|b| !b.is_ascii_whitespace()).filter(|n| plain[*n] == b'%') {
        plain[percent] = b' ';
    }
    match String::from_utf8(plain) {
        Ok(plain) => semantics::around(db, file, node, &plain, at),
        Err(_) => found,
    }
}

/// In a list of expressions that is no query.
pub(super) fn in_expression(scope: &Scope, (text, at): (&str, TextSize), out: &mut Items) {
    let mut context = context(text, at);
    if context.wanted == Wanted::Statement {
        context.wanted = Wanted::Operand;
    }
    match context.wanted {
        Wanted::Operand => operands(scope, &context, text, out),
        Wanted::Type => types(out),
        _ => {}
    }
}

fn offer(
    db: &dyn Db,
    file: File,
    cursor: &Cursor,
    scope: &Scope,
    context: &Context,
    text: &str,
    out: &mut Items,
) {
    match &context.wanted {
        Wanted::Statement => {
            let before = text[..usize::from(context.start)].trim_end().to_uppercase();
            if ["UNION", "EXCEPT", "INTERSECT"].iter().any(|word| before.ends_with(word)) {
                keyword("ALL", 760, out);
                keyword("DISTINCT", 750, out);
            }
            keyword("SELECT", 700, out);
            keyword("WITH", 600, out);
            // What a template's first line may hold.
            if text.trim_start().starts_with('%') {
                return;
            }
            if cursor.node.is_some() {
                out.add("% (template)", CompletionKind::Snippet, 300)
                    .detail("makes the query a template")
                    .insert("%\n    ");
            }
        }
        Wanted::Operand => {
            operands(scope, context, text, out);
            if matches!(context.clause, Clause::None | Clause::Filter | Clause::From)
                && text[..usize::from(context.start)].trim_end().ends_with('(')
            {
                keyword("SELECT", 350, out);
            }
            let call = context.calls.last().filter(|c| {
                c.argument == 0 && text[usize::from(c.open)..usize::from(context.start)].trim().is_empty()
            });
            let is_aggregate = |name: &str| {
                headwater_catalog::find(name).is_some_and(|f| f.kind() == headwater_catalog::Kind::Aggregate)
            };
            if call.is_some_and(|c| is_aggregate(&text[c.name])) {
                keyword("DISTINCT", 500, out);
            }
            match context.clause {
                Clause::Select => {
                    let before = text[..usize::from(context.start)].trim_end();
                    if before
                        .get(before.len().saturating_sub(6)..)
                        .is_some_and(|w| w.eq_ignore_ascii_case("SELECT"))
                    {
                        keyword("DISTINCT", 480, out);
                    }
                    keyword("CASE", 150, out);
                    keyword("* FROM", 120, out);
                }
                Clause::Filter | Clause::On => {
                    keyword("NOT", 200, out);
                    keyword("EXISTS", 100, out);
                }
                _ => {}
            }
            keyword("INTERVAL", 100, out);
            keyword("NULL", 100, out);
        }
        Wanted::Member(path) => members(scope, path, out),
        Wanted::AfterOperand => after_operand(context, text, out),
        Wanted::Table => {
            if cursor.node.is_some() {
                tables::readable(db, file, cursor.node, out);
            }
            // The queries of WITH are nearer than everything else.
            let at = context.start;
            let ctes = semantics_ctes(text, at);
            for name in ctes {
                out.add(name, CompletionKind::Table, 800).detail("WITH");
            }
            table_functions(out);
        }
        Wanted::TableOf(database) => {
            let known = headwater_analysis::service_tables(database);
            for name in known {
                out.add(name, CompletionKind::Table, 600).origin(format!("{database}: read-only"));
            }
        }
        Wanted::AfterTable => after_table(text, context, out),
        Wanted::Using => using(scope, out),
        Wanted::Type => types(out),
        Wanted::Setting => settings(out),
        Wanted::SettingValue(name) => {
            if let Some(setting) = headwater_catalog::setting(name) {
                out.add(setting.default.clone(), CompletionKind::Value, 500)
                    .detail(format!("default; {}", setting.ty));
                if setting.ty == "Bool" {
                    out.add("1", CompletionKind::Value, 490);
                    out.add("0", CompletionKind::Value, 480);
                }
            }
        }
        Wanted::Format => {
            for format in headwater_catalog::formats().iter().filter(|f| f.is_output) {
                let relevance =
                    if format.name.starts_with("JSON") || format.name.starts_with("CSV") { 500 } else { 400 };
                out.add(format.name, CompletionKind::Value, relevance).doc(format!("format:{}", format.name));
            }
        }
        Wanted::Text => in_text(context, text, out),
        Wanted::NewName | Wanted::Nothing => {}
    }
}

/// Names that `WITH` defines before the place. Of the words: the tree of an unfinished `FROM` is not to be trusted.
fn semantics_ctes(text: &str, at: TextSize) -> Vec<String> {
    let before = &text[..usize::from(at)];
    let tokens = crate::tokens::tokens(before);
    let mut found = Vec::new();
    for window in tokens.windows(3) {
        if window[1].is(before, "AS") && window[2].is_sign(before, "(") {
            let is_cte = tokens
                .iter()
                .skip_while(|t| t.range.start() <= window[2].range.start())
                .find(|t| {
                    !matches!(t.kind, crate::tokens::TokenKind::Comment | crate::tokens::TokenKind::Control)
                })
                .is_some_and(|t| t.is(before, "SELECT") || t.is(before, "WITH"));
            if is_cte {
                found.push(window[0].text(before).trim_matches(['`', '"']).to_owned());
            }
        }
    }
    // Inside of its own parentheses a query has no name yet.
    let last_is_open = tokens.iter().filter(|t| t.is_sign(before, "(")).count()
        > tokens.iter().filter(|t| t.is_sign(before, ")")).count();
    if last_is_open && !before.to_uppercase().contains("RECURSIVE") {
        found.pop();
    }
    found
}

/// What is typed of the word at the place.
fn typed<'t>(text: &'t str, context: &Context) -> &'t str {
    let rest = &text[usize::from(context.start)..];
    let end = rest.find(MARKER).unwrap_or(0);
    &rest[..end]
}

/// A name as SQL has it: in backticks where it is no plain word, or one that shapes queries.
pub(crate) fn written(name: &str) -> String {
    let is_plain = name.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !is_structural(part)
    });
    if is_plain { name.to_owned() } else { format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`")) }
}
