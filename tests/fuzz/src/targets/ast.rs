//! Trees: schemas, indexes, templates and their expressions, SQL.

use headwater_syntax::template::is_template;
use headwater_syntax::{Datafile, Dialect, FileKind, TextRange, indexes, schema};

use super::{inside, ordered, template, tree, within};
use crate::trial::Trace;

/// Checks everything this target promises of one text: the text as it is, and each block in it.
///
/// # Panics
/// When a promise is broken.
pub fn check(text: &str) {
    observe(text, &mut Trace::default());
}

/// [`check`], noting what was seen.
pub fn observe(text: &str, trace: &mut Trace) {
    every_parser(text, trace);
    tree::datafile(text, trace);
    for kind in [FileKind::Pipe, FileKind::Datasource] {
        let file = Datafile::parse(text.into(), kind, Dialect::Forward);
        for entry in file.entries.iter().filter(|e| e.entry.block.is_some()) {
            every_parser(&entry.entry.body(text).text, trace);
        }
    }
}

/// Any parser may meet any text: which one gets it is decided by words that people mistype.
fn every_parser(text: &str, trace: &mut Trace) {
    schema_block(text, trace);
    index_block(text, trace);
    template::check(text, trace);
    tree::sql(text, trace);
    if is_template(text) {
        trace.saw("template");
    }
}

fn schema_block(text: &str, trace: &mut Trace) {
    let parsed = schema::parse(text);
    assert_eq!(parsed, schema::parse(text), "parsing a schema is deterministic");
    ordered(parsed.columns.iter().map(|c| c.range), "columns");
    for column in &parsed.columns {
        let parts = || {
            let spanned = [&column.ty, &column.jsonpath, &column.default, &column.codec];
            spanned.into_iter().flatten().map(|s| s.range).chain([column.name.range])
        };
        for part in parts() {
            inside(text, part);
            within(part, column.range, "a part of a column");
        }
        let mut in_order: Vec<TextRange> = parts().collect();
        in_order.sort_by_key(|r| (r.start(), r.end()));
        ordered(in_order, "parts of a column");
        inside(text, column.range);
        assert!(inside(text, column.name.range).contains(&column.name.value), "a name is as written");
        trace.saw((
            column.ty.is_some(),
            column.jsonpath.is_some(),
            column.default.is_some(),
            column.codec.is_some(),
        ));
    }
    let mut before = 0;
    for error in &parsed.errors {
        inside(text, error.range);
        let start = u32::from(error.range.start());
        assert!(start >= before, "errors of a schema are in order");
        before = start;
        trace.saw(std::mem::discriminant(&error.kind));
    }
}

fn index_block(text: &str, trace: &mut Trace) {
    let (found, errors) = indexes::parse(text);
    assert_eq!((&found, &errors), (&indexes::parse(text).0, &indexes::parse(text).1));
    ordered(found.iter().map(|i| TextRange::new(i.name.range.start(), i.ty.range.end())), "indexes");
    for index in &found {
        let parts = [Some(&index.name), Some(&index.expression), Some(&index.ty), index.granularity.as_ref()];
        ordered(
            index.index_word.into_iter().chain(parts.iter().flatten().map(|s| s.range)),
            "parts of an index",
        );
        for part in parts.into_iter().flatten() {
            assert_eq!(inside(text, part.range), part.value, "parts of an index are as written");
        }
    }
    for error in &errors {
        inside(text, error.range);
        trace.saw(error.reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_and_odd_texts_hold() {
        for text in [
            "",
            "SCHEMA >\n    `a` Array(String) `json:$.a[:]` DEFAULT [] CODEC(ZSTD(1)), b\n",
            "NODE a\nSQL >\n    % SELECT {{Int32(a, 1)}} {% if not defined(b) %}, b{% end %} FROM t",
            "{% if a + %}{{ lambda",
        ] {
            check(text);
        }
    }
}
