//! Requests that show something: which parameters to pass, and with which values.

use std::fmt;

use super::value::number;

/// What a request has to do with one parameter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ParameterChoice {
    /// It does not pass it.
    Absent,
    /// It passes it, with any value; this is one that its type takes.
    Passed {
        /// Such a value.
        example: String,
    },
    /// It passes this value.
    Is {
        /// The value.
        value: String,
        /// Whether no other would do: `x == 'a'` rather than `int(x) > 10`.
        exact: bool,
    },
    /// It passes none of these.
    IsNot {
        /// Values that must not be passed.
        excluded: Vec<String>,
        /// A value that will do; `None` when not passing it will.
        example: Option<String>,
    },
}

impl ParameterChoice {
    /// The value to pass; `None` to pass none.
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Passed { example } => Some(example),
            Self::Is { value, .. } => Some(value),
            Self::IsNot { example, .. } => example.as_deref(),
        }
    }
}

/// A request that takes certain arms of a template. Parameters that it does not name are not passed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Witness {
    /// What decides the arms, in order of decision.
    pub parameters: Vec<(String, ParameterChoice)>,
    /// Parameters that decide nothing, but without which the query does not render, with a value each.
    pub required: Vec<(String, String)>,
    /// Conditions that depend on more than parameters, as written, with the truth that is assumed.
    pub undecided: Vec<(String, bool)>,
}

impl Witness {
    /// Whether any request will do.
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty() && self.undecided.is_empty()
    }

    /// The request: every parameter to pass, with its value.
    pub fn request(&self) -> impl Iterator<Item = (&str, &str)> {
        let chosen =
            self.parameters.iter().filter_map(|(name, choice)| Some((name.as_str(), choice.value()?)));
        chosen.chain(self.required.iter().map(|(name, value)| (name.as_str(), value.as_str())))
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
                    write!(f, "is {}{hint}", Quoted(value))?;
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
        if number(self.0).is_some() { write!(f, "{}", self.0) } else { write!(f, "'{}'", self.0) }
    }
}
