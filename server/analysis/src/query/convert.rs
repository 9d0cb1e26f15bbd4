//! What can be written into a column of another type.

use headwater_catalog::{Aggregate, Type};

/// Whether values of `from` can be written into a column of type `to`: `Some(false)` only where the engine refuses all of
/// them, `None` where the values decide.
pub fn insertable(from: &Type, to: &Type) -> Option<bool> {
    if from == to {
        return Some(true);
    }
    let is_missing = from.is_nullable();
    let (from, to) = (stored(from), stored(to));
    match (from, to) {
        // What may be NULL is converted as it is, and these cannot be.
        (_, Type::AggregateFunction(_) | Type::Map(_)) if is_missing => Some(false),
        (Type::AggregateFunction(one), Type::AggregateFunction(other)) => same_state(one, other),
        // A state is written as what it is, or not at all.
        (Type::AggregateFunction(_), to) => (!matches!(to, Type::String)).then_some(false),
        (from, Type::AggregateFunction(_)) => (!matches!(from, Type::String)).then_some(false),
        (Type::Array(one), Type::Array(other)) => match insertable(one, other) {
            Some(false) => Some(false),
            _ => None,
        },
        (from, Type::Array(_)) if is_plain(from) => Some(false),
        (Type::Array(_) | Type::Map(_) | Type::Tuple(_), to) if is_plain(to) => Some(false),
        (from, Type::Map(_)) if is_plain(from) || from.is_string() => Some(false),
        (Type::Tuple(_), Type::Array(_) | Type::Map(_)) | (Type::Array(_), Type::Tuple(_)) => Some(false),
        (Type::Decimal(..), to) if is_date(to) || *to == Type::Uuid => Some(false),
        (from, Type::Decimal(..)) if is_date(from) || *from == Type::Uuid => Some(false),
        (Type::Uuid, to) if is_plain(to) && !matches!(to, Type::Bool | Type::UInt128) => Some(false),
        (from, Type::Uuid) if is_plain(from) && !matches!(from, Type::UInt128) => Some(false),
        _ if from == to => Some(true),
        _ => None,
    }
}

/// Whether states of one function are kept as those of another. The engine's rule (26.7): `-If` changes nothing about a
/// state, `count` counts whatever it is given, parameters are the reader's.
fn same_state(one: &Aggregate, other: &Aggregate) -> Option<bool> {
    let plain = |aggregate: &Aggregate| {
        let (name, arguments) = (aggregate.function.to_string(), aggregate.arguments.to_vec());
        match name.strip_suffix("If") {
            Some(base) => (base.to_owned(), arguments[..arguments.len().saturating_sub(1)].to_vec()),
            None => (name, arguments),
        }
    };
    let ((one, one_takes), (other, other_takes)) = (plain(one), plain(other));
    if one == other {
        return Some(one == "count" || one_takes == other_takes);
    }
    let base = |name: &str| headwater_catalog::find(name).map(|f| f.base());
    match (base(&one), base(&other)) {
        // Quantiles of one method share their states, whether of one level or of several.
        (Some(one), Some(other)) if one.starts_with("quantile") && other.starts_with("quantile") => None,
        (Some(one), Some(other)) if one != other => Some(false),
        _ => None,
    }
}

/// What is stored: wrappers that change how, not what, put aside.
fn stored(ty: &Type) -> &Type {
    match ty.bare() {
        Type::SimpleAggregateFunction(aggregate) => match &*aggregate.arguments {
            [one] => stored(one),
            _ => ty,
        },
        bare => bare,
    }
}

fn is_date(ty: &Type) -> bool {
    matches!(ty, Type::Date | Type::Date32 | Type::DateTime(_) | Type::DateTime64(..))
}

/// Numbers and dates: nothing that holds others, and no text that could be read as one.
fn is_plain(ty: &Type) -> bool {
    ty.is_integer()
        || ty.is_float()
        || matches!(
            ty,
            Type::Date | Type::Date32 | Type::DateTime(_) | Type::DateTime64(..) | Type::Bool | Type::Uuid
        )
}

/// Types of one value each that is no text: numbers, dates, identifiers.
pub(crate) fn is_scalar(ty: &Type) -> bool {
    let ty = ty.bare();
    is_plain(ty) || matches!(ty, Type::Decimal(..) | Type::Ipv4 | Type::Ipv6)
}

/// The aggregate function whose states a type holds.
pub fn state_of(ty: &Type) -> Option<&str> {
    match ty {
        Type::AggregateFunction(aggregate) => Some(&aggregate.function),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use headwater_catalog::Type;

    use super::insertable;

    /// Each was inserted into a table of the engine.
    #[test]
    fn states_are_kept_as_the_engine_keeps_them() {
        for (from, to, expected) in [
            ("AggregateFunction(count)", "AggregateFunction(count, UInt64)", Some(true)),
            ("AggregateFunction(sumIf, Int64, UInt8)", "AggregateFunction(sum, Int64)", Some(true)),
            (
                "AggregateFunction(quantiles(0.1), Int64)",
                "AggregateFunction(quantiles(0.5, 0.9), Int64)",
                Some(true),
            ),
            ("AggregateFunction(avg, Nullable(Int64))", "AggregateFunction(avg, Int64)", Some(false)),
            ("AggregateFunction(avg, Int64)", "AggregateFunction(sum, Int64)", Some(false)),
            ("AggregateFunction(sum, Int64)", "AggregateFunction(sum, UInt64)", Some(false)),
            ("AggregateFunction(uniq, Int64)", "AggregateFunction(uniq, String)", Some(false)),
            ("Int64", "AggregateFunction(sum, Int64)", Some(false)),
            ("AggregateFunction(sum, Int64)", "UInt64", Some(false)),
            ("Array(Int64)", "UInt64", Some(false)),
            ("Int64", "Array(Int64)", Some(false)),
            ("String", "UInt64", None),
            ("String", "Array(String)", None),
            ("String", "Map(String, String)", Some(false)),
            ("Nullable(String)", "Map(String, String)", Some(false)),
            ("Nullable(String)", "AggregateFunction(sum, UInt64)", Some(false)),
            ("Decimal(18, 2)", "Date", Some(false)),
            ("DateTime", "Decimal(9, 2)", Some(false)),
            ("UUID", "Int64", Some(false)),
            ("Float64", "UUID", Some(false)),
            ("Tuple(a String)", "Array(String)", Some(false)),
            ("Array(String)", "Tuple(a String)", Some(false)),
            ("Map(String, String)", "Array(String)", None),
            ("Float64", "Date", None),
        ] {
            let parse = |text: &str| Type::parse(text).expect("a type");
            assert_eq!(insertable(&parse(from), &parse(to)), expected, "{from} into {to}");
        }
    }
}
