//! What holds for any project and any edit: nothing changed is an empty plan, what is no definition moves nothing, a plan
//! is the same each time, and going back restores fingerprints.

use std::fmt::Write as _;

use headwater_analysis::{Content, Database, File, Project, Setter};
use headwater_plan::{Class, Plan, compile, fingerprints, plan};
use proptest::prelude::*;

/// A data source and who reads it, as choices.
#[derive(Debug, Clone)]
struct Shape {
    columns: Vec<(usize, usize)>,
    key: usize,
    ttl: Option<u32>,
    engine: usize,
    reads: Vec<usize>,
    filter: bool,
}

const NAMES: &[&str] = &["ts", "user", "amount", "country", "device", "path"];
const TYPES: &[&str] =
    &["String", "UInt32", "UInt64", "Nullable(String)", "LowCardinality(String)", "Float64", "Array(String)"];
const ENGINES: &[&str] = &["MergeTree", "ReplacingMergeTree", "AggregatingMergeTree", "Null"];

fn shape() -> impl Strategy<Value = Shape> {
    (
        proptest::sample::subsequence((1..NAMES.len()).collect::<Vec<_>>(), 1..NAMES.len()),
        proptest::collection::vec(0..TYPES.len(), NAMES.len()),
        0..2usize,
        proptest::option::of(1..400u32),
        0..ENGINES.len(),
        proptest::collection::vec(0..NAMES.len(), 0..4),
        any::<bool>(),
    )
        .prop_map(|(names, types, key, ttl, engine, reads, filter)| Shape {
            columns: names.into_iter().map(|n| (n, types[n])).collect(),
            key,
            ttl,
            engine,
            reads,
            filter,
        })
}

fn files(shape: &Shape) -> Vec<(&'static str, String)> {
    let mut table = "SCHEMA >\n    `ts` DateTime".to_owned();
    for (name, ty) in &shape.columns {
        let _ = write!(table, ",\n    `{}` {}", NAMES[*name], TYPES[*ty]);
    }
    let key = if shape.key == 0 { "ts" } else { "toDate(ts), ts" };
    let _ = write!(table, "\n\nENGINE {}\nENGINE_SORTING_KEY {key}\n", ENGINES[shape.engine]);
    if let Some(days) = shape.ttl {
        let _ = writeln!(table, "ENGINE_TTL ts + INTERVAL {days} DAY");
    }
    let known: Vec<&str> = shape.columns.iter().map(|(n, _)| NAMES[*n]).collect();
    let read: Vec<&str> = shape.reads.iter().map(|n| NAMES[*n]).filter(|n| known.contains(n)).collect();
    let list = if read.is_empty() { "*".to_owned() } else { read.join(", ") };
    let filter = if shape.filter { " WHERE ts > now() - 60" } else { "" };
    let pipe = format!("NODE rows\nSQL >\n    SELECT {list} FROM events{filter}\n\nTYPE endpoint\n");
    let view = "NODE rows\nSQL >\n    SELECT toDate(ts) AS day, count() AS hits FROM events GROUP BY day\n\n\
                TYPE materialized\nDATASOURCE daily\n";
    let daily = "SCHEMA >\n    `day` Date,\n    `hits` SimpleAggregateFunction(sum, UInt64)\n\n\
                 ENGINE AggregatingMergeTree\nENGINE_SORTING_KEY day\n";
    vec![
        ("datasources/daily.datasource", daily.to_owned()),
        ("datasources/events.datasource", table),
        ("endpoints/report.pipe", pipe),
        ("materializations/fill.pipe", view.to_owned()),
    ]
}

fn load(db: &mut Database, files: &[(&'static str, String)]) -> Project {
    let project = Project::empty(db, "/project".into());
    let inputs: Vec<File> = files
        .iter()
        .map(|(path, text)| File::new(db, project, (*path).into(), Content::Text(text.as_str().into())))
        .collect();
    project.set_files(db).to(inputs.into());
    project
}

fn planned(before: &[(&'static str, String)], after: &[(&'static str, String)]) -> Plan {
    let mut db = Database::default();
    let (before, after) = (load(&mut db, before), load(&mut db, after));
    after.set_baseline(&mut db).to(Some(before));
    plan(&db, before, after, None)
}

/// Other white space, other case of keywords, comments, descriptions.
fn dressed(files: &[(&'static str, String)], description: bool) -> Vec<(&'static str, String)> {
    let dress = |text: &String| {
        let text = text
            .replace("SELECT ", "select   ")
            .replace(" FROM ", "\n      from ")
            .replace("SCHEMA >\n", "# the columns\nSCHEMA >\n")
            .replace("NODE rows\n", "\nNODE rows\n\n")
            .replace(" GROUP BY", " -- by day\n    group by");
        if description { format!("DESCRIPTION Something new\n\n{text}") } else { text }
    };
    files.iter().map(|(path, text)| (*path, dress(text))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_changed_is_an_empty_plan(shape in shape()) {
        let files = files(&shape);
        prop_assert!(planned(&files, &files).changes.is_empty());
        prop_assert!(planned(&files, &dressed(&files, false)).changes.is_empty());
    }

    #[test]
    fn descriptions_move_no_data(shape in shape()) {
        let files = files(&shape);
        let plan = planned(&files, &dressed(&files, true));
        prop_assert!(!plan.changes.is_empty());
        prop_assert!(plan.changes.iter().all(|c| c.class == Class::Metadata && c.sql.is_empty()));
    }

    #[test]
    fn a_plan_is_the_same_each_time(a in shape(), b in shape()) {
        let (a, b) = (files(&a), files(&b));
        prop_assert_eq!(planned(&a, &b), planned(&a, &b));
        for change in planned(&a, &b).changes {
            prop_assert!(!change.reason.is_empty());
        }
    }

    #[test]
    fn going_back_restores_fingerprints(a in shape(), b in shape()) {
        let (a, b) = (files(&a), files(&b));
        let mut db = Database::default();
        let project = load(&mut db, &a);
        let prints = |db: &Database| fingerprints(db, &compile(db, project));
        let first = prints(&db);
        let set = |db: &mut Database, files: &[(&'static str, String)]| {
            for (n, file) in project.files(db).clone().iter().enumerate() {
                file.set_content(db).to(Content::Text(files[n].1.as_str().into()));
            }
        };
        set(&mut db, &b);
        let between = prints(&db);
        set(&mut db, &dressed(&a, true));
        prop_assert_eq!(&first, &prints(&db));
        let moves = planned(&a, &b).changes.iter().any(|c| c.class.moves_data());
        if moves {
            prop_assert_ne!(first, between);
        }
    }
}
