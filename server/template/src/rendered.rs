//! What a render gives.

use headwater_syntax::TextRange;

use crate::request::Secret;
use crate::source_map::SourceMap;
use crate::value::Value;

/// SQL, and all that belongs to it.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The query.
    pub sql: String,
    /// Where each byte of it comes from.
    pub map: SourceMap,
    /// The parameters that were asked for on the way, each use once, in order of first use.
    pub parameters: Vec<UsedParameter>,
    /// Options that the template sets for its query.
    pub settings: Settings,
    /// Values for the query parameters (`{name: String}`) that stand for secrets.
    pub secrets: Vec<QueryParameter>,
}

/// A parameter that a render asked for.
#[derive(Debug, Clone)]
pub struct UsedParameter {
    /// Its name.
    pub name: String,
    /// The function around it: `Int32`, `column`…; `None` for a bare name.
    pub ty: Option<String>,
    /// What it was worth there, after the type's check.
    pub value: Value,
    /// Where that value comes from.
    pub origin: Origin,
    /// Where the name stands in the template.
    pub range: TextRange,
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The request passes it.
    Passed,
    /// The template's default.
    Default,
    /// Neither; it is `None`.
    Absent,
    /// Test mode's stand-in.
    Placeholder,
}

/// Options that functions of the template set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// `max_threads(n)`
    pub max_threads: Option<u32>,
    /// `cache_ttl('5m')`, in seconds.
    pub cache_ttl: Option<u32>,
    /// `backend_hint(name)`
    pub backend_hint: Option<String>,
    /// `activate(feature)`, in order.
    pub activate: Vec<&'static str>,
    /// `disable(feature)`, in order.
    pub disable: Vec<&'static str>,
}

/// A query parameter that stands for a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryParameter {
    /// Its name in the query: the secret's, where that can be a name.
    pub name: String,
    /// The secret's name.
    pub secret: String,
    /// What to bind.
    pub value: Secret,
}
