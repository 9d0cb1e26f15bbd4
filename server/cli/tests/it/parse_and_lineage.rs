//! `headwater parse`, `lineage` and `completions`.

use expect_test::expect;

use crate::{Folder, example, json, run, stdout};

#[test]
fn parse_says_how_sql_is_read() {
    let folder = Folder::new("parse");
    folder.write("q.sql", "SELECT count(a) FROM db.t WHERE b IN (SELECT c FROM d);\nSELECT (1");
    let output = run(&folder.0, &["parse", "--sql", "q.sql", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    let first = &report["files"][0]["statements"][0];
    assert_eq!(first["kind"], "select");
    assert_eq!(first["functions"], serde_json::json!(["count"]));
    assert_eq!(first["tables"], serde_json::json!(["db.t", "d"]));
    assert_eq!(first["identifiers"], serde_json::json!(["a", "b", "c"]));
    assert_eq!(first["errors"], serde_json::json!([]));
    assert!(report["summary"]["errors"].as_u64().expect("a count") > 0);
    assert_eq!(run(&folder.0, &["parse", "--sql", "missing.sql"]).status.code(), Some(3));
    assert_eq!(run(&folder.0, &["parse", "q.sql"]).status.code(), Some(2));
}

#[test]
fn parse_says_how_datafiles_are_read() {
    let dir = example("web-analytics");
    let output = run(&dir, &["parse", "--datafile", "endpoints/top_pages.pipe", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let report = json(&output);
    let statements = report["files"][0]["statements"].as_array().expect("statements");
    let kinds: Vec<_> = statements.iter().map(|s| s["kind"].as_str().expect("a kind")).collect();
    assert_eq!(kinds, ["DESCRIPTION", "TOKEN", "NODE", "DESCRIPTION", "SQL", "NODE", "SQL", "TYPE"]);
    assert_eq!(statements[4]["tables"], serde_json::json!(["page_hits_hourly"]));
}

#[test]
fn every_query_of_our_projects_parses() {
    for project in ["web-analytics", "shop", "kitchen-sink"] {
        let mut folders = vec![example(project)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("readable") {
                let path = entry.expect("readable").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "pipe") && project != "shop" {
                    let name = path.to_str().expect("UTF-8");
                    let output = run(&example(project), &["parse", "--datafile", name]);
                    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
                }
            }
        }
    }
}

#[test]
fn lineage_is_a_tree_for_people() {
    let output = run(&example("web-analytics"), &["lineage", "page_hits_hourly"]);
    assert_eq!(output.status.code(), Some(0));
    expect![[r#"
        page_hits_hourly (data source, datasources/page_hits_hourly.datasource)

        reads from
          page_hits_hourly_mv  materialized view (materializes)
            page_hits  data source

        flows into
          daily_report_copy  copy
            daily_report  data source (copies)
              report_to_lake  sink
                lake  connection (connects)
          campaign_hits  endpoint
          top_pages:in_period  node
            top_pages  endpoint
          trend:rolled_up  node
            trend  endpoint

        downstream: 2 nodes · 1 data source · 1 copy · 1 sink · 3 endpoints
    "#]]
    .assert_eq(&stdout(&output));
}

#[test]
fn lineage_has_other_faces() {
    let dir = example("web-analytics");
    let report = json(&run(&dir, &["lineage", "trend:raw", "--format", "json"]));
    assert_eq!(report["nodes"][0]["name"], "trend:raw");
    assert_eq!(report["summary"]["downstream"], "1 endpoint");
    assert!(stdout(&run(&dir, &["lineage", "trend", "--format", "mermaid"])).starts_with("flowchart LR\n"));
    assert!(stdout(&run(&dir, &["lineage", "trend", "--format", "dot"])).starts_with("digraph lineage {"));
    let unknown = run(&dir, &["lineage", "nothing"]);
    assert_eq!(unknown.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("has no `nothing`"));
}

#[test]
fn completions_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&example("shop"), &["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("lineage"));
    }
}
