//! One look at a project: what there is to ask, and what the answers mean for its files.

use std::sync::Arc;

use headwater_analysis::query::FaultKind;
use headwater_analysis::scope::{Resolution, names, resolve};
use headwater_analysis::{
    Database, File, FileKind, Interface, Opinion, Project, Word, fault_text, fingerprint, flow, interface,
    semantics,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::known::{Answers, Known, Words};
use crate::question::Question;
use crate::session::Session;
use crate::table::{Table, table};
use crate::verdict::{Verdict, is_about_meaning, is_about_values};

/// The nodes of a project at one moment, and the questions about those that nothing is known about.
#[derive(Debug, Default)]
pub struct Pass {
    files: Vec<(File, Vec<Node>)>,
    questions: Vec<Asked>,
    tables: Vec<Table>,
    /// There was more to ask than the limit allows.
    pub is_partial: bool,
}

#[derive(Debug)]
struct Node {
    label: String,
    fingerprint: u64,
    /// Of the nodes that it reads.
    reads: Vec<u64>,
    /// For each text: what our rules say of it, when they refuse it.
    ours: Vec<Option<String>>,
}

/// One text of one node.
#[derive(Debug)]
struct Asked {
    fingerprint: u64,
    rendering: usize,
    /// How many texts the node has.
    of: usize,
    sql: String,
    /// Values stand in it that nobody wrote.
    has_made_up: bool,
    tables: Vec<String>,
}

/// Something that our rules refuse and the engine takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Disagreement {
    /// The node: path and name.
    pub node: String,
    /// What our rules say.
    pub ours: String,
}

/// Counts over a project's texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// The engine has an opinion.
    pub judged: usize,
    /// It refuses, and so do our rules.
    pub agreed: usize,
    /// It refuses what our rules let pass.
    pub missed: usize,
    /// It takes what our rules refuse.
    pub disagreed: usize,
    /// Nodes that were not asked about yet.
    pub open: usize,
}

impl Pass {
    /// Looks at a project. At most about `limit` texts are asked about, those of the files in `first` before the others;
    /// a node is asked about as a whole. Computes the meaning of every node, which the diagnostics need anyhow, and writes
    /// out the queries of those that have changed.
    pub fn new(db: &Database, project: Project, known: &Known, first: &[File], limit: usize) -> Self {
        let mut pass = Self::default();
        let mut wanted: FxHashSet<u64> = FxHashSet::default();
        let mut tables: FxHashMap<String, Table> = FxHashMap::default();
        let is_first = |file: &File| first.contains(file);
        let pipes = project.files(db).iter().filter(|f| f.kind(db) == Some(FileKind::Pipe));
        let (mut order, rest): (Vec<File>, Vec<File>) = pipes.copied().partition(is_first);
        order.extend(rest);
        for file in order {
            let Some(face) = interface(db, file) else { continue };
            let mut nodes = Vec::new();
            for index in 0..face.nodes.len() {
                let fingerprint = fingerprint(db, file, index);
                if fingerprint == 0 {
                    continue;
                }
                if known.get(fingerprint).is_none() && wanted.insert(fingerprint) {
                    if pass.questions.len() < limit {
                        pass.ask_about(db, file, index, fingerprint, &mut tables);
                    } else {
                        pass.is_partial = true;
                    }
                }
                nodes.push(Node::new(db, file, face, index, fingerprint));
            }
            pass.files.push((file, nodes));
        }
        pass.tables = tables.into_values().collect();
        pass.tables.sort_by(|a, b| a.name.cmp(&b.name));
        pass
    }

    fn ask_about(
        &mut self,
        db: &Database,
        file: File,
        node: usize,
        fingerprint: u64,
        tables: &mut FxHashMap<String, Table>,
    ) {
        let renderings = semantics::node_renderings(db, file, node);
        let before = self.questions.len();
        for (number, rendering) in renderings.iter().enumerate().filter(|(_, r)| r.is_query()) {
            let request: Vec<_> =
                rendering.witness.request().map(|(name, value)| (name.to_owned(), value.clone())).collect();
            let question = Question::new(db, file, node, &rendering.text, &request);
            // What is wrong with something that it reads is shown there.
            let Some(sql) = question.sql.ok().filter(|_| !question.reads_refused) else { continue };
            let mut names = Vec::new();
            for table in question.tables.iter().filter_map(|f| table(db, *f)) {
                names.push(table.name.clone());
                tables.entry(table.name.clone()).or_insert(table);
            }
            self.questions.push(Asked {
                fingerprint,
                rendering: number,
                of: renderings.len(),
                sql,
                has_made_up: rendering.has_made_up(),
                tables: names,
            });
        }
        if self.questions.len() == before {
            // Nothing to ask is an answer too.
            self.questions.push(Asked {
                fingerprint,
                rendering: 0,
                of: renderings.len(),
                sql: String::new(),
                has_made_up: false,
                tables: Vec::new(),
            });
        }
    }

    /// Whether there is nothing to ask.
    pub fn is_settled(&self) -> bool {
        self.questions.is_empty()
    }

    /// How many texts are asked about.
    pub fn len(&self) -> usize {
        self.questions.iter().filter(|q| !q.sql.is_empty()).count()
    }

    /// Whether no text is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts the questions to the engine. Takes some milliseconds for each, and needs no database.
    ///
    /// # Errors
    /// Why there is no engine; nothing is learned then.
    pub fn ask(&self, session: &mut Session) -> Result<Answers, String> {
        let mut words: FxHashMap<u64, Vec<Option<Word>>> = FxHashMap::default();
        for question in &self.questions {
            words.entry(question.fingerprint).or_insert_with(|| vec![None; question.of]);
        }
        if !self.is_empty() {
            session.provide(&self.tables)?;
        }
        let asked: Vec<&Asked> = self
            .questions
            .iter()
            .filter(|q| !q.sql.is_empty() && q.tables.iter().all(|name| session.has(name)))
            .collect();
        let queries: Vec<&str> = asked.iter().map(|q| q.sql.as_str()).collect();
        for (question, verdict) in asked.iter().zip(session.describe(&self.tables, &queries)) {
            let said = words.get_mut(&question.fingerprint).and_then(|all| all.get_mut(question.rendering));
            if let Some(said) = said {
                *said = word(verdict, question.has_made_up);
            }
        }
        let words = words.into_iter().map(|(fingerprint, all)| (fingerprint, Words::from(all)));
        Ok(Answers(words.collect()))
    }

    /// The fingerprints of all nodes.
    pub fn fingerprints(&self) -> impl Iterator<Item = u64> {
        self.files.iter().flat_map(|(_, nodes)| nodes.iter().map(|n| n.fingerprint))
    }

    /// The opinions of every file, as far as they change what is shown: a refusal, or the word that a query is fine that our
    /// rules refuse. A refusal is left out while something that the node reads is refused or not known: its cause is there.
    pub fn opinions(&self, known: &Known) -> Vec<(File, Arc<Vec<Opinion>>)> {
        let blamed = self.blamed(known);
        let opinions = self.files.iter().map(|(file, nodes)| {
            let mut out = Vec::new();
            for node in nodes {
                for (rendering, word) in said(known, node) {
                    let matters = match word {
                        Word::Takes => node.ours.get(rendering).is_some_and(Option::is_some),
                        Word::Refuses(_) => !blamed.contains(&node.fingerprint),
                    };
                    if matters {
                        let (fingerprint, word) = (node.fingerprint, word.clone());
                        out.push(Opinion { fingerprint, rendering, word });
                    }
                }
            }
            (*file, Arc::new(out))
        });
        opinions.collect()
    }

    /// Nodes whose refusal may be that of something they read.
    fn blamed(&self, known: &Known) -> FxHashSet<u64> {
        let refused = |node: &Node| {
            known.get(node.fingerprint).is_none_or(|all| all.iter().flatten().any(|w| *w != Word::Takes))
        };
        let nodes = || self.files.iter().flat_map(|(_, nodes)| nodes);
        let mut faulty: FxHashSet<u64> = nodes().filter(|n| refused(n)).map(|n| n.fingerprint).collect();
        let mut blamed = FxHashSet::default();
        // Through nodes that have no opinion of their own, too.
        loop {
            let more: Vec<u64> = nodes()
                .filter(|n| !blamed.contains(&n.fingerprint) && n.reads.iter().any(|r| faulty.contains(r)))
                .map(|n| n.fingerprint)
                .collect();
            if more.is_empty() {
                return blamed;
            }
            faulty.extend(more.iter().copied());
            blamed.extend(more);
        }
    }

    /// What our rules refuse and the engine takes.
    pub fn disagreements(&self, known: &Known) -> Vec<Disagreement> {
        let mut out = Vec::new();
        for node in self.files.iter().flat_map(|(_, nodes)| nodes) {
            for (rendering, word) in said(known, node) {
                if let (Word::Takes, Some(Some(ours))) = (word, node.ours.get(rendering)) {
                    out.push(Disagreement { node: node.label.clone(), ours: ours.clone() });
                }
            }
        }
        out
    }

    /// Counts over everything that is known.
    pub fn tally(&self, known: &Known) -> Tally {
        let mut tally = Tally::default();
        let blamed = self.blamed(known);
        for node in self.files.iter().flat_map(|(_, nodes)| nodes) {
            if known.get(node.fingerprint).is_none() {
                tally.open += 1;
            }
            for (rendering, word) in said(known, node) {
                let ours = node.ours.get(rendering).is_some_and(Option::is_some);
                tally.judged += 1;
                match word {
                    Word::Takes => tally.disagreed += usize::from(ours),
                    Word::Refuses(_) if ours => tally.agreed += 1,
                    Word::Refuses(_) => tally.missed += usize::from(!blamed.contains(&node.fingerprint)),
                }
            }
        }
        tally
    }
}

fn said<'k>(known: &'k Known, node: &Node) -> impl Iterator<Item = (usize, &'k Word)> {
    let words = known.get(node.fingerprint);
    words.into_iter().flat_map(|all| all.iter().enumerate()).filter_map(|(n, word)| Some((n, word.as_ref()?)))
}

impl Node {
    fn new(db: &Database, file: File, face: &Interface, index: usize, own: u64) -> Self {
        let names = names(db, file.project(db));
        let node = &face.nodes[index];
        let read = |read| {
            let (file, node) = match resolve(names, Some((face, index)), read) {
                Resolution::Node(n) => (file, n),
                Resolution::Resource(f) => (f, flow::output_node(interface(db, f).as_ref()?)?),
                _ => return None,
            };
            Some(fingerprint(db, file, node))
        };
        let refusal = |facts: &headwater_analysis::query::Facts| {
            let fault = facts.faults.iter().map(|f| &f.kind).find(|k| FaultKind::refuses_query(k))?;
            Some(fault_text(fault))
        };
        Self {
            label: format!("{}:{}", file.path(db), node.name),
            fingerprint: own,
            reads: node.reads.iter().filter_map(read).collect(),
            ours: semantics::node_meaning(db, file, index).facts.iter().map(refusal).collect(),
        }
    }
}

/// What a verdict is worth; `has_made_up` tells that the query holds values that were made up for the question.
pub fn word(verdict: Verdict, has_made_up: bool) -> Option<Word> {
    match verdict {
        Verdict::Columns(_) => Some(Word::Takes),
        Verdict::Refused(refusal) => {
            let of_values = is_about_values(&refusal);
            let counts = if has_made_up {
                is_about_meaning(&refusal) && !of_values
            } else {
                is_about_meaning(&refusal) || of_values
            };
            counts.then(|| Word::Refuses(refusal.message.into()))
        }
        Verdict::Broken(_) => None,
    }
}
