//! Words that a directive accepts, for editors that offer them: the same lists that the checks hold against.

use headwater_syntax::{Directive, FileKind};

use super::{connection, engine, node, schedule, values};

/// The words that `directive` accepts in a file of this kind, the usual ones first; empty where any text may stand.
pub fn accepted_words(directive: Directive, kind: FileKind) -> Vec<&'static str> {
    match directive {
        Directive::Engine => engine::ENGINES.to_vec(),
        Directive::Type if kind == FileKind::Connection => connection::TYPES.to_vec(),
        Directive::Type => node::TYPES.to_vec(),
        Directive::CopyMode | Directive::Mode => vec!["append", "replace"],
        Directive::CopySchedule | Directive::ExportSchedule => schedule::ALIASES.to_vec(),
        Directive::ImportSchedule => vec!["@auto", "@on-demand", "@once"],
        Directive::KafkaSecurityProtocol => vec!["SASL_SSL", "PLAINTEXT", "SASL_PLAINTEXT"],
        Directive::KafkaSaslMechanism => vec!["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
        Directive::ExportCompression => vec!["none", "gz", "zstd", "snappy", "br", "lz4", "bz2", "xz"],
        _ => values::words_of(directive).iter().copied().filter(|w| w.len() > 2).collect(),
    }
}
