//! Names of directives: those that are valid here and not given yet, in the order in which files are written.

use headwater_analysis::syntax::directive::BlockRule;
use headwater_analysis::{Dialect, Directive, FileKind};

use super::{CompletionKind, Items};
use crate::cursor::{Cursor, MARKER};

/// Directives that may be given more than once in their part of the file.
const REPEATED: &[Directive] = &[
    Directive::Token,
    Directive::Node,
    Directive::Sql,
    Directive::Description,
    Directive::Type,
    Directive::Include,
];

pub(super) fn complete(cursor: &Cursor, inside: Option<Directive>, out: &mut Items) {
    let (kind, dialect) = (cursor.marked.kind, cursor.marked.dialect);
    let entries = &cursor.marked.entries;
    let own = |e: &&headwater_analysis::syntax::datafile::SourcedEntry| {
        !cursor.marked.source_of(e)[e.entry.keyword].contains(MARKER)
    };
    let given: Vec<Directive> = match (kind, cursor.node) {
        (FileKind::Pipe, Some(node)) => {
            let nodes = cursor.marked.nodes();
            let node = nodes.get(node).map_or(&[][..], |n| n.entries);
            node.iter().filter(own).filter_map(|e| e.entry.directive).collect()
        }
        (FileKind::Pipe, None) => {
            cursor.marked.header().iter().filter(own).filter_map(|e| e.entry.directive).collect()
        }
        _ => entries.iter().filter(own).filter_map(|e| e.entry.directive).collect(),
    };
    let node_type = cursor.node.and_then(|n| cursor.marked.nodes().get(n).and_then(|n| n.node_type()));
    let service = cursor.marked.value(Directive::Type).map(|t| t.to_lowercase());
    for directive in Directive::ALL {
        if !directive.is_valid_in(kind, dialect) || is_refused(*directive, dialect) {
            continue;
        }
        let is_given = given.contains(directive);
        if is_given
            && !(REPEATED.contains(directive) && *directive != Directive::Sql && kind == FileKind::Pipe)
            && !matches!(directive, Directive::Token)
        {
            continue;
        }
        let Some(relevance) =
            relevance(*directive, kind, cursor.node, &given, node_type.as_deref(), service.as_deref())
        else {
            continue;
        };
        // Right below a block its continuation is likelier than its end.
        let relevance = if inside.is_some() { relevance.saturating_sub(200) } else { relevance };
        let item = out.add(directive.name(), CompletionKind::Directive, relevance);
        item.doc(format!("directive:{}", directive.name()));
        item.detail(first_sentence(directive.help()));
        let block = match directive.block_rule() {
            BlockRule::Must => true,
            BlockRule::May => {
                matches!(directive, Directive::Schema | Directive::Indexes | Directive::Description)
            }
            BlockRule::No => false,
        };
        if block {
            item.snippet(format!("{} >\n    $0", directive.name()));
        } else {
            item.insert(format!("{} ", directive.name()));
            item.continues = true;
        }
    }
    if kind == FileKind::Pipe && cursor.node.is_none_or(|_| given.contains(&Directive::Sql)) {
        out.add("NODE … SQL", CompletionKind::Snippet, 650)
            .detail("a new node with its query")
            .snippet("NODE ${1:name}\nSQL >\n    ${0:SELECT 1}\n");
    }
}

/// The first sentence of a help text.
fn first_sentence(help: &str) -> &str {
    help.split_once(". ").map_or(help, |(first, _)| first).trim_end_matches('.')
}

/// What the current product refuses or ignores is not offered in Forward; neither is what only old files have.
fn is_refused(directive: Directive, dialect: Dialect) -> bool {
    let help = directive.help();
    dialect == Dialect::Forward
        && ["Legacy", "Deprecated", "Not accepted", "Refused", "Classic"].iter().any(|w| help.starts_with(w))
}

/// How likely a directive comes next; `None` where it has no meaning.
fn relevance(
    directive: Directive,
    kind: FileKind,
    node: Option<usize>,
    given: &[Directive],
    node_type: Option<&str>,
    service: Option<&str>,
) -> Option<u16> {
    let name = directive.name();
    let base: u16 = 400;
    match kind {
        FileKind::Datasource => {
            let kafka = given.iter().any(|d| d.name().starts_with("KAFKA"));
            let import = given.iter().any(|d| d.name().starts_with("IMPORT"));
            Some(match directive {
                Directive::Schema => 700,
                Directive::Engine => 690,
                Directive::EngineSortingKey => 680,
                Directive::EnginePartitionKey => 670,
                Directive::EngineTtl => 660,
                Directive::Description => 655,
                Directive::Token => 640,
                _ if name.starts_with("KAFKA") => {
                    base + if kafka { 230 } else { 0 } - if import { 200 } else { 0 }
                }
                _ if name.starts_with("IMPORT") => {
                    base + if import { 230 } else { 0 } - if kafka { 200 } else { 0 }
                }
                Directive::ForwardQuery => 500,
                _ => base,
            })
        }
        FileKind::Pipe if node.is_none() => match directive {
            Directive::Node => Some(700),
            Directive::Description
            | Directive::Token
            | Directive::Tags
            | Directive::Version
            | Directive::Include => Some(600),
            Directive::Maintainer => Some(base),
            _ => None,
        },
        FileKind::Pipe => match directive {
            Directive::Sql => Some(700),
            Directive::Description => (!given.contains(&Directive::Description)).then_some(600),
            Directive::Type if given.contains(&Directive::Type) => None,
            Directive::Type => Some(690),
            Directive::Node => Some(680),
            Directive::Datasource | Directive::DeploymentMethod => {
                (node_type == Some("materialized")).then_some(695)
            }
            Directive::TargetDatasource
            | Directive::CopyMode
            | Directive::CopySchedule
            | Directive::OnDemandCompute => (node_type == Some("copy")).then_some(695),
            Directive::Mode => (node_type == Some("copy")).then_some(base),
            _ if name.starts_with("EXPORT") => (node_type == Some("sink")).then_some(695),
            Directive::Token | Directive::Tags => None,
            _ => Some(base - 100),
        },
        FileKind::Connection => {
            let fits = match service {
                None => true,
                Some("kafka") => name.starts_with("KAFKA"),
                Some("s3" | "s3_iamrole" | "s3compatible") => name.starts_with("S3"),
                Some("gcs" | "gcs_hmac") => name.starts_with("GCS"),
                Some("dynamodb") => name.starts_with("DYNAMODB") || name.starts_with("S3"),
                Some("postgres" | "postgresql") => name.starts_with("PG") || name.starts_with("POSTGRES"),
                Some(_) => true,
            };
            let is_general =
                matches!(directive, Directive::Type | Directive::Description | Directive::Include);
            match (is_general, fits) {
                (true, _) => Some(if directive == Directive::Type { 700 } else { 500 }),
                (false, true) => Some(600),
                (false, false) => None,
            }
        }
        FileKind::Include | FileKind::Token => Some(base),
    }
}
