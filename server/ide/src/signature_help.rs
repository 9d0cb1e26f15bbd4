//! Signature help: the call around the cursor, and which of its arguments is being written.

use headwater_analysis::{Db, Directive, File, TextSize};

use crate::cursor::{Cursor, Place};
use crate::signatures::forms;
use crate::sql_context::context;
use crate::template_docs::{self, argument_help};

/// How a call may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureHelp {
    /// The forms, the likeliest first.
    pub signatures: Vec<Signature>,
    /// Which argument is being written, if the form has it.
    pub active: Option<usize>,
}

/// One form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// `dateDiff(unit, startdate, enddate, [timezone])`
    pub label: String,
    /// Where the arguments stand in it, in bytes.
    pub arguments: Vec<(usize, usize)>,
    /// What is said about it.
    pub documentation: Option<String>,
}

/// The call around `offset`. Looks at the words before it only, so it works on anything.
pub fn signature_help(db: &dyn Db, file: File, offset: TextSize) -> Option<SignatureHelp> {
    let cursor = Cursor::read(db, file, offset)?;
    let (text, at, directive) = match &cursor.place {
        Place::Block { directive, body, at } | Place::Value { directive, body, at, .. } => {
            (body.text.clone(), *at, *directive)
        }
        Place::Name { .. } | Place::Nowhere => return None,
    };
    if let Some(help) = of_template(&text, at) {
        return Some(help);
    }
    if matches!(directive, Directive::Description | Directive::Tags | Directive::SharedWith) {
        return None;
    }
    let context = context(&text, at);
    let call = context.calls.last()?;
    let name = &text[call.name];
    let function = headwater_catalog::find(name)?;
    let documentation = summary(&function.documentation().unwrap_or_default());
    let mut signatures = Vec::new();
    let mut active = None;
    for form in forms(&function, name) {
        // The first parentheses of a parametric aggregate: its parameters, unless it has none.
        let in_parameters =
            call.parameters.is_none() && !form.parameters.is_empty() && is_followed_by_call(&text, at);
        let arguments = if in_parameters { form.parameters } else { form.arguments };
        let last = arguments.len().checked_sub(1);
        let this = match last {
            Some(last) if call.argument > last && form.repeats => Some(last),
            Some(last) if call.argument <= last => Some(call.argument),
            _ => None,
        };
        if signatures.is_empty() {
            active = this;
        }
        signatures.push(Signature { label: form.label, arguments, documentation: documentation.clone() });
    }
    if signatures.is_empty() {
        signatures.push(Signature { label: format!("{name}(…)"), arguments: Vec::new(), documentation });
    }
    Some(SignatureHelp { signatures, active })
}

/// Whether the parentheses around the place close and others follow at once.
fn is_followed_by_call(text: &str, at: TextSize) -> bool {
    let mut depth = 0;
    let rest = &text[usize::from(at)..];
    for (n, c) in rest.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return rest[n + 1..].starts_with('('),
            ')' => depth -= 1,
            '\n' => return false,
            _ => {}
        }
    }
    false
}

/// A function of templates.
fn of_template(text: &str, at: TextSize) -> Option<SignatureHelp> {
    let before = &text[..usize::from(at)];
    let start = [("{{", "}}"), ("{%", "%}")]
        .into_iter()
        .filter_map(|(open, close)| {
            before.rfind(open).filter(|n| !before[*n..].contains(close)).map(|n| n + 2)
        })
        .max()?;
    let inner = &before[start..];
    let context = context(inner, TextSize::of(inner));
    let call = context.calls.last()?;
    let function = template_docs::find(&inner[call.name])?;
    let label = function.signature();
    let mut arguments = Vec::new();
    let mut from = function.name.len() + 1;
    for argument in function.arguments {
        arguments.push((from, from + argument.len()));
        from += argument.len() + 2;
    }
    // A keyword says which one it is.
    let current = inner[usize::from(call.open)..].rsplit(',').next().unwrap_or_default();
    let keyword = current.split_once('=').map(|(name, _)| name.trim());
    let named = keyword.and_then(|k| function.arguments.iter().position(|a| a.split('=').next() == Some(k)));
    let active = named.or(Some(call.argument)).filter(|n| *n < arguments.len());
    let more = keyword.and_then(argument_help).map(|h| format!("\n\n{h}")).unwrap_or_default();
    let documentation = Some(format!("{}{more}", function.help));
    Some(SignatureHelp { signatures: vec![Signature { label, arguments, documentation }], active })
}

/// The first paragraph.
fn summary(text: &str) -> Option<String> {
    let first = text.trim().split("\n\n").next().unwrap_or_default().trim();
    (!first.is_empty()).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_test_fixture::Fixture;

    fn help(sql: &str) -> Option<String> {
        let fixture = Fixture::parse(&format!("//- p.pipe\nNODE n\nSQL >\n    {sql}\n"));
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.expect("a cursor");
        let found = signature_help(&db, files[index], offset)?;
        let first = &found.signatures[0];
        let active = found.active.map(|n| &first.label[first.arguments[n].0..first.arguments[n].1]);
        Some(format!("{} @ {}", first.label, active.unwrap_or("-")))
    }

    #[test]
    fn the_argument_being_written_is_marked() {
        for (sql, expected) in [
            ("SELECT dateDiff('day', $0", "dateDiff(unit, startdate, enddate, [timezone]) @ startdate"),
            ("SELECT dateDiff($0) FROM t", "dateDiff(unit, startdate, enddate, [timezone]) @ unit"),
            ("SELECT quantile($0)(x)", "quantile(level)(expr) @ level"),
            ("SELECT quantile(0.9)($0", "quantile(level)(expr) @ expr"),
            ("SELECT sumIf(x, $0", "sumIf(num, cond) @ cond"),
            ("SELECT arrayMap(x -> x + $0, [1])", "arrayMap(func, arr) @ func"),
            ("SELECT if(a, (1, 2), $0", "if(cond, then, else) @ else"),
            (
                "%\n    SELECT {{Int32(x, $0)}}",
                "Int32(name, default, defined=True, required, description='', enum=[], example='', format='') @ default",
            ),
            (
                "%\n    SELECT {{Int32(x, description='$0')}}",
                "Int32(name, default, defined=True, required, description='', enum=[], example='', format='') @ description=''",
            ),
        ] {
            assert_eq!(help(sql).as_deref(), Some(expected), "{sql}");
        }
        for sql in ["SELECT a$0", "SELECT (a, $0)", "SELECT '$0"] {
            assert_eq!(help(sql), None, "{sql}");
        }
    }
}
