//! Credentials in plain text.

use headwater_syntax::Directive;

use super::super::Sink;
use crate::codes;
use crate::parse::Parsed;

/// Settings whose value opens something (specification §6).
const SECRETS: &[Directive] = &[
    Directive::KafkaSecret,
    Directive::S3Secret,
    Directive::GcsHmacSecret,
    Directive::GcsSecret,
    Directive::GcsServiceAccountCredentialsJson,
    Directive::PgPassword,
];

pub(super) fn check(parsed: &Parsed, sink: &mut Sink<'_>) {
    for directive in SECRETS {
        let Some(entry) = parsed.datafile.last(*directive).filter(|e| e.entry.valid_here) else { continue };
        let body = entry.entry.body(parsed.datafile.source_of(entry));
        let value = body.text.trim().trim_matches(['"', '\'']);
        let is_template = value.contains("{{") || value.contains('$');
        // Credentials of a service account are an object; what is none is reported as that.
        let is_other = *directive == Directive::GcsServiceAccountCredentialsJson && !value.starts_with('{');
        if value.is_empty() || is_template || is_other {
            continue;
        }
        let name = directive.name();
        let message = format!(
            "{name} stands here in plain text, for everybody who can read the repository; write {{{{ tb_secret(\"{}\") }}}} and set the secret in the workspace",
            name.to_lowercase()
        );
        sink.at(entry, &codes::PLAIN_SECRET, entry.entry.keyword, message);
    }
}
