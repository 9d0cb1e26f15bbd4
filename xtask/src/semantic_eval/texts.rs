//! What is judged: a node's query for a few requests, what we say of it and what the engine is asked about it.

use headwater_analysis::query::Facts;
use headwater_analysis::{Database, File, Resolution, flow, interface, names, resolve, semantics};
use headwater_oracle::{Pairs, Question, render};

/// One question.
pub(super) struct Texts {
    /// Which node, and for which request.
    pub(super) place: String,
    /// The query over tables only; why there is none otherwise.
    pub(super) expanded: Result<String, String>,
    /// What we say of the same text.
    pub(super) facts: Facts,
    /// The rendering, for reports.
    pub(super) text: String,
    /// Whether something that it reads is refused already: that is reported there.
    pub(super) reads_refused: bool,
}

impl Texts {
    /// The questions about a node.
    pub(super) fn of(db: &Database, file: File, node: usize) -> Vec<Self> {
        let mut out: Vec<Self> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut needed = Vec::new();
        needed_by_reads(db, file, node, MAX_DEPTH, &mut needed);
        for (name, mut parameters) in requests(db, file, node) {
            let missing = needed.iter().filter(|(name, _)| parameters.iter().all(|(given, _)| given != name));
            let missing: Pairs = missing.cloned().collect();
            parameters.extend(missing);
            let rendering = render(db, file, node, &parameters);
            let label = interface(db, file).as_ref().and_then(|f| Some(f.nodes.get(node)?.name.clone()));
            let place = format!("{}:{} [{name}]", file.path(db), label.unwrap_or_default());
            let Ok(text) = rendering else { continue };
            if !seen.insert(text.clone()) {
                continue;
            }
            let facts = semantics::facts_at(db, file, node, &text, &parameters);
            let Question { sql: expanded, reads_refused, .. } =
                Question::new(db, file, node, &text, &parameters);
            out.push(Self { place, expanded, facts, text, reads_refused });
        }
        out
    }
}

/// How far reads are followed.
const MAX_DEPTH: usize = 16;

/// Parameters without which a query that this one reads does not render, with a value each.
fn needed_by_reads(db: &Database, file: File, node: usize, depth: usize, out: &mut Pairs) {
    let Some(face) = interface(db, file).as_ref().filter(|_| depth > 0) else { return };
    let Some(own) = face.nodes.get(node) else { return };
    for read in &own.reads {
        let next = match resolve(names(db, file.project(db)), Some((face, node)), read) {
            Resolution::Node(next) => Some((file, next)),
            Resolution::Resource(other) => flow::output(db, other).node.map(|next| (other, next)),
            _ => None,
        };
        let Some((file, node)) = next else { continue };
        for rendering in semantics::node_renderings(db, file, node).iter() {
            for (name, value) in &rendering.witness.required {
                if out.iter().all(|(known, _)| known != name) {
                    out.push((name.clone(), value.clone()));
                }
            }
        }
        needed_by_reads(db, file, node, depth - 1, out);
    }
}

/// The requests that a node is tried with: none of its parameters, all of them, and one for each arm.
fn requests(db: &Database, file: File, node: usize) -> Vec<(String, Pairs)> {
    let mut out = vec![("no parameters".to_owned(), Vec::new())];
    for (n, rendering) in semantics::node_renderings(db, file, node).iter().enumerate() {
        let pairs: Vec<_> =
            rendering.witness.request().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        out.push((format!("arm {n}: {}", rendering.witness), pairs));
    }
    // All at once, with the values that the arms use.
    let mut all: Pairs = Vec::new();
    for (name, value) in out.iter().flat_map(|(_, pairs)| pairs) {
        if !all.iter().any(|(n, _)| n == name) {
            all.push((name.clone(), value.clone()));
        }
    }
    out.push(("all parameters".to_owned(), all));
    out
}
