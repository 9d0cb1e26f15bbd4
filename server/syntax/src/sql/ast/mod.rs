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
mod call;
mod literal;
mod name;
mod operators;
mod output;
mod query;
#[cfg(test)]
mod robust;
#[cfg(test)]
mod tests;
mod walk;

pub use call::{Argument, Call};
pub use generated::*;
pub use literal::{Literal, unquote};
pub use name::Table;
pub use output::{OutputName, Unnamed};
pub use query::{Branch, Definition, Place, SetKind, Source, definitions_at};
pub use support::{AstNode, Children, Fields, Node, Token, place, text, words};
pub use walk::{Event, Walk, descendants, nodes};
