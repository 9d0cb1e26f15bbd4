//! A syntax tree as one array of nodes in the order of the text.
//!
//! The parser's own tree keeps what an incremental parse needs, and finds parents, siblings and fields by searching from
//! the root. Nothing here is parsed incrementally, and the typed accessors ask for little else, so a parsed text is copied
//! into this array once and the parser's tree is dropped: 20 bytes a node, each of those questions answered in constant time
//! (children in the time it takes to pass those before), walks without a stack.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use super::ast::Kind;

/// A parsed text. The text itself is not part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Tree {
    nodes: Box<[Data]>,
    has_error: bool,
    is_recovered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Data {
    start: u32,
    end: u32,
    parent: u32,
    /// Behind everything in this node.
    behind: u32,
    /// The parser's number, and [`MISSING`].
    symbol: u16,
    kind: Kind,
    /// The number of the field that it is in; 0 for none.
    field: u8,
}

/// Marks a node that the parser made up where text is missing.
const MISSING: u16 = 1 << 15;

/// The symbol of text that does not parse, without the bit of [`MISSING`].
const ERROR: u16 = !MISSING;

impl Tree {
    /// A copy of the parser's tree. Linear; depth costs no stack.
    pub(super) fn of(tree: &tree_sitter::Tree) -> Self {
        let root = tree.root_node();
        let mut nodes: Vec<Data> = Vec::with_capacity(root.descendant_count());
        let mut cursor = root.walk();
        let mut open: Vec<u32> = Vec::new();
        let mut is_recovered = false;
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        loop {
            let node = cursor.node();
            let here = place(nodes.len());
            let missing = if node.is_missing() { MISSING } else { 0 };
            nodes.push(Data {
                start: place(node.start_byte()),
                end: place(node.end_byte()),
                parent: open.last().copied().unwrap_or(here),
                behind: here + 1,
                symbol: (node.kind_id() & !MISSING) | missing,
                kind: Kind::of_id(node.kind_id()),
                field: cursor.field_id().and_then(|f| u8::try_from(f.get()).ok()).unwrap_or(0),
            });
            is_recovered |= recovers(node.kind_id());
            if cursor.goto_first_child() {
                open.push(here);
                continue;
            }
            while !cursor.goto_next_sibling() {
                let (true, Some(parent)) = (cursor.goto_parent(), open.pop()) else {
                    return Self { nodes: nodes.into(), has_error: root.has_error(), is_recovered };
                };
                nodes[parent as usize].behind = place(nodes.len());
            }
        }
    }

    /// The node of the whole text.
    pub fn root_node(&self) -> Node<'_> {
        Node { tree: self, at: 0 }
    }

    /// Whether something in it does not parse, or is missing.
    pub fn has_error(&self) -> bool {
        self.has_error
    }

    /// Whether something in it stands for text that is missing or not closed.
    pub fn is_recovered(&self) -> bool {
        self.is_recovered
    }

    /// Bytes that it takes.
    pub fn size(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.nodes)
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tree({} nodes)", self.nodes.len())
    }
}

/// A node of a [`Tree`]: two words.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    at: u32,
}

impl<'t> Node<'t> {
    fn data(self) -> &'t Data {
        &self.tree.nodes[self.at as usize]
    }

    fn other(self, at: u32) -> Self {
        Self { tree: self.tree, at }
    }

    /// What it is.
    pub(super) fn known_kind(self) -> Kind {
        self.data().kind
    }

    /// The grammar's name of it; for a word or sign, the word in capitals or the sign.
    pub fn kind(self) -> &'static str {
        match self.data().kind {
            Kind::Token => word(self.data().symbol & !MISSING),
            kind => kind.name(),
        }
    }

    /// Where its text starts, in bytes.
    pub fn start_byte(self) -> usize {
        self.data().start as usize
    }

    /// Where its text ends, in bytes.
    pub fn end_byte(self) -> usize {
        self.data().end as usize
    }

    /// Its text.
    pub fn byte_range(self) -> Range<usize> {
        self.start_byte()..self.end_byte()
    }

    /// Whether it is text that does not parse.
    pub fn is_error(self) -> bool {
        self.data().kind == Kind::Error
    }

    /// Whether the parser made it up where text is missing.
    pub fn is_missing(self) -> bool {
        self.data().symbol & MISSING != 0
    }

    /// The number of the field of its parent that it is in; 0 for none.
    pub(super) fn field_id(self) -> u16 {
        self.data().field.into()
    }

    /// What it is part of; `None` for the root.
    pub fn parent(self) -> Option<Self> {
        (self.at != 0).then(|| self.other(self.data().parent))
    }

    /// Its parts, in order.
    pub fn children(self) -> impl Iterator<Item = Self> {
        ChildNodes { next: self.other(self.at + 1), end: self.data().behind }
    }

    /// Its parts but words and signs, in order.
    pub fn named_children(self) -> impl Iterator<Item = Self> {
        self.children().filter(|child| child.data().kind != Kind::Token)
    }

    /// The part before it, words and signs included. Takes time with the number of parts before.
    pub fn prev_sibling(self) -> Option<Self> {
        self.parent()?.children().take_while(|n| *n != self).last()
    }

    /// It and everything in it, outer before inner, in order of position.
    pub fn descendants(self) -> impl Iterator<Item = Self> {
        (self.at..self.data().behind).map(move |at| self.other(at))
    }

    /// The first part.
    pub(super) fn first_child(self) -> Option<Self> {
        (self.at + 1 < self.data().behind).then(|| self.other(self.at + 1))
    }

    /// The part behind it in the same node. Constant time.
    pub(super) fn next_sibling(self) -> Option<Self> {
        let (behind, parent) = (self.data().behind, self.parent()?);
        (behind < parent.data().behind).then(|| self.other(behind))
    }
}

/// Whether a node with this number stands for text that is missing or not closed, or for several ways to read it.
fn recovers(symbol: u16) -> bool {
    use std::sync::LazyLock;
    static ALL: LazyLock<Box<[bool]>> = LazyLock::new(|| {
        let language = tree_sitter::Language::from(headwater_grammar::SQL);
        let count = u16::try_from(language.node_kind_count()).unwrap_or(ERROR);
        let is_it = |name: &str| {
            name.starts_with("missing_") || name.starts_with("unclosed_") || name == "query_alternatives"
        };
        (0..count).map(|id| language.node_kind_for_id(id).is_some_and(is_it)).collect()
    });
    ALL.get(usize::from(symbol)).copied().unwrap_or(false)
}

/// The name of a word or sign by its number.
fn word(symbol: u16) -> &'static str {
    use std::sync::LazyLock;
    static WORDS: LazyLock<Box<[Box<str>]>> = LazyLock::new(|| {
        let language = tree_sitter::Language::from(headwater_grammar::SQL);
        let count = u16::try_from(language.node_kind_count()).unwrap_or(ERROR);
        (0..count).map(|id| language.node_kind_for_id(id).unwrap_or_default().into()).collect()
    });
    WORDS.get(usize::from(symbol)).map_or("", |word| word)
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at && std::ptr::eq(self.tree, other.tree)
    }
}

impl Eq for Node<'_> {}

impl Hash for Node<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.at.hash(state);
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind(), self.byte_range())
    }
}

struct ChildNodes<'t> {
    /// May lie behind the last one.
    next: Node<'t>,
    end: u32,
}

impl<'t> Iterator for ChildNodes<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        let node = self.next;
        (node.at < self.end).then(|| {
            self.next = node.other(node.data().behind);
            node
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{parse, parse_raw};
    use super::*;

    /// The parser's tree beside ours, node by node.
    fn compare(text: &str) {
        let (raw, tree) = (parse_raw(text).expect("short"), parse(text).expect("short"));
        let mut cursor = raw.root_node().walk();
        let mut ours = Some(tree.root_node());
        assert_eq!(tree.has_error(), raw.root_node().has_error(), "{text}");
        while let Some(node) = ours {
            let theirs = cursor.node();
            assert_eq!(node.kind(), theirs.kind(), "{text}");
            assert_eq!(node.byte_range(), theirs.byte_range(), "{text}");
            assert_eq!(node.field_id(), cursor.field_id().map_or(0, u16::from), "{text}");
            assert_eq!(
                (node.is_error(), node.is_missing()),
                (theirs.is_error(), theirs.is_missing()),
                "{text}"
            );
            assert_eq!(node.named_children().count(), theirs.named_child_count(), "{text}");
            assert_eq!(node.children().count(), theirs.child_count() as usize, "{text}");
            assert_eq!(node.descendants().count(), theirs.descendant_count(), "{text}");
            assert_eq!(
                node.prev_sibling().map(Node::byte_range),
                theirs.prev_sibling().map(|n| n.byte_range()),
                "{text}"
            );
            ours = node.first_child();
            assert_eq!(ours.is_some(), cursor.goto_first_child());
            let mut at = node;
            while ours.is_none() {
                ours = at.next_sibling();
                assert_eq!(ours.is_some(), cursor.goto_next_sibling(), "{text}");
                let Some(parent) = at.parent().filter(|_| ours.is_none()) else { break };
                assert!(cursor.goto_parent());
                at = parent;
            }
        }
    }

    #[test]
    fn it_is_the_parser_s_tree() {
        for text in [
            "",
            "SELECT",
            "SELECT a + 1 AS b, c.^d FROM events -- end",
            "WITH e AS (SELECT * FROM f) SELECT quantile(0.9)(x) OVER (PARTITION BY y) FROM e LEFT JOIN t USING (a, b)",
            "SELECT (a FROM t WHERE",
            "SELECT {{x}} {% if a %} FROM b {% else %} FROM c {% end %}; SELECT 2",
            ")) SELECT 'open",
            "SELECT /* one */ a /* two */ , /* three */ b FROM t",
        ] {
            compare(text);
        }
    }
}
