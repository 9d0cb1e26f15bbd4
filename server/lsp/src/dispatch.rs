//! The whole concurrency policy, on one screen.

use rustc_hash::FxHashMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower_lsp::jsonrpc::Error;

use crate::owner::Owner;
use crate::requests::{
    code_action, code_lens, completion, definition, diagnostic, document_highlight, document_link,
    document_symbol, editing, folding_range, formatting, hierarchy, hover, inlay_hint, preview, references,
    rename, semantic_tokens, signature_help, status, tests, views, workspace_diagnostic, workspace_symbol,
};
use crate::snapshot::Snapshot;

/// Where a request runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Somebody is looking at the cursor: goes first, and one worker takes nothing else.
    Latency,
    /// May take as long as the project is large.
    Worker,
    /// Answered by the owner itself, from what it has in its hands.
    Owner,
}

/// What happens to a request whose snapshot a write has made stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// It runs again: its parameters mean the same in any text.
    Always,
    /// It runs again unless its own document was edited, in which case its position means nothing any more and the
    /// client is told `ContentModified`.
    SameText,
}

impl Table {
    /// Every request the server answers.
    pub(crate) fn new() -> Self {
        use Class::{Latency, Worker};
        use Retry::{Always, SameText};
        let mut table = Self { routes: Vec::new(), by_method: FxHashMap::default() };
        table
            .on("textDocument/completion", Latency, SameText, completion::run)
            .on("completionItem/resolve", Latency, Always, completion::resolve)
            .on("textDocument/signatureHelp", Latency, SameText, signature_help::run)
            .on("textDocument/hover", Latency, SameText, hover::run)
            .on("textDocument/definition", Latency, SameText, definition::run)
            .on("textDocument/declaration", Latency, SameText, definition::declaration)
            .on("textDocument/typeDefinition", Latency, SameText, definition::type_definition)
            .on("textDocument/implementation", Latency, SameText, definition::implementation)
            .on("textDocument/documentHighlight", Latency, SameText, document_highlight::run)
            .on("textDocument/codeAction", Latency, SameText, code_action::run)
            .on("codeAction/resolve", Latency, Always, code_action::resolve)
            .fallible("textDocument/prepareRename", Latency, SameText, rename::prepare)
            .on("textDocument/selectionRange", Latency, SameText, editing::selection_range)
            .on("textDocument/linkedEditingRange", Latency, SameText, editing::linked_editing)
            .on("textDocument/onTypeFormatting", Latency, SameText, editing::on_type)
            .on("textDocument/semanticTokens/full", Latency, Always, semantic_tokens::full)
            .on("textDocument/semanticTokens/full/delta", Latency, Always, semantic_tokens::delta)
            .on("textDocument/semanticTokens/range", Latency, SameText, semantic_tokens::range)
            .on("textDocument/documentSymbol", Latency, Always, document_symbol::run)
            .on("textDocument/documentLink", Latency, Always, document_link::run)
            .on("textDocument/foldingRange", Latency, Always, folding_range::run)
            .on("textDocument/formatting", Latency, SameText, formatting::document)
            .on("textDocument/rangeFormatting", Latency, SameText, formatting::range)
            .on("textDocument/diagnostic", Latency, Always, diagnostic::run)
            .on("textDocument/inlayHint", Worker, SameText, inlay_hint::run)
            .on("textDocument/codeLens", Worker, Always, code_lens::run)
            .on("textDocument/references", Worker, SameText, references::run)
            .on("inlayHint/resolve", Latency, Always, inlay_hint::resolve)
            .fallible("textDocument/rename", Worker, SameText, rename::run)
            .on("workspace/willRenameFiles", Worker, Always, rename::will_rename_files)
            .on("textDocument/prepareCallHierarchy", Latency, SameText, hierarchy::prepare_calls)
            .on("callHierarchy/incomingCalls", Worker, Always, hierarchy::incoming)
            .on("callHierarchy/outgoingCalls", Worker, Always, hierarchy::outgoing)
            .on("textDocument/prepareTypeHierarchy", Latency, SameText, hierarchy::prepare_types)
            .on("typeHierarchy/supertypes", Worker, Always, hierarchy::supertypes)
            .on("typeHierarchy/subtypes", Worker, Always, hierarchy::subtypes)
            .answered("workspace/textDocumentContent", Worker, Always, views::content)
            .answered("workspace/executeCommand", Worker, Always, views::execute)
            .on("workspace/symbol", Worker, Always, workspace_symbol::run)
            .read("workspace/diagnostic", Worker, Always, workspace_diagnostic::run)
            .shown("headwater/preview", Worker, Always, preview::prepare)
            .fallible("headwater/preview/parameters", Worker, Always, preview::parameters)
            .on("headwater/tests/discover", Worker, Always, tests::discover)
            .tested("headwater/tests/run", Worker, Always, tests::prepare)
            .fallible("headwater/tests/accept", Worker, Always, tests::accept)
            .by_owner("headwater/status", status::run);
        table
    }
}

/// What a reading handler ends with.
pub(crate) enum Answer {
    /// The result.
    Result(Value),
    /// The result as JSON.
    Text(String),
    /// Nothing to say yet: keep the parameters and run again when something has changed (long polling).
    Park,
    /// The preview thread knows the answer.
    Show(Box<crate::preview::Job>),
    /// The thread for tests knows the answer.
    Run(crate::suite::runner::Asked),
}

type Read = dyn Fn(&Snapshot, &Value) -> Result<Answer, Error> + Send + Sync;

pub(crate) enum Handler {
    Read(Box<Read>),
    Owner(fn(&Owner) -> Value),
}

pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) class: Class,
    pub(crate) retry: Retry,
    pub(crate) handler: Handler,
}

/// All routes.
pub(crate) struct Table {
    routes: Vec<Route>,
    by_method: FxHashMap<&'static str, usize>,
}

impl Table {
    pub(crate) fn methods(&self) -> impl Iterator<Item = &'static str> {
        self.routes.iter().map(|route| route.method)
    }

    /// The number of a method's route.
    pub(crate) fn find(&self, method: &str) -> Option<usize> {
        self.by_method.get(method).copied()
    }

    pub(crate) fn route(&self, number: usize) -> &Route {
        &self.routes[number]
    }

    fn on<P: DeserializeOwned + 'static, R: Serialize + 'static>(
        &mut self,
        method: &'static str,
        class: Class,
        retry: Retry,
        run: fn(&Snapshot, &P) -> R,
    ) -> &mut Self {
        let handler = move |snapshot: &Snapshot, params: &Value| {
            let params = P::deserialize(params).map_err(|error| Error::invalid_params(error.to_string()))?;
            let result = run(snapshot, &params);
            serde_json::to_string(&result).map(Answer::Text).map_err(|_| Error::internal_error())
        };
        self.add(method, class, retry, Handler::Read(Box::new(handler)))
    }

    /// A request that may be refused with a reason.
    fn fallible<P: DeserializeOwned + 'static>(
        &mut self,
        method: &'static str,
        class: Class,
        retry: Retry,
        run: fn(&Snapshot, &P) -> Result<Value, Error>,
    ) -> &mut Self {
        let handler = move |snapshot: &Snapshot, params: &Value| {
            let params = P::deserialize(params).map_err(|error| Error::invalid_params(error.to_string()))?;
            run(snapshot, &params).map(Answer::Result)
        };
        self.add(method, class, retry, Handler::Read(Box::new(handler)))
    }

    /// A request that somebody else may have to answer.
    fn answered<P: DeserializeOwned + 'static>(
        &mut self,
        method: &'static str,
        class: Class,
        retry: Retry,
        run: fn(&Snapshot, &P) -> Result<Answer, Error>,
    ) -> &mut Self {
        let handler = move |snapshot: &Snapshot, params: &Value| {
            let params = P::deserialize(params).map_err(|error| Error::invalid_params(error.to_string()))?;
            run(snapshot, &params)
        };
        self.add(method, class, retry, Handler::Read(Box::new(handler)))
    }

    fn read<P: DeserializeOwned + 'static>(
        &mut self,
        method: &'static str,
        class: Class,
        retry: Retry,
        run: fn(&Snapshot, &P) -> Answer,
    ) -> &mut Self {
        let handler = move |snapshot: &Snapshot, params: &Value| {
            let params = P::deserialize(params).map_err(|error| Error::invalid_params(error.to_string()))?;
            Ok(run(snapshot, &params))
        };
        self.add(method, class, retry, Handler::Read(Box::new(handler)))
    }

    /// A request whose answer is the engine's.
    fn shown<P: DeserializeOwned + 'static>(
        &mut self,
        method: &'static str,
        class: Class,
        retry: Retry,
        run: fn(&Snapshot, &P) -> Result<crate::preview::Job, Error>,
    ) -> &mut Self {
        let handler = move |snapshot: &Snapshot, params: &Value| {
            let params = P::deserialize(params).map_err(|error| Error::invalid_params(error.to_string()))?;
            run(snapshot, &params).map(|job| Answer::Show(Box::new(job)))
        };
        self.add(method, class, retry, Handler::Read(Box::new(handler)))
    }

    /// A request whose answer is that of a run of tests.
    fn tested<P: DeserializeOwned + 'static>(
        &mut self,
        method: &'static str,
        class: Class,
        retry: Retry,
        run: fn(&Snapshot, &P) -> Result<crate::suite::runner::Asked, Error>,
    ) -> &mut Self {
        let handler = move |snapshot: &Snapshot, params: &Value| {
            let params = P::deserialize(params).map_err(|error| Error::invalid_params(error.to_string()))?;
            run(snapshot, &params).map(Answer::Run)
        };
        self.add(method, class, retry, Handler::Read(Box::new(handler)))
    }

    fn by_owner(&mut self, method: &'static str, run: fn(&Owner) -> Value) -> &mut Self {
        self.add(method, Class::Owner, Retry::Always, Handler::Owner(run))
    }

    fn add(&mut self, method: &'static str, class: Class, retry: Retry, handler: Handler) -> &mut Self {
        self.by_method.insert(method, self.routes.len());
        self.routes.push(Route { method, class, retry, handler });
        self
    }
}
