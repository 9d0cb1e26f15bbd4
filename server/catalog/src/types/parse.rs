//! Types from text.

use std::fmt;
use std::sync::Arc;

use super::names::family;
use super::{Aggregate, Element, Geo, Json, Type, Unit};
use crate::Constant;
use crate::lex::{Lexer, Token};

/// How deep types may nest. The engine takes more; no table has them, and our own recursion stays small.
pub const MAX_DEPTH: usize = 100;

/// Why a text is no type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeError {
    /// It has not the form of a type; the byte where.
    Syntax(usize),
    /// No type has this name.
    UnknownFamily(String),
    /// `AggregateFunction` of a function that does not exist.
    UnknownAggregate(String),
    /// The type takes other arguments; what it takes.
    Arguments(&'static str, &'static str),
    /// This type cannot stand inside of that one.
    NotInside(String, &'static str),
    /// Two elements, values or paths have one name.
    Duplicate(String),
    /// Nested beyond [`MAX_DEPTH`].
    TooDeep,
}

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(_) => f.write_str("this is not a type"),
            Self::UnknownFamily(name) => write!(f, "there is no type {name}"),
            Self::UnknownAggregate(name) => write!(f, "there is no aggregate function {name}"),
            Self::Arguments(name, wanted) => write!(f, "{name} takes {wanted}"),
            Self::NotInside(inner, outer) => write!(f, "{inner} cannot stand inside of {outer}"),
            Self::Duplicate(name) => write!(f, "{name} is named twice"),
            Self::TooDeep => write!(f, "types nest deeper than {MAX_DEPTH}"),
        }
    }
}

impl std::error::Error for TypeError {}

type Result<T> = std::result::Result<T, TypeError>;

pub(super) fn parse(text: &str) -> Result<Type> {
    let mut parser = Parser { lexer: Lexer::new(text) };
    let ty = parser.ty(0)?;
    match parser.lexer.peek() {
        Token::End => Ok(ty),
        _ => Err(parser.syntax()),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
}

/// Words that a name of several words may go on with.
const NEXT_WORDS: [&str; 9] =
    ["CHAR", "CHARACTER", "LARGE", "OBJECT", "VARYING", "PRECISION", "SIGNED", "UNSIGNED", "LONG"];

impl Parser<'_> {
    fn syntax(&mut self) -> TypeError {
        TypeError::Syntax(self.lexer.at())
    }

    fn eat(&mut self, c: char) -> bool {
        let found = *self.lexer.peek() == Token::Sign(c);
        if found {
            self.lexer.next();
        }
        found
    }

    fn expect(&mut self, c: char) -> Result<()> {
        if self.eat(c) { Ok(()) } else { Err(self.syntax()) }
    }

    fn word(&mut self) -> Result<String> {
        match self.lexer.peek().clone() {
            Token::Word(name) | Token::Quoted(name) => {
                self.lexer.next();
                Ok(name)
            }
            _ => Err(self.syntax()),
        }
    }

    /// A family's canonical name. Names of several words are not quoted.
    fn family(&mut self) -> Result<&'static str> {
        let bare = matches!(self.lexer.peek(), Token::Word(_));
        let mut name = self.word()?;
        let mut known = family(&name).filter(|_| bare || !name.contains(' '));
        if bare {
            let mut longer = name.clone();
            let mut rest = self.lexer.clone();
            while let Token::Word(word) = rest.peek().clone() {
                if !NEXT_WORDS.iter().any(|w| w.eq_ignore_ascii_case(&word)) {
                    break;
                }
                rest.next();
                longer = format!("{longer} {word}");
                if let Some(found) = family(&longer) {
                    known = Some(found);
                    name.clone_from(&longer);
                    self.lexer = rest.clone();
                }
            }
        }
        known.ok_or(TypeError::UnknownFamily(name))
    }

    fn ty(&mut self, depth: usize) -> Result<Type> {
        if depth > MAX_DEPTH {
            return Err(TypeError::TooDeep);
        }
        let name = self.family()?;
        let has_arguments = self.eat('(');
        let ty = if has_arguments { self.with_arguments(name, depth)? } else { without_arguments(name)? };
        if has_arguments {
            self.expect(')')?;
        }
        Ok(ty)
    }

    fn with_arguments(&mut self, name: &'static str, depth: usize) -> Result<Type> {
        match name {
            "Nullable" | "LowCardinality" | "Array" | "Map" | "Variant" => {
                let types = self.types(depth)?;
                composite(name, types)
            }
            "Tuple" | "Nested" => {
                let elements = self.elements(name, depth)?;
                Ok(if name == "Tuple" { Type::Tuple(elements.into()) } else { Type::Nested(elements.into()) })
            }
            "AggregateFunction" | "SimpleAggregateFunction" => self.aggregate(name, depth),
            "Enum" | "Enum8" | "Enum16" => self.enumeration(name),
            "JSON" => self.json(depth),
            "Dynamic" => self.dynamic(),
            "QBit" => self.qbit(depth),
            _ => {
                let arguments = self.literals()?;
                simple(name, &arguments)
            }
        }
    }

    /// Items behind commas up to the closing parenthesis; a comma may end the list.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while *self.lexer.peek() != Token::Sign(')') {
            items.push(item(self)?);
            if !self.eat(',') {
                break;
            }
        }
        Ok(items)
    }

    fn types(&mut self, depth: usize) -> Result<Vec<Type>> {
        self.list(|p| p.ty(depth + 1))
    }

    fn elements(&mut self, family: &'static str, depth: usize) -> Result<Vec<Element>> {
        let elements = self.list(|p| {
            let mut ahead = p.lexer.clone();
            ahead.next();
            let named = matches!(p.lexer.peek(), Token::Word(_) | Token::Quoted(_))
                && matches!(ahead.peek(), Token::Word(_) | Token::Quoted(_));
            let name = if named { Some(Arc::from(p.word()?)) } else { None };
            Ok(Element { name, ty: p.ty(depth + 1)? })
        })?;
        let named = elements.iter().filter(|e| e.name.is_some()).count();
        if named != 0 && named != elements.len() {
            return Err(TypeError::Arguments(family, "names for all elements or for none"));
        }
        if family == "Nested" && (named == 0 || elements.is_empty()) {
            return Err(TypeError::Arguments("Nested", "elements with names"));
        }
        for (n, element) in elements.iter().enumerate() {
            if let Some(name) = &element.name
                && elements[..n].iter().any(|e| e.name.as_ref() == Some(name))
            {
                return Err(TypeError::Duplicate(name.to_string()));
            }
        }
        Ok(elements)
    }

    fn literal(&mut self) -> Result<Constant> {
        let constant = match self.lexer.peek().clone() {
            Token::Number(text) => Constant::number(&text),
            Token::String(text) => Some(Constant::String(text.into())),
            Token::Sign(sign @ ('-' | '+')) => {
                self.lexer.next();
                return match self.lexer.peek().clone() {
                    Token::Number(text) => {
                        self.lexer.next();
                        Constant::number(&format!("{sign}{text}")).ok_or_else(|| self.syntax())
                    }
                    Token::Word(word) if sign == '-' && word.eq_ignore_ascii_case("inf") => {
                        self.lexer.next();
                        Ok(Constant::Float(crate::Float::new(f64::NEG_INFINITY)))
                    }
                    _ => Err(self.syntax()),
                };
            }
            Token::Sign('[') => {
                self.lexer.next();
                let mut elements = Vec::new();
                while *self.lexer.peek() != Token::Sign(']') {
                    // Parameters that nest are not in use anywhere; one level is what the engine's functions take.
                    if *self.lexer.peek() == Token::Sign('[') {
                        return Err(self.syntax());
                    }
                    elements.push(self.literal()?);
                    if !self.eat(',') {
                        break;
                    }
                }
                self.expect(']')?;
                return Ok(Constant::Array(elements.into()));
            }
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "true" => Some(Constant::Bool(true)),
                "false" => Some(Constant::Bool(false)),
                "null" => Some(Constant::Null),
                "inf" => Some(Constant::Float(crate::Float::new(f64::INFINITY))),
                "nan" => Some(Constant::Float(crate::Float::new(f64::NAN))),
                _ => None,
            },
            _ => None,
        };
        let constant = constant.ok_or_else(|| self.syntax())?;
        self.lexer.next();
        Ok(constant)
    }

    fn literals(&mut self) -> Result<Vec<Constant>> {
        self.list(Self::literal)
    }

    fn aggregate(&mut self, family: &'static str, depth: usize) -> Result<Type> {
        let mut version = None;
        if let Token::Number(text) = self.lexer.peek().clone() {
            version = Some(text.parse().map_err(|_| self.syntax())?);
            self.lexer.next();
            self.expect(',')?;
        }
        let name = self.word()?;
        let mut parameters = Vec::new();
        if self.eat('(') {
            parameters = self.literals()?;
            self.expect(')')?;
        }
        let arguments = if self.eat(',') { self.types(depth)? } else { Vec::new() };
        let Some(function) = crate::functions::canonical_aggregate(&name) else {
            return Err(TypeError::UnknownAggregate(name));
        };
        let simple = family == "SimpleAggregateFunction";
        if simple && arguments.len() != 1 {
            return Err(TypeError::Arguments("SimpleAggregateFunction", "a function and one type"));
        }
        let version = version.or_else(|| crate::functions::state_version(&function, &arguments));
        let aggregate = Aggregate {
            version: if simple { None } else { version },
            function: function.into(),
            parameters: parameters.into(),
            arguments: arguments.into(),
        };
        Ok(if simple {
            Type::SimpleAggregateFunction(Arc::new(aggregate))
        } else {
            Type::AggregateFunction(Arc::new(aggregate))
        })
    }

    fn enumeration(&mut self, family: &'static str) -> Result<Type> {
        const WANTED: &str = "names in quotes, each with a number or with the one behind its predecessor's";
        let given = self.list(|p| {
            let Token::String(name) = p.lexer.peek().clone() else { return Err(p.syntax()) };
            p.lexer.next();
            let value = if p.eat('=') { Some(p.literal()?) } else { None };
            Ok((Arc::<str>::from(name), value))
        })?;
        if given.is_empty() {
            return Err(TypeError::Arguments(family, WANTED));
        }
        let mut values: Vec<(Arc<str>, i64)> = Vec::with_capacity(given.len());
        let first = match given[0].1.as_ref() {
            None => 1,
            Some(value) => integer(value).ok_or(TypeError::Arguments(family, WANTED))?,
        };
        for (n, (name, value)) in given.into_iter().enumerate() {
            let value = match value {
                Some(value) => integer(&value).ok_or(TypeError::Arguments(family, WANTED))?,
                None => first.saturating_add(i64::try_from(n).unwrap_or(i64::MAX)),
            };
            values.push((name, value));
        }
        let mut names: Vec<&str> = values.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(TypeError::Duplicate(pair[0].to_owned()));
        }
        values.sort_by_key(|(_, value)| *value);
        if let Some(pair) = values.windows(2).find(|pair| pair[0].1 == pair[1].1) {
            return Err(TypeError::Duplicate(pair[0].1.to_string()));
        }
        let small = values.iter().all(|(_, v)| i8::try_from(*v).is_ok());
        let values: Option<Arc<[_]>> =
            values.into_iter().map(|(name, v)| Some((name, i16::try_from(v).ok()?))).collect();
        match values {
            Some(values) if family == "Enum16" || (family == "Enum" && !small) => Ok(Type::Enum16(values)),
            Some(values) if small => Ok(Type::Enum8(values)),
            _ => Err(TypeError::Arguments(family, "numbers that it can hold")),
        }
    }

    fn dynamic(&mut self) -> Result<Type> {
        if *self.lexer.peek() == Token::Sign(')') {
            return Ok(Type::Dynamic(None));
        }
        const WANTED: &str = "max_types = a number up to 254";
        if self.word()? != "max_types" {
            return Err(TypeError::Arguments("Dynamic", WANTED));
        }
        self.expect('=')?;
        let number = self.literal()?.as_u64().and_then(|n| u8::try_from(n).ok()).filter(|n| *n <= 254);
        let number = number.ok_or(TypeError::Arguments("Dynamic", WANTED))?;
        self.eat(',');
        Ok(Type::Dynamic((number != 32).then_some(number)))
    }

    fn json(&mut self, depth: usize) -> Result<Type> {
        let mut json = Json::default();
        let (mut paths, mut skip, mut regexps) = (Vec::new(), Vec::new(), Vec::new());
        self.list(|p| {
            let mut ahead = p.lexer.clone();
            ahead.next();
            match (p.lexer.peek().clone(), ahead.peek().clone()) {
                (Token::Word(name), Token::Sign('=')) => {
                    p.lexer.next();
                    p.lexer.next();
                    let value = p.literal()?.as_u64();
                    let value = value.ok_or(TypeError::Arguments("JSON", "numbers for its limits"))?;
                    match name.as_str() {
                        "max_dynamic_types" => json.max_dynamic_types = (value != 32).then_some(value),
                        "max_dynamic_paths" => json.max_dynamic_paths = (value != 1024).then_some(value),
                        _ => {
                            return Err(TypeError::Arguments("JSON", "max_dynamic_types, max_dynamic_paths"));
                        }
                    }
                }
                (Token::Word(word), next) if word.eq_ignore_ascii_case("skip") => {
                    p.lexer.next();
                    match next {
                        Token::Word(word) if word.eq_ignore_ascii_case("regexp") => {
                            p.lexer.next();
                            let Constant::String(text) = p.literal()? else { return Err(p.syntax()) };
                            regexps.push(text);
                        }
                        _ => skip.push(p.path()?),
                    }
                }
                _ => {
                    let path = p.path()?;
                    let ty = p.ty(depth + 1)?;
                    paths.push((path, ty));
                }
            }
            Ok(())
        })?;
        paths.sort();
        if let Some(pair) = paths.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(TypeError::Duplicate(pair[0].0.to_string()));
        }
        skip.sort();
        skip.dedup();
        regexps.sort();
        json.paths = paths.into();
        json.skip = skip.into();
        json.skip_regexps = regexps.into();
        Ok(Type::Json(Arc::new(json)))
    }

    /// `a.b`, or quoted.
    fn path(&mut self) -> Result<Arc<str>> {
        let mut path = self.word()?;
        while self.eat('.') {
            path = format!("{path}.{}", self.word()?);
        }
        Ok(path.into())
    }

    fn qbit(&mut self, depth: usize) -> Result<Type> {
        const WANTED: &str = "a type, a number of elements, and perhaps a stride";
        let element = self.ty(depth + 1)?;
        let mut numbers = Vec::new();
        while self.eat(',') {
            if *self.lexer.peek() == Token::Sign(')') {
                break;
            }
            let number = self.literal()?.as_u64().filter(|n| *n > 0);
            numbers.push(number.ok_or(TypeError::Arguments("QBit", WANTED))?);
        }
        match numbers[..] {
            [dimension] => Ok(Type::QBit(Arc::new(element), dimension, None)),
            [dimension, stride] => Ok(Type::QBit(Arc::new(element), dimension, Some(stride))),
            _ => Err(TypeError::Arguments("QBit", WANTED)),
        }
    }
}

fn integer(value: &Constant) -> Option<i64> {
    match value {
        Constant::UInt(value) => i64::try_from(*value).ok(),
        Constant::Int(value) => Some(*value),
        _ => None,
    }
}

/// Types made of types.
fn composite(name: &'static str, types: Vec<Type>) -> Result<Type> {
    match name {
        "Map" => {
            let Ok([key, value]) = <[Type; 2]>::try_from(types) else {
                return Err(TypeError::Arguments("Map", "a key and a value type"));
            };
            if key.is_nullable() {
                return Err(TypeError::NotInside(key.to_string(), "the key of Map"));
            }
            Ok(Type::map(key, value))
        }
        "Variant" => variant(types),
        _ => {
            let Ok([inner]) = <[Type; 1]>::try_from(types) else {
                return Err(TypeError::Arguments(name, "one type"));
            };
            match name {
                "Array" => Ok(Type::array(inner)),
                // A shape that is a tuple is one.
                "Nullable" if inner.may_be_nullable() || inner == Type::Geo(Geo::Point) => {
                    Ok(Type::Nullable(Arc::new(inner)))
                }
                "LowCardinality" if inner.may_be_low_cardinality() => {
                    Ok(Type::LowCardinality(Arc::new(inner)))
                }
                _ => Err(TypeError::NotInside(inner.to_string(), name)),
            }
        }
    }
}

/// Types without duplicates, in the order of their names, as the engine keeps them.
pub(crate) fn variant(types: Vec<Type>) -> Result<Type> {
    if let Some(wrong) =
        types.iter().find(|t| t.is_nullable() || matches!(t, Type::Variant(_) | Type::Dynamic(_)))
    {
        return Err(TypeError::NotInside(wrong.to_string(), "Variant"));
    }
    let mut named: Vec<(String, Type)> =
        types.into_iter().filter(|t| *t != Type::Nothing).map(|t| (t.to_string(), t)).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    named.dedup_by(|a, b| a.0 == b.0);
    if named.is_empty() {
        return Err(TypeError::Arguments("Variant", "at least one type"));
    }
    Ok(Type::Variant(named.into_iter().map(|(_, ty)| ty).collect()))
}

fn without_arguments(name: &'static str) -> Result<Type> {
    if let Some(ty) = plain(name) {
        return Ok(ty);
    }
    match name {
        "Tuple" => Ok(Type::Tuple(Arc::new([]))),
        "JSON" => Ok(Type::Json(Arc::default())),
        _ => simple(name, &[]),
    }
}

/// Types that take no arguments at all.
fn plain(name: &str) -> Option<Type> {
    const PLAIN: [Type; 14] = [
        Type::Nothing,
        Type::Bool,
        Type::UInt128,
        Type::UInt256,
        Type::Int128,
        Type::Int256,
        Type::BFloat16,
        Type::Date,
        Type::Date32,
        Type::Uuid,
        Type::Ipv4,
        Type::Ipv6,
        Type::Dynamic(None),
        Type::Geo(Geo::Geometry),
    ];
    if let Some(ty) = PLAIN.iter().find(|t| t.plain_name() == Some(name)) {
        return Some(ty.clone());
    }
    if let Some(geo) = Geo::ALL.into_iter().find(|g| g.name() == name) {
        return Some(Type::Geo(geo));
    }
    let unit = name.strip_prefix("Interval")?;
    Some(Type::Interval(Unit::ALL.into_iter().find(|u| u.name() == unit)?))
}

/// Types whose arguments are literals.
fn simple(name: &'static str, arguments: &[Constant]) -> Result<Type> {
    // How wide a number is shown in other systems says nothing here.
    let display = |ty: Type, most: usize| {
        if arguments.len() > most {
            return Err(TypeError::Arguments(name, "no argument that means anything"));
        }
        Ok(ty)
    };
    match name {
        "UInt8" => display(Type::UInt8, 1),
        "UInt16" => display(Type::UInt16, 1),
        "UInt32" => display(Type::UInt32, 1),
        "UInt64" => display(Type::UInt64, 1),
        "Int8" => display(Type::Int8, 1),
        "Int16" => display(Type::Int16, 1),
        "Int32" => display(Type::Int32, 1),
        "Int64" => display(Type::Int64, 1),
        "Float32" => display(Type::Float32, 2),
        "Float64" => display(Type::Float64, 2),
        "String" => display(Type::String, 1),
        "FixedString" => match arguments {
            [Constant::UInt(length @ 1..=MAX_FIXED_STRING)] => Ok(Type::FixedString(*length)),
            _ => Err(TypeError::Arguments("FixedString", "its length in bytes")),
        },
        "Decimal" | "Decimal32" | "Decimal64" | "Decimal128" | "Decimal256" => decimal(name, arguments),
        "DateTime" | "DateTime32" | "DateTime64" => date_time(name, arguments),
        "Time" | "Time64" => match arguments {
            [] if name == "Time" => Ok(Type::Time),
            [] => Ok(Type::Time64(3)),
            [Constant::UInt(scale @ 0..=9)] => Ok(Type::Time64(*scale as u8)),
            _ => Err(TypeError::Arguments(name, "digits behind the second, up to 9")),
        },
        _ => match plain(name) {
            Some(ty) if arguments.is_empty() => Ok(ty),
            Some(_) => Err(TypeError::Arguments(name, "no arguments")),
            None => Err(TypeError::Arguments(name, "arguments")),
        },
    }
}

/// The engine's `MAX_FIXEDSTRING_SIZE`.
const MAX_FIXED_STRING: u64 = 0xFF_FFFF;

fn decimal(name: &'static str, arguments: &[Constant]) -> Result<Type> {
    let number = |c: &Constant| c.as_u64().and_then(|n| u8::try_from(n).ok());
    let width = match name {
        "Decimal32" => Some(9),
        "Decimal64" => Some(18),
        "Decimal128" => Some(38),
        "Decimal256" => Some(76),
        _ => None,
    };
    let numbers = match (width, arguments) {
        (Some(width), [scale]) => Some(width).zip(number(scale)),
        (None, []) => Some((10, 0)),
        (None, [precision]) => number(precision).map(|p| (p, 0)),
        (None, [precision, scale]) => number(precision).zip(number(scale)),
        _ => None,
    };
    match numbers {
        Some((precision @ 1..=76, scale)) if scale <= precision => Ok(Type::Decimal(precision, scale)),
        _ => Err(TypeError::Arguments(
            name,
            "digits in all (Decimal only, up to 76) and digits behind the point",
        )),
    }
}

fn date_time(name: &'static str, arguments: &[Constant]) -> Result<Type> {
    const WANTED: &str = "digits behind the second (up to 9) and a time zone in quotes";
    let zone = |name: &Arc<str>| (!name.is_empty()).then(|| name.clone());
    let wide = name == "DateTime64";
    Ok(match arguments {
        [] if wide => Type::DateTime64(3, None),
        [] => Type::DateTime(None),
        [Constant::String(name)] if !wide => Type::DateTime(zone(name)),
        [Constant::UInt(0)] if name == "DateTime" => Type::DateTime(None),
        [Constant::UInt(scale @ 0..=9)] => Type::DateTime64(*scale as u8, None),
        [Constant::UInt(scale @ 0..=9), Constant::String(name)] => Type::DateTime64(*scale as u8, zone(name)),
        _ => return Err(TypeError::Arguments(name, WANTED)),
    })
}
