//! Plain results of `ide` to protocol types. The only other place that knows both is `diagnostics`.

use headwater_analysis::{File, TextRange};
use headwater_ide::{SymbolKind, Target};
use tower_lsp::gen_lsp_types::{self as lsp, Location, LocationLink, Range, Uri};

use crate::position::line_index;
use crate::snapshot::Snapshot;

impl Snapshot {
    pub(crate) fn range(&self, file: File, range: TextRange) -> Range {
        line_index(&self.db, file, self.profile.encoding).range(range)
    }

    /// Where a target's name is.
    pub(crate) fn location(&self, target: &Target) -> Location {
        Location { uri: self.file_uri(target.file), range: self.range(target.file, target.focus) }
    }

    /// A target with both its whole and its name.
    pub(crate) fn link(&self, target: &Target) -> LocationLink {
        LocationLink {
            origin_selection_range: None,
            target_uri: self.file_uri(target.file),
            target_range: self.range(target.file, target.range.cover(target.focus)),
            target_selection_range: self.range(target.file, target.focus),
        }
    }

    pub(crate) fn file_uri(&self, file: File) -> Uri {
        Uri(self.uri(&self.path(file)))
    }
}

/// The icon a client shows. The protocol has no data pipelines; these are distinct and looked at together.
pub(crate) fn symbol_kind(kind: SymbolKind) -> lsp::SymbolKind {
    match kind {
        SymbolKind::Datasource => lsp::SymbolKind::Class,
        SymbolKind::Pipe => lsp::SymbolKind::Module,
        SymbolKind::Node => lsp::SymbolKind::Function,
        SymbolKind::Column => lsp::SymbolKind::Field,
        SymbolKind::Connection => lsp::SymbolKind::Interface,
        SymbolKind::Directive => lsp::SymbolKind::Property,
        SymbolKind::Token => lsp::SymbolKind::Key,
    }
}
