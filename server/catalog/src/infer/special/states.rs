//! Ordinary functions that run an aggregate function, named by a text or by the state that they are given.

use super::super::{Argument, Call, Inference};
use crate::{Constant, Type};

pub(super) fn infer(name: &str, arguments: &[Argument]) -> Option<Inference> {
    Some(match name {
        "finalizeAggregation" => match arguments {
            [Argument { ty: Some(Type::AggregateFunction(state)), .. }] => {
                let inner: Vec<Argument> = state.arguments.iter().cloned().map(Argument::column).collect();
                run(&state.function, &state.parameters, &inner)
            }
            [Argument { ty: None, .. }] => Inference::Unknown,
            _ => return None,
        },
        "initializeAggregation" => match arguments.split_first() {
            Some((which, rest)) => named(which, rest.to_vec()),
            None => Inference::Unknown,
        },
        "arrayReduce" => match arguments.split_first() {
            Some((which, arrays)) if !arrays.is_empty() => elements(which, arrays),
            _ => Inference::Unknown,
        },
        "arrayReduceInRanges" => match arguments {
            [which, _, arrays @ ..] if !arrays.is_empty() => elements(which, arrays).map(Type::array),
            _ => Inference::Unknown,
        },
        _ => return None,
    })
}

fn elements(which: &Argument, arrays: &[Argument]) -> Inference {
    let element = |a: &Argument| a.ty.as_ref().and_then(Type::element).map(Argument::column);
    match arrays.iter().map(element).collect::<Option<Vec<_>>>() {
        Some(arguments) => named(which, arguments),
        None => Inference::Unknown,
    }
}

/// A function as a text names it, with parameters perhaps: `'quantiles(0.5, 0.9)'`.
fn named(which: &Argument, arguments: Vec<Argument>) -> Inference {
    let Some(text) = which.constant.as_ref().and_then(Constant::as_str) else { return Inference::Unknown };
    // The form is that of the first part of a state's type.
    let Ok(Type::AggregateFunction(parsed)) = Type::parse(&format!("AggregateFunction({text})")) else {
        return Inference::Unknown;
    };
    if !parsed.arguments.is_empty() {
        return Inference::Unknown;
    }
    let arguments: Vec<Argument> = arguments.into_iter().map(|a| Argument { constant: None, ..a }).collect();
    run(&parsed.function, &parsed.parameters, &arguments)
}

/// A fault inside is none of the call's own arguments: it silences.
fn run(function: &str, parameters: &[Constant], arguments: &[Argument]) -> Inference {
    match crate::infer(&Call { name: function, parameters, arguments }) {
        Inference::Fault(_) => Inference::Unknown,
        other => other,
    }
}
