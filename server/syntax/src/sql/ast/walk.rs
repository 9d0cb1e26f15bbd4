//! Walks over whole trees with a cursor: depth costs no stack.

use tree_sitter::TreeCursor;

use super::support::{AstNode, Node};

/// A step of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'t> {
    /// A node, before what is in it.
    Enter(Node<'t>),
    /// The same node, behind what is in it.
    Leave(Node<'t>),
}

/// A walk over a node and everything in it, in order of position.
pub struct Walk<'t> {
    cursor: TreeCursor<'t>,
    /// What comes next.
    next: Option<Event<'t>>,
    depth: usize,
}

impl<'t> Walk<'t> {
    /// Starts at `node`.
    pub fn new(node: Node<'t>) -> Self {
        Self { cursor: node.walk(), next: Some(Event::Enter(node)), depth: 0 }
    }

    /// Passes over what is in the node entered last.
    pub fn skip_inside(&mut self) {
        if let Some(Event::Enter(_)) = self.next
            && self.depth > 0
        {
            self.cursor.goto_parent();
            self.depth -= 1;
            self.next = Some(Event::Leave(self.cursor.node()));
        }
    }

    fn behind(&mut self) -> Option<Event<'t>> {
        if self.depth == 0 {
            return None;
        }
        if self.cursor.goto_next_sibling() {
            return Some(Event::Enter(self.cursor.node()));
        }
        self.depth -= 1;
        self.cursor.goto_parent().then(|| Event::Leave(self.cursor.node()))
    }
}

impl<'t> Iterator for Walk<'t> {
    type Item = Event<'t>;

    fn next(&mut self) -> Option<Event<'t>> {
        let event = self.next?;
        self.next = match event {
            Event::Enter(_) if self.cursor.goto_first_child() => {
                self.depth += 1;
                Some(Event::Enter(self.cursor.node()))
            }
            Event::Enter(node) => Some(Event::Leave(node)),
            Event::Leave(_) => self.behind(),
        };
        Some(event)
    }
}

/// Every node at and below `node`, outer before inner.
pub fn nodes(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    Walk::new(node).filter_map(|event| match event {
        Event::Enter(node) => Some(node),
        Event::Leave(_) => None,
    })
}

/// Every `T` at and below `node`, outer before inner.
pub fn descendants<'t, T: AstNode<'t>>(node: Node<'t>) -> impl Iterator<Item = T> {
    nodes(node).filter_map(T::cast)
}

#[cfg(test)]
mod tests {
    use super::super::{FunctionCall, Kind};
    use super::*;
    use crate::sql::parse;

    #[test]
    fn what_is_entered_is_left() {
        let text = "SELECT f(g(1), 2) FROM t WHERE x IN (SELECT h(3))";
        let tree = parse(text).expect("parsed");
        let mut open = Vec::new();
        for event in Walk::new(tree.root_node()) {
            match event {
                Event::Enter(node) => open.push(node),
                Event::Leave(node) => assert_eq!(open.pop(), Some(node)),
            }
        }
        assert_eq!(open, []);
        let calls: Vec<_> = descendants::<FunctionCall<'_>>(tree.root_node()).map(|c| c.text(text)).collect();
        assert_eq!(calls, ["f(g(1), 2)", "g(1)", "h(3)"]);
    }

    #[test]
    fn a_skipped_node_is_left_at_once() {
        let tree = parse("SELECT f(g(1)), h(1)").expect("parsed");
        let mut walk = Walk::new(tree.root_node());
        let (mut calls, mut left) = (0, 0);
        while let Some(event) = walk.next() {
            match event {
                Event::Enter(node) if Kind::of(node) == Kind::FunctionCall => {
                    calls += 1;
                    walk.skip_inside();
                }
                Event::Leave(node) if Kind::of(node) == Kind::FunctionCall => left += 1,
                _ => {}
            }
        }
        assert_eq!((calls, left), (2, 2));
    }
}
