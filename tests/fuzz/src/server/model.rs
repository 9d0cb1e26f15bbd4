//! What the texts must be: the protocol's rules for edits, written a second time and as plainly as possible.

use std::collections::BTreeMap;

use super::session::{Edit, Session};

/// What columns count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Units {
    Utf8,
    Utf16,
    Utf32,
}

impl Units {
    pub(super) fn named(name: &str) -> Self {
        match name {
            "utf-8" => Self::Utf8,
            "utf-32" => Self::Utf32,
            _ => Self::Utf16,
        }
    }

    fn of(self, c: char) -> u64 {
        match self {
            Self::Utf8 => c.len_utf8() as u64,
            Self::Utf16 => c.len_utf16() as u64,
            Self::Utf32 => 1,
        }
    }

    /// Length of a text.
    pub(super) fn len(self, text: &str) -> u64 {
        text.chars().map(|c| self.of(c)).sum()
    }
}

/// Every line of a text with its start: without its line break, which is LF, CRLF or CR.
pub(super) fn lines(text: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        let start = text.len() - rest.len();
        let Some(end) = rest.find(['\n', '\r']) else {
            out.push((start, rest));
            return out;
        };
        out.push((start, &rest[..end]));
        let broken = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[end + broken..];
    }
}

/// The place in a text that a position means: behind the end is the end, inside a character its beginning.
fn offset(text: &str, line: u32, character: u32, units: Units) -> usize {
    let lines = lines(text);
    let Some((start, content)) = lines.get(line as usize) else { return text.len() };
    let mut before = 0;
    for (at, c) in content.char_indices() {
        before += units.of(c);
        if before > u64::from(character) {
            return start + at;
        }
    }
    start + content.len()
}

/// Documents and disk, as they should be.
pub(super) struct Model {
    pub(super) units: Units,
    /// Texts of open documents, with their versions.
    pub(super) open: BTreeMap<String, (i64, String)>,
    pub(super) disk: BTreeMap<String, String>,
    /// Versions go up, also across closing and opening again.
    version: i64,
}

impl Model {
    pub(super) fn new(session: &Session) -> Self {
        let (units, disk) = (Units::named(&session.encoding), session.disk.iter().cloned().collect());
        Self { units, open: BTreeMap::new(), disk, version: 0 }
    }

    pub(super) fn next_version(&mut self) -> i64 {
        self.version += 1;
        self.version
    }

    pub(super) fn open(&mut self, file: &str, version: i64, text: &str) {
        self.open.insert(file.to_owned(), (version, text.to_owned()));
    }

    pub(super) fn change(&mut self, file: &str, version: i64, edits: &[Edit]) {
        let Some((at, text)) = self.open.get_mut(file) else { return };
        *at = version;
        for edit in edits {
            match edit.range {
                Some([line, character, end_line, end_character]) => {
                    let a = offset(text, line, character, self.units);
                    let b = offset(text, end_line, end_character, self.units);
                    text.replace_range(a.min(b)..a.max(b), &edit.text);
                }
                None => text.clone_from(&edit.text),
            }
        }
    }

    /// What is to be seen of a file.
    pub(super) fn text(&self, file: &str) -> Option<&str> {
        self.open.get(file).map(|(_, text)| text.as_str()).or_else(|| self.disk.get(file).map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_clamped_to_the_text() {
        let text = "é😀x\r\ny\rz";
        assert_eq!(lines(text), [(0, "é😀x"), (9, "y"), (11, "z")]);
        assert_eq!(offset(text, 0, 1, Units::Utf16), 2);
        assert_eq!(offset(text, 0, 2, Units::Utf16), 2);
        assert_eq!(offset(text, 0, 3, Units::Utf16), 6);
        assert_eq!(offset(text, 0, 99, Units::Utf16), 7);
        assert_eq!(offset(text, 9, 0, Units::Utf8), text.len());
        assert_eq!(offset(text, 0, 1, Units::Utf8), 0);
        assert_eq!(offset(text, 2, u32::MAX, Units::Utf32), text.len());
    }
}
