//! The committed data: compressed texts of sections and lines, decoded at first use.

use std::io::Read as _;
use std::sync::OnceLock;

use flate2::read::DeflateDecoder;

static LISTS: &[u8] = include_bytes!("../data/lists.bin");

/// A compressed text. The data is ours: what does not decode is empty, and a test says so.
pub(crate) fn inflate(bytes: &[u8]) -> String {
    let mut text = String::new();
    match DeflateDecoder::new(bytes).read_to_string(&mut text) {
        Ok(_) => text,
        Err(_) => String::new(),
    }
}

fn lists() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| inflate(LISTS))
}

/// The lines of a section of the lists: what stands behind `[name]`.
pub(crate) fn section(name: &str) -> impl Iterator<Item = &'static str> {
    let text = lists();
    let head = format!("[{name}]\n");
    let start = match text.strip_prefix(&head) {
        Some(_) => Some(head.len()),
        None => text.find(&format!("\n{head}")).map(|at| at + 1 + head.len()),
    };
    let body = start.map_or("", |start| &text[start..]);
    body.lines().take_while(|line| !line.starts_with('['))
}

/// The cells of a line; what is missing at its end is empty.
pub(crate) fn cells<const N: usize>(line: &'static str) -> [&'static str; N] {
    let mut cells = line.split('\t');
    std::array::from_fn(|_| cells.next().unwrap_or_default())
}

/// A cell's text as it was before it had to fit into a line.
pub(crate) fn unescape(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len());
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            (c, _) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_found_and_end() {
        for name in [
            "engine",
            "functions",
            "combinators",
            "types",
            "settings",
            "merge_tree_settings",
            "formats",
            "codecs",
        ] {
            assert!(section(name).next().is_some(), "{name} is empty");
        }
        assert_eq!(section("engine").count(), 1);
        assert_eq!(section("nothing").count(), 0);
    }
}
