//! The SQL tree with types: one for every kind of node, enums where several kinds may stand, and an accessor for
//! every part.
//!
//! Types and accessors are generated from the grammar (`cargo xtask codegen`); what the engine makes of them is written
//! by hand in the files beside. A typed node is a tree-sitter node with a promise about its kind, as small and as
//! cheap to copy. The source text is not part of it: what reads text takes it as an argument.
//!
//! ```
//! use headwater_syntax::sql::{self, ast::{self, AstNode, SelectQuery}};
//!
//! let text = "SELECT a + 1 AS b FROM events";
//! let tree = sql::parse(text).unwrap();
//! let select = ast::descendants::<SelectQuery>(tree.root_node()).next().unwrap();
//! let item = select.select_list().unwrap().select_items().next().unwrap();
//! assert_eq!(item.alias().unwrap().text(text), "b");
//! ```

#[macro_use]
mod support;
#[rustfmt::skip]
mod generated;
mod walk;

pub use generated::*;
pub use support::{AstNode, Children, Fields, Node, Token, place, text, words};
pub use walk::{Event, Walk, descendants, nodes};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_the_parser_s() {
        let language = tree_sitter::Language::from(headwater_grammar::SQL);
        let count = u16::try_from(language.node_kind_count()).expect("few kinds");
        for id in 0..count {
            let kind = Kind::of_id(id);
            if language.node_kind_is_named(id) && language.node_kind_is_visible(id) {
                assert_eq!(Some(kind.name()), language.node_kind_for_id(id));
            } else {
                assert_eq!(kind, Kind::Token);
            }
        }
        for (kind, name) in Kind::ALL {
            assert_eq!(kind.name(), *name);
        }
    }
}
