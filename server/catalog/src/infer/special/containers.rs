//! Arrays, tuples and maps: made, taken apart, put together.

use super::super::{Argument, Fault, Inference, types};
use super::{adjusted, known};
use crate::{Constant, Element, Supertype, Type, narrow_supertype, supertype};

pub(super) fn infer(name: &str, arguments: &[Argument]) -> Option<Inference> {
    Some(match name {
        "array" => match adjusted(&arguments.iter().collect::<Vec<_>>()) {
            Some(types) => known(supertype(&types)).map(Type::array),
            None => Inference::Unknown,
        },
        "tuple" => types(arguments).map(Type::tuple).into(),
        "map" => map(arguments),
        "tupleElement" => tuple_element(arguments),
        // What an array holds whose elements' types are inside of them.
        "arrayElement" => match arguments {
            [Argument { ty: Some(Type::Array(element)), .. }, Argument { ty: Some(index), .. }]
                if matches!(**element, Type::Dynamic(_) | Type::Variant(_)) && index.is_integer() =>
            {
                Inference::Type(element.as_ref().clone())
            }
            _ => return None,
        },
        "arrayConcat" => whole(arguments, |arrays| {
            arrays.iter().all(|t| matches!(t, Type::Array(_))).then(|| narrow(arrays))?
        }),
        "arrayPushBack" | "arrayPushFront" => match arguments {
            [array, value] => joined(array, value),
            _ => return None,
        },
        "arrayResize" => match arguments {
            [array, _, value] => joined(array, value),
            [array, _] => whole(std::slice::from_ref(array), |t| Some(Type::array(t[0].element()?))),
            _ => return None,
        },
        "arrayZip" if arguments.iter().any(|a| a.ty.as_ref().is_some_and(is_plain)) => {
            let argument =
                arguments.iter().position(|a| a.ty.as_ref().is_some_and(is_plain)).unwrap_or_default();
            let ty = arguments[argument].ty.clone().unwrap_or(Type::Nothing);
            Inference::Fault(Fault::ArgumentType { argument, ty, accepted: Some("Array".to_owned()) })
        }
        // Probes had one scale each; the sums of any are as wide as sums of decimals get.
        "arraySum" | "arrayCumSum" if matches!(element_of(arguments), Some(Type::Decimal(..))) => {
            let Some(Type::Decimal(precision, scale)) = element_of(arguments) else { return None };
            let sum = Type::Decimal(if *precision > 38 { 76 } else { 38 }, *scale);
            Inference::Type(if name == "arraySum" { sum } else { Type::array(sum) })
        }
        "arrayZip" | "arrayZipUnaligned" if !arguments.is_empty() => whole(arguments, |arrays| {
            let elements = arrays.iter().map(Type::element).collect::<Option<Vec<_>>>()?;
            let loose = |t: Type| if name == "arrayZip" { t } else { t.nullable() };
            Some(Type::array(Type::tuple(elements.into_iter().map(loose))))
        }),
        "arrayFlatten" => whole(arguments, |t| {
            let [mut inner] = <[Type; 1]>::try_from(t.to_vec()).ok()?;
            inner = inner.element()?;
            while let Type::Array(deeper) = &inner {
                inner = deeper.as_ref().clone();
            }
            Some(Type::array(inner))
        }),
        // Sets of values that have nothing in common.
        "hasAny" | "hasAll" | "hasSubstr" => {
            let [Argument { ty: Some(Type::Array(one)), .. }, Argument { ty: Some(Type::Array(other)), .. }] =
                arguments
            else {
                return None;
            };
            let (one, other) = (one.without_any_low_cardinality(), other.without_any_low_cardinality());
            if !matches!(narrow_supertype(&[one, other]), Supertype::None) {
                return None;
            }
            Inference::Fault(Fault::ArgumentTypes(types(arguments)?))
        }
        "arrayJoin" => match arguments {
            [Argument { ty: Some(Type::Map(kv)), .. }] => Inference::Type(map_entry(kv)),
            [Argument { ty: Some(ty), .. }] if ty.element().is_some() => ty.element().into(),
            [Argument { ty: None, .. }] => Inference::Unknown,
            _ => return None,
        },
        "mapFromArrays" => match arguments {
            [_, _] => types(arguments)
                .and_then(|t| {
                    let (key, value) = (t[0].element()?, t[1].element()?);
                    // A key is never NULL; its dictionary stays.
                    let key = match key {
                        Type::LowCardinality(inner) => inner.bare().clone().low_cardinality(),
                        key => key.bare().clone(),
                    };
                    Some(Type::map(key, value))
                })
                .into(),
            _ => return None,
        },
        "tupleConcat" if !arguments.is_empty() => whole_tuples(arguments),
        "concat" => return concat(arguments),
        "transform" => transform(arguments),
        _ => return None,
    })
}

/// A rule over types without `LowCardinality` anywhere.
fn whole(arguments: &[Argument], rule: impl FnOnce(&[Type]) -> Option<Type>) -> Inference {
    let Some(types) = types(arguments) else { return Inference::Unknown };
    let types: Vec<Type> = types.iter().map(Type::without_any_low_cardinality).collect();
    rule(&types).into()
}

fn narrow(types: &[Type]) -> Option<Type> {
    match narrow_supertype(types) {
        Supertype::Type(ty) => Some(ty),
        Supertype::None | Supertype::Unknown => None,
    }
}

/// An entry of a map as a row.
pub(crate) fn map_entry(kv: &(Type, Type)) -> Type {
    let element = |name: &str, ty: &Type| Element { name: Some(name.into()), ty: ty.clone() };
    Type::Tuple([element("keys", &kv.0), element("values", &kv.1)].into())
}

/// `map(key, value, …)`.
fn map(arguments: &[Argument]) -> Inference {
    if !arguments.len().is_multiple_of(2) {
        return Inference::Unknown;
    }
    let side = |rest: usize| -> Option<Type> {
        let side: Vec<&Argument> =
            arguments.iter().enumerate().filter(|(n, _)| n % 2 == rest).map(|(_, a)| a).collect();
        match supertype(&adjusted(&side)?) {
            Supertype::Type(ty) => Some(ty),
            Supertype::None | Supertype::Unknown => None,
        }
    };
    match (side(0), side(1)) {
        (Some(key), Some(value)) if !key.is_nullable() => Inference::Type(Type::map(key, value)),
        _ => Inference::Unknown,
    }
}

/// The array with a value of perhaps another type in it.
fn joined(array: &Argument, value: &Argument) -> Inference {
    let (Some(array_type), Some(_)) = (&array.ty, &value.ty) else { return Inference::Unknown };
    let Some(element) = array_type.without_any_low_cardinality().element() else { return Inference::Unknown };
    let element = Argument::column(element);
    let Some(types) = adjusted(&[&element, value]) else { return Inference::Unknown };
    let types: Vec<Type> = types.iter().map(Type::without_any_low_cardinality).collect();
    narrow(&types).map(Type::array).into()
}

/// An element of a tuple by number or name, or of each tuple of an array.
/// The type of the elements, when the arguments are one array.
fn element_of(arguments: &[Argument]) -> Option<&Type> {
    match arguments {
        [Argument { ty: Some(Type::Array(element)), .. }] => Some(element),
        _ => None,
    }
}

/// A type of single values: no array, tuple or map, and none that can hold one.
fn is_plain(ty: &Type) -> bool {
    let ty = ty.bare();
    ty.is_integer()
        || ty.is_float()
        || matches!(ty, Type::String | Type::Decimal(..) | Type::Bool | Type::Date)
}

fn tuple_element(arguments: &[Argument]) -> Inference {
    let (Some(tuple), Some(which)) = (arguments.first(), arguments.get(1)) else { return Inference::Unknown };
    let inner = match &tuple.ty {
        Some(Type::Array(inner)) => Some(&**inner),
        other => other.as_ref(),
    };
    // With a third argument the engine answers with it.
    if arguments.len() == 2
        && let Some(ty) = tuple.ty.clone().filter(|_| inner.is_some_and(is_plain))
    {
        let accepted = Some("Tuple, or an Array of them".to_owned());
        return Inference::Fault(Fault::ArgumentType { argument: 0, ty, accepted });
    }
    let (Some(ty), Some(which)) = (&tuple.ty, &which.constant) else { return Inference::Unknown };
    if let Type::Array(inner) = ty
        && arguments.len() == 2
    {
        return match &**inner {
            Type::Tuple(elements) => element(elements, which).map(Type::array).into(),
            _ => Inference::Unknown,
        };
    }
    let ty = match ty {
        Type::Geo(geo) => geo.structure().unwrap_or(Type::Nothing),
        ty => ty.clone(),
    };
    let Type::Tuple(elements) = ty else { return Inference::Unknown };
    let found = element(&elements, which);
    found.or_else(|| arguments.get(2).and_then(|a| a.ty.clone())).into()
}

fn element(elements: &[Element], which: &Constant) -> Option<Type> {
    let element = match which {
        Constant::UInt(n) => elements.get(usize::try_from(*n).ok()?.checked_sub(1)?),
        Constant::Int(n) => {
            elements.get(elements.len().checked_sub(usize::try_from(n.unsigned_abs()).ok()?)?)
        }
        Constant::String(name) => elements.iter().find(|e| e.name.as_ref() == Some(name)),
        _ => None,
    };
    element.map(|e| e.ty.clone())
}

fn whole_tuples(arguments: &[Argument]) -> Inference {
    let Some(types) = types(arguments) else { return Inference::Unknown };
    let mut all = Vec::new();
    for ty in types {
        let Type::Tuple(elements) = ty else { return Inference::Unknown };
        all.extend(elements.iter().map(|e| e.ty.clone()));
    }
    Inference::Type(Type::tuple(all))
}

/// Text, unless all arguments are arrays, tuples or maps.
fn concat(arguments: &[Argument]) -> Option<Inference> {
    let types = types(arguments)?;
    let all = |test: fn(&Type) -> bool| types.len() > 1 && types.iter().all(test);
    if all(|t| matches!(t, Type::Array(_))) {
        return infer("arrayConcat", arguments);
    }
    if all(|t| matches!(t, Type::Tuple(_))) {
        return Some(whole_tuples(arguments));
    }
    if types.iter().any(|t| matches!(t, Type::Variant(_) | Type::Dynamic(_) | Type::Nothing))
        || all(|t| matches!(t, Type::Map(_)))
    {
        return Some(Inference::Unknown);
    }
    if types.iter().any(Type::is_null) {
        return Some(Inference::Type(Type::null()));
    }
    let text = if types.iter().any(Type::is_nullable) { Type::String.nullable() } else { Type::String };
    Some(super::with_low_cardinality(Inference::Type(text), arguments))
}

/// `transform(x, from, to, default)`: what `to` and the default have in common.
fn transform(arguments: &[Argument]) -> Inference {
    let Some(types) = types(arguments) else { return Inference::Unknown };
    let elements = types.get(2).and_then(Type::element);
    let (Some(element), Some(other)) = (elements, types.get(3).or_else(|| types.first())) else {
        return Inference::Unknown;
    };
    let other = other.without_any_low_cardinality();
    match narrow(&[element.without_any_low_cardinality(), other.bare().clone()]) {
        Some(ty) if !other.is_nullable() || types.len() == 3 => {
            super::with_low_cardinality(Inference::Type(ty), arguments)
        }
        _ => Inference::Unknown,
    }
}
