//! Connections: the service, and settings that belong to it (specification §6).

use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::{Directive, TextRange, range};

use super::values::{has_open_include, has_slip_of, list, literal};
use super::{Context, Sink, nearest};
use crate::codes::{self, Severity};

pub(super) const TYPES: &[&str] = &["kafka", "s3", "gcs", "gcs_hmac", "dynamodb", "postgres"];

/// Services of the older product. Whether they are still read is not known.
const OLD_TYPES: &[&str] = &["bigquery", "snowflake", "s3_iamrole"];

pub(super) fn check(cx: &Context<'_>, sink: &mut Sink<'_>) {
    if !cx.is_forward() {
        return;
    }
    let Some(entry) = cx.file.last(Directive::Type) else { return missing_type(cx, sink) };
    let Some(service) = literal(cx, entry).filter(|s| !s.is_empty()).map(|s| s.to_lowercase()) else {
        return;
    };
    if TYPES.contains(&&*service) {
        settings(cx, sink, &service);
    } else if !OLD_TYPES.contains(&&*service) {
        let near = nearest(&service, TYPES.iter().copied());
        let hint = match near {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("TYPE is {}", list(TYPES)),
        };
        let message = format!("`{service}` is no service to connect to; {hint}");
        sink.at(entry, &codes::CONNECTION_TYPE, entry.entry.args_range(), message).meant(near);
    }
}

fn missing_type(cx: &Context<'_>, sink: &mut Sink<'_>) {
    if has_open_include(cx) || has_slip_of(cx, "TYPE") {
        return;
    }
    let given = cx.file.entries.iter().find_map(|e| service_of(e.entry.directive?));
    let hint = match given {
        Some(service) => format!("its settings are those of `TYPE {service}`"),
        None => format!("TYPE is {}", list(TYPES)),
    };
    let message = format!("this connection does not say which service it is for; {hint}");
    sink.push(&codes::CONNECTION_TYPE, first_line(cx.file.text()), message);
}

/// The first line that holds something, without its indentation; the start of a blank text.
pub(super) fn first_line(text: &str) -> TextRange {
    if text.trim().is_empty() {
        return TextRange::default();
    }
    let start = text.len() - text.trim_start().len();
    let line = text[start..].lines().next().unwrap_or_default().trim_end();
    range(start, start + line.len())
}

/// Whose setting a directive is.
fn service_of(directive: Directive) -> Option<&'static str> {
    let prefixes =
        [("KAFKA_", "kafka"), ("S3_", "s3"), ("GCS_", "gcs"), ("DYNAMODB_", "dynamodb"), ("PG_", "postgres")];
    prefixes.iter().find(|(prefix, _)| directive.name().starts_with(prefix)).map(|(_, service)| *service)
}

fn settings(cx: &Context<'_>, sink: &mut Sink<'_>, service: &str) {
    // Both kinds of Google credentials are met under either name.
    let family = service.trim_end_matches("_hmac");
    for entry in cx.file.entries.iter().filter(|e| e.entry.valid_here) {
        let Some(directive) = entry.entry.directive else { continue };
        match service_of(directive) {
            Some(owner) if owner != family => {
                let name = directive.name();
                let message = format!(
                    "{name} belongs to `{owner}` connections and does nothing in this `{service}` one; remove it or change TYPE"
                );
                sink.at(entry, &codes::CONNECTION_SETTING, entry.entry.keyword, message);
            }
            Some(_) => value(cx, sink, entry, directive),
            None => {}
        }
    }
}

fn value(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry, directive: Directive) {
    let Some(value) = literal(cx, entry).filter(|v| !v.is_empty()) else { return };
    let words: &[&str] = match directive {
        Directive::KafkaSecurityProtocol => &["SASL_SSL", "PLAINTEXT", "SASL_PLAINTEXT"],
        Directive::KafkaSaslMechanism => &["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
        Directive::KafkaSaslOauthbearerMethod => &["AWS"],
        Directive::GcsServiceAccountCredentialsJson => {
            if !(value.starts_with('{') && value.ends_with('}')) {
                let message = "this is no JSON object: paste the service account's key file, or better a `{{ tb_secret(\"…\") }}`";
                sink.at(entry, &codes::CONNECTION_SETTING, entry.entry.args_range(), message.to_owned());
            }
            return;
        }
        _ => return,
    };
    if words.iter().any(|w| w.eq_ignore_ascii_case(&value)) {
        return;
    }
    let near = nearest(&value, words.iter().copied());
    let hint = near.map_or_else(String::new, |w| format!("; did you mean `{w}`?"));
    let message = format!("{} is documented to take {}, not `{value}`{hint}", directive.name(), list(words));
    // The product's own parser lets any value through.
    sink.at(entry, &codes::CONNECTION_SETTING, entry.entry.args_range(), message).meant(near).severity =
        Severity::Warning;
}
