//! ClickHouse types as values.

mod display;
mod names;
mod parse;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use names::{family, is_family};
pub(crate) use parse::variant;
pub use parse::{MAX_DEPTH, TypeError};

use crate::Constant;

/// A type of the engine. Cloning copies at most a pointer.
///
/// [`Type::parse`] reads every spelling that the engine accepts; [`Display`](std::fmt::Display) prints the one that it
/// prints itself, on one line. Two types are equal when these prints are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "variants that carry nothing are named as the engine names them")]
pub enum Type {
    /// The type of no value: of the elements of `[]`, and inside `Nullable` of `NULL`.
    Nothing,
    Bool,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    UInt128,
    UInt256,
    Int8,
    Int16,
    Int32,
    Int64,
    Int128,
    Int256,
    BFloat16,
    Float32,
    Float64,
    /// Digits in all, and behind the point.
    Decimal(u8, u8),
    String,
    /// Length in bytes.
    FixedString(u64),
    Date,
    Date32,
    Time,
    /// Digits behind the second.
    Time64(u8),
    /// Time zone, when one is named.
    DateTime(Option<Arc<str>>),
    /// Digits behind the second; time zone, when one is named.
    DateTime64(u8, Option<Arc<str>>),
    Interval(Unit),
    /// Names with their values, in the order of values.
    Enum8(Arc<[(Arc<str>, i16)]>),
    /// Names with their values, in the order of values.
    Enum16(Arc<[(Arc<str>, i16)]>),
    Uuid,
    Ipv4,
    Ipv6,
    Nullable(Arc<Type>),
    LowCardinality(Arc<Type>),
    Array(Arc<Type>),
    /// Key and value.
    Map(Arc<(Type, Type)>),
    Tuple(Arc<[Element]>),
    Nested(Arc<[Element]>),
    /// In the order of their names.
    Variant(Arc<[Type]>),
    /// How many types it keeps apart, when that is said.
    Dynamic(Option<u8>),
    Json(Arc<Json>),
    AggregateFunction(Arc<Aggregate>),
    SimpleAggregateFunction(Arc<Aggregate>),
    Geo(Geo),
    /// Element type, dimension, and stride when one is given.
    QBit(Arc<Type>, u64, Option<u64>),
}

/// One element of a tuple or of a nested structure. Either all elements have names or none has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Element {
    /// Its name.
    pub name: Option<Arc<str>>,
    /// Its type.
    pub ty: Type,
}

/// What an `AggregateFunction` or `SimpleAggregateFunction` type names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Aggregate {
    /// The version of the state's layout, for functions that have several.
    pub version: Option<u64>,
    /// The function with its combinators, by its canonical name.
    pub function: Arc<str>,
    /// Its parameters, `quantile(0.9)`.
    pub parameters: Arc<[Constant]>,
    /// Types of its arguments; of a `SimpleAggregateFunction` the one type that is stored.
    pub arguments: Arc<[Type]>,
}

/// What a `JSON` type declares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Json {
    /// `max_dynamic_types`, when it is not the default.
    pub max_dynamic_types: Option<u64>,
    /// `max_dynamic_paths`, when it is not the default.
    pub max_dynamic_paths: Option<u64>,
    /// Paths with types, in the order of paths.
    pub paths: Arc<[(Arc<str>, Type)]>,
    /// `SKIP path`, in the order of paths.
    pub skip: Arc<[Arc<str>]>,
    /// `SKIP REGEXP 'expression'`, in the order written.
    pub skip_regexps: Arc<[Arc<str>]>,
}

/// Named shapes on a plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "named as the engine names them")]
pub enum Geo {
    Point,
    Ring,
    LineString,
    MultiLineString,
    Polygon,
    MultiPolygon,
    Geometry,
}

impl Geo {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Point,
        Self::Ring,
        Self::LineString,
        Self::MultiLineString,
        Self::Polygon,
        Self::MultiPolygon,
        Self::Geometry,
    ];

    /// The engine's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Point => "Point",
            Self::Ring => "Ring",
            Self::LineString => "LineString",
            Self::MultiLineString => "MultiLineString",
            Self::Polygon => "Polygon",
            Self::MultiPolygon => "MultiPolygon",
            Self::Geometry => "Geometry",
        }
    }

    /// The type that it is a name for; `None` for `Geometry`, which is a choice of the others.
    pub fn structure(self) -> Option<Type> {
        let of = |geo: Self| Type::array(Type::Geo(geo));
        match self {
            Self::Point => Some(Type::tuple([Type::Float64, Type::Float64])),
            Self::Ring | Self::LineString => Some(of(Self::Point)),
            Self::MultiLineString => Some(of(Self::LineString)),
            Self::Polygon => Some(of(Self::Ring)),
            Self::MultiPolygon => Some(of(Self::Polygon)),
            Self::Geometry => None,
        }
    }
}

/// Units of intervals, finest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "units of time")]
pub enum Unit {
    Nanosecond,
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    /// All of them, finest first.
    pub const ALL: [Self; 11] = [
        Self::Nanosecond,
        Self::Microsecond,
        Self::Millisecond,
        Self::Second,
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
    ];

    /// The name inside the type's: `Day` of `IntervalDay`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nanosecond => "Nanosecond",
            Self::Microsecond => "Microsecond",
            Self::Millisecond => "Millisecond",
            Self::Second => "Second",
            Self::Minute => "Minute",
            Self::Hour => "Hour",
            Self::Day => "Day",
            Self::Week => "Week",
            Self::Month => "Month",
            Self::Quarter => "Quarter",
            Self::Year => "Year",
        }
    }
}

impl Type {
    /// Reads a type as the engine does: aliases, any case where the engine takes any, arguments, comments.
    ///
    /// # Errors
    ///
    /// What the engine refuses, and nesting beyond [`MAX_DEPTH`]. Linear in the text.
    pub fn parse(text: &str) -> Result<Self, TypeError> {
        parse::parse(text)
    }

    /// `Array(element)`.
    pub fn array(element: Self) -> Self {
        Self::Array(Arc::new(element))
    }

    /// `Map(key, value)`.
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Arc::new((key, value)))
    }

    /// A tuple without names.
    pub fn tuple(elements: impl IntoIterator<Item = Self>) -> Self {
        Self::Tuple(elements.into_iter().map(|ty| Element { name: None, ty }).collect())
    }

    /// The type of `NULL`.
    pub fn null() -> Self {
        Self::Nullable(Arc::new(Self::Nothing))
    }

    /// `Nullable(self)`, or `self` where that is not a type (arrays, maps) or is one already.
    #[must_use]
    pub fn nullable(self) -> Self {
        match self {
            Self::LowCardinality(inner) => Self::LowCardinality(Arc::new(inner.as_ref().clone().nullable())),
            ty if ty.may_be_nullable() => Self::Nullable(Arc::new(ty)),
            ty => ty,
        }
    }

    /// `LowCardinality(self)`, or `self` where that is not a type or is one already.
    #[must_use]
    pub fn low_cardinality(self) -> Self {
        if self.may_be_low_cardinality() { Self::LowCardinality(Arc::new(self)) } else { self }
    }

    /// Whether `Nullable(self)` is a type.
    pub fn may_be_nullable(&self) -> bool {
        !matches!(
            self,
            Self::Nullable(_)
                | Self::LowCardinality(_)
                | Self::Array(_)
                | Self::Map(_)
                | Self::Nested(_)
                | Self::Variant(_)
                | Self::Dynamic(_)
                | Self::AggregateFunction(_)
                | Self::Geo(_)
                | Self::QBit(..)
        )
    }

    /// Whether `LowCardinality(self)` is a type.
    pub fn may_be_low_cardinality(&self) -> bool {
        match self {
            Self::Nullable(inner) => inner.may_be_low_cardinality(),
            Self::SimpleAggregateFunction(a) => a.arguments.first().is_some_and(Self::may_be_low_cardinality),
            Self::String
            | Self::FixedString(_)
            | Self::Date
            | Self::Date32
            | Self::Time
            | Self::DateTime(_)
            | Self::Uuid
            | Self::Ipv4
            | Self::Ipv6
            | Self::Interval(_)
            | Self::Bool => true,
            ty => ty.is_integer() || ty.is_float(),
        }
    }

    /// Whether a value may be `NULL` by `Nullable`, through `LowCardinality` and `SimpleAggregateFunction`.
    pub fn is_nullable(&self) -> bool {
        match self {
            Self::Nullable(_) => true,
            Self::SimpleAggregateFunction(a) => a.arguments.first().is_some_and(Self::is_nullable),
            Self::LowCardinality(inner) => matches!(**inner, Self::Nullable(_)),
            _ => false,
        }
    }

    /// Whether it is the type of `NULL` itself.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Nullable(inner) if **inner == Self::Nothing)
    }

    /// Without `LowCardinality` outside.
    pub fn without_low_cardinality(&self) -> &Self {
        match self {
            Self::LowCardinality(inner) => inner,
            ty => ty,
        }
    }

    /// Without `LowCardinality` and `Nullable` outside, and without the name of `SimpleAggregateFunction` around these.
    pub fn bare(&self) -> &Self {
        match self.without_low_cardinality() {
            Self::Nullable(inner) => inner,
            Self::SimpleAggregateFunction(a) if self.is_nullable() => {
                a.arguments.first().map_or(self, Self::bare)
            }
            ty => ty,
        }
    }

    /// Without `LowCardinality` anywhere inside arrays, tuples, maps and nullables.
    #[must_use]
    pub fn without_any_low_cardinality(&self) -> Self {
        match self {
            Self::LowCardinality(inner) => inner.without_any_low_cardinality(),
            Self::Nullable(inner) => Self::Nullable(Arc::new(inner.without_any_low_cardinality())),
            Self::Array(inner) => Self::array(inner.without_any_low_cardinality()),
            Self::Map(kv) => {
                Self::map(kv.0.without_any_low_cardinality(), kv.1.without_any_low_cardinality())
            }
            Self::Tuple(elements) => Self::Tuple(
                elements
                    .iter()
                    .map(|e| Element { name: e.name.clone(), ty: e.ty.without_any_low_cardinality() })
                    .collect(),
            ),
            ty => ty.clone(),
        }
    }

    /// `Int*` and `UInt*`, without `Bool`.
    pub fn is_integer(&self) -> bool {
        self.integer().is_some()
    }

    /// Whether it is signed, and its width in bits; `None` for what is no integer. `Bool` is none.
    pub fn integer(&self) -> Option<(bool, u16)> {
        Some(match self {
            Self::UInt8 => (false, 8),
            Self::UInt16 => (false, 16),
            Self::UInt32 => (false, 32),
            Self::UInt64 => (false, 64),
            Self::UInt128 => (false, 128),
            Self::UInt256 => (false, 256),
            Self::Int8 => (true, 8),
            Self::Int16 => (true, 16),
            Self::Int32 => (true, 32),
            Self::Int64 => (true, 64),
            Self::Int128 => (true, 128),
            Self::Int256 => (true, 256),
            _ => return None,
        })
    }

    /// The integer of this width; `None` when there is none.
    pub fn from_integer(signed: bool, bits: u16) -> Option<Self> {
        Some(match (signed, bits) {
            (false, 8) => Self::UInt8,
            (false, 16) => Self::UInt16,
            (false, 32) => Self::UInt32,
            (false, 64) => Self::UInt64,
            (false, 128) => Self::UInt128,
            (false, 256) => Self::UInt256,
            (true, 8) => Self::Int8,
            (true, 16) => Self::Int16,
            (true, 32) => Self::Int32,
            (true, 64) => Self::Int64,
            (true, 128) => Self::Int128,
            (true, 256) => Self::Int256,
            _ => return None,
        })
    }

    /// `BFloat16`, `Float32`, `Float64`.
    pub fn is_float(&self) -> bool {
        matches!(self, Self::BFloat16 | Self::Float32 | Self::Float64)
    }

    /// `String` and `FixedString`.
    pub fn is_string(&self) -> bool {
        matches!(self, Self::String | Self::FixedString(_))
    }

    /// `Enum8` and `Enum16`.
    pub fn is_enum(&self) -> bool {
        matches!(self, Self::Enum8(_) | Self::Enum16(_))
    }

    /// The time zone that it names.
    pub fn time_zone(&self) -> Option<&Arc<str>> {
        match self {
            Self::DateTime(zone) | Self::DateTime64(_, zone) => zone.as_ref(),
            _ => None,
        }
    }

    /// The type of the elements of an array, also of a nested structure or a shape that is one.
    pub fn element(&self) -> Option<Self> {
        match self {
            Self::Array(element) => Some(element.as_ref().clone()),
            Self::Nested(elements) => Some(Self::Tuple(elements.clone())),
            Self::Geo(geo) => geo.structure()?.element(),
            _ => None,
        }
    }
}
