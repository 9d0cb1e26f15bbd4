//! Where a data source's rows come from: complete sets of settings, one connector per file (specification §4.1).

use headwater_syntax::Directive;
use headwater_syntax::datafile::SourcedEntry;

use super::values::{has_open_include, is_given, join, list, literal};
use super::{Context, Remedy, Sink, nearest};
use crate::codes;

const KAFKA: &[Directive] = &[Directive::KafkaConnectionName, Directive::KafkaTopic, Directive::KafkaGroupId];
const BUCKET: &[Directive] =
    &[Directive::ImportConnectionName, Directive::ImportBucketUri, Directive::ImportSchedule];
const DYNAMODB: &[Directive] =
    &[Directive::ImportConnectionName, Directive::ImportTableArn, Directive::ImportExportBucket];
const POSTGRES: &[Directive] = &[Directive::PgConnectionName, Directive::PgTable];

pub(super) fn check(cx: &Context<'_>, sink: &mut Sink<'_>) {
    let uses_dynamodb = DYNAMODB[1..].iter().any(|d| cx.file.last(*d).is_some());
    if !has_open_include(cx) {
        complete(cx, sink, "Kafka", KAFKA);
        // In Classic these name the warehouse or the service, and each has its own set of settings.
        let classic_service =
            [Directive::ImportService, Directive::ImportExternalDatasource, Directive::ImportQuery];
        if cx.is_forward() || classic_service.iter().all(|d| cx.file.last(*d).is_none()) {
            match uses_dynamodb {
                true => complete(cx, sink, "DynamoDB", DYNAMODB),
                false => complete(cx, sink, "S3 or GCS", BUCKET),
            }
        }
        complete(cx, sink, "Postgres", POSTGRES);
    }
    mixed(cx, sink);
    if let Some(schedule) = cx.file.last(Directive::ImportSchedule).filter(|_| !uses_dynamodb) {
        import_schedule(cx, sink, schedule);
    }
}

/// The first line that belongs to a connector.
fn first<'a>(cx: &'a Context<'_>, settings: &[Directive]) -> Option<&'a SourcedEntry> {
    cx.file
        .entries
        .iter()
        .find(|e| e.entry.directive.is_some_and(|d| e.entry.valid_here && settings.contains(&d)))
}

fn complete(cx: &Context<'_>, sink: &mut Sink<'_>, service: &str, settings: &[Directive]) {
    let Some(first) = first(cx, settings) else { return };
    let inline = !cx.is_forward() && is_given(cx, Directive::KafkaBootstrapServers);
    let is_there = |d: Directive| is_given(cx, d) || inline && d == Directive::KafkaConnectionName;
    let missing: Vec<_> = settings.iter().copied().filter(|d| !is_there(*d)).collect();
    if missing.is_empty() {
        return;
    }
    let names = join(&missing.iter().map(|d| d.name()).collect::<Vec<_>>(), "and");
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let message =
        format!("{names} {verb} missing or blank: to read from {service}, give all its settings, or none");
    // What is there and blank is for people to fill.
    let lacks = missing.iter().all(|d| cx.file.last(*d).is_none());
    sink.at(first, &codes::INCOMPLETE_CONNECTOR, first.entry.keyword, message)
        .remedy(lacks.then_some(Remedy::Directives(missing)));
}

fn mixed(cx: &Context<'_>, sink: &mut Sink<'_>) {
    let import: Vec<_> = BUCKET.iter().chain(DYNAMODB).copied().collect();
    let connectors = [("Kafka", KAFKA), ("an import", &import), ("Postgres", POSTGRES)];
    let mut found: Vec<_> =
        connectors.iter().filter_map(|(name, settings)| Some((*name, first(cx, settings)?))).collect();
    let place = |e: &SourcedEntry| cx.file.entries.iter().position(|other| std::ptr::eq(other, e));
    found.sort_by_key(|(_, e)| place(e));
    let Some(((owner, _), others)) = found.split_first() else { return };
    for (name, entry) in others {
        let message =
            format!("this data source reads from {owner} already; move {name} to a data source of its own");
        sink.at(entry, &codes::MIXED_CONNECTORS, entry.entry.keyword, message);
    }
}

fn import_schedule(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry) {
    const WORDS: &[&str] = &["@auto", "@on-demand", "@once"];
    let Some(value) = literal(cx, entry).filter(|v| !v.is_empty()) else { return };
    let is_cron = (5..=6).contains(&value.split_whitespace().count());
    if WORDS.contains(&&*value) || !cx.is_forward() && (is_cron || value.starts_with('@')) {
        return;
    }
    let near = nearest(&value, WORDS.iter().copied()).filter(|_| cx.is_forward());
    let message = if cx.is_forward() {
        let hint = match near {
            Some(word) => format!("did you mean `{word}`?"),
            None if is_cron => "cron expressions belong to COPY_SCHEDULE and EXPORT_SCHEDULE".to_owned(),
            None => "`@auto` imports new objects as they arrive".to_owned(),
        };
        format!("IMPORT_SCHEDULE takes {}, not `{value}`; {hint}", list(WORDS))
    } else {
        format!("IMPORT_SCHEDULE takes `@auto`, `@on-demand` or a cron expression, not `{value}`")
    };
    sink.at(entry, &codes::IMPORT_SCHEDULE, entry.entry.args_range(), message).meant(near);
}
