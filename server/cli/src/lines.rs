//! Byte offsets to lines and UTF-16 columns, as JSON output counts them.

use std::cell::Cell;

use headwater_analysis::syntax::line::lines;
use headwater_analysis::{TextRange, TextSize};
use serde_json::{Value, json};

/// Line starts of a text.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<u32>,
    /// The last offset asked for, and the units between its line's start and it. Diagnostics come in order: a line of
    /// ten megabytes is counted once, not once for each of them.
    last: Cell<(u32, usize)>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(lines(text).map(|l| l.next)).collect();
        Self { text, starts, last: Cell::new((0, 0)) }
    }

    /// 0-based line, and 0-based column in UTF-16 code units.
    pub(crate) fn position(&self, offset: TextSize) -> (usize, usize) {
        let offset = u32::from(offset).min(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        let mut line = self.starts.partition_point(|s| *s <= offset).saturating_sub(1);
        // A text without a last line break has no line behind it.
        if line > 0
            && self.starts[line] == offset
            && offset as usize == self.text.len()
            && !self.ends_with_break()
        {
            line -= 1;
        }
        let (known, units) = match self.last.get() {
            last if (self.starts[line]..=offset).contains(&last.0) => last,
            _ => (self.starts[line], 0),
        };
        let between = self.text.get(known as usize..offset as usize).unwrap_or_default();
        let units = units + between.encode_utf16().count();
        self.last.set((offset, units));
        (line, units)
    }

    fn ends_with_break(&self) -> bool {
        self.text.ends_with(['\n', '\r'])
    }

    /// `{"start":{"line","character"},"end":{…}}`.
    pub(crate) fn json_range(&self, range: TextRange) -> Value {
        let at = |offset| {
            let (line, character) = self.position(offset);
            json!({ "line": line, "character": character })
        };
        json!({ "start": at(range.start()), "end": at(range.end()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_utf16_and_every_line_break_counts() {
        let lines = Lines::new("a😀b\r\nc\rd");
        let at = |n: u32| lines.position(TextSize::from(n));
        assert_eq!(at(0), (0, 0));
        assert_eq!(at(5), (0, 3));
        assert_eq!(at(8), (1, 0));
        assert_eq!(at(10), (2, 0));
        assert_eq!(at(11), (2, 1));
        assert_eq!(Lines::new("a\n").position(2.into()), (1, 0));
        assert_eq!(Lines::new("").position(0.into()), (0, 0));
    }
}
