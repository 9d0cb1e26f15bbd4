//! Text to trees for data-project files.
//!
//! **Knows**: the line rules of datafiles (`.datasource`, `.pipe`, `.connection`, `.incl`) in both dialects, the
//! grammar of `SCHEMA` and `INDEXES` blocks, the template language inside SQL, and where a ClickHouse query names
//! its tables.
//!
//! **Must not know**: files, paths, other files of a project, salsa, the network, LSP. Everything here is a pure
//! function of text. Parsing never fails: it returns what it understood together with errors as data; accessors
//! return `Option`.

pub mod datafile;
pub mod directive;
pub mod indexes;
pub mod line;
pub mod mapped;
pub mod scan;
pub mod schema;
pub mod spelling;
pub mod sql;
pub mod template;

pub use datafile::{Datafile, NodeView};
pub use directive::{Dialect, Directive, FileKind};
pub use mapped::MappedText;
pub use text_size::{TextRange, TextSize};

/// A value and where it stands in the text it came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Bytes of the source that produced it.
    pub range: TextRange,
}

impl<T> Spanned<T> {
    /// Pairs `value` with `range`.
    pub fn new(value: T, range: TextRange) -> Self {
        Self { value, range }
    }
}

/// A range from two byte offsets. Texts above 4 GiB are refused long before parsing, so the conversion saturates.
pub fn range(start: usize, end: usize) -> TextRange {
    let clamp = |n: usize| TextSize::from(u32::try_from(n).unwrap_or(u32::MAX));
    TextRange::new(clamp(start), clamp(end.max(start)))
}
