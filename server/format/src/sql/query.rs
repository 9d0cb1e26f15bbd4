//! Queries and their clauses.

use headwater_syntax::sql::ast::{Kind, Node};

use super::expr::flat;
use super::{Builder, keyword, kids};
use crate::doc::Doc;

impl Builder<'_> {
    /// A SELECT: on one line if its author wrote it so and it fits, else a clause a line.
    pub(super) fn select(&mut self, node: Node<'_>) -> Doc {
        let nodes = kids(node);
        let mut parts = Vec::new();
        let mut broken = false;
        let mut at = 0;
        while let Some(child) = nodes.get(at).copied() {
            let first = at;
            at += 1;
            let doc = if keyword(child) == "SELECT" {
                while nodes.get(at).is_some_and(|n| is_select_part(*n)) {
                    at += 1;
                }
                self.select_head(&nodes[first..at])
            } else {
                self.node(child)
            };
            if first > 0 {
                broken |= self.starts_line(child);
                parts.push(self.docs.line());
                parts.push(self.blank_before(child));
            }
            if Kind::of(child) == Kind::FromClause {
                broken |= kids(child).iter().any(|n| Kind::of(*n) == Kind::Join && self.starts_line(*n));
            }
            parts.push(doc);
        }
        let all = self.docs.concat(&parts);
        self.docs.group_if(all, broken)
    }

    fn select_head(&mut self, nodes: &[Node<'_>]) -> Doc {
        let (list, words): (Vec<Node<'_>>, Vec<Node<'_>>) =
            nodes.iter().partition(|n| Kind::of(**n) == Kind::SelectList);
        let words = self.plain_parts(Kind::SelectQuery, &words);
        let head = self.docs.concat(&words);
        let Some(list) = list.first() else { return head };
        let list = self.list(&kids(*list), |builder, item| builder.node(item));
        self.headed(head, &list, true)
    }

    /// Queries with UNION and the like between them, each on lines of its own.
    pub(super) fn set_operation(&mut self, node: Node<'_>) -> Doc {
        let mut parts = Vec::new();
        let mut broken = false;
        let mut in_words = false;
        for (n, child) in flat(node, Kind::SetOperation).into_iter().enumerate() {
            let word = Kind::of(child) == Kind::Token;
            if n > 0 && in_words && word {
                parts.push(self.docs.space());
            } else if n > 0 {
                broken |= self.starts_line(child);
                parts.push(self.docs.line());
                parts.push(self.blank_before(child));
            }
            in_words = word;
            parts.push(self.node(child));
        }
        let all = self.docs.concat(&parts);
        self.docs.group_if(all, broken)
    }

    /// The branches of a template, each a query.
    pub(super) fn alternatives(&mut self, node: Node<'_>) -> Doc {
        let mut parts = Vec::new();
        for (n, child) in flat(node, Kind::QueryAlternatives).into_iter().enumerate() {
            if n > 0 {
                parts.push(self.docs.line());
            }
            parts.push(self.node(child));
        }
        let all = self.docs.concat(&parts);
        self.docs.group(all)
    }

    /// What stands around a query: outputs before it, EXPLAIN, SETTINGS behind it.
    pub(super) fn statement(&mut self, node: Node<'_>) -> Doc {
        let kind = Kind::of(node);
        let mut parts = Vec::new();
        for (n, child) in kids(node).into_iter().enumerate() {
            let own_line = self.starts_line(child)
                || kind == Kind::Statement
                    && matches!(Kind::of(child), Kind::SettingsClause | Kind::FormatClause);
            if n > 0 && own_line && self.is_spaced(kind, child) {
                let breaks = if self.starts_line(child) { self.docs.hard() } else { self.docs.line() };
                parts.push(breaks);
                parts.push(self.blank_before(child));
            } else if n > 0 && self.is_spaced(kind, child) {
                parts.push(self.docs.space());
            }
            parts.push(self.node(child));
        }
        let all = self.docs.concat(&parts);
        self.docs.group(all)
    }

    pub(super) fn with_clause(&mut self, node: Node<'_>) -> Doc {
        let nodes = kids(node);
        let words =
            nodes.iter().position(|n| !matches!(keyword(*n), "WITH" | "RECURSIVE")).unwrap_or(nodes.len());
        let (words, items) = nodes.split_at(words);
        let head = self.plain_parts(Kind::WithClause, words);
        let head = self.docs.concat(&head);
        let list = self.list(items, |builder, item| builder.node(item));
        self.headed(head, &list, true)
    }

    /// FROM with its tables. The breaks before joins are those of the query.
    pub(super) fn tables(&mut self, node: Node<'_>) -> Doc {
        let mut parts = Vec::new();
        let mut behind_table = false;
        for (n, child) in kids(node).into_iter().enumerate() {
            match (Kind::of(child), keyword(child)) {
                (Kind::Join | Kind::ArrayJoin, _) => {
                    parts.push(self.docs.line());
                    parts.push(self.blank_before(child));
                }
                (_, ",") => {}
                (Kind::TableRef, _) if behind_table => parts.push(self.docs.line()),
                _ if n > 0 => parts.push(self.docs.space()),
                _ => {}
            }
            behind_table = Kind::of(child) == Kind::TableRef;
            let doc = self.node(child);
            // Tables between tags are below the word.
            let below = behind_table && self.begins_with_line(child);
            parts.push(if below { self.docs.indent(doc) } else { doc });
        }
        self.docs.concat(&parts)
    }

    pub(super) fn join(&mut self, node: Node<'_>) -> Doc {
        let nodes = kids(node);
        let condition = nodes.iter().position(|n| keyword(*n) == "ON").unwrap_or(nodes.len());
        let (table, condition) = nodes.split_at(condition);
        let mut parts = self.plain_parts(Kind::Join, table);
        if let [on, condition] = condition {
            let on = self.leaf(*on);
            let (body, broken) = self.body(*condition);
            let body = self.docs.concat(&body);
            let (line, space) = (self.docs.line(), self.docs.space());
            let all = self.docs.concat(&[line, on, space, body]);
            let all = self.docs.indent(all);
            parts.push(self.docs.group_if(all, broken));
        } else {
            parts.extend(self.plain_parts(Kind::Join, condition));
        }
        self.docs.concat(&parts)
    }

    /// WHERE and its like: a condition of several terms goes below the word when it does not fit beside it.
    pub(super) fn condition(&mut self, node: Node<'_>) -> Doc {
        let nodes = kids(node);
        let [word, condition] = &*nodes else { return self.plain(node) };
        let word = self.leaf(*word);
        let (parts, broken) = self.body(*condition);
        let body = self.docs.concat(&parts);
        if parts.len() == 1 && !self.docs.ends_line(word) {
            let space = self.docs.space();
            return self.docs.concat(&[word, space, body]);
        }
        let line = self.docs.line();
        let body = self.docs.concat(&[line, body]);
        let body = self.docs.indent(body);
        let all = self.docs.concat(&[word, body]);
        self.docs.group_if(all, broken)
    }

    /// `OVER (…)`: its parts on one line, or a line each.
    pub(super) fn window(&mut self, node: Node<'_>) -> Doc {
        let nodes = kids(node);
        let ([open, inner @ ..], Some(close)) = (&nodes[..nodes.len().saturating_sub(1)], nodes.last())
        else {
            return self.plain(node);
        };
        let open = self.leaf(*open);
        let close = self.leaf(*close);
        if inner.is_empty() {
            return self.docs.concat(&[open, close]);
        }
        let mut parts = Vec::new();
        for (n, part) in inner.iter().enumerate() {
            let begins = matches!(Kind::of(*part), Kind::OrderByClause | Kind::WindowFrame)
                || keyword(*part) == "PARTITION";
            if n > 0 && begins {
                parts.push(self.docs.line());
            } else if n > 0 && self.is_spaced(Kind::WindowSpecification, *part) {
                parts.push(self.docs.space());
            }
            parts.push(self.node(*part));
        }
        let inner = self.docs.concat(&parts);
        self.bracketed(open, inner, close, false)
    }
}

fn is_select_part(node: Node<'_>) -> bool {
    matches!(Kind::of(node), Kind::DistinctClause | Kind::TopClause | Kind::SelectList)
}
