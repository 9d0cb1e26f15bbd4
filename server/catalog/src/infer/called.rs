//! What the engine notices only when it calls a function, although the types of the arguments decide.
//!
//! It names the type of such a call, and fails when it computes one over no rows, which it does once while it looks at a
//! query: so only where it computes it at all.

use super::{Argument, Call, Fault};
use crate::Type;
use crate::functions::find;
use crate::table::class::Class;

/// Conversions by name, with the type that they make. `OrZero` and `OrNull` read texts, and are refused by their types.
const CONVERSIONS: &[(&str, Type)] = &[
    ("toUInt8", Type::UInt8),
    ("toUInt16", Type::UInt16),
    ("toUInt32", Type::UInt32),
    ("toUInt64", Type::UInt64),
    ("toUInt128", Type::UInt128),
    ("toUInt256", Type::UInt256),
    ("toInt8", Type::Int8),
    ("toInt16", Type::Int16),
    ("toInt32", Type::Int32),
    ("toInt64", Type::Int64),
    ("toInt128", Type::Int128),
    ("toInt256", Type::Int256),
    ("toFloat32", Type::Float32),
    ("toFloat64", Type::Float64),
    ("toBool", Type::Bool),
    ("toDate", Type::Date),
    ("toDate32", Type::Date32),
    ("toDateTime", Type::DateTime(None)),
    ("toDateTime32", Type::DateTime(None)),
    ("toUUID", Type::Uuid),
    ("toUnixTimestamp", Type::UInt32),
];

/// Functions that read JSON: a text, or a value of type JSON.
const JSON_READERS: &[&str] = &[
    "JSONHas",
    "JSONLength",
    "JSONType",
    "JSONKey",
    "isValidJSON",
    "extractKeyValuePairs",
    "extractKeyValuePairsWithEscaping",
];

/// Whether [`refused_when_called`] says something of some calls of a function.
pub fn may_be_refused_when_called(name: &str) -> bool {
    let Some(function) = find(name) else { return false };
    let name = function.base();
    let plain = name.strip_suffix("OrDefault").unwrap_or(name);
    name.starts_with("JSONExtract")
        || JSON_READERS.contains(&name)
        || matches!(name, "length" | "arrayElement")
        || plain.starts_with("toInterval")
        || CONVERSIONS.iter().any(|(own, _)| *own == plain)
}

/// Why a call fails once it is computed, over any rows and over none. Only what is certain by the types; `None` says
/// nothing.
pub fn refused_when_called(call: &Call<'_>) -> Option<Fault> {
    let function = find(call.name)?;
    let name = function.base();
    let refused = |argument: usize, accepted: &str| {
        let ty = call.arguments.get(argument)?.ty.clone()?;
        Some(Fault::ArgumentType { argument, ty, accepted: Some(accepted.to_owned()) })
    };
    if name.starts_with("JSONExtract") || JSON_READERS.contains(&name) {
        if !plain(call.arguments.first()?)?.is_text_or_open() {
            return refused(0, "String or JSON");
        }
        // The last of `JSONExtract` names a type, and is looked at before.
        let names_type = matches!(name, "JSONExtract" | "JSONExtractKeysAndValues");
        let last = call.arguments.len() - usize::from(names_type);
        let is_path = name.starts_with("JSON");
        for (n, argument) in call.arguments.iter().enumerate().take(last).skip(1).filter(|_| is_path) {
            let Some(step) = plain(argument) else { continue };
            if !step.is_text_or_open() && !step.0.is_integer() {
                return refused(n, "a key or a position: String or an integer");
            }
        }
        return None;
    }
    if name == "length" {
        let ty = plain(call.arguments.first()?)?;
        return matches!(ty.0, Type::Uuid | Type::Ipv4 | Type::Ipv6)
            .then(|| refused(0, "String or Array"))
            .flatten();
    }
    // An element of a map by something that is no key of it.
    if name == "arrayElement"
        && let [Argument { ty: Some(Type::Map(kv)), .. }, Argument { ty: Some(key), .. }] = call.arguments
    {
        let is_text = |ty: &Type| ty.bare().is_string();
        let is_number = |ty: &Type| ty.bare().is_integer() || ty.bare().is_float();
        let differs = is_text(&kv.0) && is_number(key) || is_number(&kv.0) && is_text(key);
        return differs.then(|| refused(1, &kv.0.to_string())).flatten();
    }
    converted(name, call.arguments).then(|| refused(0, "what can be converted")).flatten()
}

/// Whether a conversion is refused.
fn converted(name: &str, arguments: &[Argument]) -> bool {
    let name = name.strip_suffix("OrDefault").unwrap_or(name);
    let is_interval = name.starts_with("toInterval");
    let target = if is_interval {
        Some(&Type::Int64)
    } else {
        CONVERSIONS.iter().find(|(own, _)| *own == name).map(|(_, ty)| ty)
    };
    let (Some(target), Some(from)) = (target, arguments.first().and_then(plain)) else { return false };
    let from = from.0;
    // Arrays, tuples and maps are no numbers and no dates, whatever they hold.
    if matches!(from, Type::Array(_) | Type::Tuple(_) | Type::Map(_)) {
        return true;
    }
    let to_date = matches!(target, Type::Date | Type::Date32 | Type::DateTime(_));
    if matches!(from, Type::Decimal(..)) {
        return to_date || is_interval || *target == Type::Uuid;
    }
    match from {
        Type::Uuid => !matches!(target, Type::Uuid | Type::Bool | Type::UInt128),
        // It is a number of 32 bits, and goes where those have room.
        Type::Ipv4 => {
            let has_room =
                matches!(target, Type::UInt32 | Type::UInt64 | Type::UInt128 | Type::UInt256 | Type::Bool);
            !has_room
        }
        _ => false,
    }
}

/// A type without wrappers; `None` when it is not known, or values decide.
fn plain(argument: &Argument) -> Option<Plain> {
    let ty = argument.ty.as_ref()?;
    let bare = match ty.without_any_low_cardinality().bare() {
        Type::SimpleAggregateFunction(a) => a.arguments.first()?.bare().clone(),
        bare => bare.clone(),
    };
    let class = Class::of(&bare);
    (!class.is_open() || matches!(bare, Type::Json(_))).then_some(Plain(bare))
}

struct Plain(Type);

impl Plain {
    fn is_text_or_open(&self) -> bool {
        matches!(self.0, Type::String | Type::Json(_))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Argument, Call};
    use super::{may_be_refused_when_called, refused_when_called};
    use crate::Type;

    /// Each was computed by the engine over an empty table.
    #[test]
    fn what_fails_when_it_is_computed() {
        let fails = |name: &str, types: &[&str]| {
            let arguments: Vec<Argument> =
                types.iter().map(|ty| Argument::column(Type::parse(ty).expect(ty))).collect();
            let is_refused =
                refused_when_called(&Call { name, parameters: &[], arguments: &arguments }).is_some();
            assert!(!is_refused || may_be_refused_when_called(name), "{name}");
            is_refused
        };
        for (name, types) in [
            ("toUInt64", &["UUID"][..]),
            ("toInt32", &["Array(String)"]),
            ("toDate", &["Decimal(18, 2)"]),
            ("toDate", &["Nullable(Decimal(18, 2))"]),
            ("toDateTime", &["Map(String, String)"]),
            ("toInt16", &["IPv4"]),
            ("toIntervalDay", &["Array(String)"]),
            ("JSONExtractString", &["Nullable(Int64)", "String"]),
            ("JSONExtractString", &["FixedString(3)", "String"]),
            ("JSONExtractInt", &["String", "Float64"]),
            ("length", &["UUID"]),
            ("arrayElement", &["Map(String, UInt8)", "UInt32"]),
        ] {
            assert!(fails(name, types), "{name} of {types:?} is computed");
        }
        for (name, types) in [
            ("toUInt64", &["IPv4"][..]),
            ("toUInt128", &["UUID"]),
            ("toBool", &["UUID"]),
            ("toDate", &["Enum8('a' = 1)"]),
            ("toFloat64", &["Decimal(18, 2)"]),
            ("toUUID", &["String"]),
            ("toIntervalDay", &["String"]),
            ("JSONExtractString", &["JSON", "String"]),
            ("JSONExtractString", &["LowCardinality(Nullable(String))", "UInt8", "String"]),
            ("JSONExtract", &["String", "String"]),
            ("length", &["Map(String, String)"]),
            ("arrayElement", &["Map(String, UInt8)", "LowCardinality(String)"]),
        ] {
            assert!(!fails(name, types), "{name} of {types:?} is not computed");
        }
    }
}
