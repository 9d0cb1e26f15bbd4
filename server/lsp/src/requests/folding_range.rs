//! `textDocument/foldingRange`.

use headwater_ide::FoldKind;
use tower_lsp::gen_lsp_types::{FoldingRange, FoldingRangeKind};

use super::DocumentParams;
use crate::snapshot::Snapshot;

pub(crate) fn run(snapshot: &Snapshot, params: &DocumentParams) -> Option<Vec<FoldingRange>> {
    let file = snapshot.file(&params.text_document.uri.0)?;
    let mut folds = Vec::new();
    for fold in headwater_ide::folding_ranges(&snapshot.db, file) {
        let mut range = snapshot.range(file, fold.range);
        // A fold that ends behind its last line break would swallow the next line.
        if range.end.character == 0 && range.end.line > range.start.line {
            range.end.line -= 1;
        }
        if range.end.line == range.start.line {
            continue;
        }
        let by_line = snapshot.profile.line_folding_only || range.end.character == 0;
        folds.push(FoldingRange {
            start_line: range.start.line,
            start_character: (!by_line).then_some(range.start.character),
            end_line: range.end.line,
            end_character: (!by_line).then_some(range.end.character),
            kind: Some(match fold.kind {
                FoldKind::Region => FoldingRangeKind::Region,
                FoldKind::Comment => FoldingRangeKind::Comment,
            }),
            collapsed_text: None,
        });
    }
    Some(folds)
}
