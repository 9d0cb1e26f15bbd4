//! What the grammar takes and the engine does not: clauses out of order, a comma that nothing follows, a join without a
//! condition. The grammar is that lenient so that half-typed queries and branches of templates that stand side by side
//! keep their shape ([its page](../../../../grammar/README.md) has the list). Every rule was asked of the engine.

use std::collections::HashMap;
use std::sync::LazyLock;

use tree_sitter::Language;

use super::ast::{AliasedExpression, AstNode, Kind, Node, SelectItem, TableRef, text as text_of};

/// What is wrong, and the node that shows it.
pub(super) type Strict<'t> = (Node<'t>, String);

/// What the walk is inside of: looking up from each node would make a deep tree take quadratic time.
#[derive(Default)]
pub(super) struct Around {
    queries: usize,
    settings: usize,
    table_functions: usize,
}

impl Around {
    pub(super) fn enter(&mut self, kind: Kind) {
        if let Some(count) = self.count(kind) {
            *count += 1;
        }
    }

    pub(super) fn leave(&mut self, kind: Kind) {
        if let Some(count) = self.count(kind) {
            *count -= 1;
        }
    }

    fn count(&mut self, kind: Kind) -> Option<&mut usize> {
        match kind {
            Kind::SelectQuery => Some(&mut self.queries),
            Kind::Setting | Kind::TypeSetting => Some(&mut self.settings),
            Kind::TableFunction => Some(&mut self.table_functions),
            _ => None,
        }
    }
}

/// The fault of one node that its kind allows and the engine does not. The text must be without templates. Linear in the
/// number of children.
pub(super) fn fault<'t>(text: &str, kind: Kind, node: Node<'t>, around: &Around) -> Option<Strict<'t>> {
    trailing_comma(kind, node).or_else(|| match kind {
        Kind::SelectQuery => clauses(node).or_else(|| (around.queries > 0).then(|| output(node)).flatten()),
        Kind::SetOperation => part(node, "left").and_then(output),
        Kind::OrderItem => order(node, &ORDER_ITEM),
        Kind::WithFill => order(node, &WITH_FILL),
        Kind::WindowSpecification => order(node, &WINDOW),
        Kind::TableRef => order(node, &TABLE).or_else(|| bad_alias(text, node)),
        Kind::SelectItem | Kind::AliasedExpression => bad_alias(text, node),
        Kind::Join => join(text, node),
        Kind::FunctionCall | Kind::TableFunction => arguments(text, node, around),
        Kind::QueryAlternatives => {
            let second = node.children().nth(1)?;
            let message = "a second query begins here; put UNION ALL or `;` before it".to_owned();
            Some((first_word(second), message))
        }
        Kind::TernaryExpression => {
            let inner = node.named_children().find(|n| Kind::of(*n) == Kind::TernaryExpression)?;
            Some((inner, "put parentheses around this `? :` inside another".to_owned()))
        }
        Kind::Subscript if part(node, "index").is_none() => {
            // `json.path[]`
            let value = part(node, "value")?;
            let is_path = match Kind::of(value) {
                Kind::ColumnRef => value.named_children().count() > 1,
                Kind::Subscript => part(value, "index").is_none(),
                _ => false,
            };
            let bracket = node.children().last()?;
            (!is_path).then(|| (bracket, "an index is missing between these brackets".to_owned()))
        }
        Kind::MapLiteral if around.settings == 0 => {
            Some((first_word(node), "a map is written `map('key', value)` here".to_owned()))
        }
        Kind::BinaryExpression => escape(node),
        Kind::Expressions | Kind::ColumnDefinitions | Kind::IndexDefinitions => {
            Some((first_word(node), "no statement begins so; a query begins with SELECT or WITH".to_owned()))
        }
        _ => None,
    })
}

/// The first child in a field.
pub(super) fn part<'t>(node: Node<'t>, name: &str) -> Option<Node<'t>> {
    static FIELDS: LazyLock<HashMap<String, u16>> = LazyLock::new(|| {
        let language = Language::from(headwater_grammar::SQL);
        let count = u16::try_from(language.field_count()).unwrap_or(u16::MAX);
        (1..=count).filter_map(|id| Some((language.field_name_for_id(id)?.to_owned(), id))).collect()
    });
    let id = *FIELDS.get(name)?;
    node.children().find(|child| child.field_id() == id)
}

fn first_word(mut node: Node<'_>) -> Node<'_> {
    while let Some(child) = node.first_child() {
        node = child;
    }
    node
}

/// Parts of a node in the only order that the engine takes them in.
struct Parts(&'static [&'static [&'static str]]);

impl Parts {
    fn rank(&self, node: Node<'_>) -> Option<usize> {
        self.0.iter().position(|kinds| kinds.contains(&node.kind()))
    }
}

const ORDER_ITEM: Parts = Parts(&[&["direction"], &["NULLS"], &["COLLATE"], &["with_fill"]]);
const WITH_FILL: Parts = Parts(&[&["FROM"], &["TO"], &["STEP"], &["STALENESS"]]);
const WINDOW: Parts = Parts(&[&["PARTITION"], &["order_by_clause"], &["window_frame"]]);
const TABLE: Parts =
    Parts(&[&["AS", "identifier"], &["column_aliases"], &["final", "STREAM"], &["sample_clause"]]);
const SELECT: Parts = Parts(&[
    &["from_clause"],
    &["array_join"],
    &["prewhere_clause"],
    &["where_clause"],
    &["group_by_clause"],
    &["group_modifier"],
    &["having_clause"],
    &["window_clause"],
    &["qualify_clause"],
    &["order_by_clause"],
    &["interpolate_clause"],
    &["limit_by_clause"],
    &["limit_clause"],
    &["offset_clause"],
    &["settings_clause", "format_clause", "into_outfile_clause"],
]);

/// The first child that stands behind one it belongs before, or a second one of its kind.
fn order<'t>(node: Node<'t>, parts: &Parts) -> Option<Strict<'t>> {
    let mut last: Option<(usize, Node<'t>)> = None;
    for child in node.children() {
        let Some(this) = parts.rank(child) else { continue };
        if let Some((before, earlier)) = last {
            let word = |n: Node<'_>| word_of(n).to_ascii_uppercase();
            // `AS name`
            if this == before && earlier.kind() != "AS" {
                return Some((first_word(child), format!("there is a {} already", word(earlier))));
            }
            if this < before {
                return Some((
                    first_word(child),
                    format!("{} belongs before {}", word(child), word(earlier)),
                ));
            }
        }
        last = Some((this, child));
    }
    None
}

/// How a part of a query is called to people.
fn word_of(node: Node<'_>) -> String {
    match node.kind() {
        "identifier" | "AS" => "alias".to_owned(),
        "column_aliases" => "list of columns".to_owned(),
        "direction" => "ASC or DESC".to_owned(),
        "window_frame" => "frame".to_owned(),
        "PARTITION" => "PARTITION BY".to_owned(),
        kind => kind.trim_end_matches("_clause").replace('_', " "),
    }
}

/// The first clause that stands where the engine takes none of its kind.
fn clauses(query: Node<'_>) -> Option<Strict<'_>> {
    let mut last: Option<(usize, Node<'_>)> = None;
    let mut is_selected = false;
    let mut is_filled = false;
    let mut limit = None;
    for child in query.children() {
        let kind = Kind::of(child);
        is_selected |= kind == Kind::SelectList;
        let Some(rank) = SELECT.rank(child) else { continue };
        let at = first_word(child);
        match kind {
            Kind::PrewhereClause | Kind::WhereClause if !is_selected => {
                return Some((
                    at,
                    format!("{} belongs behind SELECT and what it selects", word_of(child).to_uppercase()),
                ));
            }
            Kind::ArrayJoin => return Some((at, "ARRAY JOIN belongs behind FROM and its table".to_owned())),
            Kind::OrderByClause => {
                is_filled = child
                    .named_children()
                    .any(|item| item.named_children().any(|n| Kind::of(n) == Kind::WithFill));
            }
            Kind::InterpolateClause if !is_filled => {
                return Some((at, "INTERPOLATE needs an ORDER BY that is filled with WITH FILL".to_owned()));
            }
            Kind::LimitClause => limit = Some(child),
            Kind::OffsetClause if part(child, "offset").is_some() => {
                if limit.is_some_and(|n: Node<'_>| part(n, "offset").is_some()) {
                    return Some((at, "this LIMIT has an offset already".to_owned()));
                }
                if limit.is_none() && last.is_some_and(|(_, n)| Kind::of(n) == Kind::LimitByClause) {
                    return Some((at, "OFFSET belongs before BY, or behind a LIMIT of its own".to_owned()));
                }
            }
            _ => {}
        }
        if let Some((before, earlier)) = last {
            let upper = |n| word_of(n).to_ascii_uppercase();
            let repeats = matches!(kind, Kind::GroupModifier) || rank == SELECT.0.len() - 1;
            if rank < before {
                return Some((at, format!("{} belongs before {}", upper(child), upper(earlier))));
            }
            if rank == before && !repeats {
                return Some((at, format!("this query has {} already", upper(child))));
            }
        }
        last = Some((rank, child));
    }
    None
}

/// FORMAT and INTO OUTFILE are of the whole statement, and so in no query that is only a part of it.
fn output(query: Node<'_>) -> Option<Strict<'_>> {
    let output =
        query.children().find(|n| matches!(Kind::of(*n), Kind::FormatClause | Kind::IntoOutfileClause))?;
    Some((first_word(output), "this belongs to the whole statement and stands at its end".to_owned()))
}

/// A comma before the closing parenthesis. Tuples and types may have one.
fn trailing_comma(kind: Kind, node: Node<'_>) -> Option<Strict<'_>> {
    let has_list = matches!(
        kind,
        Kind::ArgumentList
            | Kind::ArrayLiteral
            | Kind::MapLiteral
            | Kind::GroupByClause
            | Kind::WindowSpecification
            | Kind::ColumnAliases
            | Kind::UsingList
            | Kind::ExceptColumns
            | Kind::ReplaceColumns
            | Kind::InterpolateClause
            | Kind::DistinctClause
            | Kind::ColumnsMatcher
    );
    if !has_list {
        return None;
    }
    let mut before = None;
    let last = node.children().fold(None, |last, child| {
        before = last;
        Some(child)
    });
    let closes = matches!(last?.kind(), ")" | "]" | "}");
    let comma = before.filter(|n| closes && n.kind() == ",")?;
    Some((comma, "something is missing behind this comma".to_owned()))
}

/// Words that the engine takes for no alias unless `AS` is before them, as it was asked about each.
const NO_ALIASES: [&str; 43] = [
    "ALL",
    "ANTI",
    "ANY",
    "ARRAY",
    "AS",
    "ASOF",
    "BETWEEN",
    "CROSS",
    "ELSE",
    "EXCEPT",
    "FORMAT",
    "FROM",
    "FULL",
    "GLOBAL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "INNER",
    "INTERSECT",
    "INTO",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NATURAL",
    "NOT",
    "OFFSET",
    "ON",
    "ONLY",
    "ORDER",
    "PARALLEL",
    "PASTE",
    "PREWHERE",
    "QUALIFY",
    "RIGHT",
    "SAMPLE",
    "SEMI",
    "SETTINGS",
    "UNION",
    "USING",
    "WHERE",
    "WINDOW",
    "WITH",
];

/// More of them, behind an expression.
const NO_ALIASES_OF_EXPRESSIONS: [&str; 8] = ["AND", "DIV", "FINAL", "IN", "MOD", "OR", "REGEXP", "STREAM"];

/// The functions with words between their arguments, whose arguments may have an alias without `AS`.
const LOOSE_CALLS: [&str; 20] = [
    "DATEADD",
    "DATEDIFF",
    "DATESUB",
    "DATE_ADD",
    "DATE_DIFF",
    "DATE_SUB",
    "EXTRACT",
    "LTRIM",
    "OVERLAY",
    "OVERLAYUTF8",
    "POSITION",
    "RTRIM",
    "SUBSTRING",
    "TIMESTAMPADD",
    "TIMESTAMPDIFF",
    "TIMESTAMPSUB",
    "TIMESTAMP_ADD",
    "TIMESTAMP_DIFF",
    "TIMESTAMP_SUB",
    "TRIM",
];

pub(super) fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// Whether the engine takes `word` for an alias without `AS`, of an expression or of a table.
pub(super) fn is_alias(word: &str, of_expression: bool) -> bool {
    !is_one_of(word, &NO_ALIASES) && !(of_expression && is_one_of(word, &NO_ALIASES_OF_EXPRESSIONS))
}

/// An alias that the engine takes for none: the grammar lets any word be one, and any value have one.
fn bad_alias<'t>(text: &str, node: Node<'t>) -> Option<Strict<'t>> {
    let (alias, value) = if let Some(item) = SelectItem::cast(node) {
        (item.alias()?.node(), item.value().map(AstNode::node))
    } else if let Some(table) = TableRef::cast(node) {
        (table.alias()?.node(), None)
    } else if let Some(aliased) = AliasedExpression::cast(node) {
        (aliased.alias()?.node(), aliased.value().map(AstNode::node))
    } else {
        return None;
    };
    if value.is_some_and(|n| Kind::of(n) == Kind::Star) {
        return Some((alias, "`*` stands for several columns and takes no alias".to_owned()));
    }
    if node.children().any(|n| n.kind() == "AS") {
        return None;
    }
    let word = text_of(alias, text);
    let of_expression = Kind::of(node) != Kind::TableRef;
    if !is_alias(word, of_expression) {
        return Some((alias, format!("`{word}` is not expected here")));
    }
    // `FROM FROM t`
    let is_from = !of_expression
        && part(node, "source").is_some_and(|n| is_one_of(text_of(n, text), &["FROM", "FORMAT"]));
    is_from.then(|| (alias, format!("`{word}` is not expected here")))
}

fn join<'t>(text: &str, join: Node<'t>) -> Option<Strict<'t>> {
    let mut direction = None;
    let mut is_outer = false;
    let mut is_bare = false;
    for (n, child) in join.children().enumerate() {
        if child.kind() == "JOIN" {
            break;
        }
        let word = text_of(child, text).to_ascii_uppercase();
        let wrong = match word.as_str() {
            "INNER" | "LEFT" | "RIGHT" | "FULL" | "CROSS" | "PASTE" => {
                direction.replace(word.clone()).is_some()
            }
            "OUTER" => std::mem::replace(&mut is_outer, true) || direction.as_deref() == Some("INNER"),
            "GLOBAL" | "LOCAL" => n > 0,
            _ => false,
        };
        is_bare |= matches!(word.as_str(), "CROSS" | "PASTE" | "NATURAL");
        if wrong {
            return Some((child, format!("{word} does not go with the words before it")));
        }
    }
    let condition = part(join, "condition").or_else(|| part(join, "using"));
    match condition {
        None if !is_bare => {
            let word = join.children().find(|n| n.kind() == "JOIN")?;
            Some((word, "this join has no condition; add ON or USING, or write CROSS JOIN".to_owned()))
        }
        Some(_) if is_bare => {
            let word = join.children().find(|n| matches!(n.kind(), "ON" | "USING"))?;
            Some((word, "this kind of join takes no condition".to_owned()))
        }
        _ => None,
    }
}

/// Queries, aliases and words among the arguments, which a few functions may have.
fn arguments<'t>(text: &str, call: Node<'t>, around: &Around) -> Option<Strict<'t>> {
    let name = part(call, "name").map_or("", |n| text_of(n, text));
    let list = part(call, "arguments")?;
    if let Some(query) = part(list, "query") {
        let is_table = Kind::of(call) == Kind::TableFunction;
        let in_table = is_table || around.table_functions > 0;
        let compared = call.parent().is_some_and(|n| Kind::of(n) == Kind::BinaryExpression);
        let takes_one = (in_table && is_one_of(name, &["view", "viewIfPermitted"]))
            || (!is_table && is_one_of(name, &["exists", "all"]))
            || (compared && is_one_of(name, &["any", "some"]));
        return (!takes_one)
            .then(|| (first_word(query), "a query as an argument needs parentheses of its own".to_owned()));
    }
    let is_loose = is_one_of(name, &LOOSE_CALLS);
    let mut has_side = false;
    for child in list.children() {
        let functions: &[&str] = match child.kind() {
            "aliased_expression" if !is_loose => {
                if child.children().all(|n| n.kind() != "AS") {
                    let alias = part(child, "alias")?;
                    return Some((alias, format!("`{}` is not expected here", text_of(alias, text))));
                }
                continue;
            }
            "FROM" if has_side => &["TRIM"],
            "FROM" => &["SUBSTRING", "EXTRACT", "OVERLAY", "OVERLAYUTF8"],
            "FOR" => &["SUBSTRING", "OVERLAY", "OVERLAYUTF8"],
            "PLACING" => &["OVERLAY", "OVERLAYUTF8"],
            "BOTH" => {
                has_side = true;
                &["TRIM"]
            }
            "interval_unit" => &["EXTRACT"],
            _ => continue,
        };
        if !is_one_of(name, functions) {
            return Some((child, format!("`{}` is not expected here", text_of(child, text))));
        }
    }
    None
}

/// ESCAPE belongs to LIKE.
fn escape(node: Node<'_>) -> Option<Strict<'_>> {
    let word = part(node, "operator").filter(|n| n.kind() == "ESCAPE")?;
    let left = part(node, "left")?;
    let like = left.children().any(|n| n.kind() == "LIKE");
    (!like).then(|| (word, "ESCAPE belongs behind LIKE and its pattern".to_owned()))
}
