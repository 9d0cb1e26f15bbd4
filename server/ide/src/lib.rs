//! Editor features over the analysis database: one file per feature.
//!
//! **Knows**: what an editor asks for, in plain structs with byte offsets.
//!
//! **Must not know**: LSP, JSON, positions in lines, the disk, threads. A feature is a function of a database and a
//! place; it never fails and never blocks.

mod definition;
mod folding;
mod format;
mod hover;
mod inlay_hints;
mod lenses;
mod lineage;
mod links;
mod locate;
mod plan_fixes;
mod plans;
mod references;
mod symbols;
mod workspace_symbols;

use headwater_analysis::{File, TextRange};

pub use definition::definition;
pub use folding::{Fold, FoldKind, folding_ranges};
pub use format::format;
pub use headwater_format::Edit as FormatEdit;
pub use hover::{Hover, hover};
pub use inlay_hints::{InlayHint, inlay_hints};
pub use lenses::{Lens, code_lenses};
pub use lineage::{Lineage, LineageLink, LineageNode, Subject, lineage};
pub use links::{Link, document_links};
pub use plan_fixes::{PlanEdit, PlanFix, plan_fixes};
pub use plans::{Deployment, deployment_at, deployments, plan_diagnostics};
pub use references::references;
pub use symbols::{Symbol, SymbolKind, document_symbols};
pub use workspace_symbols::{WorkspaceSymbol, workspace_symbols};

/// A place to go to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// The file.
    pub file: File,
    /// What to show: the whole definition.
    pub range: TextRange,
    /// What to select: usually the name.
    pub focus: TextRange,
}
