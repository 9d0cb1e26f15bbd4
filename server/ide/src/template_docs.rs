//! The functions of templates: their arguments, what they do (specification §8.5, §8.6).

use headwater_analysis::syntax::template::TYPE_FUNCTIONS;

/// A function of templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TemplateFunction {
    pub(crate) name: &'static str,
    /// Names of its arguments in order; behind `=` the default, where one is usual.
    pub(crate) arguments: &'static [&'static str],
    /// What it does.
    pub(crate) help: &'static str,
    /// What an editor writes for it, behind the name.
    pub(crate) snippet: &'static str,
}

const TYPED: &[&str] =
    &["name", "default", "defined=True", "required", "description=''", "enum=[]", "example=''", "format=''"];

const METADATA_HELP: &[(&str, &str)] = &[
    ("default", "What counts when the request does not have the parameter."),
    ("defined", "`False`: the parameter may be missing, and its value is None then."),
    ("required", "Only shown in the endpoint's documentation: it makes nothing optional."),
    ("description", "Shown in the endpoint's documentation."),
    ("enum", "Values shown in the endpoint's documentation. They bind nobody."),
    ("example", "A value shown in the endpoint's documentation."),
    ("format", "Shown in the endpoint's documentation."),
    ("fn", "A function to put around each column."),
    ("quote", "The quote around the name: a backtick or a double quote."),
    ("separator", "What stands between the parts; a comma unless given."),
    ("code", "The HTTP status, 400 unless given."),
    ("date_format", "How the dates are written, as in `%Y-%m-%d %H:%M:%S`."),
    ("none_if_error", "`True`: None instead of an error when a date cannot be read."),
];

/// What a keyword argument means.
pub(crate) fn argument_help(name: &str) -> Option<&'static str> {
    METADATA_HELP.iter().find(|(n, _)| *n == name).map(|(_, help)| *help)
}

macro_rules! functions {
    ($($name:literal [$($argument:literal),*] $snippet:literal $help:literal;)+) => {
        const HELPERS: &[TemplateFunction] = &[$(TemplateFunction {
            name: $name, arguments: &[$($argument),*], help: $help, snippet: $snippet,
        },)+];
    };
}

functions! {
    "Array" ["name", "type='String'", "default", "defined=True", "required", "description=''", "enum=[]", "example=''", "format=''"]
        "(${1:name}, '${2:String}')" "A list from a comma-separated text or repeated parameters, its items checked for the type.";
    "column" ["name", "default", "defined=True", "required", "description=''", "enum=[]", "example=''", "format=''"]
        "(${1:name}, '${2:default}')" "The parameter's value as the name of a column, in backticks.";
    "columns" ["name", "default", "fn", "defined=True", "required", "description=''", "enum=[]", "example=''", "format=''"]
        "(${1:name}, '${2:a,b}')" "A comma-separated value as names of columns, each in backticks, and inside `fn` when it is given.";
    "symbol" ["x", "quote='`'"] "(${1:name})" "A value as a name, in quotes.";
    "table" ["name", "default", "defined=True", "required", "description=''", "enum=[]", "example=''", "format=''"]
        "(${1:name})" "The value as the name of a table, without quotes. Check it against the names that are meant.";
    "TABLE" ["name", "default", "defined=True", "required", "description=''", "enum=[]", "example=''", "format=''"]
        "(${1:name})" "The value as the name of a table, without quotes. Check it against the names that are meant.";
    "JSON" ["name", "default", "defined=True", "required", "description=''", "enum=[]", "example=''", "format=''"]
        "(${1:name}, '${2:{\\}}')" "The value read as JSON: use subscripts and `.get()`.";
    "defined" ["name"] "(${1:name})" "Whether the request has the parameter.";
    "sql_and" ["column=value", "column__in=value", "column__not_in=value", "column__gt=value", "column__lt=value", "column__gte=value", "column__lte=value"]
        "(${1:column}=${2:value})" "Conditions joined by `and`, without those whose value is None. With none left it prints nothing.";
    "sql_unescape" ["x", "what=''"] "(${1:String(name)}, '${2:%}')" "A text as a literal in which `what` is not escaped, so that `%` works in LIKE.";
    "split_to_array" ["x", "default=''", "separator=','"] "(${1:name}, '${2:default}')" "The parts of a text, without the blanks around them.";
    "enumerate_with_last" ["list"] "(${1:list})" "Pairs of whether this is the last item, and the item: for commas in loops.";
    "error" ["message"] "('${1:message}')" "Ends the request with status 400 and this message.";
    "custom_error" ["object", "code=400"] "({'error': '${1:message}'}, ${2:400})" "Ends the request with this JSON body and status.";
    "tb_secret" ["name", "default"] "('${1:name}')" "A secret's value as a query parameter; else the default as text.";
    "tb_var" ["name", "default"] "('${1:name}')" "A secret's value as a query parameter; else the default as text.";
    "day_diff" ["d0", "d1", "date_format", "backup_date_format", "none_if_error"] "(${1:from}, ${2:to})" "Whole days between two dates, never negative.";
    "date_diff_in_seconds" ["d0", "d1", "date_format", "backup_date_format", "none_if_error"] "(${1:from}, ${2:to})" "Whole seconds between two dates, never negative.";
    "date_diff_in_minutes" ["d0", "d1", "date_format", "backup_date_format", "none_if_error"] "(${1:from}, ${2:to})" "Whole minutes between two dates, never negative.";
    "date_diff_in_hours" ["d0", "d1", "date_format", "backup_date_format", "none_if_error"] "(${1:from}, ${2:to})" "Whole hours between two dates, never negative.";
    "date_diff_in_days" ["d0", "d1", "date_format", "backup_date_format", "none_if_error"] "(${1:from}, ${2:to})" "Whole days between two dates, never negative.";
    "max_threads" ["value"] "(${1:4})" "How many threads the query may use. Prints a comment.";
    "backend_hint" ["value"] "('${1:hint}')" "A hint for the product. Prints a comment.";
    "cache_ttl" ["value"] "('${1|5s,1m,5m,30m,1h|}')" "How long the answer may be kept. Prints a comment.";
    "activate" ["value"] "('${1|analyzer,parallel_replicas,optimize_aggregation_in_order|}')" "Switches something on for this query. Prints a comment.";
    "disable" ["value"] "('${1:analyzer}')" "Switches something off for this query. Prints a comment.";
    "len" ["x"] "(${1:x})" "How many items a list or characters a text has.";
    "list" ["x"] "(${1:x})" "A list of the items.";
    "min" ["x"] "(${1:x})" "The smallest item or argument.";
    "max" ["x"] "(${1:x})" "The largest item or argument.";
    "int" ["x", "base=10"] "(${1:x})" "A whole number of a text or number.";
    "float" ["x"] "(${1:x})" "A number of a text or number.";
}

/// Every function.
pub(crate) fn all() -> impl Iterator<Item = TemplateFunction> {
    let typed = TYPE_FUNCTIONS.iter().filter(|n| **n != "Array").map(|name| typed(name));
    typed.chain(HELPERS.iter().copied())
}

fn typed(name: &'static str) -> TemplateFunction {
    let (help, snippet) = match name {
        "String" => ("The parameter's value as a text literal, escaped.", "(${1:name}, '${2:default}')"),
        "Boolean" => ("`1` or `0`: `0`, `false` and an empty text are false.", "(${1:name}, ${2:1})"),
        "Int" | "Integer" => ("A whole number, bare.", "(${1:name}, ${2:0})"),
        "Date" => ("A date as `YYYY-MM-DD`.", "(${1:name}, '${2:2024-01-01}')"),
        "DateTime" => {
            ("A date with time as `YYYY-MM-DD HH:MM:SS`.", "(${1:name}, '${2:2024-01-01 00:00:00}')")
        }
        "DateTime64" => {
            ("A date with time and a fraction of seconds.", "(${1:name}, '${2:2024-01-01 00:00:00.000}')")
        }
        "Float32" | "Float64" => ("A number, cast to the type.", "(${1:name}, ${2:0.0})"),
        _ => ("A whole number that fits the type, cast to it.", "(${1:name}, ${2:0})"),
    };
    TemplateFunction { name, arguments: TYPED, help, snippet }
}

/// The function of that name.
pub(crate) fn find(name: &str) -> Option<TemplateFunction> {
    all().find(|f| f.name == name)
}

impl TemplateFunction {
    /// `Int32(name, default, …)`
    pub(crate) fn signature(self) -> String {
        format!("{}({})", self.name, self.arguments.join(", "))
    }

    /// Help for hovers and completion.
    pub(crate) fn markdown(self) -> String {
        format!("```python\n{}\n```\n\n{}\n", self.signature(), self.help)
    }
}

#[cfg(test)]
mod tests {
    use headwater_analysis::syntax::template::HELPER_FUNCTIONS;

    use super::*;

    #[test]
    fn every_function_of_the_language_has_its_help() {
        for name in TYPE_FUNCTIONS.iter().chain(HELPER_FUNCTIONS) {
            assert!(find(name).is_some(), "{name}");
        }
        assert!(all().all(|f| TYPE_FUNCTIONS.contains(&f.name) || HELPER_FUNCTIONS.contains(&f.name)));
    }
}
