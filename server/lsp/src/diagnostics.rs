//! Diagnostics as the protocol has them.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use headwater_analysis::{Db, File, Severity, Tag, diagnostics};
use rustc_hash::FxHasher;
use tower_lsp::gen_lsp_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, Message, Range,
    Uri,
};

use crate::position::{Encoding, line_index};
use crate::snapshot::Snapshot;

/// All diagnostics of a file with their places, and a number that is equal exactly when the client sees the same.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Zero when there is none.
    pub(crate) id: u64,
    items: Vec<Item>,
}

#[derive(Debug, PartialEq, Eq)]
struct Item {
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
            range: line_index(db, file, encoding).range(diagnostic.range),
            severity: diagnostic.severity,
            code: diagnostic.code.name,
            message: diagnostic.message.clone(),
            tags: diagnostic.tags.clone(),
            related: related.collect(),
        });
    }
    let mut hasher = FxHasher::default();
    for item in &items {
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
    let id = if items.is_empty() { 0 } else { hasher.finish().max(1) };
    Arc::new(Report { id, items })
}

impl Report {
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
            source: Some("headwater".into()),
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
