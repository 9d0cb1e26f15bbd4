//! The engine's tree: the text that `EXPLAIN AST` prints, one node a line.

use super::items::{Items, Kind};

/// What the engine saw in a statement.
pub(super) fn items(explained: &str) -> Items {
    let mut items = Items::default();
    // The nodes above, by their depth, which is the indentation.
    let mut above: Vec<&str> = Vec::new();
    for line in explained.lines() {
        let depth = line.len() - line.trim_start().len();
        let line = line.trim_start();
        let (node, rest) = line.split_once(' ').unwrap_or((line, ""));
        above.truncate(depth);
        let parent = above.last().copied().unwrap_or_default();
        above.push(node);
        // What a FORMAT clause names.
        if node == "Identifier" && parent == "SelectWithUnionQuery" {
            continue;
        }
        let kind = match node {
            "Function" => Kind::Function,
            "TableIdentifier" => Kind::Table,
            "Identifier" => Kind::Identifier,
            _ => continue,
        };
        items.add(kind, name(rest));
    }
    items
}

/// `name (alias x) (children 2)` without what is behind the name.
fn name(rest: &str) -> &str {
    let rest = rest.trim_end();
    let rest = match rest.rsplit_once(" (children ") {
        Some((head, count)) if count.trim_end_matches(')').bytes().all(|b| b.is_ascii_digit()) => head,
        _ => rest,
    };
    match rest.rfind(" (alias ") {
        Some(at) if rest.ends_with(')') => &rest[..at],
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_alias_and_count() {
        assert_eq!(name("plus (alias x) (children 1)"), "plus");
        assert_eq!(name("a b.c"), "a b.c");
        assert_eq!(name("t (alias f(x))"), "t");
    }
}
