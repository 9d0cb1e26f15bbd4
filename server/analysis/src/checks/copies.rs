//! Copy jobs that get into each other's way: they start at the same minute, and touch one data source.

use std::sync::Arc;

use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::{Directive, FileKind, TextRange, TextSize};
use rustc_hash::FxHashSet;

use super::cron::Cron;
use super::{Diagnostic, Related, Sink};
use crate::codes;
use crate::db::Db;
use crate::facts::{CopyFact, copies, interface, resource_name};
use crate::flow::{Vertex, output, scheduled_copies};
use crate::inputs::{Content, File};
use crate::parse::datafile;
use crate::scope::{Resolution, names, resolve};

/// The collisions of a pipe's copies with those of others. Looks at others only when the pipe has a copy with a schedule.
#[salsa::tracked]
pub(super) fn collisions(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut out = Vec::new();
    let own: Vec<(&CopyFact, Cron)> = copies(db, file)
        .iter()
        .filter_map(|copy| Some((copy, Cron::parse(copy.schedule.as_deref()?)?)))
        .collect();
    if own.is_empty() || !matches!(file.content(db), Content::Text(_)) {
        return Arc::new(out);
    }
    let parsed = datafile(db, file);
    let nodes = parsed.datafile.nodes();
    let mut sink = Sink::new(parsed, &mut out);
    for (copy, cron) in own {
        let entry = nodes.iter().find(|n| n.index == copy.node).and_then(|n| n.last(Directive::CopySchedule));
        if let Some(entry) = entry {
            report(db, file, copy, cron, entry, &mut sink);
        }
    }
    Arc::new(out)
}

fn report(db: &dyn Db, file: File, copy: &CopyFact, cron: Cron, entry: &SourcedEntry, sink: &mut Sink<'_>) {
    let names = names(db, file.project(db));
    let Some(target) = names.table(&copy.target) else { return };
    let read = read_data_sources(db, Vertex { file, node: Some(copy.node) });
    for (other_file, other) in scheduled_copies(db, file.project(db)).iter() {
        let other_cron = other.schedule.as_deref().and_then(Cron::parse);
        if *other_file == file || !other_cron.is_some_and(|other| cron.meets(other)) {
            continue;
        }
        let Some(other_target) = names.table(&other.target) else { continue };
        let (name, written) = (resource_name(db, *other_file), &other.target);
        let message = if other_target == target && (copy.replaces || other.replaces) {
            format!(
                "`{name}` writes `{written}` too, at the same minute, and one of them replaces what the other wrote; let them start at different times, or copy into two data sources"
            )
        } else if read.contains(&other_target) {
            format!(
                "this copy reads `{written}`, which `{name}` writes at the same minute: it may see the rows before or after; let it start some minutes later"
            )
        } else {
            continue;
        };
        let diagnostic = sink.at(entry, &codes::SCHEDULE_COLLISION, entry.entry.args_range(), message);
        diagnostic.related.push(Related {
            file: *other_file,
            range: TextRange::empty(TextSize::from(0)),
            message: format!("`{name}` runs at {}", other.schedule.as_deref().unwrap_or_default()),
        });
    }
}

/// The data sources that a node reads, itself or through nodes and pipes.
fn read_data_sources(db: &dyn Db, start: Vertex) -> FxHashSet<File> {
    let names = names(db, start.file.project(db));
    let mut seen = FxHashSet::from_iter([start]);
    let mut todo = vec![start];
    let mut out = FxHashSet::default();
    while let Some(at) = todo.pop() {
        let Some(face) = interface(db, at.file) else { continue };
        let Some((index, node)) = at.node.and_then(|n| Some((n, face.nodes.get(n)?))) else { continue };
        for read in &node.reads {
            let next = match resolve(names, Some((face, index)), read) {
                Resolution::Node(n) => Vertex { file: at.file, node: Some(n) },
                Resolution::Resource(f) if f.kind(db) == Some(FileKind::Datasource) => {
                    out.insert(f);
                    continue;
                }
                Resolution::Resource(f) => output(db, f),
                _ => continue,
            };
            if seen.insert(next) {
                todo.push(next);
            }
        }
    }
    out
}
