//! `/v0/pipes`.

use serde_json::{Value, json};

use crate::{Host, Reply};

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

#[test]
fn parameters_come_as_a_query_string_a_form_or_json() {
    let host = Host::deployed();
    for reply in [
        host.ask("GET /v0/pipes/top.json?least=7&org=o'b", ""),
        host.post("/v0/pipes/top.json", "application/x-www-form-urlencoded", "least=7&org=o%27b"),
        host.post("/v0/pipes/top.json?least=7", "application/json", "{\"org\": \"o'b\"}"),
        host.json("/v0/pipes/top.json", &json!({ "least": 7, "org": "o'b" })),
    ] {
        let sql = text(&reply);
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(sql.contains("n >= toInt32('7')") && sql.contains("org = 'o\\'b'"), "{sql}");
        assert!(sql.contains("FROM `data`.`events_1` AS `events`"), "{sql}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("x-headwater-unknown-parameters"), None);
        let statistics: Value =
            serde_json::from_str(reply.header("x-db-statistics").expect("there")).expect("JSON");
        assert!(statistics["rows_read"].is_u64(), "{statistics}");
    }
    for (ending, kind) in [
        ("ndjson", "application/x-ndjson"),
        ("csv", "text/csv; charset=utf-8"),
        ("parquet", "application/vnd.apache.parquet"),
        ("prometheus", "text/plain; version=0.0.4; charset=utf-8"),
    ] {
        let reply = host.ask(&format!("GET /v0/pipes/top.{ending}"), "");
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(kind)), "{ending}");
    }
    let quoted = host.ask("GET /v0/pipes/top.json?output_format_json_quote_64bit_integers=1", "");
    assert!(text(&quoted).ends_with("SETTINGS output_format_json_quote_64bit_integers = 1\n"), "{quoted:?}");
}

#[test]
fn what_is_wrong_is_said_with_the_status_of_the_format() {
    let host = Host::deployed();
    for (reply, status, part) in [
        (host.ask("GET /v0/pipes/top.json?least=x", ""), 400, "least"),
        (host.ask("GET /v0/pipes/none.json", ""), 404, "no pipe `none`"),
        (host.ask("GET /v0/pipes/events.json", ""), 404, "no pipe `events`"),
        (host.ask("GET /v0/pipes/plain.json", ""), 404, "no endpoint"),
        (host.ask("GET /v0/pipes/refused.json?a=1", ""), 400, "a is not for you"),
        (host.ask("GET /v0/pipes/top.json?output_format_json_quote_denormals=7", ""), 400, "0 or 1"),
        (host.ask("GET /v0/pipes/top.json?__tb__deployment=staging", ""), 400, "live one"),
        (host.post("/v0/pipes/top.json", "text/plain", "least=7"), 415, "Content-Type"),
        (host.post("/v0/pipes/top.json", "application/json", "[1]"), 400, "no JSON object"),
        (host.ask("GET /v0/pipes/top.json?q=SELECT+*+FROM+nowhere", ""), 400, "nowhere"),
    ] {
        let error = reply.error();
        assert_eq!((reply.status, error.contains(part)), (status, true), "{error}");
    }
    let custom = host.ask("GET /v0/pipes/refused.json?b=1", "");
    assert_eq!((custom.status, custom.json()), (418, json!({ "code": 7 })));
    for path in
        ["/v0/pipes/..%2ftop.json", "/v0/pipes/%2e%2e/%2e%2e/etc", "/v0/pipes/top.json%00", "/v0/pipes/%ff"]
    {
        let reply = host.ask(&format!("GET {path}"), "");
        assert!((400..500).contains(&reply.status), "{path}: {reply:?}");
    }
}

#[test]
fn parameters_that_nobody_asks_for_are_named_and_counted() {
    let host = Host::deployed();
    let reply = host.ask("GET /v0/pipes/top.json?least=7&lesat=8&utm_source=x", "");
    assert_eq!(
        (reply.status, reply.header("x-headwater-unknown-parameters")),
        (200, Some("lesat, utm_source"))
    );
    let metrics = String::from_utf8(host.ask("GET /metrics", "").body).expect("text");
    assert!(metrics.contains("headwater_endpoint_unknown_parameters_total{pipe=\"top\"} 2"), "{metrics}");
    let strict = Host::with(|config| config.limits.strict_parameters = true);
    assert_eq!(strict.deploy(&crate::deploying::PROJECT).status, 200);
    let reply = strict.ask("GET /v0/pipes/top.json?lesat=8", "");
    assert_eq!((reply.status, reply.error().contains("it takes")), (400, true));
    assert_eq!(strict.ask("GET /v0/pipes/top.json?least=8", "").status, 200);
}

#[test]
fn a_query_over_an_answer() {
    let host = Host::deployed();
    let reply = host.ask("GET /v0/pipes/top.json?least=3&q=SELECT+count()+FROM+_", "");
    let sql = text(&reply);
    assert!(
        sql.starts_with("SELECT count() FROM (SELECT * FROM (SELECT org, sum(n) AS n")
            && sql.contains("toInt32('3')"),
        "{sql}"
    );
}

#[test]
fn one_token_asks_so_often() {
    let host = Host::with(|config| {
        config.limits.endpoint_rate = Some(headwater_host::door::Rate { per_second: 1, burst: 2 });
    });
    assert_eq!(host.deploy(&crate::deploying::PROJECT).status, 200);
    let statuses: Vec<Reply> = (0..3).map(|_| host.ask("GET /v0/pipes/top.json", "")).collect();
    assert_eq!(statuses.iter().map(|r| r.status).collect::<Vec<_>>(), [200, 200, 429]);
    assert_eq!(statuses[0].header("x-ratelimit-limit"), Some("2"));
    assert_eq!(
        (statuses[2].header("retry-after"), statuses[2].header("x-ratelimit-remaining")),
        (Some("1"), Some("0"))
    );
    let other = host.token("other", &["PIPES:READ:top"]);
    assert_eq!(host.ask_as(&other, "GET /v0/pipes/top.json", "").status, 200);
}

#[test]
fn what_there_is() {
    let host = Host::deployed();
    let pipes = host.ask("GET /v0/pipes", "").json();
    let names: Vec<(&str, &str)> = pipes["pipes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| (p["name"].as_str().expect("a name"), p["type"].as_str().expect("a type")))
        .collect();
    assert_eq!(names, [("plain", "default"), ("refused", "endpoint"), ("top", "endpoint")]);
    let top = host.ask("GET /v0/pipes/top", "").json();
    assert_eq!((&top["endpoint"], &top["nodes"][1]["dependencies"]), (&"best".into(), &json!(["counted"])));
    assert_eq!(top["nodes"][1]["params"][0]["name"], "least", "{top}");
    assert!(top["nodes"][0]["sql"].as_str().is_some_and(|sql| sql.contains("FROM events")), "{top}");
    let dash = host.token("dash", &[]);
    let seen = host.ask_as(&dash, "GET /v0/pipes", "").json();
    assert_eq!(seen["pipes"].as_array().map(Vec::len), Some(1), "{seen}");
    assert_eq!(seen["pipes"][0]["nodes"][0]["sql"], Value::Null);

    let sources = host.ask("GET /v0/datasources", "").json();
    let events = &sources["datasources"][0];
    assert_eq!(
        (&events["name"], &events["columns"][1]["default_value"]),
        (&"events".into(), &"1".into()),
        "{sources}"
    );
    assert_eq!(host.ask("GET /v0/datasources/none", "").status, 404);

    let api = host.ask("GET /v0/pipes/openapi.json", "").json();
    let get = &api["paths"]["/v0/pipes/top.json"]["get"];
    assert_eq!(get["description"], "Orgs with most events");
    assert_eq!(get["parameters"][0]["schema"], json!({ "type": "integer", "default": 1 }), "{get}");
    let row =
        &get["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["data"]["items"];
    assert_eq!(row["properties"]["n"]["type"], "integer", "{row}");
    let mine = host.ask_as(&dash, "GET /v0/pipes/openapi.json", "").json();
    assert_eq!(mine["paths"].as_object().map(serde_json::Map::len), Some(1));
}
