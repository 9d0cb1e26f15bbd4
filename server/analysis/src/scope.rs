//! Names to resources (specification §9, §7.3, §20).

use std::sync::Arc;

use headwater_syntax::{Dialect, FileKind};
use rustc_hash::FxHashMap;

use crate::db::Db;
use crate::dialects::dialect;
use crate::facts::{Interface, ReadFact, interface, resource_name};
use crate::inputs::{File, Project};

/// Every name of a project. Changes only when files come, go or are renamed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Data sources and pipes, which share one namespace, by name; more than one is a fault.
    pub tables: FxHashMap<String, Vec<File>>,
    /// Connections by name.
    pub connections: FxHashMap<String, Vec<File>>,
    /// Data sources shared into this workspace, by `(workspace, name)`.
    pub vendored: FxHashMap<(String, String), File>,
    /// Classic: names without version to the latest versioned name.
    latest: FxHashMap<String, String>,
}

/// What a name in a query means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// A node of the same pipe.
    Node(usize),
    /// A data source or pipe.
    Resource(File),
    /// The quarantine table of a data source.
    Quarantine(File),
    /// A data source of the product itself (`tinybird.*`, `organization.*`).
    Service,
    /// A table of another workspace that this project does not vendor, or another database: not ours to judge.
    Elsewhere,
    /// A `system` table that may be read.
    System,
    /// A `system` table that may not.
    ForbiddenSystem,
    /// Nothing.
    Unknown,
}

/// Name table of a project.
#[salsa::tracked]
pub fn names(db: &dyn Db, project: Project) -> Arc<Names> {
    let mut names = Names::default();
    let classic = dialect(db, project).dialect == Dialect::Classic;
    for file in project.files(db).iter() {
        // In Forward the path says it: asking file by file would be the larger part of what a keystroke costs.
        let name = if classic { resource_name(db, *file).clone() } else { file.stem(db).to_owned() };
        match file.kind(db) {
            Some(FileKind::Datasource | FileKind::Pipe) => {
                if let Some(workspace) = vendored_workspace(db, *file) {
                    names.vendored.insert((workspace, name), *file);
                    continue;
                }
                if classic && let Some((base, version)) = split_version(&name) {
                    let newest = names.latest.get(base).and_then(|n| split_version(n)).map(|(_, v)| v);
                    if newest.is_none_or(|v| v < version) {
                        names.latest.insert(base.to_owned(), name.clone());
                    }
                }
                names.tables.entry(name).or_default().push(*file);
            }
            Some(FileKind::Connection) => names.connections.entry(name).or_default().push(*file),
            _ => {}
        }
    }
    Arc::new(names)
}

/// The workspace whose data sources lie under `vendor/<workspace>/`, for a file there.
fn vendored_workspace(db: &dyn Db, file: File) -> Option<String> {
    let mut parts = file.path(db).components().map(|c| c.as_str());
    parts.by_ref().find(|p| *p == "vendor")?;
    let workspace = parts.next()?;
    parts.next().map(|_| workspace.to_owned())
}

/// `name__v3`, and `name__v3_suffix`, as (`name`, 3).
pub fn split_version(name: &str) -> Option<(&str, u32)> {
    let (base, version) = name.rsplit_once("__")?;
    let version = version.strip_prefix('v')?;
    let digits = version.split_once('_').map_or(version, |(digits, _)| digits);
    Some((base, digits.parse().ok()?))
}

impl Names {
    /// The data source or pipe of that name; Classic names may leave the version out.
    pub fn table(&self, name: &str) -> Option<File> {
        let direct = self.tables.get(name).and_then(|f| f.first());
        direct.or_else(|| self.tables.get(self.latest.get(name)?).and_then(|f| f.first())).copied()
    }

    /// Classic: names that leave the version out, with what they mean.
    pub fn without_version(&self) -> impl Iterator<Item = (&str, File)> {
        self.latest.keys().filter_map(|name| Some((name.as_str(), self.table(name)?)))
    }

    /// All table names, for suggestions.
    pub fn table_names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }
}

/// What `read` means in the node with index `own` of a pipe. A node that names itself means the table of that name:
/// `NODE events` over `FROM events` is common.
pub fn resolve(names: &Names, pipe: Option<(&Interface, usize)>, read: &ReadFact) -> Resolution {
    resolve_name(names, pipe, read.database.as_deref(), &read.name)
}

/// The same for a name that stands anywhere.
pub(crate) fn resolve_name(
    names: &Names,
    pipe: Option<(&Interface, usize)>,
    database: Option<&str>,
    name: &str,
) -> Resolution {
    let node = |name: &str| {
        let (pipe, own) = pipe?;
        pipe.nodes.iter().enumerate().position(|(n, node)| n != own && node.name == name)
    };
    resolve_with(names, node, database, name)
}

/// The same for a node of a pipe, without its interface, which says more than the names of its nodes.
pub(crate) fn resolve_in(
    db: &dyn Db,
    file: File,
    own: usize,
    database: Option<&str>,
    name: &str,
) -> Resolution {
    let node =
        |name: &str| node_names(db, file).iter().enumerate().position(|(n, node)| n != own && node == name);
    resolve_with(names(db, file.project(db)), node, database, name)
}

/// The names of a pipe's nodes, in order.
#[salsa::tracked]
fn node_names(db: &dyn Db, file: File) -> Box<[String]> {
    let face = interface(db, file).as_ref();
    face.map(|face| face.nodes.iter().map(|n| n.name.clone()).collect()).unwrap_or_default()
}

fn resolve_with(
    names: &Names,
    node: impl FnOnce(&str) -> Option<usize>,
    database: Option<&str>,
    name: &str,
) -> Resolution {
    match database {
        None => match node(name) {
            Some(node) => Resolution::Node(node),
            None => resolve_table(names, name),
        },
        Some("tinybird" | "organization") => Resolution::Service,
        Some("system") => match name {
            "functions" | "numbers" | "numbers_mt" | "one" => Resolution::System,
            _ => Resolution::ForbiddenSystem,
        },
        Some(workspace) => {
            let vendored = names.vendored.get(&(workspace.to_owned(), name.to_owned())).copied();
            vendored.map_or(Resolution::Elsewhere, Resolution::Resource)
        }
    }
}

/// What a bare name means outside any pipe.
pub fn resolve_table(names: &Names, name: &str) -> Resolution {
    if let Some(file) = names.table(name) {
        return Resolution::Resource(file);
    }
    match name.strip_suffix("_quarantine").and_then(|base| names.table(base)) {
        Some(file) => Resolution::Quarantine(file),
        None => Resolution::Unknown,
    }
}

/// The connection of that name.
pub fn resolve_connection(names: &Names, name: &str) -> Option<File> {
    names.connections.get(name).and_then(|f| f.first()).copied()
}
