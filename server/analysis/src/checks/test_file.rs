//! Test files: the requests that they make (specification §16.1).

use std::borrow::Cow;
use std::sync::Arc;

use headwater_syntax::{FileKind, range};
use headwater_template::FORBIDDEN_PARAMETERS;
use rustc_hash::FxHashSet;

use super::template::RESERVED_PARAMETERS;
use super::{Diagnostic, Sink, nearest};
use crate::access::tested_pipe;
use crate::codes;
use crate::db::Db;
use crate::facts::{interface, resource_name};
use crate::inputs::{Content, File};
use crate::parse::datafile;
use crate::scope::{Resolution, names, resolve};

/// The faults of a test file's requests. Depends on the tested pipe, and on those that it reads, through their interfaces.
#[salsa::tracked]
pub(super) fn request_faults(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut out = Vec::new();
    let (Some(pipe), Content::Text(text)) = (tested_pipe(db, file), file.content(db)) else {
        return Arc::new(out);
    };
    let known = parameters(db, pipe);
    let name = resource_name(db, pipe);
    let mut sink = Sink::new(datafile(db, file), &mut out);
    for (start, query) in queries(text) {
        let mut at = start;
        for pair in query.split('&') {
            if sink.is_full() {
                return Arc::new(out);
            }
            let key = pair.split('=').next().unwrap_or_default();
            let parameter = decoded(key);
            let is_known = known.contains(&*parameter)
                || RESERVED_PARAMETERS.contains(&&*parameter)
                || FORBIDDEN_PARAMETERS.contains(&&*parameter)
                || parameter.starts_with("__tb__");
            if !parameter.is_empty() && !is_known {
                let near = nearest(&parameter, known.iter().map(String::as_str));
                let hint = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "remove it".to_owned(),
                };
                let message =
                    format!("`{name}` reads no parameter `{parameter}`, so this changes nothing; {hint}");
                sink.push(&codes::UNKNOWN_PARAMETER, range(at, at + key.len()), message).meant(near);
            }
            at += pair.len() + 1;
        }
    }
    Arc::new(out)
}

/// The values of `parameters:` lines, with where they start. Others than plain texts on one line are passed over.
fn queries(text: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let inner = line.trim_start().trim_start_matches("- ").trim_start();
        if let Some(value) = inner.strip_prefix("parameters:") {
            let value = value.trim();
            let value = match value.as_bytes() {
                [quote @ (b'\'' | b'"'), .., last] if quote == last => &value[1..value.len() - 1],
                _ => value.split(" #").next().unwrap_or_default().trim_end(),
            };
            // The runner cuts what stands before the first `?`.
            let value = value.split_once('?').map_or(value, |(_, query)| query);
            let is_plain = !value.is_empty() && !value.starts_with(['|', '>', '{', '[', '&', '*', '"', '\'']);
            if is_plain {
                out.push((start + line.find(value).unwrap_or_default(), value));
            }
        }
        start += line.len();
    }
    out
}

/// A name or value of a query string as it is meant: `%20` and `+` are blanks. An escape that is none stays as it stands, and
/// what is no UTF-8 then is replaced: it is nobody's name.
pub fn decoded(key: &str) -> Cow<'_, str> {
    if !key.contains(['%', '+']) {
        return key.into();
    }
    let mut out = Vec::with_capacity(key.len());
    let bytes = key.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escape = key.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned().into()
}

/// Every parameter that a pipe reads, or a pipe that it reads.
fn parameters(db: &dyn Db, pipe: File) -> FxHashSet<String> {
    let names = names(db, pipe.project(db));
    let mut seen = FxHashSet::from_iter([pipe]);
    let mut todo = vec![pipe];
    let mut out = FxHashSet::default();
    while let Some(file) = todo.pop() {
        let Some(face) = interface(db, file) else { continue };
        for (index, node) in face.nodes.iter().enumerate() {
            out.extend(node.parameters.iter().map(|p| p.name.clone()));
            for read in &node.reads {
                if let Resolution::Resource(next) = resolve(names, Some((face, index)), read)
                    && next.kind(db) == Some(FileKind::Pipe)
                    && seen.insert(next)
                {
                    todo.push(next);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{decoded, queries};

    #[test]
    fn requests_are_read_from_their_lines() {
        let text = "- name: a\n  parameters: x=1&y=2 # why\n- parameters: 'z=3'\n  expected_result: |\n    {}\n- parameters: |\n    a=1\n- parameters:\n- parameters: \"q=%20\"\n- parameters: pipe.json?b=4\n";
        let found: Vec<_> =
            queries(text).into_iter().map(|(at, query)| (&text[at..at + query.len()], query)).collect();
        assert_eq!(found, [("x=1&y=2", "x=1&y=2"), ("z=3", "z=3"), ("q=%20", "q=%20"), ("b=4", "b=4")]);
        assert_eq!((&*decoded("a%5Bb+c"), &*decoded("%")), ("a[b c", "%"));
    }
}
