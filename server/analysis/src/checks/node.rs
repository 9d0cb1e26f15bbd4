//! Nodes of a pipe: names, types, and which directives each type takes (specification §5.1, §5.6).

use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::template::{self, Piece};
use headwater_syntax::{Directive, FileKind, NodeView, TextRange, TextSize};
use rustc_hash::FxHashMap;

use super::{Context, Remedy, Sink, nearest, schedule};
use crate::codes;

/// Types of nodes.
pub(super) const TYPES: &[&str] = &["endpoint", "materialized", "copy", "sink", "standard"];

pub(super) fn check(cx: &Context<'_>, sink: &mut Sink<'_>) {
    let nodes = cx.file.nodes();
    header(cx, sink, nodes.is_empty());
    names(cx, sink, &nodes);
    let mut typed: Option<&NodeView<'_>> = None;
    for node in &nodes {
        query(cx, sink, node);
        let Some(kind) = kind_of(cx, sink, node) else { continue };
        attributes(cx, sink, node, kind);
        if kind == Kind::Sink {
            sink_variant(cx, sink, node);
        }
        required(cx, sink, node, kind);
        values(cx, sink, node);
        if kind == Kind::Standard {
            continue;
        }
        match typed {
            Some(first) => second_type(cx, sink, first, node),
            None => typed = Some(node),
        }
    }
}

/// What a node can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Standard,
    Endpoint,
    Materialized,
    Copy,
    Sink,
    /// Accepted by the product and described nowhere.
    Stream,
}

impl Kind {
    fn named(word: &str) -> Option<Self> {
        Some(match word.to_lowercase().as_str() {
            "standard" => Self::Standard,
            "endpoint" => Self::Endpoint,
            "materialized" => Self::Materialized,
            "copy" => Self::Copy,
            "sink" => Self::Sink,
            "stream" => Self::Stream,
            _ => return None,
        })
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Endpoint => "endpoint",
            Self::Materialized => "materialized",
            Self::Copy => "copy",
            Self::Sink => "sink",
            Self::Stream => "stream",
        }
    }
}

/// The type whose nodes take `directive`, for directives that belong to one type.
fn home(directive: Directive) -> Option<Kind> {
    use Directive as D;
    Some(match directive {
        D::Datasource | D::DeploymentMethod => Kind::Materialized,
        D::TargetDatasource | D::CopySchedule | D::CopyMode | D::Mode | D::OnDemandCompute => Kind::Copy,
        D::ExportConnectionName
        | D::ExportSchedule
        | D::ExportBucketUri
        | D::ExportFileTemplate
        | D::ExportFormat
        | D::ExportCompression
        | D::ExportWriteStrategy
        | D::ExportStrategy
        | D::ExportKafkaTopic => Kind::Sink,
        d if d.is_engine() => Kind::Materialized,
        _ => return None,
    })
}

/// An `INCLUDE` that was not spliced in may hold anything.
fn is_incomplete(entries: &[SourcedEntry]) -> bool {
    entries.iter().any(|e| e.entry.directive == Some(Directive::Include))
}

fn header(cx: &Context<'_>, sink: &mut Sink<'_>, no_nodes: bool) {
    let header = cx.file.header();
    if is_incomplete(header) {
        return;
    }
    let mut reported = false;
    for entry in header.iter().filter(|e| e.entry.valid_here) {
        let Some(directive) = entry.entry.directive else { continue };
        let of_node = matches!(directive, Directive::Sql | Directive::Type)
            || home(directive).is_some_and(|_| !directive.is_engine());
        if of_node {
            let message = format!(
                "{0} belongs to a node, and no NODE stands before it; write `NODE name` above it",
                directive.name()
            );
            sink.at(entry, &codes::DIRECTIVE_BEFORE_NODE, entry.entry.keyword, message);
            reported = true;
        }
    }
    if no_nodes && !reported {
        let message = "this pipe has no node; add `NODE name` and `SQL >` with a query below it".to_owned();
        match header.first() {
            Some(entry) => sink.at(entry, &codes::NO_NODES, entry.entry.keyword, message),
            None => sink.push(&codes::NO_NODES, TextRange::empty(TextSize::from(0)), message),
        };
    }
}

fn names(cx: &Context<'_>, sink: &mut Sink<'_>, nodes: &[NodeView<'_>]) {
    let mut first: FxHashMap<String, &SourcedEntry> = FxHashMap::default();
    for node in nodes {
        let header = node.header();
        if header.entry.block.is_some() {
            continue;
        }
        let Some(name) = node.name().filter(|n| !n.value.is_empty()) else {
            let message = "this node has no name; write `NODE name`".to_owned();
            sink.at(header, &codes::MISSING_NODE_NAME, header.entry.keyword, message);
            continue;
        };
        if name.value == cx.stem {
            let message = format!(
                "the pipe itself is called `{}` (after its file); give the node another name",
                name.value
            );
            sink.at(header, &codes::NODE_NAMED_LIKE_PIPE, name.range, message);
        }
        match first.get(&name.value) {
            Some(other) => {
                let message = format!(
                    "node `{}` is already defined {}; rename one of them",
                    name.value,
                    place_of(cx, other)
                );
                sink.at(header, &codes::DUPLICATE_NODE, name.range, message);
            }
            None => {
                first.insert(name.value, header);
            }
        }
    }
}

fn place_of(cx: &Context<'_>, entry: &SourcedEntry) -> String {
    if entry.source > 0 {
        return "in an included file".to_owned();
    }
    let before = &cx.file.text()[..usize::from(entry.entry.line.start())];
    format!("in line {}", headwater_syntax::line::lines(before).count() + 1)
}

fn query(cx: &Context<'_>, sink: &mut Sink<'_>, node: &NodeView<'_>) {
    let header = node.header();
    let Some(entry) = node.last(Directive::Sql) else {
        let slip = |e: &SourcedEntry| {
            let word = cx.text(e)[e.entry.keyword].trim_end_matches('>');
            e.entry.directive.is_none() && nearest(word, ["SQL"]).is_some()
        };
        if !is_incomplete(node.entries) && !node.entries.iter().any(slip) {
            let message =
                format!("{} has no query; add `SQL >` with a SELECT indented below it", called(node));
            let place = node.name().map_or(header.entry.keyword, |n| n.range);
            sink.at(header, &codes::MISSING_SQL, place, message);
        }
        return;
    };
    let Some((_, sql)) = node.sql() else { return };
    let text = sql.text.trim();
    let message = if text.is_empty() {
        format!("the SQL block of {} is empty; indent a SELECT below it", called(node))
    } else if text.strip_prefix('%').is_some_and(renders_to_nothing) {
        format!("the template of {} never prints anything; write a SELECT below the `%`", called(node))
    } else {
        return;
    };
    sink.at(entry, &codes::MISSING_SQL, entry.entry.keyword, message);
}

/// Whether a template prints no text whatever its parameters are.
fn renders_to_nothing(text: &str) -> bool {
    // What stands before all tags is always printed, and nearly always there is something.
    if text.split('{').next().is_some_and(|start| !start.trim().is_empty()) {
        return false;
    }
    let tree = template::parse(text);
    let mut prints = !tree.errors.is_empty();
    tree.walk(&mut |piece| prints |= matches!(piece, Piece::Output { .. }));
    let blank = |v: &headwater_template::Variant| v.text.trim().is_empty();
    !prints && headwater_template::variants(text, &tree).is_some_and(|all| all.iter().all(blank))
}

fn called(node: &NodeView<'_>) -> String {
    node.name().map_or_else(|| "this node".to_owned(), |n| format!("node `{}`", n.value))
}

/// The node's type; `None`, reported where that is certain, when it is none that exists.
fn kind_of(cx: &Context<'_>, sink: &mut Sink<'_>, node: &NodeView<'_>) -> Option<Kind> {
    let Some(entry) = node.last(Directive::Type) else {
        return (!is_incomplete(node.entries)).then_some(Kind::Standard);
    };
    let value = entry.entry.value(cx.text(entry)).filter(|v| !v.is_empty() && !v.contains('$'))?;
    let kind = Kind::named(&value);
    if kind.is_none() {
        let near = nearest(&value, TYPES.iter().copied());
        let hint = near.map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
        let message =
            format!("`{value}` is no node type; there are endpoint, materialized, copy and sink{hint}");
        sink.at(entry, &codes::UNKNOWN_NODE_TYPE, entry.entry.args_range(), message).meant(near);
    }
    kind
}

fn second_type(cx: &Context<'_>, sink: &mut Sink<'_>, first: &NodeView<'_>, node: &NodeView<'_>) {
    let Some(entry) = node.last(Directive::Type) else { return };
    let message = format!(
        "{} ({}) already has a type, and only one node of a pipe can; move this node to a pipe of its own",
        called(first),
        place_of(cx, first.header())
    );
    sink.at(entry, &codes::SEVERAL_TYPED_NODES, entry.entry.args_range(), message);
}

fn attributes(cx: &Context<'_>, sink: &mut Sink<'_>, node: &NodeView<'_>, kind: Kind) {
    for entry in node.entries.iter().filter(|e| e.entry.valid_here) {
        let Some(directive) = entry.entry.directive else { continue };
        if directive == Directive::Tags && matches!(kind, Kind::Materialized | Kind::Copy) {
            key_value_tags(cx, sink, entry, kind);
        }
        let Some(owner) = home(directive).filter(|owner| *owner != kind && kind != Kind::Stream) else {
            continue;
        };
        let name = directive.name();
        let instead = match (kind, directive) {
            (Kind::Materialized, Directive::TargetDatasource) => Some(Directive::Datasource),
            (Kind::Copy, Directive::Datasource) => Some(Directive::TargetDatasource),
            (Kind::Copy, Directive::ExportSchedule) => Some(Directive::CopySchedule),
            (Kind::Sink, Directive::CopySchedule) => Some(Directive::ExportSchedule),
            _ => None,
        };
        let next = match (kind, instead) {
            (_, Some(instead)) => format!("write {}", instead.name()),
            (Kind::Standard, _) => format!("add `TYPE {}`, or remove it", owner.noun()),
            _ => "remove it".to_owned(),
        };
        let remedy = match (kind, instead) {
            // Given as well, it says the same twice.
            (_, Some(instead)) if node.last(instead).is_none() => {
                Some(Remedy::Replace(instead.name().to_owned()))
            }
            // Only one node of a pipe has a type.
            (Kind::Standard, _) if cx.file.nodes().iter().all(|n| n.last(Directive::Type).is_none()) => {
                Some(Remedy::NodeType(owner.noun()))
            }
            _ => None,
        };
        let what = if kind == Kind::Standard {
            "has no TYPE".to_owned()
        } else {
            format!("is of type {}", kind.noun())
        };
        let message =
            format!("{name} belongs to {} nodes, and {} {what}; {next}", owner.noun(), called(node));
        sink.at(entry, &codes::ATTRIBUTE_NOT_ALLOWED, entry.entry.keyword, message).remedy(remedy);
    }
}

fn key_value_tags(cx: &Context<'_>, sink: &mut Sink<'_>, entry: &SourcedEntry, kind: Kind) {
    let body = entry.entry.body(cx.text(entry));
    if body.text.contains('=') {
        let message = format!(
            "TAGS with `key=value` below a NODE belong to the node, and {} nodes refuse them; move the line above the first NODE, or write plain tags",
            kind.noun()
        );
        sink.at(entry, &codes::ATTRIBUTE_NOT_ALLOWED, entry.entry.keyword, message);
    }
}

fn required(cx: &Context<'_>, sink: &mut Sink<'_>, node: &NodeView<'_>, kind: Kind) {
    use Directive as D;
    let has = |d: D| node.last(d).is_some();
    let needed: Vec<D> = match kind {
        Kind::Materialized => vec![D::Datasource],
        Kind::Copy => vec![D::TargetDatasource],
        // What the older product demanded of a sink is not known beyond its connection.
        Kind::Sink if !cx.is_forward() => vec![D::ExportConnectionName],
        Kind::Sink if has(D::ExportKafkaTopic) => vec![D::ExportConnectionName, D::ExportSchedule],
        Kind::Sink if !has(D::ExportBucketUri) && !has(D::ExportFileTemplate) => {
            vec![D::ExportConnectionName, D::ExportSchedule]
        }
        Kind::Sink => {
            vec![D::ExportConnectionName, D::ExportSchedule, D::ExportBucketUri, D::ExportFileTemplate]
        }
        Kind::Standard | Kind::Endpoint | Kind::Stream => Vec::new(),
    };
    let missing: Vec<_> = needed.into_iter().filter(|d| !has(*d)).collect();
    let Some(entry) = node.last(D::Type).filter(|_| !missing.is_empty() && !is_incomplete(node.entries))
    else {
        return;
    };
    let names: Vec<_> = missing.iter().map(|d| d.name()).collect();
    let message =
        format!("a {} node also needs {}; add it to {}", kind.noun(), names.join(" and "), called(node));
    sink.at(entry, &codes::MISSING_ATTRIBUTE, entry.entry.args_range(), message)
        .remedy(Remedy::Directives(missing));
}

fn sink_variant(cx: &Context<'_>, sink: &mut Sink<'_>, node: &NodeView<'_>) {
    use Directive as D;
    const OF_FILES: &[D] = &[
        D::ExportBucketUri,
        D::ExportFileTemplate,
        D::ExportFormat,
        D::ExportCompression,
        D::ExportWriteStrategy,
        D::ExportStrategy,
    ];
    if node.last(D::ExportKafkaTopic).is_some() {
        for entry in OF_FILES.iter().filter_map(|d| node.last(*d)) {
            let name = cx.text(entry)[entry.entry.keyword].to_ascii_uppercase();
            let message = format!(
                "EXPORT_KAFKA_TOPIC makes this a Kafka sink, which takes no {name}; remove one of them, or make two pipes"
            );
            sink.at(entry, &codes::SINK_VARIANT, entry.entry.keyword, message);
        }
        return;
    }
    let is_files = node.last(D::ExportBucketUri).or(node.last(D::ExportFileTemplate)).is_some();
    let Some(entry) =
        node.last(D::Type).filter(|_| !is_files && cx.is_forward() && !is_incomplete(node.entries))
    else {
        return;
    };
    let message = "this sink has no destination; add EXPORT_KAFKA_TOPIC for Kafka, or EXPORT_BUCKET_URI and EXPORT_FILE_TEMPLATE for S3 and GCS";
    sink.at(entry, &codes::SINK_VARIANT, entry.entry.args_range(), message.to_owned());
}

/// Values of directives that only nodes have.
fn values(cx: &Context<'_>, sink: &mut Sink<'_>, node: &NodeView<'_>) {
    debug_assert!(cx.kind == FileKind::Pipe);
    for entry in node.entries.iter().filter(|e| e.entry.valid_here) {
        let Some(directive) = entry.entry.directive else { continue };
        // `$NAME` is replaced from an environment that nobody here can see.
        let value = entry.entry.value(cx.text(entry)).filter(|v| !v.is_empty() && !v.contains('$'));
        let Some(value) = value else { continue };
        match directive {
            Directive::CopyMode | Directive::Mode => copy_mode(sink, entry, directive, &value),
            Directive::CopySchedule | Directive::ExportSchedule => {
                schedule::check(cx, sink, entry, directive, &value);
            }
            _ => {}
        }
    }
}

fn copy_mode(sink: &mut Sink<'_>, entry: &SourcedEntry, directive: Directive, value: &str) {
    if matches!(value, "append" | "replace") {
        return;
    }
    let modes = ["append", "replace"];
    let near = modes.into_iter().find(|m| m.eq_ignore_ascii_case(value)).or_else(|| nearest(value, modes));
    let message = match modes.iter().find(|m| m.eq_ignore_ascii_case(value)) {
        Some(mode) => format!("`{value}` must be in lower case: write `{mode}`"),
        None => {
            let hint = near.map_or_else(String::new, |m| format!("; did you mean `{m}`?"));
            format!("{} is `append` or `replace`, not `{value}`{hint}", directive.name())
        }
    };
    sink.at(entry, &codes::COPY_MODE, entry.entry.args_range(), message).meant(near);
}
