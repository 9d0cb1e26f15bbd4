//! docs/reference/editor-features.md: every row is offered and has a test.

use serde_json::Value;

use super::server;

/// The rows of docs/reference/editor-features.md: what the server offers this client (nothing for what needs no offer), and
/// the test that shows it.
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
    ("Outline", "documentSymbolProvider", "outlines_folds_and_links_of_a_document"),
    (
        "Workspace symbols, fuzzy: resources, nodes, columns of data sources and pipes",
        "workspaceSymbolProvider",
        "symbols_of_the_project_are_found_by_some_letters",
    ),
    ("Document links", "documentLinkProvider", "outlines_folds_and_links_of_a_document"),
    ("Folding", "foldingRangeProvider", "outlines_folds_and_links_of_a_document"),
    ("Code lenses: what is downstream", "codeLensProvider", "lenses_say_what_is_downstream"),
    (
        "Code lenses, hovers, fixes and an explanation: what deploying an edit does",
        "codeLensProvider",
        "an_edit_says_what_deploying_it_does_and_explains_it",
    ),
    (
        "Tests, previews and data branches, for clients that run them",
        "codeLensProvider",
        "tests_previews_and_branches_are_offered_to_clients_that_run_them",
    ),
    (
        "Tests: listed, run, cancelled, run again by an edit, shown, accepted (`headwater/tests/…`)",
        "",
        "tests_are_listed_and_what_needs_an_engine_says_so",
    ),
    (
        "Previews as rows, texts and documents, with the parameters of a request (`headwater/preview`)",
        "",
        "a_preview_knows_the_parameters_of_its_request",
    ),
    (
        "A data source from a sample: JSON, CSV, Parquet",
        "executeCommandProvider",
        "a_sample_becomes_a_data_source",
    ),
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
    (
        "Code actions, resolved lazily ([a fix for most diagnostics](fixes.md))",
        "codeActionProvider",
        "code_actions_are_resolved_when_they_are_chosen",
    ),
    ("Fix all that is only spelt wrongly", "codeActionProvider", "everything_safe_is_fixed_at_once"),
    (
        "Virtual documents: rendered SQL, compiled endpoint, OpenAPI, lineage, plan",
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
    (
        "Diagnostics, pulled with result ids",
        "diagnosticProvider",
        "pull_answers_unchanged_until_something_visible_changes",
    ),
    (
        "Diagnostics of the whole project, streamed, without polling",
        "diagnosticProvider",
        "workspace_pull_streams_when_it_is_given_a_token",
    ),
    (
        "Diagnostics pushed, for clients that cannot pull or refresh",
        "",
        "without_pull_every_version_is_answered_and_closed_files_too",
    ),
    (
        "Impact of an edit where it is made, before it is saved",
        "",
        "impact_is_shown_where_an_edit_is_made_before_it_is_saved",
    ),
    (
        "Positions in UTF-8, UTF-16 or UTF-32, as agreed",
        "positionEncoding",
        "positions_count_in_the_units_that_were_agreed",
    ),
    ("Incremental edits", "textDocumentSync", "two_hundred_edits_behind_held_requests_are_all_applied"),
    ("Changes on the disk, of branches too", "", "a_checkout_of_five_hundred_files_is_one_change"),
    ("Settings, asked for and followed", "", "the_user_may_want_diagnostics_of_open_files_only"),
    (
        "Registration after the start, as the user's settings want it",
        "",
        "diagnostics_are_registered_as_the_user_wants_them",
    ),
    ("Progress of what lasts", "", "reading_that_takes_long_is_shown"),
    ("Cancelled requests free their worker", "", "a_cancelled_request_frees_its_worker"),
    (
        "Requests that an edit overtakes run again, or say so",
        "",
        "requests_about_whole_documents_run_again_on_the_new_text",
    ),
    (
        "Several folders, several projects",
        "workspace.workspaceFolders",
        "folders_come_and_go_and_projects_do_not_see_each_other",
    ),
    ("The server's own state, for people", "", "status_tells_what_a_person_wants_to_know"),
    (
        "After thousands of edits it says what a fresh server says",
        "",
        "hundreds_of_steps_end_where_a_fresh_server_begins",
    ),
];

/// What servers for programming languages and other tools for pipelines have, and this one has not, with the reason.
const NOT_OFFERED: &[(&str, &str)] = &[
    (
        "Inline completion",
        "a guess of several lines would be no more than that; everything that is offered is known to fit",
    ),
    ("Inline values", "there is no debugger: values are shown by previews"),
    ("Colours", "the format has none"),
    ("Monikers", "names are of one project, and no index joins several"),
    (
        "Formatting of several ranges at once",
        "a range is widened to whole blocks, so clients that send several get the same one by one",
    ),
    (
        "Lenses resolved later",
        "counts come with the list: they are kept with the project's graph and cost nothing to say",
    ),
    (
        "A button that stops what is shown as progress",
        "reading a project is all that lasts; requests are cancelled as such",
    ),
    (
        "The place in a compiled query that belongs to the cursor, and back",
        "the compiled query is shown as a document of its own",
    ),
    (
        "Rows compared with another environment",
        "plans compare what is defined; rows are looked at with previews on each side",
    ),
];

#[tokio::test]
async fn the_matrix_in_the_docs_is_what_is_offered_and_tested() {
    let fixture = server().await;
    let offer = fixture.hello["capabilities"].clone();
    let sources = [
        include_str!("changes.rs"),
        include_str!("navigation.rs"),
        include_str!("reading.rs"),
        include_str!("running.rs"),
        include_str!("views.rs"),
        include_str!("writing.rs"),
        include_str!("../baseline.rs"),
        include_str!("../concurrency.rs"),
        include_str!("../diagnostics.rs"),
        include_str!("../files.rs"),
        include_str!("../formatting.rs"),
        include_str!("../lifecycle.rs"),
        include_str!("../plans.rs"),
        include_str!("../registration.rs"),
        include_str!("../soak.rs"),
        include_str!("../sync.rs"),
    ]
    .concat();
    let mut page = String::from(
        "# Editor features\n\nGenerated from what the server offers to a client that can do everything; each row names the test that shows it over\n\
         the wire (`server/lsp/tests/protocol`). A client that cannot do something is not offered it.\n\n| Feature | Offered as | Test |\n|---|---|---|\n",
    );
    for (feature, capability, test) in MATRIX {
        let offered = capability.split('.').try_fold(&offer, |at, part| at.get(part));
        let is_offered = capability.is_empty() || offered.is_some_and(|o| *o != Value::Bool(false));
        assert!(is_offered, "{capability} is offered");
        assert!(sources.contains(&format!("async fn {test}()")), "{test} is a test");
        let shown = if capability.is_empty() { "–".to_owned() } else { format!("`{capability}`") };
        page += &format!("| {feature} | {shown} | `{test}` |\n");
    }
    page += "\n## Not offered\n\n| Feature | Why |\n|---|---|\n";
    for (feature, why) in NOT_OFFERED {
        page += &format!("| {feature} | {why} |\n");
    }
    let absent = ["inlineCompletionProvider", "inlineValueProvider", "colorProvider", "monikerProvider"];
    assert!(absent.iter().all(|name| offer.get(name).is_none()), "what is offered is no gap");
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
