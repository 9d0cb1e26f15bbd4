//! Templates: how a result's type follows from the arguments'.

use std::fmt;
use std::sync::Arc;

use crate::lattice::{decimal_width, narrow_supertype};
use crate::{Constant, Supertype, Type, supertype};

/// How a result's type follows from the arguments' types and constants.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Template {
    /// Always this one.
    Fixed(Type),
    /// That of an argument.
    Argument(usize),
    /// That of the elements of an argument.
    Element(usize),
    /// That of an argument without `Nullable`.
    Bare(usize),
    /// That of the keys of an argument.
    Key(usize),
    /// That of the values of an argument.
    Value(usize),
    /// What all arguments have in common.
    Common,
    /// What all arguments have in common, without `Variant`.
    Narrow,
    /// What the elements of all arguments have in common.
    CommonElement,
    /// `Array` of it.
    Array(Box<Template>),
    /// `Nullable` of it.
    Nullable(Box<Template>),
    /// `Map` of both.
    Map(Box<Template>, Box<Template>),
    /// `Tuple` of them.
    Tuple(Vec<Template>),
    /// `DateTime` of a zone.
    DateTime(Zone),
    /// `DateTime64` of a scale and a zone.
    DateTime64(Number, Zone),
    /// `Time64` of a scale.
    Time64(Number),
    /// `Decimal` of a precision and a scale.
    Decimal(Number, Number),
    /// `FixedString` of a length.
    FixedString(Number),
    /// None: answers to such calls follow no rule that is known.
    Open,
}

/// A number of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Number {
    /// Always this one.
    Fixed(u64),
    /// The value of a constant argument.
    Constant(usize),
    /// Digits behind the point or the second, of an argument.
    Scale(usize),
    /// The same, at least so many.
    ScaleAtLeast(usize, u64),
    /// The most of all arguments.
    MostScale,
    /// The sum over all arguments.
    SumScale,
    /// Digits that fit into the storage of an argument.
    Width(usize),
    /// The most of all arguments.
    MostWidth,
    /// Digits in all, of an argument.
    Precision(usize),
    /// Length, of an argument.
    Length(usize),
}

/// A time zone of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Zone {
    /// None is named.
    None,
    /// That of an argument.
    Of(usize),
    /// The value of a constant argument.
    Constant(usize),
}

/// What a template is filled from.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// The arguments' types.
    pub types: &'a [Type],
    /// Values of those that are literals.
    pub constants: &'a [Option<Constant>],
}

impl Template {
    /// The type; `None` when an argument is not of the form that the template needs, or its value is not known.
    pub fn fill(&self, with: Filling<'_>) -> Option<Type> {
        let argument = |n: &usize| with.types.get(*n);
        Some(match self {
            Self::Fixed(ty) => ty.clone(),
            Self::Argument(n) => argument(n)?.clone(),
            Self::Element(n) => argument(n)?.element()?,
            Self::Bare(n) => argument(n)?.bare().clone(),
            Self::Key(n) => match argument(n)? {
                Type::Map(kv) => kv.0.clone(),
                _ => return None,
            },
            Self::Value(n) => match argument(n)? {
                Type::Map(kv) => kv.1.clone(),
                _ => return None,
            },
            Self::Common => known(supertype(with.types))?,
            Self::Narrow => known(narrow_supertype(with.types))?,
            Self::CommonElement => {
                let elements = with.types.iter().map(Type::element).collect::<Option<Vec<_>>>()?;
                known(supertype(&elements))?
            }
            Self::Array(inner) => Type::array(inner.fill(with)?),
            Self::Nullable(inner) => inner.fill(with)?.nullable(),
            Self::Map(key, value) => Type::map(key.fill(with)?, value.fill(with)?),
            Self::Tuple(parts) => {
                Type::tuple(parts.iter().map(|p| p.fill(with)).collect::<Option<Vec<_>>>()?)
            }
            Self::DateTime(zone) => Type::DateTime(zone.fill(with)?),
            Self::DateTime64(scale, zone) => Type::DateTime64(digits(scale.fill(with)?)?, zone.fill(with)?),
            Self::Time64(scale) => Type::Time64(digits(scale.fill(with)?)?),
            Self::Decimal(precision, scale) => {
                let (precision, scale) = (precision.fill(with)?, scale.fill(with)?);
                if precision > 76 || scale > precision {
                    return None;
                }
                Type::Decimal(u8::try_from(precision).ok()?, u8::try_from(scale).ok()?)
            }
            Self::FixedString(length) => Type::FixedString(length.fill(with).filter(|n| *n > 0)?),
            Self::Open => return None,
        })
    }
}

fn known(supertype: Supertype) -> Option<Type> {
    match supertype {
        Supertype::Type(ty) => Some(ty),
        Supertype::None | Supertype::Unknown => None,
    }
}

fn digits(scale: u64) -> Option<u8> {
    u8::try_from(scale).ok().filter(|s| *s <= 9)
}

/// Digits behind the point or the second.
fn scale(ty: &Type) -> u64 {
    match ty.bare() {
        Type::Decimal(_, scale) | Type::DateTime64(scale, _) | Type::Time64(scale) => u64::from(*scale),
        _ => 0,
    }
}

fn precision(ty: &Type) -> Option<u8> {
    match ty.bare() {
        Type::Decimal(precision, _) => Some(*precision),
        _ => None,
    }
}

impl Number {
    fn fill(self, with: Filling<'_>) -> Option<u64> {
        let argument = |n: usize| with.types.get(n);
        Some(match self {
            Self::Fixed(number) => number,
            Self::Constant(n) => with.constants.get(n)?.as_ref()?.as_u64()?,
            Self::Scale(n) => scale(argument(n)?),
            Self::ScaleAtLeast(n, least) => scale(argument(n)?).max(least),
            Self::MostScale => with.types.iter().map(scale).max()?,
            Self::SumScale => with.types.iter().map(scale).sum(),
            Self::Width(n) => u64::from(decimal_width(precision(argument(n)?)?)),
            Self::MostWidth => u64::from(with.types.iter().filter_map(precision).map(decimal_width).max()?),
            Self::Precision(n) => u64::from(precision(argument(n)?)?),
            Self::Length(n) => match argument(n)?.bare() {
                Type::FixedString(length) => *length,
                _ => return None,
            },
        })
    }
}

impl Zone {
    fn fill(self, with: Filling<'_>) -> Option<Option<Arc<str>>> {
        Some(match self {
            Self::None => None,
            Self::Of(n) => with.types.get(n)?.bare().time_zone().cloned(),
            Self::Constant(n) => match with.constants.get(n)?.as_ref()? {
                Constant::String(zone) if !zone.is_empty() => Some(zone.clone()),
                _ => return None,
            },
        })
    }
}

/// As the data has it: a letter, what belongs to it in parentheses.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(ty) => write!(f, "={ty}"),
            Self::Argument(n) => write!(f, "a{n}"),
            Self::Element(n) => write!(f, "e{n}"),
            Self::Bare(n) => write!(f, "b{n}"),
            Self::Key(n) => write!(f, "k{n}"),
            Self::Value(n) => write!(f, "v{n}"),
            Self::Common => f.write_str("c"),
            Self::Narrow => f.write_str("n"),
            Self::CommonElement => f.write_str("m"),
            Self::Array(inner) => write!(f, "A{inner}"),
            Self::Nullable(inner) => write!(f, "N{inner}"),
            Self::Map(key, value) => write!(f, "M{key};{value}"),
            Self::Tuple(parts) => {
                write!(f, "T{}", parts.len())?;
                parts.iter().try_for_each(|p| write!(f, ";{p}"))
            }
            Self::DateTime(zone) => write!(f, "t{zone}"),
            Self::DateTime64(scale, zone) => write!(f, "s{scale}{zone}"),
            Self::Time64(scale) => write!(f, "i{scale}"),
            Self::Decimal(precision, scale) => write!(f, "d{precision}{scale}"),
            Self::FixedString(length) => write!(f, "f{length}"),
            Self::Open => f.write_str("?"),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(number) => write!(f, "{number},"),
            Self::Constant(n) => write!(f, "k{n}"),
            Self::Scale(n) => write!(f, "s{n}"),
            Self::ScaleAtLeast(n, least) => write!(f, "l{n}{least},"),
            Self::MostScale => f.write_str("m"),
            Self::SumScale => f.write_str("+"),
            Self::Width(n) => write!(f, "w{n}"),
            Self::MostWidth => f.write_str("W"),
            Self::Precision(n) => write!(f, "p{n}"),
            Self::Length(n) => write!(f, "n{n}"),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("-"),
            Self::Of(n) => write!(f, "z{n}"),
            Self::Constant(n) => write!(f, "k{n}"),
        }
    }
}

impl Template {
    /// Back from the data. A fixed type ends with the text, or before the `;` that no type contains outside quotes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let template = read(&mut rest)?;
        rest.is_empty().then_some(template)
    }
}

fn take(rest: &mut &str) -> Option<char> {
    let c = rest.chars().next()?;
    *rest = &rest[c.len_utf8()..];
    Some(c)
}

fn digit(rest: &mut &str) -> Option<usize> {
    usize::try_from(take(rest)?.to_digit(10)?).ok()
}

fn read(rest: &mut &str) -> Option<Template> {
    Some(match take(rest)? {
        '=' => {
            let end = type_end(rest);
            let ty = Type::parse(&rest[..end]).ok()?;
            *rest = &rest[end..];
            Template::Fixed(ty)
        }
        'a' => Template::Argument(digit(rest)?),
        'e' => Template::Element(digit(rest)?),
        'b' => Template::Bare(digit(rest)?),
        'k' => Template::Key(digit(rest)?),
        'v' => Template::Value(digit(rest)?),
        'c' => Template::Common,
        'n' => Template::Narrow,
        'm' => Template::CommonElement,
        'A' => Template::Array(Box::new(read(rest)?)),
        'N' => Template::Nullable(Box::new(read(rest)?)),
        'M' => {
            let key = read(rest)?;
            *rest = rest.strip_prefix(';')?;
            Template::Map(Box::new(key), Box::new(read(rest)?))
        }
        'T' => {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let count: usize = rest[..end].parse().ok()?;
            *rest = &rest[end..];
            let part = |_| {
                *rest = rest.strip_prefix(';')?;
                read(rest)
            };
            Template::Tuple((0..count).map(part).collect::<Option<Vec<_>>>()?)
        }
        't' => Template::DateTime(zone(rest)?),
        's' => Template::DateTime64(number(rest)?, zone(rest)?),
        'i' => Template::Time64(number(rest)?),
        'd' => Template::Decimal(number(rest)?, number(rest)?),
        'f' => Template::FixedString(number(rest)?),
        '?' => Template::Open,
        _ => return None,
    })
}

fn type_end(text: &str) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' | '`' => quoted = !quoted,
            ';' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

fn number(rest: &mut &str) -> Option<Number> {
    let fixed = |rest: &mut &str| -> Option<u64> {
        let (digits, behind) = rest.split_once(',')?;
        *rest = behind;
        digits.parse().ok()
    };
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(Number::Fixed(fixed(rest)?));
    }
    Some(match take(rest)? {
        'k' => Number::Constant(digit(rest)?),
        's' => Number::Scale(digit(rest)?),
        'l' => Number::ScaleAtLeast(digit(rest)?, fixed(rest)?),
        'm' => Number::MostScale,
        '+' => Number::SumScale,
        'w' => Number::Width(digit(rest)?),
        'W' => Number::MostWidth,
        'p' => Number::Precision(digit(rest)?),
        'n' => Number::Length(digit(rest)?),
        _ => return None,
    })
}

fn zone(rest: &mut &str) -> Option<Zone> {
    Some(match take(rest)? {
        '-' => Zone::None,
        'z' => Zone::Of(digit(rest)?),
        'k' => Zone::Constant(digit(rest)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_survive_their_text() {
        for text in [
            "=Tuple(a UInt8, b String)",
            "Aa0",
            "NAe1",
            "M=Enum8('a;b' = 1);v0",
            "T2;a0;T1;=String",
            "tz0",
            "sl03,z1",
            "s6,-",
            "dW+",
            "d76,s0",
            "fk1",
            "c",
            "?",
        ] {
            assert_eq!(Template::parse(text).map(|t| t.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Template::parse("a0a1"), None);
    }
}
