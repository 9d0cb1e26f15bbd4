//! Values of directives: words of closed sets, names of the project, keys over the file's columns.

use headwater_analysis::syntax::schema;
use headwater_analysis::{
    Db, Directive, File, FileKind, TextSize, accepted_words, access, interface, names, semantics,
};
use headwater_catalog::Tier;

use super::sql::{self, Scope};
use super::{CompletionKind, Items, functions, tables, template};
use crate::cursor::{Cursor, MARKER};

/// Directives whose values are words of a closed set. Kept here so that a test can hold it against what the analysis
/// accepts.
pub const DECLARED_SETS: &[Directive] = &[
    Directive::Engine,
    Directive::Type,
    Directive::CopyMode,
    Directive::CopySchedule,
    Directive::ExportSchedule,
    Directive::ImportSchedule,
    Directive::ExportFormat,
    Directive::ImportFormat,
    Directive::KafkaAutoOffsetReset,
    Directive::KafkaKeyFormat,
    Directive::KafkaValueFormat,
    Directive::KafkaSecurityProtocol,
    Directive::KafkaSaslMechanism,
    Directive::DeploymentMethod,
    Directive::Backfill,
];

#[allow(clippy::too_many_arguments)]
pub(super) fn complete(
    db: &dyn Db,
    file: File,
    cursor: &Cursor,
    directive: Directive,
    argument: usize,
    (text, at): (&str, TextSize),
    out: &mut Items,
) {
    if template::complete(db, file, cursor, (text, at), out) {
        return;
    }
    let project = file.project(db);
    match directive {
        Directive::Datasource | Directive::TargetDatasource if argument == 0 => {
            whole_value(cursor, (text, at), out);
            tables::targets(db, file, cursor.node, out);
            tables::missing(db, file, out);
        }
        Directive::KafkaConnectionName => connections(db, file, "kafka", (text, at), cursor, out),
        Directive::ImportConnectionName => connections(db, file, "", (text, at), cursor, out),
        Directive::PgConnectionName => connections(db, file, "postgres", (text, at), cursor, out),
        Directive::ExportConnectionName => connections(db, file, "", (text, at), cursor, out),
        Directive::Token if argument == 0 => {
            let mut tokens: Vec<_> = access::grants(db, project).keys().cloned().collect();
            tokens.sort();
            for token in tokens.iter().filter(|t| !t.contains(MARKER)) {
                out.add(token.clone(), CompletionKind::Token, 500).origin("static token");
            }
        }
        Directive::Token => {
            out.add("READ", CompletionKind::Value, 500).detail("reads the rows");
            if cursor.marked.kind == FileKind::Datasource {
                out.add("APPEND", CompletionKind::Value, 510).detail("appends rows");
            }
        }
        Directive::EngineSortingKey
        | Directive::EnginePrimaryKey
        | Directive::EnginePartitionKey
        | Directive::EngineSamplingKey
        | Directive::EngineTtl
        | Directive::EngineVer
        | Directive::EngineIsDeleted
        | Directive::EngineColumns
        | Directive::EngineSign
        | Directive::EngineVersion => key(db, file, directive, (text, at), out),
        Directive::EngineSettings => engine_settings((text, at), out),
        Directive::ForwardQuery => {
            let scope = Scope::of_table(db, &own_columns(cursor));
            sql::in_expression(&scope, (text, at), out);
        }
        Directive::Indexes | Directive::Indices => indexes(db, cursor, (text, at), out),
        Directive::SharedWith | Directive::Tags => {
            let mut known: Vec<String> = project
                .files(db)
                .iter()
                .filter(|other| **other != file)
                .filter_map(|other| interface(db, *other).as_ref())
                .flat_map(|face| face.shared_with.iter().cloned())
                .collect();
            known.sort();
            known.dedup();
            for name in known.into_iter().filter(|_| directive == Directive::SharedWith) {
                out.add(name, CompletionKind::Value, 500).origin("workspace");
            }
        }
        _ => words(directive, cursor, (text, at), out),
    }
}

/// Replaces from the start of a value that may hold `-`, `@` and dots.
fn whole_value(cursor: &Cursor, (text, at): (&str, TextSize), out: &mut Items) {
    let before = &text[..usize::from(at)];
    let start =
        before.rfind(|c: char| c.is_whitespace() || matches!(c, ',' | '"' | '\'')).map_or(0, |n| n + 1);
    let typed = TextSize::of(&before[start..]);
    out.replace = headwater_analysis::TextRange::new(cursor.offset - typed, cursor.offset);
}

fn words(directive: Directive, cursor: &Cursor, body: (&str, TextSize), out: &mut Items) {
    whole_value(cursor, body, out);
    let words = accepted_words(directive, cursor.marked.kind);
    for (n, word) in words.iter().enumerate() {
        let relevance = 600 - u16::try_from(n).unwrap_or(u16::MAX).min(100);
        let item = out.add(*word, CompletionKind::Value, relevance);
        if directive == Directive::Engine {
            item.doc(format!("engine:{word}"));
        } else if *word == "@on-demand" {
            item.detail("runs when somebody asks for it");
        }
    }
    if matches!(directive, Directive::CopySchedule | Directive::ExportSchedule) {
        for cron in ["*/5 * * * *", "*/15 * * * *", "0 * * * *", "0 3 * * *", "0 0 * * 1", "0 0 1 * *"] {
            let detail = crate::cron::in_words(cron).unwrap_or_default();
            out.add(cron, CompletionKind::Value, 450).detail(detail);
        }
    }
}

fn connections(
    db: &dyn Db,
    file: File,
    service: &str,
    body: (&str, TextSize),
    cursor: &Cursor,
    out: &mut Items,
) {
    whole_value(cursor, body, out);
    let names = names(db, file.project(db));
    let mut list: Vec<_> = names.connections.iter().collect();
    list.sort_by_key(|(name, _)| (*name).clone());
    for (name, files) in list {
        let face = files.first().and_then(|f| interface(db, *f).as_ref());
        let of = face.and_then(|f| f.service.clone()).unwrap_or_default();
        // A connection of another service is refused; one that does not say its service may be meant.
        if !service.is_empty() && !of.is_empty() && of != service {
            continue;
        }
        let is_kafka_only = service.is_empty() && of == "kafka" && cursor.marked.kind == FileKind::Datasource;
        let item = out.add(name.clone(), CompletionKind::Connection, if is_kafka_only { 300 } else { 600 });
        item.doc(format!("connection:{name}"));
        if !of.is_empty() {
            item.detail(of);
        }
    }
}

/// The columns of the file's schema, as the marked text has them.
pub(super) fn own_columns(cursor: &Cursor) -> Vec<(String, String)> {
    let Some(entry) = cursor.marked.last(Directive::Schema) else { return Vec::new() };
    let body = entry.entry.body(cursor.marked.source_of(entry)).text;
    let columns = schema::parse(&body).columns.into_iter();
    columns
        .filter(|c| !c.name.value.contains(MARKER))
        .map(|c| (c.name.value, c.ty.map(|t| t.value).unwrap_or_default()))
        .collect()
}

fn key(db: &dyn Db, file: File, directive: Directive, (text, at): (&str, TextSize), out: &mut Items) {
    let relation = semantics::relation(db, file);
    // A column twice in a key is of no use.
    let used: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    let before = text[..usize::from(at)].trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
    let in_call = before.trim_end().ends_with('(') && before.trim_end().len() > 1;
    for (n, column) in relation.columns.iter().enumerate() {
        let Some(name) = &column.name else { continue };
        if used.contains(&name.as_str()) && directive != Directive::EngineTtl {
            continue;
        }
        let ty = column.ty.as_ref().map(ToString::to_string).unwrap_or_default();
        let suits = match directive {
            Directive::EngineTtl | Directive::EnginePartitionKey => ty.contains("Date"),
            Directive::EngineSign => ty == "Int8",
            Directive::EngineIsDeleted => ty == "UInt8",
            Directive::EngineVer | Directive::EngineVersion => ty.starts_with("UInt") || ty.contains("Date"),
            Directive::EngineColumns => ty.contains("Int") || ty.contains("Float") || ty.contains("Decimal"),
            _ => {
                !ty.starts_with("Nullable")
                    && !ty.starts_with("Array")
                    && !ty.starts_with("AggregateFunction")
            }
        };
        let order = u16::try_from(n).unwrap_or(u16::MAX).min(90);
        out.add(name.clone(), CompletionKind::Column, if suits { 700 - order } else { 300 - order })
            .detail(ty);
    }
    let templates: &[(&str, &str)] = match directive {
        Directive::EnginePartitionKey if !in_call => &[
            ("toYYYYMM(…)", "toYYYYMM(${1:timestamp})"),
            ("toDate(…)", "toDate(${1:timestamp})"),
            ("toMonday(…)", "toMonday(${1:timestamp})"),
            ("toYear(…)", "toYear(${1:timestamp})"),
        ],
        Directive::EngineTtl if !in_call => {
            &[("… + toIntervalDay(…)", "toDateTime(${1:timestamp}) + toIntervalDay(${2:90})")]
        }
        Directive::EngineSortingKey if before.trim().is_empty() => &[("tuple()", "tuple()")],
        _ => &[],
    };
    for (label, snippet) in templates {
        out.add(*label, CompletionKind::Snippet, 620).snippet(*snippet);
    }
    let is_expression = !matches!(
        directive,
        Directive::EngineVer | Directive::EngineIsDeleted | Directive::EngineColumns | Directive::EngineSign
    );
    if is_expression && !out_word(text, at).is_empty() {
        functions::add(out_word(text, at), functions::Wanted::Scalar, out);
    }
}

/// The word that is being typed.
fn out_word(text: &str, at: TextSize) -> &str {
    let before = &text[..usize::from(at)];
    let start = before
        .rfind(|c: char| !crate::tokens::is_word_char(c))
        .map_or(0, |n| n + before[n..].chars().next().map_or(1, char::len_utf8));
    &before[start..]
}

fn engine_settings((text, at): (&str, TextSize), out: &mut Items) {
    let before = &text[..usize::from(at)];
    let part = before.rsplit(',').next().unwrap_or_default();
    if let Some((name, _)) = part.split_once('=') {
        if let Some(setting) = headwater_catalog::merge_tree_setting(name.trim()) {
            out.add(setting.default.clone(), CompletionKind::Value, 500)
                .detail(format!("default; {}", setting.ty));
        }
        return;
    }
    for setting in headwater_catalog::merge_tree_settings() {
        if setting.tier == Tier::Obsolete || setting.alias_for.is_some() {
            continue;
        }
        let common =
            ["index_granularity", "allow_nullable_key", "ttl_only_drop_parts", "min_bytes_for_wide_part"];
        let relevance = if common.contains(&setting.name) { 600 } else { 400 };
        out.add(setting.name, CompletionKind::Setting, relevance)
            .detail(format!("{} = {}", setting.ty, setting.default))
            .doc(format!("mergetree:{}", setting.name))
            .insert(format!("{}=", setting.name));
    }
}

/// `name expression TYPE type GRANULARITY n`
fn indexes(db: &dyn Db, cursor: &Cursor, (text, at): (&str, TextSize), out: &mut Items) {
    let line = text[..usize::from(at)].rsplit('\n').next().unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    let done = if line.ends_with(char::is_whitespace) { words.len() } else { words.len().saturating_sub(1) };
    let last = done.checked_sub(1).and_then(|n| words.get(n)).copied().unwrap_or_default();
    if last.eq_ignore_ascii_case("TYPE") {
        for (name, snippet) in [
            ("minmax", "minmax"),
            ("set", "set(${1:100})"),
            ("bloom_filter", "bloom_filter(${1:0.01})"),
            ("ngrambf_v1", "ngrambf_v1(${1:4}, ${2:1024}, ${3:1}, ${4:0})"),
            ("tokenbf_v1", "tokenbf_v1(${1:8192}, ${2:3}, ${3:0})"),
        ] {
            out.add(name, CompletionKind::Value, 600).snippet(snippet).doc(format!("index:{name}"));
        }
        return;
    }
    if last.eq_ignore_ascii_case("GRANULARITY") {
        for n in ["1", "4"] {
            out.add(n, CompletionKind::Value, 500);
        }
        return;
    }
    if done >= 1 {
        let scope = Scope::of_table(db, &own_columns(cursor));
        sql::in_expression(&scope, (text, at), out);
    }
    if done >= 2 {
        out.add("TYPE", CompletionKind::Keyword, 800).insert("TYPE ");
        out.add("GRANULARITY", CompletionKind::Keyword, 790).insert("GRANULARITY ");
    }
}
