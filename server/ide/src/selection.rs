//! Selection ranges: from the word outwards through the query, the block, the node, to the file.

use headwater_analysis::syntax::sql;
use headwater_analysis::{Db, File, TextRange, TextSize, datafile, semantics};

use crate::place::query_at;
use crate::tokens::{is_word_char, word_start};

/// Ranges around a place, the smallest first, each inside of the next.
pub fn selection_ranges(db: &dyn Db, file: File, offset: TextSize) -> Vec<TextRange> {
    let text = file.text(db);
    let offset = offset.min(TextSize::of(&*text));
    let mut all: Vec<TextRange> = Vec::new();
    let start = word_start(&text, offset);
    let rest = &text[usize::from(offset)..];
    let end = offset + TextSize::of(&rest[..rest.find(|c| !is_word_char(c)).unwrap_or(rest.len())]);
    all.push(TextRange::new(start, end));
    if let Some((_, body, at)) = query_at(db, file, offset)
        && let Some(variant) = semantics::variant_at(&body.text, at)
        && let Some(tree) = sql::parse(&variant)
    {
        let at = usize::from(at);
        let mut node = crate::place::innermost(tree.root_node(), at, at);
        while let Some(inner) = node {
            let range = headwater_analysis::syntax::range(inner.start_byte(), inner.end_byte());
            all.push(body.to_source(range));
            node = inner.parent();
        }
    }
    let parsed = datafile(db, file);
    let line_start = text[..usize::from(offset)].rfind('\n').map_or(0, |n| n + 1);
    let line_end = rest.find('\n').map_or(text.len(), |n| usize::from(offset) + n);
    let line = &text[line_start..line_end];
    let indent = line.len() - line.trim_start().len();
    all.push(headwater_analysis::syntax::range(
        line_start + indent,
        line_start + line.trim_end().len().max(indent),
    ));
    if file.kind(db).is_some() {
        let own = parsed.datafile.entries.iter().filter(|e| e.source == 0);
        for entry in own {
            all.extend(entry.entry.block.as_ref().map(|b| b.range));
            all.push(entry.entry.full_range());
        }
        all.extend(parsed.datafile.nodes().iter().filter(|n| n.header().source == 0).map(|n| n.range()));
    }
    all.push(TextRange::up_to(TextSize::of(&*text)));
    all.retain(|r| r.contains_inclusive(offset));
    all.sort_by_key(|r| (r.len(), r.start()));
    all.dedup();
    let mut out: Vec<TextRange> = Vec::new();
    for range in all {
        // What only crosses is no step outwards.
        if out.last().is_none_or(|last| range.contains_range(*last)) {
            out.push(range);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_test_fixture::Fixture;

    #[test]
    fn each_step_holds_the_one_before() {
        let fixture =
            Fixture::parse("//- p.pipe\nNODE n\nSQL >\n    SELECT lower(na$0me) FROM t\nTYPE endpoint\n");
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.expect("a cursor");
        let text = files[index].text(&db);
        let got: Vec<_> =
            selection_ranges(&db, files[index], offset).iter().map(|r| text[*r].trim().to_owned()).collect();
        assert_eq!(got[..3], ["name", "(name)", "lower(name)"]);
        assert_eq!(got.last().map(String::as_str), Some(text.trim()));
        assert!(got.contains(&"SELECT lower(name) FROM t".to_owned()));
        assert!(got.contains(&"SQL >\n    SELECT lower(name) FROM t".to_owned()));
        for at in 0..=text.len() {
            selection_ranges(&db, files[index], TextSize::try_from(at).expect("small"));
        }
    }
}
