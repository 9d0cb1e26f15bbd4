//! Arithmetic over tuples, part by part, and what is summed from it.

use super::super::{Argument, Call, Inference, infer as call};
use crate::{Element, Type};

pub(super) fn infer(name: &str, arguments: &[Argument]) -> Option<Inference> {
    let first = arguments.first()?.ty.as_ref()?;
    let Type::Tuple(parts) = first else {
        return match name {
            "mapAdd" | "mapSubtract" => maps(arguments),
            _ => None,
        };
    };
    Some(match name {
        "tuplePlus" | "tupleMinus" | "tupleMultiply" | "tupleDivide" if arguments.len() == 2 => {
            pairwise(operation(name), arguments).map(Type::tuple).into()
        }
        "tuplePlus" | "tupleMinus" | "tupleMultiply" | "tupleDivide" => Inference::Unknown,
        "tupleNegate" if arguments.len() == 1 => {
            let parts = parts.iter().map(|part| apply("negate", &[&part.ty])).collect::<Option<Vec<_>>>();
            parts.map(Type::tuple).into()
        }
        "tupleMultiplyByNumber" | "tupleDivideByNumber" => match arguments {
            [_, Argument { ty: Some(number), .. }] => {
                let with = |part: &Element| apply(operation(name), &[&part.ty, number]);
                parts.iter().map(with).collect::<Option<Vec<_>>>().map(Type::tuple).into()
            }
            _ => Inference::Unknown,
        },
        "dotProduct" if arguments.len() == 2 => pairwise("multiply", arguments).and_then(sum).into(),
        "L1Norm" if arguments.len() == 1 => {
            let parts = parts.iter().map(|part| apply("abs", &[&part.ty])).collect::<Option<Vec<_>>>();
            parts.and_then(sum).into()
        }
        "L1Distance" if arguments.len() == 2 => {
            let gaps = pairwise("minus", arguments);
            let parts =
                gaps.and_then(|gaps| gaps.iter().map(|gap| apply("abs", &[gap])).collect::<Option<Vec<_>>>());
            parts.and_then(sum).into()
        }
        "LinfNorm"
        | "LinfDistance"
        | "L2SquaredNorm"
        | "L2SquaredDistance"
        | "tupleHammingDistance"
        | "mapAdd"
        | "mapSubtract" => Inference::Unknown,
        "tupleToNameValuePairs" if arguments.len() == 1 => match parts.split_first() {
            Some((one, others)) if others.iter().all(|part| part.ty == one.ty) => {
                Inference::Type(Type::array(Type::tuple([Type::String, one.ty.clone()])))
            }
            _ => Inference::Unknown,
        },
        name if name.starts_with("tupleIntDiv")
            || name.starts_with("tupleModulo")
            || name.starts_with("tuplePositive") =>
        {
            Inference::Unknown
        }
        _ => return None,
    })
}

/// Sums are as wide as `sum` makes them.
fn maps(arguments: &[Argument]) -> Option<Inference> {
    let [one, others @ ..] = arguments else { return None };
    let Some(Type::Map(kv)) = &one.ty else { return None };
    if others.iter().any(|other| other.ty != one.ty) {
        return Some(Inference::Unknown);
    }
    let value = match kv.1.integer() {
        Some((false, ..=64)) => Type::UInt64,
        Some((true, ..=64)) => Type::Int64,
        _ if kv.1.is_float() => Type::Float64,
        _ => return Some(Inference::Unknown),
    };
    Some(Inference::Type(Type::map(kv.0.clone(), value)))
}

fn operation(name: &str) -> &'static str {
    match name {
        _ if name.starts_with("tuplePlus") => "plus",
        _ if name.starts_with("tupleMinus") => "minus",
        _ if name.starts_with("tupleMultiply") => "multiply",
        _ => "divide",
    }
}

/// The function over the parts at the same places of two tuples.
fn pairwise(function: &str, arguments: &[Argument]) -> Option<Vec<Type>> {
    let [Argument { ty: Some(Type::Tuple(one)), .. }, Argument { ty: Some(Type::Tuple(other)), .. }] =
        arguments
    else {
        return None;
    };
    if one.len() != other.len() {
        return None;
    }
    one.iter().zip(other.iter()).map(|(a, b)| apply(function, &[&a.ty, &b.ty])).collect()
}

fn sum(parts: Vec<Type>) -> Option<Type> {
    let mut parts = parts.into_iter();
    let first = parts.next()?;
    parts.try_fold(first, |total, part| apply("plus", &[&total, &part]))
}

fn apply(function: &str, types: &[&Type]) -> Option<Type> {
    let arguments: Vec<Argument> = types.iter().map(|ty| Argument::column((*ty).clone())).collect();
    match call(&Call { name: function, parameters: &[], arguments: &arguments }) {
        Inference::Type(ty) => Some(ty),
        _ => None,
    }
}
