//! Every query compiles against its language, and the highlights say what they should.

use anyhow::{Context as _, ensure};
use headwater_grammar::{GRAMMARS, Grammar};
use tree_sitter::{Language, Parser, Query, QueryCursor, StreamingIterator as _};

fn grammar(name: &str) -> anyhow::Result<Grammar> {
    GRAMMARS.into_iter().find(|grammar| grammar.name == name).context("unknown grammar")
}

#[test]
fn queries_compile() -> anyhow::Result<()> {
    for grammar in GRAMMARS {
        let language = Language::from(grammar.language);
        let files = [
            ("highlights", grammar.highlights),
            ("injections", grammar.injections),
            ("folds", grammar.folds),
            ("indents", grammar.indents),
            ("locals", grammar.locals),
        ];
        for (kind, source) in files {
            Query::new(&language, source).with_context(|| format!("{}/{kind}.scm", grammar.name))?;
        }
    }
    Ok(())
}

#[test]
fn languages_match_their_names() {
    for grammar in GRAMMARS {
        let language = Language::from(grammar.language);
        assert_eq!(language.name(), None, "ABI 14 carries no name");
        assert_eq!(language.abi_version(), 14);
        assert!(grammar.node_types.contains("source_file"));
    }
}

/// The captures of each text in `source`, as `text -> capture`.
fn captures(name: &str, query: &str, source: &str) -> anyhow::Result<Vec<(String, String)>> {
    let language = Language::from(grammar(name)?.language);
    let mut parser = Parser::new();
    parser.set_language(&language)?;
    let tree = parser.parse(source, None).context("no tree")?;
    ensure!(!tree.root_node().has_error(), "{}", tree.root_node().to_sexp());
    let query = Query::new(&language, query)?;
    let mut cursor = QueryCursor::new();
    let mut found = Vec::new();
    let mut matches = cursor.captures(&query, tree.root_node(), source.as_bytes());
    while let Some((item, index)) = matches.next() {
        let capture = item.captures()[*index];
        found.push((
            source[capture.node.byte_range()].to_owned(),
            query.capture_names()[capture.index as usize].to_owned(),
        ));
    }
    Ok(found)
}

#[track_caller]
fn expect(found: &[(String, String)], pairs: &[(&str, &str)]) {
    for (text, capture) in pairs {
        assert!(
            found.iter().any(|(t, c)| t == text && c == capture),
            "no {capture} on {text:?}; found {:?}",
            found.iter().filter(|(t, _)| t == text).collect::<Vec<_>>(),
        );
    }
}

#[test]
fn sql_highlights() -> anyhow::Result<()> {
    let source = "%\n-- note\nSELECT count(e.id) AS n, x::DateTime('UTC'), 'a' FROM db.events AS e \
                  {% if defined(q) %} WHERE name = {{String(q)}} AND n > 1 {% end %} FORMAT JSON";
    let found = captures("headwater_sql", grammar("headwater_sql")?.highlights, source)?;
    expect(
        &found,
        &[
            ("%", "keyword.directive"),
            ("-- note", "comment"),
            ("SELECT", "keyword"),
            ("count", "function.call"),
            ("e", "variable"),
            ("id", "variable.member"),
            ("n", "variable"),
            ("DateTime", "type.builtin"),
            ("'a'", "string"),
            ("db", "module"),
            ("events", "type"),
            ("{% if defined(q) %}", "keyword.directive"),
            ("{{String(q)}}", "embedded"),
            ("AND", "keyword.operator"),
            ("1", "number"),
            ("JSON", "constant"),
        ],
    );
    Ok(())
}

#[test]
fn words_that_only_the_text_tells_apart() -> anyhow::Result<()> {
    let source = "SELECT a ILIKE 'x', b >= INTERVAL 1 DAY, EXTRACT(YEAR FROM c) FROM t ANY LEFT JOIN u USING d ORDER BY e DESC";
    let found = captures("headwater_sql", grammar("headwater_sql")?.highlights, source)?;
    expect(
        &found,
        &[
            ("ILIKE", "keyword.operator"),
            (">=", "operator"),
            ("INTERVAL", "keyword"),
            ("DAY", "constant.builtin"),
            ("EXTRACT", "function.call"),
            ("YEAR", "constant.builtin"),
            ("LEFT", "keyword"),
            ("DESC", "keyword"),
        ],
    );
    let indexes =
        captures("headwater_sql", grammar("headwater_sql")?.highlights, "INDEX i lower(a) TYPE set(1)")?;
    expect(
        &indexes,
        &[("INDEX", "keyword"), ("i", "property"), ("TYPE", "keyword"), ("set", "type.builtin")],
    );
    Ok(())
}

#[test]
fn schema_is_sql_to_an_editor() -> anyhow::Result<()> {
    let source = "id UInt64 `json:$.id`, name LowCardinality(String) DEFAULT 'x' CODEC(ZSTD(1)),";
    let found = captures("headwater_sql", grammar("headwater_sql")?.highlights, source)?;
    expect(
        &found,
        &[
            ("id", "property"),
            ("UInt64", "type.builtin"),
            ("`json:$.id`", "string.special.path"),
            ("LowCardinality", "type.builtin"),
            ("DEFAULT", "keyword"),
            ("CODEC", "keyword"),
        ],
    );
    Ok(())
}

#[test]
fn pipe_highlights_and_injections() -> anyhow::Result<()> {
    let source = "# a pipe\nTOKEN \"read\" READ\n\nNODE one\nSQL >\n    SELECT 1\n\nTYPE endpoint\n";
    let pipe = grammar("headwater_pipe")?;
    let found = captures("headwater_pipe", pipe.highlights, source)?;
    expect(
        &found,
        &[
            ("# a pipe", "comment"),
            ("TOKEN", "keyword.directive"),
            ("\"read\"", "string.special"),
            ("READ", "constant"),
            ("one", "label"),
            (">", "operator"),
            ("endpoint", "type"),
        ],
    );
    let injected = captures("headwater_pipe", pipe.injections, source)?;
    expect(&injected, &[("    SELECT 1", "injection.content")]);
    let folds = captures("headwater_pipe", pipe.folds, source)?;
    assert_eq!(folds.len(), 2, "{folds:?}");
    Ok(())
}
