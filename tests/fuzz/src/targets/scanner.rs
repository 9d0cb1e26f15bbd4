//! Lines, directives and blocks: the scanner, and the datafile built on it.

use headwater_syntax::line::{Words, lines, words};
use headwater_syntax::scan::{Block, Entry, scan};
use headwater_syntax::{Datafile, Dialect, FileKind, MappedText, TextRange, TextSize, range};

use super::{inside, ordered, within};
use crate::trial::Trace;

const KINDS: [FileKind; 5] =
    [FileKind::Datasource, FileKind::Pipe, FileKind::Connection, FileKind::Include, FileKind::Token];

/// Checks everything this target promises of one text.
///
/// # Panics
/// When a promise is broken.
pub fn check(text: &str) {
    observe(text, &mut Trace::default());
}

/// [`check`], noting what was seen.
pub fn observe(text: &str, trace: &mut Trace) {
    line_structure(text);
    for kind in KINDS {
        for dialect in [Dialect::Forward, Dialect::Classic] {
            let entries = scan(text, kind, dialect);
            assert_eq!(entries, scan(text, kind, dialect), "scanning is deterministic");
            entries.iter().for_each(|e| entry(text, e));
            nothing_is_lost(text, &entries);
            datafile(text, kind, dialect, &entries);
            if kind == FileKind::Pipe || kind == FileKind::Datasource {
                note(&entries, trace);
            }
        }
    }
}

fn note(entries: &[Entry], trace: &mut Trace) {
    let mut before = None;
    for e in entries {
        let block = e.block.as_ref().map(|b| (b.lost.is_some(), b.lines.len().min(3)));
        trace.saw((e.directive, before, e.valid_here, block));
        trace.saw((e.directive, e.args.len().min(4), e.comment.is_some(), e.unclosed_quote.is_some()));
        before = e.directive;
    }
}

/// Lines cover the text; words cover a line up to white space and its comment.
fn line_structure(text: &str) {
    let mut next = 0;
    for line in lines(text) {
        assert_eq!(usize::from(line.range.start()), next, "lines leave nothing out");
        let content = inside(text, line.range);
        assert!(!content.contains(['\n', '\r']), "a line holds no line break: {content:?}");
        let terminator = &text[usize::from(line.range.end())..line.next as usize];
        assert!(matches!(terminator, "\n" | "\r" | "\r\n" | ""), "{terminator:?} ends a line");
        next = line.next as usize;
        assert!(!terminator.is_empty() || next == text.len(), "only the last line has no line break");

        let split = words(text, line.range);
        assert_eq!(split, words(text, line.range), "splitting is deterministic");
        let Words { words, comment, unclosed_quote } = split;
        ordered(words.iter().copied().chain(comment), "words and comment");
        if let Some(quote) = unclosed_quote {
            assert_eq!(words, [line.range], "with an open quote the line is one word");
            within(quote, line.range, "an unclosed quote");
            assert!(inside(text, quote).starts_with(['"', '\'']));
            continue;
        }
        let mut at = line.range.start();
        for part in words.into_iter().chain(comment) {
            within(part, line.range, "a word");
            assert!(!inside(text, part).is_empty(), "no word is empty");
            let gap = inside(text, TextRange::new(at, part.start()));
            assert!(gap.trim().is_empty(), "{gap:?} is in no word");
            at = part.end();
        }
        let rest = inside(text, TextRange::new(at, line.range.end()));
        assert!(rest.trim().is_empty(), "{rest:?} is in no word");
    }
    assert_eq!(next, text.len(), "lines reach the end");
}

fn entry(text: &str, e: &Entry) {
    inside(text, e.line);
    let opener = e.block.as_ref().map(|b| b.opener);
    let lost = e.block.as_ref().and_then(|b| b.lost);
    let parts = || {
        let args = e.args.iter().copied();
        std::iter::once(e.keyword).chain(args).chain(opener).chain(lost).chain(e.comment)
    };
    ordered(parts(), "parts of a directive line");
    for part in parts().chain(e.unclosed_quote).chain([e.args_range()]) {
        inside(text, part);
        within(part, e.line, "a part of a directive line");
    }
    inside(text, e.full_range());
    within(e.line, e.full_range(), "a directive line");
    assert!(e.block.is_none() || e.args.is_empty(), "a block has no arguments");
    e.value(text);
    let body = e.body(text);
    mapped(text, &body);
    match &e.block {
        Some(b) => block(text, e, b, &body),
        None => {
            let whole = range(0, body.text.len());
            within(body.to_source(whole), e.line, "a value");
        }
    }
}

fn block(text: &str, e: &Entry, b: &Block, body: &MappedText) {
    assert_eq!(inside(text, b.opener), ">");
    inside(text, b.range);
    assert!(b.range.start() >= e.line.end(), "a block stands behind its line");
    ordered(b.lines.iter().map(|l| l.range), "lines of a block");
    match (b.lines.first(), b.lines.last()) {
        (Some(first), Some(last)) => {
            assert_eq!(b.range, first.range.cover(last.range), "a block is its lines");
        }
        _ => assert!(b.range.is_empty(), "a block without lines is empty: {:?}", b.range),
    }
    let mut kept = Vec::new();
    for line in &b.lines {
        let content = inside(text, line.range);
        let bare = content.trim_start();
        assert_eq!(line.dropped, bare.is_empty() || bare.starts_with('#'), "blank and # lines are dropped");
        if !line.dropped {
            kept.push(content);
        }
    }
    assert_eq!(*body.text, kept.join("\n"), "a block's text is its kept lines");
}

/// Every offset has a way to the source and back, to the same character.
fn mapped(text: &str, body: &MappedText) {
    let mut last = TextSize::from(0);
    for (at, c) in body.text.char_indices() {
        let offset = TextSize::from(u32::try_from(at).expect("texts are small"));
        let source = body.offset_to_source(offset);
        assert!(source >= last, "the way back is monotonous");
        last = source;
        let there = body.to_source(TextRange::at(offset, TextSize::of(c)));
        let found = inside(text, there);
        // A line feed between pieces stands for whatever ended the line, and for all that vanished.
        if c != '\n' {
            assert!(found.starts_with(c), "{c:?} came from {found:?}");
            assert_eq!(body.offset_from_source(source), Some(offset), "there and back");
        }
    }
    inside(text, body.to_source(range(0, body.text.len())));
}

/// What is in no entry is blank or a comment.
fn nothing_is_lost(text: &str, entries: &[Entry]) {
    ordered(entries.iter().map(Entry::full_range), "entries");
    let mut at = 0;
    let ends = entries.iter().map(|e| (e.full_range().start().into(), e.full_range().end().into()));
    for (start, end) in ends.chain([(text.len(), text.len())]) {
        for line in text[at..start].split(['\n', '\r']) {
            let line = line.trim();
            assert!(line.is_empty() || line.starts_with('#'), "{line:?} is in no entry");
        }
        at = end;
    }
}

fn datafile(text: &str, kind: FileKind, dialect: Dialect, entries: &[Entry]) {
    let file = Datafile::parse(text.into(), kind, dialect);
    assert!(file.entries.iter().map(|e| &e.entry).eq(entries), "a datafile is its entries");
    file.description();
    let nodes = file.nodes();
    let in_nodes: usize = nodes.iter().map(|n| n.entries.len()).sum();
    assert_eq!(file.header().len() + in_nodes, file.entries.len(), "header and nodes are the file");
    ordered(nodes.iter().map(|n| n.range()), "nodes");
    for node in nodes {
        inside(text, node.range());
        within(node.header().entry.line, node.range(), "a NODE line");
        if let Some(name) = node.name() {
            within(name.range, node.header().entry.line, "a node's name");
            assert!(inside(text, name.range).contains(&name.value));
        }
        if let Some((entry, sql)) = node.sql() {
            let whole = sql.to_source(range(0, sql.text.len()));
            assert!(sql.text.is_empty() || entry.entry.full_range().contains_range(whole));
        }
        node.node_type();
        node.description();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_and_odd_texts_hold() {
        for text in
            ["", "NODE a\nSQL > x\n\n  SELECT 1 # c\n# n\r\n\rTYPE 'a b' #", "'open\n", "SQL >\r\n\ta\r\rb"]
        {
            check(text);
        }
    }

    #[test]
    #[should_panic(expected = "is in no entry")]
    fn a_loss_would_be_noticed() {
        nothing_is_lost("NODE a\n", &[]);
    }
}
