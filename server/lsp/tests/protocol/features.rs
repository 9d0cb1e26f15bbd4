//! Every editor feature over the wire, from a client that can do everything. Each test is named in
//! docs/reference/editor-features.md; every frame is held against the protocol by the client.

use headwater_lsp::testing::{document, opened, place, replaced};
use serde_json::{Value, json};

use crate::{Fixture, uri};

/// A client that knows all of 3.18.
pub(crate) fn everything() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-16"] },
        "window": { "workDoneProgress": true },
        "workspace": {
            "workspaceEdit": {
                "documentChanges": true,
                "resourceOperations": ["create", "rename", "delete"],
                "changeAnnotationSupport": {},
            },
            "fileOperations": { "willRename": true },
            "textDocumentContent": {},
            "diagnostics": { "refreshSupport": true },
        },
        "textDocument": {
            "diagnostic": {},
            "completion": { "completionItem": {
                "snippetSupport": true, "labelDetailsSupport": true, "documentationFormat": ["markdown"],
            } },
            "hover": { "contentFormat": ["markdown"] },
            "signatureHelp": { "signatureInformation": {
                "documentationFormat": ["markdown"], "parameterInformation": { "labelOffsetSupport": true } } },
            "definition": { "linkSupport": true },
            "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
            "codeAction": {
                "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["quickfix"] } },
                "dataSupport": true,
                "resolveSupport": { "properties": ["edit"] },
            },
            "rename": { "prepareSupport": true },
            "inlayHint": { "resolveSupport": { "properties": ["tooltip"] } },
            "semanticTokens": {
                "requests": { "full": { "delta": true }, "range": true },
                "tokenTypes": [], "tokenModifiers": [], "formats": ["relative"],
            },
            "selectionRange": {}, "linkedEditingRange": {}, "callHierarchy": {}, "typeHierarchy": {},
            "onTypeFormatting": {},
        },
    })
}

const EVENTS: &str = "SCHEMA >\n    `ts` DateTime `json:$.ts`,\n    `who` String `json:$.who`\n\nENGINE MergeTree\nENGINE_SORTING_KEY ts\n";
const TOP: &str = "NODE base\nSQL >\n    %\n    SELECT who, ts FROM events WHERE ts > {{DateTime(since, '2024-01-01 00:00:00')}}\nNODE out\nSQL >\n    SELECT who, count() AS hits FROM base GROUP BY who ORDER BY hits\nTYPE endpoint\n";
const TEST: &str = "- name: a\n  parameters: since=2024-01-01 00:00:00\n  expected_result: |\n    {\"who\":\"b\",\"hits\":1}\n";
const FILES: &[(&str, &str)] = &[
    ("tinybird.config.json", "{}"),
    ("datasources/events.datasource", EVENTS),
    ("endpoints/top.pipe", TOP),
    ("tests/top.yaml", TEST),
    ("fixtures/raw.ndjson", "{\"id\": 1, \"label\": \"x\"}\n"),
    (".env.local", "KAFKA_KEY=abc\n"),
];

const PIPE: &str = "endpoints/top.pipe";
const SOURCE: &str = "datasources/events.datasource";

async fn server() -> Fixture {
    let mut fixture = Fixture::new(FILES, everything()).await;
    fixture.client.notify("textDocument/didOpen", opened(&uri(PIPE), 1, TOP)).await;
    fixture.client.notify("textDocument/didOpen", opened(&uri(SOURCE), 1, EVENTS)).await;
    fixture
}

/// The place of the `n`th time that a text stands in another.
fn at(text: &str, needle: &str, n: usize) -> (u32, u32) {
    let (offset, _) = text.match_indices(needle).nth(n).expect("it is there");
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let column = offset - before.rfind('\n').map_or(0, |n| n + 1);
    (u32::try_from(line).unwrap(), u32::try_from(column).unwrap())
}

fn spot(path: &str, text: &str, needle: &str, n: usize) -> Value {
    let (line, character) = at(text, needle, n);
    place(&uri(path), line, character)
}

fn labels(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().into_iter().flatten().filter_map(|i| i["label"].as_str()).collect()
}

#[tokio::test]
async fn completion_is_ranked_and_resolves_its_documentation() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let text = TOP.replace("SELECT who, ts FROM", "SELECT who, t FROM");
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, &text)).await;
    let (line, character) = at(&text, "t FROM", 0);
    let answer = client.call("textDocument/completion", place(&uri(PIPE), line, character + 1)).await;
    assert_eq!(labels(&answer)[0], "ts", "{answer}");
    assert_eq!(answer["items"][0]["detail"], "DateTime");
    assert_eq!(answer["items"][0]["labelDetails"]["description"], "events");
    let function = answer["items"].as_array().unwrap().iter().find(|i| i["kind"] == 3).unwrap().clone();
    assert!(function.get("documentation").is_none());
    let resolved = client.call("completionItem/resolve", function).await;
    assert!(resolved["documentation"]["value"].as_str().is_some_and(|v| v.len() > 20), "{resolved}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn completion_works_in_configuration_tests_fixtures_and_secrets() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    client.notify("textDocument/didOpen", opened(&uri("headwater.toml"), 1, "[impact]\nbase")).await;
    let answer = client.call("textDocument/completion", place(&uri("headwater.toml"), 1, 4)).await;
    assert_eq!(labels(&answer), ["baseline"]);
    let test = "- name: a\n  parameters: \n";
    client.notify("textDocument/didOpen", opened(&uri("tests/top.yaml"), 1, test)).await;
    let answer = client.call("textDocument/completion", place(&uri("tests/top.yaml"), 1, 14)).await;
    assert_eq!(labels(&answer), ["since"]);
    let raw = "SCHEMA >\n    ";
    client.notify("textDocument/didOpen", opened(&uri("datasources/raw.datasource"), 1, raw)).await;
    let answer =
        client.call("textDocument/completion", place(&uri("datasources/raw.datasource"), 1, 4)).await;
    assert_eq!(labels(&answer)[..2], ["id", "label"]);
    let bus = "TYPE kafka\nKAFKA_KEY {{ tb_secret(\"\") }}\n";
    client.notify("textDocument/didOpen", opened(&uri("bus.connection"), 1, bus)).await;
    let answer = client.call("textDocument/completion", place(&uri("bus.connection"), 1, 24)).await;
    assert_eq!(labels(&answer), ["KAFKA_KEY"]);
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn a_blank_opens_a_list_only_where_a_name_is_wanted() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let text = "NODE n\nSQL >\n    SELECT who FROM \nTYPE endpoint\n";
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, text)).await;
    let ask = |character: u32| {
        let mut params = place(&uri(PIPE), 2, character);
        params["context"] = json!({ "triggerKind": 2, "triggerCharacter": " " });
        params
    };
    let tables = client.call("textDocument/completion", ask(20)).await;
    assert!(labels(&tables).contains(&"events"), "{tables}");
    assert_eq!(client.call("textDocument/completion", ask(15)).await, Value::Null);
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn hover_tells_types_origins_parameters_and_schedules() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let column = client.call("textDocument/hover", spot(PIPE, TOP, "who", 0)).await;
    let text = column["contents"]["value"].as_str().unwrap();
    assert!(text.contains("who String") && text.contains("data source `events`"), "{text}");
    let function = client.call("textDocument/hover", spot(PIPE, TOP, "count", 0)).await;
    let text = function["contents"]["value"].as_str().unwrap();
    assert!(text.contains("→ UInt64") && text.contains("**Examples**"), "{text}");
    let parameter = client.call("textDocument/hover", spot(PIPE, TOP, "since", 0)).await;
    assert!(parameter["contents"]["value"].as_str().unwrap().contains("since: DateTime"), "{parameter}");
    let copy = "NODE n\nSQL >\n    SELECT 1\nTYPE copy\nTARGET_DATASOURCE events\nCOPY_SCHEDULE 0 4 * * *\n";
    client.notify("textDocument/didOpen", opened(&uri("c.pipe"), 1, copy)).await;
    let schedule = client.call("textDocument/hover", spot("c.pipe", copy, "0 4", 0)).await;
    let text = schedule["contents"]["value"].as_str().unwrap();
    assert!(text.contains("at 04:00, every day") && text.contains("2024-02-29 04:00 UTC"), "{text}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn signature_help_marks_the_argument() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let text = "NODE n\nSQL >\n    SELECT dateDiff('day', \n";
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, text)).await;
    let help = client.call("textDocument/signatureHelp", place(&uri(PIPE), 2, 27)).await;
    assert_eq!(help["activeParameter"], 1, "{help}");
    let signature = &help["signatures"][0];
    let label = signature["label"].as_str().unwrap();
    let range = &signature["parameters"][1]["label"];
    let (from, to) = (range[0].as_u64().unwrap(), range[1].as_u64().unwrap());
    assert_eq!(&label[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()], "startdate");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn definitions_declarations_types_and_implementations_lead_somewhere() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let target = |answer: &Value| {
        let first = &answer[0];
        let range = &first["targetSelectionRange"]["start"];
        format!(
            "{}:{}",
            first["targetUri"].as_str().unwrap_or("none").trim_start_matches("file:///p/"),
            range["line"]
        )
    };
    let column = spot(PIPE, TOP, "who", 1);
    for (method, expected) in [
        ("textDocument/definition", "endpoints/top.pipe:3"),
        ("textDocument/declaration", "datasources/events.datasource:2"),
        ("textDocument/typeDefinition", "endpoints/top.pipe:0"),
        ("textDocument/implementation", "datasources/events.datasource:2"),
    ] {
        let answer = client.call(method, column.clone()).await;
        assert_eq!(target(&answer), expected, "{method} {answer}");
    }
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn columns_have_references_and_highlights() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let mut params = spot(SOURCE, EVENTS, "who", 0);
    params["context"] = json!({ "includeDeclaration": true });
    let found = client.call("textDocument/references", params).await;
    assert_eq!(found.as_array().map(Vec::len), Some(2), "{found}");
    let marked = client.call("textDocument/documentHighlight", spot(PIPE, TOP, "hits", 0)).await;
    assert!(!marked.as_array().unwrap().is_empty(), "{marked}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn resources_are_a_call_hierarchy_and_columns_a_type_hierarchy() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let items = client.call("textDocument/prepareCallHierarchy", spot(SOURCE, EVENTS, "SCHEMA", 0)).await;
    assert_eq!(items[0]["name"], "events");
    let readers = client.call("callHierarchy/incomingCalls", json!({ "item": items[0] })).await;
    assert_eq!(readers[0]["from"]["name"], "top:base", "{readers}");
    assert_eq!(readers[0]["fromRanges"].as_array().map(Vec::len), Some(1));
    let sources = client.call("callHierarchy/outgoingCalls", json!({ "item": readers[0]["from"] })).await;
    assert_eq!(sources[0]["to"]["name"], "events");
    let columns = client.call("textDocument/prepareTypeHierarchy", spot(PIPE, TOP, "who", 2)).await;
    assert_eq!(columns[0]["name"], "top:base.who", "{columns}");
    let above = client.call("typeHierarchy/supertypes", json!({ "item": columns[0] })).await;
    assert_eq!(above[0]["name"], "events.who");
    let below = client.call("typeHierarchy/subtypes", json!({ "item": columns[0] })).await;
    assert_eq!(below[0]["name"], "top.who");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn rename_edits_every_file_and_refuses_with_the_reason() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let here = spot(SOURCE, EVENTS, "who", 0);
    let prepared = client.call("textDocument/prepareRename", here.clone()).await;
    assert_eq!(prepared["placeholder"], "who");
    let mut params = here.clone();
    params["newName"] = json!("person");
    let edit = client.call("textDocument/rename", params.clone()).await;
    let documents: Vec<_> = edit["documentChanges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["textDocument"]["uri"].as_str().unwrap())
        .collect();
    assert_eq!(documents.len(), 3, "{edit}");
    assert!(
        edit["changeAnnotations"].as_object().unwrap().values().any(|a| a["needsConfirmation"] == true),
        "{edit}"
    );
    params["newName"] = json!("ts");
    let id = client.send("textDocument/rename", params).await;
    let refused = client.answer(id).await.unwrap_err();
    assert_eq!(refused["code"], -32803);
    assert!(refused["message"].as_str().unwrap().contains("already"), "{refused}");
    let mut params = spot(PIPE, TOP, "events", 0);
    params["newName"] = json!("visits");
    let edit = client.call("textDocument/rename", params).await;
    assert!(edit["documentChanges"].as_array().unwrap().iter().any(|d| d["kind"] == "rename"), "{edit}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn files_that_get_other_names_are_followed() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let files =
        json!({ "files": [{ "oldUri": uri(SOURCE), "newUri": uri("datasources/visits.datasource") }] });
    let edit = client.call("workspace/willRenameFiles", files).await;
    assert_eq!(edit["documentChanges"][0]["edits"][0]["newText"], "visits", "{edit}");
    let files = json!({ "files": [{ "oldUri": uri(SOURCE), "newUri": uri("other/events.datasource") }] });
    assert_eq!(client.call("workspace/willRenameFiles", files).await, Value::Null);
    fixture.client.shut_down().await;
}

fn action_params(path: &str, text: &str, needle: &str) -> Value {
    let (line, character) = at(text, needle, 0);
    let here = json!({ "line": line, "character": character });
    json!({ "textDocument": { "uri": uri(path) }, "range": { "start": here, "end": here }, "context": { "diagnostics": [] } })
}

#[tokio::test]
async fn code_actions_are_resolved_when_they_are_chosen() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let text = "NODE n\nSQL >\n    SELECT * FROM evnets\nTYPE endpoint\n";
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, text)).await;
    let actions = client.call("textDocument/codeAction", action_params(PIPE, text, "evnets")).await;
    let fix =
        actions.as_array().unwrap().iter().find(|a| a["title"] == "Change to `events`").unwrap().clone();
    assert_eq!((&fix["kind"], &fix["isPreferred"]), (&json!("quickfix"), &json!(true)));
    assert!(fix.get("edit").is_none());
    let resolved = client.call("codeAction/resolve", fix).await;
    assert_eq!(resolved["edit"]["documentChanges"][0]["edits"][0]["newText"], "events");
    let create = actions
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["title"] == "Create the data source `evnets`")
        .unwrap()
        .clone();
    let resolved = client.call("codeAction/resolve", create).await;
    assert_eq!(resolved["edit"]["documentChanges"][0]["kind"], "create", "{resolved}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn everything_safe_is_fixed_at_once() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let text = "NODE n\nSQL>\n    SELECT {{Int32(x, 1)}}\nTYPE endpoint\n";
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, text)).await;
    let mut params = action_params(PIPE, text, "NODE");
    params["context"]["only"] = json!(["source.fixAll"]);
    let actions = client.call("textDocument/codeAction", params).await;
    assert_eq!(actions.as_array().map(Vec::len), Some(1), "{actions}");
    let resolved = client.call("codeAction/resolve", actions[0].clone()).await;
    assert!(!resolved["edit"].is_null(), "{resolved}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn semantic_tokens_come_whole_in_parts_and_as_differences() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let full = client.call("textDocument/semanticTokens/full", document(&uri(PIPE))).await;
    let data = full["data"].as_array().unwrap().clone();
    assert!(data.len() > 100 && data.len() % 5 == 0);
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 9 } });
    let part = client
        .call(
            "textDocument/semanticTokens/range",
            json!({ "textDocument": { "uri": uri(PIPE) }, "range": range }),
        )
        .await;
    assert_eq!(part["data"].as_array().unwrap()[..], data[..10]);
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, &TOP.replace("hits", "h"))).await;
    let params = json!({ "textDocument": { "uri": uri(PIPE) }, "previousResultId": full["resultId"] });
    let delta = client.call("textDocument/semanticTokens/full/delta", params).await;
    let mut made = data;
    for edit in delta["edits"].as_array().unwrap() {
        let start = usize::try_from(edit["start"].as_u64().unwrap()).unwrap();
        let removed = usize::try_from(edit["deleteCount"].as_u64().unwrap()).unwrap();
        made.splice(start..start + removed, edit["data"].as_array().unwrap().iter().cloned());
    }
    let again = client.call("textDocument/semanticTokens/full", document(&uri(PIPE))).await;
    assert_eq!(again["data"].as_array().unwrap()[..], made[..]);
    // A result that nobody knows any more is answered in full.
    let params = json!({ "textDocument": { "uri": uri(PIPE) }, "previousResultId": "old" });
    assert!(client.call("textDocument/semanticTokens/full/delta", params).await["data"].is_array());
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn selections_linked_names_and_indentation() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let (line, character) = at(TOP, "who", 0);
    let params = json!({ "textDocument": { "uri": uri(PIPE) }, "positions": [{ "line": line, "character": character }, { "line": 0, "character": 0 }] });
    let chains = client.call("textDocument/selectionRange", params).await;
    assert_eq!(chains.as_array().map(Vec::len), Some(2));
    assert!(chains[0]["parent"]["range"].is_object());
    let text = "NODE n\nSQL >\n    %\n    SELECT {{Int32(days, 7)}} {% if defined(days) %}1{% end %}\nTYPE endpoint\n";
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 2, text)).await;
    let linked = client.call("textDocument/linkedEditingRange", spot(PIPE, text, "days", 0)).await;
    assert_eq!(linked["ranges"].as_array().map(Vec::len), Some(2));
    let text = "NODE n\nSQL >\n";
    client.notify("textDocument/didChange", replaced(&uri(PIPE), 3, text)).await;
    let mut params = place(&uri(PIPE), 2, 0);
    params["ch"] = json!("\n");
    params["options"] = json!({ "tabSize": 4, "insertSpaces": true });
    let edits = client.call("textDocument/onTypeFormatting", params).await;
    assert_eq!(edits[0]["newText"], "    ");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn hints_explain_themselves() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
    let hints = client
        .call("textDocument/inlayHint", json!({ "textDocument": { "uri": uri(SOURCE) }, "range": range }))
        .await;
    let hint = hints[0].clone();
    assert!(hint["label"].as_str().unwrap().contains("endpoint"), "{hints}");
    let resolved = client.call("inlayHint/resolve", hint).await;
    assert!(resolved["tooltip"]["value"].as_str().unwrap().contains("ts DateTime"), "{resolved}");
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn virtual_documents_and_their_commands_say_the_same() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    for (view, part) in [
        ("rendered", "SELECT who, ts FROM events WHERE ts > '2025-01-01 00:00:00'"),
        ("compiled", "WITH\n    base AS ("),
        ("openapi", "openapi: 3.1.0"),
        ("lineage", "events · data source"),
    ] {
        let node = (view == "rendered").then_some("base");
        let argument =
            json!({ "uri": uri(PIPE), "node": node, "parameters": { "since": "2025-01-01 00:00:00" } });
        let command = json!({ "command": format!("headwater.view.{view}"), "arguments": [argument] });
        let by_command = client.call("workspace/executeCommand", command).await;
        assert!(by_command["text"].as_str().unwrap().contains(part), "{view}: {by_command}");
        let content = client.call("workspace/textDocumentContent", json!({ "uri": by_command["uri"] })).await;
        assert_eq!(content["text"], by_command["text"], "{view}");
    }
    let id = client.send("workspace/textDocumentContent", json!({ "uri": "headwater:/nonsense/x" })).await;
    assert_eq!(client.answer(id).await.unwrap_err()["code"], -32602);
    fixture.client.shut_down().await;
}

#[tokio::test]
async fn outline_folds_links_lenses_and_symbols() {
    let mut fixture = server().await;
    let client = &mut fixture.client;
    for (method, params) in [
        ("textDocument/documentSymbol", document(&uri(PIPE))),
        ("textDocument/foldingRange", document(&uri(PIPE))),
        ("textDocument/documentLink", document(&uri(PIPE))),
        ("textDocument/codeLens", document(&uri(SOURCE))),
        ("workspace/symbol", json!({ "query": "evts" })),
    ] {
        let answer = client.call(method, params).await;
        assert!(!answer.as_array().unwrap().is_empty(), "{method}");
    }
    fixture.client.shut_down().await;
}

/// A client that says nothing of itself is offered what needs no saying, and gets plain answers.
#[tokio::test]
async fn a_client_that_can_little_is_asked_for_little() {
    let mut fixture = Fixture::new(FILES, json!({})).await;
    let offer = fixture.hello["capabilities"].clone();
    for missing in [
        "semanticTokensProvider",
        "codeActionProvider",
        "callHierarchyProvider",
        "linkedEditingRangeProvider",
    ] {
        assert!(offer.get(missing).is_none(), "{missing}");
    }
    assert_eq!(offer["renameProvider"], true);
    let client = &mut fixture.client;
    client.notify("textDocument/didOpen", opened(&uri(PIPE), 1, TOP)).await;
    let answer = client.call("textDocument/completion", spot(PIPE, TOP, "count", 0)).await;
    for item in answer["items"].as_array().unwrap() {
        assert!(
            item.get("insertTextFormat").is_none()
                && !item["textEdit"]["newText"].as_str().unwrap().contains('$'),
            "{item}"
        );
    }
    let mut params = spot(SOURCE, EVENTS, "who", 0);
    params["newName"] = json!("person");
    let edit = client.call("textDocument/rename", params).await;
    assert!(edit.get("changes").is_some() && !edit.to_string().contains("FORWARD_QUERY"), "{edit}");
    client.ignore("textDocument/publishDiagnostics");
    client.call("headwater/status", json!({})).await;
    client.ignore("textDocument/publishDiagnostics");
    let id = client.send("shutdown", Value::Null).await;
    client.answer(id).await.unwrap();
    client.ignore("textDocument/publishDiagnostics");
    fixture.client.notify("exit", Value::Null).await;
    fixture.client.ended().await;
    fixture.client.ignore("textDocument/publishDiagnostics");
}

/// The rows of docs/reference/editor-features.md: what the server offers this client, and the test that shows it.
const MATRIX: &[(&str, &str, &str)] = &[
    (
        "Completion, ranked, with lazy documentation",
        "completionProvider",
        "completion_is_ranked_and_resolves_its_documentation",
    ),
    (
        "Completion in tests, `headwater.toml`, schemas from samples, secrets",
        "completionProvider",
        "completion_works_in_configuration_tests_fixtures_and_secrets",
    ),
    ("Hover", "hoverProvider", "hover_tells_types_origins_parameters_and_schedules"),
    ("Signature help", "signatureHelpProvider", "signature_help_marks_the_argument"),
    (
        "Go to definition",
        "definitionProvider",
        "definitions_declarations_types_and_implementations_lead_somewhere",
    ),
    (
        "Go to declaration: where a column comes from",
        "declarationProvider",
        "definitions_declarations_types_and_implementations_lead_somewhere",
    ),
    (
        "Go to type definition: the table of a column, the target of a view",
        "typeDefinitionProvider",
        "definitions_declarations_types_and_implementations_lead_somewhere",
    ),
    (
        "Go to implementation: what fills a data source",
        "implementationProvider",
        "definitions_declarations_types_and_implementations_lead_somewhere",
    ),
    ("References, of columns too", "referencesProvider", "columns_have_references_and_highlights"),
    ("Highlights", "documentHighlightProvider", "columns_have_references_and_highlights"),
    (
        "Call hierarchy: lineage of resources",
        "callHierarchyProvider",
        "resources_are_a_call_hierarchy_and_columns_a_type_hierarchy",
    ),
    (
        "Type hierarchy: lineage of columns",
        "typeHierarchyProvider",
        "resources_are_a_call_hierarchy_and_columns_a_type_hierarchy",
    ),
    ("Outline", "documentSymbolProvider", "outline_folds_links_lenses_and_symbols"),
    ("Workspace symbols, fuzzy", "workspaceSymbolProvider", "outline_folds_links_lenses_and_symbols"),
    ("Document links", "documentLinkProvider", "outline_folds_links_lenses_and_symbols"),
    ("Folding", "foldingRangeProvider", "outline_folds_links_lenses_and_symbols"),
    ("Code lenses: what is downstream", "codeLensProvider", "outline_folds_links_lenses_and_symbols"),
    ("Selection ranges", "selectionRangeProvider", "selections_linked_names_and_indentation"),
    (
        "Linked editing of template names",
        "linkedEditingRangeProvider",
        "selections_linked_names_and_indentation",
    ),
    (
        "Indentation while typing",
        "documentOnTypeFormattingProvider",
        "selections_linked_names_and_indentation",
    ),
    (
        "Semantic tokens: full, range, delta",
        "semanticTokensProvider",
        "semantic_tokens_come_whole_in_parts_and_as_differences",
    ),
    ("Inlay hints, with tooltips", "inlayHintProvider", "hints_explain_themselves"),
    (
        "Rename with preparation and change annotations",
        "renameProvider",
        "rename_edits_every_file_and_refuses_with_the_reason",
    ),
    (
        "Files that are renamed in the editor",
        "workspace.fileOperations.willRename",
        "files_that_get_other_names_are_followed",
    ),
    ("Code actions, resolved lazily", "codeActionProvider", "code_actions_are_resolved_when_they_are_chosen"),
    ("Fix all that is only spelt wrongly", "codeActionProvider", "everything_safe_is_fixed_at_once"),
    (
        "Virtual documents: rendered SQL, compiled endpoint, OpenAPI, lineage",
        "workspace.textDocumentContent",
        "virtual_documents_and_their_commands_say_the_same",
    ),
    (
        "The same as commands, for clients before 3.18",
        "executeCommandProvider",
        "virtual_documents_and_their_commands_say_the_same",
    ),
    ("Formatting of documents", "documentFormattingProvider", "a_document_and_a_range_of_it"),
    ("Formatting of ranges", "documentRangeFormattingProvider", "a_document_and_a_range_of_it"),
    ("Diagnostics, pulled and pushed", "diagnosticProvider", "diagnostics"),
];

#[tokio::test]
async fn the_matrix_in_the_docs_is_what_is_offered_and_tested() {
    let fixture = server().await;
    let offer = fixture.hello["capabilities"].clone();
    let sources =
        [include_str!("features.rs"), include_str!("diagnostics.rs"), include_str!("formatting.rs")].concat();
    let mut page = String::from(
        "# Editor features\n\nGenerated from what the server offers to a client that can do everything; each row names the test that shows it over\n\
         the wire (`server/lsp/tests/protocol`). A client that cannot do something is not offered it.\n\n| Feature | Offered as | Test |\n|---|---|---|\n",
    );
    for (feature, capability, test) in MATRIX {
        let offered = capability.split('.').try_fold(&offer, |at, part| at.get(part));
        assert!(offered.is_some_and(|o| *o != Value::Bool(false)), "{capability} is offered");
        let is_there = *test == "diagnostics" || sources.contains(&format!("async fn {test}()"));
        assert!(is_there, "{test} is a test");
        page += &format!("| {feature} | `{capability}` | `{test}` |\n");
    }
    // Nothing is offered that has no row.
    for (name, value) in offer.as_object().unwrap() {
        let is_feature = name.ends_with("Provider") && *value != Value::Bool(false);
        assert!(!is_feature || MATRIX.iter().any(|(_, c, _)| c == name), "{name} has a row");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/editor-features.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), page, "run with UPDATE_EXPECT=1");
    fixture.client.shut_down().await;
}
