//! Texts to trees, with includes spliced in, and where each query reads.

use std::sync::Arc;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use headwater_syntax::sql::{TableReference, table_references, table_references_in};
use headwater_syntax::template;
use headwater_syntax::{Datafile, Dialect, Directive, FileKind, TextRange};
use rustc_hash::FxHashMap;

use crate::db::Db;
use crate::dialects::dialect;
use crate::inputs::{Content, File, Project};
use crate::rendering::Memory;

/// A parsed file and what became of its includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The tree, includes spliced in.
    pub datafile: Datafile,
    /// Its `INCLUDE` lines, in order, also those of included files.
    pub includes: Vec<Include>,
}

/// One `INCLUDE` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// Index into the datafile's sources of the text that holds the line.
    pub source: usize,
    /// The path argument.
    pub range: TextRange,
    /// The included file.
    pub target: Option<File>,
    /// Why nothing was spliced in.
    pub problem: Option<IncludeProblem>,
}

/// Why an include stays out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncludeProblem {
    /// No such file, with the path looked for.
    Missing(Utf8PathBuf),
    /// The file is already being included: the chain, first to last.
    Cycle(Vec<Utf8PathBuf>),
    /// No path.
    NoPath,
}

/// More includes in one file than this are not followed: the cap bounds what a chain of doubling includes can cost.
const MAX_INCLUDES: usize = 256;

/// Files of a project by path. Changes only when files come or go.
#[salsa::tracked(no_eq)]
fn files_by_path(db: &dyn Db, project: Project) -> Arc<FxHashMap<Utf8PathBuf, File>> {
    Arc::new(project.files(db).iter().map(|f| (f.path(db).clone(), *f)).collect())
}

/// The tree of a file. Linear in its text and what it includes.
#[salsa::tracked(no_eq)]
pub fn datafile(db: &dyn Db, file: File) -> Arc<Parsed> {
    let project = file.project(db);
    let dialect = dialect(db, project).dialect;
    let kind = file.kind(db).unwrap_or(FileKind::Include);
    let mut datafile = Datafile::parse(file.text(db), kind, dialect);
    let mut includes = Vec::new();
    if dialect == Dialect::Classic {
        let mut chains = vec![vec![file.path(db).clone()]];
        let mut at = 0;
        while at < datafile.entries.len() {
            if datafile.entries[at].entry.directive == Some(Directive::Include)
                && includes.len() < MAX_INCLUDES
                && include(db, project, &mut datafile, at, &mut chains, &mut includes)
            {
                continue;
            }
            at += 1;
        }
    }
    Arc::new(Parsed { datafile, includes })
}

/// Splices in the include at `at`; false when it stays.
fn include(
    db: &dyn Db,
    project: Project,
    datafile: &mut Datafile,
    at: usize,
    chains: &mut Vec<Vec<Utf8PathBuf>>,
    includes: &mut Vec<Include>,
) -> bool {
    let entry = &datafile.entries[at];
    let source = entry.source;
    let text = datafile.source_of(entry);
    let args: Vec<String> =
        entry.entry.args.iter().map(|r| text[*r].trim_matches(['"', '\'']).to_owned()).collect();
    let range = entry.entry.args.first().copied().unwrap_or(entry.entry.keyword);
    let mut push = |target, problem| includes.push(Include { source, range, target, problem });
    let Some((path, variables)) = args.split_first() else {
        push(None, Some(IncludeProblem::NoPath));
        return false;
    };
    let chain = &chains[source];
    let base = chain.last().and_then(|p| p.parent()).unwrap_or(Utf8Path::new(""));
    let path = normalize(&base.join(path));
    if chain.contains(&path) {
        let chain = chain.iter().cloned().chain([path]).collect();
        push(None, Some(IncludeProblem::Cycle(chain)));
        return false;
    }
    let Some(target) = files_by_path(db, project).get(&path).copied() else {
        push(None, Some(IncludeProblem::Missing(path)));
        return false;
    };
    let Content::Text(text) = target.content(db) else {
        push(Some(target), Some(IncludeProblem::Missing(path)));
        return false;
    };
    push(Some(target), None);
    let mut chain = chain.clone();
    chain.push(path);
    chains.push(chain);
    datafile.splice(at, substitute(text, variables));
    true
}

/// `$KEY` and `${KEY}` replaced by the values of `KEY=value` arguments.
fn substitute(text: &Arc<str>, variables: &[String]) -> Arc<str> {
    let pairs: Vec<_> = variables.iter().filter_map(|v| v.split_once('=')).collect();
    if pairs.is_empty() || !text.contains('$') {
        return text.clone();
    }
    let mut out = text.to_string();
    for (key, value) in pairs {
        out = out.replace(&format!("${{{key}}}"), value).replace(&format!("${key}"), value);
    }
    out.into()
}

/// Resolves `.` and `..` in a relative path without looking at the disk.
fn normalize(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                if !out.pop() {
                    out.push("..");
                }
            }
            other => out.push(other),
        }
    }
    out
}

/// The SQL of one node. A tracked struct, so that a keystroke in one node leaves the others' answers alone.
#[salsa::tracked(debug)]
pub(crate) struct NodeSql<'db> {
    index: usize,
    /// The query, blank lines and comments of the format left out.
    #[tracked]
    pub(crate) text: Arc<str>,
}

/// Nodes of one pipe that are looked at. Real pipes have a dozen; what compares nodes with nodes is bounded by this.
pub(crate) const MAX_NODES: usize = 1_000;

#[salsa::tracked]
pub(crate) fn node_sqls(db: &dyn Db, file: File) -> Vec<NodeSql<'_>> {
    let parsed = datafile(db, file);
    let nodes = parsed.datafile.nodes();
    nodes
        .iter()
        .take(MAX_NODES)
        .map(|n| NodeSql::new(db, n.index, n.sql().map_or_else(|| "".into(), |(_, sql)| sql.text)))
        .collect()
}

/// Tables that one node's SQL names, over all variants of a template, in offsets of its text. `None` when the query is
/// too large to be looked at.
#[salsa::tracked]
fn sql_references<'db>(db: &'db dyn Db, sql: NodeSql<'db>) -> Option<Arc<[TableReference]>> {
    references_in(db.memory(), sql.text(db)).map(Into::into)
}

fn references_in(memory: &Memory, text: &Arc<str>) -> Option<Vec<TableReference>> {
    // The same trees are what the query's meaning is read from: nothing is parsed for this alone where they say it all.
    let renderings = memory.renderings(text);
    if renderings.is_whole {
        let found = renderings.iter().flat_map(|rendering| {
            let all = table_references_in(&rendering.tree, &rendering.text);
            // A name that a tag makes is another in another request.
            all.into_iter().filter_map(|r| Some(TableReference { range: rendering.literal(r.range)?, ..r }))
        });
        return Some(in_order(found.collect()));
    }
    if !template::is_template(text) {
        return None;
    }
    let tree = memory.template(text);
    if let Some(whole) = headwater_template::all_arms(text, &tree) {
        return table_references(&whole);
    }
    let variants = headwater_template::variants(text, &tree)?;
    let mut all = Vec::new();
    for variant in &variants {
        all.extend(table_references(&variant.text)?);
    }
    Some(in_order(all))
}

fn in_order(mut all: Vec<TableReference>) -> Vec<TableReference> {
    all.sort_by_key(|r| (r.range.start(), r.range.end(), r.usage));
    all.dedup();
    all
}

/// A table that a node reads, placed in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRead {
    /// Index of the node.
    pub node: usize,
    /// What is read and how; its range is an offset into the node's text.
    pub reference: TableReference,
    /// Index of the source that holds the node's SQL; 0 is the file itself.
    pub source: usize,
    /// Place in that source.
    pub range: TextRange,
}

/// Everything the nodes of a pipe read, in order.
pub fn node_reads(db: &dyn Db, file: File) -> Vec<NodeRead> {
    let parsed = datafile(db, file);
    let sqls = node_sqls(db, file);
    let mut out = Vec::new();
    for (node, sql) in parsed.datafile.nodes().iter().zip(sqls) {
        let Some((entry, text)) = node.sql() else { continue };
        out.extend(sql_references(db, *sql).iter().flat_map(|all| all.iter()).map(|reference| NodeRead {
            node: node.index,
            reference: reference.clone(),
            source: entry.source,
            range: text.to_source(reference.range),
        }));
    }
    out
}

/// Indexes of the nodes whose query was too large to be looked at.
pub(crate) fn unread_nodes(db: &dyn Db, file: File) -> Vec<usize> {
    let sqls = node_sqls(db, file).iter().enumerate();
    let too_large = sqls.filter(|(_, sql)| sql_references(db, **sql).is_none()).map(|(n, _)| n);
    too_large.chain(MAX_NODES..datafile(db, file).datafile.nodes().len()).collect()
}
