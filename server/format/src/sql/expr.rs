//! Expressions.

use headwater_syntax::sql::ast::{Kind, Node};

use super::{Builder, keyword, kids};
use crate::doc::Doc;

/// Operators of one power, which make one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    Or,
    And,
    /// Not a chain: `a = b`.
    Compare,
    Concat,
    Add,
    Multiply,
}

fn power(node: Node<'_>) -> Power {
    let operator = kids(node).into_iter().skip(1).map(keyword).find(|word| !word.is_empty()).unwrap_or("");
    match operator {
        "OR" => Power::Or,
        "AND" => Power::And,
        "||" => Power::Concat,
        "+" | "-" => Power::Add,
        "*" | "/" | "%" | "DIV" => Power::Multiply,
        _ => Power::Compare,
    }
}

impl Builder<'_> {
    pub(super) fn binary(&mut self, node: Node<'_>) -> Doc {
        if power(node) == Power::Compare {
            return self.plain(node);
        }
        let (first, rest, broken) = self.chain(node);
        let rest = self.docs.concat(&rest);
        let rest = self.docs.indent(rest);
        let all = self.docs.concat(&[first, rest]);
        self.docs.group_if(all, broken)
    }

    /// A chain of one power: its first operand, what follows (breaks, operators, operands), and whether its author broke
    /// it.
    fn chain(&mut self, node: Node<'_>) -> (Doc, Vec<Doc>, bool) {
        let own = power(node);
        let logical = matches!(own, Power::Or | Power::And);
        // From the last link to the first: chains nest to the left.
        let mut links = Vec::new();
        let mut left = node;
        loop {
            let nodes = kids(left);
            let Some((first, rest)) = nodes.split_first() else { break };
            links.push(rest.to_vec());
            left = *first;
            if Kind::of(left) != Kind::BinaryExpression || power(left) != own {
                break;
            }
        }
        let first = self.node(left);
        let mut parts = Vec::new();
        let mut broken = false;
        for link in links.iter().rev() {
            parts.push(self.docs.line());
            for (n, part) in link.iter().enumerate() {
                broken |= logical && self.starts_line(*part);
                if n > 0 {
                    parts.push(self.docs.space());
                } else if logical {
                    parts.push(self.blank_before(*part));
                }
                parts.push(self.node(*part));
            }
        }
        (first, parts, broken)
    }

    /// An expression that has lines to itself: its parts, whose breaks are those of the group around it, and whether its
    /// author broke it.
    pub(super) fn body(&mut self, node: Node<'_>) -> (Vec<Doc>, bool) {
        match Kind::of(node) {
            Kind::BinaryExpression if power(node) != Power::Compare => {
                let (first, mut rest, broken) = self.chain(node);
                rest.insert(0, first);
                (rest, broken)
            }
            Kind::TemplateAlternative => {
                let mut parts = Vec::new();
                let mut broken = false;
                for branch in flat(node, Kind::TemplateAlternative) {
                    if self.is_empty(branch) {
                        continue;
                    }
                    if !parts.is_empty() {
                        parts.push(self.docs.line());
                        broken |= self.starts_line(branch);
                    }
                    let (mut inner, inner_broken) = self.body(branch);
                    parts.append(&mut inner);
                    broken |= inner_broken;
                }
                (parts, broken)
            }
            _ => (vec![self.node(node)], false),
        }
    }

    pub(super) fn alternative(&mut self, node: Node<'_>) -> Doc {
        let (parts, broken) = self.body(node);
        let all = self.docs.concat(&parts);
        self.docs.group_if(all, broken)
    }

    /// `( … )` around an expression or a query.
    pub(super) fn parenthesized(&mut self, node: Node<'_>) -> Doc {
        let nodes = kids(node);
        let [open, inner, close] = &*nodes else { return self.plain(node) };
        let open = self.leaf(*open);
        let (parts, broken) = self.body(*inner);
        let inner = self.docs.concat(&parts);
        let close = self.leaf(*close);
        self.bracketed(open, inner, close, broken)
    }

    pub(super) fn unary(&mut self, node: Node<'_>) -> Doc {
        let nodes = kids(node);
        let [operator, operand] = &*nodes else { return self.plain(node) };
        // `- -1`: without the blank it would be a comment.
        let next = self.leaves.all.get(self.leaves.at(operand.start_byte()));
        let sign = next.is_some_and(|leaf| {
            leaf.text.starts_with(['-', '+', '\u{2212}', '{']) || !leaf.leading.is_empty()
        });
        let spaced = keyword(*operator) == "NOT" || sign && next.is_some_and(|leaf| leaf.space_before);
        let operator = self.node(*operator);
        let operand = self.node(*operand);
        if spaced {
            let space = self.docs.space();
            self.docs.concat(&[operator, space, operand])
        } else {
            self.docs.concat(&[operator, operand])
        }
    }

    pub(super) fn ternary(&mut self, node: Node<'_>) -> Doc {
        let nodes = kids(node);
        let [condition, question, yes, colon, no] = &*nodes else { return self.plain(node) };
        let first = self.node(*condition);
        let mut rest = Vec::new();
        for (operator, value) in [(question, yes), (colon, no)] {
            rest.push(self.docs.line());
            rest.push(self.node(*operator));
            rest.push(self.docs.space());
            rest.push(self.node(*value));
        }
        let rest = self.docs.concat(&rest);
        let rest = self.docs.indent(rest);
        let all = self.docs.concat(&[first, rest]);
        self.docs.group(all)
    }

    /// Each WHEN on a line, unless all of it is on one.
    pub(super) fn case(&mut self, node: Node<'_>) -> Doc {
        let nodes = kids(node);
        let mut head = Vec::new();
        let mut arms = Vec::new();
        let mut end = Vec::new();
        let mut broken = false;
        let mut at = 0;
        while let Some(child) = nodes.get(at).copied() {
            at += 1;
            match (Kind::of(child), keyword(child)) {
                (Kind::When, _) => {
                    broken |= self.starts_line(child);
                    arms.push(self.docs.line());
                    arms.push(self.when(child));
                }
                (_, "ELSE") => {
                    broken |= self.starts_line(child);
                    arms.push(self.docs.line());
                    arms.push(self.node(child));
                    if let Some(value) = nodes.get(at) {
                        arms.push(self.docs.space());
                        arms.push(self.node(*value));
                        at += 1;
                    }
                }
                (_, "END") => {
                    end.push(self.docs.line());
                    end.push(self.node(child));
                }
                _ => {
                    if !head.is_empty() {
                        head.push(self.docs.space());
                    }
                    head.push(self.node(child));
                }
            }
        }
        let arms = self.docs.concat(&arms);
        head.push(self.docs.indent(arms));
        head.append(&mut end);
        let all = self.docs.concat(&head);
        self.docs.group_if(all, broken)
    }

    fn when(&mut self, node: Node<'_>) -> Doc {
        let nodes = kids(node);
        let [when, condition, then, result] = &*nodes else { return self.plain(node) };
        let when = self.node(*when);
        let condition = self.node(*condition);
        let then = self.node(*then);
        let result = self.node(*result);
        let (space, again, line) = (self.docs.space(), self.docs.space(), self.docs.line());
        let result = self.docs.concat(&[line, then, space, result]);
        let result = self.docs.indent(result);
        let all = self.docs.concat(&[when, again, condition, result]);
        self.docs.group(all)
    }
}

/// The links of a chain of `kind` in order.
pub(super) fn flat(node: Node<'_>, kind: Kind) -> Vec<Node<'_>> {
    let mut links = Vec::new();
    let mut left = node;
    while Kind::of(left) == kind {
        let nodes = kids(left);
        let Some((first, rest)) = nodes.split_first() else { break };
        links.extend(rest.iter().rev());
        left = *first;
    }
    links.push(left);
    links.reverse();
    links
}
