//! A project deployed to a host, with the real engine: rows in, through a view, and out of an endpoint, by the clients that
//! people have.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::host::{Home, Serving, stderr};
use crate::json;

const FILES: [(&str, &str); 6] = [
    (
        "datasources/visits.datasource",
        "TOKEN tracker APPEND\nSCHEMA >\n    at DateTime `json:$.timestamp`,\n    org String `json:$.org`,\n    n UInt32 `json:$.n` DEFAULT 1\nENGINE MergeTree\nENGINE_SORTING_KEY org, at\n",
    ),
    (
        "datasources/per_org.datasource",
        "SCHEMA >\n    org String,\n    visits SimpleAggregateFunction(sum, UInt64)\nENGINE AggregatingMergeTree\nENGINE_SORTING_KEY org\n",
    ),
    (
        "pipes/count_visits.pipe",
        "NODE counted\nSQL >\n    SELECT org, sum(n) AS visits FROM visits GROUP BY org\nTYPE materialized\nDATASOURCE per_org\n",
    ),
    (
        "pipes/top.pipe",
        "TOKEN dash READ\nNODE best\nSQL >\n    %\n    SELECT org, sum(visits) AS visits FROM per_org GROUP BY org HAVING visits >= {{UInt32(least, 1)}} ORDER BY visits DESC LIMIT 10\nTYPE endpoint\n",
    ),
    (
        "pipes/latest.pipe",
        "TOKEN dash READ\nNODE rows\nSQL >\n    SELECT org, n FROM visits ORDER BY org, n\nTYPE endpoint\n",
    ),
    (
        "pipes/greeting.pipe",
        "NODE one\nSQL >\n    %\n    SELECT {{tb_secret('GREETING')}} AS said\nTYPE endpoint\n",
    ),
];

/// Sends one request and reads the answer: status, head, body.
fn ask(url: &str, head: &str, token: &str, body: &[u8]) -> (u16, String, String) {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let mut bytes = format!(
        "{head}\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes).expect("sent");
    let mut text = Vec::new();
    stream.read_to_end(&mut text).expect("answered");
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    (status, head.to_owned(), body.to_owned())
}

fn fine(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn rows_go_in_through_a_view_and_out_of_an_endpoint() {
    let mut home = Home::new("deploy");
    home.library = Some(crate::engine::library());
    std::fs::remove_file(home.folder.0.join("project/datasources/hits.datasource")).expect("there");
    for (path, text) in FILES {
        home.folder.write(&format!("project/{path}"), text);
    }
    home.folder.write("project/.env.local", "GREETING=hello there\n");
    let serving = Serving::start(&home, &["--listen", "0"]);
    let (url, owner) = (serving.url(), serving.token());

    let said = fine(&home.run(&["deploy", "-m", "the first"]));
    assert!(said.contains("is live on the local host: 2 data sources, 4 pipes"), "{said}");
    let again = fine(&home.run(&["deploy"]));
    assert!(again.contains("this very project"), "{again}");
    let secrets = json(&home.run(&["secret", "ls", "--format", "json"]));
    assert_eq!(secrets["variables"][0]["name"], "GREETING", "{secrets}");

    // Tokens of the project get values, others are made with scopes.
    let token = |args: &[&str]| fine(&home.run(&[&["token", "create"], args].concat())).trim().to_owned();
    let (tracker, dash) = (token(&["tracker"]), token(&["dash"]));
    let tenant =
        token(&["tenant", "--scope", "PIPES:READ:latest", "--scope", "DATASOURCES:READ:visits:org = 'b'"]);
    let listed = fine(&home.run(&["token", "ls"]));
    assert!(
        listed.contains("DATASOURCES:APPEND:visits  by the project") && !listed.contains(&tracker[3..20]),
        "{listed}"
    );

    // As a page sends it.
    let rows = b"{\"timestamp\":\"2026-01-01 10:00:00\",\"org\":\"a\",\"n\":2}\n{\"timestamp\":\"2026-01-01T10:00:01Z\",\"org\":\"b\"}\n{\"timestamp\":\"2026-01-01 10:00:02\",\"org\":null}\n";
    let post = format!(
        "POST /v0/events?name=visits&wait=true&token={tracker} HTTP/1.1\r\nContent-Type: text/plain;charset=UTF-8\r\nIdempotency-Key: first"
    );
    let address = url.trim_start_matches("http://");
    for repeated in [Value::Null, true.into()] {
        let mut stream = TcpStream::connect(address).expect("it listens");
        let request = format!(
            "{post}\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            rows.len()
        );
        stream.write_all(&[request.as_bytes(), rows].concat()).expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("answered");
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
        assert!(head.starts_with("HTTP/1.1 200"), "{text}");
        let told = value(body);
        assert_eq!((&told["successful_rows"], &told["quarantined_rows"]), (&2.into(), &1.into()), "{told}");
        assert_eq!(told["quarantine"][0]["column"], "org", "{told}");
        assert_eq!(told["repeated"], repeated, "{told}");
    }
    home.folder
        .write("project/more.csv", "org,at,n\na,2026-01-02 00:00:00,5\nc,2026-01-02 00:00:01,1\nc,never,1\n");
    let appended = home.run(&["append", "visits", "more.csv", "--key", "more"]);
    let said = String::from_utf8_lossy(&appended.stdout).into_owned();
    assert!(
        appended.status.code().is_some_and(|c| c <= 1) && said.contains("rows are in visits"),
        "{appended:?}"
    );

    // Through the view, and out.
    let (status, head, body) = ask(&url, "GET /v0/pipes/top.json HTTP/1.1", &dash, b"");
    let answer = value(&body);
    assert_eq!(
        (status, &answer["data"]),
        (
            200,
            &json!([
                { "org": "a", "visits": 7 }, { "org": "b", "visits": 1 }, { "org": "c", "visits": 1 },
            ])
        ),
        "{answer}"
    );
    assert_eq!((&answer["rows"], &answer["rows_before_limit_at_least"]), (&3.into(), &3.into()), "{answer}");
    assert_eq!(answer["meta"][1]["type"], "UInt64");
    assert!(
        answer["statistics"]["rows_read"].is_u64() && head.to_ascii_lowercase().contains("x-db-statistics")
    );
    let (_, _, lines) = ask(&url, "GET /v0/pipes/top.ndjson?least=2 HTTP/1.1", &dash, b"");
    assert_eq!(lines, "{\"org\":\"a\",\"visits\":7}\n");
    let (_, _, csv) = ask(
        &url,
        "POST /v0/pipes/top.csv HTTP/1.1\r\nContent-Type: application/json",
        &dash,
        b"{\"least\": 2}",
    );
    assert_eq!(csv, "\"org\",\"visits\"\n\"a\",7\n");
    let (_, _, counted) =
        ask(&url, "GET /v0/pipes/top.csv?q=SELECT+count()+AS+c+FROM+_ HTTP/1.1", &dash, b"");
    assert_eq!(counted, "\"c\"\n3\n");
    // Somebody who may see the rows of b sees those.
    let (_, _, own) = ask(&url, "GET /v0/pipes/latest.ndjson HTTP/1.1", &tenant, b"");
    assert_eq!(own, "{\"org\":\"b\",\"n\":1}\n");
    let (_, _, own) = ask(&url, "GET /v0/sql?q=SELECT+count()+FROM+visits HTTP/1.1", &tenant, b"");
    assert_eq!(own, "1\n");
    let (status, _, refused) = ask(&url, "GET /v0/sql?q=SELECT+*+FROM+per_org HTTP/1.1", &tenant, b"");
    assert_eq!((status, refused.contains("DATASOURCES:READ:per_org")), (403, true), "{refused}");
    // Errors speak of the project, not of what stands around.
    let (status, _, wrong) = ask(&url, "GET /v0/sql?q=SELECT+nonsense+FROM+visits HTTP/1.1", &tenant, b"");
    assert!(status == 400 && wrong.contains("nonsense") && !wrong.contains("org ="), "{wrong}");
    // Pipes have secrets; what somebody writes beside them has none, by no name.
    let (_, _, greeting) = ask(&url, "GET /v0/pipes/greeting.ndjson HTTP/1.1", &owner, b"");
    assert_eq!(greeting, "{\"said\":\"hello there\"}\n");
    for query in ["%25SELECT+{{tb_secret('GREETING')}}", "SELECT+said,{GREETING:String}+FROM+greeting"] {
        let (status, _, refused) = ask(&url, &format!("GET /v0/sql?q={query} HTTP/1.1"), &owner, b"");
        assert!(status >= 400 && !refused.contains("hello"), "{refused}");
    }
    let quarantined = fine(&home.run(&[
        "sql",
        "--host",
        "local",
        "SELECT c__error_column FROM visits_quarantine WHERE org IS NULL FORMAT TSV",
    ]));
    assert!(quarantined.contains("org"), "{quarantined}");

    // Pipes may change, tables may not.
    home.folder.write("project/pipes/latest.pipe", FILES[4].1.replace("SELECT org, n", "SELECT org, n, at"));
    fine(&home.run(&["deploy"]));
    let (_, _, changed) = ask(&url, "GET /v0/pipes/latest.ndjson HTTP/1.1", &tenant, b"");
    assert!(changed.contains("\"at\""), "{changed}");
    home.folder.write(
        "project/datasources/visits.datasource",
        FILES[0].1.replace("org String", "org LowCardinality(String)"),
    );
    let refused = home.run(&["deploy"]);
    assert_eq!(
        (refused.status.code(), stderr(&refused).contains("this one changes")),
        (Some(3), true),
        "{refused:?}"
    );

    // After a hard end everything is there.
    drop(serving);
    let serving = Serving::start(&home, &["--listen", "0"]);
    let (_, _, lines) = ask(&serving.url(), "GET /v0/pipes/top.ndjson?least=2 HTTP/1.1", &dash, b"");
    assert_eq!(lines, "{\"org\":\"a\",\"visits\":7}\n");
}

#[test]
fn secrets_come_on_standard_input_and_stay() {
    let home = Home::new("secrets");
    let mut child = home
        .command(&["secret", "create", "KEY"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("piped").write_all(b"hunter2 hunter2\n").expect("sent");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let listed = fine(&home.run(&["secret", "ls"]));
    assert!(listed.starts_with("KEY  set 2") && !listed.contains("hunter2"), "{listed}");
    fine(&home.run(&["serve", "--stop"]));
    // Still there, and nowhere in clear.
    assert!(fine(&home.run(&["secret", "ls"])).starts_with("KEY"));
    let mut open = vec![home.folder.0.clone()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() => {
                    let text = std::fs::read(entry.path()).unwrap_or_default();
                    assert!(!text.windows(7).any(|w| w == b"hunter2"), "{}", entry.path().display());
                }
                _ => {}
            }
        }
    }
    assert!(home.folder.0.join("config/headwater/keys").is_dir());
    fine(&home.run(&["secret", "rm", "KEY"]));
    assert_eq!(home.run(&["secret", "rm", "KEY"]).status.code(), Some(3));
}
