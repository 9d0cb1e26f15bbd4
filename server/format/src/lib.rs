//! Lays datafiles out: text in, text or edits out.
//!
//! **Knows**: how people write data sources, pipes and connections, ClickHouse SQL and templates, and how much may be
//! changed without changing what is said: blanks, line breaks and the case of directives.
//!
//! **Must not know**: files, paths, other files of a project, types, salsa, LSP. Everything here is a pure function of text
//! and options.
//!
//! Three promises, each tested over every project at hand (`cargo xtask format-eval`):
//!
//! - *Nothing is lost or made up.* Words, comments, unknown directives and tags are the same before and after, in the
//!   same order. Each block is compared before it is handed out (`verify`); one that would not be the same is left alone.
//! - *Formatting twice changes nothing more.*
//! - *What cannot be read is left alone*: a block with a syntax error keeps its text, and the rest of the file is laid out.

mod datafile;
mod doc;
mod edits;
mod glue;
mod indexes;
mod lexer;
mod options;
mod schema;
mod sql;
mod table;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod verify;

pub use edits::{Edit, edits};
pub use options::{KeywordCase, Options};

use headwater_syntax::{Dialect, FileKind, TextRange};

/// A text laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formatted {
    /// The whole text.
    pub text: String,
    /// Blocks that were left as they are, in order.
    pub skipped: Vec<Skipped>,
}

/// A block that was left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The block's lines in the text that was given.
    pub range: TextRange,
    /// Why: a sentence fragment.
    pub reason: Reason,
}

/// Why a block is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// It has a syntax error.
    SyntaxError,
    /// A template tag is not closed, or has no partner.
    TemplateError,
    /// Expressions nest deeper than is followed.
    TooDeep,
    /// A text of several lines depends on how far the block is indented.
    IndentedText,
    /// A tag stands in the middle of a word or a quoted text, so blanks around it would count.
    GluedTag,
    /// It is no query.
    NoQuery,
    /// The layout would have changed more than blanks.
    NotSame,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SyntaxError => "it has a syntax error",
            Self::TemplateError => "a template tag is not closed or has no partner",
            Self::TooDeep => "it nests too deeply",
            Self::IndentedText => "a quoted text of several lines depends on the block's indentation",
            Self::GluedTag => "a template tag stands inside a word or a quoted text",
            Self::NoQuery => "it is no query",
            Self::NotSame => "its layout cannot be changed without changing what it says",
        })
    }
}

/// Lays a datafile out. Never fails: what is not understood stays as it is. Linear in the text's length.
pub fn format(text: &str, kind: FileKind, dialect: Dialect, options: &Options) -> Formatted {
    datafile::format(text, kind, dialect, options)
}

/// The edits that lay a datafile out, in order and without overlaps; with `within`, only those of the directives and blocks
/// that this range touches. Each directive and each block is compared by itself, so a word that moves in one does not
/// touch another.
pub fn format_edits(
    text: &str,
    kind: FileKind,
    dialect: Dialect,
    options: &Options,
    within: Option<TextRange>,
) -> Vec<Edit> {
    let formatted = format(text, kind, dialect, options);
    if formatted.text == text {
        return Vec::new();
    }
    let places = |text: &str| -> Vec<TextRange> {
        headwater_syntax::scan::scan(text, kind, dialect).iter().map(|entry| entry.full_range()).collect()
    };
    let (old, new) = (places(text), places(&formatted.text));
    let mut out = Vec::new();
    let (mut at, mut to) = (0usize, 0usize);
    let mut piece = |old: (usize, usize), new: (usize, usize), wanted: bool| {
        if wanted {
            let offset = headwater_syntax::range(0, old.0).end();
            let found = edits(&text[old.0..old.1], &formatted.text[new.0..new.1]);
            out.extend(found.into_iter().map(|edit| Edit { range: edit.range + offset, ..edit }));
        }
    };
    let bounds = |range: &TextRange| (usize::from(range.start()), usize::from(range.end()));
    for (one, other) in old.iter().zip(&new) {
        let (from, into) = (bounds(one), bounds(other));
        let touched = within.is_none_or(|within| one.intersect(within).is_some());
        piece((at, from.0), (to, into.0), within.is_none());
        piece(from, into, touched);
        (at, to) = (from.1, into.1);
    }
    piece((at, text.len()), (to, formatted.text.len()), within.is_none());
    out
}

/// Lays one query or template out, with lines from column 0; the reason when it cannot be done.
///
/// # Errors
/// See [`Reason`].
pub fn format_sql(sql: &str, options: &Options) -> Result<String, Reason> {
    sql::format(sql, options, 0)
}
