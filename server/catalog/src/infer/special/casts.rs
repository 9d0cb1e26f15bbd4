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
        "JSONExtract" if arguments.len() >= 2 => match arguments.split_last() {
            Some((target, rest)) => wrapped(&rest[0], named(target)),
            None => Inference::Unknown,
        },
        "JSONExtractKeysAndValues" if arguments.len() >= 2 => match arguments.split_last() {
            Some((target, rest)) => {
                let pairs = named(target).map(|ty| Type::array(Type::tuple([Type::String, ty])));
                match rest[0].ty.as_ref().map(Type::is_nullable) {
                    Some(false) => pairs.into(),
                    _ => Inference::Unknown,
                }
            }
            None => Inference::Unknown,
        },
        _ => return None,
    })
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
    if ty.is_nullable() || ty.may_be_nullable() { Inference::Type(ty.nullable()) } else { Inference::Unknown }
}
