//! What must hold for every text.

pub mod ast;
pub mod scanner;
mod template;
mod tree;

use headwater_syntax::TextRange;

/// The text at `at`.
///
/// # Panics
/// When the range does not lie in the text, between characters.
#[track_caller]
fn inside(text: &str, at: TextRange) -> &str {
    let (start, end) = (usize::from(at.start()), usize::from(at.end()));
    text.get(start..end).unwrap_or_else(|| {
        let why = if end > text.len() { "is outside of the text" } else { "splits a character" };
        panic!("{at:?} {why} (length {})", text.len())
    })
}

/// Checks that a range lies within another one.
#[track_caller]
fn within(child: TextRange, parent: TextRange, what: &str) {
    assert!(parent.contains_range(child), "{what}: {child:?} is not within {parent:?}");
}

/// Checks that ranges follow each other without overlap.
#[track_caller]
fn ordered(ranges: impl IntoIterator<Item = TextRange>, what: &str) {
    let mut last: Option<TextRange> = None;
    for range in ranges {
        if let Some(last) = last {
            assert!(last.end() <= range.start(), "{what}: {range:?} does not follow {last:?}");
        }
        last = Some(range);
    }
}
