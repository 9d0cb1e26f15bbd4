//! `headwater fmt`.

use std::io::Write;
use std::process::Stdio;

use crate::{Folder, headwater, json, run, stdout};

const LOOSE: &str = "NODE  a\nSQL >\n  SELECT  a,b FROM t\ntype endpoint\n";
const NEAT: &str = "NODE a\nSQL >\n    SELECT a, b FROM t\n\nTYPE endpoint\n";

#[test]
fn files_are_laid_out_once() {
    let folder = Folder::new("fmt");
    let path = folder.write("pipes/a.pipe", LOOSE);
    folder.write("pipes/b.pipe", NEAT);
    folder.write("vendor/other/datasources/c.datasource", "SCHEMA >\n  a  String\n");

    let check = run(&folder.0, &["fmt", "--check"]);
    assert_eq!(check.status.code(), Some(1));
    assert_eq!(stdout(&check), "pipes/a.pipe\n1 of 2 files would be laid out anew\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), LOOSE);

    let diff = run(&folder.0, &["fmt", "--diff"]);
    assert_eq!(diff.status.code(), Some(1));
    let text = stdout(&diff);
    assert!(text.starts_with("--- a/pipes/a.pipe\n+++ b/pipes/a.pipe\n"), "{text}");
    assert!(
        text.contains("\n-  SELECT  a,b FROM t\n") && text.contains("\n+    SELECT a, b FROM t\n"),
        "{text}"
    );

    assert_eq!(stdout(&run(&folder.0, &["fmt"])), "pipes/a.pipe\n1 of 2 files laid out anew\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), NEAT);
    assert_eq!(run(&folder.0, &["fmt", "--check"]).status.code(), Some(0));
    assert_eq!(stdout(&run(&folder.0, &["fmt", "--diff"])), "");
}

#[test]
fn a_block_with_an_error_is_named_and_left_alone() {
    let folder = Folder::new("fmt-error");
    let path =
        folder.write("pipes/a.pipe", "NODE  a\nSQL >\n  SELECT  (a FROM\nNODE  b\nSQL >\n  SELECT  1\n");
    let output = run(&folder.0, &["fmt", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let answer = json(&output);
    assert_eq!(answer["summary"]["skipped"], 1);
    assert_eq!(answer["files"][0]["skipped"][0]["range"]["start"]["line"], 2);
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "NODE a\nSQL >\n  SELECT  (a FROM\n\nNODE b\nSQL >\n    SELECT 1\n"
    );
    assert!(stdout(&run(&folder.0, &["fmt"])).contains("pipes/a.pipe:3: left alone: it has a syntax error"));
}

#[test]
fn the_project_chooses_and_paths_narrow() {
    let folder = Folder::new("fmt-config");
    folder.write("headwater.toml", "[format]\nindent = 2\nkeywords = \"lower\"\n");
    let path = folder.write("pipes/a.pipe", LOOSE);
    let other = folder.write("endpoints/b.pipe", LOOSE);
    assert_eq!(run(&folder.0, &["fmt", "pipes"]).status.code(), Some(0));
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        "NODE a\nSQL >\n  select a, b from t\n\nTYPE endpoint\n"
    );
    assert_eq!(std::fs::read_to_string(other).unwrap(), LOOSE);
    assert_eq!(run(&folder.0, &["fmt", "--check", "endpoints/b.pipe"]).status.code(), Some(1));
    assert_eq!(run(&folder.0, &["fmt", "nowhere.pipe"]).status.code(), Some(3));
    assert_eq!(run(&folder.0, &["fmt", "headwater.toml"]).status.code(), Some(3));
}

#[test]
fn standard_input_is_a_filter() {
    let folder = Folder::new("fmt-stdin");
    let mut child = headwater()
        .args(["fmt", "-", "--stdin-filename", "pipes/new.pipe"])
        .current_dir(&folder.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(LOOSE.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), NEAT.to_owned()));
    assert_eq!(run(&folder.0, &["fmt", "-"]).status.code(), Some(2));
}
