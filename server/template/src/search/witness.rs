//! Requests that show something: which parameters to pass, and with which values.

use std::fmt;

use num_bigint::BigInt;

use crate::value::Value;

/// A value to pass. Query strings pass texts; only the JSON body of a request can pass a number that is not checked by a
/// type function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Given {
    /// A text, in the query string or a body.
    Text(String),
    /// A number, as it is written in a JSON body.
    Number(String),
}

impl Given {
    /// What is passed, as it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
        }
    }

    /// The parameter's value.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(text) => match (text.parse::<BigInt>(), text.parse::<f64>()) {
                (Ok(n), _) => Value::int(n),
                (_, Ok(x)) => Value::float(x),
                _ => Value::from(text.as_str()),
            },
        }
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a text is a number when it is written without quotes.
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') && digits.parse::<f64>().is_ok()
}

/// What a request has to do with one parameter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ParameterChoice {
    /// It does not pass it.
    Absent,
    /// It passes it, with any value; this is one that its type takes.
    Passed {
        /// Such a value.
        example: Given,
    },
    /// It passes this value.
    Is {
        /// The value.
        value: Given,
        /// Whether no other would do: `x == 'a'` rather than `int(x) > 10`.
        exact: bool,
    },
    /// It passes none of these.
    IsNot {
        /// Values that must not be passed.
        excluded: Vec<String>,
        /// A value that will do; `None` when not passing it will.
        example: Option<Given>,
    },
}

impl ParameterChoice {
    /// The value to pass; `None` to pass none.
    pub fn value(&self) -> Option<&Given> {
        match self {
            Self::Absent => None,
            Self::Passed { example } => Some(example),
            Self::Is { value, .. } => Some(value),
            Self::IsNot { example, .. } => example.as_ref(),
        }
    }
}

/// A request that takes certain arms of a template. Parameters that it does not name are not passed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Witness {
    /// What decides the arms, in order of decision.
    pub parameters: Vec<(String, ParameterChoice)>,
    /// Parameters that decide nothing, but without which the query does not render, with a value each.
    pub required: Vec<(String, Given)>,
    /// Conditions that depend on more than parameters, as written, with the truth that is assumed.
    pub undecided: Vec<(String, bool)>,
}

impl Witness {
    /// Whether any request will do.
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty() && self.undecided.is_empty()
    }

    /// The request: every parameter to pass, with its value.
    pub fn request(&self) -> impl Iterator<Item = (&str, &Given)> {
        let chosen =
            self.parameters.iter().filter_map(|(name, choice)| Some((name.as_str(), choice.value()?)));
        chosen.chain(self.required.iter().map(|(name, value)| (name.as_str(), value)))
    }
}

/// `when `country` is passed and `granularity` is 'day'`; nothing when any request will do.
impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "when ";
        for (name, choice) in &self.parameters {
            write!(f, "{before}`{name}` ")?;
            match choice {
                ParameterChoice::Absent => f.write_str("is not passed")?,
                ParameterChoice::Passed { .. } => f.write_str("is passed")?,
                ParameterChoice::Is { value, exact } => {
                    let hint = if *exact { "" } else { ", for example" };
                    match value {
                        Given::Text(text) => write!(f, "is {}{hint}", Quoted(text))?,
                        Given::Number(number) => write!(f, "is the JSON number {number}{hint}")?,
                    }
                }
                ParameterChoice::IsNot { excluded, .. } => {
                    let values: Vec<_> = excluded.iter().map(|value| Quoted(value).to_string()).collect();
                    write!(f, "is not {}", values.join(" or "))?;
                }
            }
            before = " and ";
        }
        for (condition, holds) in &self.undecided {
            let holds = if *holds { "holds" } else { "does not hold" };
            write!(f, "{before}`{condition}` {holds}")?;
            before = " and ";
        }
        Ok(())
    }
}

/// A value as people write it: numbers bare, texts in quotes.
struct Quoted<'v>(&'v str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_number(self.0) { write!(f, "{}", self.0) } else { write!(f, "'{}'", self.0) }
    }
}
