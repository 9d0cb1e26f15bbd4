//! How calls are written: forms of a function with their arguments, for signature help and completion.

use headwater_catalog::{Combinator, Function, find, syntax};

/// A form of a call, and where its arguments stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    /// `quantile(level)(expr)`
    pub(crate) label: String,
    /// Byte ranges of the arguments in the label, in order.
    pub(crate) arguments: Vec<(usize, usize)>,
    /// Those of the parameters before: `(level)`.
    pub(crate) parameters: Vec<(usize, usize)>,
    /// Whether the last argument may be repeated.
    pub(crate) repeats: bool,
}

/// The first form of a function, on one line.
pub(crate) fn of_function(name: &str) -> Option<String> {
    Some(forms(&find(name)?, name).into_iter().next()?.label)
}

/// The forms of a function as it is called here, with its combinators.
pub(crate) fn forms(function: &Function, written: &str) -> Vec<Form> {
    let lines = syntax(function.base());
    lines.iter().filter_map(|line| form(line, function, written)).collect()
}

fn form(line: &str, function: &Function, written: &str) -> Option<Form> {
    let open = line.find('(')?;
    // `[GLOBAL] x IN y` and the like are no calls.
    let name = line[..open].trim();
    if name.is_empty() || name.contains(char::is_whitespace) {
        return None;
    }
    let close = matching(line, open)?;
    let mut arguments = split(&line[open + 1..close]);
    let mut parameters = Vec::new();
    if let Some(second) = line[close + 1..].trim_start().strip_prefix('(') {
        let from = line.len() - second.len();
        parameters = arguments;
        arguments = split(&line[from..matching(line, from - 1)?]);
    }
    for combinator in function.combinators().iter().rev() {
        match combinator {
            Combinator::If => arguments.push("cond".to_owned()),
            Combinator::Merge | Combinator::MergeState => arguments = vec!["state".to_owned()],
            Combinator::ArgMin | Combinator::ArgMax => arguments.push("val".to_owned()),
            Combinator::Array | Combinator::ForEach => {
                arguments = arguments.iter().map(|a| format!("array_of_{a}")).collect();
            }
            Combinator::Resample => parameters.extend(["start", "end", "step"].map(str::to_owned)),
            _ => {}
        }
    }
    if function.combinators().contains(&Combinator::Resample) {
        arguments.push("resampling_key".to_owned());
    }
    let mut label = written.to_owned();
    let mut write = |list: &[String]| {
        let mut ranges = Vec::new();
        label.push('(');
        for (n, argument) in list.iter().enumerate() {
            if n > 0 {
                label.push_str(", ");
            }
            ranges.push((label.len(), label.len() + argument.len()));
            label.push_str(argument);
        }
        label.push(')');
        ranges
    };
    let parameters = if parameters.is_empty() { Vec::new() } else { write(&parameters) };
    let repeats = arguments.last().is_some_and(|a| a.contains("..."));
    let arguments = write(&arguments);
    Some(Form { label, arguments, parameters, repeats })
}

fn matching(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text[open..].char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(open + at);
        }
    }
    None
}

/// `a, b[, c[, d]]` as `a`, `b`, `[c]`, `[d]`.
fn split(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut depth = 0;
    let mut optional = 0;
    let mut current = String::new();
    let mut was_optional = 0;
    let mut push = |current: &mut String, is_optional: bool| {
        let name = current.trim().to_owned();
        if !name.is_empty() {
            out.push(if is_optional { format!("[{name}]") } else { name });
        }
        current.clear();
    };
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '[' if depth == 0 => {
                optional += 1;
                continue;
            }
            ']' if depth == 0 => {
                was_optional = was_optional.max(optional);
                optional -= 1;
                continue;
            }
            ',' if depth == 0 => {
                // The bracket that opened before this comma belongs to what follows.
                let closed = was_optional > 0
                    || optional > 0 && !current.trim().is_empty() && out_has_bracket(text, &current);
                push(&mut current, closed);
                was_optional = 0;
                continue;
            }
            _ => {}
        }
        current.push(c);
    }
    let is_optional = was_optional > 0 || optional > 0;
    push(&mut current, is_optional);
    out
}

/// Whether the argument stands behind an opening bracket.
fn out_has_bracket(text: &str, argument: &str) -> bool {
    let name = argument.trim();
    text.find(name).is_some_and(|at| {
        let before = text[..at].trim_end();
        before.ends_with('[') || before.ends_with("[,")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_arguments_keep_their_brackets() {
        assert_eq!(
            split("unit, startdate, enddate[, timezone]"),
            ["unit", "startdate", "enddate", "[timezone]"]
        );
        assert_eq!(split("json[, indices_or_keys, ...], return_type").len(), 4);
        assert_eq!(split("[expr]"), ["[expr]"]);
        assert_eq!(split(""), [""; 0]);
    }

    #[test]
    fn combinators_change_the_arguments() {
        let label = |name: &str| of_function(name).unwrap_or_default();
        assert_eq!(label("quantile"), "quantile(level)(expr)");
        assert_eq!(label("sumIf"), "sumIf(num, cond)");
        assert_eq!(label("uniqMerge"), "uniqMerge(state)");
        assert_eq!(label("dateDiff"), "dateDiff(unit, startdate, enddate, [timezone])");
    }
}
