//! How many arguments and parameters aggregate functions take, with combinators and without.
//!
//! Of most functions the table knows it. Of those whose number of arguments was not found by probes (a quantile of none is
//! refused for a reason of its own), and of parameters, what is here was asked of the engine (26.7) one by one.

use super::Fault;
use crate::functions::{Combinator, Function};
use crate::table::rules;

/// The fewest and the most; `None` inside is no bound.
type Bounds = (usize, Option<usize>);

/// What is wrong with the number of arguments, if anything is.
pub(super) fn argument_fault(function: &Function, given: usize) -> Option<Fault> {
    let (min, max) = arguments(function)?;
    (given < min || max.is_some_and(|max| given > max)).then_some(Fault::ArgumentCount { min, max })
}

/// What is wrong with the number of parameters, if anything is.
pub(super) fn parameter_fault(function: &Function, given: usize) -> Option<Fault> {
    // Its own three stand behind the others.
    if function.combinators().contains(&Combinator::Resample) {
        return None;
    }
    let (min, max) = parameters(function.base())?;
    (given < min || max.is_some_and(|max| given > max)).then_some(Fault::ParameterCount { min, max })
}

/// How many arguments a function takes, where that is known for certain.
fn arguments(function: &Function) -> Option<Bounds> {
    let mut conditions = 0;
    for combinator in function.combinators() {
        match combinator {
            Combinator::If => conditions += 1,
            // A state is one argument, whatever it was made of.
            Combinator::Merge | Combinator::MergeState => {
                return Some((1 + conditions, Some(1 + conditions)));
            }
            Combinator::Array
            | Combinator::ForEach
            | Combinator::OrDefault
            | Combinator::OrNull
            | Combinator::State
            | Combinator::SimpleState => {}
            // `count(DISTINCT a, b)` is another function, and the others take arguments apart.
            _ => return None,
        }
    }
    let (min, max) = of_base(function.base())?;
    Some((min + conditions, max.map(|max| max + conditions)))
}

fn of_base(name: &str) -> Option<Bounds> {
    if name.starts_with("quantile") {
        let two = ["Weighted", "Deterministic", "Prometheus"].iter().any(|part| name.contains(part));
        let count = if two { 2 } else { 1 };
        return Some((count, Some(count)));
    }
    match name {
        "exponentialMovingAverage"
        | "exponentialTimeDecayedAvg"
        | "exponentialTimeDecayedMax"
        | "exponentialTimeDecayedSum"
        | "largestTriangleThreeBuckets"
        | "sparkbar" => Some((2, Some(2))),
        "groupArrayLast"
        | "groupArraySample"
        | "groupArraySorted"
        | "histogram"
        | "exponentialTimeDecayedCount" => Some((1, Some(1))),
        "lag" | "lead" | "lagInFrame" | "leadInFrame" => Some((1, Some(3))),
        name => rules(name)?.count,
    }
}

fn parameters(name: &str) -> Option<Bounds> {
    let own = name.starts_with("quantile")
        && !["DD", "GK", "Prometheus"].iter().any(|suffix| name.contains(suffix));
    match name {
        _ if own && name.starts_with("quantiles") => Some((1, None)),
        _ if own => Some((0, Some(1))),
        "groupArray" | "groupUniqArray" | "groupArrayMovingAvg" | "groupArrayMovingSum" => Some((0, Some(1))),
        "groupArrayLast"
        | "groupArraySorted"
        | "histogram"
        | "exponentialMovingAverage"
        | "exponentialTimeDecayedAvg"
        | "exponentialTimeDecayedCount"
        | "exponentialTimeDecayedMax"
        | "exponentialTimeDecayedSum"
        | "largestTriangleThreeBuckets"
        | "sequenceMatch"
        | "sequenceCount" => Some((1, Some(1))),
        "groupArraySample" | "windowFunnel" => Some((1, None)),
        name => rules(name)?.parameters,
    }
}
