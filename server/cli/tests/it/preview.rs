//! `headwater preview`, `headwater sql` and `headwater/preview`, with the real engine.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use headwater_lsp::testing::{TestClient, opened, replaced};
use headwater_warehouse::Places;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::{Folder, headwater, json as json_of, stdout};

const EVENTS: &str = "SCHEMA >\n    `n` UInt32 `json:$.n`,\n    `country` Nullable(String) `json:$.country`\n\nENGINE \"MergeTree\"\nENGINE_SORTING_KEY \"n\"\n";

const TOP: &str = "NODE wanted\nSQL >\n    %\n    WITH big AS (SELECT n, country FROM events WHERE n > {{UInt32(least, 1)}})\n    SELECT n, country FROM big\n\nNODE counted\nSQL >\n    SELECT country, count() AS hits, sum(n) AS total\n    FROM wanted\n    GROUP BY country\n    ORDER BY hits DESC, country\n\nTYPE endpoint\n";

fn library() -> PathBuf {
    match Places::from_env().library() {
        Ok(library) => library.path().to_owned(),
        Err(why) => panic!("this test needs the SQL engine; `cargo xtask test` brings it. {why}"),
    }
}

fn project(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("datasources/events.datasource", EVENTS);
    folder.write("endpoints/top.pipe", TOP);
    let rows = (1..=5).map(|n| match n {
        5 => "{\"n\":5}\n".to_owned(),
        n => format!("{{\"n\":{n},\"country\":\"{}\"}}\n", if n % 2 == 0 { "at" } else { "d\\te" }),
    });
    folder.write("fixtures/events.ndjson", rows.collect::<String>());
    folder
}

fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = headwater();
    command.args(args).current_dir(folder).env("HEADWATER_CHDB", library());
    command.output().expect("the binary runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_node_gives_rows_types_and_cost() {
    let folder = project("preview-node");
    let all = run(&folder.0, &["preview", "top"]);
    let text = stdout(&all);
    assert_eq!(all.status.code(), Some(0), "{text}{}", stderr(&all));
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_eq!(
        lines[..6],
        [
            "country             hits   total",
            "Nullable(String)  UInt64  UInt64",
            "────────────────  ──────  ──────",
            "at                     2       6",
            "d⇥e                    1       3",
            "∅                      1       5",
        ],
        "{text}"
    );
    assert!(lines[7].starts_with("3 rows; ") && lines[7].contains("in the engine, read 5 rows"), "{text}");

    let json = json_of(&run(&folder.0, &["preview", "top:wanted", "--param", "least=3", "--format", "json"]));
    assert_eq!(json["data"], json!([{ "n": 4, "country": "at" }, { "n": 5, "country": null }]), "{json}");
    assert_eq!(json["meta"][1], json!({ "name": "country", "type": "Nullable(String)" }));
    assert_eq!((&json["rows"], &json["more"]), (&json!(2), &json!(false)));

    let limited = json_of(&run(&folder.0, &["preview", "top", "--limit", "1", "--format", "json"]));
    assert_eq!((&limited["data"][0]["country"], &limited["more"]), (&json!("at"), &json!(true)), "{limited}");
    let csv = stdout(&run(&folder.0, &["preview", "top", "--format", "csv"]));
    assert_eq!(csv, "country,hits,total\nat,2,6\nd\te,1,3\n,1,5\n");
    let lines = stdout(&run(&folder.0, &["preview", "top:wanted", "--cte", "big", "--format", "ndjson"]));
    assert_eq!(lines.lines().count(), 4, "{lines}");
    let markdown = stdout(&run(&folder.0, &["preview", "top", "--format", "markdown"]));
    assert!(markdown.contains("| *NULL* | 1 | 5 |"), "{markdown}");
}

#[test]
fn a_profile_knows_every_node_of_the_chain() {
    let folder = project("preview-profile");
    let output = run(&folder.0, &["preview", "top", "--profile"]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let row = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(row("top:wanted").split_whitespace().any(|cell| cell == "4"), "{text}");
    assert!(row("top:counted").contains('%'), "{text}");
    let estimate = stdout(&run(&folder.0, &["preview", "top", "--estimate"]));
    assert!(estimate.lines().nth(3).is_some_and(|line| line.contains("events")), "{estimate}");
}

#[test]
fn rows_are_written_to_files() {
    let folder = project("preview-output");
    let wrote = run(&folder.0, &["preview", "top", "--format", "csv", "--output", "out.csv"]);
    assert_eq!((wrote.status.code(), stdout(&wrote).as_str()), (Some(0), ""), "{}", stderr(&wrote));
    assert!(stderr(&wrote).contains("out.csv: 3 rows; "), "{}", stderr(&wrote));
    let text = std::fs::read_to_string(folder.0.join("out.csv")).expect("it is there");
    assert_eq!(text, "country,hits,total\nat,2,6\nd\te,1,3\n,1,5\n");
    let parquet = run(
        &folder.0,
        &["sql", "SELECT n FROM events", "--format", "parquet", "--limit", "2", "--output", "o.parquet"],
    );
    assert_eq!(parquet.status.code(), Some(0), "{}", stderr(&parquet));
    // Its rows come back as a sample.
    let bytes = std::fs::read(folder.0.join("o.parquet")).expect("it is there");
    std::fs::remove_file(folder.0.join("fixtures/events.ndjson")).expect("it is there");
    folder.write("fixtures/events.parquet", &bytes);
    let again = run(&folder.0, &["sql", "SELECT groupArray(n) AS all FROM events", "--format", "ndjson"]);
    assert_eq!(stdout(&again), "{\"all\":[1,2]}\n", "{}", stderr(&again));
    let nowhere = run(&folder.0, &["preview", "top", "--output", "no/such/folder/x"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(stderr(&nowhere).contains("no/such/folder/x cannot be written"), "{}", stderr(&nowhere));
    let names = std::fs::read_dir(&folder.0).expect("readable").flatten().map(|e| e.file_name());
    assert!(
        !names.into_iter().any(|n| n.to_string_lossy().ends_with(".new")),
        "nothing half written is left"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupt_takes_the_query_back() {
    let folder = project("preview-interrupt");
    let mut command = headwater();
    command
        .args(["sql", "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"])
        .current_dir(&folder.0)
        .env("HEADWATER_CHDB", library())
        .stderr(Stdio::piped());
    let child = command.spawn().expect("the binary runs");
    let pid = child.id();
    // The engine's process has worked for a while when it has used this much of a processor, in hundredths of a second.
    let used = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        fields.get(11).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0)
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(25);
    let worker = loop {
        assert!(std::time::Instant::now() < deadline, "no engine works");
        match crate::engine::children(pid).first() {
            Some(worker) if used(*worker) > 100 => break *worker,
            _ => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
    };
    let killed = std::process::Command::new("kill").args(["-INT", &pid.to_string()]).status();
    assert!(killed.is_ok_and(|s| s.success()));
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(3), "headwater: cancelled\n"));
    assert!(!Path::new(&format!("/proc/{worker}")).exists(), "the engine is gone");
}

#[test]
fn queries_of_ones_own_pass_the_gate() {
    let folder = project("preview-sql");
    let sql = |text: &str| run(&folder.0, &["sql", text, "--format", "csv"]);
    assert_eq!(stdout(&sql("SELECT sum(n) AS s FROM events")), "s\n15\n");
    assert_eq!(stdout(&sql("SELECT hits FROM top WHERE country = 'at'")), "hits\n2\n");
    let nodes =
        run(&folder.0, &["sql", "SELECT count() AS c FROM wanted", "--pipe", "top", "--format", "csv"]);
    assert_eq!(stdout(&nodes), "c\n4\n");
    let secret = folder.write("secret.txt", "SECRET");
    for (text, why) in [
        (format!("SELECT file('{}')", secret.display()), "(line 1, column 8)"),
        (format!("SELECT 1,\n arrayMap(file, ['{}'])", secret.display()), "(line 2, column 11)"),
        ("SELECT * FROM system.tables".to_owned(), "tables about the server"),
        ("SELECT * FROM url('http://127.0.0.1:9/', 'CSV', 'a String')".to_owned(), "over the network"),
        ("DROP TABLE events".to_owned(), "write a SELECT"),
        ("SELECT 1; SELECT 2".to_owned(), "second statement"),
        ("SELECT n FROM evnts".to_owned(), "not one of the project's tables"),
        ("SELECT n FROM events FORMAT JSON".to_owned(), "FORMAT"),
        ("SELECT nope FROM events".to_owned(), "UNKNOWN_IDENTIFIER"),
    ] {
        let output = sql(&text);
        assert_eq!(output.status.code(), Some(1), "{text}: {output:?}");
        assert!(stderr(&output).contains(why), "{text}: {}", stderr(&output));
        assert!(!stdout(&output).contains("SECRET"));
    }
    // The same in a project that somebody sent.
    for (path, text) in [
        ("endpoints/leak.pipe", format!("NODE a\nSQL >\n    SELECT file('{}') AS x\n", secret.display())),
        (
            "endpoints/leak.pipe",
            format!(
                "NODE a\nSQL >\n    %\n    SELECT {{{{column(x, 'n')}}}} FROM (SELECT file('{}') AS n)\n",
                secret.display()
            ),
        ),
    ] {
        folder.write(path, text);
        let output = run(&folder.0, &["preview", "leak"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(
            stderr(&output).contains("is not allowed") && !stdout(&output).contains("SECRET"),
            "{output:?}"
        );
    }
    folder.write(
        "datasources/leak.datasource",
        format!(
            "SCHEMA >\n    `a` UInt8 `json:$.a`,\n    `b` String `json:$.b` DEFAULT file('{}')\n",
            secret.display()
        ),
    );
    folder.write("fixtures/leak.ndjson", "{\"a\":1}\n");
    folder.write("fixtures/events.sql", format!("SELECT 1 AS n, file('{}') AS country", secret.display()));
    let output = run(&folder.0, &["sql", "SELECT b FROM leak"]);
    assert!(stderr(&output).contains("is not computed") && !stdout(&output).contains("SECRET"), "{output:?}");
    std::fs::remove_file(folder.0.join("fixtures/events.ndjson")).expect("a file");
    let output = run(&folder.0, &["sql", "SELECT country FROM events"]);
    assert!(stderr(&output).contains("is not run") && !stdout(&output).contains("SECRET"), "{output:?}");
}

#[test]
fn what_cannot_run_says_what_to_do() {
    let folder = project("preview-missing");
    let output = crate::run(&folder.0, &["preview", "top"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(stderr(&output).contains("headwater setup"), "{output:?}");
    let output = run(&folder.0, &["preview", "nothing"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let output = run(&folder.0, &["preview", "top:nothing"]);
    assert!(stderr(&output).contains("it has wanted, counted"), "{output:?}");
    let output = run(&folder.0, &["preview", "top", "--param", "least=x"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("least"), "{output:?}");
}

fn start() -> (Child, TestClient) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
        .arg("lsp")
        .env("HEADWATER_CHDB", library())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary runs");
    let (stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    (child, TestClient::over(Box::new(stdout), Box::new(stdin)))
}

async fn editor(folder: &Folder, trusted: bool) -> (Child, TestClient, String) {
    let (child, mut client) = start();
    let root = format!("file://{}", folder.0.display());
    client
        .initialize(json!({
            "workspaceFolders": [{ "uri": root, "name": "p" }],
            "capabilities": { "textDocument": { "diagnostic": {} } },
            "initializationOptions": { "trusted": trusted, "clientCommands": ["headwater.preview"] },
        }))
        .await;
    let top = format!("{root}/endpoints/top.pipe");
    (child, client, top)
}

#[tokio::test]
async fn an_editor_sees_what_is_not_saved() {
    let folder = project("preview-editor");
    let (_child, mut client, top) = editor(&folder, true).await;
    let show = |more: Value| {
        let mut params = json!({ "textDocument": { "uri": top } });
        params.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        params
    };
    let found = client.call("headwater/preview", show(json!({}))).await;
    assert_eq!(found["title"], "top:counted", "{found}");
    assert_eq!(found["rows"], json!([["at", "2", "6"], ["d\te", "1", "3"], [null, "1", "5"]]), "{found}");
    assert_eq!(found["columns"][1], json!({ "name": "hits", "type": "UInt64" }));
    let lenses = client.call("textDocument/codeLens", json!({ "textDocument": { "uri": top } })).await;
    let ours =
        lenses.as_array().expect("lenses").iter().filter(|l| l["command"]["command"] == "headwater.preview");
    assert!(ours.count() >= 2, "{lenses}");

    client.notify("textDocument/didOpen", opened(&top, 1, TOP)).await;
    let edited = TOP.replace("count() AS hits", "count() * 10 AS hits");
    client.notify("textDocument/didChange", replaced(&top, 2, &edited)).await;
    let found = client.call("headwater/preview", show(json!({ "limit": 1, "profile": true }))).await;
    assert_eq!((&found["rows"], &found["more"]), (&json!([["at", "20", "6"]]), &json!(true)), "{found}");
    assert_eq!(found["profile"].as_array().map(Vec::len), Some(2), "{found}");
    let found = client
        .call("headwater/preview", show(json!({ "node": "wanted", "parameters": { "least": "4" } })))
        .await;
    assert_eq!(found["rows"], json!([["5", null]]), "{found}");
    // `sum(n)` of the second node.
    let line = edited.lines().position(|l| l.contains("sum(n)")).expect("a line");
    let character = edited.lines().nth(line).and_then(|l| l.find("sum(n)")).expect("a place");
    let range = json!({ "start": { "line": line, "character": character }, "end": { "line": line, "character": character + 6 } });
    let found = client.call("headwater/preview", show(json!({ "range": range }))).await;
    assert_eq!(found["columns"][0]["name"], "value", "{found}");
    assert_eq!(found["rows"].as_array().map(Vec::len), Some(3), "{found}");
    // A sample that changes is read again.
    folder.write("fixtures/events.ndjson", "{\"n\":7,\"country\":\"fr\"}\n");
    let found = client.call("headwater/preview", show(json!({ "sql": "SELECT country FROM events" }))).await;
    assert_eq!(found["rows"], json!([["fr"]]), "{found}");
}

#[tokio::test]
async fn what_may_not_run_is_an_error_of_its_kind() {
    let folder = project("preview-kinds");
    let (_child, mut client, top) = editor(&folder, true).await;
    let fail = async |client: &mut TestClient, params: Value| {
        let id = client.send("headwater/preview", params).await;
        let error = client.answer(id).await.expect_err("an error");
        (error["code"].clone(), error["data"]["kind"].clone())
    };
    let at = json!({ "uri": top });
    for (params, kind) in [
        (json!({ "textDocument": at, "sql": "SELECT file('/etc/passwd')" }), "refused"),
        (json!({ "textDocument": at, "sql": "SELECT nope FROM events" }), "engine"),
        (json!({ "textDocument": at, "node": "nothing" }), "request"),
        (json!({ "textDocument": at, "parameters": { "least": "x" } }), "request"),
    ] {
        assert_eq!(fail(&mut client, params).await, (json!(-32803), json!(kind)));
    }
    // A long one is taken back at once, and the next one works.
    let long = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1";
    let id = client.send("headwater/preview", json!({ "textDocument": at, "sql": long })).await;
    client.cancel(id).await;
    assert_eq!(client.answer(id).await.expect_err("cancelled")["code"], -32800);
    let next = client.call("headwater/preview", json!({ "textDocument": at, "sql": "SELECT 1 AS x" })).await;
    assert_eq!(next["rows"], json!([["1"]]), "{next}");

    let (_child, mut client, _) = editor(&folder, false).await;
    assert_eq!(fail(&mut client, json!({ "textDocument": at })).await, (json!(-32803), json!("untrusted")));
}

#[tokio::test]
async fn rows_are_a_text_for_clients_that_show_none() {
    let folder = project("preview-text");
    let (_child, mut client, top) = editor(&folder, true).await;
    let argument = json!({ "uri": top, "node": "wanted", "parameters": { "least": "3" }, "profile": true });
    let command = json!({ "command": "headwater.view.preview", "arguments": [argument] });
    let shown = client.call("workspace/executeCommand", command).await;
    let text = shown["text"].as_str().expect("a text");
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_eq!(
        lines[..7],
        [
            "top:wanted",
            "",
            "     n  country",
            "UInt32  Nullable(String)",
            "──────  ────────────────",
            "     4  at",
            "     5  ∅",
        ],
        "{text}"
    );
    assert!(lines[8].starts_with("2 rows; ") && text.contains("own time"), "{text}");
    // Its address is a document with the same rows, for clients that open those.
    let address = shown["uri"].as_str().expect("an address");
    assert!(address.starts_with("headwater-preview:/endpoints/top.pipe?project="), "{address}");
    assert!(address.ends_with("&node=wanted&least=3"), "{address}");
    let content = client.call("workspace/textDocumentContent", json!({ "uri": address })).await;
    assert!(content["text"].as_str().is_some_and(|text| text.starts_with(&lines[..7].join("\n")[..12])));
    assert!(content["text"].as_str().is_some_and(|text| text.contains("     5  ∅")), "{content}");
    // What a pipe was asked with is offered when it is asked again.
    let found = client
        .call("headwater/preview/parameters", json!({ "textDocument": { "uri": top }, "node": "wanted" }))
        .await;
    assert_eq!(found["parameters"][0]["value"], json!(["3"]), "{found}");
}
