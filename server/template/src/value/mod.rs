//! Values of expressions, with Python's notions of truth, equality and order.
//!
//! Values are trees without cycles: a method that changes a list changes the copy that a variable holds, so no list can
//! hold itself. Their depth is bounded where they are made, so they can be walked and dropped by recursion.

mod collections;
mod compare;
mod format;
mod items;
mod json;
mod methods;
mod number;
mod repr;
mod strings;

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::Zero;

pub(crate) use collections::{change, set_item, slice, subscript};
pub(crate) use compare::{compare, equal, order};
pub(crate) use format::{as_float, percent};
pub use items::{Dict, Items};
pub(crate) use items::{dict, key_of, list, set, tuple};
pub(crate) use methods::{method, sorted};
pub(crate) use number::{binary, fits, number, parse_float, parse_int, power, sign, truncate_to_int};
pub(crate) use repr::{float_repr, repr, repr_for_query, str_of};

use crate::error::Stop;
use crate::limits::Meter;

/// A value of an expression, or of a request's parameter.
#[derive(Debug, Clone)]
pub enum Value {
    /// `None`; a parameter that is not passed.
    None,
    /// `True` and `False`.
    Bool(bool),
    /// A whole number of any size.
    Int(Int),
    /// A floating-point number.
    Float(Float),
    /// A text, printed as a quoted literal.
    Str(Arc<str>),
    /// A text that is SQL already, and printed as it is.
    Sql(Arc<str>),
    /// `[…]`
    List(Arc<Items>),
    /// `(…)`
    Tuple(Arc<Items>),
    /// `{…}` without values, in order of insertion.
    Set(Arc<Dict>),
    /// `{key: value}`, in order of insertion.
    Dict(Arc<Dict>),
}

/// A whole number, and the type function it came from: `toInt32('5')` is printed for that of `Int32`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Int {
    /// The number.
    pub value: BigInt,
    /// `Int8` to `UInt256`; `None` for the result of a calculation, and for `Int`.
    pub ty: Option<&'static str>,
}

/// A floating-point number, and the type function it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Float {
    /// The number.
    pub value: f64,
    /// `Float32` or `Float64`; `None` for the result of a calculation.
    pub ty: Option<&'static str>,
}

impl Value {
    /// A text, as a query string passes it.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Str(text.into())
    }

    /// A whole number.
    pub fn int(value: impl Into<BigInt>) -> Self {
        Self::Int(Int { value: value.into(), ty: None })
    }

    /// A floating-point number.
    pub fn float(value: f64) -> Self {
        Self::Float(Float { value, ty: None })
    }

    /// A list, as a repeated key of a query string makes it.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(Items::new(items)))
    }

    /// A value of a JSON body. Numbers that are no 64-bit integers become floating-point numbers.
    ///
    /// # Errors
    ///
    /// When `text` is no JSON, or nests more than 128 deep.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The value as JSON text. Numbers without an equal in JSON become `null`.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(crate) fn sql(text: impl Into<Arc<str>>) -> Self {
        Self::Sql(text.into())
    }

    pub(crate) fn count(n: usize) -> Self {
        Self::int(n)
    }

    /// What Python takes for true.
    pub(crate) fn truth(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(b) => *b,
            Self::Int(n) => !n.value.is_zero(),
            Self::Float(x) => x.value != 0.0,
            Self::Str(text) | Self::Sql(text) => !text.is_empty(),
            Self::List(items) | Self::Tuple(items) => !items.is_empty(),
            Self::Set(dict) | Self::Dict(dict) => !dict.is_empty(),
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) | Self::Sql(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number that it is in a calculation.
    pub(crate) fn as_int(&self) -> Option<BigInt> {
        match self {
            Self::Int(n) => Some(n.value.clone()),
            Self::Bool(b) => Some(BigInt::from(u8::from(*b))),
            _ => None,
        }
    }

    /// Python's name of its type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) | Self::Sql(_) => "str",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Set(_) => "set",
            Self::Dict(_) => "dict",
        }
    }

    /// How many levels of lists it has.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::List(items) | Self::Tuple(items) => items.depth(),
            Self::Set(dict) | Self::Dict(dict) => dict.depth(),
            _ => 0,
        }
    }

    /// The items that a loop over it takes; `None` for what cannot be looped over. O(length).
    pub(crate) fn iterate(&self, meter: &Meter<'_>) -> Result<Option<Vec<Self>>, Stop> {
        Ok(Some(match self {
            Self::Str(text) | Self::Sql(text) => {
                meter.items(text.chars().count())?;
                let mut buffer = [0; 4];
                text.chars().map(|c| Self::text(&*c.encode_utf8(&mut buffer))).collect()
            }
            Self::List(items) | Self::Tuple(items) => {
                meter.items(items.len())?;
                items.to_vec()
            }
            Self::Set(dict) | Self::Dict(dict) => {
                meter.items(dict.len())?;
                dict.iter().map(|(key, _)| key.clone()).collect()
            }
            _ => return Ok(None),
        }))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::int(n)
    }
}

#[cfg(test)]
mod tests;
