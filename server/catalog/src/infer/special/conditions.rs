//! Conditions, and what is done about NULL.

use super::super::{Argument, Fault, Inference};
use super::{adjusted, known, with_low_cardinality};
use crate::table::class::Class;
use crate::{Type, supertype};

pub(super) fn infer(name: &str, arguments: &[Argument]) -> Option<Inference> {
    Some(match name {
        "if" => {
            if arguments.len() != 3 {
                return Some(Inference::Fault(Fault::ArgumentCount { min: 3, max: Some(3) }));
            }
            condition(&arguments[0], 0).unwrap_or_else(|| branches(&[&arguments[1], &arguments[2]]))
        }
        "multiIf" => {
            if arguments.len() < 3 || arguments.len().is_multiple_of(2) {
                return Some(Inference::Fault(Fault::ArgumentCount { min: 3, max: None }));
            }
            let fault = arguments
                .iter()
                .enumerate()
                .filter(|(n, _)| n % 2 == 0 && n + 1 < arguments.len())
                .find_map(|(n, a)| condition(a, n));
            let values: Vec<&Argument> = arguments
                .iter()
                .enumerate()
                .filter(|(n, _)| n % 2 == 1 || n + 1 == arguments.len())
                .map(|(_, a)| a)
                .collect();
            fault.unwrap_or_else(|| branches(&values))
        }
        "caseWithExpression" if arguments.len() >= 4 && arguments.len().is_multiple_of(2) => {
            let values: Vec<&Argument> = arguments
                .iter()
                .enumerate()
                .filter(|(n, _)| (*n > 0 && n % 2 == 0) || n + 1 == arguments.len())
                .map(|(_, a)| a)
                .collect();
            with_low_cardinality(branches(&values), arguments)
        }
        "coalesce" => coalesce(arguments),
        "ifNull" => {
            if arguments.len() != 2 {
                return Some(Inference::Fault(Fault::ArgumentCount { min: 2, max: Some(2) }));
            }
            coalesce(arguments)
        }
        "nullIf" => {
            let [value, other] = arguments else {
                return Some(Inference::Fault(Fault::ArgumentCount { min: 2, max: Some(2) }));
            };
            match (&value.ty, &other.ty) {
                (Some(ty), Some(_)) => {
                    let plain = ty.without_any_low_cardinality();
                    if !plain.is_nullable() && !plain.may_be_nullable() {
                        return Some(Inference::Unknown);
                    }
                    with_low_cardinality(Inference::Type(plain.nullable()), arguments)
                }
                _ => Inference::Unknown,
            }
        }
        "substring" if matches!(arguments.len(), 2 | 3) => match &arguments[0].ty {
            Some(ty) if is_no_text(ty) => Inference::Fault(Fault::ArgumentType {
                argument: 0,
                ty: ty.clone(),
                accepted: Some("String, FixedString or Enum".to_owned()),
            }),
            _ => return None,
        },
        "and" | "or" | "xor" => connective(arguments),
        "in" | "notIn" | "globalIn" | "globalNotIn" => membership(arguments),
        _ => return None,
    })
}

/// Numbers, dates and whole values.
fn is_no_text(ty: &Type) -> bool {
    let ty = ty.bare();
    ty.is_integer()
        || ty.is_float()
        || matches!(
            ty,
            Type::Decimal(..)
                | Type::Date
                | Type::Date32
                | Type::DateTime(_)
                | Type::DateTime64(..)
                | Type::Uuid
                | Type::Array(_)
                | Type::Map(_)
                | Type::Tuple(_)
        )
}

/// What is wrong with a condition, if anything is.
fn condition(argument: &Argument, at: usize) -> Option<Inference> {
    let ty = argument.ty.as_ref()?;
    // An interval or an enumeration is no condition either, but only what is in use is worth certainty.
    let wrong = match ty.bare() {
        Type::UInt8 | Type::Bool | Type::Nothing => false,
        bare => !Class::of(bare).is_open() && !matches!(bare, Type::SimpleAggregateFunction(_)),
    };
    wrong.then(|| {
        Inference::Fault(Fault::ArgumentType {
            argument: at,
            ty: ty.clone(),
            accepted: Some("UInt8 or Bool".to_owned()),
        })
    })
}

/// The common type of branches. `LowCardinality` is gone in it.
fn branches(values: &[&Argument]) -> Inference {
    let Some(types) = adjusted(values) else { return Inference::Unknown };
    let types: Vec<Type> = types.iter().map(Type::without_any_low_cardinality).collect();
    // Decimals of different scales have a common type, and the engine fails on them here.
    let scales: Vec<u8> = types
        .iter()
        .filter_map(|t| if let Type::Decimal(_, s) = t.bare() { Some(*s) } else { None })
        .collect();
    if scales.windows(2).any(|pair| pair[0] != pair[1]) {
        return Inference::Unknown;
    }
    known(supertype(&types))
}

/// The first that is not NULL: what follows one that never is does not count.
fn coalesce(arguments: &[Argument]) -> Inference {
    let mut counted: Vec<Argument> = Vec::new();
    let mut last_is_nullable = true;
    for argument in arguments {
        let Some(ty) = &argument.ty else { return Inference::Unknown };
        if ty.is_null() {
            continue;
        }
        last_is_nullable = ty.is_nullable();
        counted.push(argument.clone());
        if matches!(ty, Type::Variant(_) | Type::Dynamic(_)) {
            return Inference::Unknown;
        }
        if !last_is_nullable {
            break;
        }
    }
    let result = match &counted[..] {
        [] => return Inference::Type(Type::null()),
        [one] => one.ty.as_ref().map(Type::without_any_low_cardinality).into(),
        many => {
            let plain: Vec<Argument> = many
                .iter()
                .map(|a| Argument {
                    ty: a.ty.as_ref().map(|t| t.without_any_low_cardinality().bare().clone()),
                    ..a.clone()
                })
                .collect();
            let common = branches(&plain.iter().collect::<Vec<_>>());
            if last_is_nullable { common.map(Type::nullable) } else { common }
        }
    };
    with_low_cardinality(result, arguments)
}

/// `and` and its like: `Bool` if any argument is, NULL if any may be.
fn connective(arguments: &[Argument]) -> Inference {
    if arguments.len() < 2 {
        return Inference::Fault(Fault::ArgumentCount { min: 2, max: None });
    }
    let Some(types) = super::super::types(arguments) else { return Inference::Unknown };
    for (n, ty) in types.iter().enumerate() {
        let bare = ty.bare();
        let number = bare.is_integer() || bare.is_float() || matches!(bare, Type::Bool | Type::Nothing);
        if !number {
            let certain = bare.is_string()
                || Type::element(bare).is_some()
                || matches!(bare, Type::Tuple(_) | Type::Map(_));
            if !certain {
                return Inference::Unknown;
            }
            let accepted = Some("a number or Bool".to_owned());
            return Inference::Fault(Fault::ArgumentType { argument: n, ty: ty.clone(), accepted });
        }
    }
    let bool = types.iter().any(|t| *t.bare() == Type::Bool);
    let nullable = types.iter().any(Type::is_nullable);
    let ty = if bool { Type::Bool } else { Type::UInt8 };
    Inference::Type(if nullable { ty.nullable() } else { ty })
}

/// `x IN …`, of a list or a subquery: what stands there does not count. Columns on the right are compared row by row.
fn membership(arguments: &[Argument]) -> Inference {
    if arguments.get(1).is_none_or(|set| set.constant.is_none() && set.ty.is_some()) {
        return Inference::Unknown;
    }
    let Some(left) = arguments.first().and_then(|a| a.ty.as_ref()) else { return Inference::Unknown };
    if left.is_null() {
        return Inference::Type(Type::null());
    }
    if matches!(left, Type::Variant(_) | Type::Dynamic(_) | Type::Nothing) {
        return Inference::Unknown;
    }
    let mut ty = Type::UInt8;
    if left.is_nullable() {
        ty = ty.nullable();
    }
    if matches!(left, Type::LowCardinality(_)) {
        if arguments[0].is_constant != Some(false) {
            return Inference::Unknown;
        }
        ty = ty.low_cardinality();
    }
    Inference::Type(ty)
}
