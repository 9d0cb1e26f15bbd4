//! The order of types: what several types have in common.
//!
//! The rules are those of the engine's `getLeastSupertype`, read off its answers to `[a, b]` and `if(c, a, b)` for pairs
//! of all families; `cargo xtask catalog-eval` compares them again.

use std::sync::Arc;

use crate::types::variant;
use crate::{Element, Type, Unit};

/// What several types have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Supertype {
    /// Values of all of them can be had as values of this one. A `Variant` where nothing narrower is, as the engine's
    /// default settings have it.
    Type(Type),
    /// The engine refuses to mix them.
    None,
    /// No rule says it.
    Unknown,
}

/// The common type of the elements of an array, of the branches of a condition, of the arms of a UNION. The order
/// matters where the engine takes the first of equals (`Bool` and `UInt8`, time zones). Linear in the types' sizes.
pub fn supertype(types: &[Type]) -> Supertype {
    match plain_supertype(types) {
        Outcome::Type(ty) => Supertype::Type(ty),
        Outcome::Unknown => Supertype::Unknown,
        Outcome::None => {
            let mut parts = Vec::new();
            for ty in types {
                match ty {
                    Type::Variant(inner) => parts.extend(inner.iter().cloned()),
                    Type::Nullable(inner) => parts.push(inner.as_ref().clone()),
                    Type::LowCardinality(inner) => {
                        parts.push(inner.bare().clone().low_cardinality());
                    }
                    ty => parts.push(ty.clone()),
                }
            }
            variant(parts).map_or(Supertype::Unknown, Supertype::Type)
        }
    }
}

/// The common type as functions want it that take no `Variant`: `greatest`, comparisons of `IN`.
pub fn narrow_supertype(types: &[Type]) -> Supertype {
    match plain_supertype(types) {
        Outcome::Type(ty) => Supertype::Type(ty),
        Outcome::Unknown => Supertype::Unknown,
        Outcome::None => Supertype::None,
    }
}

enum Outcome {
    Type(Type),
    None,
    Unknown,
}

impl Outcome {
    fn map(self, f: impl FnOnce(Type) -> Type) -> Self {
        match self {
            Self::Type(ty) => Self::Type(f(ty)),
            other => other,
        }
    }
}

fn plain_supertype(types: &[Type]) -> Outcome {
    let Some(first) = types.first() else { return Outcome::Type(Type::Nothing) };
    if types.iter().all(|t| same(t, first)) {
        return Outcome::Type(first.clone());
    }
    if types.iter().any(|t| matches!(t, Type::Dynamic(_))) {
        return dynamic(types);
    }
    // `SimpleAggregateFunction`, and names of shapes, are other names of the types beneath.
    let types: Vec<Type> = types.iter().filter(|t| **t != Type::Nothing).map(beneath).collect();
    match &types[..] {
        [] => return Outcome::Type(Type::Nothing),
        [one] => return Outcome::Type(one.clone()),
        _ => {}
    }
    if let Some(outcome) = containers(&types) {
        return outcome;
    }
    if types.iter().any(|t| matches!(t, Type::LowCardinality(_))) {
        let all = types.iter().all(|t| matches!(t, Type::LowCardinality(_)));
        let inner: Vec<Type> = types.iter().map(|t| t.without_low_cardinality().clone()).collect();
        let outcome = plain_supertype(&inner);
        return if all { outcome.map(Type::low_cardinality) } else { outcome };
    }
    if types.iter().any(|t| matches!(t, Type::Nullable(_))) {
        let inner: Vec<Type> = types.iter().filter(|t| !t.is_null()).map(|t| t.bare().clone()).collect();
        return match plain_supertype(&inner) {
            Outcome::Type(ty) if matches!(ty, Type::Variant(_) | Type::Dynamic(_)) => Outcome::Type(ty),
            Outcome::Type(Type::Nothing) => Outcome::Type(Type::null()),
            // An array and NULL have nothing in common.
            Outcome::Type(ty) if ty.may_be_nullable() => Outcome::Type(ty.nullable()),
            Outcome::Type(_) => Outcome::None,
            other => other,
        };
    }
    scalars(&types)
}

/// Whether the engine takes two types for the same, whatever their names.
fn same(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Bool, Type::UInt8) | (Type::UInt8, Type::Bool) | (Type::DateTime(_), Type::DateTime(_)) => {
            true
        }
        (Type::DateTime64(x, _), Type::DateTime64(y, _)) => x == y,
        (Type::Nullable(x), Type::Nullable(y))
        | (Type::Array(x), Type::Array(y))
        | (Type::LowCardinality(x), Type::LowCardinality(y)) => same(x, y),
        // Enough for decimals: the digits in all play no part while the width is one.
        (Type::Decimal(p, s), Type::Decimal(q, r)) => s == r && decimal_width(*p) == decimal_width(*q),
        (Type::SimpleAggregateFunction(x), y) | (y, Type::SimpleAggregateFunction(x)) => {
            x.arguments.first().is_some_and(|x| match y {
                Type::SimpleAggregateFunction(y) => y.arguments.first() == Some(x),
                y => x == y,
            })
        }
        _ => a == b,
    }
}

fn beneath(ty: &Type) -> Type {
    match ty {
        Type::SimpleAggregateFunction(a) => a.arguments.first().cloned().unwrap_or(Type::Nothing),
        ty => ty.clone(),
    }
}

fn dynamic(types: &[Type]) -> Outcome {
    let most = types.iter().filter_map(|t| match t {
        Type::Dynamic(most) => Some(most.unwrap_or(32)),
        _ => None,
    });
    Outcome::Type(Type::Dynamic(most.max().filter(|n| *n != 32)))
}

/// Arrays with arrays, tuples with tuples, maps with maps. `None` when no type is one of these.
fn containers(types: &[Type]) -> Option<Outcome> {
    if types.iter().any(|t| matches!(t, Type::Variant(_))) {
        // Beside an interval the engine forgets the rest.
        let interval = types.iter().any(|t| matches!(t, Type::Interval(_)));
        return Some(if interval { Outcome::Unknown } else { Outcome::None });
    }
    let wrapped = |t: &Type| matches!(t, Type::Nullable(inner) if matches!(**inner, Type::Tuple(_)));
    if types.iter().any(wrapped) {
        // Nullable tuples are an experiment of the engine's.
        return Some(Outcome::Unknown);
    }
    if types.iter().any(|t| matches!(t, Type::Geo(_) | Type::Nested(_))) {
        let mixed = types.iter().any(|t| matches!(t, Type::Array(_) | Type::Tuple(_)));
        let shapes = types.iter().filter(|t| matches!(t, Type::Geo(_))).count();
        return Some(if mixed || shapes > 1 { Outcome::Unknown } else { Outcome::None });
    }
    let array: Vec<&Arc<Type>> =
        types.iter().filter_map(|t| if let Type::Array(e) = t { Some(e) } else { None }).collect();
    if !array.is_empty() {
        if array.len() != types.len() {
            return Some(Outcome::None);
        }
        let elements: Vec<Type> = array.into_iter().map(|e| e.as_ref().clone()).collect();
        return Some(plain_supertype(&elements).map(Type::array));
    }
    let maps: Vec<&Arc<(Type, Type)>> =
        types.iter().filter_map(|t| if let Type::Map(kv) = t { Some(kv) } else { None }).collect();
    if !maps.is_empty() {
        if maps.len() != types.len() {
            return Some(Outcome::None);
        }
        let keys: Vec<Type> = maps.iter().map(|kv| kv.0.clone()).collect();
        let values: Vec<Type> = maps.iter().map(|kv| kv.1.clone()).collect();
        return Some(match (plain_supertype(&keys), plain_supertype(&values)) {
            (Outcome::Type(key), Outcome::Type(value)) => Outcome::Type(Type::map(key, value)),
            (Outcome::Unknown, _) | (_, Outcome::Unknown) => Outcome::Unknown,
            _ => Outcome::None,
        });
    }
    let tuples: Vec<&Arc<[Element]>> =
        types.iter().filter_map(|t| if let Type::Tuple(e) = t { Some(e) } else { None }).collect();
    if tuples.is_empty() {
        return None;
    }
    if tuples.len() != types.len() || tuples.iter().any(|t| t.len() != tuples[0].len()) {
        return Some(Outcome::None);
    }
    let named = tuples.iter().all(|t| t.iter().zip(tuples[0].iter()).all(|(a, b)| a.name == b.name));
    let mut elements = Vec::with_capacity(tuples[0].len());
    for (n, first) in tuples[0].iter().enumerate() {
        let column: Vec<Type> = tuples.iter().map(|t| t[n].ty.clone()).collect();
        match plain_supertype(&column) {
            Outcome::Type(ty) => elements.push(Element { name: first.name.clone().filter(|_| named), ty }),
            other => return Some(other),
        }
    }
    Some(Outcome::Type(Type::Tuple(elements.into())))
}

fn scalars(types: &[Type]) -> Outcome {
    let all = |test: fn(&Type) -> bool| types.iter().all(test);
    let any = |test: fn(&Type) -> bool| types.iter().any(test);
    if any(Type::is_string) {
        return if all(|t| t.is_string() || t.is_enum()) {
            Outcome::Type(Type::String)
        } else {
            Outcome::None
        };
    }
    let is_moment = |t: &Type| {
        matches!(
            t,
            Type::Date
                | Type::Date32
                | Type::DateTime(_)
                | Type::DateTime64(..)
                | Type::Time
                | Type::Time64(_)
        )
    };
    if types.iter().any(is_moment) {
        return if types.iter().all(is_moment) { moments(types) } else { Outcome::None };
    }
    if any(|t| matches!(t, Type::Interval(_))) {
        return intervals(types);
    }
    if any(|t| matches!(t, Type::Ipv4)) {
        return addresses(types);
    }
    if any(|t| matches!(t, Type::Decimal(..))) {
        return decimals(types);
    }
    numbers(types)
}

fn moments(types: &[Type]) -> Outcome {
    let any = |test: fn(&Type) -> bool| types.iter().any(test);
    let time = any(|t| matches!(t, Type::Time | Type::Time64(_)));
    let date = any(|t| matches!(t, Type::Date | Type::Date32));
    let moment = any(|t| matches!(t, Type::DateTime(_) | Type::DateTime64(..)));
    let scale = types
        .iter()
        .filter_map(|t| match t {
            Type::DateTime64(scale, _) | Type::Time64(scale) => Some(*scale),
            _ => None,
        })
        .max();
    if time && date {
        return if moment { Outcome::Unknown } else { Outcome::None };
    }
    if time && !moment {
        return Outcome::Type(scale.map_or(Type::Time, Type::Time64));
    }
    if !moment {
        return Outcome::Type(Type::Date32);
    }
    // The zone of the first type of the kind that wins.
    let fine: Vec<_> = types.iter().filter(|t| matches!(t, Type::DateTime64(..))).collect();
    if !fine.is_empty() {
        // Of several with the greatest scale the last one's is not distinguished from the first's: zones that differ
        // are left open.
        let zones: Vec<_> =
            fine.iter().filter(|t| matches!(t, Type::DateTime64(s, _) if Some(*s) == scale)).collect();
        return match zones.first() {
            Some(first) if fine.iter().all(|t| t.time_zone() == first.time_zone()) => {
                Outcome::Type(Type::DateTime64(scale.unwrap_or(0), first.time_zone().cloned()))
            }
            _ => Outcome::Unknown,
        };
    }
    let zone = types.iter().find(|t| matches!(t, Type::DateTime(_))).and_then(|t| t.time_zone().cloned());
    if time {
        return Outcome::Type(Type::DateTime64(scale.unwrap_or(0), zone));
    }
    if any(|t| matches!(t, Type::Date32)) {
        return Outcome::Type(Type::DateTime64(0, None));
    }
    Outcome::Type(Type::DateTime(zone))
}

/// Months and what is made of them have no common measure with the rest.
fn intervals(types: &[Type]) -> Outcome {
    let units: Vec<Unit> =
        types.iter().filter_map(|t| if let Type::Interval(unit) = t { Some(*unit) } else { None }).collect();
    if units.len() != types.len() {
        return Outcome::Unknown;
    }
    let months = units.iter().filter(|u| **u >= Unit::Month).count();
    if months != 0 && months != units.len() {
        return Outcome::Unknown;
    }
    units.into_iter().min().map_or(Outcome::Unknown, |unit| Outcome::Type(Type::Interval(unit)))
}

fn addresses(types: &[Type]) -> Outcome {
    let widest = types.iter().filter(|t| **t != Type::Ipv4).map(|t| match t.integer() {
        Some((false, bits)) => Some(bits),
        None if *t == Type::Bool => Some(8),
        _ => None,
    });
    let mut most = 32;
    for bits in widest {
        match bits {
            Some(bits) => most = most.max(bits),
            // Signed numbers fail inside the engine, which is not worth a rule; the rest has nothing in common.
            None => return Outcome::Unknown,
        }
    }
    Type::from_integer(false, most).map_or(Outcome::Unknown, Outcome::Type)
}

/// The digits that fit into the storage of a decimal of this many.
pub(crate) fn decimal_width(precision: u8) -> u8 {
    match precision {
        0..=9 => 9,
        10..=18 => 18,
        19..=38 => 38,
        _ => 76,
    }
}

fn decimals(types: &[Type]) -> Outcome {
    let mut scale = 0;
    let mut width = 0;
    for ty in types {
        match ty {
            Type::Decimal(p, s) => {
                scale = scale.max(*s);
                width = width.max(decimal_width(*p));
            }
            Type::Bool => width = width.max(9),
            ty => match ty.integer() {
                Some((_, 8 | 16)) => width = width.max(9),
                Some((_, 32)) => width = width.max(18),
                Some((_, 64)) => width = width.max(38),
                _ => return Outcome::None,
            },
        }
    }
    // What integers need in front of the point may not fit any more.
    Outcome::Type(Type::Decimal(width, scale))
}

fn numbers(types: &[Type]) -> Outcome {
    let (mut signed, mut unsigned, mut mantissa) = (0, 0, 0);
    for ty in types {
        match ty {
            Type::Bool => unsigned = unsigned.max(8),
            Type::Enum8(_) => signed = signed.max(8),
            Type::Enum16(_) => signed = signed.max(16),
            Type::BFloat16 => mantissa = mantissa.max(8),
            Type::Float32 => mantissa = mantissa.max(24),
            Type::Float64 => mantissa = mantissa.max(53),
            ty => match ty.integer() {
                Some((true, bits)) => signed = signed.max(bits),
                Some((false, bits)) => unsigned = unsigned.max(bits),
                None => return Outcome::None,
            },
        }
    }
    if mantissa > 0 {
        let integers = signed.max(unsigned);
        return match mantissa.max(integers) {
            0..=8 => Outcome::Type(Type::BFloat16),
            9..=24 => Outcome::Type(Type::Float32),
            25..=53 => Outcome::Type(Type::Float64),
            _ => Outcome::None,
        };
    }
    let bits = if signed > 0 && unsigned >= signed { unsigned * 2 } else { signed.max(unsigned) };
    match bits {
        // Twice 64 bits would do, and the engine does not go there by itself.
        128 if signed > 0 && signed < 128 => Outcome::None,
        _ => Type::from_integer(signed > 0, bits).map_or(Outcome::None, Outcome::Type),
    }
}
