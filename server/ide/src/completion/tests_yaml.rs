//! Test files: keys of a case, and parameters of the pipe that is tested.

use headwater_analysis::{Db, File, TextRange, TextSize, access, interface};

use super::{CompletionItem, CompletionKind, Items};
use crate::tokens::{is_word_char, word_start};

/// Keys of a case (specification §16.1), with what each is for.
pub(crate) const KEYS: &[(&str, &str, &str)] = &[
    ("name", "name: ", "The case's name."),
    ("description", "description: ", "Free text."),
    ("parameters", "parameters: ", "The request's parameters: `a=1&b=x`."),
    ("expected_result", "expected_result: |\n    ", "The rows that are expected, one JSON object a line."),
    (
        "expected_http_status",
        "expected_http_status: ",
        "The status that is expected; 400 and above expect an error.",
    ),
];

pub(super) fn complete(db: &dyn Db, file: File, offset: TextSize) -> Vec<CompletionItem> {
    let text = file.text(db);
    let offset = offset.min(TextSize::of(&*text));
    let start = word_start(&text, offset);
    let mut out = Items { list: Vec::new(), replace: TextRange::new(start, offset) };
    let before = &text[..usize::from(offset)];
    let line = before.rsplit(['\n', '\r']).next().unwrap_or_default();
    let trimmed = line.trim_start().trim_start_matches("- ").trim_start();
    if let Some(value) = trimmed.strip_prefix("parameters:") {
        let part = value.rsplit(['&', '?']).next().unwrap_or_default();
        match part.split_once('=') {
            Some((name, _)) => values(db, file, name.trim().trim_matches(['\'', '"']), &mut out),
            None => parameters(db, file, value, &mut out),
        }
    } else if trimmed.chars().all(is_word_char) {
        keys(&text, before, line, &mut out);
    }
    out.list
}

fn keys(text: &str, before: &str, line: &str, out: &mut Items) {
    let starts_case = !line.starts_with(' ') && !line.starts_with('-');
    if starts_case {
        out.add("- name", CompletionKind::Snippet, 800).detail("a new case").snippet(
            "- name: ${1:name}\n  description: ${2:what it shows}\n  parameters: ${3}\n  expected_result: |\n    $0",
        );
        return;
    }
    // Keys of this case, above and below.
    let is_start = |l: &&str| l.starts_with("- ");
    let above = before.lines().rev().skip(usize::from(!line.is_empty()));
    let mut given: Vec<&str> = Vec::new();
    for line in above {
        given.extend(key_of(line));
        if is_start(&line) {
            break;
        }
    }
    given.extend(text[before.len()..].lines().skip(1).take_while(|l| !is_start(l)).filter_map(key_of));
    for (n, (key, insert, help)) in KEYS.iter().enumerate() {
        if !given.contains(key) {
            let relevance = 700 - u16::try_from(n).unwrap_or(0);
            out.add(*key, CompletionKind::Key, relevance).detail(*help).insert(*insert);
        }
    }
}

fn key_of(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches("- ");
    let (key, _) = line.split_once(':')?;
    KEYS.iter().find(|(k, ..)| *k == key.trim()).map(|(k, ..)| *k)
}

fn parameters(db: &dyn Db, file: File, given: &str, out: &mut Items) {
    let Some(face) = access::tested_pipe(db, file).and_then(|pipe| interface(db, pipe).as_ref()) else {
        return;
    };
    let mut names: Vec<_> = face.nodes.iter().flat_map(|n| &n.parameters).collect();
    names.sort_by_key(|p| (p.name.clone(), p.ty.is_none()));
    names.dedup_by_key(|p| p.name.clone());
    for parameter in names {
        if given.split(['&', '?', ' ']).any(|part| part.split('=').next() == Some(&parameter.name)) {
            continue;
        }
        let item = out.add(
            parameter.name.clone(),
            CompletionKind::Parameter,
            if parameter.default.is_none() { 720 } else { 700 },
        );
        item.insert(format!("{}=", parameter.name));
        if let Some(ty) = &parameter.ty {
            let default = parameter.default.as_ref().map(|d| format!(" = {d}")).unwrap_or_default();
            item.detail(format!("{ty}{default}"));
        }
    }
}

fn values(db: &dyn Db, file: File, name: &str, out: &mut Items) {
    let Some(face) = access::tested_pipe(db, file).and_then(|pipe| interface(db, pipe).as_ref()) else {
        return;
    };
    for parameter in face.nodes.iter().flat_map(|n| &n.parameters).filter(|p| p.name == name) {
        if let Some(default) = &parameter.default {
            out.add(default.trim_matches(['\'', '"']), CompletionKind::Value, 600).origin("default");
        }
    }
}
