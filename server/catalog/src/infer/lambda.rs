//! Functions that take lambdas.

use super::{Argument, Fault, Inference};
use crate::functions::find;
use crate::table::{Answer, Rules, by_table};
use crate::{Element, Type};

/// The types of a lambda's parameters, from those of the other arguments, in order. `None` when the function takes no
/// lambda; a parameter whose type is not known is `None` inside.
pub fn lambda_parameters(
    function: &str,
    arguments: &[Option<Type>],
    parameter_count: usize,
) -> Option<Vec<Option<Type>>> {
    let function = find(function)?;
    if !function.is_higher_order() {
        return None;
    }
    // Elements lose `LowCardinality` before a lambda sees them.
    let clean = |ty: &Option<Type>| ty.as_ref().map(Type::without_any_low_cardinality);
    let arguments: Vec<Option<Type>> = arguments.iter().map(clean).collect();
    let element = |ty: &Option<Type>| ty.as_ref().and_then(Type::element);
    let name = function.base();
    let parameters: Vec<Option<Type>> = if name.starts_with("map") {
        match arguments.last() {
            Some(Some(Type::Map(kv))) => vec![Some(kv.0.clone()), Some(kv.1.clone())],
            _ => Vec::new(),
        }
    } else if name == "arrayFold" {
        let (accumulator, arrays) = arguments.split_last()?;
        std::iter::once(accumulator.clone()).chain(arrays.iter().map(element)).collect()
    } else if name.contains("Partial") {
        // The limit comes first.
        arguments.iter().skip(1).map(element).collect()
    } else if let ([Some(Type::Array(tuple))], true) = (&arguments[..], parameter_count > 1) {
        // One array of tuples may be taken apart.
        match &**tuple {
            Type::Tuple(elements) if elements.len() == parameter_count => {
                elements.iter().map(|e| Some(e.ty.clone())).collect()
            }
            _ => Vec::new(),
        }
    } else {
        arguments.iter().map(element).collect()
    };
    Some((0..parameter_count).map(|n| parameters.get(n).cloned().flatten()).collect())
}

/// A call with a lambda in it.
pub(super) fn infer(name: &str, rules: Option<&Rules>, arguments: &[Argument]) -> Inference {
    let Some((lambda, rest)) = arguments.split_first() else { return Inference::Unknown };
    if !lambda.is_lambda || rest.iter().any(|a| a.is_lambda) {
        return Inference::Unknown;
    }
    if rest.is_empty() && ["array", "map"].iter().any(|kind| name.starts_with(kind)) {
        return Inference::Fault(Fault::ArgumentCount { min: 2, max: None });
    }
    let body = lambda.ty.as_ref().map(Type::without_any_low_cardinality);
    let rest: Vec<Option<Type>> =
        rest.iter().map(|a| a.ty.as_ref().map(Type::without_any_low_cardinality)).collect();
    // The array that is filtered, sorted, cut.
    let subject = if name.contains("Partial") { rest.get(1) } else { rest.first() };
    let subject = subject.cloned().flatten();
    let element = subject.as_ref().and_then(Type::element);
    match name {
        "arrayMap" => body.map(Type::array).into(),
        "arrayFilter"
        | "arraySort"
        | "arrayReverseSort"
        | "arrayPartialSort"
        | "arrayPartialReverseSort"
        | "arrayFill"
        | "arrayReverseFill"
        | "arrayCompact" => element.map(Type::array).into(),
        "arraySplit" | "arrayReverseSplit" => element.map(|e| Type::array(Type::array(e))).into(),
        "arrayFirst" | "arrayLast" => element.into(),
        "arrayFirstOrNull" | "arrayLastOrNull" => {
            element.filter(|e| e.is_nullable() || e.may_be_nullable()).map(Type::nullable).into()
        }
        "arrayFirstIndex" | "arrayLastIndex" | "arrayCount" => Inference::Type(Type::UInt32),
        "arrayExists" | "arrayAll" => Inference::Type(Type::UInt8),
        "arrayFold" => rest.last().cloned().flatten().into(),
        "arraySum"
        | "arrayAvg"
        | "arrayMin"
        | "arrayMax"
        | "arrayProduct"
        | "arrayCumSum"
        | "arrayCumSumNonNegative"
        | "arrayDifference" => {
            let (Some(body), Some(rules)) = (body, rules) else { return Inference::Unknown };
            let array = Type::array(body);
            let argument = Argument::column(array.clone());
            match by_table(rules, &[argument], &[array]) {
                Answer::Type(ty) => Inference::Type(ty),
                Answer::Unknown | Answer::Refused(_) => Inference::Unknown,
            }
        }
        "mapFilter" | "mapSort" | "mapReverseSort" | "mapPartialSort" | "mapPartialReverseSort" => {
            subject.filter(|t| matches!(t, Type::Map(_))).into()
        }
        "mapExists" | "mapAll" => Inference::Type(Type::UInt8),
        "mapApply" => match body {
            Some(Type::Tuple(parts)) => match &parts[..] {
                [Element { ty: key, .. }, Element { ty: value, .. }] => {
                    Inference::Type(Type::map(key.clone(), value.clone()))
                }
                _ => Inference::Unknown,
            },
            _ => Inference::Unknown,
        },
        _ => Inference::Unknown,
    }
}
