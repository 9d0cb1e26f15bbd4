//! Inside a query: columns in scope with type and origin, tables, functions, settings, clauses.

use std::sync::Arc;

use headwater_analysis::query::{Around, Column, Relation, around_in_expressions};
use headwater_analysis::{Db, File, TextSize, semantics};
use headwater_catalog::{Argument, Call, Inference, Tier, Type, find, infer};

use super::functions::{self, Wanted as WantedFunctions};
use super::{CompletionKind, Items, tables, template};
use crate::cursor::{Cursor, MARKER};
use crate::sql_context::{Clause, Context, Wanted, context};

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
        Some(node) if needs_scope => semantics::around(db, file, node, text, at + TextSize::of(MARKER)),
        _ => Around::default(),
    };
    offer(db, file, cursor, &Scope { around }, &context, text, out);
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
            match context.clause {
                Clause::Select => {
                    keyword("DISTINCT", 150, out);
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

fn keyword(word: &str, relevance: u16, out: &mut Items) {
    let item = out.add(word, CompletionKind::Keyword, relevance);
    item.insert(format!("{word} "));
}

/// The call that the place is an argument of, with the types of the arguments before it.
struct Around1<'a> {
    function: &'a str,
    argument: usize,
}

fn operands(scope: &Scope, context: &Context, text: &str, out: &mut Items) {
    let call = context.calls.last().map(|c| Around1 { function: &text[c.name], argument: c.argument });
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
            if call.is_none()
                && !filters
                && let Some(Type::AggregateFunction(state)) = &column.ty
            {
                merge(name, &state.function, out);
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
    let typed = typed(text, context);
    functions::add(typed, wanted, out);
}

/// What is typed of the word at the place.
fn typed<'t>(text: &'t str, context: &Context) -> &'t str {
    let rest = &text[usize::from(context.start)..];
    let end = rest.find(MARKER).unwrap_or(0);
    &rest[..end]
}

/// A state is read through `-Merge`.
fn merge(name: &str, function: &str, out: &mut Items) {
    let merged = format!("{function}Merge");
    if find(&merged).is_some() {
        out.add(format!("{merged}({})", written(name)), CompletionKind::Function, 735)
            .detail(format!("the value of the state {function}"))
            .origin(name.to_owned())
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

fn detail(item: &mut super::CompletionItem, ty: Option<&Type>) {
    if let Some(ty) = ty {
        item.detail(ty.to_string());
    }
}

/// A name as SQL has it: in backticks where it is no plain word.
pub(crate) fn written(name: &str) -> String {
    let is_plain = name.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    if is_plain { name.to_owned() } else { format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`")) }
}

fn members(scope: &Scope, path: &[String], out: &mut Items) {
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

fn using(scope: &Scope, out: &mut Items) {
    let Some((last, others)) = scope.around.tables.split_last() else { return };
    for column in &last.relation.columns {
        let Some(name) = &column.name else { continue };
        if others.iter().any(|t| t.relation.column(name).is_some()) {
            detail(out.add(written(name), CompletionKind::Column, 700).origin("both"), column.ty.as_ref());
        }
    }
}

fn after_operand(context: &Context, text: &str, out: &mut Items) {
    let upper = text[..usize::from(context.start)].trim_end().to_uppercase();
    for (word, next) in [("GROUP", "BY"), ("ORDER", "BY"), ("PARTITION", "BY")] {
        if upper.ends_with(word) {
            keyword(next, 900, out);
            return;
        }
    }
    let words: &[&str] = match context.clause {
        Clause::Select => &["AS", "FROM"],
        Clause::With => &["AS", "SELECT"],
        Clause::Filter => &[
            "AND",
            "OR",
            "GROUP BY",
            "ORDER BY",
            "LIMIT",
            "IN",
            "NOT IN",
            "LIKE",
            "BETWEEN",
            "IS NULL",
            "HAVING",
            "IS NOT NULL",
            "ILIKE",
            "SETTINGS",
            "UNION ALL",
        ],
        Clause::On => &["AND", "WHERE", "JOIN", "LEFT JOIN", "GROUP BY", "ORDER BY", "LIMIT"],
        Clause::Using => &["WHERE", "JOIN", "LEFT JOIN", "GROUP BY", "ORDER BY", "LIMIT"],
        Clause::ArrayJoin => &["AS", "WHERE", "GROUP BY", "ORDER BY", "LIMIT"],
        Clause::GroupBy => {
            &["HAVING", "ORDER BY", "LIMIT", "WITH TOTALS", "WITH ROLLUP", "SETTINGS", "UNION ALL"]
        }
        Clause::OrderBy => {
            &["DESC", "ASC", "LIMIT", "WITH FILL", "NULLS LAST", "NULLS FIRST", "SETTINGS", "UNION ALL"]
        }
        Clause::Limit => &["OFFSET", "BY", "SETTINGS", "UNION ALL", "WITH TIES"],
        Clause::Settings => &[],
        _ => &["AS", "AND", "OR"],
    };
    for (n, word) in words.iter().enumerate() {
        keyword(word, 700 - u16::try_from(n).unwrap_or(0) * 5, out);
    }
    if context.clause == Clause::Select {
        for word in ["OVER (", "WHERE", "AND", "OR", "UNION ALL"] {
            keyword(word, 300, out);
        }
    }
    if upper.ends_with("INTERVAL") || is_interval(&upper) {
        for unit in ["SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"] {
            keyword(unit, 800, out);
        }
    }
    if upper.contains("CASE") {
        for (n, word) in ["WHEN", "THEN", "ELSE", "END"].iter().enumerate() {
            keyword(word, 600 - u16::try_from(n).unwrap_or(0), out);
        }
    }
}

/// `INTERVAL 7`
fn is_interval(upper: &str) -> bool {
    upper.rsplit_once(char::is_whitespace).is_some_and(|(before, _)| before.trim_end().ends_with("INTERVAL"))
}

fn after_table(text: &str, context: &Context, out: &mut Items) {
    let upper = text[..usize::from(context.start)].to_uppercase();
    let joined =
        upper.rfind("JOIN").is_some_and(|at| !upper[at..].contains(" ON ") && !upper[at..].contains("USING"));
    if joined {
        keyword("ON", 750, out);
        keyword("USING", 745, out);
    }
    for (n, word) in [
        "WHERE",
        "GROUP BY",
        "ORDER BY",
        "JOIN",
        "LEFT JOIN",
        "INNER JOIN",
        "LIMIT",
        "FINAL",
        "PREWHERE",
        "ARRAY JOIN",
        "AS",
        "UNION ALL",
        "CROSS JOIN",
        "ASOF JOIN",
        "ANY LEFT JOIN",
        "SAMPLE",
        "SETTINGS",
        "RIGHT JOIN",
        "FULL JOIN",
        "HAVING",
    ]
    .iter()
    .enumerate()
    {
        keyword(word, 700 - u16::try_from(n).unwrap_or(0) * 5, out);
    }
}

pub(super) fn types(out: &mut Items) {
    const COMMON: &[&str] = &[
        "String", "DateTime", "UInt64", "Int64", "Int32", "UInt32", "Float64", "UInt8", "Date", "Float32",
        "Bool", "UInt16", "Int16", "Int8", "UUID", "JSON", "IPv4", "IPv6",
    ];
    const WITH_ARGUMENTS: &[(&str, &str)] = &[
        ("LowCardinality", "LowCardinality(${1:String})"),
        ("Nullable", "Nullable(${1:String})"),
        ("Array", "Array(${1:String})"),
        ("DateTime64", "DateTime64(${1:3})"),
        ("Map", "Map(${1:String}, ${2:String})"),
        ("Tuple", "Tuple(${1:name} ${2:String})"),
        ("Enum8", "Enum8('${1:a}' = 1)"),
        ("Enum16", "Enum16('${1:a}' = 1)"),
        ("FixedString", "FixedString(${1:16})"),
        ("Decimal", "Decimal(${1:18}, ${2:2})"),
        ("AggregateFunction", "AggregateFunction(${1:count})"),
        ("SimpleAggregateFunction", "SimpleAggregateFunction(${1:sum}, ${2:UInt64})"),
    ];
    for (n, name) in COMMON.iter().enumerate() {
        let n = u16::try_from(n).unwrap_or(0);
        out.add(*name, CompletionKind::Type, 700 - n).doc(format!("type:{name}"));
    }
    for (n, (name, snippet)) in WITH_ARGUMENTS.iter().enumerate() {
        let n = u16::try_from(n).unwrap_or(0);
        out.add(*name, CompletionKind::Type, 680 - n).snippet(*snippet).doc(format!("type:{name}"));
    }
    for family in headwater_catalog::type_families().iter().filter(|f| f.alias_for.is_none()) {
        let known = COMMON.contains(&family.name) || WITH_ARGUMENTS.iter().any(|(n, _)| *n == family.name);
        if !known {
            out.add(family.name, CompletionKind::Type, 400).doc(format!("type:{}", family.name));
        }
    }
}

fn settings(out: &mut Items) {
    const COMMON: &[&str] = &[
        "max_threads",
        "max_execution_time",
        "join_algorithm",
        "max_memory_usage",
        "final",
        "join_use_nulls",
    ];
    for setting in headwater_catalog::settings() {
        if setting.tier == Tier::Obsolete || setting.alias_for.is_some() {
            continue;
        }
        let relevance = if COMMON.contains(&setting.name) { 600 } else { 400 };
        out.add(setting.name, CompletionKind::Setting, relevance)
            .detail(format!("{} = {}", setting.ty, setting.default))
            .doc(format!("setting:{}", setting.name))
            .insert(format!("{} = ", setting.name));
    }
}

fn table_functions(out: &mut Items) {
    for name in ["numbers", "generateRandom", "values", "view", "generateSeries", "zeros", "mergeTreeIndex"] {
        if headwater_catalog::table_functions().iter().any(|f| f.name == name) {
            out.add(name, CompletionKind::Function, 200)
                .snippet(format!("{name}($0)"))
                .doc(format!("tablefunction:{name}"));
        }
    }
}

/// Inside a text: units, time zones, types, by the call around it.
fn in_text(context: &Context, text: &str, out: &mut Items) {
    let Some(call) = context.calls.last() else { return };
    let function = text[call.name].to_lowercase();
    let typed = TextSize::of(typed(text, context).trim_start_matches('\''));
    let end = out.replace.end();
    out.replace = headwater_analysis::TextRange::new(end - typed.min(end), end);
    let is_unit = matches!(
        function.as_str(),
        "datediff"
            | "date_diff"
            | "datetrunc"
            | "date_trunc"
            | "dateadd"
            | "datesub"
            | "age"
            | "timestampadd"
    ) && call.argument == 0;
    if is_unit {
        for (n, unit) in
            ["second", "minute", "hour", "day", "week", "month", "quarter", "year", "millisecond"]
                .iter()
                .enumerate()
        {
            out.add(*unit, CompletionKind::Value, 600 - u16::try_from(n).unwrap_or(0));
        }
    } else if matches!(
        function.as_str(),
        "jsonextract" | "cast" | "_cast" | "accuratecast" | "accuratecastornull" | "defaultvalueoftypename"
    ) && call.argument >= 1
    {
        types(out);
        out.list.iter_mut().for_each(|item| item.is_snippet = false);
    } else if call.argument >= 1
        && [
            "todatetime",
            "totimezone",
            "todatetime64",
            "formatdatetime",
            "tostartofday",
            "todate",
            "tostartofinterval",
            "tohour",
            "tostring",
        ]
        .contains(&function.as_str())
    {
        for zone in headwater_catalog::time_zones() {
            let relevance = if matches!(*zone, "UTC" | "Europe/Madrid" | "America/New_York" | "Europe/London")
            {
                500
            } else {
                400
            };
            out.add(*zone, CompletionKind::Value, relevance).origin("time zone");
        }
    }
}
