//! `headwater test` and `headwater mock`, with the real engine.

use std::path::{Path, PathBuf};
use std::process::Output;

use headwater_warehouse::Places;
use serde_json::Value;

use crate::{Folder, example, headwater, json, stdout};

fn library() -> PathBuf {
    match Places::from_env().library() {
        Ok(library) => library.path().to_owned(),
        Err(why) => panic!("this test needs the SQL engine; `cargo xtask test` brings it. {why}"),
    }
}

fn test(dir: &Path, args: &[&str]) -> Output {
    let mut command = headwater();
    command.arg("test").args(args).current_dir(dir).env("HEADWATER_CHDB", library());
    command.output().expect("the binary runs")
}

fn git(dir: &Path, args: &[&str]) {
    let mut command = std::process::Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(args).current_dir(dir);
    let output = command.output().expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A project of two pipes over one data source each.
fn project(name: &str) -> Folder {
    let folder = Folder::new(name);
    for n in ["a", "b"] {
        folder.write(&format!("datasources/{n}s.datasource"), "SCHEMA >\n    `x` Int32 `json:$.x`\n");
        folder.write(
            &format!("endpoints/{n}.pipe"),
            format!(
                "NODE e\nSQL >\n    %\n    SELECT x FROM {n}s WHERE x > {{{{ Int32(more, 0) }}}} ORDER BY x\nTYPE endpoint\n"
            ),
        );
        folder.write(&format!("fixtures/{n}s.ndjson"), "{\"x\": 1}\n{\"x\": 2}\n");
        folder.write(
            &format!("tests/{n}.yaml"),
            "# kept\n- name: all\n  parameters: ''\n  expected_result: |\n    {\"x\":1}\n    {\"x\":2}\n",
        );
    }
    folder
}

#[test]
fn the_example_project_passes() {
    let output = test(&example("tested"), &["--format", "json"]);
    let report = json(&output);
    let failed: Vec<&Value> =
        report["cases"].as_array().expect("a list").iter().filter(|c| c["status"] != "passed").collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(report["summary"]["passed"], 15);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn failures_faults_and_skipped_tests_are_all_told() {
    let folder = project("test-report");
    folder.write(
        "tests/a.yaml",
        "- name: wrong\n  parameters: more=1\n  expected_result: |\n    {\"x\":3}\n- name: later\n  skip: not yet\n\
         - name: status\n  parameters: ''\n  expected_result: ''\n  expected_http_status: 400\n- nonsense\n\
         - name: an error\n  parameters: more=x\n  expected_result: ''\n",
    );
    folder.write("tests/gone.yaml", "- name: one\n  parameters: ''\n  expected_result: ''\n");
    folder.write("tests/shell.test", "tb pipe data a | tee /tmp/x\n");
    let output = test(&folder.0, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    let of = |name: &str| {
        let cases = report["cases"].as_array().expect("a list");
        let case = cases.iter().find(|c| c["name"] == name).unwrap_or_else(|| panic!("{name}: {report}"));
        (
            case["status"].as_str().expect("a word").to_owned(),
            case["detail"].as_str().expect("a text").to_owned(),
        )
    };
    assert_eq!(of("wrong"), ("failed".to_owned(), "row 1:\n  x: expected 3, got 2".to_owned()));
    assert_eq!(of("later"), ("skipped".to_owned(), "not yet".to_owned()));
    assert!(of("status").1.starts_with("expected status 400, got 200"));
    assert!(of("one").1.contains("no pipe `gone`"));
    assert!(of("the file").1.contains("a test is a map"));
    assert!(of("an error").1.contains("add `expected_http_status: 400`"));
    assert!(of("shell").1.contains("for a shell, and none is started"));
    assert_eq!(report["summary"]["skipped"], 1);
    assert_eq!(report["summary"]["failed"], 6);
    let junit = stdout(&test(&folder.0, &["--format", "junit"]));
    assert!(
        junit.contains("<failure message=\"row 1:\">row 1:&#10;  x: expected 3, got 2</failure>"),
        "{junit}"
    );
    assert!(junit.contains("<skipped message=\"not yet\"/>"), "{junit}");
    let named = test(&folder.0, &["a:wrong", "b", "--format", "json"]);
    assert_eq!(json(&named)["summary"]["passed"], 1);
    assert_eq!(json(&named)["summary"]["failed"], 1);
    let unknown = test(&folder.0, &["nobody"]);
    assert_eq!(unknown.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no test is called `nobody`"));
}

#[test]
fn new_expectations_are_written_and_nothing_else() {
    let folder = project("test-update");
    folder.write("fixtures/as.ndjson", "{\"x\": 5}\n");
    let output = test(&folder.0, &["--update"]);
    assert_eq!(
        (output.status.code(), stdout(&output)),
        (Some(0), "updated  all (tests/a.yaml:2)\n1 passed, 0 failed, 1 updated\n".to_owned())
    );
    let text = std::fs::read_to_string(folder.0.join("tests/a.yaml")).expect("readable");
    assert_eq!(text, "# kept\n- name: all\n  parameters: ''\n  expected_result: |\n    {\"x\":5}\n");
    assert_eq!(test(&folder.0, &[]).status.code(), Some(0));
}

#[test]
fn affected_tests_are_those_downstream_of_a_change() {
    let folder = project("test-affected");
    std::fs::remove_dir_all(folder.0.join(".git")).expect("a placeholder");
    git(&folder.0, &["init", "-q"]);
    git(&folder.0, &["add", "-A"]);
    git(&folder.0, &["commit", "-qm", "one"]);
    let pipes = |args: &[&str]| -> Vec<String> {
        let report = json(&test(&folder.0, args));
        let cases = report["cases"].as_array().expect("a list");
        cases.iter().map(|c| c["pipe"].as_str().expect("a name").to_owned()).collect()
    };
    let affected = &["--affected", "HEAD", "--format", "json"];
    assert!(pipes(affected).is_empty());
    folder.write("fixtures/bs.ndjson", "{\"x\": 1}\n{\"x\": 2}\n\n");
    assert_eq!(pipes(affected), ["b"]);
    folder.write("datasources/as.datasource", "SCHEMA >\n    `x` Int64 `json:$.x`\n");
    assert_eq!(pipes(affected), ["a", "b"]);
}

/// Lines of a command that runs on, as they come.
struct Watching {
    child: std::process::Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Watching {
    fn start(dir: &Path, args: &[&str]) -> Self {
        let mut command = headwater();
        command.args(["test", "--watch"]).args(args).current_dir(dir).env("HEADWATER_CHDB", library());
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("the binary runs");
        let stdout = child.stdout.take().expect("a pipe");
        let (said, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in std::io::BufRead::lines(std::io::BufReader::new(stdout)) {
                let Ok(line) = line else { return };
                if said.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The lines up to the next summary, or to what is said when there is none.
    fn report(&self) -> Vec<String> {
        let mut out = Vec::new();
        loop {
            let line = self.lines.recv_timeout(std::time::Duration::from_secs(120));
            out.push(line.unwrap_or_else(|_| panic!("no report after {out:?}")));
            if out.last().is_some_and(|line| line.contains(" passed, ") || line.starts_with("no test")) {
                return out;
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_watched_project_runs_what_an_edit_may_touch() {
    let folder = project("test-watch");
    folder.write("pipes/shared.pipe", "NODE e\nSQL >\n    SELECT x FROM bs\n");
    folder.write("endpoints/far.pipe", "NODE e\nSQL >\n    SELECT max(x) AS m FROM shared\nTYPE endpoint\n");
    folder.write("tests/far.yaml", "- name: far\n  parameters: ''\n  expected_result: |\n    {\"m\":2}\n");
    let watching = Watching::start(&folder.0, &[]);
    assert_eq!(watching.report(), ["3 passed, 0 failed"]);
    folder.write("fixtures/as.ndjson", "{\"x\": 1}\n{\"x\": 3}\n");
    assert_eq!(
        watching.report(),
        ["FAILED   all (tests/a.yaml:2)", "    row 2:", "      x: expected 2, got 3", "0 passed, 1 failed"]
    );
    folder.write("fixtures/as.ndjson", "{\"x\": 1}\n{\"x\": 2}\n\n");
    assert_eq!(watching.report(), ["1 passed, 0 failed"]);
    // Through a pipe without tests of its own.
    folder.write("pipes/shared.pipe", "NODE e\nSQL >\n    SELECT x + 0 AS x FROM bs\n");
    assert_eq!(watching.report(), ["1 passed, 0 failed"]);
    folder.write("datasources/bs.datasource", "SCHEMA >\n    `x` Int64 `json:$.x`\n");
    assert_eq!(watching.report(), ["2 passed, 0 failed"]);
    folder.write("endpoints/new.pipe", "NODE e\nSQL >\n    SELECT 1 AS x\nTYPE endpoint\n");
    assert_eq!(watching.report(), ["no test is touched by this change"]);
    folder.write("tests/new.yaml", "- name: [\n");
    let report = watching.report();
    assert!(report[0].starts_with("FAILED   the file (tests/new.yaml"), "{report:?}");
    folder.write("tests/new.yaml", "- name: new\n  parameters: ''\n  expected_result: |\n    {\"x\":1}\n");
    assert_eq!(watching.report(), ["1 passed, 0 failed"]);
}

#[test]
fn a_file_that_cannot_be_read_fails_alone() {
    let folder = project("test-unreadable");
    folder.write("tests/latin.yaml", b"- name: \xff\n");
    let report = json(&test(&folder.0, &["--format", "json"]));
    assert_eq!((&report["summary"]["passed"], &report["summary"]["failed"]), (&2.into(), &1.into()));
    assert!(
        report["cases"][2]["detail"].as_str().is_some_and(|d| d.contains("save it as UTF-8")),
        "{report}"
    );
}

#[test]
fn every_tag_and_every_function_of_templates_runs_on_the_engine() {
    let output = test(&example("kitchen-sink"), &["--format", "json"]);
    let report = json(&output);
    assert_eq!((output.status.code(), &report["summary"]["passed"]), (Some(0), &1.into()), "{report}");
}

#[test]
fn runs_at_once_do_not_meet_and_leave_nothing() {
    let folder = project("test-at-once");
    let children: Vec<_> = (0..3)
        .map(|_| {
            let mut command = headwater();
            command
                .args(["test", "--format", "json"])
                .current_dir(&folder.0)
                .env("HEADWATER_CHDB", library());
            command.stdout(std::process::Stdio::piped()).spawn().expect("the binary runs")
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    }
    let mut names: Vec<String> = std::fs::read_dir(&folder.0)
        .expect("readable")
        .map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, [".git", "datasources", "endpoints", "fixtures", "tests"]);
}

#[test]
fn without_an_engine_it_says_what_to_run() {
    let folder = project("test-no-engine");
    let output = headwater().arg("test").current_dir(&folder.0).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("headwater setup"));
}

#[test]
fn made_up_rows_need_no_engine_and_fit() {
    let folder = project("mock");
    let mock = |args: &[&str]| {
        let output =
            headwater().arg("mock").args(args).current_dir(&folder.0).output().expect("the binary runs");
        (output.status.code(), stdout(&output), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, rows, _) = mock(&["as", "--rows", "5", "--seed", "3"]);
    assert_eq!((code, rows.lines().count()), (Some(0), 5));
    assert_eq!(rows, mock(&["as", "--rows", "5", "--seed", "3"]).1);
    let (code, _, why) = mock(&["nobody"]);
    assert_eq!(code, Some(3));
    assert!(why.contains("there are: as, bs"), "{why}");
    let (code, _, why) = mock(&["as", "--write"]);
    assert_eq!(code, Some(3));
    assert!(why.contains("is there already"), "{why}");
    std::fs::remove_file(folder.0.join("fixtures/as.ndjson")).expect("it is there");
    assert_eq!(mock(&["as", "--write", "--rows", "7"]).1, "7 rows in fixtures/as.ndjson\n");
}
