//! The faces of a plan, of one that has everything.

use expect_test::expect;

use super::{Colours, Lineage, Style, json, markdown, text};
use crate::change::{Change, Class, Dependent, Estimate, Fix, FixEdit, Plan, ResourceKind};
use crate::rules;

fn change(class: Class, rule: &'static crate::Rule, subject: &str, reason: &str) -> Change {
    Change {
        resource: "events".to_owned(),
        kind: ResourceKind::Datasource,
        path: "datasources/events.datasource".to_owned(),
        rule,
        class,
        subject: Some(subject.to_owned()),
        reason: reason.to_owned(),
        sql: Vec::new(),
        dependents: Vec::new(),
        is_reversible: !class.is_destructive(),
        is_breaking: false,
        fix: None,
        part_of: None,
        estimate: Estimate::default(),
    }
}

fn plan() -> Plan {
    let mut rewrite = change(
        Class::Rewrite,
        rules::SORTING_KEY,
        "ENGINE_SORTING_KEY",
        "rows that are sorted by `ts` have to be sorted by `visitor, ts`: all are written anew",
    );
    rewrite.sql = vec!["CREATE TABLE `events_1`\n(\n    `ts` DateTime\n)".to_owned()];
    rewrite.estimate = Estimate {
        rows: Some(1_234_567),
        bytes: Some(5_000_000),
        seconds: Some(3.2),
        extra_bytes: None,
        pause_ms: Some(24),
    };
    let mut refuse = change(
        Class::Refuse,
        rules::DROP_COLUMN_READ,
        "note",
        "`report` still reads `note`: the engine refuses the query",
    );
    refuse.dependents = vec![Dependent {
        resource: "report".to_owned(),
        kind: ResourceKind::Endpoint,
        node: Some("rows".to_owned()),
    }];
    refuse.fix = Some(Fix {
        title: "keep the old column `note`".to_owned(),
        path: "datasources/events.datasource".to_owned(),
        text: "`note` String".to_owned(),
        edit: FixEdit::Manual,
    });
    let hide = change(
        Class::Hide,
        rules::DROP_COLUMN,
        "old",
        "not declared any more; its values are gone when the rollback window ends",
    );
    Plan { hash: "0123456789abcdef".to_owned(), changes: vec![rewrite, refuse, hide] }
}

#[test]
fn a_wide_terminal_has_one_line_for_each_change() {
    expect![[r#"
        ✗ events data source · datasources/events.datasource
            rewrite    ENGINE_SORTING_KEY  rows that are sorted by `ts` have to be sorted by `visitor, ts`: all are written anew
                                           rule sorting-key · 1.2 M rows, 4.8 MiB, about 3 s, new rows wait 24 ms
                                           CREATE TABLE `events_1`
                                           (
                                               `ts` DateTime
                                           )
            refuse     note                `report` still reads `note`: the engine refuses the query
                                           rule drop-column-read
                                           → report:rows
                                           fix: keep the old column `note` (datasources/events.datasource)
                                             `note` String
            hide       old                 not declared any more; its values are gone when the rollback window ends
                                           rule drop-column · not reversible after the rollback window

        Plan against HEAD: 1 refuse, 1 rewrite, 1 hide.
        It cannot be deployed before what is refused is mended.
        Destructive; deploying needs --allow-destructive events
        plan 0123456789abcdef
    "#]].assert_eq(&text(&plan(), "HEAD", Style { colours: Colours::Off, width: Some(160) }));
    assert_eq!(
        text(&plan(), "HEAD", Style::PLAIN),
        text(&plan(), "HEAD", Style { colours: Colours::Off, width: Some(400) })
    );
}

#[test]
fn a_narrow_terminal_has_reasons_below_their_subjects() {
    let narrow = text(&plan(), "HEAD", Style { colours: Colours::Off, width: Some(60) });
    expect![[r#"
        ✗ events data source · datasources/events.datasource
            rewrite    ENGINE_SORTING_KEY
                rows that are sorted by `ts` have to be sorted by
                `visitor, ts`: all are written anew
                rule sorting-key · 1.2 M rows, 4.8 MiB, about 3 s, new rows wait 24 ms
                CREATE TABLE `events_1`
                (
                    `ts` DateTime
                )
            refuse     note
                `report` still reads `note`: the engine refuses the
                query
                rule drop-column-read
                → report:rows
                fix: keep the old column `note` (datasources/events.datasource)
                  `note` String
            hide       old
                not declared any more; its values are gone when the
                rollback window ends
                rule drop-column · not reversible after the rollback window

        Plan against HEAD: 1 refuse, 1 rewrite, 1 hide.
        It cannot be deployed before what is refused is mended.
        Destructive; deploying needs --allow-destructive events
        plan 0123456789abcdef
    "#]]
    .assert_eq(&narrow);
}

#[test]
fn colours_change_nothing_but_colours() {
    let coloured = text(&plan(), "HEAD", Style { colours: Colours::On, width: Some(100) });
    let mut bare = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, code)) = rest.split_once('\u{1b}') {
        bare += before;
        rest = code.split_once('m').map_or("", |(_, rest)| rest);
    }
    bare += rest;
    assert_ne!(coloured, bare);
    assert_eq!(bare, text(&plan(), "HEAD", Style { colours: Colours::Off, width: Some(100) }));
}

/// The contract has ten words; what is hidden first is the `delete` that it ends as, so that whoever knows the ten asks for leave.
#[test]
fn json_has_the_classes_of_its_contract() {
    const CONTRACT: &[&str] = &[
        "none",
        "create",
        "metadata",
        "alter",
        "mutate",
        "rewrite",
        "recompute",
        "carry",
        "delete",
        "refuse",
    ];
    for class in Class::ALL {
        assert!(CONTRACT.contains(&class.contract_name()), "{class:?}");
    }
    let value = json(&plan());
    let hidden = &value["changes"][2];
    assert_eq!((&hidden["class"], &hidden["hidden_first"]), (&"delete".into(), &true.into()));
    assert_eq!(value["summary"]["classes"].as_object().map(serde_json::Map::len), Some(CONTRACT.len()));
    assert_eq!(value["summary"]["classes"]["delete"], 1);
    assert_eq!(value["changes"][0]["estimate"]["rows"], 1_234_567);
    assert!(value["changes"][1]["estimate"]["rows"].is_null(), "what is not measured is not invented");
}

#[test]
fn a_pull_request_sees_victims_first() {
    let lineage = Lineage { edges: vec![("events".to_owned(), "report".to_owned())] };
    expect![[r###"
        ## Headwater plan

        Against `HEAD`: **1 refuse, 1 rewrite, 1 hide**.

        ### ❌ Cannot be deployed

        - **events** (`note`): `report` still reads `note`: the engine refuses the query
          - endpoint `report`, node `rows`
          - fix: keep the old column `note`

            ```
            `note` String
            ```

        ### Changes

        | class | resource | what | why | undo |
        |---|---|---|---|---|
        | rewrite | `events` | the sorting key changes: `ENGINE_SORTING_KEY` | rows that are sorted by `ts` have to be sorted by `visitor, ts`: all are written anew (1.2 M rows, 4.8 MiB, about 3 s, new rows wait 24 ms) | yes |
        | refuse | `events` | a column is gone that somebody reads: `note` | `report` still reads `note`: the engine refuses the query |  |
        | hide | `events` | a column is gone: `old` | not declared any more; its values are gone when the rollback window ends | no |

        Destructive: deploying needs `--allow-destructive events`.

        ### Data flow

        ```mermaid
        flowchart LR
          n0["events<br/>refuse"]:::refuse
          n1["report"]
          n0 --> n1
          classDef changed stroke:#d4a017,stroke-width:2px
          classDef gone stroke:#999,stroke-dasharray:4
          classDef refuse stroke:#d1242f,stroke-width:3px
        ```

        <details><summary>Statements</summary>

        `events` (`ENGINE_SORTING_KEY`), rewrite

        ```sql
        CREATE TABLE `events_1`
        (
            `ts` DateTime
        );
        ```

        </details>

        <sub>plan 0123456789abcdef</sub>
    "###]].assert_eq(&markdown(&plan(), "`HEAD`", &lineage));
}

#[test]
fn a_comment_that_would_be_too_long_leaves_statements_out() {
    let mut long = plan();
    long.changes[0].sql = vec!["SELECT 1".repeat(10_000)];
    let shown = markdown(&long, "`HEAD`", &Lineage::default());
    assert!(shown.len() < 60_000 && shown.contains("One statement is left out"), "{}", shown.len());
}
