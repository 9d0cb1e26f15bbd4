//! What a test's outcome depends on.

use std::hash::{Hash, Hasher};

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::flow::{Graph, Vertex, graph};
use headwater_analysis::{Database, Db, File, FileKind, Project, datafile, interface, resource_name};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use super::{Case, CaseFixture, Check, Command};
use crate::compile::{Compiler, Options};
use crate::fixtures::{is_sample, sample_name};

/// The resources that a test asks, by name; `None` stands for a name of nothing, which may be what has just gone.
pub fn asked(compiler: &Compiler<'_>, case: &Case) -> Vec<Option<File>> {
    let named = |name: &str| compiler.pipe(name).or_else(|| compiler.source(name));
    let said = |sql: &str| -> Vec<Option<File>> {
        let words = sql.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.filter_map(named).map(Some).collect()
    };
    let mut out: Vec<Option<File>> = case.copies.iter().map(|name| named(name)).collect();
    match &case.check {
        Check::Request { pipe, .. } => out.push(named(pipe)),
        Check::Nothing { sql, pipe, .. } => {
            out.extend(sql.iter().flat_map(|sql| said(sql)));
            out.extend(pipe.iter().map(|(name, _)| named(name)));
        }
        Check::Output { commands, .. } => {
            for command in commands {
                match command {
                    Command::Data { pipe, query, .. } => {
                        out.push(named(pipe));
                        out.extend(query.iter().flat_map(|query| said(query)));
                    }
                    Command::Sql { sql, .. } => out.extend(said(sql)),
                }
            }
        }
    }
    out
}

/// Says of each test of a project what it is about: a number that stays as long as everything stays that its outcome is made of.
///
/// That is its own text, the texts of all files upstream of what it asks, and the files with rows, secrets and expectations
/// whose changes somebody counts. Makes each file's hash once, so that a project's tests together cost a look at its texts.
pub struct Subjects<'db> {
    db: &'db Database,
    project: Project,
    compiler: Compiler<'db>,
    graph: std::sync::Arc<Graph>,
    /// How often files that are no datafiles have changed, by path from the root.
    touched: &'db FxHashMap<Utf8PathBuf, u64>,
    texts: FxHashMap<File, u64>,
    upstream: FxHashMap<File, u64>,
    everywhere: u64,
}

impl<'db> Subjects<'db> {
    /// Looks at a project. `touched` counts the changes of each sample, environment file and the like, by path from the root.
    pub fn new(db: &'db Database, project: Project, touched: &'db FxHashMap<Utf8PathBuf, u64>) -> Self {
        let mut hasher = FxHasher::default();
        project.root(db).hash(&mut hasher);
        format!("{:?}", project.config(db)).hash(&mut hasher);
        for path in sorted(touched, |path| path.as_str().starts_with(".env")) {
            (path, touched[path]).hash(&mut hasher);
        }
        Self {
            db,
            project,
            compiler: Compiler::new(db, project, Options::default()),
            graph: graph(db, project).clone(),
            touched,
            texts: FxHashMap::default(),
            upstream: FxHashMap::default(),
            everywhere: hasher.finish(),
        }
    }

    /// What a test is about, whose file has this text.
    pub fn of(&mut self, case: &Case, text: &str) -> u64 {
        let mut hasher = FxHasher::default();
        self.everywhere.hash(&mut hasher);
        case.path.hash(&mut hasher);
        text.get(case.extent.clone()).hash(&mut hasher);
        for file in asked(&self.compiler, case) {
            file.map(|file| self.upstream(file)).hash(&mut hasher);
        }
        for fixture in &case.fixtures {
            if let CaseFixture::File { path, .. } = fixture {
                let beside = case.path.parent().map(|folder| folder.join(path));
                let is_it = |touched: &Utf8Path| touched == path || Some(touched) == beside.as_deref();
                for path in sorted(self.touched, is_it) {
                    (path, self.touched[path]).hash(&mut hasher);
                }
            }
        }
        // What a file of command lines must print stands beside it.
        let result = Utf8PathBuf::from(format!("{}.result", case.path));
        self.touched.get(&result).hash(&mut hasher);
        hasher.finish()
    }

    /// A hash of a resource and of everything upstream of it.
    fn upstream(&mut self, file: File) -> u64 {
        if let Some(known) = self.upstream.get(&file) {
            return *known;
        }
        let mut files: FxHashSet<File> = FxHashSet::default();
        let mut open = vec![file];
        while let Some(file) = open.pop() {
            if !files.insert(file) {
                continue;
            }
            for vertex in vertices(self.db, file) {
                open.extend(self.graph.upstream(vertex).iter().map(|(vertex, _)| vertex.file));
            }
        }
        let mut files: Vec<File> = files.into_iter().collect();
        files.sort_by(|a, b| a.path(self.db).cmp(b.path(self.db)));
        let mut hasher = FxHasher::default();
        for file in files {
            (file.path(self.db), self.text(file)).hash(&mut hasher);
            if file.kind(self.db) == Some(FileKind::Datasource) {
                let name = resource_name(self.db, file);
                let is_its = |path: &Utf8Path| {
                    is_sample(path)
                        && sample_name(path).is_some_and(|(stem, ..)| {
                            stem.strip_prefix(name)
                                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
                        })
                };
                for path in sorted(self.touched, is_its) {
                    (path, self.touched[path]).hash(&mut hasher);
                }
            }
        }
        let hash = hasher.finish();
        self.upstream.insert(file, hash);
        hash
    }

    /// A hash of a file's text, with what it includes.
    fn text(&mut self, file: File) -> u64 {
        if let Some(known) = self.texts.get(&file) {
            return *known;
        }
        let mut hasher = FxHasher::default();
        file.text(self.db).hash(&mut hasher);
        for include in datafile(self.db, file).includes.iter().filter_map(|include| include.target) {
            include.text(self.db).hash(&mut hasher);
        }
        let hash = hasher.finish();
        self.texts.insert(file, hash);
        hash
    }

    /// The project.
    pub fn project(&self) -> Project {
        self.project
    }
}

fn sorted(touched: &FxHashMap<Utf8PathBuf, u64>, wanted: impl Fn(&Utf8Path) -> bool) -> Vec<&Utf8PathBuf> {
    let mut out: Vec<&Utf8PathBuf> = touched.keys().filter(|path| wanted(path)).collect();
    out.sort_unstable();
    out
}

/// A file's places in the graph.
fn vertices(db: &dyn Db, file: File) -> Vec<Vertex> {
    match file.kind(db) {
        Some(FileKind::Pipe) => {
            let count = interface(db, file).as_ref().map_or(0, |face| face.nodes.len());
            (0..count).map(|n| Vertex { file, node: Some(n) }).collect()
        }
        _ => vec![Vertex { file, node: None }],
    }
}

#[cfg(test)]
mod tests {
    use headwater_analysis::Database;
    use headwater_test_fixture::Fixture;

    use super::*;
    use crate::suite::read;

    const PROJECT: &str = "\
//- datasources/events.datasource
SCHEMA >
    `id` String `json:$.id`
//- datasources/daily.datasource
SCHEMA >
    `id` String
//- datasources/others.datasource
SCHEMA >
    `id` String `json:$.id`
//- materializations/to_daily.pipe
NODE n
SQL >
    SELECT id FROM events
TYPE materialized
DATASOURCE daily
//- endpoints/top.pipe
NODE n
SQL >
    SELECT id FROM daily
TYPE endpoint
//- endpoints/lone.pipe
NODE n
SQL >
    SELECT id FROM others
TYPE endpoint
";

    fn subjects(project: &str, test: &str, touched: &[(&str, u64)]) -> Vec<u64> {
        let (db, _, files): (Database, _, _) = Fixture::parse(project).load();
        let touched = touched.iter().map(|(path, n)| (Utf8PathBuf::from(*path), *n)).collect();
        let mut subjects = Subjects::new(&db, files[0].project(&db), &touched);
        let cases = read("tests/top.yaml".into(), test, None);
        cases.iter().map(|case| subjects.of(case.as_ref().expect("a case"), test)).collect()
    }

    #[test]
    fn a_subject_is_what_the_outcome_depends_on() {
        let test = "- name: a\n  parameters: x=1\n- name: b\n  pipe: lone\n  parameters: ''\n- name: c\n  parameters: ''\n  fixtures: {events: own.ndjson}\n";
        let before = subjects(PROJECT, test, &[]);
        let same = |project: &str, test: &str, touched: &[(&str, u64)]| {
            let now = subjects(project, test, touched);
            now.iter().zip(&before).map(|(a, b)| a == b).collect::<Vec<_>>()
        };
        assert_eq!(same(PROJECT, test, &[]), [true, true, true]);
        // Far upstream, through the view.
        assert_eq!(
            same(&PROJECT.replace("id FROM events", "id FROM  events"), test, &[]),
            [false, true, false]
        );
        assert_eq!(same(&PROJECT.replace("FROM others", "FROM  others"), test, &[]), [true, false, true]);
        // The own text, and not that of a neighbour, nor what stands between them.
        assert_eq!(same(PROJECT, &test.replace("x=1", "x=2"), &[]), [false, true, true]);
        assert_eq!(same(PROJECT, &format!("# more\n\n{test}# and more\n"), &[]), [true, true, true]);
        // Rows, by name.
        assert_eq!(same(PROJECT, test, &[("fixtures/events_small.ndjson", 1)]), [false, true, false]);
        assert_eq!(same(PROJECT, test, &[("tests/own.ndjson", 1)]), [true, true, false]);
        assert_eq!(same(PROJECT, test, &[(".env.local", 1)]), [false, false, false]);
        assert_eq!(same(PROJECT, test, &[("fixtures/readme.md", 1)]), [true, true, true]);
        // What is gone is another subject.
        let gone = PROJECT.replace("endpoints/lone.pipe", "endpoints/other.pipe");
        assert_eq!(same(&gone, test, &[]), [true, false, true]);
    }
}
