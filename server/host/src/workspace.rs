//! The live release as something that can be asked: its project in a database of its own, compiled for each request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use headwater_analysis::{
    Content, Database, FileKind, NodeType, Project, Severity, diagnostics, interface, resource_name,
};
use headwater_engine::compile::{Compiler, Layout, Options, RowFilter, RowFilters};
use headwater_project::{MemoryFileSystem, ProjectRoot, load};
use headwater_template::{Secret, Secrets};

use crate::pipeline::Live;
use crate::project::ProjectFiles;
use crate::tokens::{Access, Scope};

/// Where a project lies in its file system, which is in memory.
const ROOT: &str = "/project";

/// A project that can be asked. Reading it never blocks for long, and many may read at once.
pub struct Workspace {
    live: Option<Arc<Live>>,
    database: Mutex<Database>,
    project: Project,
    layout: Layout,
}

/// The workspace of the live release, made when another release becomes live.
#[derive(Default)]
pub struct Workspaces(Mutex<Option<Arc<Workspace>>>);

impl Workspaces {
    /// That of a release, and whether it was made now.
    pub fn of(&self, live: Option<Arc<Live>>) -> (Arc<Workspace>, bool) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = current.as_ref().filter(|known| known.live == live) {
            return (known.clone(), false);
        }
        let made = Arc::new(Workspace::new(live));
        *current = Some(made.clone());
        (made, true)
    }
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its path.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// What.
    pub message: String,
}

impl Workspace {
    /// Of the live release; of nothing when there is none.
    pub fn new(live: Option<Arc<Live>>) -> Self {
        let none = ProjectFiles::default();
        let files = live.as_ref().map_or(&none, |live| &live.files);
        let (database, project) = read(files);
        let layout = match &live {
            Some(live) => Layout {
                database: live.database.clone(),
                expires: true,
                renamed: live.tables.clone(),
                ..Layout::default()
            },
            None => Layout { expires: true, ..Layout::default() },
        };
        Self { live, database: Mutex::new(database), project, layout }
    }

    /// The release.
    pub fn live(&self) -> Option<&Arc<Live>> {
        self.live.as_ref()
    }

    /// The database of its tables.
    pub fn database(&self) -> &str {
        &self.layout.database
    }

    /// Asks a compiler of the project, which sees what `access` may see. Takes time, and is not for threads that must not wait.
    ///
    /// # Errors
    ///
    /// A filter that is none.
    pub fn compiled<T>(
        &self,
        access: &Access,
        secrets: &BTreeMap<String, String>,
        ask: impl FnOnce(&Compiler<'_>) -> T,
    ) -> Result<T, String> {
        let mut filters = RowFilters::new();
        for (source, texts) in access.filters() {
            let all: Vec<RowFilter> = texts.iter().map(|t| RowFilter::parse(t)).collect::<Result<_, _>>()?;
            if let Some(filter) = RowFilter::any(&all) {
                filters.insert(source, filter);
            }
        }
        let mut known = Secrets::new();
        for (name, value) in secrets {
            known.insert(name.as_str(), Secret::new(value.as_str()));
        }
        let options = Options { clock: None, secrets: known, layout: self.layout.clone(), filters };
        // A snapshot, which lives as long as one request.
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(ask(&Compiler::new(&database, self.project, options)))
    }

    /// What the `TOKEN` lines grant, by the names of tokens.
    pub fn declared_tokens(&self) -> BTreeMap<String, Vec<Scope>> {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut out: BTreeMap<String, Vec<Scope>> = BTreeMap::new();
        for file in self.project.files(&database).iter() {
            let Some(face) = interface(&database, *file) else { continue };
            let name = resource_name(&database, *file).clone();
            for (token, permission) in &face.tokens {
                let scope = match (face.kind, permission.to_ascii_uppercase().as_str()) {
                    (FileKind::Pipe, "READ") => Scope::Pipe(name.clone()),
                    (FileKind::Datasource, "READ") => Scope::Read { source: name.clone(), filter: None },
                    (FileKind::Datasource, "APPEND") => Scope::Append(name.clone()),
                    _ => continue,
                };
                let scopes = out.entry(token.clone()).or_default();
                if !scopes.contains(&scope) {
                    scopes.push(scope);
                }
            }
        }
        out
    }
}

fn read(files: &ProjectFiles) -> (Database, Project) {
    let system = MemoryFileSystem::new();
    for (path, text) in files.iter() {
        system.write(format!("{ROOT}/{path}"), text.as_bytes());
    }
    let mut database = Database::default();
    let loaded = load(&mut database, &system, &ProjectRoot::at(ROOT));
    (database, loaded.project)
}

/// What keeps a project from being deployed: the errors of its files.
pub fn faults(files: &ProjectFiles) -> Vec<Fault> {
    let (database, project) = read(files);
    let mut out = Vec::new();
    for file in project.files(&database).iter().filter(|f| *f.content(&database) != Content::Deleted) {
        let text = file.text(&database);
        for diagnostic in diagnostics(&database, *file).iter().filter(|d| d.severity == Severity::Error) {
            let start = usize::from(diagnostic.range.start()).min(text.len());
            let line = text.as_bytes()[..start].iter().filter(|b| **b == b'\n').count() + 1;
            out.push(Fault {
                path: file.path(&database).to_string(),
                line,
                message: diagnostic.message.clone(),
            });
        }
    }
    out
}

/// Names of the resources of a project, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resources {
    /// Data sources.
    pub sources: Vec<String>,
    /// Endpoints.
    pub endpoints: Vec<String>,
    /// Pipes.
    pub pipes: Vec<String>,
    /// Connections.
    pub connections: Vec<String>,
    /// What is not run by this host yet, and why: connectors, sinks.
    pub idle: Vec<String>,
}

/// The resources of a project.
pub fn resources(files: &ProjectFiles) -> Resources {
    let (database, project) = read(files);
    let mut out = Resources::default();
    for file in project.files(&database).iter() {
        let Some(face) = interface(&database, *file) else { continue };
        let name = resource_name(&database, *file).clone();
        match face.kind {
            FileKind::Datasource => {
                if face.connection.is_some() {
                    out.idle.push(format!(
                        "the connector of {name} is not run by this host: send rows to it instead"
                    ));
                }
                out.sources.push(name);
            }
            FileKind::Pipe => {
                if face.nodes.iter().any(|n| n.ty == NodeType::Sink) {
                    out.idle.push(format!("the sink {name} is not run by this host"));
                }
                if face.nodes.iter().any(|n| n.ty == NodeType::Endpoint) {
                    out.endpoints.push(name.clone());
                }
                out.pipes.push(name);
            }
            FileKind::Connection => out.connections.push(name),
            _ => {}
        }
    }
    for names in [&mut out.sources, &mut out.endpoints, &mut out.pipes, &mut out.connections] {
        names.sort();
    }
    out
}

#[cfg(test)]
mod tests {
    use headwater_engine::compile::Mention;
    use headwater_template::Parameters;

    use super::*;

    fn workspace() -> Workspace {
        let files = ProjectFiles::new(
            [
                (
                    "datasources/events.datasource",
                    "TOKEN tracker APPEND\nTOKEN dash READ\nSCHEMA >\n    org String `json:$.org`\n",
                ),
                (
                    "pipes/top.pipe",
                    "TOKEN dash READ\nNODE n\nSQL >\n    SELECT org FROM events\nTYPE endpoint\n",
                ),
            ]
            .map(|(p, t)| (p.to_owned(), t.to_owned())),
        )
        .expect("files");
        assert_eq!(faults(&files), []);
        let tables = BTreeMap::from([("events".to_owned(), "events_ab12_1".to_owned())]);
        Workspace::new(Some(Arc::new(Live {
            id: files.id(),
            files: Arc::new(files),
            database: "data".to_owned(),
            tables: Arc::new(tables),
        })))
    }

    #[test]
    fn names_are_those_of_the_release_and_tokens_those_of_its_files() {
        let workspace = workspace();
        let sql = |access: &Access, sql: &str| {
            let access = access.clone();
            let made = workspace.compiled(&access.clone(), &BTreeMap::new(), |compiler| {
                let may = |mention: Mention<'_>| match mention {
                    Mention::Source(name) if access.rows(name).is_some() => Ok(()),
                    Mention::Pipe(name) if access.may_ask(name) => Ok(()),
                    _ => Err(format!("not {mention}")),
                };
                compiler.query_for(sql, Default::default(), &Parameters::new(), Some(&may))
            });
            made.expect("filters").map(|s| s.sql).map_err(|e| (e.status, e.message))
        };
        let of = |scopes: &[&str]| Access::new(scopes.iter().map(|s| Scope::parse(s).expect(s)).collect());
        assert_eq!(
            sql(&of(&["ADMIN"]), "SELECT * FROM events").as_deref(),
            Ok("SELECT * FROM `data`.`events_ab12_1` AS `events`")
        );
        assert_eq!(
            sql(&of(&["DATASOURCES:READ:events:org = 'a'"]), "SELECT * FROM events FINAL").as_deref(),
            Ok(
                "SELECT * FROM view(SELECT * FROM `data`.`events_ab12_1` FINAL WHERE ((org = 'a'\n)\n)) AS `events` "
            )
        );
        assert_eq!(sql(&of(&["PIPES:READ:top"]), "SELECT * FROM events").map_err(|e| e.0), Err(403));
        assert!(
            sql(&of(&["PIPES:READ:top"]), "SELECT * FROM top").is_ok_and(|s| s.contains("events_ab12_1"))
        );
        let tokens = workspace.declared_tokens();
        let texts = |name: &str| tokens[name].iter().map(Scope::to_string).collect::<Vec<_>>();
        assert_eq!(texts("tracker"), ["DATASOURCES:APPEND:events"]);
        assert_eq!(texts("dash"), ["DATASOURCES:READ:events", "PIPES:READ:top"]);
    }
}
