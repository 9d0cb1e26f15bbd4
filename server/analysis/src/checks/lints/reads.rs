//! How queries read: joins in views, rows that are not replaced yet, filters beside the sorting key.

use std::sync::Arc;

use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::sql::ast::{AstNode, Place, TableSource};
use headwater_syntax::{FileKind, MappedText, TextRange};
use rustc_hash::FxHashSet;

use super::super::Sink;
use crate::codes;
use crate::db::Db;
use crate::facts::{Interface, NodeType, interface};
use crate::inputs::File;
use crate::parse::Parsed;
use crate::query::{Facts, Use, UseKind, columns_of_key};
use crate::scope::{Resolution, names, resolve_name};
use crate::semantics::{Rendering, node_meaning, node_renderings};

pub(super) fn check(db: &dyn Db, file: File, parsed: &Parsed, sink: &mut Sink<'_>) {
    let Some(face) = interface(db, file) else { return };
    for view in parsed.datafile.nodes() {
        let (Some((entry, body)), Some(node)) = (view.sql(), face.nodes.get(view.index)) else { continue };
        let renderings = node_renderings(db, file, view.index);
        let facts = &node_meaning(db, file, view.index).facts;
        let mut seen = FxHashSet::default();
        // A table that some request reads by its key is sorted for that one.
        let mut helped: FxHashSet<BaseTable> =
            facts.iter().flat_map(|facts| helped(db, file, face, view.index, facts)).collect();
        for (rendering, facts) in renderings.iter().zip(facts) {
            let mut reader =
                Reader { db, file, face, node: view.index, entry, body: &body, rendering, seen: &mut seen };
            if node.ty == NodeType::Materialized {
                reader.joins(sink);
            } else {
                reader.replaced(sink);
                reader.sorting_key(facts, &mut helped, sink);
            }
        }
    }
}

/// One text of one node.
struct Reader<'a> {
    db: &'a dyn Db,
    file: File,
    face: &'a Interface,
    node: usize,
    entry: &'a SourcedEntry,
    body: &'a MappedText,
    rendering: &'a Rendering,
    /// What was reported already, of other texts.
    seen: &'a mut FxHashSet<(TextRange, &'static str)>,
}

impl Reader<'_> {
    fn report(&mut self, sink: &mut Sink<'_>, code: &'static crate::Code, range: TextRange, message: String) {
        let range = self.rendering.to_node(range).range;
        if self.seen.insert((range, code.name)) {
            sink.in_body(self.entry, self.body, code, range, message);
        }
    }

    fn datasource(&self, database: Option<&str>, name: &str) -> Option<File> {
        datasource(self.db, self.file, self.face, self.node, database, name)
    }

    /// Each inserted block is joined with the whole right side, as it is then.
    fn joins(&mut self, sink: &mut Sink<'_>) {
        let rendering = self.rendering;
        for select in rendering.selects() {
            for source in select.sources() {
                let (Place::Join(_) | Place::Comma, Some(TableSource::TableName(name))) =
                    (source.place, source.table.source())
                else {
                    continue;
                };
                let Some(table) = name.plain(&rendering.text) else { continue };
                if self.datasource(table.database.as_deref(), &table.name).is_none() {
                    continue;
                }
                let message = format!(
                    "every insert joins its rows with all of `{0}`, and later rows of `{0}` change nothing; filter it in a subquery, or join where the view is read",
                    table.name
                );
                self.report(sink, &codes::JOIN_IN_VIEW, table.range, message);
            }
        }
    }

    /// Rows with equal keys are replaced some time after they were inserted.
    fn replaced(&mut self, sink: &mut Sink<'_>) {
        let rendering = self.rendering;
        for select in rendering.selects() {
            // Whoever groups or limits by a key has thought of it.
            let is_reduced = select.group_by_clause().is_some()
                || select.limit_by_clause().is_some()
                || select.distinct_clause().is_some()
                || select.qualify_clause().is_some();
            if is_reduced {
                continue;
            }
            for source in select.sources() {
                let Some(TableSource::TableName(name)) = source.table.source() else { continue };
                let Some(table) = name.plain(&rendering.text) else { continue };
                if source.table.final_modifier().is_some() {
                    continue;
                }
                let Some(file) = self.datasource(table.database.as_deref(), &table.name) else { continue };
                if !storage(self.db, file).replaces {
                    continue;
                }
                let message = format!(
                    "`{0}` replaces rows in the background: this may read old ones too; write `{0} FINAL`, or take the newest with argMax and GROUP BY",
                    table.name
                );
                self.report(sink, &codes::MISSING_FINAL, table.range, message);
            }
        }
    }

    /// A filter that the sorting key does not know reads everything.
    /// What is in `settled` was reported, or need not be.
    fn sorting_key(&mut self, facts: &Facts, settled: &mut FxHashSet<BaseTable>, sink: &mut Sink<'_>) {
        // HAVING sees groups, and no key helps with these.
        let of_groups: Vec<TextRange> =
            self.rendering.selects().filter_map(|select| Some(select.having_clause()?.range())).collect();
        let is_of_rows = |u: &&Use| !of_groups.iter().any(|having| having.contains_range(u.range));
        let mut seen = FxHashSet::default();
        for usage in facts.uses.iter().filter(|u| u.kind == UseKind::Filter).filter(is_of_rows) {
            let column = &facts.bases[usage.base];
            // Once a table, at its first filter.
            if !seen.insert(usage.base) || !settled.insert((column.database.clone(), column.table.clone())) {
                continue;
            }
            let file = datasource(
                self.db,
                self.file,
                self.face,
                self.node,
                column.database.as_deref(),
                &column.table,
            );
            let Some(storage) = file.map(|file| storage(self.db, file)) else { continue };
            let (Some(key), Some(lead)) = (&storage.key, &storage.lead) else { continue };
            let message = format!(
                "no filter on `{}` uses its sorting key ({key}) or its partitions: every row is read; filter by `{lead}` too, or sort the data source by `{}` first",
                column.table, column.column
            );
            self.report(sink, &codes::SORTING_KEY_UNUSED, usage.range, message);
        }
    }
}

/// Database and name of a table as a query says them.
type BaseTable = (Option<String>, String);

/// The tables that a query filters by the first column of their sorting key or by their partitions.
fn helped(db: &dyn Db, file: File, face: &Interface, node: usize, facts: &Facts) -> Vec<BaseTable> {
    let mut out: Vec<BaseTable> = Vec::new();
    let mut seen = FxHashSet::default();
    for usage in facts.uses.iter().filter(|u| u.kind == UseKind::Filter) {
        let column = &facts.bases[usage.base];
        let is_known = |(database, table): &BaseTable| *table == column.table && *database == column.database;
        if !seen.insert(usage.base) || out.iter().any(is_known) {
            continue;
        }
        let table = datasource(db, file, face, node, column.database.as_deref(), &column.table);
        let Some(storage) = table.map(|table| storage(db, table)) else { continue };
        if storage.lead.iter().chain(&storage.partition).any(|name| *name == column.column) {
            out.push((column.database.clone(), column.table.clone()));
        }
    }
    out
}

/// How a data source keeps its rows. A firewall: its columns are no part of it, and its keys are parsed once, however many
/// queries filter by them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Storage {
    /// Rows with equal keys are replaced.
    replaces: bool,
    /// The sorting key without quotes.
    key: Option<String>,
    /// The first column that it names.
    lead: Option<String>,
    /// Columns that the partition key names.
    partition: Vec<String>,
}

#[salsa::tracked]
fn storage(db: &dyn Db, file: File) -> Arc<Storage> {
    let Some(engine) = interface(db, file).as_ref().and_then(|face| face.engine.as_ref()) else {
        return Arc::default();
    };
    let key = engine.sorting_key.as_deref().map(|key| key.trim_matches(['"', '\'']).to_owned());
    Arc::new(Storage {
        replaces: engine.name.eq_ignore_ascii_case("ReplacingMergeTree"),
        lead: key.as_deref().and_then(|key| columns_of_key(key).into_iter().next()),
        partition: engine.partition_key.as_deref().map(columns_of_key).unwrap_or_default(),
        key,
    })
}

/// The data source that a table of a query names.
fn datasource(
    db: &dyn Db,
    file: File,
    face: &Interface,
    node: usize,
    database: Option<&str>,
    name: &str,
) -> Option<File> {
    match resolve_name(names(db, file.project(db)), Some((face, node)), database, name) {
        Resolution::Resource(file) if file.kind(db) == Some(FileKind::Datasource) => Some(file),
        _ => None,
    }
}
