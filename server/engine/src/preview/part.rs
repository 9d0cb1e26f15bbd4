//! A part of a node's query as a query of its own: an entry of its `WITH`, a selected expression, a subquery.

use std::ops::Range;

use headwater_syntax::sql::ast::{
    self, AstNode, Definition, Expression, Kind, Node, Query, SelectQuery, Subquery, definitions_at,
};
use headwater_syntax::sql::{Tree, parse};
use headwater_syntax::{TextSize, range};

/// The query for an entry of a `WITH`, with all entries that it may read; `None` when there is no table of that name.
pub fn cte(text: &str, name: &str) -> Option<String> {
    let tree = parse(text)?;
    let found = ast::descendants::<ast::Cte<'_>>(tree.root_node())
        .find(|cte| cte.plain_name(text).is_some_and(|n| n.value == name))?;
    // The list of columns behind the name counts, so it is read by name.
    let with = with_before(&tree, text, found.range().end() + TextSize::from(1));
    let quoted = text.get(Range::<usize>::from(found.name()?.range()))?;
    Some(format!("{with}SELECT * FROM {quoted}"))
}

/// The query for a selected part of `text`: a subquery as it is; an expression as a column of the query around it, over the same
/// rows.
///
/// # Errors
/// What else may be selected.
pub fn selected(text: &str, selection: Range<usize>) -> Result<String, String> {
    let wrong = || "select a subquery, or an expression of a SELECT, WHERE, GROUP BY or ORDER BY".to_owned();
    let trimmed = trim(text, selection);
    if trimmed.is_empty() {
        return Err("nothing is selected".to_owned());
    }
    let tree = parse(text).ok_or_else(wrong)?;
    let node = covering(&tree, &trimmed).ok_or_else(wrong)?;
    let at = node.byte_range();
    if let Some(query) = query_of(node) {
        let with = with_before(&tree, text, size(at.start));
        let inner = text.get(query.node().byte_range()).ok_or_else(wrong)?;
        return Ok(format!("{with}{inner}"));
    }
    let expression = Expression::cast(node).map(Expression::peeled).ok_or_else(wrong)?;
    let select = expression.ancestor::<SelectQuery<'_>>().ok_or_else(wrong)?;
    let with = with_before(&tree, text, size(at.start));
    let aggregates = is_aggregate(expression, text);
    let mut out = format!("{with}SELECT {} AS `value`", text.get(at).ok_or_else(wrong)?);
    for clause in select.node().named_children() {
        // What decides which rows the expression is computed over. Behind GROUP BY there are groups only where they are needed.
        let keep = match Kind::of(clause) {
            Kind::FromClause
            | Kind::ArrayJoin
            | Kind::PrewhereClause
            | Kind::WhereClause
            | Kind::WindowClause => true,
            Kind::GroupByClause | Kind::HavingClause => aggregates,
            Kind::SettingsClause => true,
            _ => false,
        };
        if keep {
            out.push('\n');
            out.push_str(text.get(clause.byte_range()).unwrap_or_default());
        }
    }
    Ok(out)
}

fn size(at: usize) -> TextSize {
    range(at, at).start()
}

/// The selection without blanks at its ends.
fn trim(text: &str, selection: Range<usize>) -> Range<usize> {
    let Some(inside) = text.get(selection.clone()) else { return 0..0 };
    let start = selection.start + (inside.len() - inside.trim_start().len());
    start..start + inside.trim().len()
}

/// The outermost node that stands exactly there.
fn covering<'t>(tree: &'t Tree, at: &Range<usize>) -> Option<Node<'t>> {
    let is_part = |node: &Node<'_>| {
        let kind = Kind::of(*node);
        Expression::can_cast(kind) || Query::can_cast(kind) || kind == Kind::Subquery
    };
    tree.root_node().descendants().find(|node| node.byte_range() == *at && is_part(node))
}

/// The query that a node is, in parentheses or not.
fn query_of(node: Node<'_>) -> Option<Query<'_>> {
    match Subquery::cast(node) {
        Some(subquery) => subquery.inner().map(Query::peeled),
        None => Query::cast(node),
    }
}

/// `WITH` and the entries that are seen at `offset`, outermost first; an inner one hides an outer one of its name.
fn with_before(tree: &Tree, text: &str, offset: TextSize) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut entries: Vec<&str> = Vec::new();
    let mut recursive = false;
    for definition in definitions_at(tree.root_node(), offset, text) {
        let name = definition.plain_name(text).map(|n| n.value).unwrap_or_default();
        if names.contains(&name) {
            continue;
        }
        recursive |= definition
            .node()
            .parent()
            .and_then(ast::WithClause::cast)
            .is_some_and(|with| with.is_recursive(text));
        names.push(name);
        let node = match definition {
            Definition::Cte(cte) => cte.node(),
            Definition::ScalarCte(scalar) => scalar.node(),
        };
        entries.push(text.get(node.byte_range()).unwrap_or_default());
    }
    if entries.is_empty() {
        return String::new();
    }
    entries.reverse();
    let word = if recursive { "WITH RECURSIVE" } else { "WITH" };
    format!("{word} {}\n", entries.join(",\n"))
}

/// Whether the expression is computed over groups: it calls an aggregate function, and not over a window.
fn is_aggregate(expression: Expression<'_>, text: &str) -> bool {
    ast::descendants::<ast::FunctionCall<'_>>(expression.node()).any(|call| {
        let is_window = call.node().parent().is_some_and(|p| Kind::of(p) == Kind::WindowFunction);
        let name = call.plain_name(text);
        let kind = name.and_then(|n| headwater_catalog::find(&n.value)).map(|f| f.kind());
        !is_window && kind == Some(headwater_catalog::Kind::Aggregate)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(marked: &str) -> String {
        let start = marked.find('«').expect("a mark");
        let end = marked.find('»').expect("a mark") - '«'.len_utf8();
        let text = marked.replace(['«', '»'], "");
        selected(&text, start..end).unwrap_or_else(|why| format!("! {why}"))
    }

    #[test]
    fn a_with_entry_runs_with_those_before_it() {
        let text = "WITH a AS (SELECT 1 AS x), 5 AS k, b AS (SELECT x + k AS y FROM a), c AS (SELECT 2) SELECT * FROM b, c";
        assert_eq!(cte(text, "a").as_deref(), Some("WITH a AS (SELECT 1 AS x)\nSELECT * FROM a"));
        assert_eq!(
            cte(text, "b").as_deref(),
            Some("WITH a AS (SELECT 1 AS x),\n5 AS k,\nb AS (SELECT x + k AS y FROM a)\nSELECT * FROM b")
        );
        assert_eq!(cte(text, "d"), None);
    }

    #[test]
    fn an_expression_runs_over_the_rows_of_its_query() {
        assert_eq!(
            pick("SELECT «a + 1» AS b FROM t WHERE c > 2 ORDER BY a LIMIT 3"),
            "SELECT a + 1 AS `value`\nFROM t\nWHERE c > 2"
        );
        assert_eq!(
            pick("SELECT a, «sum(b)» FROM t GROUP BY a HAVING sum(b) > 1"),
            "SELECT sum(b) AS `value`\nFROM t\nGROUP BY a\nHAVING sum(b) > 1"
        );
        assert_eq!(
            pick("SELECT sum(b) FROM t WHERE «a > 1» GROUP BY a"),
            "SELECT a > 1 AS `value`\nFROM t\nWHERE a > 1"
        );
        assert_eq!(
            pick("WITH k AS (SELECT 1 AS x) SELECT a FROM t WHERE b IN (SELECT «x» FROM k)"),
            "WITH k AS (SELECT 1 AS x)\nSELECT x AS `value`\nFROM k"
        );
        assert_eq!(
            pick("SELECT «sum(b) OVER (PARTITION BY a)» FROM t GROUP BY a, b"),
            "SELECT sum(b) OVER (PARTITION BY a) AS `value`\nFROM t"
        );
    }

    #[test]
    fn a_subquery_runs_as_it_is() {
        assert_eq!(pick("SELECT a FROM «(SELECT a FROM t LIMIT 5)»"), "SELECT a FROM t LIMIT 5");
        assert_eq!(pick("SELECT a FROM («SELECT a FROM t») WHERE 1"), "SELECT a FROM t");
        assert_eq!(
            pick("WITH k AS (SELECT 1 AS x) SELECT a FROM «(SELECT x FROM k)»"),
            "WITH k AS (SELECT 1 AS x)\nSELECT x FROM k"
        );
        assert!(pick("SELECT a FROM t «WHERE a»").starts_with("! "));
        assert!(pick("SELECT a« »FROM t").starts_with("! "));
    }
}
