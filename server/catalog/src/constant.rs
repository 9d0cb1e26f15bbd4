//! Constants: literals of statements, parameters of aggregate functions.

use std::fmt;
use std::sync::Arc;

use crate::{Supertype, Type, supertype};

/// A value that stands in the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Constant {
    /// `NULL`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// An integer without a sign.
    UInt(u64),
    /// A negative integer.
    Int(i64),
    /// Any other number.
    Float(Float),
    /// `'text'`.
    String(Arc<str>),
    /// `[…]` of constants.
    Array(Arc<[Constant]>),
    /// `(…, …)` of constants.
    Tuple(Arc<[Constant]>),
}

/// A number with a fraction or an exponent, or beyond the integers. Equal when the bits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Float(u64);

impl Float {
    /// Of this value.
    pub fn new(value: f64) -> Self {
        Self(value.to_bits())
    }

    /// The value.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl Constant {
    /// A number as it stands in a statement, sign included: what is no integer of 64 bits is a float. `None` for what is
    /// no number.
    pub fn number(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let plain: String = digits.chars().filter(|c| *c != '_').collect();
        let lower = plain.to_ascii_lowercase();
        let integer = if let Some(hex) = lower.strip_prefix("0x").filter(|h| !h.contains(['.', 'p'])) {
            u64::from_str_radix(hex, 16).ok()
        } else if let Some(binary) = lower.strip_prefix("0b") {
            u64::from_str_radix(binary, 2).ok()
        } else if lower.bytes().all(|b| b.is_ascii_digit()) {
            lower.parse().ok()
        } else {
            None
        };
        Some(match integer {
            Some(value) if !negative || value == 0 => Self::UInt(value),
            Some(value) if value <= i64::MIN.unsigned_abs() => Self::Int(0i64.wrapping_sub_unsigned(value)),
            _ => {
                let value = match lower.strip_prefix("0x") {
                    Some(hex) => hex_float(hex)?,
                    None => lower.parse::<f64>().ok()?,
                };
                Self::Float(Float::new(if negative { -value } else { value }))
            }
        })
    }

    /// The type that the engine gives the literal; `None` for an array whose elements have nothing in common.
    pub fn ty(&self) -> Option<Type> {
        Some(match self {
            Self::Null => Type::null(),
            Self::Bool(_) => Type::Bool,
            Self::UInt(value) => match value {
                0..=0xFF => Type::UInt8,
                0x100..=0xFFFF => Type::UInt16,
                0x1_0000..=0xFFFF_FFFF => Type::UInt32,
                _ => Type::UInt64,
            },
            Self::Int(value) => match value {
                -0x80..=0x7F => Type::Int8,
                -0x8000..=0x7FFF => Type::Int16,
                -0x8000_0000..=0x7FFF_FFFF => Type::Int32,
                _ => Type::Int64,
            },
            Self::Float(_) => Type::Float64,
            Self::String(_) => Type::String,
            Self::Array(elements) => {
                let types = elements.iter().map(Self::ty).collect::<Option<Vec<_>>>()?;
                match supertype(&types) {
                    Supertype::Type(ty) => Type::array(ty),
                    Supertype::None | Supertype::Unknown => return None,
                }
            }
            Self::Tuple(elements) => Type::tuple(elements.iter().map(Self::ty).collect::<Option<Vec<_>>>()?),
        })
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value of an integer that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::UInt(value) => Some(*value),
            Self::Bool(value) => Some(u64::from(*value)),
            _ => None,
        }
    }
}

fn hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = match text.split_once('p') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut value = 0.0;
    for digit in whole.chars() {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let mut weight = 1.0 / 16.0;
    for digit in fraction.chars() {
        value += f64::from(digit.to_digit(16)?) * weight;
        weight /= 16.0;
    }
    Some(value * 2f64.powi(exponent))
}

/// As the engine prints it inside the name of a type.
impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, elements: &[Self]| {
            for (n, element) in elements.iter().enumerate() {
                write!(f, "{}{element}", if n > 0 { ", " } else { "" })?;
            }
            Ok(())
        };
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Bool(value) => f.write_str(if *value { "true" } else { "false" }),
            Self::UInt(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => f.write_str(&float_text(value.get())),
            Self::String(text) => f.write_str(&quoted(text, '\'')),
            Self::Array(elements) => {
                f.write_str("[")?;
                list(f, elements)?;
                f.write_str("]")
            }
            Self::Tuple(elements) => {
                f.write_str("(")?;
                list(f, elements)?;
                f.write_str(")")
            }
        }
    }
}

/// The engine's print of a float: the shortest that reads back, with a point even when the value is whole.
fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = value.abs();
    let text = if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        format!("{value:e}")
    } else {
        format!("{value}")
    };
    if text.contains(['.', 'e']) { text } else { text + "." }
}

/// A text between quotes, escaped as the engine does.
pub(crate) fn quoted(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}
