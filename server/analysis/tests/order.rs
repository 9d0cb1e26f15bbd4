//! Answers depend on what a project is, not on how it came to be.

use headwater_analysis::{Vertex, graph};
use headwater_test_fixture::Fixture;

/// Names of what reads the data source `d`, in the graph's order, when the files come in the order given.
fn readers(files: &[&str]) -> Vec<String> {
    let pipe = |name: &&str| format!("//- {name}.pipe\nNODE n\nSQL >\n  SELECT * FROM d\nTYPE endpoint\n");
    let pipes: String = files.iter().map(pipe).collect();
    let (db, project, all) = Fixture::parse(&format!("{pipes}//- d.datasource\nTOKEN t READ\n")).load();
    let data = Vertex { file: *all.last().expect("a data source"), node: None };
    let found = graph(&db, project).downstream(data);
    found.iter().map(|(vertex, _)| vertex.file.stem(&db).to_owned()).collect()
}

/// A server to which files came one by one shows them in the order of a fresh one.
#[test]
fn neighbours_are_ordered_by_path_and_not_by_when_they_came() {
    assert_eq!(readers(&["a", "b", "c"]), ["a", "b", "c"]);
    assert_eq!(readers(&["c", "a", "b"]), ["a", "b", "c"]);
}
