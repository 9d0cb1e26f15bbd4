//! Table engines, their options, and what a sorting key can hold (specification §4.5).

use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::{Directive, MappedText, TextRange, range, schema};

use super::values::{has_open_include, has_slip_of, is_given, join, list, literal};
use super::{Context, Remedy, Sink, Tag, nearest};
use crate::codes;

pub(super) const ENGINES: &[&str] = &[
    "MergeTree",
    "ReplacingMergeTree",
    "SummingMergeTree",
    "AggregatingMergeTree",
    "CollapsingMergeTree",
    "VersionedCollapsingMergeTree",
    "Null",
    "Join",
];

/// Engines of ClickHouse that the format's documentation does not speak of.
const OTHER_ENGINES: &[&str] = &[
    "Buffer",
    "CoalescingMergeTree",
    "Dictionary",
    "Distributed",
    "EmbeddedRocksDB",
    "File",
    "GenerateRandom",
    "GraphiteMergeTree",
    "Kafka",
    "KeeperMap",
    "Log",
    "Memory",
    "Merge",
    "MongoDB",
    "MySQL",
    "PostgreSQL",
    "Redis",
    "S3",
    "S3Queue",
    "Set",
    "StripeLog",
    "TinyLog",
    "URL",
];

pub(super) fn check(cx: &Context<'_>, sink: &mut Sink<'_>) {
    legacy_keys(cx, sink);
    sorting_key(cx, sink);
    let Some(entry) = cx.file.last(Directive::Engine) else { return options_without_engine(cx, sink) };
    let Some(value) = literal(cx, entry).filter(|v| !v.is_empty()) else { return };
    match canonical(&value) {
        Some(engine) => {
            requirements(cx, sink, entry, &value, engine);
            options(cx, sink, engine);
        }
        None => unknown(cx, sink, entry, &value),
    }
}

/// The engine's name as the list spells it, without the prefixes that a cluster adds and without arguments.
fn canonical(value: &str) -> Option<&'static str> {
    let name = value.split('(').next().unwrap_or_default().trim();
    let bare = ["Replicated", "Shared"].iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name);
    ENGINES.iter().chain(OTHER_ENGINES).copied().find(|e| e.eq_ignore_ascii_case(bare))
}

fn unknown(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry, value: &str) {
    let name = value.split('(').next().unwrap_or_default().trim();
    let curly = ['“', '”', '‘', '’'];
    let inner = name.trim_matches(curly);
    let near = nearest(inner, ENGINES.iter().copied());
    let hint = match near {
        Some(engine) if name.contains(curly) => format!("its quotes are typographic ones; write `{engine}`"),
        Some(engine) => format!("did you mean `{engine}`?"),
        None => format!("the engines are {}", list(&ENGINES[..7])),
    };
    let message = format!("`{name}` is no table engine; {hint}");
    let body = entry.entry.body(cx.text(entry));
    let start = body.text.len() - body.text.trim_start().len();
    sink.in_body(entry, &body, &codes::UNKNOWN_ENGINE, range(start, start + name.len()), message).meant(near);
}

/// Options of one engine or a few, with those engines.
const OPTIONS: &[(Directive, &[&str])] = &[
    (Directive::EngineVer, &["ReplacingMergeTree"]),
    (Directive::EngineIsDeleted, &["ReplacingMergeTree"]),
    (Directive::EngineColumns, &["SummingMergeTree"]),
    (Directive::EngineSign, &["CollapsingMergeTree", "VersionedCollapsingMergeTree"]),
    (Directive::EngineVersion, &["VersionedCollapsingMergeTree"]),
];

fn options(cx: &Context<'_>, sink: &mut Sink<'_>, engine: &str) {
    if OTHER_ENGINES.contains(&engine) {
        return;
    }
    for (directive, engines) in OPTIONS {
        let Some(entry) = cx.file.last(*directive).filter(|_| is_given(cx, *directive)) else { continue };
        if !engines.contains(&engine) {
            let message = format!(
                "{} is an option of {}, and {engine} ignores it; remove it",
                directive.name(),
                join(engines, "and")
            );
            sink.at(entry, &codes::ENGINE_OPTION, entry.entry.keyword, message);
        }
    }
}

fn requirements(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry, value: &str, engine: &str) {
    let needed: &[(Directive, &str)] = match engine {
        "ReplacingMergeTree" => &[(Directive::EngineSortingKey, "rows with the same key replace each other")],
        "CollapsingMergeTree" => &[
            (Directive::EngineSortingKey, "rows with the same key cancel each other"),
            (Directive::EngineSign, "it names the column with 1 or -1"),
        ],
        "VersionedCollapsingMergeTree" => &[
            (Directive::EngineSign, "it names the column with 1 or -1"),
            (Directive::EngineVersion, "it names the column with the row's version"),
        ],
        _ => return,
    };
    // Arguments in parentheses say the same as the directives.
    if has_open_include(cx) || value.contains('(') {
        return;
    }
    for (directive, why) in needed {
        let key = cx.file.last(*directive);
        let is_tuple = key.and_then(|k| literal(cx, k)).is_some_and(|v| v.replace(' ', "") == "tuple()");
        if !is_given(cx, *directive) || is_tuple {
            let message = format!("{engine} needs {}: {why}", directive.name());
            let place = key.map_or(entry.entry.args_range(), |k| k.entry.keyword);
            let place = if place.is_empty() { entry.entry.keyword } else { place };
            sink.at(key.unwrap_or(entry), &codes::ENGINE_REQUIREMENT, place, message)
                .remedy(Remedy::Directives(vec![*directive]));
        }
    }
}

fn options_without_engine(cx: &Context<'_>, sink: &mut Sink<'_>) {
    if has_open_include(cx) || has_slip_of(cx, "ENGINE") {
        return;
    }
    let option =
        cx.file.entries.iter().find(|e| e.entry.directive.is_some_and(|d| d.is_engine() && is_given(cx, d)));
    if let Some(entry) = option {
        let message = "without an ENGINE line, ENGINE_* options build nothing; add `ENGINE MergeTree`";
        sink.at(entry, &codes::ENGINE_MISSING, entry.entry.keyword, message.to_owned());
    }
}

fn legacy_keys(cx: &Context<'_>, sink: &mut Sink<'_>) {
    for entry in cx.file.entries.iter().filter(|e| e.entry.valid_here) {
        let Some(directive) = entry.entry.directive else { continue };
        let legacy = matches!(
            directive,
            Directive::PartitionKey
                | Directive::SortingKey
                | Directive::PrimaryKey
                | Directive::SamplingKey
                | Directive::Ttl
        );
        if legacy {
            let name = directive.name();
            let message = format!("{name} is read and builds nothing; write ENGINE_{name}");
            sink.at(entry, &codes::LEGACY_KEY, entry.entry.keyword, message).tags.push(Tag::Deprecated);
        }
    }
}

/// An identifier of a key expression.
struct Word<'t> {
    name: &'t str,
    range: TextRange,
    depth: usize,
    is_call: bool,
}

fn sorting_key(cx: &Context<'_>, sink: &mut Sink<'_>) {
    let Some(entry) = cx.file.last(Directive::EngineSortingKey) else { return };
    if literal(cx, entry).is_none() {
        return;
    }
    let body = entry.entry.body(cx.text(entry));
    let words = words(&body.text);
    let key = &Key { entry, body: &body, words: &words };
    aggregate_calls(sink, key);
    columns(cx, sink, key);
    version_column(cx, sink, key);
}

struct Key<'a> {
    entry: &'a SourcedEntry,
    body: &'a MappedText,
    words: &'a [Word<'a>],
}

fn aggregate_calls(sink: &mut Sink<'_>, key: &Key<'_>) {
    const AGGREGATES: &[&str] =
        &["sum", "count", "avg", "min", "max", "any", "grouparray", "groupuniqarray", "uniq"];
    for word in key.words.iter().filter(|w| w.is_call) {
        let lower = word.name.to_lowercase();
        if AGGREGATES.contains(&lower.strip_suffix("merge").unwrap_or(&lower)) {
            let message = format!(
                "`{}` is an aggregate function, and a sorting key is computed row by row; sort by plain columns",
                word.name
            );
            sink.in_body(key.entry, key.body, &codes::SORTING_KEY, word.range, message);
        }
    }
}

fn columns(cx: &Context<'_>, sink: &mut Sink<'_>, key: &Key<'_>) {
    let Some(entry) = cx.file.last(Directive::Schema) else { return };
    let schema = schema::parse(&entry.entry.body(cx.text(entry)).text);
    // The product looks one call deep; what stands deeper passes.
    for word in key.words.iter().filter(|w| !w.is_call && w.depth <= 1) {
        let column = schema.columns.iter().find(|c| c.name.value == word.name);
        let Some(ty) = column.and_then(|c| c.ty.as_ref()).map(|t| t.value.as_str()) else { continue };
        let name = word.name;
        let message = if ty.to_lowercase().contains("aggregatefunction") {
            format!(
                "`{name}` holds aggregates ({ty}), which have no order; sort by the columns it is grouped by"
            )
        } else if ty.contains("Nullable(") {
            let inside = if word.depth > 0 { ", even inside a function" } else { "" };
            format!(
                "`{name}` is {ty}, and sorting keys refuse nullable columns{inside}; give it a DEFAULT instead of NULL"
            )
        } else {
            continue;
        };
        sink.in_body(key.entry, key.body, &codes::SORTING_KEY, word.range, message);
    }
}

fn version_column(cx: &Context<'_>, sink: &mut Sink<'_>, key: &Key<'_>) {
    let engine = cx.file.last(Directive::Engine).and_then(|e| literal(cx, e));
    if !engine.is_some_and(|e| e.eq_ignore_ascii_case("ReplacingMergeTree")) {
        return;
    }
    let Some(entry) = cx.file.last(Directive::EngineVer) else { return };
    let Some(version) = literal(cx, entry).filter(|v| !v.is_empty()) else { return };
    let name = version.trim_matches('`');
    if let Some(word) = key.words.iter().find(|w| !w.is_call && w.name == name) {
        let message = format!(
            "`{name}` is the version (ENGINE_VER): in the sorting key it makes every version a row of its own, so nothing is replaced; remove it from the key"
        );
        sink.in_body(key.entry, key.body, &codes::SORTING_KEY, word.range, message);
    } else if key.body.text.contains(&*version) {
        let message = format!(
            "`{version}` is not in the sorting key, but its letters are, and the vendor's check takes them for the column; rename the version column"
        );
        sink.at(entry, &codes::VERSION_KEY_SUBSTRING, entry.entry.args_range(), message);
    }
}

/// The identifiers of an expression, strings left out. Linear.
fn words(text: &str) -> Vec<Word<'_>> {
    let (mut out, mut at, mut depth) = (Vec::new(), 0, 0usize);
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let mut len = c.len_utf8();
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '\'' | '"' | '`' => {
                len = rest[1..].find(c).map_or(rest.len(), |n| n + 2);
                if c == '`' && len > 2 {
                    let name = &rest[1..len - 1];
                    out.push(Word { name, range: range(at, at + len), depth, is_call: false });
                }
            }
            c if is_part(c) => {
                len = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                let is_call = rest[len..].trim_start().starts_with('(');
                // `tuple(a, b)` is the key itself, not a call around its columns.
                if is_call && rest[..len].eq_ignore_ascii_case("tuple") && depth == 0 {
                    at += len + rest[len..].find('(').map_or(0, |n| n + 1);
                    continue;
                }
                out.push(Word { name: &rest[..len], range: range(at, at + len), depth, is_call });
            }
            _ => {}
        }
        at += len;
    }
    out
}
