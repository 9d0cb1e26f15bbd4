//! What can be chosen. Little: a formatter ends discussions.

/// How texts are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Options {
    /// Columns that lines should not exceed. Long words do.
    pub width: usize,
    /// Columns of one level.
    pub indent: usize,
    /// The case of SQL keywords.
    pub keywords: KeywordCase,
    /// Whether the parts of columns stand below each other in `SCHEMA` and `INDEXES`.
    pub align: bool,
}

impl Options {
    /// Widths that are accepted.
    pub const WIDTHS: std::ops::RangeInclusive<usize> = 40..=1000;
    /// Indents that are accepted. At least one column: a line of a block that starts at the margin may end it.
    pub const INDENTS: std::ops::RangeInclusive<usize> = 1..=16;
}

impl Default for Options {
    fn default() -> Self {
        Self { width: 100, indent: 4, keywords: KeywordCase::Keep, align: true }
    }
}

/// The case of SQL keywords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KeywordCase {
    /// As written.
    #[default]
    Keep,
    /// `SELECT`
    Upper,
    /// `select`
    Lower,
}
