//! Block structure: which lines are directives, which belong to a block, and where a block ends.
//!
//! The one rule everything rests on: a block ends at the first line that does not start with a space or tab *and*
//! whose first word is a directive of this file kind. A misspelled directive is therefore content, and so is a
//! directive of another kind.

use text_size::TextRange;

use crate::directive::{Dialect, Directive, FileKind};
use crate::line::{Line, Words, lines, words};
use crate::mapped::MappedText;
use crate::range;

/// A directive line, with its block if it opens one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line without its terminator.
    pub line: TextRange,
    /// The first word.
    pub keyword: TextRange,
    /// What the first word names in any kind and dialect; `None` for a word that no file may start with.
    pub directive: Option<Directive>,
    /// Whether that directive is in the table of this file's kind and dialect.
    pub valid_here: bool,
    /// The words behind the first, without a block's `>` and what follows it.
    pub args: Vec<TextRange>,
    /// A comment that ends the line.
    pub comment: Option<TextRange>,
    /// A word-initial quote without its partner: the whole line became one word.
    pub unclosed_quote: Option<TextRange>,
    /// Present when the first argument is exactly `>`.
    pub block: Option<Block>,
}

/// The body of a block directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The `>`.
    pub opener: TextRange,
    /// Text behind `>` on the opening line, which the format throws away.
    pub lost: Option<TextRange>,
    /// All lines of the body, from the start of the first to the end of the last, without its line break.
    pub range: TextRange,
    /// The lines in order.
    pub lines: Vec<BodyLine>,
}

/// One line of a block's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLine {
    /// The line without its terminator.
    pub range: TextRange,
    /// Blank, or a `#` comment: not part of the block's text.
    pub dropped: bool,
}

impl Block {
    /// The block's text as the format sees it, with the way back to the file.
    pub fn text(&self, source: &str) -> MappedText {
        MappedText::from_lines(source, self.lines.iter().filter(|l| !l.dropped).map(|l| l.range))
    }
}

impl Entry {
    /// From the first argument to the last, or the empty place behind the keyword.
    pub fn args_range(&self) -> TextRange {
        match (self.args.first(), self.args.last()) {
            (Some(first), Some(last)) => TextRange::new(first.start(), last.end()),
            _ => TextRange::empty(self.keyword.end()),
        }
    }

    /// The line and its block.
    pub fn full_range(&self) -> TextRange {
        self.block.as_ref().map_or(self.line, |b| self.line.cover(b.range))
    }

    /// The one-line value: arguments joined by one space, one layer of quotes removed.
    ///
    /// First and last character are stripped when each is a quote, even a different one: that is what the format
    /// does (§3.3).
    pub fn value(&self, source: &str) -> Option<String> {
        if self.args.is_empty() {
            return None;
        }
        let joined = self.joined(source);
        let quote = |c: char| c == '"' || c == '\'';
        let unquoted = joined.strip_prefix(quote).and_then(|s| s.strip_suffix(quote));
        Some(unquoted.unwrap_or(&joined).to_owned())
    }

    /// Arguments joined by one space, quotes kept: what `DESCRIPTION` stores.
    pub fn joined(&self, source: &str) -> String {
        let words: Vec<_> = self.args.iter().map(|r| &source[*r]).collect();
        words.join(" ")
    }

    /// Block text if there is a block, else the one-line value, mapped to the file.
    pub fn body(&self, source: &str) -> MappedText {
        match &self.block {
            Some(block) => block.text(source),
            None => {
                let mut range = self.args_range();
                let text = &source[range];
                let quote = |c: char| c == '"' || c == '\'';
                if text.len() >= 2 && text.starts_with(quote) && text.ends_with(quote) {
                    range = TextRange::new(range.start() + one(), range.end() - one());
                }
                MappedText::from_lines(source, [range])
            }
        }
    }
}

fn one() -> text_size::TextSize {
    text_size::TextSize::from(1)
}

/// Splits a datafile into directives and blocks. Total: every line is part of an entry, blank, or a comment.
/// Linear in the text's length.
pub fn scan(text: &str, kind: FileKind, dialect: Dialect) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut in_block = false;
    for line in lines(text) {
        let content = &text[line.range];
        if in_block && !ends_block(content, kind, dialect) {
            let block = entries.last_mut().and_then(|e| e.block.as_mut());
            if let Some(block) = block {
                push_line(block, line, content);
            }
            continue;
        }
        let Words { words, comment, unclosed_quote } = words(text, line.range);
        in_block = false;
        let Some((&keyword, rest)) = words.split_first() else { continue };
        let named = Directive::named(&text[keyword]).filter(|_| unclosed_quote.is_none());
        let block = rest.first().filter(|first| &text[**first] == ">").map(|opener| Block {
            opener: *opener,
            lost: (rest.len() > 1).then(|| TextRange::new(rest[1].start(), rest[rest.len() - 1].end())),
            range: range(line.next as usize, line.next as usize),
            lines: Vec::new(),
        });
        in_block = block.is_some();
        entries.push(Entry {
            line: line.range,
            keyword,
            directive: named,
            valid_here: named.is_some_and(|d| d.is_valid_in(kind, dialect)),
            args: if in_block { Vec::new() } else { rest.to_vec() },
            comment,
            unclosed_quote,
            block,
        });
    }
    for block in entries.iter_mut().filter_map(|e| e.block.as_mut()) {
        trim_trailing_blank_lines(block, text);
    }
    entries
}

fn push_line(block: &mut Block, line: Line, content: &str) {
    let trimmed = content.trim_start();
    let dropped = trimmed.is_empty() || trimmed.starts_with('#');
    if block.lines.is_empty() {
        block.range = line.range;
    }
    block.range = block.range.cover(line.range);
    block.lines.push(BodyLine { range: line.range, dropped });
}

/// Blank lines and comments between a block and the next directive belong to the file, not to the block, as far as
/// folding and ranges are concerned; they never were part of its text.
fn trim_trailing_blank_lines(block: &mut Block, text: &str) {
    while block.lines.last().is_some_and(|l| l.dropped && !text[l.range].starts_with([' ', '\t'])) {
        block.lines.pop();
    }
    block.range = match (block.lines.first(), block.lines.last()) {
        (Some(first), Some(last)) => TextRange::new(first.range.start(), last.range.end()),
        _ => TextRange::empty(block.range.start()),
    };
}

fn ends_block(line: &str, kind: FileKind, dialect: Dialect) -> bool {
    let Some(first) = line.chars().next() else { return false };
    if first == ' ' || first == '\t' {
        return false;
    }
    let words = words(line, range(0, line.len()));
    let Some(word) = words.words.first().map(|r| &line[*r]).filter(|_| words.unclosed_quote.is_none()) else {
        return false;
    };
    // SQL is commonly written with FROM at column 0, so Classic never lets a line that starts so end a block.
    if line.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("from")) {
        return false;
    }
    Directive::lookup(word, kind, dialect).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(kind: FileKind, dialect: Dialect, text: &str, expected: &Expect) {
        let mut out = String::new();
        for e in scan(text, kind, dialect) {
            let args: Vec<_> = e.args.iter().map(|r| &text[*r]).collect();
            out += &format!("{} {args:?}", &text[e.keyword]);
            if !e.valid_here {
                out += " (not valid here)";
            }
            if let Some(b) = &e.block {
                out += &format!(" block {:?}", &*b.text(text).text);
                if let Some(lost) = b.lost {
                    out += &format!(" lost {:?}", &text[lost]);
                }
            }
            if let Some(c) = e.comment {
                out += &format!(" comment {:?}", &text[c]);
            }
            out.push('\n');
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn a_block_ends_at_a_directive_of_this_kind_at_column_0() {
        check(
            FileKind::Pipe,
            Dialect::Forward,
            "NODE a\nSQL > lost\n\n    SELECT 1\n# note\n  TYPE x\nTYP endpoint\nENGINE x\n\ntype endpoint # c\n",
            &expect![[r##"
                NODE ["a"]
                SQL [] block "    SELECT 1\n  TYPE x\nTYP endpoint\nENGINE x" lost "lost"
                type ["endpoint"] comment "# c"
            "##]],
        );
    }

    #[test]
    fn classic_shares_the_table_and_spares_from() {
        check(
            FileKind::Pipe,
            Dialect::Classic,
            "NODE a\nSQL >\nSELECT 1\nFROM x\nENGINE MergeTree\n",
            &expect![[r#"
                NODE ["a"]
                SQL [] block "SELECT 1\nFROM x"
                ENGINE ["MergeTree"]
            "#]],
        );
    }

    #[test]
    fn values_lose_one_layer_of_quotes_even_mismatched() {
        let text = "KAFKA_TOPIC \"a\" b  'c'\nDESCRIPTION \"hi\"\nENGINE";
        let entries = scan(text, FileKind::Datasource, Dialect::Forward);
        assert_eq!(entries[0].value(text).as_deref(), Some("a\" b 'c"));
        assert_eq!(entries[1].joined(text), "\"hi\"");
        assert_eq!(entries[2].value(text), None);
    }

    #[test]
    fn a_block_of_comments_alone_is_empty() {
        let text = "SQL >\n#\n\nNODE a\n";
        let entries = scan(text, FileKind::Pipe, Dialect::Forward);
        assert_eq!(entries[0].full_range(), range(0, 6));
        assert_eq!(entries[0].block.as_ref().map(|b| b.range), Some(range(6, 6)));
    }

    #[test]
    fn odd_files_scan_without_loss_of_structure() {
        for text in
            ["", "\u{feff}SCHEMA >\n", "SQL>\n x", "a", "\r\r\r", "'open\n", "SQL >", "SQL >\r\n  x\r\n"]
        {
            scan(text, FileKind::Pipe, Dialect::Forward);
        }
    }
}
