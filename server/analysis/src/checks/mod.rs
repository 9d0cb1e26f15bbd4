//! Diagnostics: one file per family. A family reads the tree and pushes what it finds; it never stops at the first.

mod connection;
mod connector;
mod copies;
mod cron;
mod engine;
mod engine_columns;
mod engine_settings;
mod graph;
mod impact;
mod jsonpath;
mod kept_states;
mod keys;
mod lexer;
mod lints;
mod node;
mod query;
mod refused;
mod remedy;
mod samples;
mod schedule;
mod schema;
mod states;
mod target;
mod template;
pub(crate) mod test_file;
mod unused;
mod values;
mod vocabulary;

use std::sync::Arc;

pub use graph::is_reserved_name;
pub use query::fault_text;
pub use remedy::Remedy;

use headwater_syntax::datafile::SourcedEntry;
pub(crate) use headwater_syntax::spelling::nearest;
use headwater_syntax::{Datafile, FileKind, MappedText, TextRange, TextSize};

pub use vocabulary::accepted_words;

use crate::codes::{self, Code, Severity};
use crate::db::Db;
use crate::inputs::{Content, File};
use crate::parse::{Parsed, datafile};

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which rule.
    pub code: &'static Code,
    /// After `headwater.toml`.
    pub severity: Severity,
    /// What is wrong and what to do about it.
    pub message: String,
    /// Place in the file's text.
    pub range: TextRange,
    /// How editors may draw it.
    pub tags: Vec<Tag>,
    /// Other places that explain it.
    pub related: Vec<Related>,
    /// The name that was meant where the marked one stands, when one is close: what the message ends with, and a fix.
    pub meant: Option<String>,
    /// What else would mend it.
    pub remedy: Option<Remedy>,
}

impl Diagnostic {
    /// A close name that may stand in the marked one's place.
    fn meant(&mut self, name: Option<impl Into<String>>) -> &mut Self {
        self.meant = name.map(Into::into);
        self
    }

    /// What would mend it.
    fn remedy(&mut self, remedy: impl Into<Option<Remedy>>) -> &mut Self {
        self.remedy = remedy.into();
        self
    }
}

/// How an editor may draw a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// Faded.
    Unnecessary,
    /// Struck through.
    Deprecated,
}

/// Another place that explains a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Its file.
    pub file: File,
    /// Where in it.
    pub range: TextRange,
    /// What it has to do with this.
    pub message: String,
}

/// Everything wrong with a file, ordered by place, `headwater.toml` applied.
#[salsa::tracked]
pub fn diagnostics(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let config = file.project(db).config(db);
    let mut families = vec![
        local(db, file),
        graph::check(db, file),
        query::query_faults(db, file),
        refused::refusals(db, file),
        target::target_faults(db, file),
        keys::key_faults(db, file),
        lints::lints(db, file),
        impact::impact_faults(db, file),
    ];
    match file.kind(db) {
        Some(FileKind::Datasource) => {
            families.extend([unused::unused_columns(db, file), samples::sample_faults(db, file)]);
        }
        Some(FileKind::Pipe) => {
            families.extend([copies::collisions(db, file), states::state_faults(db, file)]);
        }
        None => families.push(test_file::request_faults(db, file)),
        Some(_) => {}
    }
    let mut all: Vec<_> = families.into_iter().flat_map(|family| family.iter()).cloned().collect();
    // What breaks a query and is known by a name of its own is said once.
    let named: Vec<_> = all.iter().filter(|d| *d.code != codes::SQL_SYNTAX).map(|d| d.range).collect();
    all.retain(|d| *d.code != codes::SQL_SYNTAX || named.iter().all(|r| r.intersect(d.range).is_none()));
    for diagnostic in &mut all {
        if let Some(severity) = config.severities.get(diagnostic.code.name) {
            diagnostic.severity = *severity;
        }
    }
    all.retain(|d| d.severity != Severity::Off);
    all.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.range.start(), d.range.end(), d.code.name);
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    if all.len() > MAX_DIAGNOSTICS {
        let hidden = all.len() - MAX_DIAGNOSTICS;
        all.truncate(MAX_DIAGNOSTICS);
        if let Some(last) = all.last_mut() {
            last.message += &format!(" (and {hidden} more in this file, not shown)");
        }
    }
    Arc::new(all)
}

/// A file with more faults than this has one fault: it is not what its name says. Editors choke on long lists.
const MAX_DIAGNOSTICS: usize = 500;

/// What one file shows by itself.
#[salsa::tracked]
fn local(db: &dyn Db, file: File) -> Arc<Vec<Diagnostic>> {
    let mut out = Vec::new();
    if let Content::Unreadable(reason) = file.content(db) {
        let sink = &mut Sink { own: "", places: Vec::new(), out: &mut out };
        sink.push(&codes::UNREADABLE_FILE, TextRange::empty(TextSize::from(0)), reason.clone());
        return Arc::new(out);
    }
    let (Some(kind), Content::Text(_)) = (file.kind(db), file.content(db)) else { return Arc::new(out) };
    let parsed = datafile(db, file);
    let cx = &Context { file: &parsed.datafile, stem: file.stem(db), kind, memory: db.memory() };
    let mut sink = Sink::new(parsed, &mut out);
    lexer::check(cx, &mut sink);
    match kind {
        FileKind::Datasource => {
            values::check(cx, &mut sink);
            schema::check(cx, &mut sink);
            kept_states::check(cx, &mut sink);
            engine::check(cx, &mut sink);
            engine_settings::check(cx, &mut sink);
            connector::check(cx, &mut sink);
        }
        FileKind::Pipe => {
            values::check(cx, &mut sink);
            node::check(cx, &mut sink);
            template::check(cx, &mut sink);
        }
        FileKind::Connection => {
            values::check(cx, &mut sink);
            connection::check(cx, &mut sink);
        }
        // A fragment means nothing until it is included; what is wrong with it shows there.
        FileKind::Include | FileKind::Token => {}
    }
    Arc::new(out)
}

/// What a family may look at.
pub(crate) struct Context<'a> {
    /// The tree.
    pub(crate) file: &'a Datafile,
    /// The file's name without extension.
    pub(crate) stem: &'a str,
    /// What the file defines.
    pub(crate) kind: FileKind,
    /// Trees of templates.
    pub(crate) memory: &'a crate::rendering::Memory,
}

impl Context<'_> {
    /// The text that `entry` points into.
    pub(crate) fn text(&self, entry: &SourcedEntry) -> &str {
        self.file.source_of(entry)
    }

    /// Whether the rules of Forward apply.
    pub(crate) fn is_forward(&self) -> bool {
        self.file.dialect == headwater_syntax::Dialect::Forward
    }
}

/// Collects diagnostics of one file. What stands in an included fragment is shown at the `INCLUDE` line.
pub(crate) struct Sink<'a> {
    own: &'a str,
    /// For each source of the datafile, the place in the file itself that stands for it; `None` for the file.
    places: Vec<Option<(TextRange, String)>>,
    out: &'a mut Vec<Diagnostic>,
}

impl<'a> Sink<'a> {
    fn new(parsed: &'a Parsed, out: &'a mut Vec<Diagnostic>) -> Self {
        let mut places: Vec<Option<(TextRange, String)>> = vec![None];
        for include in parsed.includes.iter().filter(|i| i.problem.is_none()) {
            let text = &parsed.datafile.sources[include.source];
            let place = places.get(include.source).cloned().flatten();
            places.push(Some(place.unwrap_or_else(|| (include.range, text[include.range].to_owned()))));
        }
        Self { own: parsed.datafile.text(), places, out }
    }

    /// Whether there are as many faults as are shown of one file.
    pub(crate) fn is_full(&self) -> bool {
        self.out.len() >= MAX_DIAGNOSTICS
    }

    /// Reports at a range of the file itself.
    pub(crate) fn push(&mut self, code: &'static Code, range: TextRange, message: String) -> &mut Diagnostic {
        self.push_in(0, code, range, message)
    }

    /// Reports at a range of the text that `entry` stands in.
    pub(crate) fn at(
        &mut self,
        entry: &SourcedEntry,
        code: &'static Code,
        range: TextRange,
        message: String,
    ) -> &mut Diagnostic {
        self.push_in(entry.source, code, range, message)
    }

    /// Reports at a range of a block's text.
    pub(crate) fn in_body(
        &mut self,
        entry: &SourcedEntry,
        body: &MappedText,
        code: &'static Code,
        range: TextRange,
        message: String,
    ) -> &mut Diagnostic {
        self.push_in(entry.source, code, body.to_source(range), message)
    }

    /// Reports at a range of one of the datafile's sources.
    pub(crate) fn push_in(
        &mut self,
        source: usize,
        code: &'static Code,
        range: TextRange,
        message: String,
    ) -> &mut Diagnostic {
        let (range, message) = match self.places.get(source).cloned().flatten() {
            Some((place, path)) => (place, format!("{message} (in the included file {path})")),
            None => (clamp(range, self.own), message),
        };
        let (severity, tags, related) = (code.severity, Vec::new(), Vec::new());
        self.out.push(Diagnostic {
            code,
            severity,
            message,
            range,
            tags,
            related,
            meant: None,
            remedy: None,
        });
        let last = self.out.len() - 1;
        &mut self.out[last]
    }
}

fn clamp(range: TextRange, text: &str) -> TextRange {
    let len = TextSize::of(text);
    TextRange::new(range.start().min(len), range.end().min(len))
}
