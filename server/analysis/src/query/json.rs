//! Paths into JSON columns that a list of names does not say: `a.b.:Int64`, `a.b[].c`, `a.^b`.

use headwater_catalog::Type;
use headwater_syntax::TextRange;
use headwater_syntax::sql::ast::{AstNode, ColumnRef, Expression, TupleAccess};

use super::scope::{Analyzer, TermKind, Value, computed_from, hash};
use super::typing;

/// The engine's type of what `[]` reads out of a JSON column with the default limits: these go down with each level.
const ARRAY_OF_OBJECTS: &str = "Array(JSON(max_dynamic_types=16, max_dynamic_paths=256))";

/// A value by a path, and how the engine calls it.
pub(super) struct Subcolumn {
    value: Value,
    name: Option<String>,
}

impl<'t> Analyzer<'t> {
    /// The value of such a path; `None` when the expression is something else.
    pub(super) fn json_path(&mut self, expression: Expression<'t>) -> Option<Value> {
        if !is_path(expression) {
            return None;
        }
        let found = self.subcolumn(expression);
        if let Some(name) = found.name {
            let range = expression.range();
            match expression {
                Expression::ColumnRef(_) => {
                    self.column_names.insert(range.start().into(), name);
                }
                _ => {
                    self.paths.insert((range.start().into(), range.end().into()), name);
                }
            }
        }
        Some(found.value)
    }

    fn subcolumn(&mut self, expression: Expression<'t>) -> Subcolumn {
        self.deeper(|this| this.subcolumn_here(expression))
            .unwrap_or(Subcolumn { value: Value::unknown(), name: None })
    }

    fn subcolumn_here(&mut self, expression: Expression<'t>) -> Subcolumn {
        let range = expression.range();
        let unknown = || Subcolumn { value: Value::unknown(), name: None };
        match expression {
            Expression::ColumnRef(column) => match column.parts(self.text) {
                Some(_) => {
                    let value = self.column_ref(column);
                    Subcolumn { value, name: self.output_name(expression) }
                }
                None => self.object(column),
            },
            Expression::Subscript(subscript) => {
                let Some(of) = subscript.value() else { return unknown() };
                let of = self.subcolumn(of);
                let ty = match of.value.ty {
                    Some(Type::Dynamic(None)) => typing::parse(ARRAY_OF_OBJECTS),
                    _ => None,
                };
                let name = of.name.map(|name| format!("{name}.:`Array(JSON)`"));
                self.step(&of.value, name, ty, range)
            }
            Expression::TupleAccess(access) => {
                let Some(of) = access.value() else { return unknown() };
                let of = self.subcolumn(of);
                if let Some(ty) = access.ty() {
                    let written = ty.text(self.text).trim_matches('`');
                    let ty = typing::parse(written);
                    let name = ty.as_ref().zip(of.name).map(|(ty, name)| format!("{name}.:`{ty}`"));
                    let ty = ty.and_then(|ty| read_as(of.value.ty.as_ref()?, ty));
                    return self.step(&of.value, name, ty, range);
                }
                let Some(part) = plain_name(access, self.text) else { return unknown() };
                let ty = match &of.value.ty {
                    Some(Type::Array(element)) if matches!(**element, Type::Json(_)) => {
                        typing::parse("Array(Dynamic(max_types=16))")
                    }
                    Some(Type::Json(_)) => typing::parse("Dynamic"),
                    _ => None,
                };
                let name = of.name.map(|name| format!("{name}.{part}"));
                self.step(&of.value, name, ty, range)
            }
            _ => unknown(),
        }
    }

    /// `a.^b`: the object below a path, as JSON.
    fn object(&mut self, column: ColumnRef<'t>) -> Subcolumn {
        let unknown = Subcolumn { value: Value::unknown(), name: None };
        let names: Option<Vec<String>> =
            column.names().map(|name| name.plain(self.text).map(std::borrow::Cow::into_owned)).collect();
        let Some(names) = names.filter(|names| names.len() > 1) else { return unknown };
        let words: Vec<&str> = names.iter().map(String::as_str).collect();
        // The sign stands before one of the parts; what it is asked of are those before.
        let signed = column
            .names()
            .position(|name| name.node().prev_sibling().is_some_and(|before| before.kind() == "^"));
        let Some(at) = signed.filter(|at| *at > 0) else { return unknown };
        let end = column.names().nth(at - 1).map_or(column.range(), |name| name.range());
        let range = TextRange::new(column.range().start(), end.end());
        let of = self.name(&words[..at], range);
        let called = self.column_names.get(&usize::from(range.start())).cloned();
        let ty = of.ty.as_ref().filter(|ty| matches!(ty, Type::Json(json) if json.paths.is_empty())).cloned();
        let name = called.map(|called| format!("{called}.^`{}`", words[at..].join("`.`")));
        self.step(&of, name, ty, column.range())
    }

    fn step(&mut self, of: &Value, name: Option<String>, ty: Option<Type>, range: TextRange) -> Subcolumn {
        let key = match &name {
            Some(name) => hash(&("path", self.key(of.term), name)),
            None => self.unique(),
        };
        let term = self.term(TermKind::Call, key, vec![of.term], range);
        let sources = computed_from(std::iter::once(of));
        let value = Value { ty, constant: None, either: None, is_constant: of.is_constant, sources, term };
        Subcolumn { value, name }
    }
}

/// Whether an expression is a path with something in it that only JSON has.
fn is_path(expression: Expression<'_>) -> bool {
    let mut at = expression;
    let mut is_special = false;
    loop {
        at = match at {
            Expression::Subscript(subscript) if subscript.index().is_none() => {
                is_special = true;
                match subscript.value() {
                    Some(value) => value,
                    None => return false,
                }
            }
            Expression::TupleAccess(access) if access.index().is_none() => {
                is_special |= access.ty().is_some();
                match access.value() {
                    Some(value) => value,
                    None => return false,
                }
            }
            Expression::ColumnRef(column) => {
                return is_special
                    || column
                        .names()
                        .any(|name| name.node().prev_sibling().is_some_and(|before| before.kind() == "^"));
            }
            _ => return false,
        };
    }
}

fn plain_name(access: TupleAccess<'_>, text: &str) -> Option<String> {
    let name = headwater_syntax::sql::ast::Name::cast(access.name()?.node())?;
    Some(name.plain(text)?.into_owned())
}

/// The values of one type among those of any.
fn read_as(of: &Type, ty: Type) -> Option<Type> {
    match of {
        Type::Dynamic(_) if ty.may_be_nullable() => Some(ty.nullable()),
        Type::Dynamic(_) => match ty {
            Type::Json(_) => None,
            Type::Array(element) if matches!(*element, Type::Json(_)) => typing::parse(ARRAY_OF_OBJECTS),
            other => Some(other),
        },
        Type::Array(element) => read_as(element, ty).map(Type::array),
        _ => None,
    }
}
