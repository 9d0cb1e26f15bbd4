//! Names of a template outside of any render: what they are worth if a request passes certain parameters.

use headwater_syntax::TextRange;
use headwater_syntax::template::{Expr, ExprKind};
use rustc_hash::FxHashMap;

use super::witness::Given;
use crate::error::{ErrorKind, Fault, Stop};
use crate::eval::{Answer, eval};
use crate::limits::{Limits, Meter};
use crate::scope::{Scope, Setting, Use};
use crate::value::Value;

/// Steps of evaluation for one template: far more than people's templates need.
const FUEL: u64 = 1_000_000;

/// Deeper than conditions that people write.
const MAX_DEPTH: usize = 60;

/// Why a condition has no truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// Nobody knows here.
    Unknown,
    /// The request would fail.
    Error,
}

/// A request: the value of each parameter that is passed.
pub(super) type Passing<'r> = &'r dyn Fn(&str) -> Option<Given>;

/// What names mean.
pub(super) struct Names<'e> {
    /// Names that the template binds; with their value where that is the same everywhere.
    pub(super) sets: FxHashMap<&'e str, Option<&'e Expr>>,
    /// Steps left. Hostile templates get no more than their share; when it is used up, nothing is known.
    pub(super) meter: Meter<'static>,
}

impl<'e> Names<'e> {
    pub(super) fn new(sets: FxHashMap<&'e str, Option<&'e Expr>>) -> Self {
        let limits = Limits { steps: FUEL, rounds: FUEL, depth: MAX_DEPTH, ..Limits::default() };
        Self { sets, meter: Meter::new(limits, None) }
    }

    /// Whether `expr` is true for a request.
    pub(super) fn truth(&self, expr: &Expr, request: Passing<'_>) -> Result<bool, Halt> {
        let mut asked = Asked { names: self, request, inside: Vec::new(), locals: FxHashMap::default() };
        match eval(expr, &mut asked, &self.meter) {
            Ok(value) => Ok(value.truth()),
            Err(Stop::Fault(fault)) if !matches!(fault.kind, ErrorKind::Limit(_)) => Err(Halt::Error),
            Err(_) => Err(Halt::Unknown),
        }
    }

    /// The parameters that the value of `expr` depends on, without repetition.
    pub(super) fn parameters(&self, expr: &'e Expr) -> Vec<&'e str> {
        let mut out = Vec::new();
        let mut inside: Vec<&str> = Vec::new();
        let mut todo = vec![expr];
        while let Some(expr) = todo.pop() {
            if self.meter.step().is_err() {
                break;
            }
            if let ExprKind::Name(name) = &expr.kind {
                match self.sets.get(name.as_str()) {
                    Some(value) if !inside.contains(&name.as_str()) => {
                        inside.push(name);
                        todo.extend(*value);
                    }
                    _ if out.contains(&name.as_str()) => {}
                    _ => out.push(name),
                }
            } else if let Some((function, args, keywords)) = expr.as_call() {
                if function == "defined"
                    && let Some(name) = args.first().and_then(Expr::as_parameter)
                {
                    if !out.contains(&name) {
                        out.push(name);
                    }
                    continue;
                }
                todo.extend(args.iter().chain(keywords.iter().map(|(_, e)| e)).rev());
            } else {
                todo.extend(expr.children().into_iter().rev());
            }
        }
        out
    }
}

struct Asked<'n, 'e> {
    names: &'n Names<'e>,
    request: Passing<'n>,
    /// Bound names whose value is being computed: inside, they are the parameter of that name, as in
    /// `{% set days = Int32(days, 7) %}`.
    inside: Vec<&'e str>,
    /// Names of comprehensions.
    locals: FxHashMap<String, Value>,
}

impl Scope for Asked<'_, '_> {
    fn name(&mut self, name: &str, _: TextRange) -> Answer {
        if let Some(value) = self.locals.get(name) {
            return Ok(value.clone());
        }
        let names = self.names;
        match names.sets.get_key_value(name) {
            Some((name, value)) if !self.inside.contains(name) => {
                self.inside.push(name);
                let value = value.map_or(Err(Stop::Unknown), |value| eval(value, self, &names.meter));
                self.inside.pop();
                value
            }
            _ => Ok((self.request)(name).map_or(Value::None, |given| given.to_value())),
        }
    }

    fn argument(&mut self, name: &str) -> Answer {
        self.name(name, TextRange::default())
    }

    fn is_defined(&mut self, name: &str) -> Result<bool, Stop> {
        let is_set = self.names.sets.contains_key(name) && !self.inside.contains(&name);
        if is_set || self.locals.contains_key(name) {
            return Ok(!matches!(self.argument(name)?, Value::None));
        }
        Ok((self.request)(name).is_some())
    }

    /// A list that is changed here was made by what stands before, which is not looked at.
    fn take(&mut self, _: &str) -> Answer {
        Err(Stop::Unknown)
    }

    /// `Array(name)` makes its parameter a list for what follows; conditions are looked at one by one.
    fn put(&mut self, _: &str, _: Value) -> Result<(), Stop> {
        Ok(())
    }

    fn local(&mut self, name: &str, value: Option<Value>) -> Option<Value> {
        match value {
            Some(value) => self.locals.insert(name.to_owned(), value),
            None => self.locals.remove(name),
        }
    }

    fn missing(&mut self, function: &str, parameter: Option<&str>, range: TextRange, _: Value) -> Answer {
        let names = parameter.map(str::to_owned).into_iter().collect();
        let kind = ErrorKind::MissingParameters(names);
        Err(Fault::new(kind, "ValueError", format!("{function} has no value")).at(range))
    }

    fn used(&mut self, _: Use<'_>) {}

    fn is_test(&self) -> bool {
        false
    }

    fn secret(&mut self, _: &str) -> Result<Option<String>, Stop> {
        Err(Stop::Unknown)
    }

    fn set(&mut self, _: Setting) -> Result<(), Stop> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
