//! Dates and times whose digits or zone an argument names.

use super::super::{Argument, Inference};
use crate::{Constant, Type};

pub(super) fn infer(name: &str, arguments: &[Argument]) -> Option<Inference> {
    // A NULL is the result, whatever else is asked for.
    if arguments.iter().any(|a| a.ty.as_ref().is_some_and(Type::is_null)) {
        return None;
    }
    let known = |n: usize| arguments.get(n).and_then(|a| a.ty.as_ref());
    Some(match name {
        "toDateTime64OrNull"
        | "toDateTime64OrZero"
        | "parseDateTime64BestEffort"
        | "parseDateTime64BestEffortUS"
        | "parseDateTime64BestEffortOrNull"
        | "parseDateTime64BestEffortUSOrNull"
        | "parseDateTime64BestEffortOrZero"
        | "parseDateTime64BestEffortUSOrZero"
            if matches!(arguments.len(), 1..=3) =>
        {
            let Some(scale) = scale(arguments.get(1)) else { return Some(Inference::Unknown) };
            let zone = match arguments.get(2) {
                Some(zone) => match text(zone) {
                    Some(zone) => Some(zone.into()),
                    None => return Some(Inference::Unknown),
                },
                None => None,
            };
            let ty = Type::DateTime64(scale, zone);
            match known(0) {
                Some(from) if from.is_string() && !matches!(from, Type::LowCardinality(_)) => {
                    let is_nullable = name.ends_with("OrNull") || from.is_nullable();
                    Inference::Type(if is_nullable { ty.nullable() } else { ty })
                }
                _ => return None,
            }
        }
        // How many digits there are, the format says.
        "parseDateTime64InJodaSyntax"
        | "parseDateTime64InJodaSyntaxOrNull"
        | "parseDateTime64InJodaSyntaxOrZero"
        | "parseDateTime64"
        | "parseDateTime64OrNull"
        | "parseDateTime64OrZero" => Inference::Unknown,
        "timeSlots" if matches!(arguments.len(), 2 | 3) => match known(0) {
            Some(ty @ Type::DateTime(_)) if !known(1)?.is_nullable() => {
                Inference::Type(Type::array(ty.clone()))
            }
            _ => Inference::Unknown,
        },
        "hop" | "tumble" if arguments.len() >= 2 => {
            let zone = zone(arguments.last());
            let edge = match (known(0)?, zone) {
                (Type::DateTime(_), Some(zone)) => Type::DateTime(Some(zone.into())),
                (Type::DateTime(own), None) => Type::DateTime(own.clone()),
                _ => return Some(Inference::Unknown),
            };
            Inference::Type(Type::tuple([edge.clone(), edge]))
        }
        "hopStart" | "hopEnd" | "tumbleStart" | "tumbleEnd" => match (known(0)?, zone(arguments.last())) {
            (Type::DateTime(_), Some(zone)) => Inference::Type(Type::DateTime(Some(zone.into()))),
            (Type::DateTime(own), None) => Inference::Type(Type::DateTime(own.clone())),
            (Type::Tuple(edges), None) if arguments.len() == 1 => match &edges[..] {
                [start, end] if name.ends_with("Start") => Inference::Type(start.ty.clone()),
                [_, end] => Inference::Type(end.ty.clone()),
                _ => Inference::Unknown,
            },
            _ => Inference::Unknown,
        },
        "makeDateTime64" if arguments.len() >= 8 => {
            let Some(scale) = scale(arguments.get(7)) else { return Some(Inference::Unknown) };
            match arguments.get(8) {
                None => Inference::Type(Type::DateTime64(scale, None)),
                Some(zone) => text(zone).map(|zone| Type::DateTime64(scale, Some(zone.into()))).into(),
            }
        }
        // The zone of the result is the one that is named.
        "dateTrunc" if arguments.len() == 3 => match (known(1)?, text(&arguments[2])) {
            (Type::DateTime(_), Some(zone)) => {
                let unit = text(&arguments[0]).unwrap_or_default().to_ascii_lowercase();
                match unit.as_str() {
                    "second" | "minute" | "hour" | "day" => {
                        Inference::Type(Type::DateTime(Some(zone.into())))
                    }
                    "week" | "month" | "quarter" | "year" => Inference::Type(Type::Date),
                    _ => Inference::Unknown,
                }
            }
            _ => Inference::Unknown,
        },
        _ => return None,
    })
}

fn text(argument: &Argument) -> Option<&str> {
    argument.constant.as_ref().and_then(Constant::as_str)
}

/// A zone in the last place; what stands there otherwise is an interval.
fn zone(argument: Option<&Argument>) -> Option<&str> {
    text(argument?)
}

/// Digits behind the second, three where none are said.
fn scale(argument: Option<&Argument>) -> Option<u8> {
    match argument {
        None => Some(3),
        Some(argument) => match argument.constant {
            Some(Constant::UInt(scale @ 0..=9)) => u8::try_from(scale).ok(),
            _ => None,
        },
    }
}
