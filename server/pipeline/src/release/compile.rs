//! A project's files as a release.

use std::collections::{BTreeMap, BTreeSet};

use headwater_analysis::{File, FileKind, Interface, NodeType, interface, resource_name};
use headwater_engine::compile::{Compiler, TableId};
use headwater_engine::ingest::Schema;
use headwater_plan::{Key, Table};
use headwater_syntax::sql;
use headwater_syntax::sql::ast::{self, AstNode as _, FunctionCall};
use headwater_template::{Parameters, Secrets};

use super::opened::{Opened, layout, settings};
use super::volatile::{self, AT, POSITION, SEED};
use super::{Declared, Endpoint, Faults, Files, PLACE, Problem, Release, Schedule, Source, Token, View};
use crate::sql::{BLOCKS, DATABASE};

impl Release {
    /// Compiles a project's files as the deployment of a number.
    ///
    /// # Errors
    /// Everything that keeps it from being one.
    pub fn compile_as(files: Files, deployment: u32) -> Result<Self, Faults> {
        let opened = Opened::new(&files, layout(physical_names(&files, deployment)));
        let compiler = opened.compiler(Secrets::new());
        let mut making = Making { compiler: &compiler, faults: Vec::new() };
        let sources = making.sources();
        let views = making.views();
        making.refuse_loops(&views);
        let (endpoints, tokens, schedules) = (making.endpoints(), making.tokens(), making.schedules());
        if !making.faults.is_empty() {
            return Err(Faults(making.faults));
        }
        let id = Self::hash(&files, deployment);
        Ok(Self { id, deployment, files, sources, views, endpoints, tokens, schedules })
    }
}

/// What each table and its quarantine are called: name, content, deployment.
fn physical_names(files: &Files, deployment: u32) -> BTreeMap<String, String> {
    let opened = Opened::new(files, layout(BTreeMap::new()));
    let (db, project) = (opened.db(), opened.project());
    let release = headwater_plan::compile(db, project);
    let prints = headwater_plan::fingerprints(db, &release);
    let compiler = opened.compiler(Secrets::new());
    let mut names = BTreeMap::new();
    for file in datasources(&compiler) {
        let Some(print) = prints.get(&Key::table(resource_name(db, file))) else { continue };
        let name = compiler.options().layout.bare(db, &TableId::Source(file));
        names.insert(name.clone(), format!("{name}_{print}_{deployment}"));
        names.insert(format!("{name}_quarantine"), format!("{name}_quarantine_{print}_{deployment}"));
    }
    names
}

/// The data sources, each name once: the first file of a name is the one that counts.
fn datasources(compiler: &Compiler<'_>) -> Vec<File> {
    let db = compiler.db();
    let files = compiler.project().files(db);
    let mut names = BTreeSet::new();
    let mut out = Vec::new();
    for file in files.iter().filter(|file| file.kind(db) == Some(FileKind::Datasource)) {
        if interface(db, *file).is_some() && names.insert(resource_name(db, *file).clone()) {
            out.push(*file);
        }
    }
    out
}

struct Making<'c, 'db> {
    compiler: &'c Compiler<'db>,
    faults: Vec<Problem>,
}

impl<'db> Making<'_, 'db> {
    fn fault(&mut self, file: File, message: impl Into<String>) {
        let file = file.path(self.compiler.db()).to_string();
        self.faults.push(Problem { file, message: message.into() });
    }

    fn sources(&mut self) -> BTreeMap<String, Source> {
        let mut out = BTreeMap::new();
        for file in datasources(self.compiler) {
            match self.source(file) {
                Ok(source) => drop(out.insert(resource_name(self.compiler.db(), file).clone(), source)),
                Err(why) => self.fault(file, why),
            }
        }
        out
    }

    fn source(&self, file: File) -> Result<Source, String> {
        let compiler = self.compiler;
        let (db, layout) = (compiler.db(), &compiler.options().layout);
        let table = compiler.table(file).map_err(|error| error.to_string())?;
        compiler.approve_table(file)?;
        Schema::new(&table).map_err(|(column, error)| format!("column `{column}`: {error}"))?;
        let engine = table.engine.name.clone();
        if !engine.ends_with("MergeTree") && engine != "Null" {
            return Err(format!(
                "tables of the engine {engine} keep no tokens, so after a crash nobody could tell which rows they have; use \
                 one of the MergeTree family"
            ));
        }
        let (columns, is_volatile) = block_columns(&table)?;
        let create =
            |id| compiler.create(&id).map(|create| if_not_exists(&create.sql)).map_err(|e| e.to_string());
        let has_position = order_matters(&table);
        let mut create_table = create(TableId::Source(file))?;
        if has_position {
            let column = format!(",\n    `{POSITION}` UInt64 MATERIALIZED 0 CODEC(Delta, ZSTD)");
            create_table = create_table.replacen("\n)\nENGINE", &format!("{column}\n)\nENGINE"), 1);
        }
        let settings: Vec<String> =
            settings().iter().map(|(name, value)| format!("{name} = {value}")).collect();
        Ok(Source {
            file: file.path(db).to_string(),
            table: layout.bare(db, &TableId::Source(file)),
            quarantine: layout.bare(db, &TableId::Quarantine(file)),
            columns: table.columns.iter().map(declared).collect(),
            engine,
            partition: table.engine.partition_key.clone(),
            create: create_table,
            create_quarantine: format!(
                "{}\nSETTINGS {}",
                create(TableId::Quarantine(file))?,
                settings.join(", ")
            ),
            has_position,
            block: columns.join(",\n    "),
            is_volatile,
        })
    }

    fn views(&mut self) -> Vec<View> {
        let compiler = self.compiler;
        let known = compiler.views();
        let mut out = Vec::new();
        for (pipe, node, target) in compiler.view_nodes() {
            let Some(view) = known.iter().find(|view| view.pipe == pipe && view.node == node) else {
                let why = match target {
                    None => {
                        "the view has no target that the project defines; name a data source with DATASOURCE"
                    }
                    Some(_) => {
                        "the view starts from no data source of the project: the first table of its FROM is the one whose \
                         new rows it sees"
                    }
                };
                self.fault(pipe, why);
                continue;
            };
            match self.view(view) {
                Ok(view) => out.push(view),
                Err(why) => self.fault(pipe, why),
            }
        }
        out
    }

    fn view(&self, view: &headwater_engine::compile::View) -> Result<View, String> {
        let compiler = self.compiler;
        let db = compiler.db();
        if compiler.origins(view).iter().any(|origin| *origin != Some(view.source)) {
            return Err(format!(
                "the arms of the view's UNION ALL do not all start from `{}`: write a view for each data source",
                resource_name(db, view.source)
            ));
        }
        let statement = compiler.view_query(view, PLACE).map_err(|error| error.to_string())?;
        compiler.approve(&statement, &[DATABASE, BLOCKS])?;
        if !statement.params.is_empty() {
            return Err("the view uses a secret; views run without a request, so write the value or join a data source".into());
        }
        let target = resource_name(db, view.target).clone();
        let kept = depends(compiler, &statement);
        let node = interface(db, view.pipe).as_ref().and_then(|face| face.nodes.get(view.node));
        Ok(View {
            file: view.pipe.path(db).to_string(),
            pipe: resource_name(db, view.pipe).clone(),
            node: node.map(|node| node.name.clone()).unwrap_or_default(),
            source: resource_name(db, view.source).clone(),
            target,
            kept,
            sql: statement.sql,
        })
    }

    /// Views that feed each other would never come to an end.
    fn refuse_loops(&mut self, views: &[View]) {
        for start in views {
            let (mut open, mut seen) = (vec![start.target.as_str()], BTreeSet::new());
            while let Some(at) = open.pop() {
                if at == start.source {
                    self.faults.push(Problem {
                        file: start.file.clone(),
                        message: format!(
                            "rows of `{}` would come back to it through views, for ever; one of the views must fill another \
                             data source",
                            start.source
                        ),
                    });
                    break;
                }
                if seen.insert(at) {
                    open.extend(views.iter().filter(|v| v.source == at).map(|v| v.target.as_str()));
                }
            }
        }
    }

    fn pipes(&self) -> Vec<(File, &'db Interface)> {
        let db = self.compiler.db();
        let files = self.compiler.project().files(db);
        let pipes = files.iter().filter(|file| file.kind(db) == Some(FileKind::Pipe));
        pipes.filter_map(|file| Some((*file, &**interface(db, *file).as_ref()?))).collect()
    }

    fn endpoints(&mut self) -> BTreeMap<String, Endpoint> {
        let compiler = self.compiler;
        let db = compiler.db();
        let mut out = BTreeMap::new();
        for (file, face) in self.pipes() {
            let Some(node) = face.nodes.iter().position(|node| node.ty == NodeType::Endpoint) else {
                continue;
            };
            let mut parameters = BTreeSet::new();
            for node in &face.nodes {
                parameters.extend(node.parameters.iter().map(|p| p.name.clone()));
            }
            // What a request makes is made for a request.
            let statement = compiler.node_query(file, node, &Parameters::new()).ok();
            let sql = statement.filter(|s| parameters.is_empty() && s.params.is_empty()).map(|s| s.sql);
            let endpoint = Endpoint {
                file: file.path(db).to_string(),
                node: face.nodes[node].name.clone(),
                sql,
                parameters: parameters.into_iter().collect(),
            };
            out.insert(face.name.clone(), endpoint);
        }
        out
    }

    fn tokens(&self) -> Vec<Token> {
        let db = self.compiler.db();
        let mut out = Vec::new();
        for file in self.compiler.project().files(db).iter() {
            let Some(face) = interface(db, *file) else { continue };
            for (name, permission) in &face.tokens {
                out.push(Token {
                    name: name.clone(),
                    resource: face.name.clone(),
                    permission: permission.to_ascii_uppercase(),
                });
            }
        }
        out
    }

    fn schedules(&self) -> Vec<Schedule> {
        let compiler = self.compiler;
        let db = compiler.db();
        let mut out = Vec::new();
        for copy in compiler.copies() {
            let definition = headwater_plan::definition(db, copy.pipe);
            let Some(node) =
                definition.as_ref().and_then(|d| d.pipe()).and_then(|pipe| pipe.nodes.get(copy.node))
            else {
                continue;
            };
            let when = node.job.get("COPY_SCHEDULE").filter(|when| !when.eq_ignore_ascii_case("@on-demand"));
            out.push(Schedule {
                pipe: resource_name(db, copy.pipe).clone(),
                node: node.name.clone(),
                target: resource_name(db, copy.target).clone(),
                when: when.cloned(),
                replaces: copy.replaces,
            });
        }
        out
    }
}

fn declared(column: &headwater_plan::Column) -> Declared {
    Declared {
        name: column.name.clone(),
        ty: column.ty.clone(),
        default: column.default.clone(),
        jsonpath: column.jsonpath.clone(),
    }
}

fn if_not_exists(create: &str) -> String {
    create.replacen("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ", 1)
}

/// The columns of a block, those of time and chance behind them; whether a default asks for these.
fn block_columns(table: &Table) -> Result<(Vec<String>, bool), String> {
    let mut is_volatile = false;
    let mut columns = Vec::new();
    for column in &table.columns {
        let mut plain = headwater_plan::Column { codec: None, ..column.clone() };
        if let Some(default) = &column.default {
            let fixed = volatile::fixed(default).map_err(|function| {
                format!(
                    "the DEFAULT of `{}` calls `{function}`, whose value cannot be kept with the row; compute it in a view, or \
                     send it",
                    column.name
                )
            })?;
            if let Some(fixed) = fixed {
                plain.default = Some(fixed);
                is_volatile = true;
            }
        }
        columns.push(headwater_plan::ddl::column(&plain));
    }
    columns.push(format!("`{AT}` Int64 MATERIALIZED 0"));
    columns.push(format!("`{SEED}` UInt64 MATERIALIZED 0"));
    columns.push(format!("`{POSITION}` UInt64 MATERIALIZED 0"));
    Ok((columns, is_volatile))
}

/// Whether it matters which of two rows came first: then rows that are put into another table must come in the same order.
fn order_matters(table: &Table) -> bool {
    match table.engine.name.as_str() {
        "ReplacingMergeTree" => !table.engine.arguments.contains_key("ENGINE_VER"),
        "CollapsingMergeTree" => true,
        _ => false,
    }
}

/// What a view's result depends on besides the block.
fn depends(compiler: &Compiler<'_>, statement: &headwater_engine::compile::Statement) -> Option<String> {
    if let Some(table) = statement.tables.first() {
        let db = compiler.db();
        let name = match table {
            TableId::Source(file) => resource_name(db, *file).clone(),
            TableId::Quarantine(file) => format!("{}_quarantine", resource_name(db, *file)),
            TableId::Service(database, name) => format!("{database}.{name}"),
        };
        return Some(format!("it reads `{name}`"));
    }
    let Some(tree) = sql::parse(&statement.sql) else {
        return Some("its query is too large to be looked at".into());
    };
    for call in ast::descendants::<FunctionCall<'_>>(tree.root_node()) {
        let Some(name) = call.plain_name(&statement.sql) else {
            return Some(format!("`{}` is not understood", call.text(&statement.sql)));
        };
        if volatile::is_volatile(&name.value) {
            return Some(format!("`{}` gives another value at each run", name.value));
        }
    }
    None
}
