//! Which queries run after an edit: the firewall, asserted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use headwater_analysis::{Content, Database, File, Project, Setter, diagnostics, graph, settle_dialect};
use headwater_test_fixture::Fixture;

const PROJECT: &str = "\
//- datasources/hits.datasource
SCHEMA >
    ts DateTime,
    url String
//- pipes/a.pipe
NODE n
SQL >
    SELECT * FROM hits WHERE url = 'x'
NODE m
SQL >
    SELECT * FROM n
TYPE endpoint
//- pipes/b.pipe
NODE o
SQL >
    SELECT * FROM a
TYPE endpoint
//- pipes/c.pipe
NODE p
SQL >
    SELECT 1 AS one
TYPE endpoint
";

/// Nodes that were rendered and parsed, under this name: they are remembered beside the database.
const PARSED: &str = "(rendered and parsed)";

struct Session {
    db: Database,
    files: Vec<File>,
    log: Arc<Mutex<Vec<String>>>,
    /// How many memos were found to hold still.
    validated: Arc<AtomicUsize>,
}

impl Session {
    fn new() -> Self {
        let mut session = Self::empty();
        session.files = Fixture::parse(PROJECT).load_into(&mut session.db).1;
        session.run();
        session
    }

    fn empty() -> Self {
        let (log, validated): (Arc<Mutex<Vec<String>>>, Arc<AtomicUsize>) = Default::default();
        let (sink, counter) = (log.clone(), validated.clone());
        let db = Database::with_events(Arc::new(move |event| match &event.kind {
            salsa::EventKind::WillExecute { database_key } => {
                sink.lock().expect("no panic holds it").push(format!("{database_key:?}"));
            }
            salsa::EventKind::DidValidateMemoizedValue { .. } => {
                counter.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }));
        Self { db, files: Vec::new(), log, validated }
    }

    /// Asks for every diagnostic and the graph; returns how often each query ran.
    fn run(&mut self) -> BTreeMap<String, usize> {
        self.log.lock().expect("no panic holds it").clear();
        let parsed = self.db.nodes_parsed();
        for file in &self.files {
            diagnostics(&self.db, *file);
        }
        graph(&self.db, self.files[0].project(&self.db));
        let mut counts = BTreeMap::new();
        for key in self.log.lock().expect("no panic holds it").iter() {
            let name = key.split('(').next().unwrap_or(key).to_owned();
            *counts.entry(name).or_default() += 1;
        }
        let parsed = self.db.nodes_parsed() - parsed;
        if parsed > 0 {
            counts.insert(PARSED.to_owned(), parsed);
        }
        counts
    }

    fn edit(&mut self, file: usize, from: &str, to: &str) -> BTreeMap<String, usize> {
        let text = self.files[file].text(&self.db);
        assert!(text.contains(from), "{from}");
        let text = text.replacen(from, to, 1);
        self.files[file].set_content(&mut self.db).to(Content::Text(text.into()));
        self.run()
    }
}

fn ran(counts: &BTreeMap<String, usize>) -> Vec<String> {
    counts.iter().map(|(name, n)| format!("{name} {n}")).collect()
}

#[test]
fn a_body_edit_runs_queries_of_its_file_only() {
    let mut session = Session::new();
    let counts = session.edit(1, "'x'", "'yy'");
    assert_eq!(
        ran(&counts),
        [
            // One of the file's two nodes: its text changed, the other's did not.
            "(rendered and parsed) 1",
            "check 1",
            // Whether the columns that it names are others: they are not, and its data sources are not looked at.
            "columns_named 1",
            "datafile 1",
            "evidence 1",
            "interface 1",
            "lints 1",
            "local 1",
            // Of the node that changed; what the other reads of it did not.
            "meaning 1",
            "mentioned 1",
            "node_sqls 1",
            "query_faults 1",
            "refusals 1",
            "sql_references 1",
            "state_faults 1",
            "target_faults 1",
        ]
    );
}

#[test]
fn a_comment_above_a_node_parses_no_sql() {
    let mut session = Session::new();
    let counts = session.edit(1, "NODE n", "# a note\nNODE n");
    assert!(!counts.contains_key("sql_references"), "{counts:?}");
    assert_eq!(counts.get("datafile"), Some(&1));
}

#[test]
fn a_new_reference_rebuilds_the_graph_and_no_other_file() {
    let mut session = Session::new();
    let counts = session.edit(3, "SELECT 1 AS one", "SELECT 1 AS one FROM hits");
    assert_eq!(counts.get("graph"), Some(&1));
    assert_eq!(counts.get("datafile"), Some(&1));
    assert_eq!(counts.get("local"), Some(&1));
    assert_eq!(counts.get("names"), None, "no name changed");
    assert_eq!(
        counts.get("check"),
        Some(&1),
        "other files are checked against names and cycles, which did not change"
    );
}

#[test]
fn a_new_column_reaches_readers_through_interfaces_only() {
    let mut session = Session::new();
    let counts = session.edit(0, "url String", "url String,\n    extra UInt8");
    assert_eq!(counts.get("datafile"), Some(&1));
    assert_eq!(counts.get("sql_references"), None);
    assert_eq!(counts.get("local"), Some(&1));
}

#[test]
fn a_renamed_column_parses_no_reader_again() {
    let mut session = Session::new();
    let counts = session.edit(0, "url String", "uri String");
    // `n` names the column, `m` and `b` show it through their stars; `c` reads something else.
    assert_eq!(counts.get("meaning"), Some(&3), "{counts:?}");
    assert_eq!(counts.get("datafile"), Some(&1), "{counts:?}");
    for unneeded in [PARSED, "node_sqls", "sql_references", "names", "graph"] {
        assert_eq!(counts.get(unneeded), None, "{counts:?}");
    }
}

#[test]
fn what_a_filter_or_a_comment_says_concerns_nobody_else() {
    for (from, to) in [("url = 'x'", "url != ''"), ("FROM hits", "FROM hits -- all of them\n   ")] {
        let mut session = Session::new();
        let counts = session.edit(1, from, to);
        assert_eq!(counts.get("meaning"), Some(&1), "{from}: {counts:?}");
        assert_eq!(counts.get("query_faults"), Some(&1), "{from}: {counts:?}");
        assert_eq!(counts.get("check"), Some(&1), "{from}: {counts:?}");
        assert_eq!(counts.get(PARSED), Some(&1), "{from}: {counts:?}");
    }
}

#[test]
fn equal_texts_are_parsed_once() {
    let mut session = Session::new();
    let query = "SELECT * FROM hits WHERE url = 'x'";
    let counts = session.edit(3, "SELECT 1 AS one", query);
    assert_eq!(counts.get("meaning"), Some(&1), "what it means depends on where it stands");
    assert_eq!(counts.get(PARSED), None, "{counts:?}");
}

/// A project of `closed` files on disk and one that an editor holds.
fn large(closed: usize) -> (Session, File) {
    let mut session = Session::empty();
    let db = &mut session.db;
    let project = Project::empty(db, "/p".into());
    let text = |text: String| Content::Text(text.into());
    let mut files = Vec::new();
    for n in 0..closed {
        let (path, content) = match n % 2 {
            0 => (format!("d/s{n:05}.datasource"), "SCHEMA >\n    id String\n".to_owned()),
            _ => (
                format!("d/p{n:05}.pipe"),
                format!("NODE a\nSQL >\n    SELECT * FROM s{:05}\nTYPE endpoint\n", n - 1),
            ),
        };
        files.push(File::closed(db, project, path.into(), text(content)));
    }
    let content = text("NODE b\nSQL >\n    SELECT id FROM s00000 WHERE id = 'x'\nTYPE endpoint\n".to_owned());
    let open = File::open(db, project, "e/open.pipe".into(), content);
    files.push(open);
    files.sort_by(|a, b| a.path(db).cmp(b.path(db)));
    project.set_files(db).to(Arc::new(files.clone()));
    settle_dialect(db, project);
    session.files = files;
    session.run();
    (session, open)
}

#[test]
fn a_keystroke_looks_at_few_files_of_a_large_project() {
    let looked_at = |closed: usize| {
        let (mut session, open) = large(closed);
        let project = open.project(&session.db);
        // The first keystroke after files were read from disk looks at what changed there.
        for typed in ["'y'", "'yy'"] {
            let text =
                format!("NODE b\nSQL >\n    SELECT id FROM s00000 WHERE id = {typed}\nTYPE endpoint\n");
            session.validated.store(0, Ordering::Relaxed);
            open.set_open(&mut session.db, Content::Text(text.into()));
            settle_dialect(&mut session.db, project);
            diagnostics(&session.db, open);
            graph(&session.db, project);
        }
        session.validated.load(Ordering::Relaxed)
    };
    let (small, large) = (looked_at(128), looked_at(2_048));
    // Thirty parts more, for three queries over all files.
    assert!(large < small + 100, "{small} memos of 128 files, {large} of 2,048");
}
