//! From Classic to Forward, one construct at a time (specification §3.6, §7).

use headwater_analysis::{Diagnostic, Dialect, Directive, File, FileKind, NodeType, TextRange, interface};

use super::{ActionKind, Actions, Context};
use crate::change::{Change, apply};

pub(super) fn fix(cx: &Context<'_>, diagnostic: &Diagnostic, actions: &mut Actions<'_>) {
    if diagnostic.code.name != "include-not-supported" {
        return;
    }
    let Some((line, target)) = included(cx, diagnostic.range) else { return };
    actions.fix("include", "Put the included file's text here", || {
        Some(Change::replace(cx.file, line, target.text(cx.db).trim_end()))
    });
}

/// The line of an `INCLUDE`, and the file that it means.
fn included(cx: &Context<'_>, range: TextRange) -> Option<(TextRange, File)> {
    let (line, wanted) = include_path(cx, range)?;
    let files = cx.file.project(cx.db).files(cx.db);
    files.iter().find(|f| *f.path(cx.db) == wanted).map(|target| (line, *target))
}

/// The line of an `INCLUDE`, and the path that it names, from the project's root.
pub(super) fn include_path(cx: &Context<'_>, range: TextRange) -> Option<(TextRange, camino::Utf8PathBuf)> {
    let entry = cx.entry(range).filter(|e| e.directive == Some(Directive::Include))?;
    let path = cx.text[*entry.args.first()?].trim_matches(['"', '\'']);
    let base = cx.file.path(cx.db).parent()?;
    Some((entry.line, normalized(&base.join(path))))
}

fn normalized(path: &camino::Utf8Path) -> camino::Utf8PathBuf {
    let mut out = camino::Utf8PathBuf::new();
    for part in path.components() {
        match part.as_str() {
            "." => {}
            ".." => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// The whole file in the current dialect, as far as that can be said without the other files.
pub(super) fn assist(cx: &Context<'_>, actions: &mut Actions<'_>) {
    if cx.parsed.datafile.dialect != Dialect::Classic || cx.file.kind(cx.db).is_none() {
        return;
    }
    if let Some(change) = to_forward(cx) {
        actions.add("to-forward", "Convert this file to Forward", ActionKind::Rewrite, || Some(change));
    }
}

fn to_forward(cx: &Context<'_>) -> Option<Change> {
    let mut change = Change::default();
    let kind = cx.file.kind(cx.db)?;
    for entry in cx.parsed.datafile.entries.iter().filter(|e| e.source == 0) {
        let e = &entry.entry;
        let Some(directive) = e.directive else { continue };
        match directive {
            // What the product decides by itself, or refuses.
            Directive::Source
            | Directive::ImportStrategy
            | Directive::ImportService
            | Directive::ExportService
            | Directive::KafkaTargetPartitions
            | Directive::KafkaStoreBinaryHeaders => {
                change.push(cx.file, cx.whole_line(e.full_range()), "", None);
            }
            Directive::Version
            | Directive::Maintainer
            | Directive::Scope
            | Directive::From
            | Directive::Test => {
                change.push(cx.file, cx.whole_line(e.full_range()), "", None);
            }
            Directive::PartitionKey
            | Directive::SortingKey
            | Directive::PrimaryKey
            | Directive::SamplingKey
            | Directive::Ttl
            | Directive::Settings
                if kind == FileKind::Datasource =>
            {
                change.push(cx.file, e.keyword, format!("ENGINE_{}", directive.name()), None);
            }
            Directive::Indices => change.push(cx.file, e.keyword, "INDEXES", None),
            _ => {}
        }
    }
    fragments(cx, &mut change);
    targets(cx, &mut change);
    // A pipe without types publishes its last node.
    let face = interface(cx.db, cx.file).as_ref()?;
    let nodes = cx.parsed.datafile.nodes();
    if kind == FileKind::Pipe
        && face.nodes.last().is_some_and(|n| n.ty == NodeType::Endpoint)
        && let Some(node) =
            nodes.last().filter(|n| n.value(Directive::Type).is_none() && n.header().source == 0)
    {
        let whole = cx.whole_line(node.range());
        let lead = if cx.text[whole].ends_with('\n') { "" } else { cx.newline() };
        change.push(
            cx.file,
            TextRange::empty(whole.end()),
            format!("{lead}TYPE endpoint{}", cx.newline()),
            None,
        );
    }
    let edits = change.edits.first().map(|(_, edits)| edits.as_slice())?;
    (apply(&cx.text, edits) != *cx.text).then_some(change)
}

/// Fragments are no more: their text takes the place of the line that includes them. One that is not there, that is given values or
/// that includes others is left to people.
fn fragments(cx: &Context<'_>, change: &mut Change) {
    for include in cx.parsed.includes.iter().filter(|i| i.source == 0) {
        let Some(target) = include.target else { continue };
        let line = cx.whole_line(include.range);
        let text = target.text(cx.db);
        let nests = text.lines().any(|l| l.trim_start().to_uppercase().starts_with("INCLUDE"));
        if !nests && cx.text[line].split_whitespace().count() == 2 {
            change.push(cx.file, line, format!("{}{}", text.trim_end(), cx.newline()), None);
        }
    }
}

/// Data sources that materialized nodes make by their own `ENGINE_*` lines become files, and the lines go.
fn targets(cx: &Context<'_>, change: &mut Change) {
    let Some(face) = interface(cx.db, cx.file).as_ref().filter(|f| f.kind == FileKind::Pipe) else { return };
    let names = headwater_analysis::names(cx.db, cx.file.project(cx.db));
    for node in cx.parsed.datafile.nodes() {
        let Some(target) = face.nodes.get(node.index).and_then(|n| n.writes.as_ref()) else { continue };
        let lines: Vec<_> = node
            .entries
            .iter()
            .filter(|e| e.source == 0 && super::create::is_engine(e.entry.directive))
            .collect();
        if lines.is_empty() {
            continue;
        }
        if names.table(target).is_none() && !change.created.iter().any(|(p, _)| p.file_stem() == Some(target))
        {
            change.created.push(super::create::target(cx, (cx.file, node.index), target));
        }
        for line in lines {
            change.push(cx.file, cx.whole_line(line.entry.full_range()), "", None);
        }
    }
}
