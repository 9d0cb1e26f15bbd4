//! Who may do what: every scope at every route, and the life of tokens and secrets.

use serde_json::{Value, json};

use crate::{Host, Reply};

impl Host {
    /// Asks with another token.
    pub(crate) fn ask_as(&self, token: &str, line: &str, more: &str) -> Reply {
        self.raw(format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{more}\r\n"
        ))
    }

    pub(crate) fn post_as(&self, token: &str, path: &str, kind: &str, body: &str) -> Reply {
        let length = body.len();
        let more = format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}");
        self.ask_as(token, &format!("POST {path}"), &more)
    }

    /// A token with these scopes.
    pub(crate) fn token(&self, name: &str, scopes: &[&str]) -> String {
        let reply = self.json("/v0/tokens", &json!({ "name": name, "scope": scopes }));
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["token"].as_str().expect("a value").to_owned()
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// What is asked of each route, and which scopes let one through. Nothing here changes anything when it is refused.
const ROUTES: &[(&str, &str, &str, &[&str])] = &[
    ("GET", "/health", "", &["*"]),
    ("GET", "/v0/version", "", &["*"]),
    ("GET", "/metrics", "", &["ADMIN", "READ_ALL", "DEPLOY"]),
    ("GET", "/v0/status", "", &["ADMIN", "READ_ALL", "DEPLOY"]),
    ("GET", "/v0/sql?q=SELECT+1", "", &["ADMIN", "READ_ALL", "READ", "FILTERED", "PIPE"]),
    ("GET", "/v0/sql?q=SELECT+*+FROM+events", "", &["ADMIN", "READ_ALL", "READ", "FILTERED"]),
    ("GET", "/v0/sql?q=SELECT+*+FROM+events_quarantine", "", &["ADMIN", "READ_ALL", "READ"]),
    ("GET", "/v0/sql?q=SELECT+*+FROM+orgs", "", &["ADMIN", "READ_ALL"]),
    ("GET", "/v0/sql?q=SELECT+*+FROM+top", "", &["ADMIN", "READ_ALL", "PIPE"]),
    ("GET", "/v0/sql?q=SELECT+*+FROM+counted&pipeline=top", "", &["ADMIN", "READ_ALL"]),
    ("GET", "/v0/pipes/top.json", "", &["ADMIN", "READ_ALL", "PIPE"]),
    ("GET", "/v0/pipes/top.ndjson?q=SELECT+count()+FROM+_", "", &["ADMIN", "READ_ALL", "PIPE"]),
    ("GET", "/v0/pipes/top.ndjson?q=SELECT+count()+FROM+orgs", "", &["ADMIN", "READ_ALL"]),
    ("GET", "/v0/pipes/top", "", &["ADMIN", "READ_ALL", "PIPE"]),
    ("GET", "/v0/pipes/refused.json", "", &["ADMIN", "READ_ALL"]),
    ("GET", "/v0/pipes", "", &["*"]),
    ("GET", "/v0/pipes/openapi.json", "", &["*"]),
    ("GET", "/v0/datasources", "", &["*"]),
    ("GET", "/v0/datasources/events", "", &["ADMIN", "READ_ALL", "DEPLOY", "READ", "FILTERED", "APPEND"]),
    ("GET", "/v0/datasources/orgs", "", &["ADMIN", "READ_ALL", "DEPLOY"]),
    ("GET", "/v1/deployments", "", &["ADMIN", "READ_ALL", "DEPLOY"]),
    ("POST", "/v1/deploy", "{\"files\":[]}", &["ADMIN", "DEPLOY"]),
    ("POST", "/v0/events?name=events", "{\"org\": \"a\"}", &["ADMIN", "APPEND"]),
    ("POST", "/v0/events?name=orgs", "{\"org\": \"a\"}", &["ADMIN"]),
    ("POST", "/v0/datasources?mode=append&name=events&format=csv", "a,1", &["ADMIN", "APPEND"]),
    ("POST", "/v0/datasources?mode=append&name=orgs&format=csv", "a", &["ADMIN"]),
    ("POST", "/v1/datasources/events/append?format=ndjson", "{}", &["ADMIN", "APPEND"]),
    ("POST", "/v1/datasources/events/replace", "", &["ADMIN", "DROP"]),
    ("POST", "/v0/datasources/events/truncate", "", &["ADMIN", "DROP"]),
    ("POST", "/v0/datasources/events/delete", "delete_condition=n", &["ADMIN", "DROP"]),
    ("POST", "/v0/datasources/orgs/truncate", "", &["ADMIN"]),
    ("GET", "/v0/consumers", "", &["ADMIN", "READ_ALL", "DEPLOY"]),
    ("POST", "/v0/consumers/landing_orgs/skip", "from=1&to=2&reason=poison", &["ADMIN"]),
    ("POST", "/v0/consumers/none/skip", "from=1&to=2&reason=poison", &["ADMIN"]),
    ("POST", "/v0/consumers/none/skip", "from=1", &["ADMIN"]),
    ("GET", "/v0/tokens", "", &["ADMIN", "TOKENS"]),
    ("GET", "/v0/tokens/owner", "", &["ADMIN", "TOKENS"]),
    ("POST", "/v0/tokens", "name=x&scope=nonsense", &["ADMIN", "TOKENS"]),
    ("POST", "/v0/tokens/owner/refresh", "keep_old=x", &["ADMIN"]),
    ("DELETE", "/v0/tokens/owner", "", &["ADMIN"]),
    ("GET", "/v0/variables", "", &["ADMIN", "DEPLOY"]),
    ("POST", "/v0/variables", "name=x", &["ADMIN", "DEPLOY"]),
    ("DELETE", "/v0/variables/none", "", &["ADMIN", "DEPLOY"]),
];

const SCOPES: [(&str, &str); 9] = [
    ("ADMIN", "ADMIN"),
    ("TOKENS", "TOKENS"),
    ("READ_ALL", "WORKSPACE:READ_ALL"),
    ("DEPLOY", "WORKSPACE:DEPLOY"),
    ("READ", "DATASOURCES:READ:events"),
    ("FILTERED", "DATASOURCES:READ:events:org = 'a'"),
    ("APPEND", "DATASOURCES:APPEND:events"),
    ("DROP", "DATASOURCES:DROP:events"),
    ("PIPE", "PIPES:READ:top"),
];

#[test]
fn every_scope_at_every_route() {
    let host = Host::deployed();
    let mut wrong = Vec::new();
    for (short, scope) in SCOPES {
        let token = host.token(short, &[scope]);
        for (method, path, body, may) in ROUTES {
            let kind = if body.starts_with('{') { "application/json" } else { FORM };
            let more = format!("Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let reply =
                host.ask_as(&token, &format!("{method} {path}"), if *method == "GET" { "" } else { &more });
            let passes = may.contains(&"*") || may.contains(&short);
            // Who is let through may be told that the request is wrong; only 403 is about the token.
            if (reply.status != 403) != passes || reply.status >= 500 {
                wrong.push(format!(
                    "{short} at {method} {path}: {} {}",
                    reply.status,
                    String::from_utf8_lossy(&reply.body)
                ));
            }
            if reply.status == 403 {
                let error = reply.error();
                assert!(error.contains("scope") || error.contains("token"), "{error}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_filter_is_around_the_table_that_is_asked() {
    let host = Host::deployed();
    let token = host.token("tenant", &["DATASOURCES:READ:events:org = 'a'", "PIPES:READ:top"]);
    let text = |reply: Reply| String::from_utf8(reply.body).expect("text");
    let asked = text(host.ask_as(&token, "GET /v0/sql?q=SELECT+*+FROM+events", ""));
    assert!(asked.contains("view(SELECT * FROM `data`.`events_1` WHERE ((org = 'a'"), "{asked}");
    let through = text(host.ask_as(&token, "GET /v0/pipes/top.json", ""));
    assert!(through.contains("view(SELECT * FROM `data`.`events_1` WHERE ((org = 'a'"), "{through}");
    let wrong =
        host.json("/v0/tokens", &json!({ "name": "w", "scope": ["DATASOURCES:READ:events:1) OR (1"] }));
    assert_eq!(wrong.status, 400, "{wrong:?}");
}

#[test]
fn tokens_are_shown_once_and_end() {
    let host = Host::deployed();
    let made = host.json("/v0/tokens", &json!({ "name": "short", "scope": "PIPES:READ:top", "ttl": 3600 }));
    let value = made.json()["token"].as_str().expect("a value").to_owned();
    assert!(value.starts_with("hw_") && made.json()["expires_at"].is_string(), "{made:?}");
    let listed = host.ask("GET /v0/tokens", "").json();
    assert!(!listed.to_string().contains(&value[3..20]), "{listed}");
    let names: Vec<(&str, bool)> = listed["tokens"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|t| (t["name"].as_str().expect("a name"), t["has_value"] == true))
        .collect();
    // Those of the release have no value yet.
    assert_eq!(names, [("dash", false), ("owner", true), ("short", true), ("tracker", false)]);
    let dash = host.token("dash", &[]);
    assert_eq!(host.ask_as(&dash, "GET /v0/pipes/top.json", "").status, 200);
    assert_eq!(host.ask_as(&dash, "GET /v0/sql?q=SELECT+*+FROM+events", "").status, 403);

    assert_eq!(host.json("/v0/tokens", &json!({ "name": "short", "scope": "ADMIN" })).status, 409);
    assert_eq!(host.json("/v0/tokens", &json!({ "name": "none" })).status, 400);
    assert_eq!(
        host.json("/v0/tokens", &json!({ "name": "old", "scope": "ADMIN", "expiration_time": 1 })).status,
        400
    );
    let new =
        host.post("/v0/tokens/short/refresh", FORM, "").json()["token"].as_str().expect("a value").to_owned();
    assert_eq!(host.ask_as(&value, "GET /v0/pipes/top.json", "").status, 403);
    assert_eq!(host.ask_as(&new, "GET /v0/pipes/top.json", "").status, 200);
    // A manager of tokens makes none that may more, and takes none over.
    let manager = host.token("manager", &["TOKENS"]);
    let by_manager = |name: &str, scope: &str| {
        host.post_as(
            &manager,
            "/v0/tokens",
            "application/json",
            &json!({ "name": name, "scope": scope }).to_string(),
        )
        .status
    };
    assert_eq!(
        (by_manager("a", "DATASOURCES:APPEND:events"), by_manager("b", "ADMIN"), by_manager("c", "TOKENS")),
        (200, 403, 403)
    );
    assert_eq!(host.post_as(&manager, "/v0/tokens/owner/refresh", FORM, "").status, 403);
    assert_eq!(host.ask("DELETE /v0/tokens/short", "").status, 200);
    assert_eq!(host.ask("DELETE /v0/tokens/short", "").status, 404);
    assert_eq!(host.ask_as(&new, "GET /health", "").status, 403);
    let log = std::fs::read_to_string(host.ready.data.join("log/host.log")).expect("a log");
    let audit: Vec<Value> = log
        .lines()
        .filter_map(|l| serde_json::from_str(l).ok())
        .filter(|l: &Value| l["event"] == "audit")
        .collect();
    let actions: Vec<(&str, &str)> = audit
        .iter()
        .map(|l| (l["action"].as_str().expect("text"), l["subject"].as_str().expect("text")))
        .skip(1)
        .collect();
    assert_eq!(
        actions,
        [
            ("token-created", "short"),
            ("token-created", "dash"),
            ("token-refreshed", "short"),
            ("token-created", "manager"),
            ("token-created", "a"),
            ("token-removed", "short"),
        ]
    );
    for secret in [&value[3..20], &new[3..20], &dash[3..20]] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn secrets_go_in_and_do_not_come_out() {
    let host = Host::deployed();
    let set = host.json("/v0/variables", &json!({ "name": "KEY", "value": "hunter2hunter2" }));
    assert_eq!(set.status, 200, "{set:?}");
    let put = host.ask(
        "PUT /v0/variables/OTHER",
        "Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"value\":\"x\"}",
    );
    assert_eq!(put.status, 200, "{put:?}");
    let listed = host.ask("GET /v0/variables", "").json();
    let names: Vec<&str> = listed["variables"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|v| v["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["KEY", "OTHER"]);
    assert!(!listed.to_string().contains("hunter2"), "{listed}");
    // What somebody writes beside the project would print it, as a template or by the name that a pipe's is bound to.
    for query in ["%25SELECT+{{tb_secret('KEY')}}+AS+k", "SELECT+{KEY:String}+AS+k"] {
        let used = host.ask(&format!("GET /v0/sql?q={query}"), "");
        assert!(used.status >= 400, "{used:?}");
        let text = String::from_utf8(used.body).expect("text");
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert_eq!(host.json("/v0/variables", &json!({ "name": "1 a", "value": "x" })).status, 400);
    assert_eq!(host.ask("DELETE /v0/variables/KEY", "").status, 200);
    assert_eq!(host.ask("DELETE /v0/variables/KEY", "").status, 404);
    for file in ["secrets.json", "log/host.log"] {
        let text = std::fs::read_to_string(host.ready.data.join(file)).expect("there");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
