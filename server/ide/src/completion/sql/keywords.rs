//! Words that shape a query, by what stands before.

use super::super::{CompletionKind, Items};
use crate::sql_context::{Clause, Context};

pub(super) fn keyword(word: &str, relevance: u16, out: &mut Items) {
    let item = out.add(word, CompletionKind::Keyword, relevance);
    item.insert(format!("{word} "));
}

pub(super) fn after_operand(context: &Context, text: &str, out: &mut Items) {
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
        // An argument may be a condition: `countIf(path LIKE …`.
        let relevance = if context.calls.is_empty() { 280 } else { 690 };
        for word in ["IN", "NOT IN", "LIKE", "ILIKE", "BETWEEN", "IS NULL", "IS NOT NULL"] {
            keyword(word, relevance, out);
        }
    }
    if context.clause == Clause::On {
        for word in ["OR", "IN", "LIKE", "BETWEEN", "IS NULL", "IS NOT NULL", "ASOF JOIN", "INNER JOIN"] {
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

pub(super) fn after_table(text: &str, context: &Context, out: &mut Items) {
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
