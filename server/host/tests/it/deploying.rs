//! A first release, and what is said about another one.

use serde_json::{Value, json};

use crate::{Host, Reply};

/// A project that the tests deploy.
pub(crate) const PROJECT: [(&str, &str); 5] = [
    (
        "datasources/events.datasource",
        "TOKEN tracker APPEND\nSCHEMA >\n    org String `json:$.org`,\n    n UInt32 `json:$.n` DEFAULT 1\n",
    ),
    ("datasources/orgs.datasource", "SCHEMA >\n    org String\n"),
    (
        "pipes/top.pipe",
        "DESCRIPTION Orgs with most events\nTOKEN dash READ\nNODE counted\nSQL >\n    SELECT org, sum(n) AS n FROM events GROUP BY org\nNODE best\nSQL >\n    %\n    SELECT * FROM counted WHERE n >= {{Int32(least, 1, description='Smallest sum')}} {% if defined(org) %} AND org = {{String(org)}} {% end %} ORDER BY n DESC\nTYPE endpoint\n",
    ),
    ("pipes/plain.pipe", "NODE n\nSQL >\n    SELECT org FROM orgs\n"),
    (
        "pipes/refused.pipe",
        "NODE n\nSQL >\n    %\n    {% if defined(a) %} {{error('a is not for you')}} {% elif defined(b) %} {{custom_error({'code': 7}, 418)}} {% end %}\n    SELECT 1 AS x\nTYPE endpoint\n",
    ),
];

impl Host {
    pub(crate) fn json(&self, path: &str, body: &Value) -> Reply {
        self.post(path, "application/json", &body.to_string())
    }

    pub(crate) fn deploy(&self, files: &[(&str, &str)]) -> Reply {
        let files: Vec<Value> =
            files.iter().map(|(path, text)| json!({ "path": path, "text": text })).collect();
        self.json("/v1/deploy", &json!({ "files": files }))
    }

    /// A host with a release.
    pub(crate) fn deployed() -> Self {
        let host = Self::start();
        let reply = host.deploy(&PROJECT);
        assert_eq!(reply.status, 200, "{reply:?}");
        host
    }
}

#[test]
fn a_first_release_is_taken_and_the_same_one_again_does_nothing() {
    let host = Host::start();
    let none = host.ask("GET /v1/deployments", "").json();
    assert_eq!(none["deployments"], json!([]));
    let reply = host.deploy(&PROJECT).json();
    assert_eq!(reply["result"], "success", "{reply}");
    let deployment = &reply["deployment"];
    assert_eq!((deployment["id"].as_str().map(str::len), &deployment["live"]), (Some(20), &true.into()));
    assert_eq!(deployment["new_datasource_names"], json!(["events", "orgs"]));
    assert_eq!(deployment["new_pipe_names"], json!(["plain", "refused", "top"]));
    let again = host.deploy(&PROJECT).json();
    assert_eq!(again["result"], "no_changes", "{again}");
    let mut other = PROJECT;
    other[1].1 = "SCHEMA >\n    org String,\n    more String\n";
    let refused = host.deploy(&other);
    let error = refused.error();
    assert_eq!((refused.status, error.contains("changes tables")), (409, true), "{error}");
    assert_eq!(host.ask("GET /v1/deployments", "").json()["deployments"][0]["id"], deployment["id"]);
    // Pipes may change, and endpoints come, but none goes.
    let fewer = host.deploy(&PROJECT[..4]);
    assert_eq!((fewer.status, fewer.error().contains("`refused` would be gone")), (409, true));
    let mut more = PROJECT;
    more[3].1 = "TOKEN plain READ\nNODE n\nSQL >\n    SELECT org FROM orgs\nTYPE endpoint\n";
    assert_eq!(host.ask("GET /v0/pipes/plain.json", "").status, 404);
    assert_eq!(host.deploy(&more).json()["result"], "success");
    assert_eq!(host.ask("GET /v0/pipes/plain.json", "").status, 200);
    let plain = host.token("plain", &[]);
    assert_eq!(host.ask_as(&plain, "GET /v0/pipes/plain.json", "").status, 200);
    let log = std::fs::read_to_string(host.ready.data.join("log/host.log")).expect("a log");
    assert!(log.lines().any(|l| l.contains("\"audit\"") && l.contains("\"deployed\"")), "{log}");
}

#[test]
fn what_is_no_project_is_refused_and_nothing_is_there_then() {
    let host = Host::start();
    let broken =
        host.deploy(&[("datasources/a.datasource", "SCHEMA >\n    x Strin\n"), ("pipes/b.pipe", "NODE n\n")]);
    let json = broken.json();
    assert_eq!((broken.status, &json["result"]), (400, &"failed".into()), "{json}");
    let errors = json["deployment"]["errors"].as_array().expect("errors");
    assert!(errors.iter().any(|e| e["filename"] == "datasources/a.datasource" && e["line"] == 2), "{json}");
    assert!(errors.iter().any(|e| e["filename"] == "pipes/b.pipe"), "{json}");
    for (reply, status, part) in [
        (host.deploy(&[("../x.pipe", "")]), 400, "no path inside"),
        (host.deploy(&[("/etc/passwd", "")]), 400, "no path inside"),
        (host.deploy(&[]), 400, "no files"),
        (host.json("/v1/deploy", &json!({ "files": 1 })), 400, "no project"),
        (host.json("/v1/deploy", &json!({ "files": [], "more": 1 })), 400, "no project"),
        (host.post("/v1/deploy", "text/plain", "x"), 415, "as JSON"),
    ] {
        let error = reply.error();
        assert_eq!((reply.status, error.contains(part)), (status, true), "{error}");
    }
    let checked = json!({ "files": [{ "path": PROJECT[1].0, "text": PROJECT[1].1 }], "check": true });
    assert_eq!(host.json("/v1/deploy", &checked).json()["deployment"]["live"], false);
    assert_eq!(host.ask("GET /v1/deployments", "").json()["deployments"], json!([]));
}
