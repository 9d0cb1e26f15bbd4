//! Secrets in datafiles: `{{ tb_secret("NAME") }}` in the text of a data source or connection, replaced before the file is
//! read (specification §3.4). Nothing else of the template language exists there.

use std::fmt;

use headwater_syntax::template::{self, Expr, ExprKind, Piece};
use headwater_syntax::{TextRange, TextSize, range};

use crate::error::{ErrorKind, Fault, RenderError, Stop};
use crate::explain::explained;
use crate::functions::unknown_secret;
use crate::request::Secrets;
use crate::source_map::{Made, SourceMap};

/// A datafile's text with its secrets. It is printed by nothing but [`Filled::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Filled {
    text: String,
    /// Where each byte comes from.
    pub map: SourceMap,
}

impl Filled {
    /// The text, secrets and all.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filled").field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

/// Replaces the secrets in a datafile's text. A secret that is empty becomes `""`, since an empty value would be none.
/// O(length of the text and of what is put in).
///
/// # Errors
///
/// A secret that does not exist and has no default; any tag besides `tb_secret`.
pub fn fill_secrets(text: &str, secrets: &Secrets) -> Result<Filled, RenderError> {
    let tree = template::parse(text);
    if let Some(error) = tree.errors.first() {
        let (range, message) = explained(text, error);
        return Err(RenderError { range, kind: ErrorKind::Syntax, message, status: 400 });
    }
    let mut out = Filled { text: String::with_capacity(text.len()), map: SourceMap::default() };
    let mut at = TextSize::from(0);
    for piece in &tree.pieces {
        let place = piece.range();
        out.push(&text[TextRange::new(at, place.start())], TextRange::new(at, place.start()), Made::Literal);
        at = place.end();
        match piece {
            Piece::Output { expr, .. } => {
                let value = value(expr, secrets).map_err(|fault| fault.at(expr.range))?;
                let value = if value.is_empty() { "\"\"" } else { &value };
                out.push(value, place, Made::Value);
            }
            Piece::Escape(_) => out.push(&text[TextRange::at(place.start(), 2.into())], place, Made::Tag),
            Piece::Silent(_) => {}
            _ => return Err(only_secrets().at(place)),
        }
    }
    let rest = TextRange::new(at, range(0, text.len()).end());
    out.push(&text[rest], rest, Made::Literal);
    Ok(out)
}

impl Filled {
    fn push(&mut self, text: &str, source: TextRange, made: Made) {
        self.text.push_str(text);
        self.map.push(text.len(), source, made);
    }
}

fn only_secrets() -> Fault {
    let message =
        "here the only tag is `{{ tb_secret(\"NAME\") }}`, with a default as its second argument if need be";
    into_fault(Fault::new(ErrorKind::Forbidden, "", message))
}

fn into_fault(stop: Stop) -> Fault {
    match stop {
        Stop::Fault(fault) => *fault,
        Stop::Unknown => unreachable!("made as a fault"),
    }
}

fn value(expr: &Expr, secrets: &Secrets) -> Result<String, Fault> {
    let Some(("tb_secret", args, keywords)) = expr.as_call() else { return Err(only_secrets()) };
    let text = |expr: &Expr| match &expr.kind {
        ExprKind::Str(text) => Ok(text.clone()),
        _ => expr.as_passed().ok_or_else(only_secrets),
    };
    let default = match (args, keywords) {
        ([_], []) => None,
        ([_, default], []) => Some(default),
        ([_], [(name, default)]) if name.value == "default" => Some(default),
        _ => return Err(only_secrets()),
    };
    let name = text(&args[0])?;
    match (secrets.get(&name), default) {
        (Some(secret), _) => Ok(secret.reveal().to_owned()),
        (None, Some(default)) => text(default),
        (None, None) => Err(into_fault(unknown_secret(&name, "tb_secret"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Secret;

    #[test]
    fn secrets_are_put_in_and_nothing_else_is() {
        let mut secrets = Secrets::new();
        secrets.insert("key", Secret::new("s3cr3t"));
        secrets.insert("none", Secret::new(""));
        for (text, expected) in [
            ("K {{ tb_secret(\"key\") }} x", Ok("K s3cr3t x")),
            ("K {{ tb_secret('none') }}", Ok("K \"\"")),
            ("K {{ tb_secret('other', 'd') }}", Ok("K d")),
            ("K {{ tb_secret('other', default='') }}", Ok("K \"\"")),
            ("K {{! x {# c #}y", Ok("K {{ x y")),
            ("no tag", Ok("no tag")),
            ("K {{ tb_secret('other') }}", Err("there is no secret 'other'")),
            ("K {{ String('key') }}", Err("here the only tag is")),
            ("K {{ tb_secret(key) }}", Err("here the only tag is")),
            ("K {% if key %}{% end %}", Err("here the only tag is")),
            ("K {{ tb_secret('key')", Err("`{{` is never closed")),
        ] {
            match (fill_secrets(text, &secrets), expected) {
                (Ok(filled), Ok(expected)) => {
                    assert_eq!(filled.reveal(), expected, "{text}");
                    assert!(!format!("{filled:?}").contains("s3cr3t"));
                }
                (Err(error), Err(expected)) => {
                    assert!(error.message.contains(expected), "{text}: {error}");
                    assert!(!format!("{error:?}").contains("s3cr3t"));
                }
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
