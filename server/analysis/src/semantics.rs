//! What nodes mean: their columns with types and sources, and what is wrong with their queries, over every request that
//! takes another arm of a template.
//!
//! The firewall of this layer is [`Relation`]: the columns of a data source or a node, without places. A pipe is looked
//! at again when a relation that it reads has changed, not when the text behind it has.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use headwater_catalog::Type;
pub use headwater_syntax::sql::Tree;
use headwater_syntax::{Datafile, Directive, FileKind, TextRange, TextSize, sql, template};
use headwater_template::Given;
use rustc_hash::FxHashMap;

use crate::db::Db;
use crate::facts::interface;
use crate::inputs::File;
use crate::parse::{datafile, node_sqls};
pub use crate::query::Relation;
use crate::query::{self, Column, Facts, Tables};
pub use crate::rendering::{Place, Rendering, Renderings};
use crate::scope::{Resolution, resolve_in};
use crate::service;

/// What a request passes, in order of name.
pub type Passed = Arc<[(String, Given)]>;

/// What a text means in the place of a node's query for a request, which is that of the nodes and pipes that it reads too.
/// Not remembered.
pub fn facts_at(db: &dyn Db, file: File, node: usize, text: &str, request: &[(String, Given)]) -> Facts {
    let passed = passed(request.iter().map(|(name, value)| (name.as_str(), value)));
    let tables = NodeTables { passed: Some(&passed), ..NodeTables::new(db, file, node) };
    sql::parse(text).map_or_else(Facts::default, |tree| query::analyze(text, &tree, &tables))
}

fn passed<'r>(request: impl Iterator<Item = (&'r str, &'r Given)>) -> Passed {
    let mut all: Vec<_> = request.map(|(name, value)| (name.to_owned(), value.clone())).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all.into()
}

/// What stands around a place of a text in the place of a node's query, in offsets of that text. Of a template, the
/// request that takes the arm at the place. Not remembered.
pub fn around(db: &dyn Db, file: File, node: usize, text: &str, at: TextSize) -> query::Around {
    let tables = NodeTables::new(db, file, node);
    let ask = |text: &str| {
        sql::parse(text).map_or_else(query::Around::default, |tree| query::around(text, &tree, &tables, at))
    };
    variant_at(text, at).map_or_else(query::Around::default, |variant| ask(&variant))
}

/// SQL, or a template with its control tags and some arms blanked, such that the text at a place stays; offsets are the
/// text's own. `None` when the place is in a control tag, or no request reaches it.
pub fn variant_at(text: &str, at: TextSize) -> Option<Cow<'_, str>> {
    if !template::is_template(text) {
        return Some(Cow::Borrowed(text));
    }
    let tree = template::parse(text);
    let at = usize::from(at);
    // At the end of a word the place is behind it.
    let last = at.checked_sub(1).unwrap_or(at);
    let kept = |variant: &str, at: usize| variant.as_bytes().get(at) == text.as_bytes().get(at);
    let variants = headwater_template::variants(text, &tree)?;
    let best = variants.iter().position(|v| kept(&v.text, last) && kept(&v.text, at));
    let found = best.or_else(|| variants.iter().position(|v| kept(&v.text, last)))?;
    variants.into_iter().nth(found).map(|v| Cow::Owned(v.text))
}

/// The texts of the node with this index.
pub fn node_renderings(db: &dyn Db, file: File, node: usize) -> Arc<Renderings> {
    let sql = node_sqls(db, file).get(node);
    sql.map_or_else(Arc::default, |sql| db.memory().renderings(sql.text(db)))
}

/// What a node's query means, for each of its texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeMeaning {
    /// For each text, in order: the facts, in offsets of the node's text.
    pub facts: Vec<Facts>,
    /// The columns that others see.
    pub relation: Arc<Relation>,
    /// Whether requests were found for all of the texts: none depends on more than parameters.
    pub is_decided: bool,
}

/// What the node with this index means.
pub fn node_meaning(db: &dyn Db, file: File, node: usize) -> &Arc<NodeMeaning> {
    meaning(db, file, node)
}

#[salsa::tracked(cycle_result = unknown_meaning)]
fn meaning(db: &dyn Db, file: File, node: usize) -> Arc<NodeMeaning> {
    let Some(sql) = node_sqls(db, file).get(node) else { return Arc::default() };
    let tables = NodeTables::new(db, file, node);
    let renderings = db.memory().renderings(sql.text(db));
    let mut facts: Vec<Facts> =
        renderings.iter().map(|r| query::analyze(&r.text, &r.tree, &tables)).collect();
    let reads_differ = tables.reads_differ.get();
    let relation = merged(&facts, &renderings);
    let relation = Arc::new(Relation { by_request: relation.by_request || reads_differ, ..relation });
    if reads_differ {
        for (facts, rendering) in facts.iter_mut().zip(renderings.iter()).filter(|(_, r)| r.is_request()) {
            let passed = passed(rendering.witness.request());
            let tables = NodeTables { passed: Some(&passed), ..NodeTables::new(db, file, node) };
            facts.learn(query::analyze(&rendering.text, &rendering.tree, &tables));
        }
    }
    let is_decided = renderings.iter().all(|r| r.witness.undecided.is_empty());
    Arc::new(NodeMeaning { facts, relation, is_decided })
}

fn unknown_meaning(_: &dyn Db, _: salsa::Id, _: File, _: usize) -> Arc<NodeMeaning> {
    Arc::default()
}

/// The columns of a node to those who read it.
#[salsa::tracked(cycle_result = unknown_node)]
pub fn node_relation(db: &dyn Db, file: File, node: usize) -> Arc<Relation> {
    meaning(db, file, node).relation.clone()
}

fn unknown_node(_: &dyn Db, _: salsa::Id, _: File, _: usize) -> Arc<Relation> {
    Arc::default()
}

/// The columns of a node to one that reads it for the same request. Only asked where [requests differ](Relation::by_request).
#[salsa::tracked(cycle_result = unknown_at)]
#[allow(clippy::needless_pass_by_value, reason = "a key of the database")]
fn relation_at(db: &dyn Db, file: File, node: usize, passed: Passed) -> Arc<Relation> {
    let Some(sql) = node_sqls(db, file).get(node) else { return Arc::default() };
    let text = sql.text(db);
    let renderings = db.memory().renderings(text);
    let made;
    let rendering = if template::is_template(text) {
        // What no query of its kind renders without is not what the request is about.
        let with_required = || {
            let required = renderings
                .iter()
                .flat_map(|r| &r.witness.required)
                .map(|(name, value)| (name.as_str(), value));
            let mut all: Vec<(String, Given)> = passed.to_vec();
            for (name, value) in required {
                if !all.iter().any(|(known, _)| known == name) {
                    all.push((name.to_owned(), value.clone()));
                }
            }
            all
        };
        let template = db.memory().template(text);
        let made_now = Rendering::at(text, &template, &passed)
            .or_else(|| Rendering::at(text, &template, &with_required()));
        match made_now {
            Some(new) => {
                made = new;
                &made
            }
            // What it is for this request nobody knows.
            None => return node_relation(db, file, node).clone(),
        }
    } else {
        match renderings.first() {
            Some(only) => only,
            None => return Arc::default(),
        }
    };
    let tables = NodeTables { passed: Some(&passed), ..NodeTables::new(db, file, node) };
    let facts = [query::analyze(&rendering.text, &rendering.tree, &tables)];
    Arc::new(merged(&facts, std::slice::from_ref(rendering)))
}

fn unknown_at(_: &dyn Db, _: salsa::Id, _: File, _: usize, _: Passed) -> Arc<Relation> {
    Arc::default()
}

/// The columns that a node selects, each where it first stands, in offsets of the node's text. A type that differs between
/// requests is left out.
pub fn selected(db: &dyn Db, file: File, node: usize) -> Vec<query::OutputColumn> {
    let mut at: FxHashMap<TextRange, usize> = FxHashMap::default();
    let mut out: Vec<query::OutputColumn> = Vec::new();
    let renderings = node_renderings(db, file, node);
    for (facts, rendering) in meaning(db, file, node).facts.iter().zip(renderings.iter()) {
        for column in &facts.columns {
            let range = rendering.to_node(column.range).range;
            match at.get(&range) {
                Some(n) if out[*n].ty != column.ty => {
                    out[*n].ty = None;
                    out[*n].either = None;
                }
                Some(_) => {}
                None => {
                    at.insert(range, out.len());
                    out.push(query::OutputColumn { range, ..column.clone() });
                }
            }
        }
    }
    out
}

/// Names of the columns that a node selects and the place of each item, in offsets of the node's text, over all requests.
pub fn selected_all(db: &dyn Db, file: File, node: usize) -> Vec<(String, TextRange)> {
    let mut out = Vec::new();
    let renderings = node_renderings(db, file, node);
    for (facts, rendering) in meaning(db, file, node).facts.iter().zip(renderings.iter()) {
        for column in &facts.columns {
            let place = rendering.to_node(column.range);
            if let (Some(name), false) = (&column.name, place.is_made_up) {
                out.push((name.clone(), place.range));
            }
        }
    }
    out.sort_by_key(|(_, range)| (range.start(), range.end()));
    out.dedup();
    out
}

/// The columns of a data source, or of what a pipe publishes.
#[salsa::tracked(cycle_result = unknown_resource)]
pub fn relation(db: &dyn Db, file: File) -> Arc<Relation> {
    let Some(face) = interface(db, file) else { return Arc::default() };
    match face.kind {
        FileKind::Datasource => Arc::new(datasource(db, file)),
        FileKind::Pipe => match crate::flow::output(db, file).node {
            Some(node) => node_relation(db, file, node).clone(),
            None => Arc::default(),
        },
        _ => Arc::default(),
    }
}

fn unknown_resource(_: &dyn Db, _: salsa::Id, _: File) -> Arc<Relation> {
    Arc::default()
}

fn datasource(db: &dyn Db, file: File) -> Relation {
    let Some(face) = interface(db, file) else { return Relation::unknown() };
    let mut columns = Vec::new();
    for column in &face.columns {
        let ty = Type::parse(&column.ty).ok();
        // The engine stores a nested structure as one array for each of its columns.
        match ty {
            Some(Type::Nested(parts)) => columns.extend(parts.iter().map(|part| {
                let name = part.name.as_deref().unwrap_or_default();
                Column::new(format!("{}.{name}", column.name), Some(Type::array(part.ty.clone())))
            })),
            ty => columns.push(Column::new(column.name.clone(), ty)),
        }
    }
    let mut virtuals = service::virtual_columns();
    let complete = !columns.is_empty();
    let mut star_may_show_more = false;
    let directives = &datafile(db, file).datafile;
    let is_kafka = [Directive::KafkaConnectionName, Directive::KafkaTopic]
        .iter()
        .any(|d| directives.value(*d).is_some());
    if is_kafka {
        // The product may add the columns of messages where the file does not list them (specification §4.4): they can be
        // named, and whether a star shows them is not known.
        let undeclared = |c: &Column| columns.iter().all(|own| own.name != c.name);
        let added: Vec<Column> = service::kafka_columns().into_iter().filter(undeclared).collect();
        star_may_show_more = !added.is_empty();
        virtuals = virtuals.iter().cloned().chain(added).collect();
    }
    // Tables that are read out of DynamoDB have columns about the change that a row comes from.
    if directives.value(Directive::ImportTableArn).is_some() {
        let undeclared = |c: &Column| columns.iter().all(|own| own.name != c.name);
        let added: Vec<Column> = service::dynamodb_columns().into_iter().filter(undeclared).collect();
        star_may_show_more |= !added.is_empty();
        virtuals = virtuals.iter().cloned().chain(added).collect();
    }
    let (takes_final, takes_sample) = modifiers(directives);
    let own = Relation { takes_final, takes_sample, ..Relation::default() };
    Relation { columns, virtuals, complete, star_may_show_more, ..own }
}

/// Whether a data source may be read with `FINAL`, and with `SAMPLE`; `None` where its engine is not known.
fn modifiers(datafile: &Datafile) -> (Option<bool>, Option<bool>) {
    let Some(engine) = datafile.value(Directive::Engine) else { return (None, None) };
    // Of the engines that keep every row there is one.
    let Some(kind) = engine.strip_suffix("MergeTree") else { return (None, None) };
    let is_final = match kind {
        "" => Some(false),
        "Replacing" | "Summing" | "Aggregating" | "Collapsing" | "VersionedCollapsing" => Some(true),
        _ => None,
    };
    (is_final, is_final.map(|_| datafile.value(Directive::EngineSamplingKey).is_some()))
}

/// What all requests agree on. A column that only some of them have may be there or not: it can be named, and a star may show
/// it or not. Columns that the request names itself may be any.
fn merged(all: &[Facts], renderings: &[Rendering]) -> Relation {
    let Some((first, others)) = all.split_first() else { return Relation::unknown() };
    let own = |c: &query::OutputColumn| Column {
        name: c.name.clone(),
        ty: c.ty.clone(),
        either: c.either.clone(),
        range: None,
        sources: Arc::new([]),
    };
    let mut columns: Vec<Column> = first.columns.iter().map(own).collect();
    let mut complete =
        all.iter().zip(renderings).all(|(facts, rendering)| facts.complete && rendering.names_columns(facts));
    let mut index: FxHashMap<String, usize> =
        columns.iter().enumerate().filter_map(|(n, c)| Some((c.name.clone()?, n))).collect();
    for column in others.iter().flat_map(|facts| &facts.columns) {
        let Some(name) = &column.name else {
            complete = false;
            continue;
        };
        match index.get(name) {
            Some(n) => {
                let first = &mut columns[*n];
                (first.ty, first.either) = either(first, column);
            }
            None => {
                index.insert(name.clone(), columns.len());
                columns.push(own(column));
            }
        }
    }
    let is_same = all.iter().all(|facts| {
        facts.columns.len() == columns.len()
            && facts.columns.iter().zip(&columns).all(|(a, b)| a.name == b.name)
    });
    let by_request = !is_same || columns.iter().any(|c| c.either.is_some()) || {
        let types = |facts: &'_ Facts| facts.columns.iter().map(|c| c.ty.clone()).collect::<Vec<_>>();
        all.windows(2).any(|pair| types(&pair[0]) != types(&pair[1]))
    };
    Relation { columns, complete, star_may_show_more: !is_same, by_request, ..Relation::default() }
}

/// The type that a column has in both of two, or the few that it has in one or the other.
fn either(one: &Column, other: &query::OutputColumn) -> (Option<Type>, Option<Arc<[Type]>>) {
    /// More than these are no longer told apart.
    const MOST: usize = 4;
    if one.ty.is_some() && one.ty == other.ty {
        return (one.ty.clone(), None);
    }
    fn all<'a>(ty: &'a Option<Type>, either: &'a Option<Arc<[Type]>>) -> Option<&'a [Type]> {
        ty.as_ref().map(std::slice::from_ref).or(either.as_deref())
    }
    let (Some(first), Some(second)) = (all(&one.ty, &one.either), all(&other.ty, &other.either)) else {
        return (None, None);
    };
    let mut types = first.to_vec();
    types.extend(second.iter().filter(|ty| !first.contains(ty)).cloned());
    (None, (types.len() <= MOST).then(|| types.into()))
}

/// What a node would mean with another query, and other tables: `relation` says what a name stands for, and may ask what it
/// stands for now. One for each text that requests make of it, as in [`NodeMeaning::facts`].
pub fn meaning_of(
    db: &dyn Db,
    file: File,
    node: usize,
    text: &str,
    relation: &dyn Fn(&dyn Tables, Option<&str>, &str) -> Option<Arc<Relation>>,
) -> Vec<Facts> {
    struct Others<'a> {
        now: NodeTables<'a>,
        relation: &'a dyn Fn(&dyn Tables, Option<&str>, &str) -> Option<Arc<Relation>>,
    }
    impl Tables for Others<'_> {
        fn relation(&self, database: Option<&str>, name: &str) -> Option<Arc<Relation>> {
            (self.relation)(&self.now, database, name)
        }
    }
    let tables = Others { now: NodeTables::new(db, file, node), relation };
    let renderings = db.memory().renderings(&Arc::from(text));
    renderings.iter().map(|r| query::analyze(&r.text, &r.tree, &tables)).collect()
}

/// Whether the engine's parser takes every text that requests make of a query.
pub fn parses(db: &dyn Db, text: &str) -> bool {
    let renderings = db.memory().renderings(&Arc::from(text));
    renderings.iter().all(|r| !r.is_broken() && r.syntax_errors().is_empty())
}

/// Whether two queries that differ in names parse, and have the same shape in every request.
pub fn parse_alike(db: &dyn Db, text: &str, other: &str) -> bool {
    let (ours, others) =
        (db.memory().renderings(&Arc::from(text)), db.memory().renderings(&Arc::from(other)));
    let kinds = |r: &Rendering| {
        headwater_syntax::sql::ast::nodes(r.tree.root_node()).map(|n| n.kind()).collect::<Vec<_>>()
    };
    parses(db, text)
        && ours.len() == others.len()
        && ours.iter().zip(others.iter()).all(|(one, other)| kinds(one) == kinds(other))
}

/// The tables that a node can name.
struct NodeTables<'db> {
    db: &'db dyn Db,
    file: File,
    node: usize,
    /// The request, when one is looked at.
    passed: Option<&'db Passed>,
    /// Whether something that was asked for has other columns for other requests.
    reads_differ: Cell<bool>,
}

impl<'db> NodeTables<'db> {
    fn new(db: &'db dyn Db, file: File, node: usize) -> Self {
        Self { db, file, node, passed: None, reads_differ: Cell::new(false) }
    }

    fn node(&self, file: File, node: usize) -> Arc<Relation> {
        let of_all = node_relation(self.db, file, node);
        if !of_all.by_request {
            return of_all.clone();
        }
        self.reads_differ.set(true);
        match self.passed {
            Some(passed) => relation_at(self.db, file, node, passed.clone()).clone(),
            None => of_all.clone(),
        }
    }
}

impl Tables for NodeTables<'_> {
    fn relation(&self, database: Option<&str>, name: &str) -> Option<Arc<Relation>> {
        let db = self.db;
        match resolve_in(db, self.file, self.node, database, name) {
            Resolution::Node(node) => Some(self.node(self.file, node)),
            Resolution::Resource(file) if file.kind(db) == Some(FileKind::Pipe) => Some(
                crate::flow::output(db, file).node.map_or_else(Arc::default, |node| self.node(file, node)),
            ),
            Resolution::Resource(file) => Some(relation(db, file).clone()),
            Resolution::Quarantine(file) => Some(Arc::new(service::quarantine(relation(db, file)))),
            Resolution::Service | Resolution::System => service::relation(database, name),
            Resolution::Elsewhere => self.live(database?, name),
            _ => None,
        }
    }
}

impl NodeTables<'_> {
    /// Classic's `live.name` is a data source as the last release left it: most likely with the columns that it has here, of
    /// which no type is certain.
    fn live(&self, database: &str, name: &str) -> Option<Arc<Relation>> {
        let db = self.db;
        let project = self.file.project(db);
        if database != "live"
            || crate::dialects::dialect(db, project).dialect != headwater_syntax::Dialect::Classic
        {
            return None;
        }
        let here = relation(db, crate::scope::names(db, project).table(name)?);
        let named = |c: &Column| Some(Column::new(c.name.clone()?, None));
        let columns = here.columns.iter().filter_map(named).collect();
        Some(Arc::new(Relation { columns, virtuals: here.virtuals.clone(), ..Relation::default() }))
    }
}
