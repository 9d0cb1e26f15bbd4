//! Columns of a data source that nothing in the project names. Said only where the project decides about it: every reader is
//! understood whole, and nobody outside may read the data source.

use std::sync::Arc;

use headwater_syntax::sql::TableUse;
use headwater_syntax::{Datafile, Dialect, Directive, FileKind, schema};
use rustc_hash::FxHashSet;

use super::{Diagnostic, Sink, Tag};
use crate::codes;
use crate::db::Db;
use crate::facts::{ReadFact, interface};
use crate::flow::mentions;
use crate::inputs::{Content, File};
use crate::parse::{datafile, unread_nodes};
use crate::scope::{Resolution, names, resolve, resolve_name};
use crate::semantics::node_meaning;

/// The columns of a data source that are not used. Depends on the pipes that have its name in their text, and on those only
/// through the columns that they name.
#[salsa::tracked]
pub(super) fn unused_columns(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut out = Vec::new();
    if file.kind(db) != Some(FileKind::Datasource) || !matches!(file.content(db), Content::Text(_)) {
        return Arc::new(out);
    }
    let parsed = datafile(db, file);
    // A Classic workspace may hold more than the project.
    if parsed.datafile.dialect == Dialect::Classic || is_shared(db, file) {
        return Arc::new(out);
    }
    let Some(readers) = mentions(db, file.project(db)).get(&file) else { return Arc::new(out) };
    let mut used = FxHashSet::default();
    for reader in readers {
        match columns_named(db, *reader, file) {
            Some(columns) => used.extend(columns.iter().map(String::as_str)),
            None => return Arc::new(out),
        }
    }
    // What nobody reads yet is on its way.
    if used.is_empty() {
        return Arc::new(out);
    }
    let Some(entry) = parsed.datafile.last(Directive::Schema).filter(|e| e.entry.valid_here) else {
        return Arc::new(out);
    };
    let body = entry.entry.body(parsed.datafile.source_of(entry));
    let schema = schema::parse(&body.text);
    // Who reads `a.b` reads `a`.
    let parts = used.iter().flat_map(|name| name.match_indices('.').map(|(at, _)| &name[..at]));
    let wholes: FxHashSet<&str> = parts.collect();
    let own = own_words(&parsed.datafile, &schema.columns);
    let mut sink = Sink::new(parsed, &mut out);
    for column in &schema.columns {
        let name = column.name.value.as_str();
        // Columns of messages are the connector's.
        if used.contains(name) || own.contains(name) || wholes.contains(name) || name.starts_with("__") {
            continue;
        }
        let message = format!("no query of the project reads `{name}`; stop keeping it, if nobody else does");
        sink.in_body(entry, &body, &codes::UNUSED_COLUMN, column.name.range, message)
            .tags
            .push(Tag::Unnecessary);
    }
    Arc::new(out)
}

/// Whether somebody outside of the project reads the data source, or owns it.
fn is_shared(db: &dyn Db, file: File) -> bool {
    let Some(face) = interface(db, file) else { return true };
    !face.shared_with.is_empty()
        || face.tokens.iter().any(|(_, permission)| permission == "READ")
        || names(db, file.project(db)).vendored.values().any(|f| *f == file)
}

/// Words of keys, expiry, indexes, migrations and of other columns' defaults.
fn own_words(file: &Datafile, columns: &[schema::Column]) -> FxHashSet<String> {
    let mut out = FxHashSet::default();
    let mut add = |text: &str| {
        out.extend(words(text).map(str::to_owned));
    };
    for entry in &file.entries {
        let Some(directive) = entry.entry.directive else { continue };
        let is_expression = directive.is_engine()
            || matches!(
                directive,
                Directive::Indexes | Directive::Indices | Directive::ForwardQuery | Directive::Ttl
            );
        if is_expression {
            add(&entry.entry.body(file.source_of(entry)).text);
        }
    }
    for default in columns.iter().filter_map(|c| c.default.as_ref()) {
        add(&default.value);
    }
    out
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').filter(|word| !word.is_empty())
}

/// The columns of a data source that a pipe names, sorted; `None` where it may name others than are seen.
#[salsa::tracked]
fn columns_named(db: &dyn Db, reader: File, of: File) -> Option<Arc<Vec<String>>> {
    let face = interface(db, reader).as_ref()?;
    if !unread_nodes(db, reader).is_empty() {
        return None;
    }
    let names = names(db, reader.project(db));
    let mut out = Vec::new();
    for (index, node) in face.nodes.iter().enumerate() {
        let meant = |read: &ReadFact| resolve(names, Some((face, index)), read);
        let mut is_reader = false;
        for read in &node.reads {
            match meant(read) {
                Resolution::Quarantine(file) if file == of => return None,
                Resolution::Resource(file) if file == of => {
                    if !matches!(read.usage, TableUse::From | TableUse::Join) {
                        return None;
                    }
                    is_reader = true;
                }
                _ => {}
            }
        }
        if !is_reader {
            // What is made up may be any table.
            if node.makes_names && node.reads.is_empty() {
                return None;
            }
            continue;
        }
        let meaning = node_meaning(db, reader, index);
        if node.makes_names || meaning.facts.is_empty() || !meaning.is_decided {
            return None;
        }
        for facts in &meaning.facts {
            if !facts.complete {
                return None;
            }
            for base in &facts.bases {
                let (database, table) = (base.database.as_deref(), &base.table);
                if resolve_name(names, Some((face, index)), database, table) == Resolution::Resource(of) {
                    out.push(base.column.clone());
                }
            }
        }
    }
    out.sort_unstable();
    out.dedup();
    Some(Arc::new(out))
}
