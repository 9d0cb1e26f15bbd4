//! What is being typed: the file read once more with a name in the place of the cursor, so that a line that is still
//! blank belongs to its block and a query that ends in the middle has an end.

use std::sync::Arc;

use headwater_analysis::syntax::datafile::SourcedEntry;
use headwater_analysis::{Db, Directive, File, FileKind, TextRange, TextSize, datafile, syntax};
use syntax::{Datafile, MappedText};

use crate::tokens::word_start;

/// Stands for what is being typed. No keyword, no directive, and nobody's name.
pub(crate) const MARKER: &str = "hwCursor0";

/// The cursor and what it stands in.
pub(crate) struct Cursor {
    /// The word before the cursor, as far as it is typed, in the file's text.
    pub(crate) word: TextRange,
    /// The cursor in the file's text; the marker begins here in the marked one.
    pub(crate) offset: TextSize,
    /// The file with the marker.
    pub(crate) marked: Datafile,
    /// Where the marker is.
    pub(crate) place: Place,
    /// The node, by index.
    pub(crate) node: Option<usize>,
}

/// What the cursor stands in.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// The first word of a line that may be a directive; inside the block of one, if it is at column 0 there.
    Name {
        /// The directive whose block the line would end.
        inside: Option<Directive>,
    },
    /// A word behind a directive.
    Value {
        /// The directive.
        directive: Directive,
        /// Which word it is, from 0.
        argument: usize,
        /// The value with the marker, and the cursor in it.
        body: MappedText,
        /// The cursor in the value.
        at: TextSize,
    },
    /// The body of a block.
    Block {
        /// The directive.
        directive: Directive,
        /// The block's text with the marker.
        body: MappedText,
        /// The cursor in it.
        at: TextSize,
    },
    /// A comment, or something that nothing is known about.
    Nowhere,
}

impl Cursor {
    /// Reads the file for a cursor. Linear in the file's text.
    pub(crate) fn read(db: &dyn Db, file: File, offset: TextSize) -> Option<Self> {
        let kind = file.kind(db)?;
        let text = file.text(db);
        let offset = offset.min(TextSize::of(&*text));
        let dialect = datafile(db, file).datafile.dialect;
        let mut with = String::with_capacity(text.len() + MARKER.len());
        with.push_str(&text[..usize::from(offset)]);
        with.push_str(MARKER);
        with.push_str(&text[usize::from(offset)..]);
        let start = word_start(&text, offset);
        let word = TextRange::new(start, offset);
        let marked = Datafile::parse(Arc::from(with), kind, dialect);
        let place = place(&marked, offset, word, kind);
        // Includes are not spliced into the marked file, and may hold nodes; then none is certain.
        let is_plain = datafile(db, file).includes.iter().all(|i| i.target.is_none());
        let nodes = marked.nodes();
        let node = nodes.iter().rposition(|n| n.header().entry.line.start() <= offset).filter(|_| is_plain);
        Some(Self { word, offset, marked, place, node })
    }
}

fn place(marked: &Datafile, offset: TextSize, word: TextRange, kind: FileKind) -> Place {
    let text = marked.text();
    let line_start = text[..usize::from(offset)].rfind(['\n', '\r']).map_or(0, |n| n + 1);
    let before = &text[line_start..usize::from(offset)];
    let holds = |e: &&SourcedEntry| e.entry.full_range().contains_inclusive(offset);
    let entry = marked.entries.iter().rfind(holds);
    let in_block = entry.filter(|e| e.entry.block.is_some() && e.entry.line.end() < offset);
    // A word at the very beginning of a line may end the block that it seems to be in.
    let is_first_word = before.trim_start().len() == usize::from(word.len());
    if is_first_word && (in_block.is_none() || usize::from(word.start()) == line_start) {
        let inside = in_block.and_then(|e| e.entry.directive);
        if entry.is_none_or(|e| e.entry.keyword.start() == word.start() || inside.is_some()) {
            return Place::Name { inside };
        }
    }
    let Some(entry) = entry else { return Place::Nowhere };
    if before.trim_start().starts_with('#') || entry.entry.comment.is_some_and(|c| c.contains(offset)) {
        return Place::Nowhere;
    }
    let Some(directive) = entry.entry.directive.filter(|d| d.is_valid_in(kind, marked.dialect)) else {
        return Place::Nowhere;
    };
    let body = entry.entry.body(text);
    if in_block.is_some() {
        return match body.offset_from_source(offset) {
            Some(at) => Place::Block { directive, body, at },
            None => Place::Nowhere,
        };
    }
    let argument = entry.entry.args.iter().position(|a| a.contains_inclusive(offset));
    match (argument, body.offset_from_source(offset)) {
        (Some(argument), Some(at)) => Place::Value { directive, argument, body, at },
        _ => Place::Nowhere,
    }
}
