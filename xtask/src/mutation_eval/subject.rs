//! One project under the knife: its database, its engine, and what both said of it before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headwater_analysis::syntax::Directive;
use headwater_analysis::{
    Content, Database, Diagnostic, File, FileKind, Project, Resolution, Severity, Word, datafile,
    diagnostics, fingerprint, flow, interface, names, resolve, resource_name, semantics,
};
use headwater_oracle::{Question, Session, Table, Verdict, tables, word};
use headwater_project::{Loaded, OsFileSystem, ProjectRoot, load, scan};
use headwater_warehouse::PoolConfig;

use super::mutate::Mutation;

/// A node, or a data source as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) file: File,
    pub(crate) node: Option<usize>,
}

/// What the engine says of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judgement {
    Takes,
    Refuses(String),
    /// It takes what it was asked about, and that is not all.
    Partly,
    /// It was not asked, or says nothing that counts.
    Silent,
    /// It cannot read it.
    Unreadable(String),
}

/// Errors of a place: code and message.
type Errors = BTreeSet<(&'static str, String)>;

pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) db: Database,
    pub(crate) project: Project,
    session: Session,
    before: Vec<(Place, Before)>,
}

struct Before {
    judgement: Judgement,
    errors: Errors,
    fingerprint: u64,
}

/// What one mutation did.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Places that the engine took before and refuses now, for a reason of their own: with the codes that we report there.
    pub(crate) victims: Vec<(String, String, BTreeSet<&'static str>)>,
    /// Places that the engine took before and takes now, and we report something that only it can decide.
    pub(crate) false_alarms: Vec<String>,
    /// Whether a node of another file is a victim.
    pub(crate) breaks_others: bool,
    /// Whether the mutated file says that it breaks what is downstream.
    pub(crate) says_so: bool,
    /// Whether every place that the mutation reaches was judged.
    pub(crate) is_whole: bool,
}

/// Rules that say what the engine refuses. Others are the format's, or the product's.
pub(crate) const ENGINE_RULES: &[&str] = &[
    "unknown-column",
    "ambiguous-column",
    "unknown-function",
    "function-arguments",
    "not-grouped",
    "misplaced-aggregate",
    "unknown-window",
    "unequal-columns",
    "key-type",
    "unknown-position",
    "alias-required",
    "no-columns",
    "target-columns",
    "column-default",
    "comparison-types",
    "join-types",
    "literal-type",
    "key-column",
];

/// Expressions that the statement of a data source's table holds.
const ASKED_KEYS: &[Directive] =
    &[Directive::EngineSortingKey, Directive::EnginePartitionKey, Directive::EngineTtl];

impl Subject {
    /// Loads a project, with itself as the baseline, and asks about everything once.
    pub(crate) fn new(root: &ProjectRoot, name: String, config: PoolConfig) -> Self {
        let mut db = Database::default();
        let mut loaded = load(&mut db, &OsFileSystem, root);
        let baseline = Loaded::durable(&mut db, root.clone(), scan(&OsFileSystem, root));
        loaded.set_baseline(&mut db, Some(baseline.project));
        let project = loaded.project;
        let mut subject = Self::over(db, project, name, config);
        let places = subject.places();
        let judgements = subject.judge(&places);
        for (place, judgement) in places.into_iter().zip(judgements) {
            let errors = subject.errors(place, false);
            let fingerprint = subject.fingerprint(place);
            subject.before.push((place, Before { judgement, errors, fingerprint }));
        }
        subject
    }

    /// A project that is loaded already; nothing is asked yet.
    pub(crate) fn over(db: Database, project: Project, name: String, config: PoolConfig) -> Self {
        Self { name, db, project, session: Session::new(config), before: Vec::new() }
    }

    /// The text of a file.
    pub(crate) fn text(&self, file: File) -> Arc<str> {
        file.text(&self.db)
    }

    pub(crate) fn set_text(&mut self, file: File, text: Arc<str>) {
        file.set_open(&mut self.db, Content::Text(text));
    }

    /// Every node and data source.
    pub(crate) fn places(&self) -> Vec<Place> {
        let mut out = Vec::new();
        for file in self.project.files(&self.db).iter().copied() {
            match (file.kind(&self.db), interface(&self.db, file)) {
                (Some(FileKind::Datasource), Some(_)) => out.push(Place { file, node: None }),
                (Some(FileKind::Pipe), Some(face)) => {
                    out.extend((0..face.nodes.len()).map(|n| Place { file, node: Some(n) }));
                }
                _ => {}
            }
        }
        out
    }

    /// Another number when the engine may say something else: also of the table that a node writes.
    pub(crate) fn fingerprint(&self, place: Place) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        match place.node {
            None => self.create(place.file).hash(&mut hasher),
            Some(node) => {
                fingerprint(&self.db, place.file, node).hash(&mut hasher);
                self.target(place).map(|file| self.create(file)).hash(&mut hasher);
            }
        }
        hasher.finish()
    }

    fn create(&self, file: File) -> Option<String> {
        let name = resource_name(&self.db, file);
        let own = |t: &Table| t.name == *name;
        tables(&self.db, self.project).into_iter().find(own)?.statements.into_iter().next()
    }

    /// The data source that a view or a copy writes.
    fn target(&self, place: Place) -> Option<File> {
        let face = interface(&self.db, place.file).as_ref()?;
        let name = face.nodes.get(place.node?)?.writes.as_ref()?;
        let target = names(&self.db, self.project).table(name)?;
        (target.kind(&self.db) == Some(FileKind::Datasource)).then_some(target)
    }

    /// What the engine says of these places as they are now.
    pub(crate) fn judge(&mut self, places: &[Place]) -> Vec<Judgement> {
        let tables = tables(&self.db, self.project);
        let mut out = vec![Judgement::Silent; places.len()];
        // Data sources: would their own statement make a table?
        let sources: Vec<(usize, String)> = (0..places.len())
            .filter(|n| places[*n].node.is_none())
            .filter_map(|n| Some((n, probe(&self.create(places[n].file)?))))
            .collect();
        let statements: Vec<String> =
            sources.iter().flat_map(|(_, create)| [create.clone(), DROP_PROBE.to_owned()]).collect();
        let answers = self.session.run(&[], &statements);
        for ((n, _), verdict) in sources.iter().zip(answers.into_iter().step_by(2)) {
            out[*n] = judgement([(verdict, false)]);
        }
        // Nodes: every rendering.
        let mut asked: Vec<(usize, bool, String)> = Vec::new();
        let mut is_partial: BTreeSet<usize> = BTreeSet::new();
        for (n, place) in places.iter().enumerate() {
            let Some(node) = place.node else { continue };
            for rendering in semantics::node_renderings(&self.db, place.file, node).iter() {
                if !rendering.is_query() {
                    is_partial.insert(n);
                    continue;
                }
                let request: Vec<_> = rendering
                    .witness
                    .request()
                    .map(|(name, value)| (name.to_owned(), value.clone()))
                    .collect();
                let question = Question::new(&self.db, place.file, node, &rendering.text, &request);
                match question.sql {
                    Ok(sql) => asked.push((n, rendering.has_made_up(), sql)),
                    Err(_) => drop(is_partial.insert(n)),
                }
            }
        }
        let queries: Vec<&str> = asked.iter().map(|(_, _, sql)| sql.as_str()).collect();
        let verdicts = self.session.describe(&tables, &queries);
        // What a view or a copy writes must go into its table, which is asked about with no rows.
        let mut writes: Vec<(usize, bool, String)> = Vec::new();
        for ((n, made_up, sql), verdict) in asked.iter().zip(&verdicts) {
            let (Verdict::Columns(columns), Some(target)) = (verdict, self.target(places[*n])) else {
                continue;
            };
            let list: Vec<_> =
                columns.iter().map(|(name, _)| format!("`{}`", name.replace('`', "\\`"))).collect();
            let (list, table) = (list.join(", "), resource_name(&self.db, target));
            let sql = sql.trim().trim_end_matches(';');
            writes.push((
                *n,
                *made_up,
                format!("INSERT INTO `{table}` ({list}) SELECT {list} FROM (\n{sql}\n) WHERE 0"),
            ));
        }
        let statements: Vec<String> = writes.iter().map(|(_, _, sql)| sql.clone()).collect();
        let written = self.session.run(&tables, &statements);
        let mut of_place: BTreeMap<usize, Vec<(Verdict, bool)>> = BTreeMap::new();
        let all = asked.iter().zip(verdicts).chain(writes.iter().zip(written));
        for ((n, made_up, _), verdict) in all {
            of_place.entry(*n).or_default().push((verdict, *made_up));
        }
        for (n, verdicts) in of_place {
            out[n] = judgement(verdicts);
            // A text that nobody judged may be the one that is refused.
            if out[n] == Judgement::Takes && is_partial.contains(&n) {
                out[n] = Judgement::Partly;
            }
        }
        out
    }

    /// The errors that we report at a place.
    fn errors(&self, place: Place, engine_rules_only: bool) -> Errors {
        let all = diagnostics(&self.db, place.file);
        let errors = all.iter().filter(|d| d.severity == Severity::Error);
        let parsed = datafile(&self.db, place.file);
        let nodes = parsed.datafile.nodes();
        let view = place.node.and_then(|n| nodes.iter().find(|v| v.index == n));
        let is_there = |d: &&Diagnostic| view.is_none_or(|v| v.range().contains_range(d.range));
        let counts = |d: &&Diagnostic| {
            // Which columns of a target stay empty is the format's business, said at the directive.
            let in_query = d.code.name != "target-columns"
                || view
                    .and_then(|v| v.sql())
                    .is_some_and(|(entry, _)| entry.entry.full_range().contains_range(d.range));
            // Of what else a key can be, a table says nothing that has only these.
            let is_asked = d.code.name != "key-column"
                || ASKED_KEYS.iter().any(|directive| {
                    let entry = parsed.datafile.last(*directive);
                    entry.is_some_and(|e| e.entry.full_range().contains_range(d.range))
                });
            !engine_rules_only || ENGINE_RULES.contains(&d.code.name) && in_query && is_asked
        };
        errors.filter(is_there).filter(counts).map(|d| (d.code.name, d.message.clone())).collect()
    }

    /// What a mutation that is applied now did. `look` is run before our own rules are asked: it may change the database, as
    /// a fault in them would.
    pub(crate) fn outcome(&mut self, mutated: File, look: impl FnOnce(&mut Self)) -> Outcome {
        let mut outcome = Outcome { is_whole: true, ..Outcome::default() };
        let reached: Vec<Place> = self
            .before
            .iter()
            .filter(|(place, before)| self.fingerprint(*place) != before.fingerprint)
            .map(|(place, _)| *place)
            .collect();
        let judgements = self.judge(&reached);
        let refused: Vec<Place> = reached
            .iter()
            .zip(&judgements)
            .filter(|(_, j)| matches!(j, Judgement::Refuses(_)))
            .map(|(place, _)| *place)
            .collect();
        let upstream_refused: Vec<bool> = reached.iter().map(|p| self.reads_any(*p, &refused, 24)).collect();
        look(self);
        for ((place, judgement), has_cause) in reached.iter().zip(judgements).zip(upstream_refused) {
            let Some((_, before)) = self.before.iter().find(|(p, _)| p == place) else { continue };
            let was_taken = matches!(before.judgement, Judgement::Takes | Judgement::Partly);
            if !was_taken || !before.errors.is_empty() {
                continue;
            }
            let name = self.describe(*place);
            match judgement {
                Judgement::Refuses(_) if has_cause => {}
                Judgement::Refuses(words) => {
                    let codes = self.errors(*place, false).iter().map(|(code, _)| *code).collect();
                    outcome.breaks_others |= place.file != mutated;
                    outcome.victims.push((name, words, codes));
                }
                Judgement::Takes => {
                    for (code, message) in self.errors(*place, true) {
                        outcome.false_alarms.push(format!("{name}: {code}: {message}"));
                    }
                }
                Judgement::Partly | Judgement::Silent | Judgement::Unreadable(_) => outcome.is_whole = false,
            }
        }
        outcome.says_so = diagnostics(&self.db, mutated).iter().any(|d| d.code.name == "breaks-downstream");
        outcome
    }

    /// What becomes of our rules when they believe in a mutation that was not made.
    pub(crate) fn falsely(&mut self, mutation: &Mutation, truth: &str) -> Outcome {
        let places: Vec<Place> = self.before.iter().map(|(place, _)| *place).collect();
        self.set_text(mutation.file, mutation.apply(truth).into());
        let mut outcome = Outcome::default();
        for place in places {
            let Some((_, before)) = self.before.iter().find(|(p, _)| *p == place) else { continue };
            if before.judgement == Judgement::Takes && before.errors.is_empty() {
                let name = self.describe(place);
                let alarms = self.errors(place, true);
                outcome
                    .false_alarms
                    .extend(alarms.iter().map(|(code, text)| format!("{name}: {code}: {text}")));
            }
        }
        self.set_text(mutation.file, truth.into());
        outcome
    }

    /// Whether a place reads one of these nodes, directly or not.
    fn reads_any(&self, place: Place, of: &[Place], depth: usize) -> bool {
        let Some(face) = interface(&self.db, place.file).as_ref() else { return false };
        let Some(node) = place.node.and_then(|n| face.nodes.get(n)) else { return false };
        let names = names(&self.db, self.project);
        depth > 0
            && node.reads.iter().any(|read| {
                let next = match resolve(names, place.node.map(|n| (&**face, n)), read) {
                    Resolution::Node(n) => Place { file: place.file, node: Some(n) },
                    Resolution::Resource(f) => Place {
                        file: f,
                        node: interface(&self.db, f).as_ref().and_then(|face| flow::output_node(face)),
                    },
                    _ => return false,
                };
                of.contains(&next) && next.node.is_some() || self.reads_any(next, of, depth - 1)
            })
    }

    fn describe(&self, place: Place) -> String {
        let face = interface(&self.db, place.file).as_ref();
        let node = place.node.and_then(|n| Some(format!(":{}", face?.nodes.get(n)?.name)));
        format!("{}/{}{}", self.name, place.file.path(&self.db), node.unwrap_or_default())
    }
}

const PROBE: &str = "CREATE TABLE `headwater probe` (";
const DROP_PROBE: &str = "DROP TABLE IF EXISTS `headwater probe` SYNC";

/// The statement for a table of another name.
fn probe(create: &str) -> String {
    create.split_once("` (").map_or_else(|| create.to_owned(), |(_, rest)| format!("{PROBE}{rest}"))
}

/// What several verdicts are together.
fn judgement(verdicts: impl IntoIterator<Item = (Verdict, bool)>) -> Judgement {
    let mut out = Judgement::Takes;
    for (verdict, has_made_up) in verdicts {
        if let Verdict::Refused(error) = &verdict
            && error.name == "SYNTAX_ERROR"
        {
            return Judgement::Unreadable(error.message.clone());
        }
        match word(verdict, has_made_up) {
            Some(Word::Takes) => {}
            Some(Word::Refuses(words)) => return Judgement::Refuses(words.to_string()),
            None => out = Judgement::Silent,
        }
    }
    out
}
