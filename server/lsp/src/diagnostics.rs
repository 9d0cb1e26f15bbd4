//! Diagnostics as the protocol has them.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use headwater_analysis::{Db, File, Severity, Tag, access, diagnostics, test_failed};
use headwater_engine::run::Status;
use rustc_hash::FxHasher;
use tower_lsp::gen_lsp_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, Message, Range,
    Uri,
};

use crate::position::{Encoding, line_index};
use crate::snapshot::Snapshot;
use crate::suite::{Known, tests};

/// All diagnostics of a file with their places, and a number that is equal exactly when the client sees the same.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Zero when there is none.
    pub(crate) id: u64,
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    source: &'static str,
    range: Range,
    severity: Severity,
    code: &'static str,
    message: String,
    tags: Vec<Tag>,
    related: Vec<(File, Range, String)>,
}

/// A file's report. Memoised, so that asking for a whole project again costs only what changed.
#[salsa::tracked]
pub(crate) fn report(db: &dyn Db, file: File, encoding: Encoding) -> Arc<Report> {
    let found = diagnostics(db, file);
    let refused = headwater_ide::plan_diagnostics(db, file);
    let mut items = Vec::with_capacity(found.len() + refused.len());
    for diagnostic in found.iter().chain(&refused).filter(|diagnostic| diagnostic.severity != Severity::Off) {
        let related = diagnostic.related.iter().map(|related| {
            let range = line_index(db, related.file, encoding).range(related.range);
            (related.file, range, related.message.clone())
        });
        items.push(Item {
            source: SOURCE,
            range: line_index(db, file, encoding).range(diagnostic.range),
            severity: diagnostic.severity,
            code: diagnostic.code.name,
            message: diagnostic.message.clone(),
            tags: diagnostic.tags.clone(),
            related: related.collect(),
        });
    }
    Arc::new(Report::new(db, items))
}

/// Who says what the server finds by itself, and what running a test found.
const SOURCE: &str = "headwater";
const TEST_SOURCE: &str = "headwater test";

fn id(db: &dyn Db, items: &[Item]) -> u64 {
    let mut hasher = FxHasher::default();
    for item in items {
        (item.range.start.line, item.range.start.character).hash(&mut hasher);
        (item.range.end.line, item.range.end.character).hash(&mut hasher);
        (severity_number(item.severity), item.code, &item.message).hash(&mut hasher);
        for tag in &item.tags {
            (*tag == Tag::Deprecated).hash(&mut hasher);
        }
        for (file, range, message) in &item.related {
            // The path, not the file's number: a number depends on what happened before, and the next process that a
            // client shows this id to has others.
            (file.project(db).root(db), file.path(db), message).hash(&mut hasher);
            (range.start.line, range.start.character).hash(&mut hasher);
            (range.end.line, range.end.character).hash(&mut hasher);
        }
    }
    if items.is_empty() { 0 } else { hasher.finish().max(1) }
}

impl Snapshot {
    /// A file's report, with the tests in it that fail as everything stands.
    pub(crate) fn report(&self, file: File) -> Arc<Report> {
        let report = report(&self.db, file, self.profile.encoding).clone();
        let failed = self.failed_tests(file);
        if failed.is_empty() {
            return report;
        }
        let items = report.items.iter().cloned().chain(failed).collect();
        Arc::new(Report::new(&self.db, items))
    }

    fn failed_tests(&self, file: File) -> Vec<Item> {
        if self.world.ledger.results.is_empty() || !access::is_test(&self.db, file) {
            return Vec::new();
        }
        let code = test_failed();
        let severities = &file.project(&self.db).config(&self.db).severities;
        let severity = severities.get(code.name).copied().unwrap_or(code.severity);
        if severity == Severity::Off {
            return Vec::new();
        }
        let tests = tests(&self.db, file);
        let item = |(n, known): (usize, Option<Arc<Known>>)| {
            let known = known.filter(|known| known.status == Status::Failed)?;
            Some(Item {
                source: TEST_SOURCE,
                range: self.range(file, tests.get(n)?.place),
                severity,
                code: code.name,
                message: known.detail.chars().take(LONGEST).collect(),
                tags: Vec::new(),
                related: Vec::new(),
            })
        };
        self.outcomes(file).into_iter().filter_map(item).collect()
    }
}

/// Characters of a message: what is longer is a document of its own.
const LONGEST: usize = 4_000;

impl Report {
    fn new(db: &dyn Db, items: Vec<Item>) -> Self {
        Self { id: id(db, &items), items }
    }

    /// The result id the client sends back.
    pub(crate) fn result_id(&self) -> String {
        format!("{:x}", self.id)
    }

    /// As the client wants them.
    pub(crate) fn to_lsp(&self, snapshot: &Snapshot) -> Vec<Diagnostic> {
        self.items.iter().map(|item| item.to_lsp(snapshot)).collect()
    }
}

impl Item {
    fn to_lsp(&self, snapshot: &Snapshot) -> Diagnostic {
        let profile = &snapshot.profile;
        let related = self.related.iter().map(|(file, range, message)| DiagnosticRelatedInformation {
            location: Location { uri: Uri(snapshot.uri(&snapshot.path(*file))), range: *range },
            message: message.clone(),
        });
        let tags = self.tags.iter().map(|tag| match tag {
            Tag::Unnecessary => DiagnosticTag::Unnecessary,
            Tag::Deprecated => DiagnosticTag::Deprecated,
        });
        Diagnostic {
            range: self.range,
            severity: Some(match self.severity {
                Severity::Error => DiagnosticSeverity::Error,
                Severity::Warning => DiagnosticSeverity::Warning,
                Severity::Info => DiagnosticSeverity::Information,
                Severity::Hint | Severity::Off => DiagnosticSeverity::Hint,
            }),
            code: Some(self.code.to_owned().into()),
            source: Some(self.source.into()),
            message: Message::String(self.message.clone()),
            tags: (profile.diagnostic_tags && !self.tags.is_empty()).then(|| tags.collect()),
            related_information: (profile.related_information && !self.related.is_empty())
                .then(|| related.collect()),
            code_description: None,
            data: None,
        }
    }
}

fn severity_number(severity: Severity) -> u8 {
    match severity {
        Severity::Error => 1,
        Severity::Warning => 2,
        Severity::Info => 3,
        Severity::Hint | Severity::Off => 4,
    }
}
