//! Lines, words and blocks: what happens before any directive means something (specification §3, §10 "lexer").

use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::directive::BlockRule;
use headwater_syntax::{Dialect, Directive, FileKind, TextRange, TextSize, range};

use super::{Context, Remedy, Sink, nearest};
use crate::codes;

pub(super) fn check(cx: &Context<'_>, sink: &mut Sink<'_>) {
    if cx.file.text().starts_with('\u{feff}') {
        let message = "the file starts with a byte order mark, which becomes part of the first directive; save it as UTF-8 without BOM";
        sink.push(&codes::BYTE_ORDER_MARK, range(0, 3), message.to_owned());
    }
    // The lines below a `SQL>` are no directives: one message is enough for them all.
    let mut below_fault = false;
    for entry in &cx.file.entries {
        let unknown = entry.entry.directive.is_none();
        if unknown && below_fault {
            continue;
        }
        below_fault = unknown && glued_opener(&cx.text(entry)[entry.entry.keyword]).is_some();
        if let Some(quote) = entry.entry.unclosed_quote {
            let message =
                "this quote is never closed, so the whole line is read as one word; close it or remove it";
            let quote = TextRange::at(quote.start(), TextSize::from(1));
            sink.at(entry, &codes::UNCLOSED_QUOTE, quote, message.to_owned());
            continue;
        }
        keyword(cx, sink, entry);
        block(cx, sink, entry);
        swallowed(cx, sink, entry);
        cut_values(cx, sink, entry);
    }
    ended_early(cx, sink);
    duplicates(cx, sink);
}

/// The directive in a word like `SQL>`.
fn glued_opener(word: &str) -> Option<&str> {
    word.strip_suffix('>').filter(|name| Directive::named(name).is_some())
}

fn keyword(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry) {
    let e = &entry.entry;
    let word = &cx.text(entry)[e.keyword];
    if word.starts_with('\u{feff}') || cx.kind == FileKind::Include && e.directive.is_none() {
        return;
    }
    if let Some(name) = glued_opener(word) {
        let message = format!("`{word}` is read as one word; write `{name} >` with a space to open a block");
        sink.at(entry, &codes::BLOCK_OPENER_SPACE, e.keyword, message);
        return;
    }
    let upper = word.to_ascii_uppercase();
    match (e.directive, e.valid_here) {
        (Some(Directive::Settings), true) => {
            let message = "SETTINGS is not accepted; write ENGINE_SETTINGS".to_owned();
            sink.at(entry, &codes::SETTINGS_DIRECTIVE, e.keyword, message);
        }
        (Some(Directive::Include), _) if cx.is_forward() => {
            let message = "INCLUDE exists in Classic projects only; copy the fragment into this file";
            sink.at(entry, &codes::INCLUDE_NOT_SUPPORTED, e.keyword, message.to_owned());
        }
        (Some(_), true) => {}
        (Some(directive), false) => {
            let message = elsewhere(directive, cx.kind);
            sink.at(entry, &codes::UNKNOWN_DIRECTIVE, e.keyword, message);
        }
        (None, _) if upper == "CACHE" || upper == "ENGINE_SUMMING_COLUMNS" => {
            let instead = if upper == "CACHE" {
                "put {{ cache_ttl('1m') }} into the endpoint's SQL"
            } else {
                "write ENGINE_COLUMNS"
            };
            let message = format!(
                "{upper} is written by SDK generators, and the datafile parser refuses it; {instead}"
            );
            let instead = (upper != "CACHE").then(|| Remedy::Replace("ENGINE_COLUMNS".to_owned()));
            sink.at(entry, &codes::SDK_DIRECTIVE, e.keyword, message).remedy(instead);
        }
        (None, _) => {
            let known = Directive::ALL.iter().filter(|d| d.is_valid_in(cx.kind, cx.file.dialect));
            // Entries come in order, so what follows a full list is never shown.
            let near = if sink.is_full() { None } else { nearest(word, known.map(|d| d.name())) };
            let hint = near.map_or_else(String::new, |name| format!("; did you mean {name}?"));
            let message = format!("{word} is no directive of {} files{hint}", cx.kind.noun());
            sink.at(entry, &codes::UNKNOWN_DIRECTIVE, e.keyword, message).meant(near);
        }
    }
}

fn elsewhere(directive: Directive, here: FileKind) -> String {
    let kinds = [FileKind::Datasource, FileKind::Pipe, FileKind::Connection];
    let homes: Vec<_> =
        kinds.iter().filter(|k| directive.is_valid_in(**k, Dialect::Forward)).map(|k| k.noun()).collect();
    let name = directive.name();
    match homes.as_slice() {
        // Its home refuses it as well.
        _ if directive == Directive::KafkaKeyAvroDeserialization => {
            format!("{name} is no longer accepted; write `KAFKA_KEY_FORMAT avro` in the data source instead")
        }
        [] => format!("{name} exists in Classic projects only"),
        homes => format!("{name} belongs in {} files, not in a {}", homes.join(" and "), here.noun()),
    }
}

fn block(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry) {
    let e = &entry.entry;
    let Some(directive) = e.directive.filter(|_| e.valid_here) else { return };
    match (&e.block, directive.block_rule()) {
        (Some(block), BlockRule::No) => {
            let message = format!("{} takes its value on the same line, not a block", directive.name());
            sink.at(entry, &codes::BLOCK_NOT_ALLOWED, e.keyword.cover(block.opener), message);
        }
        (None, BlockRule::Must) => {
            let message =
                format!("{0} must be a block: write `{0} >` and the text indented below", directive.name());
            sink.at(entry, &codes::BLOCK_REQUIRED, e.keyword, message);
        }
        _ => {}
    }
    if let Some(lost) = e.block.as_ref().and_then(|b| b.lost) {
        let text = &cx.text(entry)[lost];
        let message = format!("`{text}` stands behind `>` and is thrown away; move it to the next line");
        sink.at(entry, &codes::TEXT_AFTER_OPENER, lost, message);
    }
}

/// Lines at column 0 of a block that look like directives: misspelled ones, and those of another file kind.
fn swallowed(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry) {
    let text = cx.text(entry);
    let (Some(block), Some(owner)) = (&entry.entry.block, entry.entry.directive) else { return };
    // A description is prose: words there are words.
    let is_prose = owner == Directive::Description;
    for line in block.lines.iter().filter(|l| !l.dropped) {
        let content = &text[line.range];
        let word = content.split_whitespace().next().unwrap_or_default();
        let shouted = word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c == '>');
        if content.starts_with([' ', '\t']) || !shouted {
            continue;
        }
        let bare = word.trim_end_matches('>');
        let rest = content[word.len()..].trim();
        let place = TextRange::at(line.range.start(), TextSize::of(word));
        if bare != word && Directive::named(bare).is_some() {
            let message =
                format!("`{word}` is read as one word and became part of {}; write `{bare} >`", owner.name());
            sink.at(entry, &codes::BLOCK_OPENER_SPACE, place, message);
            continue;
        }
        let known =
            Directive::ALL.iter().filter(|d| d.is_valid_in(cx.kind, cx.file.dialect)).map(|d| d.name());
        let mut near = None;
        let meant = match Directive::named(bare) {
            // SQL keywords that are also directives elsewhere are SQL here.
            Some(Directive::From | Directive::Settings | Directive::Filter) if owner == Directive::Sql => {
                continue;
            }
            Some(foreign) => format!("{}; indent the line if it is content", elsewhere(foreign, cx.kind)),
            None if is_sql_word(bare) || is_prose => continue,
            None if bare == "CACHE" && rest.chars().all(|c| c.is_ascii_digit()) && !rest.is_empty() => {
                "CACHE is no datafile directive; put {{ cache_ttl('1m') }} into the SQL".to_owned()
            }
            None => match nearest(bare, known) {
                Some(name) => {
                    near = Some(if bare == word { name.to_owned() } else { format!("{name} >") });
                    format!("did you mean {name}?")
                }
                None => continue,
            },
        };
        let message = format!("this line is part of the {} block above: {meant}", owner.name());
        sink.at(entry, &codes::SWALLOWED_DIRECTIVE, place, message).meant(near);
    }
}

/// Words that start lines of SQL and lie near a directive's name.
fn is_sql_word(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "SELECT",
        "FROM",
        "WHERE",
        "GROUP",
        "ORDER",
        "LIMIT",
        "WITH",
        "JOIN",
        "LEFT",
        "RIGHT",
        "INNER",
        "FULL",
        "CROSS",
        "UNION",
        "HAVING",
        "PREWHERE",
        "SETTINGS",
        "FORMAT",
        "AND",
        "NOT",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "END",
        "USING",
        "ARRAY",
        "GLOBAL",
        "ANY",
        "ALL",
        "ASOF",
        "SEMI",
        "ANTI",
        "OUTER",
        "DISTINCT",
        "INTERSECT",
        "EXCEPT",
        "WINDOW",
        "QUALIFY",
        "OFFSET",
        "SAMPLE",
        "FINAL",
        "INTERPOLATE",
        "BETWEEN",
        "NULL",
        "DEFAULT",
        "INDEX",
        "GRANULARITY",
        "DESC",
        "ASC",
        "EXPLAIN",
        "FETCH",
        "FILTER",
        "COUNT",
        "OVER",
        "ON",
    ];
    WORDS.contains(&word)
}

/// `#`, `--` and quotes that change a one-line value behind its author's back.
fn cut_values(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry) {
    let e = &entry.entry;
    let text = cx.text(entry);
    let Some(directive) = e.directive.filter(|_| e.valid_here && e.block.is_none()) else { return };
    if let Some(comment) = e.comment {
        let glued = comment.start() > e.line.start()
            && !text[..comment.start().into()].ends_with(|c: char| c.is_whitespace())
            && !e.args.is_empty();
        if glued || directive == Directive::Description && !e.args.is_empty() {
            let instead = if directive == Directive::Description {
                "use a `DESCRIPTION >` block"
            } else {
                "put the value into double quotes"
            };
            let message =
                format!("`#` starts a comment here, so the value ends before it; to keep it, {instead}");
            sink.at(entry, &codes::HASH_CUTS_VALUE, comment, message);
        }
    }
    // Text and expressions may hold anything; a plain value holds no `--`.
    let plain = !directive.is_engine() && directive != Directive::Description && directive != Directive::Tags;
    if let Some(dashes) = e.args.iter().skip(1).find(|r| plain && text[**r].starts_with("--")) {
        let message =
            format!("`--` is no comment in {}: it becomes part of the value; use `#`", directive.name());
        let place = TextRange::new(dashes.start(), e.args_range().end());
        sink.at(entry, &codes::DASH_COMMENT_IN_VALUE, place, message);
    }
    let joined = e.joined(text);
    let (first, last) = (joined.chars().next(), joined.chars().last());
    let is_quote = |c: Option<char>| matches!(c, Some('"' | '\''));
    let unquoted = directive != Directive::Description && directive != Directive::Token;
    if unquoted && joined.len() > 1 && is_quote(first) && is_quote(last) && first != last {
        let message = "first and last character are different quotes, and both are stripped from the value";
        sink.at(entry, &codes::MISMATCHED_QUOTES, e.args_range(), message.to_owned());
    }
    // Only where the exact text matters: in SQL expressions a space more is nothing.
    let literal = matches!(
        directive,
        Directive::ExportFileTemplate | Directive::ExportBucketUri | Directive::ImportBucketUri
    );
    let source = &text[e.args_range()];
    if literal && joined != source && !is_quote(first) {
        let message = format!(
            "the quoted part splits this value into words, so it becomes `{joined}`; put all of it into double quotes"
        );
        sink.at(entry, &codes::SPACE_AFTER_QUOTE, e.args_range(), message);
    }
}

/// A schema line at column 0 whose name is a directive's: `ttl DateTime,`.
fn ended_early(cx: &Context<'_>, sink: &mut Sink<'_>) {
    for pair in cx.file.entries.windows(2) {
        let [before, after] = pair else { continue };
        let (Some(block), Some(Directive::Schema)) = (&before.entry.block, before.entry.directive) else {
            continue;
        };
        let text = cx.text(before);
        let unfinished =
            block.lines.iter().rfind(|l| !l.dropped).is_some_and(|l| text[l.range].trim_end().ends_with(','));
        let word = &cx.text(after)[after.entry.keyword];
        let lower = word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if before.source == after.source && unfinished && lower && after.entry.directive.is_some() {
            let message = format!(
                "`{word}` at column 0 is read as a directive and ends the SCHEMA block; indent the line"
            );
            sink.at(after, &codes::BLOCK_ENDED_EARLY, after.entry.keyword, message);
        }
    }
}

/// Directives given twice where the last wins. Those that accumulate may repeat; node directives count per node.
fn duplicates(cx: &Context<'_>, sink: &mut Sink<'_>) {
    let nodes = cx.file.nodes();
    let groups = std::iter::once(cx.file.header()).chain(nodes.iter().map(|n| n.entries));
    for group in groups {
        for (n, entry) in group.iter().enumerate() {
            let Some(directive) = entry.entry.directive.filter(|_| entry.entry.valid_here) else { continue };
            let repeats =
                matches!(
                    directive,
                    Directive::Token
                        | Directive::Tags
                        | Directive::SharedWith
                        | Directive::Include
                        | Directive::Node
                ) || matches!(directive, Directive::Scope | Directive::Resource | Directive::Filter);
            let later = group[n + 1..].iter().find(|e| e.entry.directive == Some(directive));
            if let Some(_later) = later.filter(|_| !repeats) {
                let message = format!(
                    "{} is given again below, and the last one counts; remove this one",
                    directive.name()
                );
                sink.at(entry, &codes::DUPLICATE_DIRECTIVE, entry.entry.keyword, message);
            }
        }
    }
}
