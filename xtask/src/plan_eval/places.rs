//! Nodes and data sources, and what the engine says of them.

use std::collections::{BTreeMap, BTreeSet};

use headwater_analysis::{
    Database, File, FileKind, Project, Resolution, Word, fingerprint, flow, interface, names, resolve,
    resource_name, semantics,
};
use headwater_oracle::{Question, Session, Table, Verdict, tables, word};

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
}

/// Every node and data source.
pub(crate) fn places(db: &Database, project: Project) -> Vec<Place> {
    let mut out = Vec::new();
    for file in project.files(db).iter().copied() {
        match (file.kind(db), interface(db, file)) {
            (Some(FileKind::Datasource), Some(_)) => out.push(Place { file, node: None }),
            (Some(FileKind::Pipe), Some(face)) => {
                out.extend((0..face.nodes.len()).map(|n| Place { file, node: Some(n) }));
            }
            _ => {}
        }
    }
    out
}

/// Another number when the engine may say something else: also of the table that a node writes. `tables` are the project's.
pub(crate) fn fingerprint_of(db: &Database, tables: &[Table], place: Place) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    if let Some(node) = place.node {
        fingerprint(db, place.file, node).hash(&mut hasher);
        let target = target(db, place).map(|file| resource_name(db, file));
        target.and_then(|name| tables.iter().find(|t| t.name == *name)).hash(&mut hasher);
    }
    hasher.finish()
}

/// The data source that a view or a copy writes.
pub(crate) fn target(db: &Database, place: Place) -> Option<File> {
    let face = interface(db, place.file).as_ref()?;
    let name = face.nodes.get(place.node?)?.writes.as_ref()?;
    let target = names(db, place.file.project(db)).table(name)?;
    (target.kind(db) == Some(FileKind::Datasource)).then_some(target)
}

/// What the engine says of these places as they are now.
pub(crate) fn judge(
    db: &Database,
    project: Project,
    session: &mut Session,
    places: &[Place],
) -> Vec<Judgement> {
    let tables = tables(db, project);
    let mut out = vec![Judgement::Silent; places.len()];
    // Nodes: every rendering.
    let mut asked: Vec<(usize, bool, String)> = Vec::new();
    let mut is_partial: BTreeSet<usize> = BTreeSet::new();
    for (n, place) in places.iter().enumerate() {
        let Some(node) = place.node else { continue };
        for rendering in semantics::node_renderings(db, place.file, node).iter() {
            if !rendering.is_query() {
                is_partial.insert(n);
                continue;
            }
            let request: Vec<_> =
                rendering.witness.request().map(|(name, value)| (name.to_owned(), value.clone())).collect();
            let question = Question::new(db, place.file, node, &rendering.text, &request);
            match question.sql {
                Ok(sql) => asked.push((n, rendering.has_made_up(), sql)),
                Err(_) => drop(is_partial.insert(n)),
            }
        }
    }
    let queries: Vec<&str> = asked.iter().map(|(_, _, sql)| sql.as_str()).collect();
    let verdicts = session.describe(&tables, &queries);
    // What a view or a copy writes must go into its table, which is asked about with no rows.
    let mut writes: Vec<(usize, bool, String)> = Vec::new();
    for ((n, made_up, sql), verdict) in asked.iter().zip(&verdicts) {
        let (Verdict::Columns(columns), Some(target)) = (verdict, target(db, places[*n])) else {
            continue;
        };
        let list: Vec<_> =
            columns.iter().map(|(name, _)| format!("`{}`", name.replace('`', "\\`"))).collect();
        let (list, table) = (list.join(", "), resource_name(db, target));
        let sql = sql.trim().trim_end_matches(';');
        writes.push((
            *n,
            *made_up,
            format!("INSERT INTO `{table}` ({list}) SELECT {list} FROM (\n{sql}\n) WHERE 0"),
        ));
    }
    let statements: Vec<String> = writes.iter().map(|(_, _, sql)| sql.clone()).collect();
    let written = session.run(&tables, &statements);
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

/// Whether a place reads one of these nodes, directly or not.
pub(crate) fn reads_any(db: &Database, place: Place, of: &[Place], depth: usize) -> bool {
    let Some(face) = interface(db, place.file).as_ref() else { return false };
    let Some(node) = place.node.and_then(|n| face.nodes.get(n)) else { return false };
    let names = names(db, place.file.project(db));
    depth > 0
        && node.reads.iter().any(|read| {
            let next = match resolve(names, place.node.map(|n| (&**face, n)), read) {
                Resolution::Node(n) => Place { file: place.file, node: Some(n) },
                Resolution::Resource(f) => Place {
                    file: f,
                    node: interface(db, f).as_ref().and_then(|face| flow::output_node(face)),
                },
                _ => return false,
            };
            of.contains(&next) && next.node.is_some() || reads_any(db, next, of, depth - 1)
        })
}

/// What several verdicts are together.
fn judgement(verdicts: impl IntoIterator<Item = (Verdict, bool)>) -> Judgement {
    let mut out = Judgement::Takes;
    for (verdict, has_made_up) in verdicts {
        match word(verdict, has_made_up) {
            Some(Word::Takes) => {}
            Some(Word::Refuses(words)) => return Judgement::Refuses(words.to_string()),
            None => out = Judgement::Silent,
        }
    }
    out
}
