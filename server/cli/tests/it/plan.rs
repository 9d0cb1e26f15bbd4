//! `headwater plan` and `headwater init`, from outside.

use crate::{Folder, json, run, stdout};

const SCHEMA: &str = "SCHEMA >\n    `ts` DateTime,\n    `visitor` String,\n    `amount` UInt32\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n";
const REPORT: &str = "NODE rows\nSQL >\n    SELECT visitor, sum(amount) AS total FROM events GROUP BY visitor\n\nTYPE endpoint\n";

fn two(name: &str, after: &str) -> (Folder, Folder) {
    let (old, new) = (Folder::new(&format!("{name}-old")), Folder::new(&format!("{name}-new")));
    for (folder, schema) in [(&old, SCHEMA), (&new, after)] {
        folder.write("datasources/events.datasource", schema);
        folder.write("endpoints/report.pipe", REPORT);
    }
    (old, new)
}

#[test]
fn a_folder_is_planned_against_another() {
    let (old, new) = two("plan-folder", &SCHEMA.replace("`amount` UInt32", "`amount` UInt64"));
    let against = old.0.to_str().expect("UTF-8");
    let output = run(&new.0, &["plan", "--against", against, "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let report = json(&output);
    let change = &report["changes"][0];
    assert_eq!(change["resource"], "events");
    assert_eq!(change["kind"], "datasource");
    assert_eq!(change["class"], "mutate");
    assert_eq!(change["rule"], "widen-column");
    assert_eq!(change["dependents"], serde_json::json!([]));
    assert_eq!(change["estimate"]["rows"], serde_json::Value::Null);
    assert_eq!(report["summary"]["classes"]["mutate"], 1);
    let text = stdout(&run(&new.0, &["plan", "--against", against]));
    assert!(text.contains("every UInt32 is a UInt64"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours in a pipe");
    assert!(
        stdout(&run(&new.0, &["plan", "--against", new.0.to_str().expect("UTF-8")]))
            .starts_with("No changes")
    );
}

#[test]
fn what_is_refused_is_a_fault_and_named_in_a_pull_request() {
    let (old, new) = two("plan-refused", &SCHEMA.replace(",\n    `amount` UInt32", ""));
    let against = old.0.to_str().expect("UTF-8");
    let output = run(&new.0, &["plan", "--against", against, "--format", "markdown"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(text.contains("Cannot be deployed") && text.contains("endpoint `report`, node `rows`"), "{text}");
    assert!(text.contains("```mermaid"), "{text}");
}

#[test]
fn costs_come_from_measurements_alone() {
    let (old, new) = two("plan-stats", &SCHEMA.replace("KEY ts", "KEY visitor, ts"));
    let stats = new.write(
        "stats.json",
        r#"{"tables":{"events":{"rows":2000000,"bytes":50000000,"parts":30}},"rows_per_second":1000000}"#,
    );
    let against = old.0.to_str().expect("UTF-8");
    let args = ["plan", "--against", against, "--format", "json", "--stats", stats.to_str().expect("UTF-8")];
    let estimate = &json(&run(&new.0, &args))["changes"][0]["estimate"];
    assert_eq!(estimate["rows"], 2_000_000);
    assert_eq!(estimate["seconds"], 2.0);
    assert_eq!(estimate["pause_ms"], 50);
}

#[test]
fn an_empty_folder_is_a_project_with_nothing_in_it() {
    let (old, new) = two("plan-empty", SCHEMA);
    let empty = Folder::new("plan-empty-nothing");
    let path = |folder: &Folder| folder.0.to_str().expect("UTF-8").to_owned();
    let created = json(&run(&new.0, &["plan", "--against", &path(&empty), "--format", "json"]));
    assert_eq!(created["summary"]["classes"]["create"], 2);
    let deleted = json(&run(&old.0, &["plan", &path(&empty), "--against", &path(&old), "--format", "json"]));
    assert_eq!(deleted["summary"]["classes"]["delete"], 2);
    assert_eq!(run(&empty.0, &["plan", "--against", &path(&empty)]).status.code(), Some(3));
}

#[test]
fn without_a_host_there_is_no_live_release() {
    let (_old, new) = two("plan-live", SCHEMA);
    for args in [&["plan"][..], &["plan", "--against", "live"]] {
        let output = run(&new.0, args);
        assert_eq!(output.status.code(), Some(3));
        assert!(String::from_utf8_lossy(&output.stderr).contains("--against git:"));
    }
}

#[test]
fn workflows_are_written_once() {
    for (host, path) in [("github", ".github/workflows/headwater.yml"), ("gitlab", ".gitlab/headwater.yml")] {
        let folder = Folder::new(&format!("init-{host}"));
        folder.write("data/datasources/events.datasource", SCHEMA);
        let project = folder.0.join("data");
        assert_eq!(run(&project, &["init", "--cicd", host]).status.code(), Some(0));
        let text = std::fs::read_to_string(folder.0.join(path)).expect("written at the repository's root");
        assert!(text.contains("PROJECT: 'data'") && !text.contains("@PROJECT@"), "{text}");
        assert!(!text.to_lowercase().contains("tinybird") && !text.contains("HEADWATER_TOKEN"));
        yaml_is_sound(&text);
        assert_eq!(run(&project, &["init", "--cicd", host]).status.code(), Some(3), "nothing is overwritten");
        assert_eq!(run(&project, &["init", "--cicd", host, "--force"]).status.code(), Some(0));
    }
}

/// What a parser would trip over: tabs, indentation by other than two spaces, keys of one mapping twice, colons in plain
/// values.
fn yaml_is_sound(text: &str) {
    let mut block: Option<usize> = None;
    let mut keys: Vec<(usize, String)> = Vec::new();
    for line in text.lines() {
        assert!(!line.contains('\t'), "a tab: {line}");
        let indent = line.len() - line.trim_start().len();
        let content = line.trim_start();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if block.is_some_and(|at| indent > at) {
            continue;
        }
        block = None;
        assert_eq!(indent % 2, 0, "odd indentation: {line}");
        let (item, content) = match content.strip_prefix("- ") {
            Some(rest) => (true, rest),
            None => (false, content),
        };
        let own = if item { indent + 2 } else { indent };
        keys.retain(|(at, _)| if item { *at < own } else { *at <= own });
        if content.starts_with('\'') {
            continue;
        }
        let Some((key, value)) = content.split_once(':').filter(|(key, _)| !key.contains(['"', '$', '[']))
        else {
            continue;
        };
        assert!(!keys.contains(&(own, key.to_owned())), "`{key}` stands twice: {line}");
        keys.push((own, key.to_owned()));
        let value = value.trim();
        assert!(value.starts_with(['\'', '"']) || !value.contains(": "), "a colon in a plain value: {line}");
        if value == "|" {
            block = Some(own);
        }
    }
}
