//! How good completion is: places of real work with what was meant, and the rank at which it is offered.
//!
//! `ranking.csv` holds the rank of every task and the mean reciprocal rank; it is compared, so that a change of ranking
//! shows in a review. `UPDATE_EXPECT=1` rewrites it.

use std::fmt::Write as _;

use headwater_ide::completion;
use headwater_test_fixture::Fixture;

const PROJECT: &str = include_str!("ranking/project.txt");
const TASKS: &str = include_str!("ranking/tasks.txt");

/// An item further down is found by nobody.
const FURTHEST: usize = 50;

struct Task<'t> {
    name: &'t str,
    wanted: &'t str,
    text: &'t str,
}

/// `=== name => what is meant`, then the files with the cursor.
fn tasks() -> Vec<Task<'static>> {
    let mut out = Vec::new();
    for part in TASKS.split("=== ").skip(1) {
        let (head, text) = part.split_once('\n').expect("a task has a text");
        let (name, wanted) = head.split_once(" => ").expect("a task says what is meant");
        out.push(Task { name, wanted: wanted.trim(), text });
    }
    out
}

#[test]
fn what_is_meant_is_offered_early() {
    let tasks = tasks();
    assert!(tasks.len() >= 30, "{}", tasks.len());
    let mut rows = Vec::new();
    let mut sum = 0.0;
    for task in &tasks {
        let fixture = Fixture::parse(&format!("{PROJECT}{}", task.text));
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.unwrap_or_else(|| panic!("{} has a cursor", task.name));
        let found = completion(&db, files[index], offset).items;
        let rank =
            found.iter().position(|i| i.label == task.wanted).map(|n| n + 1).filter(|n| *n <= FURTHEST);
        sum += rank.map_or(0.0, |n| 1.0 / n as f64);
        rows.push((rank, task.name, task.wanted));
    }
    let mean = sum / tasks.len() as f64;
    let mut table = format!("# mean reciprocal rank {mean:.3} over {} tasks\nrank,task,meant\n", tasks.len());
    rows.sort_by_key(|(rank, name, _)| (std::cmp::Reverse(rank.unwrap_or(usize::MAX)), *name));
    for (rank, name, wanted) in rows {
        let rank = rank.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let _ = writeln!(table, "{rank},{name},{wanted}");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ranking/ranking.csv");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &table).expect("the table can be written");
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap_or_default(),
        table,
        "run with UPDATE_EXPECT=1 and look at it"
    );
}
