//! The functions that templates can call, by family.

mod abort;
mod dates;
mod lists;
mod names;
mod options;
mod python;
mod typed;

use headwater_syntax::TextRange;
use headwater_syntax::template::{HELPER_FUNCTIONS, TYPE_FUNCTIONS};

use crate::error::{ErrorKind, Fault, Stop, quoted};
use crate::eval::Answer;
use crate::limits::Meter;
use crate::scope::Scope;
use crate::value::Value;

pub(crate) use options::unknown_secret;
pub(crate) use python::FUNCTIONS as PYTHON_FUNCTIONS;
pub(crate) use typed::print;

/// Names that no parameter can have, because the API uses them itself (specification §8.7).
pub const FORBIDDEN_PARAMETERS: &[&str] = &["format", "q"];

/// A call with its values.
pub(crate) struct Args<'a> {
    pub(crate) function: &'a str,
    pub(crate) positional: Vec<Value>,
    pub(crate) keywords: Vec<(String, Value)>,
    /// The parameter that the first argument names.
    pub(crate) parameter: Option<&'a str>,
    /// The call.
    pub(crate) range: TextRange,
    /// The first argument.
    pub(crate) first: TextRange,
}

impl Args<'_> {
    /// The arguments in the order of `names`.
    ///
    /// # Errors
    ///
    /// When there are too many, or a keyword that is none, or one twice.
    pub(crate) fn bind<const N: usize>(&self, names: [&str; N]) -> Result<[Option<Value>; N], Stop> {
        let wrong = |what: String| Err(Fault::python("TypeError", what));
        if self.positional.len() > N {
            let found = self.positional.len();
            return wrong(format!("{} takes {N} arguments, and here are {found}", self.function));
        }
        let mut out = [const { None }; N];
        for (slot, value) in out.iter_mut().zip(&self.positional) {
            *slot = Some(value.clone());
        }
        for (name, value) in &self.keywords {
            let Some(n) = names.iter().position(|known| known == name) else {
                let known = names.get(1..).unwrap_or_default().join(", ");
                return wrong(format!("{} knows no `{name}=`; it takes {known}", self.function));
            };
            if out[n].replace(value.clone()).is_some() {
                return wrong(format!("{} gets `{name}` twice; leave one out", self.function));
            }
        }
        Ok(out)
    }

    /// What must be there.
    pub(crate) fn need(&self, value: Option<Value>, name: &str) -> Answer {
        value
            .ok_or_else(|| Fault::python("TypeError", format!("{} lacks its argument {name}", self.function)))
    }

    /// A text that must be there.
    pub(crate) fn need_text(&self, value: Option<Value>, name: &str) -> Result<String, Stop> {
        let value = self.need(value, name)?;
        value.as_str().map(str::to_owned).ok_or_else(|| {
            let message = format!("{} takes a text as {name}, not {}", self.function, value.type_name());
            Fault::python("TypeError", message)
        })
    }

    /// A value that the function refuses.
    pub(crate) fn refused(&self, found: &str, expected: &str) -> Stop {
        let of = self.parameter.map_or_else(String::new, |name| format!(" of parameter `{name}`"));
        let message =
            format!("the value {}{of} is not valid for {}: {expected}", quoted(found), self.function);
        Fault::validation(self.parameter, message)
    }

    /// What a parameter is worth, else its default, else what the scope says about missing ones. `None` when it may be
    /// missing.
    pub(crate) fn value_or(
        &self,
        default: Option<Value>,
        may_be_missing: bool,
        placeholder: Value,
        scope: &mut dyn Scope,
    ) -> Result<(Value, crate::rendered::Origin), Stop> {
        use crate::rendered::Origin;
        if let Some(name) = self.parameter.filter(|name| FORBIDDEN_PARAMETERS.contains(name)) {
            let message =
                format!("the API uses `{name}` itself, so no parameter can be called that; rename it");
            return Err(Fault::new(ErrorKind::Forbidden, "", message).at(self.first));
        }
        match (self.positional.first(), default) {
            (None, _) => Err(Fault::python(
                "TypeError",
                format!("{0} lacks the name of its parameter; write `{0}(name)`", self.function),
            )),
            (Some(value), _) if !matches!(value, Value::None) => Ok((value.clone(), Origin::Passed)),
            (_, Some(default)) if !matches!(default, Value::None) => Ok((default, Origin::Default)),
            _ if may_be_missing && !scope.is_test() => Ok((Value::None, Origin::Absent)),
            _ => {
                let value = scope.missing(self.function, self.parameter, self.first, placeholder)?;
                Ok((value, Origin::Placeholder))
            }
        }
    }
}

/// Whether the first argument of a function is a parameter rather than a value when it is a plain name.
pub(crate) fn takes_parameter(function: &str) -> bool {
    TYPE_FUNCTIONS.contains(&function)
        || matches!(function, "column" | "columns" | "symbol" | "table" | "TABLE" | "JSON" | "split_to_array")
}

/// Whether templates have a function of that name, besides those of Python.
pub(crate) fn is_function(name: &str) -> bool {
    TYPE_FUNCTIONS.contains(&name) || HELPER_FUNCTIONS.contains(&name)
}

/// Calls a function.
pub(crate) fn call(args: &Args<'_>, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    meter.step()?;
    match args.function {
        "Array" => typed::array(args, scope, meter),
        function if TYPE_FUNCTIONS.contains(&function) => typed::scalar(args, scope, meter),
        "JSON" => typed::json(args, scope, meter),
        "column" | "columns" | "symbol" | "table" | "TABLE" => names::call(args, scope, meter),
        "sql_and" => names::sql_and(args, meter),
        "sql_unescape" => names::sql_unescape(args, meter),
        "split_to_array" => lists::split_to_array(args, scope, meter),
        "enumerate_with_last" => lists::enumerate_with_last(args, meter),
        "defined" => {
            let [value] = args.bind(["x"])?;
            Ok(Value::Bool(!scope.is_test() && !matches!(args.need(value, "x")?, Value::None)))
        }
        "error" | "custom_error" => abort::call(args, scope, meter),
        "day_diff"
        | "date_diff_in_seconds"
        | "date_diff_in_minutes"
        | "date_diff_in_hours"
        | "date_diff_in_days" => dates::difference(args, scope, meter),
        "tb_secret" | "tb_var" => options::secret(args, scope, meter),
        "max_threads" | "cache_ttl" | "backend_hint" | "activate" | "disable" => {
            options::call(args, scope, meter)
        }
        _ => python::call(args, meter),
    }
}
