//! The table applied: wrappers off, a rule, wrappers on again.

use super::class::Class;
use super::template::Filling;
use super::{Answer, Rules, Seen, Wrapping};
use crate::{Argument, Constant, Type};

/// What the rules of an aggregate function say of a call whose arguments' types are all known. Its arguments lose
/// `LowCardinality` before it sees them.
pub fn by_table_aggregate(rules: &Rules, arguments: &[Argument], types: &[Type]) -> Answer {
    let types: Vec<Type> = types.iter().map(Type::without_any_low_cardinality).collect();
    by_table(rules, arguments, &types)
}

/// What the rules of an ordinary function say of a call whose arguments' types are all known.
pub fn by_table(rules: &Rules, arguments: &[Argument], types: &[Type]) -> Answer {
    let mut types = types.to_vec();
    let mut low_cardinality = false;
    if types.iter().any(has_low_cardinality) {
        match rules.low_cardinality {
            Wrapping::Default => {
                match low_cardinality_result(arguments, &types) {
                    Some(yes) => low_cardinality = yes,
                    None => return Answer::Unknown,
                }
                types = types.iter().map(Type::without_any_low_cardinality).collect();
            }
            Wrapping::Ignored => types = types.iter().map(Type::without_any_low_cardinality).collect(),
            Wrapping::IgnoredWhole => {
                let whole = |ty: &Type| match ty {
                    Type::LowCardinality(_) => ty.bare().clone(),
                    ty => ty.without_any_low_cardinality(),
                };
                types = types.iter().map(whole).collect();
            }
            Wrapping::Kept => {}
            Wrapping::Unknown => return Answer::Unknown,
        }
    }
    let mut nullable = false;
    if types.iter().any(Type::is_nullable) {
        match rules.nulls {
            Wrapping::Default => {
                if types.iter().any(Type::is_null) {
                    return Answer::Type(Type::null());
                }
                nullable = true;
                types = types.iter().map(without_nullable).collect();
            }
            Wrapping::Ignored | Wrapping::IgnoredWhole => {
                types = types.iter().map(without_nullable).collect();
            }
            Wrapping::Kept => {}
            Wrapping::Unknown => return Answer::Unknown,
        }
    }
    let constants: Vec<Option<Constant>> = arguments.iter().map(|a| a.constant.clone()).collect();
    let seen: Vec<Seen<'_>> = arguments
        .iter()
        .zip(&types)
        .map(|(argument, ty)| Seen {
            class: Class::of(ty),
            is_constant: argument.is_constant,
            text: argument.constant.as_ref().and_then(Constant::as_str),
        })
        .collect();
    match rules.answer(&seen, Filling { types: &types, constants: &constants }) {
        Answer::Type(mut ty) => {
            // What only hands a value on keeps the name of its type; what makes one of the same family does not.
            if let Type::SimpleAggregateFunction(a) = &ty
                && !rules.hands_on()
                && let Some(inner) = a.arguments.first()
            {
                ty = inner.clone();
            }
            if nullable {
                ty = ty.nullable();
            }
            if low_cardinality {
                ty = ty.low_cardinality();
            }
            Answer::Type(ty)
        }
        // What is inside of these decides, or NULL does before any type is looked at.
        Answer::Refused(_) if seen.iter().any(|s| s.class.is_open()) => Answer::Unknown,
        other => other,
    }
}

fn without_nullable(ty: &Type) -> Type {
    match ty {
        Type::LowCardinality(inner) => Type::LowCardinality(std::sync::Arc::new(inner.bare().clone())),
        ty if ty.is_null() => ty.clone(),
        ty if ty.is_nullable() => ty.bare().clone(),
        ty => ty.clone(),
    }
}

fn has_low_cardinality(ty: &Type) -> bool {
    ty.without_any_low_cardinality() != *ty
}

/// The engine works on the dictionary alone when it is the only argument that varies. `None` when constness is not known
/// and decides.
pub(crate) fn low_cardinality_result(arguments: &[Argument], types: &[Type]) -> Option<bool> {
    let is_wrapped = |ty: &Type| matches!(ty, Type::LowCardinality(_));
    if !types.iter().any(is_wrapped) {
        return Some(false);
    }
    let varying = |wrapped: bool| {
        let mut count = (0, 0);
        for (argument, ty) in arguments.iter().zip(types) {
            if is_wrapped(ty) == wrapped {
                match argument.is_constant {
                    Some(true) => {}
                    Some(false) => count = (count.0 + 1, count.1 + 1),
                    None => count.1 += 1,
                }
            }
        }
        count
    };
    let (wrapped, ordinary) = (varying(true), varying(false));
    if wrapped.0 > 1 || ordinary.0 > 0 {
        Some(false)
    } else if wrapped.1 <= 1 && ordinary.1 == 0 {
        Some(true)
    } else {
        None
    }
}
