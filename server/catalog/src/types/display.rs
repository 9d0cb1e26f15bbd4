//! The engine's own name of a type, on one line.

use std::fmt::{Display, Formatter, Result};
use std::sync::Arc;

use super::{Aggregate, Element, Json, Type};
use crate::constant::quoted;

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Decimal(precision, scale) => write!(f, "Decimal({precision}, {scale})"),
            Self::FixedString(length) => write!(f, "FixedString({length})"),
            Self::Time64(scale) => write!(f, "Time64({scale})"),
            Self::DateTime(Some(zone)) => write!(f, "DateTime({})", quoted(zone, '\'')),
            Self::DateTime64(scale, None) => write!(f, "DateTime64({scale})"),
            Self::DateTime64(scale, Some(zone)) => write!(f, "DateTime64({scale}, {})", quoted(zone, '\'')),
            Self::Interval(unit) => write!(f, "Interval{}", unit.name()),
            Self::Enum8(values) => enumeration(f, "Enum8", values),
            Self::Enum16(values) => enumeration(f, "Enum16", values),
            Self::Nullable(inner) => write!(f, "Nullable({inner})"),
            Self::LowCardinality(inner) => write!(f, "LowCardinality({inner})"),
            Self::Array(element) => write!(f, "Array({element})"),
            Self::Map(kv) => write!(f, "Map({}, {})", kv.0, kv.1),
            Self::Tuple(elements) => structure(f, "Tuple", elements),
            Self::Nested(elements) => structure(f, "Nested", elements),
            Self::Variant(types) => {
                f.write_str("Variant(")?;
                list(f, types.iter())?;
                f.write_str(")")
            }
            Self::Dynamic(Some(types)) => write!(f, "Dynamic(max_types={types})"),
            Self::Json(json) => json.fmt(f),
            Self::AggregateFunction(a) => aggregate(f, "AggregateFunction", a),
            Self::SimpleAggregateFunction(a) => aggregate(f, "SimpleAggregateFunction", a),
            Self::QBit(element, dimension, None) => write!(f, "QBit({element}, {dimension})"),
            Self::QBit(element, dimension, Some(stride)) => {
                write!(f, "QBit({element}, {dimension}, {stride})")
            }
            plain => f.write_str(plain.plain_name().unwrap_or_default()),
        }
    }
}

impl Type {
    /// The name of a type that has no arguments.
    pub(crate) fn plain_name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Nothing => "Nothing",
            Self::Bool => "Bool",
            Self::UInt8 => "UInt8",
            Self::UInt16 => "UInt16",
            Self::UInt32 => "UInt32",
            Self::UInt64 => "UInt64",
            Self::UInt128 => "UInt128",
            Self::UInt256 => "UInt256",
            Self::Int8 => "Int8",
            Self::Int16 => "Int16",
            Self::Int32 => "Int32",
            Self::Int64 => "Int64",
            Self::Int128 => "Int128",
            Self::Int256 => "Int256",
            Self::BFloat16 => "BFloat16",
            Self::Float32 => "Float32",
            Self::Float64 => "Float64",
            Self::String => "String",
            Self::Date => "Date",
            Self::Date32 => "Date32",
            Self::Time => "Time",
            Self::DateTime(None) => "DateTime",
            Self::Uuid => "UUID",
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
            Self::Dynamic(None) => "Dynamic",
            Self::Geo(geo) => geo.name(),
            _ => return None,
        })
    }
}

fn list(f: &mut Formatter<'_>, items: impl Iterator<Item = impl Display>) -> Result {
    for (n, item) in items.enumerate() {
        if n > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

fn enumeration(f: &mut Formatter<'_>, name: &str, values: &[(Arc<str>, i16)]) -> Result {
    write!(f, "{name}(")?;
    list(f, values.iter().map(|(name, value)| format!("{} = {value}", quoted(name, '\''))))?;
    f.write_str(")")
}

fn structure(f: &mut Formatter<'_>, name: &str, elements: &[Element]) -> Result {
    write!(f, "{name}(")?;
    for (n, element) in elements.iter().enumerate() {
        if n > 0 {
            f.write_str(", ")?;
        }
        if let Some(name) = &element.name {
            write!(f, "{} ", identifier(name))?;
        }
        element.ty.fmt(f)?;
    }
    f.write_str(")")
}

fn aggregate(f: &mut Formatter<'_>, name: &str, aggregate: &Aggregate) -> Result {
    write!(f, "{name}(")?;
    if let Some(version) = aggregate.version {
        write!(f, "{version}, ")?;
    }
    f.write_str(&aggregate.function)?;
    if !aggregate.parameters.is_empty() {
        f.write_str("(")?;
        list(f, aggregate.parameters.iter())?;
        f.write_str(")")?;
    }
    for argument in aggregate.arguments.iter() {
        write!(f, ", {argument}")?;
    }
    f.write_str(")")
}

impl Display for Json {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut parts = Vec::new();
        parts.extend(self.max_dynamic_types.map(|n| format!("max_dynamic_types={n}")));
        parts.extend(self.max_dynamic_paths.map(|n| format!("max_dynamic_paths={n}")));
        parts.extend(self.paths.iter().map(|(path, ty)| format!("{} {ty}", identifier(path))));
        parts.extend(self.skip.iter().map(|path| format!("SKIP {}", identifier(path))));
        parts.extend(self.skip_regexps.iter().map(|e| format!("SKIP REGEXP {}", quoted(e, '\''))));
        f.write_str("JSON")?;
        if parts.is_empty() {
            return Ok(());
        }
        f.write_str("(")?;
        list(f, parts.iter())?;
        f.write_str(")")
    }
}

/// Words that the engine quotes although they have the form of a name: in lower case and in upper case, not in between.
const QUOTED: [&str; 7] = ["all", "distinct", "from", "null", "select", "table", "values"];

/// A name, quoted where it must be.
fn identifier(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !QUOTED.iter().any(|q| *q == name || q.to_ascii_uppercase() == name);
    if plain { name.to_owned() } else { quoted(name, '`') }
}
