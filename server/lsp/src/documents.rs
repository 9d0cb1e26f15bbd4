//! The texts that are open in the editor.

use std::sync::Arc;

use camino::Utf8PathBuf;
use ropey::Rope;
use rustc_hash::FxHashMap;
use tower_lsp::gen_lsp_types::TextDocumentContentChangeEvent as Edit;

use crate::position::{Encoding, char_in_rope};

/// One open document.
#[derive(Debug)]
pub(crate) struct Document {
    /// The URI exactly as the client spells it.
    pub(crate) uri: String,
    /// Its path; `None` for documents that are on no disk (`untitled:`, `git:`).
    pub(crate) path: Option<Utf8PathBuf>,
    pub(crate) version: i32,
    rope: Rope,
    /// Edited since the database last saw it.
    pub(crate) dirty: bool,
}

impl Document {
    pub(crate) fn new(uri: String, version: i32, text: &str) -> Self {
        let path = crate::uri::to_path(&uri);
        Self { uri, path, version, rope: Rope::from_str(text), dirty: true }
    }

    /// Applies edits in the order given, each to the text the one before left.
    pub(crate) fn edit(&mut self, version: i32, edits: Vec<Edit>, encoding: Encoding) {
        for edit in edits {
            match edit {
                Edit::TextDocumentContentChangePartial(edit) => {
                    let a = char_in_rope(&self.rope, edit.range.start, encoding);
                    let b = char_in_rope(&self.rope, edit.range.end, encoding);
                    let (start, end) = (a.min(b), a.max(b));
                    self.rope.remove(start..end);
                    self.rope.insert(start, &edit.text);
                }
                Edit::TextDocumentContentChangeWholeDocument(edit) => self.rope = Rope::from_str(&edit.text),
            }
        }
        self.version = version;
        self.dirty = true;
    }

    /// The text, for the database.
    pub(crate) fn text(&self) -> Arc<str> {
        String::from(&self.rope).into()
    }
}

/// All open documents, by URI.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    by_uri: FxHashMap<String, Document>,
}

impl Documents {
    /// Opens a document. A second open of the same one replaces it, as the client surely has the newer text.
    pub(crate) fn open(&mut self, document: Document) {
        self.by_uri.insert(document.uri.clone(), document);
    }

    pub(crate) fn close(&mut self, uri: &str) -> Option<Document> {
        self.by_uri.remove(uri)
    }

    pub(crate) fn get_mut(&mut self, uri: &str) -> Option<&mut Document> {
        self.by_uri.get_mut(uri)
    }

    pub(crate) fn version(&self, uri: &str) -> Option<i32> {
        self.by_uri.get(uri).map(|document| document.version)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Document> {
        self.by_uri.values()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Document> {
        self.by_uri.values_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_uri.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(json: &str) -> Edit {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn edits_count_utf_16_units_across_emoji_and_crlf() {
        let mut document = Document::new("untitled:a".into(), 1, "SELECT '😀é'\r\nFROM a\r\n");
        let change =
            r#"{"range":{"start":{"line":0,"character":10},"end":{"line":0,"character":11}},"text":"e"}"#;
        document.edit(2, vec![edit(change)], Encoding::Utf16);
        assert_eq!(&*document.text(), "SELECT '😀e'\r\nFROM a\r\n");
        let join =
            r#"{"range":{"start":{"line":0,"character":99},"end":{"line":1,"character":0}},"text":" "}"#;
        document.edit(3, vec![edit(join)], Encoding::Utf16);
        assert_eq!(&*document.text(), "SELECT '😀e' FROM a\r\n");
        let backwards =
            r#"{"range":{"start":{"line":9,"character":9},"end":{"line":0,"character":0}},"text":"x"}"#;
        document.edit(4, vec![edit(backwards), edit(r#"{"text":"whole"}"#)], Encoding::Utf16);
        assert_eq!((&*document.text(), document.version), ("whole", 4));
    }
}
