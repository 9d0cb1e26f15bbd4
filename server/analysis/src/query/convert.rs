//! What can be written into a column of another type.

use headwater_catalog::Type;

/// Whether values of `from` can be written into a column of type `to`: `Some(false)` only where the engine refuses all of
/// them, `None` where the values decide.
pub fn insertable(from: &Type, to: &Type) -> Option<bool> {
    if from == to {
        return Some(true);
    }
    let (from, to) = (stored(from), stored(to));
    match (from, to) {
        (Type::AggregateFunction(one), Type::AggregateFunction(other)) => Some(
            one.function == other.function
                && one.arguments == other.arguments
                && one.parameters == other.parameters,
        ),
        // A state is written as what it is, or not at all.
        (Type::AggregateFunction(_), to) => (!matches!(to, Type::String)).then_some(false),
        (from, Type::AggregateFunction(_)) => (!matches!(from, Type::String)).then_some(false),
        (Type::Array(one), Type::Array(other)) => match insertable(one, other) {
            Some(false) => Some(false),
            _ => None,
        },
        (from, Type::Array(_)) if is_plain(from) => Some(false),
        (Type::Array(_) | Type::Map(_) | Type::Tuple(_), to) if is_plain(to) => Some(false),
        (from, Type::Map(_)) if is_plain(from) => Some(false),
        _ if from == to => Some(true),
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

/// Numbers and dates: nothing that holds others, and no text that could be read as one.
fn is_plain(ty: &Type) -> bool {
    ty.is_integer()
        || ty.is_float()
        || matches!(
            ty,
            Type::Date | Type::Date32 | Type::DateTime(_) | Type::DateTime64(..) | Type::Bool | Type::Uuid
        )
}

/// The aggregate function whose states a type holds.
pub fn state_of(ty: &Type) -> Option<&str> {
    match ty {
        Type::AggregateFunction(aggregate) => Some(&aggregate.function),
        _ => None,
    }
}
