//! What only the whole project can tell: names, includes, connections, cycles (specification §9, §10 "build").

use std::sync::Arc;

use headwater_syntax::datafile::SourcedEntry;
use headwater_syntax::sql::TableUse;
use headwater_syntax::{Dialect, Directive, FileKind, TextRange, TextSize, template};

use rustc_hash::FxHashSet;

use super::{Diagnostic, Related, Remedy, Severity, Sink, Tag, nearest};
use crate::access::{is_test, tested_pipe};
use crate::codes;
use crate::db::Db;
use crate::facts::{Interface, NodeType, ReadFact, interface, resource_name};
use crate::flow::{Vertex, cycles, output_node};
use crate::inputs::{Content, File};
use crate::parse::{IncludeProblem, NodeRead, Parsed, datafile, node_reads, unread_nodes};
use crate::scope::{Names, Resolution, names, resolve, resolve_connection, resolve_table};

/// What the rest of the project says about a file. Depends on other files through their names and kinds only.
#[salsa::tracked]
pub(super) fn check(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut out = Vec::new();
    if let Content::Text(_) = file.content(db) {
        let project = file.project(db);
        let parsed = datafile(db, file);
        let cx = Cross { db, file, names: names(db, project), parsed };
        let mut sink = Sink::new(parsed, &mut out);
        match file.kind(db) {
            Some(FileKind::Include | FileKind::Token) => {}
            Some(kind) => {
                cx.includes(&mut sink);
                cx.name(kind, &mut sink);
                cx.depth(&mut sink);
                cx.connections(&mut sink);
                if kind == FileKind::Pipe {
                    cx.pipe(&mut sink);
                }
            }
            None => cx.test_file(&mut sink),
        }
    }
    Arc::new(out)
}

struct Cross<'db> {
    db: &'db dyn Db,
    file: File,
    names: &'db Names,
    parsed: &'db Parsed,
}

/// Whether clients refuse this name for a resource, in any case of its letters.
pub fn is_reserved_name(name: &str) -> bool {
    FORBIDDEN_NAMES.contains(&name.to_lowercase().as_str())
}

/// Names that clients refuse for resources (specification §9).
const FORBIDDEN_NAMES: &[&str] = &[
    "add",
    "after",
    "all",
    "and",
    "anti",
    "any",
    "array",
    "as",
    "asc",
    "asof",
    "between",
    "by",
    "case",
    "collate",
    "cross",
    "cube",
    "default",
    "desc",
    "distinct",
    "else",
    "end",
    "exists",
    "from",
    "full",
    "global",
    "group",
    "having",
    "if",
    "ilike",
    "in",
    "inner",
    "insert",
    "interval",
    "into",
    "join",
    "left",
    "like",
    "limit",
    "limits",
    "live",
    "main",
    "materialized",
    "max",
    "min",
    "not",
    "null",
    "on",
    "or",
    "order",
    "origin",
    "outer",
    "prewhere",
    "public",
    "right",
    "sample",
    "select",
    "semi",
    "snapshot",
    "system",
    "then",
    "tinybird",
    "to",
    "totals",
    "union",
    "using",
    "where",
    "with",
];

/// Folders below the project that the vendor's tool scans by default.
const SCAN_DEPTH: usize = 3;

impl Cross<'_> {
    fn is_classic(&self) -> bool {
        self.parsed.datafile.dialect == Dialect::Classic
    }

    /// Where to report what concerns the whole file: its first directive.
    fn head(&self) -> TextRange {
        let own = self.parsed.datafile.entries.iter().find(|e| e.source == 0);
        own.map_or(TextRange::empty(TextSize::from(0)), |e| e.entry.line)
    }

    fn includes(&self, sink: &mut Sink<'_>) {
        for include in &self.parsed.includes {
            match &include.problem {
                None => {}
                Some(IncludeProblem::NoPath) => {
                    let message = "INCLUDE needs a path, relative to this file".to_owned();
                    sink.push_in(include.source, &codes::MISSING_INCLUDE, include.range, message);
                }
                Some(IncludeProblem::Missing(path)) => {
                    let message =
                        format!("there is no file {path} in the project; paths are relative to this file");
                    sink.push_in(include.source, &codes::MISSING_INCLUDE, include.range, message);
                }
                Some(IncludeProblem::Cycle(chain)) => {
                    let chain: Vec<_> = chain.iter().map(|p| p.as_str()).collect();
                    let message = format!("this include never ends: {}", chain.join(" → "));
                    sink.push_in(include.source, &codes::INCLUDE_CYCLE, include.range, message);
                }
            }
        }
    }

    fn name(&self, kind: FileKind, sink: &mut Sink<'_>) {
        let (db, name) = (self.db, resource_name(self.db, self.file));
        let is_identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_identifier {
            let message = format!(
                "the file's name is the resource's name, and `{name}` is none: use letters, digits and _, not starting with a digit"
            );
            sink.push(&codes::INVALID_NAME, self.head(), message)
                .remedy(identifier(name).map(Remedy::FileName));
        } else if is_reserved_name(name) {
            let message = format!("`{name}` is reserved; rename the file");
            sink.push(&codes::INVALID_NAME, self.head(), message);
        } else if let Some(base) = name.strip_suffix("_quarantine")
            && let Some(owner) = self.names.table(base)
        {
            let message =
                format!("`{name}` is the quarantine table of data source `{base}`; rename the file");
            let diagnostic = sink.push(&codes::INVALID_NAME, self.head(), message);
            diagnostic.related.push(whole_file(owner, format!("`{base}` is here")));
        }
        let same = match kind {
            FileKind::Connection => self.names.connections.get(name),
            _ => self.names.tables.get(name),
        };
        let others: Vec<_> = same.into_iter().flatten().filter(|f| **f != self.file).copied().collect();
        let vendored = self.names.vendored.values().any(|f| *f == self.file);
        if !others.is_empty() && !vendored {
            let places: Vec<_> = others.iter().map(|f| f.path(db).to_string()).collect();
            let message = format!(
                "`{name}` is also defined in {}; data sources and pipes share one namespace, so rename one",
                places.join(", ")
            );
            let diagnostic = sink.push(&codes::DUPLICATE_RESOURCE, self.head(), message);
            diagnostic
                .related
                .extend(others.into_iter().map(|f| whole_file(f, format!("`{name}` is also here"))));
        }
    }

    fn depth(&self, sink: &mut Sink<'_>) {
        let path = self.file.path(self.db);
        let folders = path.components().count().saturating_sub(1);
        if folders > SCAN_DEPTH && !path.components().any(|c| c.as_str() == "vendor") {
            let message = format!(
                "this file lies {folders} folders deep; the vendor's tool scans {SCAN_DEPTH} by default and would ignore it: move it up, or pass --max-depth"
            );
            sink.push(&codes::BEYOND_DEPTH, self.head(), message);
        }
    }

    fn connections(&self, sink: &mut Sink<'_>) {
        const USES: &[(Directive, &[&str])] = &[
            (Directive::KafkaConnectionName, &["kafka"]),
            (Directive::ImportConnectionName, &["s3", "s3_iamrole", "gcs", "gcs_hmac", "dynamodb"]),
            (Directive::PgConnectionName, &["postgres"]),
            (Directive::ExportConnectionName, &["kafka", "s3", "s3_iamrole", "gcs", "gcs_hmac"]),
        ];
        for (directive, services) in USES {
            for entry in self.parsed.datafile.all(*directive).filter(|e| e.entry.valid_here) {
                self.connection(entry, services, sink);
            }
        }
    }

    fn connection(&self, entry: &SourcedEntry, services: &[&'static str], sink: &mut Sink<'_>) {
        let Some(name) = entry.entry.value(self.parsed.datafile.source_of(entry)) else { return };
        if name.is_empty() || name.contains(['{', '$']) {
            return;
        }
        let place = entry.entry.args_range();
        let Some(connection) = resolve_connection(self.names, &name) else {
            // Classic keeps connections in the workspace, not in files.
            if !self.is_classic() {
                let near = nearest(&name, self.names.connections.keys().map(String::as_str));
                let hint = near.map_or_else(
                    || format!("add connections/{name}.connection"),
                    |near| format!("did you mean `{near}`?"),
                );
                let message = format!("there is no connection `{name}` in the project; {hint}");
                // Files may be in either of two stores, and nobody knows in which.
                let service = services.first().filter(|_| services.len() == 1);
                sink.at(entry, &codes::UNKNOWN_CONNECTION, place, message)
                    .meant(near)
                    .remedy(service.map(|s| Remedy::Connection(s)));
            }
            return;
        };
        let service = interface(self.db, connection).as_ref().and_then(|i| i.service.clone());
        if let Some(service) = service.filter(|s| !services.contains(&s.as_str())) {
            let message = format!("`{name}` is a {service} connection; this needs {}", services.join(" or "));
            let diagnostic = sink.at(entry, &codes::CONNECTION_MISMATCH, place, message);
            diagnostic.remedy(self.connections_of(services));
            diagnostic.related.push(whole_file(connection, format!("`{name}` is defined here")));
        }
    }

    /// The project's connections of these services, by name.
    fn connections_of(&self, services: &[&str]) -> Option<Remedy> {
        const SHOWN: usize = 3;
        let is_one = |file: &File| {
            let face = interface(self.db, *file).as_ref();
            face.and_then(|f| f.service.as_deref()).is_some_and(|s| services.contains(&s))
        };
        let found = self.names.connections.iter().filter(|(_, files)| files.iter().any(is_one));
        let mut names: Vec<String> = found.map(|(name, _)| name.clone()).collect();
        names.sort();
        names.truncate(SHOWN);
        (!names.is_empty()).then_some(Remedy::OneOf(names))
    }

    fn pipe(&self, sink: &mut Sink<'_>) {
        let Some(face) = interface(self.db, self.file) else { return };
        let reads = node_reads(self.db, self.file);
        for read in &reads {
            self.read(face, read, sink);
        }
        let unread: FxHashSet<_> = unread_nodes(self.db, self.file).into_iter().collect();
        for (n, view) in self.parsed.datafile.nodes().iter().enumerate() {
            if unread.contains(&n)
                && let Some((entry, _)) = view.sql()
            {
                let message = "this query is too large or too deeply broken to be looked at, so its tables are not known; move data out of it".to_owned();
                sink.at(entry, &codes::QUERY_NOT_READ, entry.entry.keyword, message);
            }
        }
        self.targets(face, sink);
        self.cycles(face, &reads, sink);
        self.unused(face, sink);
    }

    fn read(&self, face: &Interface, read: &NodeRead, sink: &mut Sink<'_>) {
        let r = &read.reference;
        let fact = ReadFact { database: r.database.clone(), name: r.name.clone(), usage: r.usage };
        match resolve(self.names, Some((face, read.node)), &fact) {
            Resolution::ForbiddenSystem => {
                let message = format!(
                    "system.{} cannot be read; only system.functions, system.numbers, system.numbers_mt and system.one can",
                    r.name
                );
                sink.push_in(read.source, &codes::SYSTEM_TABLE, read.range, message);
            }
            // Whether a bare name behind IN is a table, an alias or a column needs types; a name in a string may
            // belong to a dictionary of the engine.
            Resolution::Unknown if matches!(r.usage, TableUse::From | TableUse::Join) => {
                let itself = face.nodes.get(read.node).is_some_and(|n| n.name == r.name);
                let nodes = face.nodes.iter().enumerate().filter(|(n, _)| *n != read.node);
                let nodes = nodes.map(|(_, n)| n.name.as_str());
                let near = nearest(&r.name, nodes.chain(self.names.table_names())).filter(|_| !itself);
                let hint = match near {
                    _ if itself => "a node cannot read itself".to_owned(),
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("add datasources/{}.datasource, or read something else", r.name),
                };
                let witness = self.witness(read);
                let message = format!("there is no data source, pipe or node `{}`{witness}; {hint}", r.name);
                let diagnostic =
                    sink.push_in(read.source, &codes::UNKNOWN_RESOURCE, read.range, message).meant(near);
                // A Classic project is pushed file by file into a workspace that may hold more than the project.
                if self.is_classic() {
                    diagnostic.severity = Severity::Warning;
                }
            }
            _ => {}
        }
    }

    /// When a request meets a table of a template: " (read when `country` is passed)", or nothing when always.
    fn witness(&self, read: &NodeRead) -> String {
        let nodes = self.parsed.datafile.nodes();
        let sql = nodes.get(read.node).and_then(|n| n.sql());
        let Some((_, sql)) = sql.filter(|(_, sql)| template::is_template(&sql.text)) else {
            return String::new();
        };
        let tree = self.db.memory().template(&sql.text);
        match headwater_template::witness_at(&sql.text, &tree, read.reference.range.start()) {
            Some(witness) if !witness.is_empty() => format!(" (read {witness})"),
            _ => String::new(),
        }
    }

    /// `DATASOURCE` and `TARGET_DATASOURCE` name data sources.
    fn targets(&self, face: &Interface, sink: &mut Sink<'_>) {
        for (view, node) in self.parsed.datafile.nodes().iter().zip(&face.nodes) {
            let directive = match node.ty {
                NodeType::Materialized => Directive::Datasource,
                NodeType::Copy => Directive::TargetDatasource,
                _ => continue,
            };
            let (Some(entry), Some(target)) = (view.last(directive), &node.writes) else { continue };
            if target.is_empty() || target.contains(['{', '$']) {
                continue;
            }
            let place = entry.entry.args_range();
            match resolve_table(self.names, target) {
                Resolution::Resource(file) if file.kind(self.db) == Some(FileKind::Datasource) => {
                    self.self_copy(face, node.replaces, file, entry, sink);
                }
                Resolution::Resource(file) => {
                    let message = format!("`{target}` is a pipe; {} needs a data source", directive.name());
                    let diagnostic = sink.at(entry, &codes::UNKNOWN_RESOURCE, place, message);
                    diagnostic.related.push(whole_file(file, format!("`{target}` is here")));
                }
                // Classic creates the target of a materialized node from its ENGINE_* directives, or has it already.
                _ if self.is_classic() => {}
                _ => {
                    let near = nearest(target, self.names.table_names());
                    let hint = near.map_or_else(
                        || format!("add datasources/{target}.datasource"),
                        |near| format!("did you mean `{near}`?"),
                    );
                    let message = format!("there is no data source `{target}`; {hint}");
                    sink.at(entry, &codes::UNKNOWN_RESOURCE, place, message).meant(near);
                }
            }
        }
    }

    fn self_copy(
        &self,
        face: &Interface,
        replaces: bool,
        target: File,
        entry: &SourcedEntry,
        sink: &mut Sink<'_>,
    ) {
        let reads_target = face.nodes.iter().enumerate().any(|(n, node)| {
            node.reads.iter().any(|r| resolve(self.names, Some((face, n)), r) == Resolution::Resource(target))
        });
        if replaces && reads_target {
            let message = "this copy reads the data source that it replaces; a failed run loses what it read: copy into another data source, or use COPY_MODE append";
            let diagnostic = sink.at(entry, &codes::SELF_COPY, entry.entry.args_range(), message.to_owned());
            diagnostic.related.push(whole_file(target, "read and replaced".to_owned()));
        }
    }

    fn cycles(&self, face: &Interface, reads: &[NodeRead], sink: &mut Sink<'_>) {
        for cycle in cycles(self.db, self.file).iter() {
            let title = self.cycle_path(cycle);
            for (at, here) in cycle.iter().enumerate().filter(|(_, v)| v.file == self.file) {
                let Some(index) = here.node else { continue };
                let before = cycle[(at + cycle.len() - 1) % cycle.len()];
                let read = reads.iter().find(|r| {
                    let fact = ReadFact {
                        database: r.reference.database.clone(),
                        name: r.reference.name.clone(),
                        usage: r.reference.usage,
                    };
                    r.node == index && self.reaches(face, index, &fact, before)
                });
                let Some(read) = read else { continue };
                let message =
                    format!("these read each other without end: {title}; break the cycle at one of them");
                let diagnostic = sink.push_in(read.source, &codes::CYCLE, read.range, message);
                let others = cycle.iter().filter(|v| v.file != self.file);
                diagnostic.related.extend(others.map(|v| whole_file(v.file, "part of the cycle".to_owned())));
            }
        }
    }

    fn reaches(&self, face: &Interface, node: usize, read: &ReadFact, target: Vertex) -> bool {
        match resolve(self.names, Some((face, node)), read) {
            Resolution::Node(n) => target == Vertex { file: self.file, node: Some(n) },
            Resolution::Resource(file) => target.file == file,
            _ => false,
        }
    }

    fn cycle_path(&self, cycle: &[Vertex]) -> String {
        let label = |v: &Vertex| {
            let resource = resource_name(self.db, v.file).clone();
            match (v.node, interface(self.db, v.file)) {
                (Some(n), Some(face)) => format!("{resource}:{}", face.nodes.get(n).map_or("?", |n| &n.name)),
                _ => resource,
            }
        };
        cycle.iter().chain(cycle.first()).map(label).collect::<Vec<_>>().join(" → ")
    }

    fn unused(&self, face: &Interface, sink: &mut Sink<'_>) {
        let typed = face.nodes.iter().any(|n| n.ty != NodeType::Standard);
        if !typed && !face.nodes.is_empty() {
            // Elsewhere a pipe without TYPE may be there for other pipes to read.
            let folder = self.file.path(self.db).parent().and_then(|p| p.file_name());
            let has_type = self.parsed.datafile.all(Directive::Type).next().is_some();
            if !self.is_classic() && !has_type && folder == Some("endpoints") {
                let message = "no node of this pipe has a TYPE, so it is no endpoint; add TYPE endpoint to its last node";
                sink.push(&codes::IMPLICIT_ENDPOINT, self.head(), message.to_owned());
            }
            return;
        }
        let output = output_node(face);
        for (n, (view, node)) in self.parsed.datafile.nodes().iter().zip(&face.nodes).enumerate() {
            let read = face.nodes.iter().enumerate().any(|(m, other)| {
                m != n
                    && other
                        .reads
                        .iter()
                        .any(|r| resolve(self.names, Some((face, m)), r) == Resolution::Node(n))
            });
            if node.ty == NodeType::Standard && !read && Some(n) != output && !node.name.is_empty() {
                let message = format!("no node reads `{}` and it is not published; remove it", node.name);
                let Some(name) = view.name() else { continue };
                let diagnostic = sink.at(view.header(), &codes::UNUSED_NODE, name.range, message);
                diagnostic.tags.push(Tag::Unnecessary);
            }
        }
    }

    /// Forward runs `tests/x.yaml` against the pipe `x` and skips the file when there is none.
    fn test_file(&self, sink: &mut Sink<'_>) {
        let stem = self.file.stem(self.db);
        if is_test(self.db, self.file) && !self.is_classic() && tested_pipe(self.db, self.file).is_none() {
            let near = nearest(stem, self.names.table_names());
            let hint = near.map_or_else(String::new, |n| format!("; did you mean {n}.yaml?"));
            let message =
                format!("there is no pipe `{stem}`, so these tests are skipped without a word{hint}");
            sink.push(&codes::UNTESTED_NAME, TextRange::empty(TextSize::from(0)), message)
                .remedy(near.map(|n| Remedy::FileName(n.to_owned())));
        }
    }
}

/// A name made of what is allowed in a word that is none.
fn identifier(word: &str) -> Option<String> {
    let mut name: String =
        word.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    (name.chars().any(|c| c.is_ascii_alphanumeric()) && !is_reserved_name(&name)).then_some(name)
}

fn whole_file(file: File, message: String) -> Related {
    Related { file, range: TextRange::empty(TextSize::from(0)), message }
}
