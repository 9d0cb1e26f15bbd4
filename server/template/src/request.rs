//! What a render is given: the request's parameters, secrets, mode and limits.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::limits::Limits;
use crate::value::Value;

/// What stands for texts and names in test mode (specification §8.8).
pub const PLACEHOLDER: &str = "__no_value__";

/// The values that a request passes.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    values: FxHashMap<String, Value>,
}

impl Parameters {
    /// No parameter at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// The pairs of a query string or form, decoded. A key that repeats becomes a list (specification §8.5).
    pub fn from_pairs<N: Into<String>, T: AsRef<str>>(pairs: impl IntoIterator<Item = (N, T)>) -> Self {
        let mut all: FxHashMap<String, Vec<Value>> = FxHashMap::default();
        for (name, value) in pairs {
            all.entry(name.into()).or_default().push(Value::from(value.as_ref()));
        }
        let one = |mut values: Vec<Value>| match values.len() {
            1 => values.remove(0),
            _ => Value::list(values),
        };
        Self { values: all.into_iter().map(|(name, values)| (name, one(values))).collect() }
    }

    /// Passes a value; `None` is the same as not passing it. Returns what was passed before.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.values.insert(name.into(), value.into())
    }

    /// The value of a parameter that is passed.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !matches!(value, Value::None))
    }
}

/// A secret's value. It is printed by nothing but [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<Arc<str>>) -> Self {
        Self(value.into())
    }

    /// The value, to be bound to a query parameter.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The secrets that a template may use, by name.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    values: BTreeMap<String, Secret>,
}

impl Secrets {
    /// No secret at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret, instead of one of the same name.
    pub fn insert(&mut self, name: impl Into<String>, value: Secret) {
        self.values.insert(name.into(), value);
    }

    /// The secret of a name.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.values.get(name)
    }
}

/// Whether there is a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Values are the request's.
    #[default]
    Request,
    /// No value is known: defaults, and placeholders where there are none; `defined` is false, `error` has no effect.
    Test,
}

/// Everything that a render depends on besides its template.
#[derive(Clone, Copy)]
pub struct Request<'r> {
    /// The request's values.
    pub parameters: &'r Parameters,
    /// Secrets that exist.
    pub secrets: &'r Secrets,
    /// Whether there is a request.
    pub mode: Mode,
    /// What the render may cost.
    pub limits: Limits,
    /// Asked now and then whether the time is over. The renderer has no clock.
    pub expired: Option<&'r dyn Fn() -> bool>,
}

impl<'r> Request<'r> {
    /// A request with default limits and no clock.
    pub fn new(parameters: &'r Parameters, secrets: &'r Secrets) -> Self {
        Self { parameters, secrets, mode: Mode::Request, limits: Limits::default(), expired: None }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { parameters, secrets, mode, limits, expired } = self;
        f.debug_struct("Request")
            .field("parameters", parameters)
            .field("secrets", secrets)
            .field("mode", mode)
            .field("limits", limits)
            .field("expired", &expired.is_some())
            .finish()
    }
}
