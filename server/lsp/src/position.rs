//! LSP positions and byte offsets.
//!
//! Inside Headwater every place is a byte offset. Here is the only arithmetic between those and a line with a column in
//! whatever unit the client agreed to. Lines end at LF, CRLF and CR, and nowhere else. No input panics: a place beyond
//! the end of its line means the end of the line, one inside a character its beginning.

use std::sync::Arc;

use headwater_analysis::{Db, File, TextRange, TextSize};
use ropey::Rope;
use tower_lsp::gen_lsp_types::{Position, Range};

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Bytes of UTF-8: no arithmetic at all. Preferred when the client offers it.
    Utf8,
    /// UTF-16 code units: what every client has to speak.
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    /// The best of what a client offers.
    pub(crate) fn negotiate<'a>(mut offered: impl Iterator<Item = &'a str> + Clone) -> Self {
        if offered.clone().any(|name| name == "utf-8") {
            Self::Utf8
        } else if offered.any(|name| name == "utf-32") {
            Self::Utf32
        } else {
            Self::Utf16
        }
    }

    /// Its name in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Utf32 => "utf-32",
        }
    }

    fn units(self, c: char) -> u32 {
        match self {
            Self::Utf8 => c.len_utf8() as u32,
            Self::Utf16 => c.len_utf16() as u32,
            Self::Utf32 => 1,
        }
    }
}

/// Bytes between two remembered column counts. Long enough to be cheap to keep, short enough to be cheap to walk: a
/// line of ten megabytes must not cost ten megabytes per diagnostic.
const STRIDE: usize = 1024;

/// Where lines begin, for one text and one encoding.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LineIndex {
    text: Arc<str>,
    encoding: Encoding,
    /// Byte offset of each line's start.
    starts: Vec<u32>,
    /// Units before every [`STRIDE`]th byte (rounded down to a character): empty when units are bytes.
    marks: Vec<(u32, u32)>,
}

/// The index of a file's text, computed once per text.
#[salsa::tracked]
pub(crate) fn line_index(db: &dyn Db, file: File, encoding: Encoding) -> Arc<LineIndex> {
    Arc::new(LineIndex::new(file.text(db), encoding))
}

impl LineIndex {
    pub(crate) fn new(text: Arc<str>, encoding: Encoding) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            let breaks = *byte == b'\n' || *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
            if breaks {
                starts.push(at as u32 + 1);
            }
        }
        let mut marks = Vec::new();
        if encoding != Encoding::Utf8 && !text.is_ascii() {
            let mut units = 0;
            let mut next = 0;
            for (at, c) in text.char_indices() {
                if at >= next {
                    marks.push((at as u32, units));
                    next = at + STRIDE;
                }
                units += encoding.units(c);
            }
        }
        Self { text, encoding, starts, marks }
    }

    /// Units before the byte at `offset`, from the start of the text.
    fn units_before(&self, offset: usize) -> u32 {
        let Some(mark) = self.marks.partition_point(|(at, _)| *at as usize <= offset).checked_sub(1) else {
            return offset as u32;
        };
        let (at, units) = self.marks[mark];
        units + self.text[at as usize..offset].chars().map(|c| self.encoding.units(c)).sum::<u32>()
    }

    /// The byte before which there are `units`, no further than `end`.
    fn offset_of(&self, units: u32, end: usize) -> usize {
        let Some(mark) = self.marks.partition_point(|(_, before)| *before <= units).checked_sub(1) else {
            return self.floor((units as usize).min(end));
        };
        let (at, mut before) = self.marks[mark];
        for (i, c) in self.text[at as usize..].char_indices() {
            before += self.encoding.units(c);
            if before > units || at as usize + i >= end {
                return (at as usize + i).min(end);
            }
        }
        end
    }

    fn floor(&self, mut offset: usize) -> usize {
        offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    pub(crate) fn position(&self, offset: TextSize) -> Position {
        let offset = self.floor(offset.into());
        let line = self.starts.partition_point(|start| *start as usize <= offset) - 1;
        let start = self.starts[line] as usize;
        Position { line: line as u32, character: self.units_before(offset) - self.units_before(start) }
    }

    pub(crate) fn range(&self, range: TextRange) -> Range {
        Range { start: self.position(range.start()), end: self.position(range.end()) }
    }

    pub(crate) fn offset(&self, position: Position) -> TextSize {
        let Some(start) = self.starts.get(position.line as usize).map(|start| *start as usize) else {
            return TextSize::new(self.text.len() as u32);
        };
        let next =
            self.starts.get(position.line as usize + 1).map_or(self.text.len(), |start| *start as usize);
        let end = start + self.text[start..next].trim_end_matches(['\r', '\n']).len();
        let units = self.units_before(start).saturating_add(position.character);
        TextSize::new(self.offset_of(units, end).max(start) as u32)
    }
}

/// The character index in a rope that a client's position means.
pub(crate) fn char_in_rope(rope: &Rope, position: Position, encoding: Encoding) -> usize {
    let line = position.line as usize;
    if line >= rope.len_lines() {
        return rope.len_chars();
    }
    let start = rope.line_to_char(line);
    let mut end = if line + 1 < rope.len_lines() { rope.line_to_char(line + 1) } else { rope.len_chars() };
    while end > start && matches!(rope.char(end - 1), '\n' | '\r') {
        end -= 1;
    }
    let column = position.character as usize;
    match encoding {
        Encoding::Utf32 => start.saturating_add(column).min(end),
        Encoding::Utf16 => {
            let at = rope.char_to_utf16_cu(start).saturating_add(column);
            rope.utf16_cu_to_char(at.min(rope.char_to_utf16_cu(end)))
        }
        Encoding::Utf8 => {
            let at = rope.char_to_byte(start).saturating_add(column);
            rope.byte_to_char(at.min(rope.char_to_byte(end)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: &[&str] = &[
        "",
        "\n",
        "\r",
        "\r\n",
        "a\r\nb\rc\nd",
        "é😀x\r\n😀",
        "a\u{2028}b\u{85}c\n",
        "\u{FEFF}NODE a\n",
        "tab\there",
    ];

    #[test]
    fn every_offset_survives_the_way_there_and_back() {
        let long = "é😀abc".repeat(2000) + "\n" + &"x".repeat(5000);
        for text in TEXTS.iter().copied().chain([long.as_str()]) {
            for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
                let index = LineIndex::new(text.into(), encoding);
                let rope = Rope::from_str(text);
                for (offset, _) in text.char_indices() {
                    let position = index.position(TextSize::new(offset as u32));
                    let inside_crlf = offset > 0 && &text.as_bytes()[offset - 1..=offset] == b"\r\n";
                    if inside_crlf {
                        continue;
                    }
                    assert_eq!(usize::from(index.offset(position)), offset, "{encoding:?}");
                    assert_eq!(
                        rope.char_to_byte(char_in_rope(&rope, position, encoding)),
                        offset,
                        "{encoding:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn no_position_panics_and_rope_and_index_agree_on_all() {
        for text in TEXTS {
            for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
                let index = LineIndex::new((*text).into(), encoding);
                let rope = Rope::from_str(text);
                for line in [0, 1, 2, 3, 9, u32::MAX] {
                    for character in (0..12).chain([u32::MAX]) {
                        let position = Position { line, character };
                        let by_index = usize::from(index.offset(position));
                        let by_rope = rope.char_to_byte(char_in_rope(&rope, position, encoding));
                        assert_eq!(by_index, by_rope, "{text:?} {position:?} {encoding:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn lines_end_at_lf_crlf_and_cr_only() {
        let index = LineIndex::new("a\u{2028}b\u{85}\u{0B}\u{0C}c\rd\r\ne\nf".into(), Encoding::Utf16);
        assert_eq!(index.starts.len(), 4);
        assert_eq!(
            index.range(TextRange::up_to(TextSize::new(9999))).end,
            Position { line: 3, character: 1 }
        );
    }

    #[test]
    fn utf_8_is_preferred_and_utf_16_the_default() {
        let pick = |offered: &[&str]| Encoding::negotiate(offered.iter().copied());
        assert_eq!(pick(&["utf-16", "utf-8"]), Encoding::Utf8);
        assert_eq!(pick(&["utf-32", "utf-16"]), Encoding::Utf32);
        assert_eq!(pick(&[]), Encoding::Utf16);
    }
}
