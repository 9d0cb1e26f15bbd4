//! Editor features over the analysis database: one file per feature.
//!
//! **Knows**: what an editor asks for, in plain structs with byte offsets.
//!
//! **Must not know**: LSP, JSON, positions in lines, the disk, threads. A feature is a function of a database and a
//! place; it never fails and never blocks.

mod change;
mod code_actions;
mod columns;
mod completion;
mod config_toml;
mod cron;
mod cursor;
mod definition;
mod directives_help;
mod folding;
mod format;
mod hierarchy;
mod highlights;
mod hover;
mod inlay_hints;
mod lenses;
mod lineage;
mod linked_editing;
mod links;
mod locate;
mod on_type;
mod parameters;
mod place;
mod plan_explained;
mod plan_fixes;
mod plans;
mod references;
mod rename;
mod runs;
mod secrets;
mod selection;
mod semantic_tokens;
mod signature_help;
mod signatures;
mod sql_context;
mod symbols;
mod template_docs;
mod tokens;
mod virtual_docs;
mod workspace_symbols;

use headwater_analysis::{File, TextRange};

pub use change::{Annotation, Change, OutsideEdit, TextEdit, apply};
pub use code_actions::{ActionKind, CodeAction, SAFE, code_actions, datasource_from_sample, resolve_action};
pub use completion::{
    CompletionItem, CompletionKind, Completions, DECLARED_SETS, completion, documentation, prefetch,
};
pub use config_toml::{CONFIG_KEYS, ConfigKey, config_completion, config_schema};
pub use cron::Moment;
pub use definition::{declaration, definition, implementation, type_definition};
pub use folding::{Fold, FoldKind, folding_ranges};
pub use format::format;
pub use headwater_format::Edit as FormatEdit;
pub use hierarchy::{
    ColumnItem, FlowCall, FlowItem, column_item, column_of, flow_item, goes_into, item as flow_item_of,
    made_of, of_column, readers, sources,
};
pub use highlights::{Highlight, highlights};
pub use hover::{Hover, hover};
pub use inlay_hints::{InlayHint, inlay_hints};
pub use lenses::{Lens, code_lenses};
pub use lineage::{Lineage, LineageLink, LineageNode, Subject, lineage};
pub use linked_editing::linked_ranges;
pub use links::{Link, document_links};
pub use on_type::on_new_line;
pub use plan_fixes::{PlanEdit, PlanFix, plan_fixes};
pub use plans::{Deployment, deployment_at, deployments, plan_diagnostics};
pub use references::references;
pub use rename::{NameKind, Refusal, Renamable, prepare_rename, rename, will_rename};
pub use runs::{Run, RunKind, runs};
pub use selection::selection_ranges;
pub use semantic_tokens::{SemanticToken, TokenClass, semantic_tokens};
pub use signature_help::{Signature, SignatureHelp, signature_help};
pub use symbols::{Symbol, SymbolKind, document_symbols};
pub use virtual_docs::{View, request_parameters, view};
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
