//! What every typed node can do, and how accessors find their way.

use std::marker::PhantomData;

pub use crate::sql::tree::Node;
use text_size::TextRange;

use super::generated::{KINDS, Kind};

impl Kind {
    /// The kind of a node.
    pub fn of(node: Node<'_>) -> Self {
        node.known_kind()
    }

    pub(in crate::sql) fn of_id(id: u16) -> Self {
        // Tree-sitter numbers its error nodes so.
        if id == u16::MAX {
            return Self::Error;
        }
        KINDS.get(usize::from(id)).copied().unwrap_or(Self::Token)
    }

    /// The grammar's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            // Behind these two the variants have the order of the table.
            _ => (self as usize).checked_sub(2).and_then(|n| Self::ALL.get(n)).map_or("", |(_, name)| name),
        }
    }
}

/// A node of a known kind, or of one of a few. It is as cheap as the node itself.
///
/// Every accessor works on every tree, however broken: what is not there, or is not what it should be, is `None`.
pub trait AstNode<'t>: Copy {
    /// Whether nodes of this kind are of this type.
    fn can_cast(kind: Kind) -> bool;

    /// The node as this type, if it is one.
    fn cast(node: Node<'t>) -> Option<Self>;

    /// The node itself.
    fn node(self) -> Node<'t>;

    /// What kind of node it is.
    fn syntax(self) -> Kind {
        Kind::of(self.node())
    }

    /// Where it stands.
    fn range(self) -> TextRange {
        place(self.node())
    }

    /// Its text, if `source` is what was parsed.
    fn text(self, source: &str) -> &str {
        text(self.node(), source)
    }

    /// The closest node around it of type `T`.
    fn ancestor<T: AstNode<'t>>(self) -> Option<T> {
        let mut node = self.node();
        loop {
            node = node.parent()?;
            if let Some(found) = T::cast(node) {
                return Some(found);
            }
        }
    }
}

/// The place of a node.
pub fn place(node: Node<'_>) -> TextRange {
    crate::range(node.start_byte(), node.end_byte())
}

/// The text of a node; empty if `source` is not what was parsed.
pub fn text<'s>(node: Node<'_>, source: &'s str) -> &'s str {
    source.get(node.byte_range()).unwrap_or_default()
}

/// Defines a type for one kind.
macro_rules! ast_node {
    ($(#[$doc:meta])* $name:ident = $kind:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name<'t>(Node<'t>);

        impl<'t> AstNode<'t> for $name<'t> {
            fn can_cast(kind: Kind) -> bool {
                kind == Kind::$kind
            }

            fn cast(node: Node<'t>) -> Option<Self> {
                Self::can_cast(Kind::of(node)).then_some(Self(node))
            }

            fn node(self) -> Node<'t> {
                self.0
            }
        }
    };
}

/// Defines a type for one of several kinds.
macro_rules! ast_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $($kind:ident)+,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name<'t> {
            $($(#[$variant_doc])* $variant($variant<'t>),)+
        }

        impl<'t> AstNode<'t> for $name<'t> {
            fn can_cast(kind: Kind) -> bool {
                matches!(kind, $($(Kind::$kind)|+)|+)
            }

            fn cast(node: Node<'t>) -> Option<Self> {
                match Kind::of(node) {
                    $($(Kind::$kind)|+ => $variant::cast(node).map(Self::$variant),)+
                    _ => None,
                }
            }

            fn node(self) -> Node<'t> {
                match self {
                    $(Self::$variant(inner) => inner.node(),)+
                }
            }
        }

        $(impl<'t> From<$variant<'t>> for $name<'t> {
            fn from(inner: $variant<'t>) -> Self {
                Self::$variant(inner)
            }
        })+
    };
}

/// A word or sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token<'t>(Node<'t>);

impl<'t> Token<'t> {
    /// The node itself.
    pub fn node(self) -> Node<'t> {
        self.0
    }

    /// The word in capitals, or the sign, as the grammar has it.
    pub fn word(self) -> &'t str {
        self.0.kind()
    }

    /// Where it stands.
    pub fn range(self) -> TextRange {
        place(self.0)
    }
}

/// The first node of a field that is a `T`.
pub(super) fn field<'t, T: AstNode<'t>>(node: Node<'t>, id: u16) -> Option<T> {
    Fields::new(node, id).next()
}

/// The first word or sign of a field.
pub(super) fn token(node: Node<'_>, id: u16) -> Option<Token<'_>> {
    node.children().find(|child| child.field_id() == id).map(Token)
}

/// Every word and sign of a field.
pub(super) fn tokens<'t>(node: Node<'t>, id: u16) -> impl Iterator<Item = Token<'t>> + 't {
    node.children().filter(move |child| child.field_id() == id).map(Token)
}

/// The first child outside of fields that is a `T`.
pub(super) fn child<'t, T: AstNode<'t>>(node: Node<'t>) -> Option<T> {
    Children::new(node).next()
}

/// The children that are a `T`, in order.
pub struct Children<'t, T> {
    next: Option<Node<'t>>,
    /// Whether those in fields count.
    with_fields: bool,
    of: PhantomData<T>,
}

impl<'t, T: AstNode<'t>> Children<'t, T> {
    pub(super) fn new(node: Node<'t>) -> Self {
        Self { next: node.first_child(), with_fields: false, of: PhantomData }
    }

    /// Those of any node, in fields or not.
    pub fn of(node: Node<'t>) -> Self {
        Self::all(node)
    }

    /// Those in fields as well.
    pub(super) fn all(node: Node<'t>) -> Self {
        Self { with_fields: true, ..Self::new(node) }
    }
}

impl<'t, T: AstNode<'t>> Iterator for Children<'t, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        while let Some(node) = self.next {
            self.next = node.next_sibling();
            if (self.with_fields || node.field_id() == 0)
                && let Some(found) = T::cast(node)
            {
                return Some(found);
            }
        }
        None
    }
}

/// The nodes of a field that are a `T`, in order.
pub struct Fields<'t, T> {
    next: Option<Node<'t>>,
    id: u16,
    of: PhantomData<T>,
}

impl<'t, T: AstNode<'t>> Fields<'t, T> {
    pub(super) fn new(node: Node<'t>, id: u16) -> Self {
        Self { next: node.first_child(), id, of: PhantomData }
    }
}

impl<'t, T: AstNode<'t>> Iterator for Fields<'t, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        while let Some(node) = self.next {
            self.next = node.next_sibling();
            // A field with several nodes may have commas and the like among them.
            if node.field_id() == self.id
                && let Some(found) = T::cast(node)
            {
                return Some(found);
            }
        }
        None
    }
}

/// The words of a node that stand directly in it, in capitals: `LEFT JOIN` is `LEFT`, `JOIN`. Words count whether the
/// grammar has them as tokens or as nodes of their own without fields, such as the kind of a join.
pub fn words(node: Node<'_>, source: &str) -> impl Iterator<Item = String> {
    node.children().filter(|child| child.named_children().next().is_none()).filter_map(move |node| {
        let is_literal = matches!(
            Kind::of(node),
            Kind::Identifier
                | Kind::StringLiteral
                | Kind::NumberLiteral
                | Kind::TemplateOutput
                | Kind::Comment
        );
        let word = text(node, source);
        (!is_literal && word.starts_with(|c: char| c.is_ascii_alphabetic()))
            .then(|| word.to_ascii_uppercase())
    })
}
