//! What an expression needs to know besides its text: names, the request, and where effects go.
//!
//! There are two: a render ([`crate::render`]), for which every name has a value, and the search for requests
//! ([`crate::search`]), for which some are unknown.

use headwater_syntax::TextRange;

use crate::error::Stop;
use crate::rendered::Origin;
use crate::value::Value;

/// An option that a template sets for its query.
#[derive(Debug, Clone)]
pub(crate) enum Setting {
    MaxThreads(u32),
    CacheTtl(u32),
    BackendHint(String),
    Activate(&'static str),
    Disable(&'static str),
}

/// A parameter that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Use<'u> {
    pub(crate) name: &'u str,
    /// The function around it.
    pub(crate) ty: Option<&'u str>,
    pub(crate) range: TextRange,
    pub(crate) value: &'u Value,
    pub(crate) origin: Origin,
}

/// The surroundings of an expression.
pub(crate) trait Scope {
    /// The value of a name; `None` for a parameter that is not passed.
    fn name(&mut self, name: &str, range: TextRange) -> Result<Value, Stop>;

    /// The value of a name that is the first argument of a type function: the same, but without a stand-in for what is
    /// not passed.
    fn argument(&mut self, name: &str) -> Result<Value, Stop>;

    /// Whether a name has a value.
    fn is_defined(&mut self, name: &str) -> Result<bool, Stop>;

    /// Takes the value of a name in order to change it; [`Scope::put`] follows.
    fn take(&mut self, name: &str) -> Result<Value, Stop>;

    /// Gives a name a value from here on.
    fn put(&mut self, name: &str, value: Value) -> Result<(), Stop>;

    /// Binds a name for a while, or takes the binding away; returns what it replaces.
    fn local(&mut self, name: &str, value: Option<Value>) -> Option<Value>;

    /// A parameter without value and default. What it answers is computed with, so that one render finds all that is
    /// missing.
    fn missing(
        &mut self,
        function: &str,
        parameter: Option<&str>,
        range: TextRange,
        placeholder: Value,
    ) -> Result<Value, Stop>;

    /// Notes that a parameter was asked for.
    fn used(&mut self, parameter: Use<'_>);

    /// Placeholders instead of a request's values (specification §8.8).
    fn is_test(&self) -> bool;

    /// The name of the query parameter that stands for a secret; `None` when there is no such secret.
    fn secret(&mut self, name: &str) -> Result<Option<String>, Stop>;

    /// Sets an option of the query.
    fn set(&mut self, setting: Setting) -> Result<(), Stop>;
}
