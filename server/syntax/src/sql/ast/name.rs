//! Names: of columns, tables, aliases.

use std::borrow::Cow;

use text_size::TextRange;

use super::support::{AstNode, words};
use super::{
    AliasedExpression, ColumnRef, Cte, Expression, FunctionCall, Identifier, Name, ScalarCte, SelectItem,
    StringLiteral, TableFunction, TableName, TableRef,
};
use crate::Spanned;

impl<'t> Name<'t> {
    /// The name, unquoted, when it stands in the text; `None` when a template or a parameter makes it.
    pub fn plain(self, source: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Identifier(identifier) => Some(identifier.name(source)).filter(|name| !name.is_empty()),
            _ => None,
        }
    }

    fn spanned(self, source: &str) -> Option<Spanned<String>> {
        Some(Spanned::new(self.plain(source)?.into_owned(), self.range()))
    }
}

impl<'t> ColumnRef<'t> {
    /// The parts between the dots, unquoted; `None` when a template makes one of them, or one is missing.
    pub fn parts(self, source: &str) -> Option<Vec<Spanned<String>>> {
        // `a.^b` is a sub-object, which no list of names says.
        if self.is_special(source) {
            return None;
        }
        self.names().map(|name| name.spanned(source)).collect()
    }

    /// The same without places: the words are the text's own where they stand there as they are.
    pub fn path(self, source: &str) -> Option<Vec<Cow<'_, str>>> {
        if self.is_special(source) {
            return None;
        }
        self.names().map(|name| name.plain(source)).collect()
    }

    fn is_special(self, source: &str) -> bool {
        self.text(source).contains(['^', '@'])
            && self.names().any(|name| {
                let before = name.node().prev_sibling();
                before.is_some_and(|b| matches!(b.kind(), "^" | "@"))
            })
    }

    /// The name, when it has one part.
    pub fn single(self, source: &str) -> Option<Cow<'_, str>> {
        let mut names = self.names();
        let first = names.next()?;
        if names.next().is_some() { None } else { first.plain(source) }
    }
}

/// The name of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Table {
    /// What stands before the dot.
    pub database: Option<String>,
    /// The table's own name.
    pub name: String,
    /// The whole of it.
    pub range: TextRange,
}

impl TableName<'_> {
    /// The table, when no template and no parameter has a part in its name.
    pub fn plain(self, source: &str) -> Option<Table> {
        let name = Name::cast(self.table()?.node())?.plain(source)?.into_owned();
        let database = match self.database() {
            Some(database) => Some(Name::cast(database.node())?.plain(source)?.into_owned()),
            None => None,
        };
        Some(Table { database, name, range: self.range() })
    }
}

/// What gives a name to something: its place and the name, when that stands in the text.
macro_rules! named {
    ($($ty:ident $field:ident: $doc:literal)+) => {
        $(impl<'t> $ty<'t> {
            #[doc = $doc]
            pub fn plain_name(self, source: &str) -> Option<Spanned<String>> {
                Name::cast(self.$field()?.node())?.spanned(source)
            }
        })+
    };
}

named! {
    AliasedExpression alias: "The alias, unquoted."
    Cte name: "The name it defines, unquoted."
    FunctionCall name: "The function's name as written, unquoted."
    ScalarCte name: "The name it defines, unquoted."
    SelectItem alias: "The alias, unquoted."
    TableFunction name: "The function's name as written, unquoted."
    TableRef alias: "The alias, unquoted."
}

impl<'t> FunctionCall<'t> {
    /// The arguments that are expressions, in order.
    pub fn values(self) -> impl Iterator<Item = Expression<'t>> {
        self.arguments().into_iter().flat_map(|list| list.expressions())
    }

    /// The first argument's text, if it is a string.
    pub fn first_string(self) -> Option<StringLiteral<'t>> {
        match self.values().next()? {
            Expression::StringLiteral(string) => Some(string),
            _ => None,
        }
    }

    /// Whether its arguments are `DISTINCT`.
    pub fn is_distinct(self, source: &str) -> bool {
        self.arguments().is_some_and(|list| words(list.node(), source).next().as_deref() == Some("DISTINCT"))
    }
}

impl<'t> Expression<'t> {
    /// The expression without the parentheses and aliases around it. However many there are, they cost no stack.
    pub fn peeled(self) -> Self {
        let mut inner = self;
        loop {
            let next = match inner {
                Self::ParenthesizedExpression(parens) => parens.expression(),
                Self::AliasedExpression(aliased) => aliased.value(),
                _ => None,
            };
            match next {
                Some(next) => inner = next,
                None => return inner,
            }
        }
    }

    /// Whether text is missing or broken here, or made by a template: nothing can be said about its value.
    pub fn is_opaque(self) -> bool {
        matches!(
            self,
            Self::MissingOperand(_)
                | Self::UnclosedString(_)
                | Self::UnclosedTemplate(_)
                | Self::TemplateOutput(_)
                | Self::TemplateAlternative(_)
                | Self::TemplateHole(_)
                | Self::TemplateJuxtaposition(_)
        )
    }

    /// The identifier, if the expression is nothing but one.
    pub fn identifier(self) -> Option<Identifier<'t>> {
        let Self::ColumnRef(column) = self else { return None };
        let mut names = column.names();
        match (names.next()?, names.next()) {
            (Name::Identifier(identifier), None) => Some(identifier),
            _ => None,
        }
    }
}
