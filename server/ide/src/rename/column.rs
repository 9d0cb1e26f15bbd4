//! Columns: from where one is defined through everything that passes it on by its name.

use std::collections::VecDeque;
use std::sync::Arc;

use headwater_analysis::lineage::ColumnVertex;
use headwater_analysis::query::{BaseColumn, FaultKind, Tables};
use headwater_analysis::samples::SAMPLE_BYTES;
use headwater_analysis::{
    Db, Directive, EdgeKind, File, NodeType, TextRange, TextSize, Vertex, access, datafile, graph, interface,
    semantics,
};
use rustc_hash::FxHashSet;

use super::verify::{self, Renames};
use super::{Refusal, Renamed, check_name, is_forward, refuse};
use crate::change::{Annotation, Change, OutsideEdit, TextEdit};
use crate::columns::relation;
use crate::locate::{What, label};
use crate::place::{Mention, Selected, key_mentions, mentions, schema_columns, selected};
use crate::tokens::{Token, TokenKind, tokens};

const TESTS: usize = 0;
const FIXTURES: usize = 1;
const FORWARD: usize = 2;
const CONTRACT: usize = 3;

pub(super) fn rename(db: &dyn Db, column: &ColumnVertex, to: &str) -> Renamed {
    check_name(to)?;
    let origin = origin(db, column)?;
    if origin.vertex.node.is_none() && is_filled_by_name(db, origin.vertex.file, &origin.column) {
        return refuse(format!("the product fills `{}` by that name", origin.column));
    }
    let mut rename = Rename {
        db,
        from: origin.column.clone(),
        to,
        all: FxHashSet::default(),
        order: Vec::new(),
        change: Change::default(),
    };
    rename.change.annotations = annotations(&rename.from, to);
    rename.collect(origin.vertex)?;
    rename.edit()?;
    Ok(rename.change)
}

fn annotations(from: &str, to: &str) -> Vec<Annotation> {
    let one = |label: &str, description: String, needs_confirmation| Annotation {
        label: label.to_owned(),
        description: Some(description),
        needs_confirmation,
    };
    vec![
        one("Test expectations", format!("`{from}` in expected results"), false),
        one("Fixtures", format!("`{from}` in sample data"), false),
        one("FORWARD_QUERY", format!("keeps the rows of live data: `{from}` becomes `{to}`"), true),
        one("Endpoint contract", format!("what the endpoint answers: `{from}` becomes `{to}`"), false),
    ]
}

/// Whether the product writes a column that has this name, and none of another: what Kafka adds to messages.
fn is_filled_by_name(db: &dyn Db, file: File, column: &str) -> bool {
    let parsed = datafile(db, file);
    let is_kafka = [Directive::KafkaConnectionName, Directive::KafkaTopic]
        .iter()
        .any(|d| parsed.datafile.last(*d).is_some());
    is_kafka && column.starts_with("__")
}

/// Where a column that is only passed on comes from.
fn origin(db: &dyn Db, column: &ColumnVertex) -> Result<ColumnVertex, Refusal> {
    let mut at = column.clone();
    let mut seen = FxHashSet::default();
    while let Some(node) = at.vertex.node {
        if !seen.insert(at.clone()) {
            return refuse("the columns of this cycle are made of each other");
        }
        let items: Vec<Selected> =
            selected(db, at.vertex.file, node).into_iter().filter(|s| s.name == at.column).collect();
        if items.iter().any(|s| s.is_alias) {
            return Ok(at);
        }
        let copies = copies(db, &at);
        match copies.as_slice() {
            [one] => at = one.clone(),
            [] => {
                return refuse(format!(
                    "`{}` of `{}` is an expression without a name of its own; give it one with AS first",
                    at.column,
                    label(db, at.vertex)
                ));
            }
            _ => {
                return refuse(format!(
                    "`{}` of `{}` is made of columns of several tables; rename it in each of them",
                    at.column,
                    label(db, at.vertex)
                ));
            }
        }
    }
    Ok(at)
}

/// The columns of the same name that a column is a copy of.
fn copies(db: &dyn Db, column: &ColumnVertex) -> Vec<ColumnVertex> {
    let steps = headwater_analysis::lineage::producers(db, column).into_iter();
    let mut found: Vec<_> = steps
        .filter(|s| s.flow == headwater_analysis::lineage::Flow::Copy && s.from.column == column.column)
        .map(|s| s.from)
        .collect();
    found.dedup();
    found
}

struct Rename<'a> {
    db: &'a dyn Db,
    from: String,
    to: &'a str,
    all: FxHashSet<Vertex>,
    order: Vec<Vertex>,
    change: Change,
}

impl Rename<'_> {
    /// Everything whose column of this name is the renamed one.
    fn collect(&mut self, origin: Vertex) -> Result<(), Refusal> {
        let db = self.db;
        let mut queue = VecDeque::from([origin]);
        while let Some(vertex) = queue.pop_front() {
            if !self.all.insert(vertex) {
                continue;
            }
            self.order.push(vertex);
            if relation(db, vertex).column(self.to).is_some() {
                return refuse(format!("`{}` has a column `{}` already", label(db, vertex), self.to));
            }
            let graph = graph(db, vertex.file.project(db));
            for (next, kind) in graph.downstream(vertex) {
                match (kind, next.node) {
                    (EdgeKind::Materialize | EdgeKind::Copy, None)
                        if relation(db, *next).column(&self.from).is_some() =>
                    {
                        queue.push_back(*next);
                    }
                    (EdgeKind::Read, Some(node)) if self.passes_on(vertex, *next, node)? => {
                        queue.push_back(*next);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Whether a reading node has a column of the same name that is this one, without an alias.
    fn passes_on(&self, from: Vertex, reader: Vertex, node: usize) -> Result<bool, Refusal> {
        let db = self.db;
        self.check_reader(reader.file, node)?;
        let column = ColumnVertex { vertex: reader, column: self.from.clone() };
        let copies = copies(db, &column);
        if !copies.iter().any(|c| c.vertex == from) {
            return Ok(false);
        }
        let items: Vec<Selected> =
            selected(db, reader.file, node).into_iter().filter(|s| s.name == self.from).collect();
        let mut passes = false;
        for item in items {
            if item.is_alias {
                continue;
            }
            let is_star = item.focus.is_none();
            if is_star && copies.len() > 1 {
                return refuse(format!(
                    "`{}` selects `*` of several tables that have `{}`",
                    label(db, reader),
                    self.from
                ));
            }
            let is_mention = |m: &Mention| {
                m.column.vertex == from && m.column.column == self.from && item.item.contains_range(m.range)
            };
            // The first query of a UNION names the columns; that of another one is not seen.
            passes |= is_star || mentions(db, reader.file).iter().any(is_mention);
        }
        Ok(passes)
    }

    /// Nothing is renamed in a text that is not understood.
    fn check_reader(&self, file: File, node: usize) -> Result<(), Refusal> {
        let db = self.db;
        let vertex = Vertex { file, node: Some(node) };
        let parsed = datafile(db, file);
        let nodes = parsed.datafile.nodes();
        let Some((entry, body)) = nodes.get(node).and_then(|n| n.sql()) else { return Ok(()) };
        if entry.source != 0 {
            return refuse(format!("the query of `{}` stands in an included file", label(db, vertex)));
        }
        let renderings = semantics::node_renderings(db, file, node);
        if renderings.is_empty() || renderings.iter().any(|r| r.is_broken()) {
            return refuse(format!("the query of `{}` does not parse; mend it first", label(db, vertex)));
        }
        // Names that a template writes: in the tag itself, or in a variable that it prints.
        let all = tokens(&body.text);
        let is_tag = |t: &&Token| matches!(t.kind, TokenKind::Output | TokenKind::Control);
        let tags: Vec<&str> = all.iter().filter(is_tag).map(|t| t.text(&body.text)).collect();
        let makes = tags.iter().any(|text| text.contains("column") || text.contains("sql_and"));
        if makes && tags.iter().any(|text| has_word(text, &self.from)) {
            return refuse(format!(
                "a template of `{}` writes the name `{}`; change it by hand",
                label(db, vertex),
                self.from
            ));
        }
        self.check_faults(vertex, node)
    }

    /// A name that leads nowhere now, or to several columns, may lead somewhere else then.
    fn check_faults(&self, vertex: Vertex, node: usize) -> Result<(), Refusal> {
        let db = self.db;
        let means = |name: &str| name.rsplit('.').next().is_some_and(|n| n == self.from || n == self.to);
        for facts in &semantics::node_meaning(db, vertex.file, node).facts {
            for fault in &facts.faults {
                let (FaultKind::UnknownColumn { name, .. } | FaultKind::AmbiguousColumn { name, .. }) =
                    &fault.kind
                else {
                    continue;
                };
                if means(name) {
                    return refuse(format!(
                        "`{}` names `{name}`, which means no column or several; mend it first",
                        label(db, vertex)
                    ));
                }
            }
        }
        Ok(())
    }

    fn edit(&mut self) -> Result<(), Refusal> {
        let db = self.db;
        let mut files: Vec<File> = Vec::new();
        for vertex in self.order.clone() {
            match vertex.node {
                None => self.datasource(vertex.file)?,
                Some(node) => self.node(vertex, node)?,
            }
            let graph = graph(db, vertex.file.project(db));
            let readers =
                graph.downstream(vertex).iter().filter(|(v, _)| v.node.is_some()).map(|(v, _)| v.file);
            files.extend(readers);
        }
        files.extend(self.change.edits.iter().map(|(file, _)| *file));
        files.sort_by_key(|f| f.path(db).clone());
        files.dedup();
        for file in &files {
            self.mentions(*file)?;
        }
        self.check_quotes()?;
        self.verify(&files)
    }

    /// Every query that says one of the columns, or gives it, must mean what it meant.
    fn verify(&self, files: &[File]) -> Result<(), Refusal> {
        let db = self.db;
        for file in files {
            let count = interface(db, *file).as_ref().map_or(0, |face| face.nodes.len());
            for node in 0..count {
                let is_ours = |base: &BaseColumn| {
                    crate::place::vertex_of(db, *file, node, base).is_some_and(|v| self.all.contains(&v))
                };
                let relation = |now: &dyn Tables, database: Option<&str>, name: &str| {
                    let relation = now.relation(database, name)?;
                    let base = BaseColumn {
                        database: database.map(str::to_owned),
                        table: name.to_owned(),
                        column: self.from.clone(),
                    };
                    if !is_ours(&base) {
                        return Some(relation);
                    }
                    let mut relation = (*relation).clone();
                    for column in &mut relation.columns {
                        if column.name.as_deref() == Some(&self.from) {
                            column.name = Some(self.to.to_owned());
                        }
                    }
                    Some(Arc::new(relation))
                };
                let base = |base: &BaseColumn| {
                    let is_renamed = base.column == self.from && is_ours(base);
                    BaseColumn {
                        column: if is_renamed { self.to.to_owned() } else { base.column.clone() },
                        ..base.clone()
                    }
                };
                let own = Vertex { file: *file, node: Some(node) };
                let writes = self.writes_renamed(own);
                let output = |name: &str| {
                    let is_renamed = name == self.from && (self.all.contains(&own) || writes);
                    if is_renamed { self.to.to_owned() } else { name.to_owned() }
                };
                let renames = Renames { relation: &relation, base: &base, output: &output, is_inside: false };
                verify::node(db, *file, node, &self.change, &renames, self.to)?;
            }
        }
        Ok(())
    }

    /// A word of SQL is a column's name where quotes are around it, and where nothing else can be meant.
    fn check_quotes(&self) -> Result<(), Refusal> {
        let refusal = super::words::check_column(self.to);
        if refusal.is_ok() {
            return Ok(());
        }
        for (file, edits) in &self.change.edits {
            let text = file.text(self.db);
            let is_free = |e: &TextEdit| matches!(e.annotation, Some(TESTS | FIXTURES | FORWARD));
            let made: Vec<TextEdit> = edits.iter().filter(|e| !is_free(e)).cloned().collect();
            let is_bare = |e: &TextEdit| !super::words::is_quoted(&text, e.range);
            if made.iter().any(is_bare) && !super::words::is_name_there(self.db, *file, &made, self.to) {
                return refusal;
            }
        }
        Ok(())
    }

    /// Whether a view or copy fills a table whose column gets the name.
    fn writes_renamed(&self, node: Vertex) -> bool {
        let graph = graph(self.db, node.file.project(self.db));
        graph
            .downstream(node)
            .iter()
            .any(|(to, kind)| matches!(kind, EdgeKind::Materialize | EdgeKind::Copy) && self.all.contains(to))
    }

    /// Every mention in a pipe.
    fn mentions(&mut self, file: File) -> Result<(), Refusal> {
        let db = self.db;
        let all = mentions(db, file);
        let is_ours = |m: &Mention| m.column.column == self.from && self.all.contains(&m.column.vertex);
        for mention in all.iter().filter(|m| is_ours(m)) {
            // `USING (x)` and the like mean columns of several tables at once.
            if all.iter().any(|m| m.range == mention.range && !is_ours(m)) {
                return refuse(format!(
                    "`{}` in `{}` also means a column of another table, as in USING; write the condition with ON first",
                    self.from,
                    file.path(db)
                ));
            }
            let Some(name) = mention.name else {
                return refuse(format!(
                    "`{}` in `{}` is written in a way that cannot be changed",
                    self.from,
                    file.path(db)
                ));
            };
            self.change.push(file, name, self.to, None);
        }
        Ok(())
    }

    /// The alias of a node's column, and where its own query says it.
    fn node(&mut self, vertex: Vertex, node: usize) -> Result<(), Refusal> {
        let db = self.db;
        self.check_reader(vertex.file, node)?;
        let file = vertex.file;
        let is_endpoint = interface(db, file)
            .as_ref()
            .and_then(|f| f.nodes.get(node))
            .is_some_and(|n| n.ty == NodeType::Endpoint);
        let items: Vec<_> =
            selected(db, file, node).into_iter().filter(|s| s.name == self.from && s.is_alias).collect();
        for item in items {
            let Some(focus) = item.focus else { continue };
            self.alias(file, &item, focus, is_endpoint.then_some(CONTRACT));
        }
        if is_endpoint {
            self.tests(file);
        }
        Ok(())
    }

    /// An alias; it goes when it would say what the expression before it says.
    fn alias(&mut self, file: File, item: &Selected, focus: TextRange, annotation: Option<usize>) {
        let text = file.text(self.db);
        let before =
            text[TextRange::new(item.item.start(), focus.start())].trim_end_matches(['`', '"']).trim_end();
        let expression = before
            .len()
            .checked_sub(2)
            .filter(|n| before.is_char_boundary(*n) && before[*n..].eq_ignore_ascii_case("as"));
        let expression = expression.map(|n| before[..n].trim_end());
        // Behind a table's name it stays: what the result of a join is called without it is not said there.
        if let Some(expression) = expression.filter(|e| e.trim_matches('`') == self.to) {
            let end = item.item.start() + TextSize::of(expression);
            self.change.push(file, TextRange::new(end, item.item.end()), "", annotation);
        } else {
            self.change.push(file, focus, self.to, annotation);
        }
        self.alias_uses(file, focus);
    }

    /// The same alias in other clauses of the query.
    fn alias_uses(&mut self, file: File, definition: TextRange) {
        let db = self.db;
        let Some((_, body, _)) = crate::place::query_at(db, file, definition.start()) else { return };
        for token in tokens(&body.text) {
            let text = token.text(&body.text);
            let one = TextSize::from(u32::from(token.kind == TokenKind::Quoted));
            if !matches!(token.kind, TokenKind::Word | TokenKind::Quoted)
                || text.trim_matches(['`', '"']) != self.from
            {
                continue;
            }
            let range = body.to_source(TextRange::new(token.range.start() + one, token.range.end() - one));
            let whole = body.to_source(token.range);
            let found = crate::place::inside(db, file, whole.start() + one).map(|l| l.what);
            if let Some(What::Local { definition: d, .. }) = found
                && (d == definition || d.contains_range(definition))
                && range != definition
            {
                self.change.push(file, range, self.to, None);
            }
        }
    }

    /// Keys of expected rows.
    fn tests(&mut self, pipe: File) {
        let db = self.db;
        let (from, to) = (format!("\"{}\"", self.from), self.to);
        for test in access::test_files(db, pipe.project(db)).get(&pipe).into_iter().flatten() {
            let text = test.text(db);
            for (at, _) in text.match_indices(&from) {
                if text[at + from.len()..].trim_start().starts_with(':') {
                    let range = headwater_analysis::syntax::range(at + 1, at + from.len() - 1);
                    self.change.push(*test, range, to, Some(TESTS));
                }
            }
        }
    }

    /// The schema, the keys, samples, the views that fill it, and what becomes of live rows.
    fn datasource(&mut self, file: File) -> Result<(), Refusal> {
        let db = self.db;
        let vertex = Vertex { file, node: None };
        let columns = schema_columns(db, file);
        let Some((name, ..)) = columns.iter().find(|(name, ..)| name.value == self.from) else {
            return refuse(format!(
                "`{}` is no column that `{}` writes in its schema",
                self.from,
                file.path(db)
            ));
        };
        let quoted = file.text(db)[name.range].starts_with('`');
        let name_range = if quoted {
            TextRange::new(name.range.start() + TextSize::from(1), name.range.end() - TextSize::from(1))
        } else {
            name.range
        };
        self.change.push(file, name_range, self.to, None);
        let parsed = datafile(db, file);
        let forward = parsed.datafile.last(Directive::ForwardQuery);
        let forward_range = forward.map(|e| e.entry.full_range());
        for (key, range) in key_mentions(db, file).into_iter().filter(|(n, _)| n.value == self.from) {
            if forward_range.is_some_and(|f| f.contains_range(range)) {
                return refuse(format!(
                    "the FORWARD_QUERY of `{}` names `{}`: deploy that change first",
                    file.path(db),
                    key.value
                ));
            }
            self.change.push(file, range, self.to, None);
        }
        self.writers(vertex)?;
        self.sample(file)?;
        let is_target = graph(db, file.project(db))
            .upstream(vertex)
            .iter()
            .any(|(_, k)| matches!(k, EdgeKind::Materialize | EdgeKind::Copy));
        if is_forward(db, file) && forward.is_none() && !is_target {
            let list: Vec<String> = columns
                .iter()
                .map(|(n, ..)| {
                    let name = written(&n.value);
                    if n.value == self.from { format!("{name} AS {}", written(self.to)) } else { name }
                })
                .collect();
            let text = file.text(db);
            let lead = if text.ends_with('\n') { "\n" } else { "\n\n" };
            let end = TextSize::of(&*text);
            let query = format!("{lead}FORWARD_QUERY >\n    SELECT {}\n", list.join(", "));
            self.change.push(file, TextRange::empty(end), query, Some(FORWARD));
        }
        Ok(())
    }

    /// Views and copies that fill a data source and are not renamed themselves.
    fn writers(&mut self, target: Vertex) -> Result<(), Refusal> {
        let db = self.db;
        let graph = graph(db, target.file.project(db));
        let writers: Vec<Vertex> = graph
            .upstream(target)
            .iter()
            .filter(|(v, kind)| {
                matches!(kind, EdgeKind::Materialize | EdgeKind::Copy) && !self.all.contains(v)
            })
            .map(|(v, _)| *v)
            .collect();
        for writer in writers {
            let Some(node) = writer.node else { continue };
            self.check_reader(writer.file, node)?;
            let items: Vec<_> =
                selected(db, writer.file, node).into_iter().filter(|s| s.name == self.from).collect();
            for item in items {
                match item.focus {
                    Some(focus) if item.is_alias => self.alias(writer.file, &item, focus, None),
                    Some(_) => self.change.push(
                        writer.file,
                        TextRange::empty(item.item.end()),
                        format!(" AS {}", self.to),
                        None,
                    ),
                    None => {
                        return refuse(format!(
                            "`{}` fills the column from a `*`; list its columns first",
                            label(db, writer)
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// Sample data goes by names only where no JSONPath says otherwise.
    fn sample(&mut self, file: File) -> Result<(), Refusal> {
        let db = self.db;
        let face = interface(db, file).as_ref();
        let has_path = face
            .and_then(|f| f.columns.iter().find(|c| c.name == self.from))
            .is_some_and(|c| c.jsonpath.is_some());
        let surroundings = file.project(db).surroundings(db);
        let Some(sample) = surroundings.sample_of(file.stem(db)).filter(|_| !has_path) else { return Ok(()) };
        if sample.fields.iter().flat_map(|fields| fields.iter()).any(|f| f.name == self.from) {
            return refuse(format!("`{}` has the column, and is no text; write it anew first", sample.path));
        }
        if !has_word(&sample.head, &self.from) {
            return Ok(());
        }
        if sample.head.len() >= SAMPLE_BYTES {
            return refuse(format!("`{}` is too large to be changed here; change it by hand", sample.path));
        }
        let is_csv = sample.path.extension() == Some("csv");
        let end =
            if is_csv { sample.head.find('\n').unwrap_or(sample.head.len()) } else { sample.head.len() };
        let mut edits = Vec::new();
        for (at, _) in sample.head[..end].match_indices(&self.from) {
            let behind = at + self.from.len();
            let fits = if is_csv {
                let edge = |c: Option<char>| c.is_none_or(|c| matches!(c, ',' | '"' | '\r' | '\n'));
                edge(sample.head[..at].chars().last()) && edge(sample.head[behind..].chars().next())
            } else {
                sample.head[..at].ends_with('"')
                    && sample.head[behind..]
                        .strip_prefix('"')
                        .is_some_and(|rest| rest.trim_start().starts_with(':'))
            };
            if fits {
                let range = headwater_analysis::syntax::range(at, behind);
                edits.push(TextEdit { range, text: self.to.to_owned(), annotation: Some(FIXTURES) });
            }
        }
        if !edits.is_empty() {
            self.change.outside.push(OutsideEdit {
                path: sample.path.clone(),
                text: sample.head.clone(),
                edits,
            });
        }
        Ok(())
    }
}

/// A column's name in a query: in backticks where it could not stand without.
fn written(name: &str) -> String {
    if super::words::check_column(name).is_ok() { name.to_owned() } else { format!("`{name}`") }
}

/// Whether a text holds a word as a whole.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !is_part(text[..at].chars().last()) && !is_part(text[at + word.len()..].chars().next())
    })
}
