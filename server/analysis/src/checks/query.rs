//! What is wrong with queries: syntax, names, calls, groups, set operations (codes `sql-syntax` to `join-types`).

use std::sync::Arc;

use headwater_catalog::{Fault as CallFault, Type};
use headwater_syntax::{FileKind, TextRange, TextSize};
use headwater_template::Witness;
use rustc_hash::FxHashSet;

use super::{Diagnostic, Related, Remedy, Sink};
use crate::codes::{self, Code, Severity};
use crate::db::Db;
use crate::inputs::{Content, File};
use crate::opinions::{Heard, Word, place, short};
use crate::parse::datafile;
use crate::query::{Facts, Fault, FaultKind};
use crate::semantics::{Rendering, node_meaning, node_renderings};

/// The faults of a pipe's queries. Depends on other files through the columns of what is read.
#[salsa::tracked]
pub(super) fn query_faults(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut out = Vec::new();
    if file.kind(db) == Some(FileKind::Pipe) && matches!(file.content(db), Content::Text(_)) {
        let parsed = datafile(db, file);
        let mut sink = Sink::new(parsed, &mut out);
        for node in parsed.datafile.nodes() {
            let Some((entry, sql)) = node.sql() else { continue };
            let renderings = node_renderings(db, file, node.index);
            let heard = Heard::of(db, file, node.index);
            for (range, message, witness) in syntax(&renderings, &heard) {
                sink.in_body(entry, &sql, &codes::SQL_SYNTAX, range, format!("{message}{}", when(witness)));
            }
            for (fault, number) in distinct(&node_meaning(db, file, node.index).facts, &renderings, &heard) {
                let rendering = &renderings[number];
                let (code, message) = describe(&fault.kind);
                let message = message.replacen("{when}", &when_fault(&rendering.witness, &fault), 1);
                let diagnostic = sink
                    .in_body(entry, &sql, code, fault.range, message)
                    .meant(meant_by(&fault.kind))
                    .remedy(remedy(&fault.kind));
                // What is switched off here may be switched on where the project runs; and whoever reads a node that differs
                // by request may always make the request that suits it.
                let is_certain = fault.kind.refuses_query()
                    && !fault.needs_request
                    && !std::ptr::eq(code, &raw const codes::FUNCTION_DISABLED);
                diagnostic.severity = if is_certain { Severity::Error } else { Severity::Warning };
                if let Some(Word::Refuses(words)) = heard.word(number)
                    && is_meant(rendering, words, fault.range)
                {
                    let message = format!("the engine refuses it too: {}", short(words));
                    let range = diagnostic.range;
                    diagnostic.related.push(Related { file, range, message });
                }
            }
        }
    }
    Arc::new(out)
}

/// Where the parser stops, once for each place, with the first request that shows it. What is behind it is guesswork,
/// and what the engine takes has none.
fn syntax<'r>(renderings: &'r [Rendering], heard: &Heard<'_>) -> Vec<(TextRange, String, &'r Witness)> {
    let mut out: Vec<(TextRange, String, &Witness)> = Vec::new();
    for (number, rendering) in renderings.iter().enumerate() {
        if matches!(heard.word(number), Some(Word::Takes)) {
            continue;
        }
        let Some(error) = rendering.syntax_errors().first() else { continue };
        let before = last_token(&rendering.text, error.range.start());
        // Another value may fit, there or before.
        let near = [before, error.range];
        if near.iter().any(|range| !range.is_empty() && rendering.to_node(*range).is_made_up) {
            continue;
        }
        // An editor shows nothing where nothing is.
        let shown = if error.range.is_empty() { before } else { error.range };
        let range = rendering.to_node(shown).range;
        if out.iter().all(|(other, ..)| *other != range) {
            out.push((range, error.message.clone(), &rendering.witness));
        }
    }
    out
}

/// The word or sign that ends before `at`.
fn last_token(text: &str, at: TextSize) -> TextRange {
    let text = text[..at.into()].trim_end();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let word = text.trim_end_matches(is_word).len();
    let sign = text.char_indices().next_back().map_or(0, |(start, _)| start);
    let start = if word < text.len() { word } else { sign };
    let size = |n: usize| TextSize::try_from(n).unwrap_or(at);
    TextRange::new(size(start), size(text.len()))
}

/// Every fault once, with the number of the first text that shows it: requests that pass less come first. What the engine
/// takes has no faults, whatever our rules say.
fn distinct(facts: &[Facts], renderings: &[Rendering], heard: &Heard<'_>) -> Vec<(Fault, usize)> {
    let mut seen: FxHashSet<(TextRange, &'static str)> = FxHashSet::default();
    let mut out = Vec::new();
    for (number, (facts, rendering)) in facts.iter().zip(renderings).enumerate() {
        let is_taken = matches!(heard.word(number), Some(Word::Takes));
        for fault in facts.faults.iter().filter(|f| !is_taken || !f.kind.refuses_query()) {
            let place = rendering.to_node(fault.range);
            // A name that the witness made up says nothing about names that people pass.
            if place.is_made_up && fault.kind.is_about_a_name() {
                continue;
            }
            let range = place.range;
            if seen.insert((range, describe(&fault.kind).0.name)) {
                out.push((Fault { range, ..fault.clone() }, number));
            }
        }
    }
    out
}

/// Whether the engine's words are about the fault at this place of the node's text, as far as they name something.
fn is_meant(rendering: &Rendering, words: &str, fault: TextRange) -> bool {
    place(words, &rendering.text).is_some_and(|at| {
        let at = rendering.to_node(at).range;
        fault.contains_range(at) || at.contains_range(fault)
    })
}

/// ` (when …)`, or nothing when any request will do.
pub(super) fn when(witness: &Witness) -> String {
    if witness.is_empty() { String::new() } else { format!(" ({witness})") }
}

/// The same for a fault: one that hangs on what the query reads shows for the witness's own request, which passes nothing else.
fn when_fault(witness: &Witness, fault: &Fault) -> String {
    match (fault.needs_request, witness.request().next()) {
        (false, _) => when(witness),
        (true, None) => " (when no parameter is passed)".to_owned(),
        (true, Some(_)) => format!(" ({witness}, and nothing else is passed)"),
    }
}

fn meant(suggestion: Option<&String>) -> Option<String> {
    suggestion.map(|name| format!("; did you mean `{name}`?"))
}

/// The name that was meant in the marked one's place.
pub(super) fn meant_by(kind: &FaultKind) -> Option<&str> {
    match kind {
        FaultKind::UnknownColumn { suggestion, .. } | FaultKind::UnknownSetting { suggestion, .. } => {
            suggestion.as_deref()
        }
        FaultKind::Call { fault: CallFault::UnknownFunction { suggestions }, .. } => {
            suggestions.first().map(|name| &**name)
        }
        _ => None,
    }
}

/// What mends a comparison of a text with a number, a date or the like.
fn remedy(kind: &FaultKind) -> Option<Remedy> {
    let (FaultKind::Comparison { left, right, .. } | FaultKind::JoinTypes { left, right, is_using: false }) =
        kind
    else {
        return None;
    };
    let is_one = |ty: &Type| {
        ty.integer().is_some()
            || matches!(
                ty.bare(),
                Type::Date | Type::Date32 | Type::DateTime(_) | Type::DateTime64(..) | Type::Uuid
            )
    };
    match (left.bare().is_string(), right.bare().is_string()) {
        (true, false) if is_one(right) => Some(Remedy::TextOf { left: false }),
        (false, true) if is_one(left) => Some(Remedy::TextOf { left: true }),
        _ => None,
    }
}

/// What is wrong, as a diagnostic says it of any request.
pub fn fault_text(kind: &FaultKind) -> String {
    describe(kind).1.replacen("{when}", "", 1)
}

/// The rule and the message; `{when}` stands for the request.
pub(super) fn describe(kind: &FaultKind) -> (&'static Code, String) {
    match kind {
        FaultKind::UnknownColumn { name, table, suggestion, .. } => {
            let owner = table.as_ref().map_or_else(
                || format!("no table of this query has a column `{name}`"),
                |table| format!("`{table}` has no column `{name}`"),
            );
            let hint = meant(suggestion.as_ref()).unwrap_or_else(|| {
                "; name a column that it has, or add it where the data comes from".to_owned()
            });
            (&codes::UNKNOWN_COLUMN, format!("{owner}{{when}}{hint}"))
        }
        FaultKind::UnknownQualifier { name } => (
            &codes::UNKNOWN_COLUMN,
            format!(
                "`{name}` is neither a table nor a column of this query{{when}}; name a table of its FROM"
            ),
        ),
        FaultKind::AmbiguousColumn { name, tables } => (
            &codes::AMBIGUOUS_COLUMN,
            format!(
                "`{name}` is a column of {}{{when}}; write `{}.{name}`, or the one you mean",
                join(tables),
                tables.first().map_or("table", String::as_str)
            ),
        ),
        FaultKind::UnknownWindow { name } => (
            &codes::UNKNOWN_WINDOW,
            format!("no WINDOW of this query is called `{name}`{{when}}; add `WINDOW {name} AS (…)`"),
        ),
        FaultKind::Call { function, fault } | FaultKind::Called { function, fault, .. } => {
            call(function, fault)
        }
        FaultKind::NotGrouped { name } => (
            &codes::NOT_GROUPED,
            format!(
                "`{name}` is neither in GROUP BY nor in an aggregate function{{when}}; add it to GROUP BY, or write any({name})"
            ),
        ),
        FaultKind::MisplacedAggregate { function, place } => {
            let next = match place.as_str() {
                "WHERE" | "PREWHERE" => "filter with HAVING, or use another name for the result",
                "GROUP BY" => "group by what it is computed from",
                _ => "compute the inner one in a query of its own",
            };
            (
                &codes::MISPLACED_AGGREGATE,
                format!("the aggregate `{function}` cannot stand in {place}{{when}}; {next}"),
            )
        }
        FaultKind::UnequalColumns { first, this } => (
            &codes::UNEQUAL_COLUMNS,
            format!(
                "this query gives {this} columns and the first one {first}{{when}}; both need the same number"
            ),
        ),
        FaultKind::JoinTypes { left, right, .. } => (
            &codes::JOIN_TYPES,
            format!(
                "rows cannot be joined on {left} and {right}{{when}}; convert one of them, as in toString(…)"
            ),
        ),
        FaultKind::Comparison { left, right, .. } => (
            &codes::COMPARISON_TYPES,
            format!("{left} and {right} cannot be compared{{when}}; convert one of them, as in toString(…)"),
        ),
        FaultKind::UnreadableText { text, ty, .. } => (
            &codes::LITERAL_TYPE,
            format!(
                "'{}' cannot be read as {ty}, which it is compared with{{when}}; write a value of that type, or compare texts, as in toString(…)",
                shortened(text)
            ),
        ),
        FaultKind::UnionTypes { name, first, this } => {
            let name = name.as_ref().map_or_else(|| "a column".to_owned(), |name| format!("`{name}`"));
            (
                &codes::UNION_TYPES,
                format!(
                    "{name} is {first} before and {this} here{{when}}: the result holds either, row by row; convert one of them, as in toString(…)"
                ),
            )
        }
        FaultKind::UnknownSetting { name, suggestion } => {
            let hint = meant(suggestion.as_ref()).unwrap_or_else(|| "; remove it".to_owned());
            (&codes::UNKNOWN_SETTING, format!("the engine has no setting `{name}`{{when}}{hint}"))
        }
        FaultKind::SettingValue { name, value, ty } => (
            &codes::SETTING_VALUE,
            format!(
                "`{name}` is a setting of type {ty}, and does not take {value}{{when}}; {}",
                setting_values(ty)
            ),
        ),
        FaultKind::KeyType { ty, clause } => (
            &codes::KEY_TYPE,
            match ty {
                Type::Dynamic(_) | Type::Variant(_) => format!(
                    "{clause} does not take {ty}{{when}}: each row may hold another type; convert it, as in `.:String` or toString(…)"
                ),
                _ => format!("{clause} does not take {ty}{{when}}: its values cannot be compared"),
            },
        ),
        FaultKind::UnknownPosition { position, columns } => (
            &codes::UNKNOWN_POSITION,
            format!("there is no column {position}{{when}}: this query selects {columns}"),
        ),
        FaultKind::TableModifier { table, modifier } => {
            let next = match *modifier {
                "FINAL" => "no rows are replaced or added up in its engine; remove it",
                _ => "it has no ENGINE_SAMPLING_KEY; add one, or remove it",
            };
            (&codes::TABLE_MODIFIER, format!("`{table}` cannot be read with {modifier}{{when}}: {next}"))
        }
        FaultKind::AliasRequired => (
            &codes::ALIAS_REQUIRED,
            "a subquery or table function needs an alias when it is joined{when}; add `AS name`".to_owned(),
        ),
        FaultKind::NoColumns => {
            (&codes::NO_COLUMNS, "this stands for no column at all{when}; select at least one".to_owned())
        }
    }
}

fn call(function: &str, fault: &CallFault) -> (&'static Code, String) {
    let arguments = &codes::FUNCTION_ARGUMENTS;
    match fault {
        CallFault::UnknownFunction { suggestions } => {
            let hint = suggestions.first().map_or_else(
                || "look it up in the engine's documentation".to_owned(),
                |name| format!("did you mean `{name}`?"),
            );
            (&codes::UNKNOWN_FUNCTION, format!("there is no function `{function}`{{when}}; {hint}"))
        }
        CallFault::ArgumentCount { min, max } => {
            (arguments, format!("`{function}` takes {}{{when}}", count(*min, *max, "argument")))
        }
        CallFault::ParameterCount { min, max } => (
            arguments,
            format!("`{function}` takes {} before its arguments{{when}}", count(*min, *max, "parameter")),
        ),
        CallFault::ArgumentType { argument, ty, accepted } => {
            let accepted = accepted.as_ref().map_or_else(String::new, |a| format!("; it takes {a}"));
            let which = argument + 1;
            (arguments, format!("`{function}` does not take {ty} as argument {which}{{when}}{accepted}"))
        }
        CallFault::ArgumentTypes(types) => {
            let types: Vec<_> = types.iter().map(ToString::to_string).collect();
            (
                arguments,
                format!("`{function}` does not take {}{{when}}; convert one of them", types.join(" and ")),
            )
        }
        CallFault::OtherState { state_of, merged_by, .. } => {
            let (name, parameters) = state_of.split_at(state_of.find('(').unwrap_or(state_of.len()));
            (
                arguments,
                format!(
                    "`{function}` merges states of `{merged_by}`, and this is one of `{state_of}`{{when}}; use {name}Merge{parameters}"
                ),
            )
        }
        CallFault::SwitchedOff { setting } => (
            &codes::FUNCTION_DISABLED,
            format!(
                "the engine has `{function}` switched off{{when}}; write another function, or SETTINGS {setting} = 1"
            ),
        ),
        CallFault::NotParametric => (
            arguments,
            format!("`{function}` has one list of arguments only{{when}}; remove the first parentheses"),
        ),
    }
}

/// What a setting of the engine takes.
pub(super) fn setting_values(ty: &str) -> &'static str {
    match ty {
        "Bool" => "write 0 or 1",
        _ => "write a number",
    }
}

/// As much of a text as a message shows.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn count(min: usize, max: Option<usize>, what: &str) -> String {
    let plural = |n: usize| if n == 1 { what.to_owned() } else { format!("{what}s") };
    match max {
        Some(0) => format!("no {what}s"),
        Some(max) if max == min => format!("{min} {}", plural(min)),
        Some(max) => format!("{min} to {max} {}", plural(max)),
        None => format!("at least {min} {}", plural(min)),
    }
}

fn join(names: &[String]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" and ")
}
