//! Whether values of one type can be had as another.

use crate::table::class::Class;
use crate::table::template::Filling;
use crate::table::{Answer, Seen, rules};
use crate::{Argument, Call, Inference, Supertype, Type, infer, narrow_supertype};

/// What becomes of a value that is put into a column of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Conversion {
    /// The types are one, or differ in how values are stored.
    Same,
    /// Every value arrives.
    Lossless,
    /// The engine converts, and some values change or fail: a narrower number, a text that must be parsed, NULL.
    Lossy,
    /// The engine refuses.
    Impossible,
    /// No rule says it.
    Unknown,
}

/// What becomes of values of `from` in a column of `to`, as `INSERT SELECT` and materialized views convert them.
pub fn conversion(from: &Type, to: &Type) -> Conversion {
    let (a, b) = (stored(from), stored(to));
    if a == b {
        return Conversion::Same;
    }
    // States are no numbers: only those of one function go where that function's are kept.
    if let (Type::AggregateFunction(x), Type::AggregateFunction(y)) = (&a, &b) {
        let one = x.function == y.function && x.parameters == y.parameters;
        return if one { Conversion::Unknown } else { Conversion::Impossible };
    }
    let both = [a.clone(), b.clone()];
    if matches!(narrow_supertype(&both), Supertype::Type(ty) if ty == b) {
        return Conversion::Lossless;
    }
    let Some(rules) = rules(CASTS) else { return Conversion::Unknown };
    let seen = |ty: &Type| Seen { class: Class::of(ty), is_constant: Some(false), text: None };
    match rules.answer(&[seen(&a), seen(&b)], Filling { types: &both, constants: &[None, None] }) {
        Answer::Type(_) => Conversion::Lossy,
        Answer::Refused(_) if !Class::of(&a).is_open() && !Class::of(&b).is_open() => Conversion::Impossible,
        Answer::Refused(_) | Answer::Unknown => Conversion::Unknown,
    }
}

/// The name under which the table keeps which classes are cast to which; no function has it.
pub const CASTS: &str = "(casts)";

/// The type without what only says how values are stored.
fn stored(ty: &Type) -> Type {
    match ty.without_any_low_cardinality() {
        Type::SimpleAggregateFunction(a) => a.arguments.first().map_or(Type::Nothing, stored),
        ty => ty,
    }
}

/// Whether values of two types can be compared by `=`, `<` and the like; `None` where no rule says it. A text that is
/// compared with a moment may have to be a constant: `constant` is the value of either side that is one.
pub fn comparable(a: &Argument, b: &Argument) -> Option<bool> {
    match infer(&Call { name: "equals", parameters: &[], arguments: &[a.clone(), b.clone()] }) {
        Inference::Type(_) => Some(true),
        Inference::Fault(_) => Some(false),
        Inference::Unknown => None,
    }
}
