//! Where a value is wanted: columns in scope with type and origin, aliases, parameters of lambdas, functions.

use headwater_catalog::{Argument, Call, Inference, Type, find, infer};

use super::super::functions::{self, Wanted as WantedFunctions};
use super::super::{CompletionItem, CompletionKind, Items};
use super::{Scope, typed, written};
use crate::cursor::MARKER;
use crate::sql_context::{Clause, Context};

/// The call that the place is an argument of, with the types of the arguments before it.
struct Around1<'a> {
    function: &'a str,
    argument: usize,
}

pub(super) fn operands(scope: &Scope, context: &Context, text: &str, out: &mut Items) {
    let call = context.calls.last().map(|c| Around1 { function: &text[c.name], argument: c.argument });
    let letters = typed(text, context);
    let filters = matches!(context.clause, Clause::Filter | Clause::On);
    let around = &scope.around;
    for (name, ty) in &around.parameters {
        let item = out.add(name.clone(), CompletionKind::Variable, 800);
        item.origin("lambda");
        detail(item, ty.as_ref());
    }
    let sees_aliases = !matches!(context.clause, Clause::Select) || context.calls.is_empty();
    for (name, ty) in around.aliases.iter().filter(|(name, _)| sees_aliases && !name.contains(MARKER)) {
        let relevance = match context.clause {
            Clause::GroupBy | Clause::OrderBy => 760,
            Clause::Select => 340,
            _ => 520,
        };
        let item = out.add(written(name), CompletionKind::Alias, relevance);
        item.origin("this SELECT");
        detail(item, ty.as_ref());
    }
    let selected = selected_names(text, context);
    let several = around.tables.len() > 1;
    for (t, table) in around.tables.iter().enumerate() {
        let origin = table.name.clone().unwrap_or_else(|| "subquery".to_owned());
        let columns = table.relation.columns.iter().map(|c| (c, false));
        for (n, (column, is_virtual)) in
            columns.chain(table.relation.virtuals.iter().map(|c| (c, true))).enumerate()
        {
            let Some(name) = column.name.as_ref().filter(|n| !n.contains(MARKER)) else { continue };
            let others = around.tables.iter().enumerate().filter(|(o, _)| *o != t);
            let is_ambiguous = several && others.clone().any(|(_, o)| o.relation.column(name).is_some());
            let order = u16::try_from(n).unwrap_or(u16::MAX).min(60) + u16::try_from(t).unwrap_or(9).min(9);
            let mut relevance = 720 - order;
            if is_virtual {
                relevance = 60;
            } else if let Some(call) = &call {
                match suits(call, column.ty.as_ref()) {
                    Some(true) => relevance += 80,
                    Some(false) => relevance = 230,
                    None => {}
                }
            } else if context.clause == Clause::Select && selected.iter().any(|s| s == name) {
                relevance -= 150;
            }
            if filters && column.ty.as_ref().is_some_and(|ty| matches!(ty, Type::AggregateFunction(_))) {
                relevance = 220;
            }
            let label = match (&table.name, is_ambiguous) {
                (Some(table), true) => format!("{table}.{}", written(name)),
                _ => written(name),
            };
            let item = out.add(label, CompletionKind::Column, relevance);
            item.origin(origin.clone());
            detail(item, column.ty.as_ref());
            // Inside of an aggregate function a state is merged already.
            let is_aggregated = call.as_ref().is_some_and(|call| {
                find(call.function).is_some_and(|f| f.kind() != headwater_catalog::Kind::Scalar)
            });
            if !is_aggregated
                && !filters
                && let Some(Type::AggregateFunction(state)) = &column.ty
            {
                merge(name, &state.function, letters, out);
            }
        }
    }
    if several || context.clause == Clause::Select {
        for table in around.tables.iter().filter_map(|t| t.name.as_ref()) {
            out.add(format!("{table}."), CompletionKind::Table, if several { 420 } else { 200 }).continues =
                true;
        }
    }
    for window in around
        .windows
        .iter()
        .filter(|_| text[..usize::from(context.start)].trim_end().to_uppercase().ends_with("OVER"))
    {
        out.add(window.clone(), CompletionKind::Variable, 800).origin("window");
    }
    let wanted = match context.clause {
        Clause::Filter if !text.to_uppercase().contains("HAVING") => WantedFunctions::Scalar,
        Clause::On | Clause::GroupBy => WantedFunctions::Scalar,
        _ => WantedFunctions::Any,
    };
    functions::add(letters, wanted, out);
}

/// A state is read through `-Merge`.
fn merge(name: &str, function: &str, letters: &str, out: &mut Items) {
    let merged = format!("{function}Merge");
    // Whoever types begins with the column or with the function.
    let is_function = !letters.is_empty() && merged.to_lowercase().starts_with(&letters.to_lowercase());
    if find(&merged).is_some() {
        out.add(format!("{merged}({})", written(name)), CompletionKind::Function, 735)
            .detail(format!("the value of the state {function}"))
            .origin(name.to_owned())
            .filter(if is_function { &merged } else { name })
            .doc(format!("function:{merged}"));
    }
}

/// Whether a column of this type may be this argument; `None` when that is not known.
fn suits(call: &Around1<'_>, ty: Option<&Type>) -> Option<bool> {
    let ty = ty?;
    let function = find(call.function)?;
    // What is typed so far has one argument at least; the others are anything.
    let (least, most) = function.argument_count().unwrap_or((call.argument + 1, None));
    let count = least.max(call.argument + 1);
    if most.is_some_and(|most| call.argument >= most) {
        return Some(false);
    }
    let arguments: Vec<Argument> = (0..count)
        .map(|n| if n == call.argument { Argument::column(ty.clone()) } else { Argument::unknown() })
        .collect();
    let only = count == 1;
    match infer(&Call { name: call.function, parameters: &[], arguments: &arguments }) {
        Inference::Fault(headwater_catalog::Fault::ArgumentType { .. }) => Some(false),
        Inference::Type(_) if only => Some(true),
        _ => None,
    }
}

/// Columns that stand in this SELECT list already, by their last name.
fn selected_names(text: &str, context: &Context) -> Vec<String> {
    let before = &text[..usize::from(context.start)];
    let tokens = crate::tokens::tokens(before);
    let start = tokens.iter().rposition(|t| t.is(before, "SELECT")).map_or(0, |n| n + 1);
    tokens[start..]
        .iter()
        .filter(|t| matches!(t.kind, crate::tokens::TokenKind::Word | crate::tokens::TokenKind::Quoted))
        .map(|t| t.text(before).trim_matches('`').to_owned())
        .collect()
}

fn detail(item: &mut CompletionItem, ty: Option<&Type>) {
    if let Some(ty) = ty {
        item.detail(ty.to_string());
    }
}

pub(super) fn members(scope: &Scope, path: &[String], out: &mut Items) {
    let Some(last) = path.last() else { return };
    for table in scope
        .around
        .tables
        .iter()
        .filter(|t| t.name.as_ref() == Some(last) || t.base.as_ref().is_some_and(|b| b.1 == *last))
    {
        for (n, column) in table.relation.columns.iter().enumerate() {
            let Some(name) = column.name.as_ref().filter(|n| !n.contains(MARKER)) else { continue };
            let order = u16::try_from(n).unwrap_or(u16::MAX).min(90);
            detail(out.add(written(name), CompletionKind::Column, 700 - order), column.ty.as_ref());
        }
    }
    // `nested.` and `tuple.` have names behind the dot.
    let prefix = format!("{}.", path.join("."));
    for table in &scope.around.tables {
        for column in &table.relation.columns {
            let Some(name) = &column.name else { continue };
            if let Some(rest) = name.strip_prefix(&prefix) {
                detail(out.add(written(rest), CompletionKind::Column, 650), column.ty.as_ref());
            }
            if let (true, Some(Type::Tuple(parts))) = (name == last, &column.ty) {
                for part in parts.iter() {
                    if let Some(name) = &part.name {
                        out.add(written(name), CompletionKind::Column, 650).detail(part.ty.to_string());
                    }
                }
            }
        }
    }
    if !scope.around.tables.is_empty() {
        out.add("*", CompletionKind::Keyword, 100);
    }
}

pub(super) fn using(scope: &Scope, out: &mut Items) {
    let Some((last, others)) = scope.around.tables.split_last() else { return };
    for column in &last.relation.columns {
        let Some(name) = &column.name else { continue };
        if others.iter().any(|t| t.relation.column(name).is_some()) {
            detail(out.add(written(name), CompletionKind::Column, 700).origin("both"), column.ty.as_ref());
        }
    }
}
