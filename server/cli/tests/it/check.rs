//! `headwater check`.

use std::collections::BTreeSet;

use expect_test::expect;
use headwater_analysis::ALL_CODES;

use crate::{Folder, example, json, run, stdout};

#[test]
fn example_projects_are_clean() {
    for project in ["web-analytics", "shop", "kitchen-sink"] {
        let output = run(&example(project), &["check", "--deny-warnings", "--format", "json"]);
        let report = json(&output);
        // Advice is none of its faults: an example may read a small table as a whole, and have columns to show them.
        let found = report["diagnostics"].as_array().expect("an array");
        let is_fault = |d: &&serde_json::Value| d["severity"] != "info" && d["severity"] != "hint";
        let faults: Vec<_> = found.iter().filter(is_fault).collect();
        assert!(faults.is_empty(), "{project}: {faults:?}");
        assert_eq!(output.status.code(), Some(0), "{project}");
    }
}

#[test]
fn the_broken_twins_show_every_diagnostic() {
    let mut shown = BTreeSet::new();
    for project in ["broken", "broken-classic"] {
        let output = run(&example(project), &["check", "--format", "json"]);
        assert_eq!(output.status.code(), Some(1));
        for diagnostic in json(&output)["diagnostics"].as_array().expect("an array") {
            shown.insert(diagnostic["code"].as_str().expect("a code").to_owned());
        }
    }
    // A megabyte of SQL is made by the hostile tests, not kept in the repository.
    shown.insert("query-not-read".to_owned());
    // They need a baseline, and `check` compares with nothing.
    shown.extend(["plan-refused", "stale-forward-query"].map(str::to_owned));
    // These compare with another commit: the language server's tests show them.
    shown.extend(["breaks-downstream", "endpoint-contract"].map(str::to_owned));
    // This one takes an engine: `engine.rs` shows it.
    shown.insert("refused-by-engine".to_owned());
    // Tests run in editors and as `headwater test`.
    shown.insert("test-failed".to_owned());
    let missing: Vec<_> = ALL_CODES.iter().map(|c| c.name).filter(|name| !shown.contains(*name)).collect();
    assert!(missing.is_empty(), "not shown: {missing:?}");
}

#[test]
fn the_kitchen_sink_uses_every_directive_that_forward_accepts() {
    use headwater_analysis::{Dialect, Directive, FileKind};
    let mut text = String::new();
    let mut folders = vec![example("kitchen-sink")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                text += &std::fs::read_to_string(path).expect("text");
            }
        }
    }
    // Refused, ignored, or read and not used: a clean project has none of them.
    let retired = [
        Directive::Settings,
        Directive::KafkaStoreBinaryHeaders,
        Directive::KafkaTargetPartitions,
        Directive::ImportService,
        Directive::ImportExternalDatasource,
        Directive::ImportStrategy,
        Directive::ExportService,
        Directive::Version,
        Directive::Include,
        Directive::Source,
        Directive::Scope,
        Directive::Filter,
        Directive::PartitionKey,
        Directive::SortingKey,
        Directive::PrimaryKey,
        Directive::SamplingKey,
        Directive::Ttl,
        Directive::KafkaKeyAvroDeserialization,
    ];
    let kinds = [FileKind::Datasource, FileKind::Pipe, FileKind::Connection];
    let unused: Vec<_> = Directive::ALL
        .iter()
        .filter(|d| kinds.iter().any(|k| d.is_valid_in(*k, Dialect::Forward)) && !retired.contains(d))
        .filter(|d| !text.lines().any(|l| l.split_whitespace().next() == Some(d.name())))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

fn faulty() -> Folder {
    let folder = Folder::new(&format!("faulty-{:?}", std::thread::current().id()).replace(['(', ')'], ""));
    folder.write("datasources/events.datasource", "SCHEMA >\n    `ts` DateTime\n");
    folder.write("endpoints/top.pipe", "NODE a\nSQL >\n    SELECT '😀', ts FROM evnets\n\nTYPE endpoint\n");
    folder
}

#[test]
fn people_get_excerpts() {
    let folder = faulty();
    let output = run(&folder.0, &["check"]);
    assert_eq!(output.status.code(), Some(1));
    expect![[r"
        error[unknown-resource]: there is no data source, pipe or node `evnets`; did you mean `events`?
         --> endpoints/top.pipe:3:25
          |
        3 |     SELECT '😀', ts FROM evnets
          |                          ^^^^^^

        Checked 2 files in 1 project without the engine (`headwater setup` installs it): 1 error, 0 warnings.
    "]]
    .assert_eq(&stdout(&output));
}

#[test]
fn json_counts_from_zero_in_utf16() {
    let folder = faulty();
    let report = json(&run(&folder.0, &["check", "--format", "json"]));
    let diagnostic = &report["diagnostics"][0];
    assert_eq!(diagnostic["path"], "endpoints/top.pipe");
    assert_eq!(diagnostic["range"]["start"], serde_json::json!({ "line": 2, "character": 25 }));
    assert_eq!(diagnostic["severity"], "error");
    assert_eq!(diagnostic["code"], "unknown-resource");
    assert_eq!(diagnostic["related"], serde_json::json!([]));
    assert_eq!(report["summary"]["errors"], 1);
}

#[test]
fn services_get_their_formats() {
    let folder = faulty();
    let github = stdout(&run(&folder.0, &["check", "--format", "github"]));
    assert!(
        github.starts_with("::error file=endpoints/top.pipe,line=3,endLine=3,col=26,endColumn=31,title=unknown-resource::there"),
        "{github}"
    );
    let sarif = json(&run(&folder.0, &["check", "--format", "sarif"]));
    assert_eq!(sarif["version"], "2.1.0");
    let result = &sarif["runs"][0]["results"][0];
    let rule = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 3);
}

#[test]
fn exit_codes_are_a_contract() {
    let folder = faulty();
    folder.write("headwater.toml", "[diagnostics]\nunknown-resource = \"warning\"\n");
    assert_eq!(run(&folder.0, &["check"]).status.code(), Some(0));
    assert_eq!(run(&folder.0, &["check", "--deny-warnings"]).status.code(), Some(1));
    folder.write("headwater.toml", "[diagnostics]\nunknown-resource = \"off\"\n");
    assert_eq!(run(&folder.0, &["check", "--deny-warnings"]).status.code(), Some(0));
    assert_eq!(run(&folder.0, &["check", "--format", "yaml"]).status.code(), Some(2));
    assert_eq!(run(&folder.0, &["chekc"]).status.code(), Some(2));
    let nowhere = run(&folder.0, &["check", "no/such/folder"]);
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("is no folder"));
    let empty = Folder::new("empty");
    let none = run(&empty.0, &["check"]);
    assert_eq!(none.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&none.stderr).contains("no data project"));
}

#[test]
fn a_monorepo_is_checked_as_a_whole() {
    let folder = Folder::new("monorepo");
    for team in ["growth", "billing"] {
        folder.write(
            &format!("packages/{team}/tinybird/datasources/rows.datasource"),
            "SCHEMA >\n    a String\n",
        );
        folder.write(&format!("packages/{team}/tinybird/tinybird.config.json"), "{}");
    }
    let report = json(&run(&folder.0, &["check", "--format", "json"]));
    assert_eq!(report["summary"]["projects"], 2);
    assert_eq!(report["diagnostics"], serde_json::json!([]), "one name in two projects is no clash");
}
