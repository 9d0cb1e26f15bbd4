//! Changes to workspace edits, as much as a client understands.

use headwater_ide::{Change, TextEdit};
use serde_json::{Map, Value, json};

use crate::position::{LineIndex, line_index};
use crate::snapshot::Snapshot;

impl Snapshot {
    /// A change as the client takes it; `None` when it needs files to come or go and the client cannot do that.
    pub(crate) fn workspace_edit(
        &self,
        project: headwater_analysis::Project,
        change: &Change,
    ) -> Option<Value> {
        let profile = &self.profile;
        let root = project.root(&self.db);
        if !change.created.is_empty() && !(profile.document_changes && profile.creates_files)
            || !change.renamed.is_empty() && !(profile.document_changes && profile.renames_files)
        {
            return None;
        }
        let annotated =
            profile.document_changes && profile.change_annotations && !change.annotations.is_empty();
        let edit = |index: &LineIndex, edit: &TextEdit| {
            let mut value = json!({ "range": index.range(edit.range), "newText": edit.text });
            if let (true, Some(n)) = (annotated, edit.annotation) {
                value["annotationId"] = json!(n.to_string());
            }
            value
        };
        let mut by_document: Vec<(String, Option<i32>, Vec<Value>)> = Vec::new();
        for (file, edits) in &change.edits {
            let path = self.path(*file);
            let index = line_index(&self.db, *file, profile.encoding);
            let version = self.world.open.get(&path).map(|open| open.version);
            // What somebody should agree to first is left out where nobody can be asked.
            let asked = |e: &&TextEdit| {
                annotated
                    || e.annotation
                        .is_none_or(|n| !change.annotations.get(n).is_some_and(|a| a.needs_confirmation))
            };
            by_document.push((
                self.uri(&path),
                version,
                edits.iter().filter(asked).map(|e| edit(index, e)).collect(),
            ));
        }
        for outside in &change.outside {
            let index = LineIndex::new(outside.text.clone(), profile.encoding);
            let uri = self.uri(&root.join(&outside.path));
            by_document.push((uri, None, outside.edits.iter().map(|e| edit(&index, e)).collect()));
        }
        if !profile.document_changes {
            let changes: Map<String, Value> =
                by_document.into_iter().map(|(uri, _, edits)| (uri, Value::Array(edits))).collect();
            return Some(json!({ "changes": changes }));
        }
        let mut all = Vec::new();
        for (path, text) in &change.created {
            let uri = self.uri(&root.join(path));
            all.push(json!({ "kind": "create", "uri": uri, "options": { "ignoreIfExists": true } }));
            let start = json!({ "line": 0, "character": 0 });
            all.push(json!({
                "textDocument": { "uri": uri, "version": null },
                "edits": [{ "range": { "start": start, "end": start }, "newText": text }],
            }));
        }
        all.extend(by_document.into_iter().map(|(uri, version, edits)| {
            json!({ "textDocument": { "uri": uri, "version": version }, "edits": edits })
        }));
        // Files move last: the edits before name them by their old paths.
        for (from, to) in &change.renamed {
            let (old, new) = (self.uri(&root.join(from)), crate::uri::from_path(&root.join(to)));
            all.push(
                json!({ "kind": "rename", "oldUri": old, "newUri": new, "options": { "overwrite": false } }),
            );
        }
        let mut value = json!({ "documentChanges": all });
        if annotated {
            let annotations: Map<String, Value> = change
                .annotations
                .iter()
                .enumerate()
                .map(|(n, a)| {
                    let mut value = json!({ "label": a.label, "needsConfirmation": a.needs_confirmation });
                    if let Some(description) = &a.description {
                        value["description"] = json!(description);
                    }
                    (n.to_string(), value)
                })
                .collect();
            value["changeAnnotations"] = Value::Object(annotations);
        }
        Some(value)
    }
}
