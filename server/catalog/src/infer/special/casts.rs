//! Functions whose result is named by a text.

use super::super::{Argument, Fault, Inference};
use crate::{Constant, Type};

pub(super) fn infer(name: &str, arguments: &[Argument]) -> Option<Inference> {
    Some(match name {
        "CAST" | "_CAST" | "accurateCast" | "accurateCastOrNull" => {
            let [_, target] = arguments else {
                return Some(Inference::Fault(Fault::ArgumentCount { min: 2, max: Some(2) }));
            };
            match named(target) {
                Some(ty) if name == "accurateCastOrNull" => {
                    if ty.is_nullable() || ty.may_be_nullable() {
                        Inference::Type(ty.nullable())
                    } else {
                        Inference::Unknown
                    }
                }
                other => other.into(),
            }
        }
        "accurateCastOrDefault" if matches!(arguments.len(), 2 | 3) => named(&arguments[1]).into(),
        "reinterpret" => match arguments {
            [from, target] => wrapped(from, named(target)),
            _ => return None,
        },
        "JSONExtract"
        | "JSONExtractCaseInsensitive"
        | "JSONExtractKeysAndValues"
        | "JSONExtractKeysAndValuesCaseInsensitive"
            if arguments.len() < 2 =>
        {
            Inference::Fault(Fault::ArgumentCount { min: 2, max: None })
        }
        "JSONExtract" | "JSONExtractCaseInsensitive" if arguments.len() >= 2 => {
            match arguments.split_last() {
                Some((target, rest)) => wrapped(&rest[0], named(target)),
                None => Inference::Unknown,
            }
        }
        "JSONExtractArrayRaw" | "JSONExtractKeys" | "JSONExtractKeysAndValuesRaw"
            if arguments
                .first()?
                .ty
                .as_ref()
                .is_some_and(|ty| matches!(ty, Type::Nullable(inner) if inner.is_string())) =>
        {
            no_null(arguments[0].ty.as_ref()?, &Type::array(Type::String))
        }
        "JSONExtractKeysAndValues" | "JSONExtractKeysAndValuesCaseInsensitive" if arguments.len() >= 2 => {
            match arguments.split_last() {
                Some((target, rest)) => {
                    let pairs = named(target).map(|ty| Type::array(Type::tuple([Type::String, ty])));
                    match (&rest[0].ty, pairs) {
                        (Some(from @ Type::Nullable(_)), Some(pairs)) if !from.is_null() => {
                            no_null(from, &pairs)
                        }
                        (Some(from), pairs) if !from.is_nullable() => pairs.into(),
                        _ => Inference::Unknown,
                    }
                }
                None => Inference::Unknown,
            }
        }
        "dynamicElement" if arguments.len() == 2 => match named(&arguments[1]) {
            Some(ty) if ty.may_be_nullable() || ty.is_nullable() => Inference::Type(ty.nullable()),
            Some(ty @ (Type::Array(_) | Type::Map(_))) => Inference::Type(ty),
            _ => Inference::Unknown,
        },
        "variantType" => match arguments {
            [Argument { ty: Some(Type::Variant(types)), .. }] => {
                let names = types.iter().zip(0..).map(|(ty, n)| (ty.to_string().into(), n));
                Inference::Type(Type::Enum8(std::iter::once(("None".into(), -1)).chain(names).collect()))
            }
            _ => Inference::Unknown,
        },
        "variantElement" => match arguments {
            [Argument { ty: Some(Type::Variant(types)), .. }, which] => match named(which) {
                Some(ty) if types.contains(&ty) && ty.may_be_nullable() => Inference::Type(ty.nullable()),
                _ => Inference::Unknown,
            },
            _ => Inference::Unknown,
        },
        "defaultValueOfTypeName" if arguments.len() == 1 => named(&arguments[0]).into(),
        // What stands in for a text that cannot be read has the type already.
        _ if arguments.len() == 2 && name.starts_with("to") && name.ends_with("OrDefault") => {
            let ty = name.strip_prefix("to").and_then(|rest| rest.strip_suffix("OrDefault"))?;
            let ty = Type::parse(ty).ok().filter(|ty| ty.is_integer() || ty.is_float() || is_day(ty))?;
            let (from, default) = (arguments[0].ty.as_ref()?, arguments[1].ty.as_ref()?);
            if !matches!(from, Type::String | Type::FixedString(_)) || *default != ty {
                return None;
            }
            Inference::Type(ty)
        }
        _ => return None,
    })
}

fn is_day(ty: &Type) -> bool {
    matches!(ty, Type::Date | Type::Date32 | Type::Uuid | Type::Ipv4 | Type::Ipv6)
}

/// The type that a constant names.
fn named(argument: &Argument) -> Option<Type> {
    let text = argument.constant.as_ref().and_then(Constant::as_str)?;
    Type::parse(text).ok()
}

/// NULL goes through, other wrappers do not.
fn wrapped(from: &Argument, ty: Option<Type>) -> Inference {
    let (Some(from), Some(ty)) = (&from.ty, ty) else { return Inference::Unknown };
    if from.is_null() {
        return Inference::Type(Type::null());
    }
    let is_plain = !matches!(from, Type::Variant(_) | Type::Dynamic(_));
    if !is_plain || (matches!(from, Type::LowCardinality(_)) && from.is_nullable()) {
        return Inference::Unknown;
    }
    if !from.is_nullable() {
        return Inference::Type(ty);
    }
    if ty.is_nullable() || ty.may_be_nullable() {
        return Inference::Type(ty.nullable());
    }
    match ty {
        Type::Array(_) | Type::Map(_) | Type::LowCardinality(_) => no_null(from, &ty),
        _ => Inference::Unknown,
    }
}

/// NULL would go through, and the result has no place for it: the engine refuses the call.
fn no_null(from: &Type, result: &Type) -> Inference {
    let accepted = format!("a text that is not Nullable, as in ifNull(…, ''): the result is {result}");
    Inference::Fault(Fault::ArgumentType { argument: 0, ty: from.clone(), accepted: Some(accepted) })
}
