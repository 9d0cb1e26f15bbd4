//! Functions whose results constants or the structure of their arguments decide: the table cannot hold them.

mod casts;
mod conditions;
mod containers;
mod states;
mod times;
mod vectors;

use super::{Argument, Inference};
use crate::table::low_cardinality_result;
use crate::{Constant, Supertype, Type};

/// The rule of a function, if it has one of its own.
pub(super) fn infer(name: &str, arguments: &[Argument]) -> Option<Inference> {
    conditions::infer(name, arguments)
        .or_else(|| containers::infer(name, arguments))
        .or_else(|| casts::infer(name, arguments))
        .or_else(|| states::infer(name, arguments))
        .or_else(|| times::infer(name, arguments))
        .or_else(|| vectors::infer(name, arguments))
}

/// Functions that the table need not know: their rule answers every call.
pub(in crate::infer) const OWN_RULES: [&str; 35] = [
    "CAST",
    "JSONExtract",
    "JSONExtractKeysAndValues",
    "_CAST",
    "accurateCast",
    "accurateCastOrDefault",
    "accurateCastOrNull",
    "and",
    "array",
    "arrayConcat",
    "arrayFlatten",
    "arrayPushBack",
    "arrayPushFront",
    "arrayReduce",
    "arrayReduceInRanges",
    "arrayResize",
    "arrayZip",
    "arrayZipUnaligned",
    "caseWithExpression",
    "coalesce",
    "concat",
    "globalIn",
    "globalNotIn",
    "if",
    "ifNull",
    "in",
    "initializeAggregation",
    "map",
    "multiIf",
    "notIn",
    "nullIf",
    "or",
    "transform",
    "tuple",
    "xor",
];

/// The types as common types are made of them: an integer without a sign that has room for one counts as signed beside
/// signed ones.
fn adjusted(arguments: &[&Argument]) -> Option<Vec<Type>> {
    let types = arguments.iter().map(|a| a.ty.clone()).collect::<Option<Vec<_>>>()?;
    let signed = types.iter().any(|t| matches!(t.bare().integer(), Some((true, _))));
    let fits = |a: &Argument| matches!(a.constant, Some(Constant::UInt(value)) if value <= i64::MAX.unsigned_abs() && value > u64::from(u32::MAX));
    let types = types.into_iter().zip(arguments);
    Some(types.map(|(ty, a)| if signed && fits(a) { Type::Int64 } else { ty }).collect())
}

fn known(supertype: Supertype) -> Inference {
    match supertype {
        Supertype::Type(ty) => Inference::Type(ty),
        Supertype::None | Supertype::Unknown => Inference::Unknown,
    }
}

/// The result with `LowCardinality` around it, where the engine puts it by default.
fn with_low_cardinality(inference: Inference, arguments: &[Argument]) -> Inference {
    let Inference::Type(ty) = inference else { return inference };
    let Some(types) = super::types(arguments) else { return Inference::Unknown };
    match low_cardinality_result(arguments, &types) {
        Some(true) => Inference::Type(ty.low_cardinality()),
        Some(false) => Inference::Type(ty),
        None => Inference::Unknown,
    }
}
