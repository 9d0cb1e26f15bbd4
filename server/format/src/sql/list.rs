//! Lists: between brackets, and behind the words of a clause.

use headwater_syntax::sql::ast::{AstNode, FunctionCall, Kind, Node};

use super::{Builder, keyword, kids};
use crate::doc::Doc;

/// Lists of so many literals are filled line by line.
const MANY: usize = 6;

/// The inside of a list.
pub(super) struct List {
    /// Items, commas, and breaks.
    pub(super) parts: Vec<Doc>,
    pub(super) items: usize,
    /// The author broke it.
    pub(super) broken: bool,
}

impl Builder<'_> {
    /// Items and commas. A list that its author broke between two items is broken between all of them, if `wishes` count.
    pub(super) fn list(
        &mut self,
        nodes: &[Node<'_>],
        mut item: impl FnMut(&mut Self, Node<'_>) -> Doc,
    ) -> List {
        // Where a branch supplies no item a tag stands for it, and that hangs on a word already.
        let nodes: Vec<_> = nodes.iter().copied().filter(|node| !self.is_empty(*node)).collect();
        let mut list = List { parts: Vec::new(), items: 0, broken: false };
        let mut behind_item = false;
        for (n, node) in nodes.iter().enumerate() {
            if keyword(*node) == "," {
                list.broken |= self.starts_line(*node);
                list.parts.push(self.leaf(*node));
                behind_item = false;
                if n + 1 < nodes.len() {
                    self.separate(*node, nodes[n + 1], &mut list.parts);
                    list.broken |= self.starts_line(nodes[n + 1]);
                }
                continue;
            }
            // The branches of a template, without a comma between them.
            if behind_item {
                list.parts.push(self.docs.line());
                list.broken |= self.starts_line(*node);
            }
            let doc = item(self, *node);
            list.parts.push(doc);
            list.items += 1;
            behind_item = true;
        }
        list
    }

    /// Whether there is no word in it.
    pub(super) fn is_empty(&self, node: Node<'_>) -> bool {
        self.leaves.at(node.start_byte()) == self.leaves.at(node.end_byte())
    }

    /// What stands between a comma and the next item.
    fn separate(&mut self, comma: Node<'_>, next: Node<'_>, parts: &mut Vec<Doc>) {
        // A comma that starts a line, behind a tag or a comment: the item follows on its line.
        if self.begins_with_line(comma) || self.follows_comment(comma) {
            parts.push(self.docs.space());
            return;
        }
        parts.push(self.docs.line());
        parts.push(self.blank_before(next));
    }

    /// `(…)`, `[…]`, `{…}`: on one line, or one item a line.
    pub(super) fn brackets(&mut self, node: Node<'_>) -> Doc {
        let kind = Kind::of(node);
        let nodes = kids(node);
        let ([first, inner @ ..], Some(last)) = (&nodes[..nodes.len().saturating_sub(1)], nodes.last())
        else {
            return self.plain(node);
        };
        let open = self.leaf(*first);
        let close = self.node(*last);
        if inner.is_empty() {
            return self.docs.concat(&[open, close]);
        }
        // Words before the first item, or between items: `DISTINCT`, `DAY FROM`, `FOR`.
        let words = inner.iter().any(|n| Kind::of(*n) == Kind::Token && keyword(*n) != ",");
        let items: Vec<_> = inner.iter().copied().filter(|n| keyword(*n) != ",").collect();
        let inner = if let ([one], false) = (&*items, words) {
            let (parts, broken) = self.body(*one);
            let mut parts = parts;
            // A comma behind the only item.
            for comma in inner.iter().filter(|n| keyword(**n) == ",") {
                parts.push(self.leaf(*comma));
            }
            let body = self.docs.concat(&parts);
            return self.bracketed(open, body, close, broken);
        } else if words {
            self.worded(kind, inner)
        } else if items.len() > MANY && items.iter().all(|n| is_literal(*n)) {
            self.filled(inner)
        } else if self.is_pairs(node, items.len()) {
            self.pairs(inner)
        } else {
            let list = self.list(inner, |builder, item| builder.node(item));
            self.docs.concat(&list.parts)
        };
        self.bracketed(open, inner, close, false)
    }

    /// Brackets around something, which goes to lines of its own if it does not fit.
    pub(super) fn bracketed(&mut self, open: Doc, inner: Doc, close: Doc, broken: bool) -> Doc {
        let start = self.docs.softline();
        let end = self.docs.softline();
        let inner = self.docs.concat(&[start, inner]);
        let inner = self.docs.indent(inner);
        let all = self.docs.concat(&[open, inner, end, close]);
        self.docs.group_if(all, broken)
    }

    fn worded(&mut self, parent: Kind, nodes: &[Node<'_>]) -> Doc {
        let mut parts = Vec::new();
        for (n, node) in nodes.iter().enumerate() {
            if n > 0 && keyword(nodes[n - 1]) == "," {
                parts.push(self.docs.line());
            } else if n > 0 && self.is_spaced(parent, *node) {
                parts.push(self.docs.space());
            }
            parts.push(self.node(*node));
        }
        self.docs.concat(&parts)
    }

    /// As many items on a line as fit.
    fn filled(&mut self, nodes: &[Node<'_>]) -> Doc {
        let mut parts = Vec::new();
        let mut piece = Vec::new();
        for node in nodes {
            if keyword(*node) == "," {
                piece.push(self.leaf(*node));
                let whole = self.docs.concat(&piece);
                parts.push(self.docs.group(whole));
                piece.clear();
                piece.push(self.docs.line());
            } else {
                piece.push(self.node(*node));
            }
        }
        let whole = self.docs.concat(&piece);
        parts.push(self.docs.group(whole));
        self.docs.concat(&parts)
    }

    /// `multiIf` and `transform`-like calls read as pairs: condition and value.
    fn is_pairs(&self, list: Node<'_>, items: usize) -> bool {
        let name = list.parent().and_then(FunctionCall::cast).and_then(FunctionCall::name);
        let name = name.map(|name| self.leaves.at(name.node().start_byte()));
        let name = name.and_then(|n| self.leaves.all.get(n)).map_or("", |leaf| &*leaf.text);
        items > 2 && matches!(name, "multiIf" | "map")
    }

    fn pairs(&mut self, nodes: &[Node<'_>]) -> Doc {
        let mut parts = Vec::new();
        let mut pair = Vec::new();
        let mut items = 0;
        for (n, node) in nodes.iter().enumerate() {
            if keyword(*node) != "," {
                pair.push(self.node(*node));
                items += 1;
                continue;
            }
            pair.push(self.leaf(*node));
            let more = n + 1 < nodes.len();
            if items % 2 == 1 && more {
                let line = self.docs.line();
                pair.push(line);
            } else if more {
                let whole = self.docs.concat(&pair);
                parts.push(self.docs.group(whole));
                parts.push(self.docs.line());
                pair.clear();
            }
        }
        let whole = self.docs.concat(&pair);
        parts.push(self.docs.group(whole));
        self.docs.concat(&parts)
    }

    /// `GROUP BY a, b`: the words of a clause, and a list on the same line or below them.
    pub(super) fn clause_list(&mut self, node: Node<'_>) -> Doc {
        let kind = Kind::of(node);
        let nodes = kids(node);
        // The words reach to the first item: for LIMIT … BY up to the word BY.
        let words = match kind {
            Kind::LimitByClause => {
                nodes.iter().position(|n| keyword(*n) == "BY").map_or(nodes.len(), |n| n + 1)
            }
            _ => nodes.iter().position(|n| !is_clause_word(*n)).unwrap_or(nodes.len()),
        };
        let (words, items) = nodes.split_at(words);
        let plain = items.iter().any(|n| matches!(keyword(*n), "(" | "NULLS" | "ALL"));
        if plain {
            return self.plain(node);
        }
        let head = self.plain_parts(kind, words);
        let head = self.docs.concat(&head);
        let list = self.list(items, |builder, item| builder.node(item));
        self.headed(head, &list, true)
    }

    /// Words and a list. One item stays on their line.
    pub(super) fn headed(&mut self, head: Doc, list: &List, wishes: bool) -> Doc {
        if list.items == 0 {
            return head;
        }
        let inner = self.docs.concat(&list.parts);
        if list.items == 1 && !self.docs.ends_line(head) {
            let space = self.docs.space();
            return self.docs.concat(&[head, space, inner]);
        }
        let line = self.docs.line();
        let inner = self.docs.concat(&[line, inner]);
        let inner = self.docs.indent(inner);
        let all = self.docs.concat(&[head, inner]);
        self.docs.group_if(all, wishes && list.broken)
    }
}

fn is_clause_word(node: Node<'_>) -> bool {
    Kind::of(node) == Kind::JoinKind
        || keyword(node).starts_with(|c: char| c.is_ascii_alphabetic()) && keyword(node) != "ALL"
}

fn is_literal(node: Node<'_>) -> bool {
    matches!(
        Kind::of(node),
        Kind::NumberLiteral
            | Kind::StringLiteral
            | Kind::NegativeNumber
            | Kind::NullLiteral
            | Kind::BooleanLiteral
            | Kind::EnumValue
    )
}
