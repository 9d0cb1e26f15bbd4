//! Walks over whole trees: depth costs no stack.

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
    top: Node<'t>,
    /// What comes next.
    next: Option<Event<'t>>,
}

impl<'t> Walk<'t> {
    /// Starts at `node`.
    pub fn new(node: Node<'t>) -> Self {
        Self { top: node, next: Some(Event::Enter(node)) }
    }

    /// Passes over what is in the node entered last.
    pub fn skip_inside(&mut self) {
        if let Some(Event::Enter(node)) = self.next
            && node != self.top
        {
            self.next = node.parent().map(Event::Leave);
        }
    }
}

impl<'t> Iterator for Walk<'t> {
    type Item = Event<'t>;

    fn next(&mut self) -> Option<Event<'t>> {
        let event = self.next?;
        self.next = match event {
            Event::Enter(node) => Some(node.first_child().map_or(Event::Leave(node), Event::Enter)),
            Event::Leave(node) if node == self.top => None,
            Event::Leave(node) => {
                node.next_sibling().map(Event::Enter).or_else(|| node.parent().map(Event::Leave))
            }
        };
        Some(event)
    }
}

/// Every node at and below `node`, outer before inner.
pub fn nodes(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    node.descendants()
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
