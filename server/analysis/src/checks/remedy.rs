//! What a rule knows that mends a fault. Fixes read this, and never messages.

use headwater_syntax::Directive;

/// What would mend a fault, beside a close name in the place of the marked one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// This text in the place of the marked one.
    Replace(String),
    /// One of these names in the place of the marked one.
    OneOf(Vec<String>),
    /// A comma behind the column before the marked one.
    Comma,
    /// This type for the column that is marked, or that the marked words belong to.
    ColumnType(String),
    /// These directives, which the node or file lacks.
    Directives(Vec<Directive>),
    /// A connection of this type.
    Connection(&'static str),
    /// A partition key that is this function of the same column.
    PartitionBy(&'static str),
    /// This value for the setting that is marked.
    SettingValue(String),
    /// This type for the node, which has none.
    NodeType(&'static str),
    /// What stands here was called so: its readers still say it.
    WasCalled(String),
    /// `toString(…)` around the side of the comparison that is no text: whether that is the left one.
    TextOf {
        /// Whether the left side is to become a text.
        left: bool,
    },
    /// This name for the file, without folder and extension.
    FileName(String),
}
