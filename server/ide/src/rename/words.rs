//! Words that cannot be written bare where a name stands.
//!
//! No list: a query that says the word in every place where a name may stand is read once with it and once with an ordinary
//! name. Where both trees have the same shape, the word is a name there. One that is no name everywhere may be one in all the
//! places that a change is about, which is asked in the same way.

use headwater_analysis::syntax::sql::{self, ast};
use headwater_analysis::syntax::{self, template};
use headwater_analysis::{Db, File, TextRange, datafile, semantics};

use super::{Refusal, refuse};
use crate::change::{TextEdit, apply};
use crate::sql_context::is_structural;

/// Every place where a column stands.
const COLUMN: &str = "SELECT @, t.@, @ + 1, f(@), 1 AS @, @ AS y, (@, 1), [@], x -> @ FROM t PREWHERE @ = 1 WHERE @ AND y = @ \
     AND @ IN (1) AND NOT @ AND @ BETWEEN @ AND @ GROUP BY @, y HAVING @ > 1 ORDER BY @ DESC, @ LIMIT 1 BY @";

/// Every place where a table or a node stands.
const TABLE: &str = "SELECT @.a, b FROM @ JOIN @ AS x ON @.a = x.a WHERE a IN @ UNION ALL SELECT * FROM (SELECT 1 FROM @) AS @";

/// What every engine's user takes for a name.
const ORDINARY: &str = "ordinary";

/// Words that shape queries in few places only, and are names in all others.
const SOFT: &[&str] = &[
    "TO", "STEP", "FILL", "FIRST", "LAST", "NULLS", "ROWS", "RANGE", "FILTER", "TOTALS", "CUBE", "ROLLUP",
    "REPLACE", "APPLY", "OVER", "PASTE", "FORMAT",
];

fn shape(query: &str, word: &str) -> Option<Vec<&'static str>> {
    let text = query.replace('@', word);
    let tree = sql::parse(&text)?;
    (!tree.has_error()).then(|| ast::nodes(tree.root_node()).map(|n| n.kind()).collect())
}

fn is_name_in(query: &str, word: &str) -> bool {
    // Some of them may stand for names here and there; nobody wants to read that.
    let is_soft = SOFT.iter().any(|soft| soft.eq_ignore_ascii_case(word));
    (is_soft || !is_structural(word))
        && shape(query, word).is_some_and(|shape_of| Some(shape_of) == shape(query, ORDINARY))
}

/// Whether a word is a name at all places of a query where a change puts it bare: the query has the shape that it has with an
/// ordinary name there, and the engine's parser takes it.
pub(super) fn is_name_there(db: &dyn Db, file: File, edits: &[TextEdit], to: &str) -> bool {
    let parsed = datafile(db, file);
    let nodes = parsed.datafile.nodes();
    let bodies: Vec<_> =
        nodes.iter().filter_map(|n| n.sql()).filter(|(e, _)| e.source == 0).map(|(_, body)| body).collect();
    let place = |body: &syntax::MappedText, e: &TextEdit| {
        let start = body.offset_from_source(e.range.start())?;
        let range = TextRange::new(start, body.offset_from_source(e.range.end())?);
        (body.to_source(range) == e.range).then_some(range)
    };
    // What stands in no query has no words around it that could be looked at.
    if edits.iter().any(|e| !bodies.iter().any(|body| place(body, e).is_some())) {
        return false;
    }
    bodies.iter().all(|body| {
        let with = |name: &str| {
            let inside = edits.iter().filter_map(|e| {
                let range = place(body, e)?;
                let head = e.text.strip_suffix(to);
                let text = head.map_or_else(|| e.text.clone(), |head| format!("{head}{name}"));
                Some(TextEdit { range, text, annotation: None })
            });
            apply(&body.text, &inside.collect::<Vec<_>>())
        };
        let text = with(to);
        text == *body.text || semantics::parse_alike(db, &text, &with(ORDINARY))
    })
}

/// A column's name, bare in any clause.
pub(super) fn check_column(to: &str) -> Result<(), Refusal> {
    if is_name_in(COLUMN, to) {
        Ok(())
    } else {
        refuse(format!("`{to}` is a word of SQL; a column of that name needs quotes everywhere"))
    }
}

/// Whether a place of a text lies between quotes of names.
pub(super) fn is_quoted(text: &str, range: headwater_analysis::TextRange) -> bool {
    let before = text[..usize::from(range.start())].chars().next_back();
    let behind = text[usize::from(range.end())..].chars().next();
    matches!((before, behind), (Some('`'), Some('`')) | (Some('"'), Some('"')))
}

/// A table's or node's name, bare behind FROM and before a dot.
pub(super) fn check_table(to: &str) -> Result<(), Refusal> {
    if is_name_in(TABLE, to) {
        Ok(())
    } else {
        refuse(format!("`{to}` is a word of SQL; a table of that name needs quotes everywhere"))
    }
}

/// Words of the expressions in tags.
const PYTHON: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// A parameter's name, bare in any tag.
pub(super) fn check_parameter(to: &str) -> Result<(), Refusal> {
    let text = format!("%{{% if defined({to}) and {to} != 1 %}}{{{{String({to}, 'x')}}}}{{% end %}}");
    let tree = template::parse(&text);
    let found = template::parameters(&text, &tree);
    let is_word = PYTHON.contains(&to);
    if !is_word && tree.errors.is_empty() && found.iter().filter(|p| p.name == to).count() == 3 {
        Ok(())
    } else {
        refuse(format!("`{to}` is a word of templates"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_sql_are_told_from_names() {
        let is_column = |w: &str| check_column(w).is_ok();
        for name in [ORDINARY, "timestamp", "date", "key", "value", "count", "x1", "_part", "values"] {
            assert!(is_column(name), "{name}");
        }
        for word in ["from", "AS", "null", "case", "NOT", "distinct", "interval", "select"] {
            assert!(!is_column(word), "{word}");
        }
        for word in ["if", "not", "None", "lambda"] {
            assert!(check_parameter(word).is_err(), "{word}");
        }
        assert!(is_column("to") && is_column("first") && check_table("rollup").is_ok());
        assert!(check_parameter("days").is_ok() && check_parameter("value").is_ok());
        assert!(check_table("events").is_ok() && check_table("select").is_err());
    }
}
