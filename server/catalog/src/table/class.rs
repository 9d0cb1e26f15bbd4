//! Classes of types: what the table of return types distinguishes.
//!
//! Every type has one class. Types of one class differ in parameters only (scale, zone, length, names, what is deep
//! inside), which templates carry over.

use crate::{Geo, Type, Unit};

/// A class; its number is stable for one build of the data only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Class(pub u8);

/// Types without parts, in the order of their classes.
const SCALARS: [&str; 48] = [
    "Nothing",
    "Bool",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "UInt128",
    "UInt256",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "Int128",
    "Int256",
    "BFloat16",
    "Float32",
    "Float64",
    "Decimal32",
    "Decimal64",
    "Decimal128",
    "Decimal256",
    "String",
    "FixedString",
    "Date",
    "Date32",
    "Time",
    "Time64",
    "DateTime",
    "DateTime64",
    "IntervalNanosecond",
    "IntervalMicrosecond",
    "IntervalMillisecond",
    "IntervalSecond",
    "IntervalMinute",
    "IntervalHour",
    "IntervalDay",
    "IntervalWeek",
    "IntervalMonth",
    "IntervalQuarter",
    "IntervalYear",
    "Enum8",
    "Enum16",
    "UUID",
    "IPv4",
    "IPv6",
    "JSON",
    "Point",
    "Other",
];

/// Types with parts whose parts do not count.
const WHOLES: [&str; 16] = [
    "Array(Array)",
    "Array(Map)",
    "Array(Tuple)",
    "Tuple",
    "Map",
    "Variant",
    "Dynamic",
    "AggregateFunction",
    "Bitmap",
    "Ring",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "Geometry",
    "QBit",
];

const N: u8 = SCALARS.len() as u8;

impl Class {
    /// How many there are.
    pub const COUNT: usize = 3 * SCALARS.len() + WHOLES.len();

    /// The class of a type, looking through `Nullable` and `LowCardinality`.
    pub fn of(ty: &Type) -> Self {
        match ty.bare() {
            Type::Array(element) => match element.without_low_cardinality() {
                Type::Array(_) | Type::Nested(_) => Self::whole("Array(Array)"),
                Type::Map(_) => Self::whole("Array(Map)"),
                Type::Tuple(_) => Self::whole("Array(Tuple)"),
                Type::Nullable(inner) => Self(2 * N + scalar(inner)),
                inner => Self(N + scalar(inner)),
            },
            Type::Nested(_) => Self::whole("Array(Tuple)"),
            Type::SimpleAggregateFunction(a) => a.arguments.first().map_or(Self(N - 1), Self::of),
            Type::Tuple(_) => Self::whole("Tuple"),
            Type::Map(_) => Self::whole("Map"),
            Type::Variant(_) => Self::whole("Variant"),
            Type::Dynamic(_) => Self::whole("Dynamic"),
            Type::AggregateFunction(a) if &*a.function == "groupBitmap" => Self::whole("Bitmap"),
            Type::AggregateFunction(_) => Self::whole("AggregateFunction"),
            Type::QBit(..) => Self::whole("QBit"),
            Type::Geo(geo) if *geo != Geo::Point => Self::whole(geo.name()),
            ty => Self(scalar(ty)),
        }
    }

    fn whole(name: &str) -> Self {
        let at = WHOLES.iter().position(|w| *w == name).unwrap_or(0);
        Self(3 * N + at as u8)
    }

    /// Its name.
    pub fn name(self) -> String {
        let scalar = |n: u8| SCALARS[usize::from(n)];
        match self.0 {
            n if n < N => scalar(n).to_owned(),
            n if n < 2 * N => format!("Array({})", scalar(n - N)),
            n if n < 3 * N => format!("Array(Nullable({}))", scalar(n - 2 * N)),
            n => WHOLES.get(usize::from(n - 3 * N)).copied().unwrap_or_default().to_owned(),
        }
    }

    /// The class of the elements, of an array of types without parts.
    pub fn element(self) -> Option<Self> {
        (N..3 * N).contains(&self.0).then_some(Self(self.0 % N))
    }

    /// Whether calls with it may do what no table says: they depend on the values inside.
    pub fn is_open(self) -> bool {
        matches!(self.name().as_str(), "Nothing" | "Variant" | "Dynamic" | "JSON" | "Other" | "Geometry")
            || self.element().is_some_and(Self::is_open)
    }
}

fn scalar(ty: &Type) -> u8 {
    let name = match ty {
        Type::Nothing => "Nothing",
        Type::Decimal(0..=9, _) => "Decimal32",
        Type::Decimal(10..=18, _) => "Decimal64",
        Type::Decimal(19..=38, _) => "Decimal128",
        Type::Decimal(..) => "Decimal256",
        Type::FixedString(_) => "FixedString",
        Type::Time64(_) => "Time64",
        Type::DateTime(_) => "DateTime",
        Type::DateTime64(..) => "DateTime64",
        Type::Enum8(_) => "Enum8",
        Type::Enum16(_) => "Enum16",
        Type::Json(_) => "JSON",
        Type::Interval(unit) => {
            let at = Unit::ALL.iter().position(|u| u == unit).unwrap_or(0);
            SCALARS[29 + at]
        }
        Type::SimpleAggregateFunction(a) => match a.arguments.first() {
            Some(inner @ (Type::SimpleAggregateFunction(_) | Type::Array(_) | Type::Map(_))) => {
                let _ = inner;
                "Other"
            }
            Some(inner) => return scalar(inner.bare()),
            None => "Other",
        },
        ty => ty.plain_name().unwrap_or("Other"),
    };
    SCALARS.iter().position(|s| *s == name).map_or(N - 1, |at| at as u8)
}

/// A set of classes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Classes(pub [u64; 3]);

impl Classes {
    /// Every class.
    pub const ALL: Self = Self([u64::MAX; 3]);

    /// Adds one.
    pub fn insert(&mut self, class: Class) {
        self.0[usize::from(class.0) / 64] |= 1 << (class.0 % 64);
    }

    /// Whether it holds one.
    pub fn contains(&self, class: Class) -> bool {
        self.0[usize::from(class.0) / 64] >> (class.0 % 64) & 1 == 1
    }

    /// Both sets' classes.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        for (a, b) in self.0.iter_mut().zip(other.0) {
            *a |= b;
        }
        self
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 3]
    }

    /// Its classes in order.
    pub fn iter(self) -> impl Iterator<Item = Class> {
        (0..Class::COUNT as u8).map(Class).filter(move |c| self.contains(*c))
    }

    /// 48 hexadecimal digits without the zeros in front.
    pub fn to_text(self) -> String {
        let text = format!("{:016x}{:016x}{:016x}", self.0[2], self.0[1], self.0[0]);
        text.trim_start_matches('0').to_owned()
    }

    /// Back from [`to_text`](Self::to_text).
    pub fn from_text(text: &str) -> Self {
        let mut out = Self::default();
        for (n, digit) in text.bytes().rev().enumerate().take(48) {
            let digit = char::from(digit).to_digit(16).unwrap_or(0);
            out.0[n / 16] |= u64::from(digit) << (4 * (n % 16));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_told_apart() {
        let class = |text: &str| Class::of(&Type::parse(text).expect(text)).name();
        for (ty, name) in [
            ("LowCardinality(Nullable(String))", "String"),
            ("Decimal(10, 2)", "Decimal64"),
            ("IntervalYear", "IntervalYear"),
            ("IntervalNanosecond", "IntervalNanosecond"),
            ("Array(LowCardinality(String))", "Array(String)"),
            ("Array(Nullable(UInt8))", "Array(Nullable(UInt8))"),
            ("Array(Array(UInt8))", "Array(Array)"),
            ("Array(Dynamic)", "Array(Other)"),
            ("SimpleAggregateFunction(sum, UInt64)", "UInt64"),
            ("AggregateFunction(groupBitmap, UInt8)", "Bitmap"),
            ("Point", "Point"),
            ("Ring", "Ring"),
            ("Nullable(Nothing)", "Nothing"),
        ] {
            assert_eq!(class(ty), name, "{ty}");
        }
    }

    #[test]
    fn sets_survive_their_text() {
        let mut set = Classes::default();
        for n in [0, 3, 63, 64, 100, 159] {
            set.insert(Class(n));
        }
        assert_eq!(Classes::from_text(&set.to_text()), set);
        assert_eq!(Classes::from_text(&Classes::ALL.to_text()), Classes::ALL);
        const { assert!(Class::COUNT <= 192) };
    }
}
