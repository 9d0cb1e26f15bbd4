//! What this client can do, and what we tell it that we can.

use serde_json::{Value, json};
use tower_lsp::gen_lsp_types::ServerCapabilities;

use crate::position::Encoding;
use crate::requests::{code_action, completion, preview, semantic_tokens, views};

/// The command a client implements to show the places downstream of a resource.
pub(crate) const SHOW_DOWNSTREAM: &str = "headwater.showDownstream";

/// The command a client implements to show a document that only the server has, and a link of a text leads to.
pub(crate) const SHOW_VIEW: &str = "headwater.showView";

/// Commands that a client implements to run something on the user's machine; each is offered only to a client that says it
/// has it, in `clientCommands` of its initialization options.
pub(crate) const RUN_TEST: &str = "headwater.runTest";
/// Arguments: the document, the pipe, the node or null.
pub(crate) const PREVIEW: &str = "headwater.preview";
/// Argument: the document.
pub(crate) const OPEN_BRANCH: &str = "headwater.openBranch";

/// What is offered after `initialize` rather than in its answer: it then goes by the files that it is for, and may change.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Registers {
    pub(crate) diagnostics: bool,
    pub(crate) formatting: bool,
    pub(crate) range_formatting: bool,
    pub(crate) on_type_formatting: bool,
    pub(crate) semantic_tokens: bool,
    pub(crate) renamed_files: bool,
    pub(crate) virtual_documents: bool,
}

/// Everything the server asks about its client, read once from `initialize`.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) encoding: Encoding,
    pub(crate) client: String,
    pub(crate) process_id: Option<u32>,
    /// Diagnostics are pushed: the client cannot pull them, or cannot be told to pull again.
    pub(crate) push: bool,
    pub(crate) workspace_pull: bool,
    pub(crate) hierarchical_symbols: bool,
    pub(crate) markdown: bool,
    pub(crate) definition_links: bool,
    pub(crate) related_information: bool,
    pub(crate) diagnostic_tags: bool,
    pub(crate) line_folding_only: bool,
    pub(crate) watches_files: bool,
    /// Also outside its folders.
    pub(crate) watches_anywhere: bool,
    pub(crate) answers_configuration: bool,
    pub(crate) registers_configuration: bool,
    pub(crate) shows_progress: bool,
    pub(crate) refreshes_diagnostics: bool,
    pub(crate) refreshes_lenses: bool,
    pub(crate) refreshes_hints: bool,
    /// The client runs [`SHOW_DOWNSTREAM`].
    pub(crate) shows_downstream: bool,
    /// The client runs [`SHOW_VIEW`].
    pub(crate) shows_views: bool,
    /// The client runs [`RUN_TEST`], [`PREVIEW`], [`OPEN_BRANCH`].
    pub(crate) runs_tests: bool,
    pub(crate) previews: bool,
    pub(crate) opens_branches: bool,
    pub(crate) registers: Registers,
    /// The user trusts this folder. Without it no process is started.
    pub(crate) trusted: bool,
    /// The client asks the user about trust, and will tell when the answer changes.
    pub(crate) knows_trust: bool,
    pub(crate) folders: Vec<String>,
    pub(crate) snippets: bool,
    pub(crate) label_details: bool,
    pub(crate) completion_tags: bool,
    pub(crate) completion_markdown: bool,
    /// Labels of arguments may be offsets.
    pub(crate) signature_offsets: bool,
    /// Code actions may be literals rather than commands, and their edits may come later.
    pub(crate) action_literals: bool,
    pub(crate) action_resolve: bool,
    /// Edits may name versions, create and rename files.
    pub(crate) document_changes: bool,
    pub(crate) creates_files: bool,
    pub(crate) renames_files: bool,
    /// Edits may be asked about one by one.
    pub(crate) change_annotations: bool,
    pub(crate) semantic_tokens: bool,
    pub(crate) resolves_hints: bool,
    /// The client opens documents that only the server has.
    pub(crate) virtual_documents: bool,
    pub(crate) will_rename: bool,
    pub(crate) linked_editing: bool,
    pub(crate) call_hierarchy: bool,
    pub(crate) type_hierarchy: bool,
    pub(crate) prepares_rename: bool,
    pub(crate) selection_ranges: bool,
    pub(crate) on_type_formatting: bool,
}

impl Profile {
    /// Reads the parameters of `initialize`. Whatever is missing or misspelt counts as "cannot".
    pub(crate) fn read(params: &Value) -> Self {
        let at = |path: &str| params.pointer(path);
        let can = |path: &str| at(&format!("/capabilities/{path}")).and_then(Value::as_bool).unwrap_or(false);
        let has = |path: &str| at(&format!("/capabilities/{path}")).is_some_and(Value::is_object);
        let list = |path: &str| at(path).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let text = |path: &str| at(path).and_then(Value::as_str).unwrap_or_default();

        let name = text("/clientInfo/name");
        let version = text("/clientInfo/version");
        let refreshes_diagnostics = can("workspace/diagnostics/refreshSupport")
            // The specification names the field in the singular and in the plural; clients send either.
            || can("workspace/diagnostic/refreshSupport");
        let pulls = has("textDocument/diagnostic");
        let neovim = name.eq_ignore_ascii_case("neovim");
        // Neovim before 0.12 cannot be told to pull again (neovim #36695), so other open buffers would keep stale
        // diagnostics; and until #40623 (July 2026, in 0.13) one that was offered workspace diagnostics never
        // refreshed open buffers at all.
        let push = !pulls || neovim && !refreshes_diagnostics;
        let workspace_pull = !(push || neovim && older(version, (0, 13)));

        let mut folders: Vec<String> = list("/workspaceFolders")
            .iter()
            .filter_map(|folder| folder.get("uri")?.as_str().map(str::to_owned))
            .collect();
        if folders.is_empty() {
            folders.extend(at("/rootUri").and_then(Value::as_str).map(str::to_owned));
        }
        let strings = |path: &str| list(path).iter().filter_map(Value::as_str).collect::<Vec<_>>();
        let operations = strings("/capabilities/workspace/workspaceEdit/resourceOperations");
        Self {
            encoding: Encoding::negotiate(strings("/capabilities/general/positionEncodings").into_iter()),
            client: format!("{name} {version}").trim().to_owned(),
            process_id: at("/processId").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok()),
            push,
            workspace_pull,
            hierarchical_symbols: can("textDocument/documentSymbol/hierarchicalDocumentSymbolSupport"),
            markdown: strings("/capabilities/textDocument/hover/contentFormat").contains(&"markdown"),
            definition_links: can("textDocument/definition/linkSupport"),
            related_information: can("textDocument/publishDiagnostics/relatedInformation")
                || can("textDocument/diagnostic/relatedInformation"),
            diagnostic_tags: has("textDocument/publishDiagnostics/tagSupport")
                || has("textDocument/diagnostic/tagSupport"),
            line_folding_only: can("textDocument/foldingRange/lineFoldingOnly"),
            watches_files: can("workspace/didChangeWatchedFiles/dynamicRegistration"),
            watches_anywhere: can("workspace/didChangeWatchedFiles/relativePatternSupport"),
            answers_configuration: can("workspace/configuration"),
            registers_configuration: can("workspace/didChangeConfiguration/dynamicRegistration"),
            shows_progress: can("window/workDoneProgress"),
            refreshes_diagnostics,
            refreshes_lenses: can("workspace/codeLens/refreshSupport"),
            refreshes_hints: can("workspace/inlayHint/refreshSupport"),
            shows_downstream: strings("/initializationOptions/clientCommands").contains(&SHOW_DOWNSTREAM),
            shows_views: strings("/initializationOptions/clientCommands").contains(&SHOW_VIEW),
            runs_tests: strings("/initializationOptions/clientCommands").contains(&RUN_TEST),
            previews: strings("/initializationOptions/clientCommands").contains(&PREVIEW),
            opens_branches: strings("/initializationOptions/clientCommands").contains(&OPEN_BRANCH),
            registers: Registers {
                diagnostics: !push && can("textDocument/diagnostic/dynamicRegistration"),
                formatting: can("textDocument/formatting/dynamicRegistration"),
                range_formatting: can("textDocument/rangeFormatting/dynamicRegistration"),
                on_type_formatting: can("textDocument/onTypeFormatting/dynamicRegistration"),
                semantic_tokens: can("textDocument/semanticTokens/dynamicRegistration"),
                renamed_files: can("workspace/fileOperations/dynamicRegistration")
                    && can("workspace/fileOperations/willRename"),
                virtual_documents: can("workspace/textDocumentContent/dynamicRegistration"),
            },
            knows_trust: at("/initializationOptions/trusted").is_some_and(Value::is_boolean),
            trusted: at("/initializationOptions/trusted").and_then(Value::as_bool).unwrap_or(false),
            folders,
            snippets: can("textDocument/completion/completionItem/snippetSupport"),
            label_details: can("textDocument/completion/completionItem/labelDetailsSupport"),
            completion_tags: has("textDocument/completion/completionItem/tagSupport"),
            completion_markdown: strings(
                "/capabilities/textDocument/completion/completionItem/documentationFormat",
            )
            .contains(&"markdown"),
            signature_offsets: can(
                "textDocument/signatureHelp/signatureInformation/parameterInformation/labelOffsetSupport",
            ),
            action_literals: has("textDocument/codeAction/codeActionLiteralSupport"),
            action_resolve: strings("/capabilities/textDocument/codeAction/resolveSupport/properties")
                .contains(&"edit")
                && can("textDocument/codeAction/dataSupport"),
            document_changes: can("workspace/workspaceEdit/documentChanges"),
            creates_files: operations.contains(&"create"),
            renames_files: operations.contains(&"rename"),
            change_annotations: has("workspace/workspaceEdit/changeAnnotationSupport"),
            semantic_tokens: has("textDocument/semanticTokens"),
            resolves_hints: strings("/capabilities/textDocument/inlayHint/resolveSupport/properties")
                .contains(&"tooltip"),
            virtual_documents: has("workspace/textDocumentContent"),
            will_rename: can("workspace/fileOperations/willRename"),
            linked_editing: has("textDocument/linkedEditingRange"),
            call_hierarchy: has("textDocument/callHierarchy"),
            type_hierarchy: has("textDocument/typeHierarchy"),
            prepares_rename: can("textDocument/rename/prepareSupport"),
            selection_ranges: has("textDocument/selectionRange"),
            on_type_formatting: has("textDocument/onTypeFormatting"),
        }
    }

    /// What the server offers this client. Written as the client sees it.
    pub(crate) fn server_capabilities(&self) -> ServerCapabilities {
        let mut offer = json!({
            "positionEncoding": self.encoding.name(),
            "textDocumentSync": { "openClose": true, "change": 2, "save": { "includeText": false } },
            "hoverProvider": true,
            "completionProvider": {
                "triggerCharacters": completion::TRIGGERS,
                "resolveProvider": true,
                "completionItem": { "labelDetailsSupport": true },
            },
            "signatureHelpProvider": { "triggerCharacters": ["(", ","], "retriggerCharacters": [")"] },
            "definitionProvider": true,
            "declarationProvider": true,
            "typeDefinitionProvider": true,
            "implementationProvider": true,
            "documentHighlightProvider": true,
            "referencesProvider": true,
            "documentSymbolProvider": true,
            "workspaceSymbolProvider": true,
            "documentLinkProvider": { "resolveProvider": false },
            "foldingRangeProvider": true,
            "documentFormattingProvider": !self.registers.formatting,
            "documentRangeFormattingProvider": !self.registers.range_formatting,
            "codeLensProvider": { "resolveProvider": false },
            "inlayHintProvider": { "resolveProvider": self.resolves_hints },
            "executeCommandProvider": { "commands": views::commands() },
            "workspace": { "workspaceFolders": { "supported": true, "changeNotifications": true } },
            "experimental": { "headwaterProtocol": crate::PROTOCOL },
        });
        if self.prepares_rename {
            offer["renameProvider"] = json!({ "prepareProvider": true });
        } else {
            offer["renameProvider"] = json!(true);
        }
        if self.semantic_tokens && !self.registers.semantic_tokens {
            offer["semanticTokensProvider"] = semantic_tokens_options();
        }
        for (wanted, name) in [
            (self.selection_ranges, "selectionRangeProvider"),
            (self.linked_editing, "linkedEditingRangeProvider"),
            (self.call_hierarchy, "callHierarchyProvider"),
            (self.type_hierarchy, "typeHierarchyProvider"),
        ] {
            if wanted {
                offer[name] = json!(true);
            }
        }
        if self.on_type_formatting && !self.registers.on_type_formatting {
            offer["documentOnTypeFormattingProvider"] = on_type_options();
        }
        if self.will_rename && !self.registers.renamed_files {
            offer["workspace"]["fileOperations"] = json!({ "willRename": renamed_files_options() });
        }
        if self.virtual_documents && !self.registers.virtual_documents {
            offer["workspace"]["textDocumentContent"] =
                json!({ "schemes": [views::SCHEME, preview::SCHEME] });
        }
        // Without literals an action can only be a command, and none of ours is nothing else.
        if self.action_literals {
            offer["codeActionProvider"] =
                json!({ "codeActionKinds": code_action::KINDS, "resolveProvider": self.action_resolve });
        }
        if !self.push && !self.registers.diagnostics {
            offer["diagnosticProvider"] = self.diagnostic_options(false);
        }
        serde_json::from_value(offer).unwrap_or_default()
    }

    fn diagnostic_options(&self, open_only: bool) -> Value {
        json!({
            "identifier": "headwater",
            "interFileDependencies": true,
            "workspaceDiagnostics": self.workspace_pull && !open_only,
        })
    }

    /// What is registered after `initialized`, for a client that said it can be told then. Offering the same in the answer
    /// to `initialize` as well would make VS Code show everything twice (so in November 2026).
    pub(crate) fn registrations(&self, open_only: bool) -> Vec<Value> {
        let wanted = self.registers;
        let mut out = Vec::new();
        let mut push = |is_wanted: bool, id: &str, method: &str, options: Value| {
            if is_wanted {
                out.push(json!({ "id": id, "method": method, "registerOptions": options }));
            }
        };
        push(
            wanted.diagnostics,
            DIAGNOSTICS,
            "textDocument/diagnostic",
            for_files(ALL, self.diagnostic_options(open_only)),
        );
        // An editor has formatters of its own for YAML and TOML, and asks which one is meant when there are two.
        push(
            wanted.formatting,
            "headwater/formatting",
            "textDocument/formatting",
            for_files(DATAFILES, json!({})),
        );
        push(
            wanted.range_formatting,
            "headwater/rangeFormatting",
            "textDocument/rangeFormatting",
            for_files(DATAFILES, json!({})),
        );
        push(
            wanted.on_type_formatting,
            "headwater/onTypeFormatting",
            "textDocument/onTypeFormatting",
            for_files(DATAFILES, on_type_options()),
        );
        push(
            wanted.semantic_tokens,
            "headwater/semanticTokens",
            "textDocument/semanticTokens",
            for_files(DATAFILES, semantic_tokens_options()),
        );
        push(
            wanted.renamed_files,
            "headwater/renamedFiles",
            "workspace/willRenameFiles",
            renamed_files_options(),
        );
        push(
            wanted.virtual_documents,
            "headwater/virtualDocuments",
            "workspace/textDocumentContent",
            json!({ "schemes": [views::SCHEME, preview::SCHEME] }),
        );
        out
    }
}

/// The registration of diagnostics, which changes with the user's settings.
pub(crate) const DIAGNOSTICS: &str = "headwater/diagnostics";

const DATAFILES: &[&str] = &["**/*.{datasource,pipe,connection,incl}"];

const ALL: &[&str] = &["**/*.{datasource,pipe,connection,incl}", "**/tests/*.{yaml,yml}"];

/// Options with the files that they are for. By their names, as languages have other names in every editor.
fn for_files(patterns: &[&str], mut options: Value) -> Value {
    options["documentSelector"] = patterns.iter().map(|pattern| json!({ "pattern": pattern })).collect();
    options
}

fn semantic_tokens_options() -> Value {
    json!({ "legend": semantic_tokens::legend(), "full": { "delta": true }, "range": true })
}

fn on_type_options() -> Value {
    json!({ "firstTriggerCharacter": "\n" })
}

fn renamed_files_options() -> Value {
    let filter = json!({ "scheme": "file", "pattern": { "glob": "**/*.{datasource,pipe,connection}" } });
    json!({ "filters": [filter] })
}

fn older(version: &str, than: (u32, u32)) -> bool {
    let mut numbers = version.trim_start_matches('v').split(['.', '-', '+']).map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < than
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(name: &str, version: &str, refresh: bool) -> Profile {
        Profile::read(&json!({
            "clientInfo": { "name": name, "version": version },
            "capabilities": {
                "textDocument": { "diagnostic": {} },
                "workspace": { "diagnostics": { "refreshSupport": refresh } },
            },
        }))
    }

    #[test]
    fn neovim_gets_what_its_version_can_handle() {
        let profile = |version, refresh| {
            let p = client("Neovim", version, refresh);
            (p.push, p.workspace_pull)
        };
        assert_eq!(profile("0.11.4", false), (true, false));
        assert_eq!(profile("v0.12.1", true), (false, false));
        assert_eq!(profile("0.13.0-dev-1+g0", true), (false, true));
        let other = client("Visual Studio Code", "1.110.0", false);
        assert_eq!((other.push, other.workspace_pull), (false, true));
        assert!(Profile::read(&json!({})).push);
    }

    #[test]
    fn the_offer_is_valid_protocol() {
        let offer = serde_json::to_value(client("x", "", true).server_capabilities()).unwrap();
        assert_eq!(offer["diagnosticProvider"]["workspaceDiagnostics"], true);
        assert_eq!(offer["experimental"]["headwaterProtocol"], 1);
        assert_eq!(offer["textDocumentSync"]["change"], 2);
        let offer = serde_json::to_value(Profile::read(&json!(null)).server_capabilities()).unwrap();
        assert!(offer.get("diagnosticProvider").is_none());
        assert_eq!(offer["positionEncoding"], "utf-16");
    }
}
