//! What is said about templates that do not parse.

use headwater_syntax::TextRange;
use headwater_syntax::spelling::nearest;
use headwater_syntax::template::{TemplateError, TemplateErrorKind};

/// The place of a template's error, and what to tell people about it.
pub fn explained(text: &str, error: &TemplateError) -> (TextRange, String) {
    use TemplateErrorKind as K;
    let found = text[error.range].trim();
    let message = match &error.kind {
        K::UnclosedTag(open) => {
            let close = match *open {
                "{{" => "}}",
                "{%" => "%}",
                _ => "#}",
            };
            format!("`{open}` is never closed; add `{close}`, or write `{open}!` for the plain characters")
        }
        K::UnclosedBlock(word) => {
            format!("this `{word}` is never closed; add `{{% end %}}` behind what belongs to it")
        }
        K::ExtraEnd => "nothing is open here that this `end` could close; remove it".to_owned(),
        K::JinjaEnd(word) => format!("`{word}` is Jinja; every block closes with `{{% end %}}` here"),
        K::ElseIf => "`else if` is not understood; write `elif`".to_owned(),
        K::Misplaced(word) => misplaced(word),
        K::ForbiddenStatement(word) => format!(
            "`{word}` is switched off in templates; write the SQL out, or move it to a node or pipe of its own"
        ),
        K::UnknownStatement(word) => unknown_statement(word),
        K::Empty if found.contains(char::is_alphabetic) => {
            format!("`{found}` lacks its expression; write one")
        }
        K::Empty => format!("`{found}` is empty; write an expression in it, or remove it"),
        K::BadExpression => bad_expression(found),
        K::BadSet => "`set` needs a name before `=`: `{% set name = value %}`".to_owned(),
        K::TooDeep => "these blocks are nested too deeply to follow; split the query into nodes".to_owned(),
    };
    (trimmed(text, error.range), message)
}

/// `range` without the white space around its text.
fn trimmed(text: &str, range: TextRange) -> TextRange {
    let found = &text[range];
    let start = usize::from(range.start()) + found.len() - found.trim_start().len();
    headwater_syntax::range(start, start + found.trim().len())
}

fn misplaced(word: &str) -> String {
    let home = match word {
        "elif" => "if",
        "else" => "if, for, while or try",
        _ => "try",
    };
    format!("`{word}` belongs into a block of {home}, and none is open here; remove it, or open the block")
}

const STATEMENTS: &[&str] = &[
    "if", "elif", "else", "for", "while", "try", "except", "finally", "set", "break", "continue", "comment",
    "end",
];

/// The statement that was meant by a word that is none.
pub fn close_statement(word: &str) -> Option<&'static str> {
    match word {
        "elseif" | "elsif" | "elsif_" => Some("elif"),
        "macro" | "call" | "filter" | "with" | "do" => None,
        _ => nearest(word, STATEMENTS.iter().copied()),
    }
}

fn unknown_statement(word: &str) -> String {
    let next = match word {
        "-" | "+" => "tags have no white-space control; write `{%` alone".to_owned(),
        "elseif" | "elsif" | "elsif_" => "write `elif`".to_owned(),
        "macro" | "call" | "filter" | "with" | "do" => {
            "that is Jinja; there are if, for, while, try and set".to_owned()
        }
        _ => match close_statement(word) {
            Some(statement) => format!("did you mean `{statement}`?"),
            None => "there are if, for, while, try and set; values are printed with `{{ }}`".to_owned(),
        },
    };
    format!("`{word}` is no statement of templates; {next}")
}

fn bad_expression(found: &str) -> String {
    let next = if found.starts_with("&&") || found.starts_with('&') {
        "write `and`"
    } else if found.starts_with("||") || found.starts_with('|') {
        "write `or`"
    } else if found.starts_with('!') {
        "write `not`"
    } else if found.starts_with('?') {
        "write `a if condition else b`"
    } else if found.starts_with('=') {
        "compare with `==`"
    } else {
        "expressions are written as in Python"
    };
    let first = found.lines().next().unwrap_or_default();
    format!("the expression does not parse at `{first}`; {next}")
}
