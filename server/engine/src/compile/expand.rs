//! A text with everything that it reads put in its place.

use std::ops::Range;
use std::sync::Arc;

use headwater_analysis::scope::{Resolution, resolve};
use headwater_analysis::{File, FileKind, ReadFact, datafile, flow, interface, resource_name};
use headwater_syntax::sql::ast::{
    self, AstNode, Query, QueryParameter, SelectQuery, SetKind, TableName, TableRef,
};
use headwater_syntax::sql::{self, TableUse, Tree};
use headwater_syntax::template;
use headwater_template::{Parameters, Prepared, Rendered, Request, Secrets};

use super::clock::Clock;
use super::error::CompileError;
use super::filter::{MayRead, Mention, rows};
use super::table::quoted;
use super::{Compiler, Rendering, Statement, TableId};

/// Queries inside queries: more of them are no pipeline.
const MAX_DEPTH: usize = 24;

/// Arms of a query that start from a table.
const MAX_STARTS: usize = 256;

/// A query with all that it reads may become this long: half of what the engine reads.
const MAX_BYTES: usize = 2 << 20;

/// A query's text, and where it reads. A function of the text alone.
#[derive(Debug)]
pub(super) struct Piece {
    /// The text with the clock stopped.
    pub(super) text: String,
    /// In order of position.
    pub(super) reads: Vec<Read>,
    /// See [`Statement::order`].
    pub(super) order: Option<Vec<String>>,
    /// It names parameters of the engine, `{name: Type}`.
    pub(super) has_parameters: bool,
}

#[derive(Debug)]
pub(super) struct Read {
    pub(super) range: Range<usize>,
    pub(super) fact: ReadFact,
    /// It stands where a table may have an alias, and has none.
    pub(super) lacks_alias: bool,
    /// The places of `FINAL` and `SAMPLE` behind it.
    pub(super) modifiers: Vec<Range<usize>>,
    /// It is the first table of the query or of an arm of it: the one whose new rows start a view.
    pub(super) is_first: bool,
}

impl Piece {
    pub(super) fn new(text: &str, clock: Option<&Clock>) -> Result<Self, CompileError> {
        let too_large = || {
            CompileError::project("the query is too large to be taken apart; split it into nodes".to_owned())
        };
        let text = match clock {
            Some(clock) => clock.stopped(text),
            None => text.to_owned(),
        };
        let text = text.trim_end().trim_end_matches(';').to_owned();
        let tree = sql::parse(&text).ok_or_else(too_large)?;
        let first = first_tables(&tree, &text);
        let aliases: Vec<(Range<usize>, bool)> = ast::descendants::<TableRef<'_>>(tree.root_node())
            .filter_map(|t| Some((t.source()?.range().into(), t.alias().is_some())))
            .collect();
        let modified = modifiers(&tree);
        let reads = sql::table_references_in(&tree, &text).into_iter().map(|r| {
            let range = Range::<usize>::from(r.range);
            let is_table = matches!(r.usage, TableUse::From | TableUse::Join);
            let has_alias = aliases.iter().any(|(at, alias)| *at == range && *alias);
            Read {
                lacks_alias: is_table && !has_alias,
                modifiers: modified
                    .iter()
                    .find(|(at, _)| *at == range)
                    .map(|(_, all)| all.clone())
                    .unwrap_or_default(),
                is_first: first.contains(&range),
                fact: ReadFact { database: r.database, name: r.name, usage: r.usage },
                range,
            }
        });
        let has_parameters = ast::descendants::<QueryParameter<'_>>(tree.root_node()).next().is_some();
        Ok(Self { reads: reads.collect(), order: order(&tree, &text), has_parameters, text })
    }
}

/// Of each table with modifiers, its place and theirs.
fn modifiers(tree: &Tree) -> Vec<(Range<usize>, Vec<Range<usize>>)> {
    let of = |table: TableRef<'_>| {
        let finals = table.final_modifiers().map(|m| Range::<usize>::from(m.range()));
        let samples = table.sample_clauses().map(|m| Range::<usize>::from(m.range()));
        let mut all: Vec<_> = finals.chain(samples).collect();
        all.sort_by_key(|range| range.start);
        (!all.is_empty()).then_some((Range::<usize>::from(table.source()?.range()), all))
    };
    ast::descendants::<TableRef<'_>>(tree.root_node()).filter_map(of).collect()
}

fn outermost(tree: &Tree) -> Option<SelectQuery<'_>> {
    ast::descendants::<SelectQuery<'_>>(tree.root_node()).next()
}

fn order(tree: &Tree, text: &str) -> Option<Vec<String>> {
    let select = outermost(tree)?;
    // Of a set operation the last one's ORDER BY is not the whole's, so it must be a single query.
    let outside = &text[usize::from(select.range().end())..];
    let upper = outside.to_ascii_uppercase();
    if ["UNION", "EXCEPT", "INTERSECT"].iter().any(|word| upper.contains(word)) {
        return None;
    }
    let clause = select.order_by_clause()?;
    let items: Vec<ast::SelectItem<'_>> = select.items().collect();
    let columns: Option<Vec<String>> = clause
        .order_items()
        .map(|item| match item.value()?.peeled() {
            ast::Expression::ColumnRef(column) => Some(column.parts(text)?.into_iter().next_back()?.value),
            // `ORDER BY 2`
            number => match (number.literal(text)?, &items) {
                (ast::Literal::Integer(n), items) => {
                    let at = usize::try_from(n).ok()?.checked_sub(1)?;
                    match items.get(at)?.output_name(text) {
                        ast::OutputName::Known(name) => Some(name),
                        _ => None,
                    }
                }
                _ => None,
            },
        })
        .collect();
    Some(columns.unwrap_or_default())
}

/// The places of the tables that a query starts from: the first of its FROM, through subqueries and WITH, in each arm of a
/// `UNION`. An engine's own view looks at the first arm only, and loses the rows of the others without a word.
fn first_tables(tree: &Tree, text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    if let Some(query) = ast::descendants::<Query<'_>>(tree.root_node()).next() {
        starts(query, text, &[], MAX_DEPTH, &mut out);
    }
    out
}

fn starts<'t>(
    query: Query<'t>,
    text: &str,
    around: &[(String, ast::Cte<'t>)],
    depth: usize,
    out: &mut Vec<Range<usize>>,
) {
    // Arms of arms grow with the depth: so many places are no view any more.
    if depth == 0 || out.len() > MAX_STARTS {
        return;
    }
    let mut defined = around.to_vec();
    for branch in query.branches(text) {
        if !matches!(branch.joined_by, None | Some(SetKind::Union)) {
            continue;
        }
        let known = defined.len();
        for definition in branch.select.definitions() {
            if let ast::Definition::Cte(cte) = definition
                && let Some(name) = cte.plain_name(text)
            {
                defined.push((name.value, cte));
            }
        }
        let Some(source) = branch.select.sources().into_iter().next().and_then(|s| s.table.source()) else {
            continue;
        };
        match TableName::cast(source.node()) {
            None => {
                if let Some(inner) = ast::descendants::<Query<'_>>(source.node()).next() {
                    starts(inner, text, &defined, depth - 1, out);
                }
            }
            Some(table) => {
                let Some(name) = table.plain(text) else { continue };
                let cte = defined.iter().rposition(|(n, _)| name.database.is_none() && *n == name.name);
                match cte {
                    None => out.push(table.range().into()),
                    // A WITH sees those before it, not itself.
                    Some(at) => {
                        if let Some(inner) = ast::descendants::<Query<'_>>(defined[at].1.node()).next() {
                            starts(inner, text, &defined[..at], depth - 1, out);
                        }
                    }
                }
            }
        }
        // What the first SELECT of a UNION defines, the others may name too.
        if branch.joined_by.is_some() {
            defined.truncate(known);
        }
    }
}

/// What comes in the place of a name.
struct Replacement {
    text: String,
    /// The modifiers behind the name are in it.
    has_modifiers: bool,
}

impl Replacement {
    fn plain(text: String) -> Self {
        Self { text, has_modifiers: false }
    }
}

/// One query on its way to a statement.
pub(super) struct Expansion<'c, 'db> {
    compiler: &'c Compiler<'db>,
    parameters: &'c Parameters,
    aliases: &'c [(&'c str, File)],
    out: Statement,
    /// A data source, and the table that stands for it where the query starts.
    block: Option<(File, String)>,
    /// Asked about the names of a query beside the project.
    may_read: Option<MayRead<'c>>,
}

impl<'c, 'db> Expansion<'c, 'db> {
    pub(super) fn new(
        compiler: &'c Compiler<'db>,
        parameters: &'c Parameters,
        aliases: &'c [(&'c str, File)],
    ) -> Self {
        Self { compiler, parameters, aliases, out: Statement::default(), block: None, may_read: None }
    }

    /// Reads the rows of `table` where the query starts from `source`.
    pub(super) fn over(mut self, source: File, table: String) -> Self {
        self.block = Some((source, table));
        self
    }

    /// Asks about the names that the query itself says.
    pub(super) fn asking(mut self, may_read: Option<MayRead<'c>>) -> Self {
        self.may_read = may_read;
        self
    }

    /// A node's query for the request.
    pub(super) fn render(&mut self, file: File, node: usize) -> Result<String, CompileError> {
        Ok(self.rendering(file, node)?.sql)
    }

    /// The same with the way back.
    pub(super) fn rendering(&mut self, file: File, node: usize) -> Result<Rendering, CompileError> {
        let db = self.compiler.db;
        let parsed = datafile(db, file);
        let nodes = parsed.datafile.nodes();
        let text = nodes.get(node).and_then(|view| Some(view.sql()?.1.text.to_string()));
        let Some(text) = text else {
            let name = nodes.get(node).and_then(|n| n.name()).map(|n| n.value).unwrap_or_default();
            return Err(CompileError::project(format!("node `{name}` of {} has no SQL", file.path(db))));
        };
        self.rendering_of(&text, Some((file, node)))
    }

    pub(super) fn render_text(
        &mut self,
        text: &str,
        at: Option<(File, usize)>,
    ) -> Result<String, CompileError> {
        Ok(self.rendering_of(text, at)?.sql)
    }

    fn rendering_of(&mut self, text: &str, at: Option<(File, usize)>) -> Result<Rendering, CompileError> {
        if !template::is_template(text) {
            return Ok(Rendering { sql: text.to_owned(), map: None });
        }
        // What somebody writes beside the project would print them.
        let none = Secrets::default();
        let is_others = at.is_none() && self.may_read.is_some();
        let secrets = if is_others { &none } else { &self.compiler.options.secrets };
        let request = Request::new(self.parameters, secrets);
        let rendered = Prepared::new(text)
            .and_then(|prepared| prepared.render(&request))
            .map_err(|error| CompileError::render(error, at))?;
        let Rendered { sql, map, settings, secrets, .. } = rendered;
        self.out.take_settings(&settings);
        for secret in secrets {
            let value = secret.value.reveal().to_owned();
            if !self.out.params.iter().any(|(name, _)| *name == secret.name) {
                self.out.params.push((secret.name, value));
            }
        }
        Ok(Rendering { sql, map: Some(map) })
    }

    /// The statement for a text in the place of a node, or beside all nodes.
    pub(super) fn finish(mut self, at: Option<(File, usize)>, text: &str) -> Result<Statement, CompileError> {
        let piece = self.compiler.piece(text)?;
        self.out.order.clone_from(&piece.order);
        self.out.sql = self.expand(at, &piece, self.block.is_some(), MAX_DEPTH)?;
        Ok(self.out)
    }

    /// `is_start` tells that this text's first table is where the whole query starts.
    fn expand(
        &mut self,
        at: Option<(File, usize)>,
        piece: &Arc<Piece>,
        is_start: bool,
        depth: usize,
    ) -> Result<String, CompileError> {
        if depth == 0 {
            return Err(CompileError::project("nodes read each other in circles".to_owned()));
        }
        let mut out = String::with_capacity(piece.text.len() * 2);
        let mut end = 0;
        for read in &piece.reads {
            let modifiers: String =
                read.modifiers.iter().map(|m| format!(" {}", &piece.text[m.clone()])).collect();
            let is_start = is_start && read.is_first;
            let Some(replacement) = self.replacement(at, read, is_start, depth, &modifiers)? else {
                continue;
            };
            out.push_str(&piece.text[end..read.range.start]);
            out.push_str(&replacement.text);
            if read.lacks_alias {
                out.push_str(" AS ");
                out.push_str(&quoted(&read.fact.name));
            }
            end = read.range.end;
            // They are about the table, and go with it.
            for modifier in read.modifiers.iter().filter(|_| replacement.has_modifiers) {
                out.push_str(&piece.text[end..modifier.start]);
                end = modifier.end;
            }
            if out.len() > MAX_BYTES {
                return Err(CompileError::project(format!(
                    "the query with everything that it reads is longer than {} MB; materialize a step of it",
                    MAX_BYTES >> 20
                )));
            }
        }
        out.push_str(&piece.text[end..]);
        Ok(out)
    }

    fn replacement(
        &mut self,
        at: Option<(File, usize)>,
        read: &Read,
        is_start: bool,
        depth: usize,
        modifiers: &str,
    ) -> Result<Option<Replacement>, CompileError> {
        let compiler = self.compiler;
        let db = compiler.db;
        let fact = &read.fact;
        let face = at.and_then(|(file, node)| Some((interface(db, file).as_ref()?, node)));
        let alias = self.aliases.iter().find(|(name, _)| fact.database.is_none() && *name == fact.name);
        let resolution = match alias {
            Some((_, pipe)) => Resolution::Resource(*pipe),
            None => resolve(compiler.names, face.map(|(face, node)| (&**face, node)), fact),
        };
        if alias.is_none() && at.is_none_or(|(_, node)| node == usize::MAX) {
            self.ask(at, fact, &resolution)?;
        }
        let table = |id| Some((None, id));
        let target = match resolution {
            Resolution::Node(node) => at.map(|(file, _)| (Some((file, node)), TableId::Source(file))),
            Resolution::Resource(file) if file.kind(db) == Some(FileKind::Pipe) => {
                let node = interface(db, file).as_ref().and_then(|face| flow::output_node(face));
                let Some(node) = node else {
                    let message = format!("`{}` has no node to be read", resource_name(db, file));
                    return Err(CompileError::project(message));
                };
                Some((Some((file, node)), TableId::Source(file)))
            }
            Resolution::Resource(file) => table(TableId::Source(file)),
            Resolution::Quarantine(file) => table(TableId::Quarantine(file)),
            Resolution::Service => {
                table(TableId::Service(fact.database.clone().unwrap_or_default(), fact.name.clone()))
            }
            Resolution::System => return Ok(None),
            // A column or an alias behind IN, for all that is known.
            Resolution::Unknown if fact.usage == TableUse::In => return Ok(None),
            Resolution::Unknown => return Err(CompileError::project(self.unknown(at, &fact.name))),
            Resolution::Elsewhere | Resolution::ForbiddenSystem => {
                let database = fact.database.as_deref().unwrap_or_default();
                return Err(CompileError::project(format!(
                    "{}reads `{database}.{}`, which is not part of this project",
                    self.whose(at),
                    fact.name
                )));
            }
        };
        let Some((node, id)) = target else { return Ok(None) };
        if let Some((file, node)) = node {
            let text = self.render(file, node)?;
            let piece = compiler.piece(&text)?;
            let inner = self.expand(Some((file, node)), &piece, is_start, depth - 1)?;
            // On a line of its own: a comment may end it.
            return Ok(Some(Replacement::plain(format!("({}\n)", inner.trim()))));
        }
        if let (true, Some((source, block)), TableId::Source(file)) = (is_start, &self.block, &id)
            && source == file
        {
            return Ok(Some(Replacement::plain(block.clone())));
        }
        let name = match fact.usage {
            // Inside of a string.
            TableUse::Argument => compiler.options.layout.plain(db, &id),
            _ => compiler.options.layout.quoted(db, &id),
        };
        let filter = match &id {
            TableId::Source(file) | TableId::Quarantine(file) => compiler.filter(*file),
            TableId::Service(..) => None,
        };
        let is_source = matches!(id, TableId::Source(_));
        if !self.out.tables.contains(&id) {
            self.out.tables.push(id);
        }
        self.out.named += 1;
        let Some(filter) = filter else { return Ok(Some(Replacement::plain(name))) };
        if !is_source {
            let message = "rows that did not fit are shown to who may read all rows of the data source";
            return Err(CompileError::forbidden(message.to_owned()));
        }
        let text = rows(&name, modifiers, filter, fact.usage).map_err(CompileError::forbidden)?;
        Ok(Some(Replacement { text, has_modifiers: true }))
    }

    /// Asks whether a name in the query itself may be read.
    fn ask(
        &self,
        at: Option<(File, usize)>,
        fact: &ReadFact,
        resolution: &Resolution,
    ) -> Result<(), CompileError> {
        let Some(may_read) = self.may_read else { return Ok(()) };
        let db = self.compiler.db;
        let database = fact.database.as_deref().unwrap_or_default();
        let mention = match resolution {
            Resolution::Node(_) => match at {
                Some((pipe, _)) => Mention::Node(resource_name(db, pipe)),
                None => return Ok(()),
            },
            Resolution::Resource(file) if file.kind(db) == Some(FileKind::Pipe) => {
                Mention::Pipe(resource_name(db, *file))
            }
            Resolution::Resource(file) => Mention::Source(resource_name(db, *file)),
            Resolution::Quarantine(file) => Mention::Quarantine(resource_name(db, *file)),
            Resolution::Service => Mention::Service(database, &fact.name),
            // Refused elsewhere, or none of the project's.
            _ => return Ok(()),
        };
        may_read(mention).map_err(CompileError::forbidden)
    }

    fn whose(&self, at: Option<(File, usize)>) -> String {
        let db = self.compiler.db;
        let node = at.and_then(|(file, node)| {
            let name = &interface(db, file).as_ref()?.nodes.get(node)?.name;
            Some(format!("node `{name}` of {} ", file.path(db)))
        });
        node.unwrap_or_default()
    }

    fn unknown(&self, at: Option<(File, usize)>, name: &str) -> String {
        format!(
            "{}reads `{name}`, and the project has no node, pipe or data source of that name",
            self.whose(at)
        )
    }
}

impl Compiler<'_> {
    /// The data source whose new rows a node's query starts from, through nodes and pipes. Templates are read as they
    /// render without a request.
    pub(super) fn trigger(&self, file: File, node: usize) -> Option<File> {
        self.origins_of(file, node).into_iter().next().flatten()
    }

    /// Where each arm of a node's query starts, in order; `None` for an arm that starts from no data source of the project.
    pub(super) fn origins_of(&self, file: File, node: usize) -> Vec<Option<File>> {
        let mut out = Vec::new();
        self.collect_origins(file, node, MAX_DEPTH, &mut out);
        out
    }

    fn collect_origins(&self, file: File, node: usize, depth: usize, out: &mut Vec<Option<File>>) {
        if depth == 0 || out.len() > MAX_STARTS {
            return out.push(None);
        }
        let parameters = Parameters::new();
        let text = Expansion::new(self, &parameters, &[]).render(file, node);
        let Some(piece) = text.ok().and_then(|text| self.piece(&text).ok()) else { return out.push(None) };
        let Some(face) = interface(self.db, file).as_ref() else { return out.push(None) };
        let before = out.len();
        for read in piece.reads.iter().filter(|r| r.is_first) {
            match resolve(self.names, Some((face, node)), &read.fact) {
                Resolution::Node(inner) => self.collect_origins(file, inner, depth - 1, out),
                Resolution::Resource(f) if f.kind(self.db) == Some(FileKind::Pipe) => {
                    let inner = interface(self.db, f).as_ref().and_then(|face| flow::output_node(face));
                    match inner {
                        Some(inner) => self.collect_origins(f, inner, depth - 1, out),
                        None => out.push(None),
                    }
                }
                Resolution::Resource(f) => out.push(Some(f)),
                _ => out.push(None),
            }
        }
        if out.len() == before {
            out.push(None);
        }
    }
}
