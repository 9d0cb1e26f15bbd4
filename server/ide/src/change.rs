//! Edits as data: texts in several files, files that come and move, and what should be asked before.

use std::sync::Arc;

use camino::Utf8PathBuf;
use headwater_analysis::{File, TextRange, TextSize};

/// A text in the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// What is replaced.
    pub range: TextRange,
    /// By what.
    pub text: String,
    /// Index into [`Change::annotations`] of why, where that should be shown.
    pub annotation: Option<usize>,
}

/// Why some of the edits are made, for clients that let people choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// In a few words.
    pub label: String,
    /// More about it.
    pub description: Option<String>,
    /// Whether somebody should agree first.
    pub needs_confirmation: bool,
}

/// A file that is not in the database, with its whole text as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideEdit {
    /// From the project's root.
    pub path: Utf8PathBuf,
    /// The text that the ranges are places in.
    pub text: Arc<str>,
    /// What is replaced in it.
    pub edits: Vec<TextEdit>,
}

/// Everything that one action does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Edits by file, in order of position within each.
    pub edits: Vec<(File, Vec<TextEdit>)>,
    /// Edits of files that are not in the database.
    pub outside: Vec<OutsideEdit>,
    /// New files: path from the project's root, and text.
    pub created: Vec<(Utf8PathBuf, String)>,
    /// Files that move: old and new path from the project's root.
    pub renamed: Vec<(Utf8PathBuf, Utf8PathBuf)>,
    /// What edits refer to.
    pub annotations: Vec<Annotation>,
}

impl Change {
    /// One edit of one file.
    pub fn replace(file: File, range: TextRange, text: impl Into<String>) -> Self {
        let mut change = Self::default();
        change.push(file, range, text, None);
        change
    }

    /// A text where there was none.
    pub fn insert(file: File, at: TextSize, text: impl Into<String>) -> Self {
        Self::replace(file, TextRange::empty(at), text)
    }

    /// Adds an edit. Equal edits are one.
    pub fn push(&mut self, file: File, range: TextRange, text: impl Into<String>, annotation: Option<usize>) {
        let edit = TextEdit { range, text: text.into(), annotation };
        let list = match self.edits.iter_mut().find(|(f, _)| *f == file) {
            Some((_, list)) => list,
            None => {
                self.edits.push((file, Vec::new()));
                match self.edits.last_mut() {
                    Some((_, list)) => list,
                    None => return,
                }
            }
        };
        if !list.iter().any(|e| e.range == edit.range && e.text == edit.text) {
            list.push(edit);
            list.sort_by_key(|e| (e.range.start(), e.range.end()));
        }
    }

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.created.is_empty() && self.renamed.is_empty() && self.outside.is_empty()
    }

    /// Whether two edits of one file touch the same text: then they cannot both be made.
    pub fn overlaps(&self) -> bool {
        self.edits.iter().any(|(_, list)| {
            list.windows(2).any(|w| w[1].range.start() < w[0].range.end() || w[0].range == w[1].range)
        })
    }
}

/// A text with edits made in it. They are in order and do not overlap.
pub fn apply(text: &str, edits: &[TextEdit]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let (start, end) = (usize::from(edit.range.start()), usize::from(edit.range.end()));
        out.push_str(text.get(at..start).unwrap_or_default());
        out.push_str(&edit.text);
        at = end.max(at);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
