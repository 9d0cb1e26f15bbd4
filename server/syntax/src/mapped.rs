//! Text assembled from pieces of a file, with the way back.

use std::sync::Arc;

use text_size::{TextRange, TextSize};

/// A text whose every byte came from some place of a source file, in order.
///
/// Blank lines and `#` lines vanish from blocks in this format, so an offset in a block's text is not an offset in
/// the file; all positions that leave this crate went through [`MappedText::to_source`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedText {
    /// The assembled text.
    pub text: Arc<str>,
    /// `(offset in text, offset in source)` at the start of each piece, ascending in both.
    pieces: Arc<[(u32, u32)]>,
}

impl MappedText {
    /// Joins the given ranges of `source` with single line feeds. O(total length).
    pub fn from_lines(source: &str, lines: impl IntoIterator<Item = TextRange>) -> Self {
        let mut text = String::new();
        let mut pieces = Vec::new();
        for line in lines {
            if !pieces.is_empty() {
                text.push('\n');
            }
            pieces.push((u32::try_from(text.len()).unwrap_or(u32::MAX), u32::from(line.start())));
            text.push_str(&source[line]);
        }
        Self { text: text.into(), pieces: pieces.into() }
    }

    /// The place in the source that produced `offset`. O(log pieces).
    ///
    /// A line feed between two pieces maps to the end of the piece before it.
    pub fn offset_to_source(&self, offset: TextSize) -> TextSize {
        let offset = u32::from(offset);
        let n = self.pieces.partition_point(|(out, _)| *out <= offset);
        match n.checked_sub(1).map(|n| self.pieces[n]) {
            Some((out, source)) => TextSize::from(source + (offset - out)),
            None => TextSize::from(0),
        }
    }

    /// Both ends of `range`, mapped. An end that lies at a piece's start belongs to the piece before it, so that a
    /// range never grows over lines that vanished.
    pub fn to_source(&self, range: TextRange) -> TextRange {
        let start = self.offset_to_source(range.start());
        let end = match u32::from(range.end()).checked_sub(1) {
            Some(last) if range.end() > range.start() => {
                self.offset_to_source(TextSize::from(last)) + TextSize::from(1)
            }
            _ => start,
        };
        TextRange::new(start, end.max(start))
    }

    /// The offset in the assembled text for a source offset, if that byte was kept. O(log pieces).
    pub fn offset_from_source(&self, source: TextSize) -> Option<TextSize> {
        let source = u32::from(source);
        let n = self.pieces.partition_point(|(_, src)| *src <= source).checked_sub(1)?;
        let (out, src) = self.pieces[n];
        let end = self.pieces.get(n + 1).map_or(self.text.len() as u32, |(next, _)| next - 1);
        let offset = out + (source - src);
        (offset <= end).then(|| TextSize::from(offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::range;

    #[test]
    fn offsets_go_both_ways_across_dropped_lines() {
        let source = "ab\n# x\ncd\n";
        let mapped = MappedText::from_lines(source, [range(0, 2), range(7, 9)]);
        assert_eq!(&*mapped.text, "ab\ncd");
        assert_eq!(mapped.to_source(range(0, 2)), range(0, 2));
        assert_eq!(mapped.to_source(range(3, 5)), range(7, 9));
        assert_eq!(mapped.to_source(range(0, 5)), range(0, 9));
        assert_eq!(mapped.offset_from_source(8.into()), Some(4.into()));
        assert_eq!(mapped.offset_from_source(4.into()), None);
    }
}
