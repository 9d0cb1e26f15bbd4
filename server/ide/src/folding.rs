//! Folding: blocks, nodes, and runs of comments.

use headwater_analysis::syntax::line::lines;
use headwater_analysis::{Db, File, TextRange, datafile};

/// A foldable range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fold {
    /// From the line that stays visible to the last that is hidden.
    pub range: TextRange,
    /// What it is.
    pub kind: FoldKind,
}

/// What a fold hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FoldKind {
    /// A block or a node.
    Region,
    /// Comment lines.
    Comment,
}

/// Folds of a file, ordered by start, the wider first. Linear.
pub fn folding_ranges(db: &dyn Db, file: File) -> Vec<Fold> {
    let parsed = datafile(db, file);
    let own = parsed.datafile.entries.iter().filter(|e| e.source == 0);
    let blocks = own.filter(|e| e.entry.block.is_some()).map(|e| e.entry.full_range());
    let nodes = parsed.datafile.nodes();
    let nodes = nodes.iter().filter(|n| n.header().source == 0).map(|n| n.range());
    let text = parsed.datafile.text();
    let multi_line = |r: &TextRange| text[*r].contains(['\n', '\r']);
    let mut folds: Vec<_> =
        blocks.chain(nodes).filter(multi_line).map(|range| Fold { range, kind: FoldKind::Region }).collect();
    folds.extend(comments(text));
    folds.sort_by_key(|f| (f.range.start(), std::cmp::Reverse(f.range.end())));
    folds.dedup();
    folds
}

fn comments(text: &str) -> Vec<Fold> {
    let mut folds = Vec::new();
    let mut run: Option<(TextRange, usize)> = None;
    let mut close = |run: Option<(TextRange, usize)>| {
        folds.extend(run.filter(|(_, n)| *n > 1).map(|(range, _)| Fold { range, kind: FoldKind::Comment }));
    };
    for line in lines(text) {
        if text[line.range].trim_start().starts_with('#') {
            run = Some(run.map_or((line.range, 1), |(range, n)| (range.cover(line.range), n + 1)));
        } else {
            close(run.take());
        }
    }
    close(run);
    folds
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_test_fixture::Fixture;

    #[test]
    fn blocks_nodes_and_comment_runs_fold() {
        let (db, _, files) =
            Fixture::parse("//- p.pipe\n# a\n# b\nNODE n\nSQL >\n  SELECT 1\n\nTYPE endpoint\n# c\n").load();
        let text = files[0].text(&db);
        let got: Vec<_> = folding_ranges(&db, files[0]).iter().map(|f| (&text[f.range], f.kind)).collect();
        assert_eq!(
            got,
            [
                ("# a\n# b", FoldKind::Comment),
                ("NODE n\nSQL >\n  SELECT 1\n\nTYPE endpoint", FoldKind::Region),
                ("SQL >\n  SELECT 1", FoldKind::Region),
            ]
        );
    }
}
