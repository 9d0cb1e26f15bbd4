//! Questions to the catalog, in the terms of this module. `None` and *unknown* mean that nothing may be concluded.

use std::borrow::Cow;

use headwater_catalog::{self as catalog, Argument, Call, Constant, Element, Inference, Supertype, Type};
use headwater_syntax::sql::ast::Literal;

pub(super) use crate::checks::nearest;

use super::expression::Seen;
use super::relation::{Column, Relation};
use super::scope::Value;

/// The type of that name.
pub(super) fn parse(text: &str) -> Option<Type> {
    Type::parse(text).ok()
}

/// A name that is close enough to be meant.
pub(super) fn closest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    nearest(word, candidates).map(str::to_owned)
}

/// The type that the engine gives to a literal, written as `text`.
pub(super) fn literal(literal: &Literal) -> Option<Type> {
    constant(literal)?.ty()
}

fn constant(literal: &Literal) -> Option<Constant> {
    Some(match literal {
        Literal::Null => Constant::Null,
        Literal::Boolean(b) => Constant::Bool(*b),
        Literal::Integer(n) => match (u64::try_from(*n), i64::try_from(*n)) {
            (Ok(n), _) => Constant::UInt(n),
            (_, Ok(n)) => Constant::Int(n),
            _ => return None,
        },
        Literal::Float(x) => Constant::Float(catalog::Float::new(*x)),
        Literal::String(s) => Constant::String(s.as_str().into()),
        Literal::Bytes(_) => return None,
    })
}

/// A part of a value by its path.
pub(super) enum Part {
    Type(Type),
    Unknown,
    /// The type has no such part.
    Nothing,
}

/// A subcolumn: an element of a tuple, `null`, `size0`, `keys`, a path of JSON.
pub(super) fn part(ty: &Type, path: &[&str]) -> Part {
    let [first, rest @ ..] = path else { return Part::Type(ty.clone()) };
    let inner = match ty {
        Type::Tuple(elements) | Type::Nested(elements) => {
            let named = elements.iter().find(|e| e.name.as_deref() == Some(*first));
            let numbered = || first.parse::<usize>().ok().and_then(|n| elements.get(n.checked_sub(1)?));
            match named.or_else(numbered) {
                Some(element) => element.ty.clone(),
                None => return Part::Nothing,
            }
        }
        Type::Nullable(inner) => {
            return if *first == "null" && rest.is_empty() {
                Part::Type(Type::UInt8)
            } else {
                match part(inner, path) {
                    // A part of a missing tuple is missing.
                    Part::Type(ty) if ty.may_be_nullable() => Part::Type(ty.nullable()),
                    other => other,
                }
            };
        }
        Type::Array(element) => {
            return match *first {
                "size0" if rest.is_empty() => Part::Type(Type::UInt64),
                name if name.starts_with("size") => Part::Unknown,
                // An element of each tuple: `nested.name` over an array.
                _ => match part(element, path) {
                    Part::Type(ty) => Part::Type(Type::array(ty)),
                    other => other,
                },
            };
        }
        Type::Map(kv) => match *first {
            "keys" => Type::array(kv.0.clone()),
            "values" => Type::array(kv.1.clone()),
            "size0" => Type::UInt64,
            _ => return Part::Unknown,
        },
        Type::String if *first == "size" => Type::UInt64,
        Type::Json(json) => {
            let whole = path.join(".");
            return match json.paths.iter().find(|(p, _)| **p == *whole) {
                Some((_, ty)) => Part::Type(ty.clone()),
                // A sub-object, or types by name behind a path, are read otherwise.
                None if json.paths.iter().any(|(p, _)| whole.starts_with(&**p)) || whole.contains(':') => {
                    Part::Unknown
                }
                None => Part::Type(Type::Dynamic(None)),
            };
        }
        // The values of one of its types.
        Type::Variant(types) if rest.is_empty() => {
            return match types.iter().find(|ty| ty.to_string() == *first) {
                Some(ty) if ty.may_be_nullable() => Part::Type(ty.clone().nullable()),
                Some(ty @ (Type::Array(_) | Type::Map(_))) => Part::Type(ty.clone()),
                _ => Part::Unknown,
            };
        }
        Type::Dynamic(None) if rest.is_empty() => {
            return match parse(first) {
                Some(ty) if ty.may_be_nullable() => Part::Type(ty.nullable()),
                _ => Part::Unknown,
            };
        }
        // What these hold, the data decides.
        Type::Dynamic(_) | Type::Variant(_) | Type::Geo(_) | Type::QBit(..) => {
            return Part::Unknown;
        }
        Type::LowCardinality(_) | Type::SimpleAggregateFunction(_) => return Part::Unknown,
        _ => return Part::Nothing,
    };
    part(&inner, rest)
}

/// The common type of columns that become one; `None` when one is unknown or there is none.
pub(super) fn common(types: &[Option<Type>]) -> Option<Type> {
    let types: Vec<Type> = types.iter().cloned().collect::<Option<_>>()?;
    match catalog::supertype(&types) {
        Supertype::Type(ty) => Some(ty),
        _ => None,
    }
}

/// The type of a column of a UNION.
pub(super) fn of_union(types: &[Option<Type>]) -> Option<Type> {
    let types: Vec<Type> = types.iter().cloned().collect::<Option<_>>()?;
    // Equal types stay as they are; else a dictionary is an encoding that does not survive.
    match types.split_first() {
        Some((first, others)) if others.iter().all(|ty| ty == first) => return Some(first.clone()),
        _ => {}
    }
    let plain: Vec<Type> = types.iter().map(Type::without_any_low_cardinality).collect();
    match catalog::supertype(&plain) {
        Supertype::Type(ty) => Some(ty),
        _ => None,
    }
}

/// Whether columns of these types can be the keys of a join.
pub(super) fn can_join(left: &Type, right: &Type) -> Option<bool> {
    match catalog::narrow_supertype(&[left.clone(), right.clone()]) {
        Supertype::Type(_) => Some(true),
        Supertype::None => Some(false),
        Supertype::Unknown => None,
    }
}

/// Whether columns of these types become one that holds either, row by row.
pub(super) fn have_nothing_in_common(one: &Type, other: &Type) -> bool {
    let both = [one.without_any_low_cardinality(), other.without_any_low_cardinality()];
    let decides_row_by_row = |ty: &Type| matches!(ty, Type::Variant(_) | Type::Dynamic(_));
    !both.iter().any(decides_row_by_row) && matches!(catalog::narrow_supertype(&both), Supertype::None)
}

/// The element of an array; of a map, a pair.
pub(super) fn element(ty: &Type) -> Option<Type> {
    match ty {
        Type::Map(kv) => Some(Type::tuple([kv.0.clone(), kv.1.clone()])),
        _ => ty.element(),
    }
}

/// The elements of a tuple, with their names if it has them.
pub(super) fn elements(ty: &Type) -> Option<Vec<(Option<String>, Type)>> {
    let Type::Tuple(elements) = ty else { return None };
    Some(elements.iter().map(|e| (e.name.as_deref().map(str::to_owned), e.ty.clone())).collect())
}

/// The elements of a tuple whose elements all have names.
pub(super) fn named_elements(ty: &Type) -> Option<Vec<(String, Type)>> {
    elements(ty)?.into_iter().map(|(name, ty)| Some((name?, ty))).collect()
}

/// The type of `x IN …` by that of `x`.
pub(super) fn of_membership(left: &Type) -> Type {
    match left {
        Type::Nullable(_) => Type::UInt8.nullable(),
        Type::LowCardinality(inner) if inner.is_nullable() => Type::UInt8.nullable().low_cardinality(),
        Type::LowCardinality(_) => Type::UInt8.low_cardinality(),
        _ => Type::UInt8,
    }
}

/// The type of a query in the place of a value: its one column, or a tuple of them; no row is NULL.
pub(super) fn of_scalar_subquery(relation: &Relation) -> Option<Type> {
    match relation.columns.as_slice() {
        [] => None,
        [one] => one.ty.clone().map(Type::nullable),
        several if relation.is_one_row => {
            let element = |column: &Column| {
                Some(Element { name: Some(column.name.as_deref()?.into()), ty: column.ty.clone()? })
            };
            Some(Type::Tuple(several.iter().map(element).collect::<Option<Vec<_>>>()?.into()))
        }
        // Several are a tuple, with names and there in any case or neither of these: the number of rows decides.
        _ => None,
    }
}

/// What kind of function a name is.
pub(super) enum Kind {
    Scalar,
    Aggregate,
    Unknown,
}

/// The function of that name.
pub(super) fn function(name: &str) -> Option<catalog::Function> {
    catalog::find(name)
}

pub(super) fn kind(function: Option<&catalog::Function>) -> Kind {
    match function.map(catalog::Function::kind) {
        Some(catalog::Kind::Scalar) => Kind::Scalar,
        // Without a window it is an aggregate too.
        Some(catalog::Kind::Aggregate | catalog::Kind::Window) => Kind::Aggregate,
        None => Kind::Unknown,
    }
}

/// A function's own name, whatever alias or letters were written.
pub(super) fn canonical<'n>(name: &'n str, function: Option<&catalog::Function>) -> Cow<'n, str> {
    match function {
        Some(function) if function.combinators().is_empty() => Cow::Borrowed(function.base()),
        Some(function) => Cow::Owned(function.name()),
        None => Cow::Borrowed(name),
    }
}

/// Whether it counts rows, and not those that differ.
pub(super) fn is_count(name: &str) -> bool {
    let is_count = |f: catalog::Function| {
        f.base() == "count" && !f.combinators().contains(&catalog::Combinator::Distinct)
    };
    catalog::find(name).is_some_and(is_count)
}

/// The types that a function gives to the parameters of a lambda.
pub(super) fn lambda_parameters(name: &str, others: &[Option<Type>], count: usize) -> Vec<Option<Type>> {
    catalog::lambda_parameters(name, others, count).unwrap_or_default()
}

/// The type of `function(parameters)(column)`.
pub(super) fn applied(function: &str, parameters: &[Value], value: &Value) -> Option<Type> {
    let argument = Argument { ty: value.ty.clone(), ..Argument::unknown() };
    let parameters: Vec<Constant> =
        parameters.iter().map(|p| p.literal().and_then(constant)).collect::<Option<_>>()?;
    match catalog::infer(&Call { name: function, parameters: &parameters, arguments: &[argument] }) {
        Inference::Type(ty) => Some(ty),
        _ => None,
    }
}

/// What a call gives.
pub(super) enum Inferred {
    Type(Type),
    /// One of these, as the request has it.
    Either(Vec<Type>),
    Unknown,
    Fault(catalog::Fault),
}

/// Calls are tried with at most so many combinations of types that arguments may have.
const MAX_COMBINATIONS: usize = 8;

pub(super) fn infer(name: &str, parameters: &[Value], seen: &[Seen]) -> Inferred {
    let own: Vec<Option<Type>> = seen.iter().map(|s| s.value.ty.clone()).collect();
    if seen.iter().all(|argument| argument.value.either.is_none()) {
        return infer_one(name, parameters, seen, &own);
    }
    let mut combinations = vec![own];
    for (n, argument) in seen.iter().enumerate() {
        let Some(either) = &argument.value.either else { continue };
        let with = |types: &Vec<Option<Type>>, ty: &Type| {
            let mut types = types.clone();
            types[n] = Some(ty.clone());
            types
        };
        combinations =
            combinations.iter().flat_map(|types| either.iter().map(move |ty| with(types, ty))).collect();
        if combinations.len() > MAX_COMBINATIONS {
            return Inferred::Unknown;
        }
    }
    if let [types] = combinations.as_slice() {
        return infer_one(name, parameters, seen, types);
    }
    let mut found = Vec::new();
    for types in &combinations {
        match infer_one(name, parameters, seen, types) {
            Inferred::Type(ty) if found.contains(&ty) => {}
            Inferred::Type(ty) => found.push(ty),
            // Which of them go together is not known: one that the engine refuses may be none.
            _ => return Inferred::Unknown,
        }
    }
    match found.pop() {
        Some(only) if found.is_empty() => Inferred::Type(only),
        Some(last) => {
            found.push(last);
            Inferred::Either(found)
        }
        None => Inferred::Unknown,
    }
}

/// What is wrong with a call once it is computed.
pub(super) fn refused_when_called(name: &str, seen: &[Seen]) -> Option<catalog::Fault> {
    // Few functions are, and this is asked of every call.
    if !catalog::may_be_refused_when_called(name) {
        return None;
    }
    let arguments: Vec<Argument> = seen
        .iter()
        .map(|s| Argument { ty: s.value.ty.clone(), is_lambda: s.is_lambda, ..Argument::unknown() })
        .collect();
    catalog::refused_when_called(&Call { name, parameters: &[], arguments: &arguments })
}

/// What the call gives when its arguments have these types.
fn infer_one(name: &str, parameters: &[Value], seen: &[Seen], types: &[Option<Type>]) -> Inferred {
    let constants: Option<Vec<Constant>> =
        parameters.iter().map(|p| p.literal().and_then(constant)).collect();
    let arguments: Vec<Argument> = seen
        .iter()
        .zip(types)
        .map(|(s, ty)| Argument {
            ty: ty.clone(),
            constant: s.value.literal().and_then(constant),
            is_constant: s.value.is_constant,
            is_lambda: s.is_lambda,
        })
        .collect();
    let has_null = types.iter().flatten().any(Type::is_null);
    if let Some(setting) = catalog::switched_off(name).filter(|_| !has_null) {
        return Inferred::Fault(catalog::Fault::SwitchedOff { setting });
    }
    let Some(constants) = constants else { return Inferred::Unknown };
    // The analyzer's own: it is in no list of functions.
    if name.eq_ignore_ascii_case("grouping") {
        return Inferred::Type(Type::UInt64);
    }
    match catalog::infer(&Call { name, parameters: &constants, arguments: &arguments }) {
        // What each row decides comes from something that each row decides.
        Inference::Type(ty)
            if is_open(&ty) && !is_cast(name) && !types.iter().any(|ty| ty.as_ref().is_none_or(is_open)) =>
        {
            Inferred::Unknown
        }
        Inference::Type(ty) => Inferred::Type(ty),
        Inference::Unknown => Inferred::Unknown,
        Inference::Fault(fault) => Inferred::Fault(fault),
    }
}

/// Whether a call gives the same value for every row; `None` when that is not known.
pub(super) fn is_constant(function: Option<&catalog::Function>, seen: &[Seen]) -> Option<bool> {
    /// Functions of the clock and the session, which the engine asks once in a query.
    const ONCE: [&str; 6] = ["now", "now64", "today", "yesterday", "UTCTimestamp", "timezone"];
    let function = function?;
    if function.kind() != catalog::Kind::Scalar || seen.iter().any(|s| s.value.is_constant == Some(false)) {
        return Some(false);
    }
    let is_pure = function.is_deterministic() == Some(true) || ONCE.contains(&function.base());
    let all = seen.iter().all(|s| s.value.is_constant == Some(true) && !s.is_lambda);
    (is_pure && all && function.base() != "arrayJoin").then_some(true)
}

/// The argument that a fault is about.
pub(super) fn argument_of(fault: &catalog::Fault) -> Option<usize> {
    match fault {
        catalog::Fault::ArgumentType { argument, .. } | catalog::Fault::OtherState { argument, .. } => {
            Some(*argument)
        }
        _ => None,
    }
}

/// Whether the engine takes no key of this type, for what is in it: values whose types each row decides, and where there is
/// an order, states too.
pub(super) fn is_no_key(ty: &Type, is_ordered: bool) -> bool {
    match ty {
        Type::Dynamic(_) | Type::Variant(_) => true,
        Type::AggregateFunction(_) => is_ordered,
        Type::Array(inner) | Type::Nullable(inner) => is_no_key(inner, is_ordered),
        Type::Map(kv) => is_no_key(&kv.0, is_ordered) || is_no_key(&kv.1, is_ordered),
        Type::Tuple(elements) => elements.iter().any(|e| is_no_key(&e.ty, is_ordered)),
        _ => false,
    }
}

/// Whether the type that a call gives is the one that it names.
fn is_cast(name: &str) -> bool {
    catalog::find(name).is_some_and(|f| ["CAST", "_CAST", "JSONExtract"].contains(&f.base()))
}

/// Whether rows may hold values of different types.
fn is_open(ty: &Type) -> bool {
    match ty {
        Type::Dynamic(_) | Type::Json(_) => true,
        Type::Array(inner) | Type::Nullable(inner) => is_open(inner),
        _ => false,
    }
}
