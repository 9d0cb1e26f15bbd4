//! Aggregate functions: the table for the function itself, rules for combinators.

use std::sync::Arc;

use super::{Argument, Call, Fault, Inference, answered, counts, types};
use crate::functions::{Combinator, Function, find, state_version};
use crate::table::{by_table_aggregate, rules};
use crate::{Aggregate, Constant, Type};

pub(super) fn infer(function: &Function, call: &Call<'_>) -> Inference {
    // What the engine reads `count(DISTINCT …)` as, by a setting of its own.
    let implementation = match (function.base(), function.combinators()) {
        ("count", [Combinator::Distinct]) => find("uniqExact"),
        ("count", [Combinator::Distinct, Combinator::If]) => find("uniqExactIf"),
        _ => None,
    };
    let function = implementation.as_ref().unwrap_or(function);
    let base = rules(function.base());
    // Beside a NULL the engine looks at neither arguments nor parameters.
    if !call.arguments.iter().any(|a| a.ty.as_ref().is_some_and(Type::is_null)) {
        let fault = counts::argument_fault(function, call.arguments.len());
        if let Some(fault) = fault.or_else(|| counts::parameter_fault(function, call.parameters.len())) {
            return Inference::Fault(fault);
        }
    }
    let Some(types) = types(call.arguments) else {
        return match base.map(|rules| super::only_type(rules.all()).filter(|_| hides_nulls(rules))) {
            Some(Some(ty)) => around(function.combinators(), ty.clone()),
            _ => Inference::Unknown,
        };
    };
    // States of NULL are no states, and what becomes of the rest is decided before combinators are looked at.
    if types.iter().any(Type::is_null) && !function.combinators().is_empty() {
        return Inference::Unknown;
    }
    let types: Vec<Type> = types.iter().map(Type::without_any_low_cardinality).collect();
    result(function, call.parameters, &types)
}

fn hides_nulls(rules: &crate::table::Rules) -> bool {
    rules.nulls == crate::table::Wrapping::Ignored
}

/// The result of combinators that do not look at the arguments.
fn around(combinators: &[Combinator], ty: Type) -> Inference {
    let plain = |c: &Combinator| matches!(c, Combinator::If | Combinator::Distinct | Combinator::OrDefault);
    if combinators.iter().all(plain) { Inference::Type(ty) } else { Inference::Unknown }
}

/// A function without its combinators.
fn plain(function: &Function) -> Function {
    Function { entry: function.entry, combinators: Vec::new() }
}

/// What is kept in a column of this type: the name of the function that adds it up says nothing about its parts.
fn kept(ty: &Type) -> Type {
    match ty {
        Type::SimpleAggregateFunction(a) => a.arguments.first().map_or_else(|| ty.clone(), kept),
        ty => ty.clone(),
    }
}

/// What a function without its outermost combinator is.
fn inner(function: &Function) -> Function {
    Function { entry: function.entry, combinators: function.combinators[1..].to_vec() }
}

/// The result for arguments without `LowCardinality`. Recursion is bounded by the number of combinators and by the depth of
/// types.
fn result(function: &Function, parameters: &[Constant], types: &[Type]) -> Inference {
    let Some(combinator) = function.combinators().first().copied() else {
        return base_result(function, parameters, types);
    };
    let inside = inner(function);
    let wrong = |argument: usize, accepted: &str| -> Inference {
        let Some(ty) = types.get(argument) else { return Inference::Unknown };
        if is_open(ty) {
            return Inference::Unknown;
        }
        Inference::Fault(Fault::ArgumentType {
            argument,
            ty: ty.clone(),
            accepted: Some(accepted.to_owned()),
        })
    };
    // What these make of a state is not a matter of rules.
    let over_state = matches!(inside.combinators().first(), Some(Combinator::State | Combinator::MergeState));
    match combinator {
        Combinator::OrNull | Combinator::OrDefault | Combinator::Distinct if over_state => Inference::Unknown,
        Combinator::If => {
            let Some((condition, rest)) = types.split_last() else { return Inference::Unknown };
            match condition.bare() {
                Type::UInt8 | Type::Bool | Type::Nothing => result(&inside, parameters, rest),
                _ => wrong(rest.len(), "UInt8 or Bool"),
            }
        }
        Combinator::Distinct | Combinator::OrDefault => result(&inside, parameters, types),
        Combinator::OrNull => result(&inside, parameters, types).map(Type::nullable),
        Combinator::State => state(&inside, parameters, types),
        Combinator::SimpleState => match result(&inside, parameters, types) {
            Inference::Type(ty) => Inference::Type(Type::SimpleAggregateFunction(Arc::new(Aggregate {
                version: None,
                function: inside.name().into(),
                parameters: parameters.into(),
                arguments: Arc::new([ty]),
            }))),
            other => other,
        },
        Combinator::Merge | Combinator::MergeState => {
            let [Type::AggregateFunction(state)] = types else {
                return match types {
                    [_] => wrong(0, &format!("AggregateFunction({}, …)", inside.name())),
                    [] => Inference::Fault(Fault::ArgumentCount { min: 1, max: Some(1) }),
                    _ => Inference::Unknown,
                };
            };
            let Some(made_by) = find(&state.function) else { return Inference::Unknown };
            if have_other_states(&inside, &made_by) || takes_other_arguments(&inside, &made_by, state) {
                return Inference::Fault(Fault::OtherState {
                    argument: 0,
                    state_of: state.function.to_string(),
                    merged_by: inside.name(),
                });
            }
            if inside == made_by && *parameters != *state.parameters && keeps_parameters(&inside) {
                return Inference::Fault(Fault::OtherState {
                    argument: 0,
                    state_of: with_parameters(&state.function, &state.parameters),
                    merged_by: with_parameters(&inside.name(), parameters),
                });
            }
            if inside != made_by && !made_by.combinators().iter().all(|c| *c == Combinator::If) {
                return Inference::Unknown;
            }
            if combinator == Combinator::MergeState {
                return Inference::Type(types[0].clone());
            }
            // One level of what was made for several is one value, and the other way round.
            let merged = if inside.base() == made_by.base() { &made_by } else { &inside };
            result(merged, &state.parameters, &state.arguments)
        }
        Combinator::Array | Combinator::ForEach => {
            if let Some(argument) = types.iter().position(|t| kept(t).element().is_none()) {
                return wrong(argument, "Array");
            }
            let elements: Vec<Type> = types.iter().filter_map(|t| kept(t).element()).collect();
            let inside = result(&inside, parameters, &elements);
            if combinator == Combinator::Array { inside } else { inside.map(Type::array) }
        }
        Combinator::Map => match &types.iter().map(kept).collect::<Vec<_>>()[..] {
            [Type::Map(kv)] => {
                result(&inside, parameters, std::slice::from_ref(&kv.1)).map(|v| Type::map(kv.0.clone(), v))
            }
            _ => match (inside.combinators().is_empty(), inside.base()) {
                (true, base @ ("sum" | "min" | "max")) => match find(&format!("{base}MappedArrays")) {
                    Some(of_arrays) => base_result(&of_arrays, parameters, types),
                    None => Inference::Unknown,
                },
                _ => wrong(0, "Map"),
            },
        },
        Combinator::Tuple => match types {
            [Type::Tuple(elements)] => {
                let mut results = Vec::with_capacity(elements.len());
                for element in elements.iter() {
                    match result(&inside, parameters, std::slice::from_ref(&element.ty)) {
                        Inference::Type(ty) => results.push(ty),
                        _ => return Inference::Unknown,
                    }
                }
                Inference::Type(Type::tuple(results))
            }
            _ => Inference::Unknown,
        },
        Combinator::Resample => {
            // The key is the last argument; begin, end and step are the last parameters.
            let Some((key, rest)) = types.split_last() else { return Inference::Unknown };
            if key.is_nullable() || parameters.len() < 3 {
                return Inference::Unknown;
            }
            result(&inside, &parameters[..parameters.len() - 3], rest).map(Type::array)
        }
        Combinator::ArgMin | Combinator::ArgMax => match types.split_last() {
            Some((order, rest)) if !order.is_nullable() => result(&inside, parameters, rest),
            _ => Inference::Unknown,
        },
    }
}

fn is_open(ty: &Type) -> bool {
    crate::table::class::Class::of(ty).is_open()
}

fn base_result(function: &Function, _parameters: &[Constant], types: &[Type]) -> Inference {
    let Some(rules) = rules(function.base()) else { return Inference::Unknown };
    let arguments: Vec<Argument> = types.iter().cloned().map(Argument::column).collect();
    if !types.iter().any(Type::is_null)
        && let Some(fault) = counts::argument_fault(&plain(function), types.len())
    {
        return Inference::Fault(fault);
    }
    match answered(rules, by_table_aggregate(rules, &arguments, types), &arguments, types.to_vec()) {
        // Where nothing was taken with this number of arguments, something else may have been to blame.
        Inference::Fault(_) if !rules.closed().any(|rule| rule.positions.len() == types.len()) => {
            Inference::Unknown
        }
        other => other,
    }
}

/// The state of a function over arguments that it takes.
fn state(function: &Function, parameters: &[Constant], types: &[Type]) -> Inference {
    // What is no call makes no state. The other way round, an unknown result is no obstacle: the state's type does not
    // need it.
    if let fault @ Inference::Fault(_) = result(function, parameters, types) {
        return fault;
    }
    // Some functions do not write the parameters that they were given, or write others.
    const OWN_PARAMETERS: [&str; 3] = ["kolmogorovSmirnovTest", "mannWhitneyUTest", "studentTTest"];
    if OWN_PARAMETERS.contains(&function.base()) {
        return Inference::Unknown;
    }
    // Layers that the state does not see: the state of `sumOrNull` is one of its own, that of `-Merge` is the merged one.
    if function.combinators().iter().any(|c| matches!(c, Combinator::Merge | Combinator::State)) {
        return match (function.combinators().first(), types) {
            (Some(Combinator::Merge), [state @ Type::AggregateFunction(_)]) => Inference::Type(state.clone()),
            _ => Inference::Unknown,
        };
    }
    let name = function.name();
    Inference::Type(Type::AggregateFunction(Arc::new(Aggregate {
        version: state_version(&name, types),
        function: name.into(),
        parameters: parameters.into(),
        arguments: types.into(),
    })))
}

/// Whether a function cannot merge a state for what the state was made of: the engine sets it up over the arguments of the
/// state first, as `sum` over the value and the condition of `sumIf`.
fn takes_other_arguments(merged_by: &Function, made_by: &Function, state: &Aggregate) -> bool {
    if merged_by == made_by {
        return false;
    }
    // A condition that may be NULL makes a state of its own, and so do several arguments where one more is one of them.
    let drops_condition = merged_by.combinators().is_empty() && made_by.combinators() == [Combinator::If];
    let takes_many = || matches!(merged_by.argument_count(), Some((_, None)));
    (drops_condition && (state.arguments.iter().any(Type::is_nullable) || takes_many()))
        || matches!(result(merged_by, &state.parameters, &state.arguments), Inference::Fault(_))
}

/// Whether parameters are part of what a state is. Quantiles of any level share theirs, and what finds sequences does.
fn keeps_parameters(function: &Function) -> bool {
    let base = function.base();
    function.combinators().is_empty() && !base.starts_with("quantile") && !base.starts_with("sequence")
}

/// `topK(3)`.
fn with_parameters(name: &str, parameters: &[Constant]) -> String {
    let list: Vec<String> = parameters.iter().map(ToString::to_string).collect();
    if list.is_empty() { name.to_owned() } else { format!("{name}({})", list.join(", ")) }
}

/// Whether the states of two functions are of different kinds for certain. Of all pairs of functions, the engine merges only
/// quantiles of one method, whether of one level or of several.
fn have_other_states(merged_by: &Function, made_by: &Function) -> bool {
    let family = |name: &'static str| name.replacen("quantiles", "quantile", 1);
    let (a, b) = (merged_by.base(), made_by.base());
    // Functions that find sequences were not tried with each other.
    let untried = |name: &str| name.starts_with("sequence") || name.starts_with("timeSeries");
    family(a) != family(b) && !(untried(a) && untried(b))
}
