//! Values of directives, whatever the file: missing, outside a closed set, or of a directive that means nothing any
//! more (specification §3.3, §4.1, §5.1).

use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::directive::BlockRule;
use headwater_syntax::{Dialect, Directive, FileKind};

use super::{Context, Diagnostic, Sink, Tag, nearest};
use crate::codes::{self, Severity};

pub(super) fn check(cx: &Context<'_>, sink: &mut Sink<'_>) {
    for entry in cx.file.entries.iter().filter(|e| e.entry.valid_here) {
        let Some(directive) = entry.entry.directive else { continue };
        if obsolete(cx, sink, entry, directive) {
            continue;
        }
        match directive {
            Directive::Token => token(cx, sink, entry),
            Directive::SharedWith => shared_with(cx, sink, entry),
            _ => {
                missing(cx, sink, entry, directive);
                closed_set(cx, sink, entry, directive);
            }
        }
    }
}

/// The entry's value with outer space removed, unless something only the product knows is substituted into it.
pub(super) fn literal(cx: &Context<'_>, entry: &SourcedEntry) -> Option<String> {
    let body = entry.entry.body(cx.text(entry)).text;
    let value = body.trim();
    (!value.contains("{{") && !value.contains('$')).then(|| value.to_owned())
}

/// Whether the directive is given with a value that is not blank.
pub(super) fn is_given(cx: &Context<'_>, directive: Directive) -> bool {
    cx.file.last(directive).is_some_and(|e| !e.entry.body(cx.text(e)).text.trim().is_empty())
}

/// Whether an `INCLUDE` stands in the file that could not be read: what seems to be missing may be in there.
pub(super) fn has_open_include(cx: &Context<'_>) -> bool {
    cx.file.all(Directive::Include).next().is_some()
}

/// Whether a line starts with a misspelling of `name`. It is reported as that, and `name` is not missing.
pub(super) fn has_slip_of(cx: &Context<'_>, name: &str) -> bool {
    cx.file.text().lines().any(|line| {
        let word = line.split_whitespace().next().unwrap_or_default().trim_matches(['\u{feff}', '>']);
        let slip = nearest(word, [name]).is_some() && Directive::named(word).is_none_or(|d| d.name() == name);
        slip && !line.starts_with([' ', '\t'])
    })
}

fn missing(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry, directive: Directive) {
    let e = &entry.entry;
    // Node names, queries and includes have their own rules; free text may be empty.
    let elsewhere = matches!(
        directive,
        Directive::Node | Directive::Sql | Directive::Include | Directive::Settings | Directive::Description
    ) || matches!(
        directive,
        Directive::Tags | Directive::Scope | Directive::Resource | Directive::Filter
    ) || cx.file.dialect == Dialect::Classic
        && matches!(directive, Directive::From | Directive::Test);
    let empty = match &e.block {
        None => e.args.is_empty() && directive.block_rule() != BlockRule::Must,
        Some(block) => {
            let may = directive.block_rule() != BlockRule::No && directive != Directive::Indexes;
            may && block.lost.is_none() && block.lines.iter().all(|l| l.dropped)
        }
    };
    if elsewhere || !empty {
        return;
    }
    let name = directive.name();
    let message = match e.block {
        Some(_) => format!("the {name} block is empty; write its content indented below"),
        None if directive.is_engine() => {
            format!(
                "{name} has no value, which the product refuses; give one, remove the line, or write `{name} \"\"`"
            )
        }
        None => format!("{name} has no value; give one or remove the line"),
    };
    sink.at(entry, &codes::MISSING_VALUE, e.keyword, message);
}

/// A closed set of values, and how sure it is that the product refuses others.
struct Set {
    words: &'static [&'static str],
    certain: bool,
}

const BOOLEANS: &[&str] = &["true", "false", "yes", "no", "on", "off", "1", "0", "t", "f", "y", "n"];

fn set_of(directive: Directive) -> Option<Set> {
    let (words, certain): (&[_], _) = match directive {
        Directive::Backfill => (&["skip"], true),
        Directive::DeploymentMethod => (&["alter"], true),
        Directive::OnDemandCompute => (BOOLEANS, true),
        Directive::ExportWriteStrategy | Directive::ExportStrategy => (&["new", "truncate"], false),
        Directive::ExportFormat | Directive::ImportFormat => (&["csv", "ndjson", "parquet"], false),
        Directive::KafkaAutoOffsetReset => (&["earliest", "latest"], false),
        Directive::KafkaKeyFormat | Directive::KafkaValueFormat => {
            (&["json_without_schema", "json_with_schema", "avro"], false)
        }
        Directive::KafkaStoreRawValue | Directive::KafkaStoreHeaders => (BOOLEANS, false),
        _ => return None,
    };
    Some(Set { words, certain })
}

/// The words of the closed set that a directive takes, if it takes one.
pub(super) fn words_of(directive: Directive) -> &'static [&'static str] {
    set_of(directive).map_or(&[], |set| set.words)
}

fn closed_set(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry, directive: Directive) {
    if entry.entry.args.is_empty() {
        return;
    }
    let Some(value) = literal(cx, entry) else { return };
    let (place, name) = (entry.entry.args_range(), directive.name());
    if directive == Directive::Version {
        if value.parse::<u32>().is_err() {
            let message = format!("`{value}` is no version: VERSION takes a whole number from 0");
            sink.at(entry, &codes::INVALID_VALUE, place, message);
        }
        return;
    }
    let Some(set) = set_of(directive) else { return };
    let word = match directive {
        Directive::ExportWriteStrategy | Directive::ExportStrategy => value.trim_start_matches('@'),
        _ => &value,
    };
    if set.words.iter().any(|w| w.eq_ignore_ascii_case(word)) {
        return;
    }
    let near = nearest(word, set.words.iter().copied().filter(|w| w.len() > 2));
    let hint = near.map_or_else(String::new, |w| format!("; did you mean `{w}`?"));
    let accepts = match set.words {
        words if words.as_ptr() == BOOLEANS.as_ptr() => "`true` or `false`".to_owned(),
        words => list(words),
    };
    let verb = if set.certain { "accepts only" } else { "is documented to take" };
    let message = format!("{name} {verb} {accepts}, not `{value}`{hint}");
    let diagnostic = sink.at(entry, &codes::INVALID_VALUE, place, message).meant(near);
    if !set.certain {
        diagnostic.severity = Severity::Warning;
    }
}

/// `` `a`, `b` or `c` ``.
pub(super) fn list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|w| format!("`{w}`")).collect();
    join(&quoted, "or")
}

/// `a, b and c`, with the given last conjunction.
pub(super) fn join<S: std::borrow::Borrow<str>>(words: &[S], conjunction: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.borrow().to_owned(),
        [init @ .., last] => format!("{} {conjunction} {}", init.join(", "), last.borrow()),
    }
}

fn token(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry) {
    let e = &entry.entry;
    if e.block.is_some() {
        return;
    }
    let text = cx.text(entry);
    let permissions: &[&str] = if cx.kind == FileKind::Pipe { &["READ"] } else { &["READ", "APPEND"] };
    let accepted = list(permissions);
    let message = match e.args.as_slice() {
        [] => format!("TOKEN takes a name and a permission: write `TOKEN name {}`", permissions[0]),
        [name] => {
            let name = &text[*name];
            format!("the token {name} has no permission; write {accepted} behind its name")
        }
        [_, permission, ..] => {
            let word = text[*permission].trim_matches(['"', '\'']);
            let known = permissions.iter().any(|p| p.eq_ignore_ascii_case(word));
            if !cx.is_forward() || word.contains(['{', '$']) || known && e.args.len() == 2 {
                return;
            }
            if e.args.len() == 2 {
                let message = format!("a {} grants {accepted} to a token, not {word}", cx.kind.noun());
                sink.at(entry, &codes::INVALID_TOKEN, *permission, message);
                return;
            }
            "TOKEN takes exactly a name and a permission; put a name with spaces into double quotes"
                .to_owned()
        }
    };
    let place = if e.args.is_empty() { e.keyword } else { e.args_range() };
    sink.at(entry, &codes::INVALID_TOKEN, place, message);
}

fn shared_with(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry) {
    let body = entry.entry.body(cx.text(entry)).text;
    let lost = entry.entry.block.as_ref().is_some_and(|b| b.lost.is_some());
    if !lost && body.split([',', '\n']).all(|name| name.trim().is_empty()) {
        let message = "SHARED_WITH names no workspace; name at least one, or remove the line to stop sharing";
        sink.at(entry, &codes::EMPTY_SHARED_WITH, entry.entry.keyword, message.to_owned());
    }
}

/// Directives that Forward refuses or ignores. True when it reported one: its value no longer matters.
fn obsolete(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry, directive: Directive) -> bool {
    if !cx.is_forward() {
        return false;
    }
    let refused = match directive {
        Directive::Source => "remove the line",
        Directive::KafkaStoreBinaryHeaders => "remove the line; KAFKA_STORE_HEADERS keeps the headers",
        Directive::ImportStrategy => "remove the line: imports always append",
        Directive::KafkaKeyAvroDeserialization => "write `KAFKA_KEY_FORMAT avro` in the data source instead",
        _ => "",
    };
    let ignored = match directive {
        Directive::Version => "deployments keep the versions now",
        Directive::KafkaTargetPartitions => "the product chooses the partitions",
        Directive::ImportService | Directive::ExportService => "the connection says which service it is",
        Directive::ImportExternalDatasource => "external warehouses are no source any more",
        _ => "",
    };
    let name = directive.name();
    let (code, message) = match (refused, ignored) {
        ("", "") => return false,
        ("", why) => (&codes::IGNORED_DIRECTIVE, format!("{name} has no effect: {why}; remove the line")),
        (fix, _) => (&codes::DEPRECATED_DIRECTIVE, format!("{name} is no longer accepted; {fix}")),
    };
    let diagnostic: &mut Diagnostic = sink.at(entry, code, entry.entry.keyword, message);
    diagnostic.tags.push(Tag::Deprecated);
    true
}
