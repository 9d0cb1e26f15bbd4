//! A client for protocol tests: speaks the wire format over any pair of byte streams, in process or to a real server.
//!
//! It checks what no single test would: everything the server sends is looked at. Dropping a client with messages that
//! nobody read fails the test, except for log lines and answers to requests that were cancelled.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::task::JoinHandle;

use crate::{Ended, Options, serve_with};

pub mod conformance;
mod gates;
pub mod soak;

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

type Reader = Box<dyn tokio::io::AsyncRead + Unpin + Send>;
type Writer = Box<dyn tokio::io::AsyncWrite + Unpin + Send>;

/// The client.
pub struct TestClient {
    writer: Option<Writer>,
    reader: BufReader<Reader>,
    unread: VecDeque<Value>,
    next_id: i64,
    cancelled: HashSet<i64>,
    /// Methods of requests that are not answered yet.
    asked: HashMap<i64, String>,
    server: Option<JoinHandle<std::io::Result<Ended>>>,
    /// Log lines the server sent, oldest first.
    pub log: Vec<String>,
    /// What `workspace/configuration` is answered with.
    pub settings: Value,
    /// What the server asked of the client, in order.
    pub asked_of_us: Vec<String>,
    /// What the client said that it can.
    capabilities: Value,
}

impl TestClient {
    /// A server in this process, and its client. Nothing is said yet.
    pub fn start(options: Options) -> Self {
        let (near, far): (DuplexStream, DuplexStream) = tokio::io::duplex(1 << 20);
        let (far_read, far_write) = tokio::io::split(far);
        let (near_read, near_write) = tokio::io::split(near);
        let server = tokio::spawn(serve_with(far_read, far_write, options));
        let mut client = Self::over(Box::new(near_read), Box::new(near_write));
        client.server = Some(server);
        client
    }

    /// A client over somebody else's streams, for a server in another process.
    pub fn over(reader: Reader, writer: Writer) -> Self {
        Self {
            writer: Some(writer),
            reader: BufReader::new(reader),
            unread: VecDeque::new(),
            next_id: 0,
            cancelled: HashSet::new(),
            asked: HashMap::new(),
            server: None,
            log: Vec::new(),
            settings: json!({}),
            asked_of_us: Vec::new(),
            capabilities: Value::Null,
        }
    }

    /// Says `initialize` and `initialized`, with these capabilities merged over nothing, and returns the answer.
    pub async fn initialize(&mut self, params: Value) -> Value {
        let mut all = json!({ "processId": null, "rootUri": null, "capabilities": {} });
        for (key, value) in params.as_object().into_iter().flatten() {
            all[key] = value.clone();
        }
        self.capabilities = all["capabilities"].clone();
        let answer = self.call("initialize", all).await;
        self.notify("initialized", json!({})).await;
        answer
    }

    /// Sends a request and waits for its result.
    ///
    /// # Panics
    /// When it is answered with an error.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params).await;
        match self.answer(id).await {
            Ok(result) => result,
            Err(error) => panic!("{method}: {error}"),
        }
    }

    /// Sends a request and returns its id.
    pub async fn send(&mut self, method: &str, params: Value) -> i64 {
        self.next_id += 1;
        let id = self.next_id;
        self.asked.insert(id, method.to_owned());
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        id
    }

    /// Sends a notification.
    pub async fn notify(&mut self, method: &str, params: Value) {
        self.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    /// Cancels a request. Its answer may be left unread.
    pub async fn cancel(&mut self, id: i64) {
        self.cancelled.insert(id);
        self.notify("$/cancelRequest", json!({ "id": id })).await;
    }

    /// Sends bytes as they are.
    pub async fn raw(&mut self, bytes: &[u8]) {
        let writer = self.writer.as_mut().expect("the client has not hung up");
        writer.write_all(bytes).await.expect("the server reads");
        writer.flush().await.expect("the server reads");
    }

    /// Waits for the answer to a request; the error is its JSON.
    ///
    /// # Errors
    /// The server's error answer.
    pub async fn answer(&mut self, id: i64) -> Result<Value, Value> {
        let message = self.take(|message| message.get("method").is_none() && message["id"] == id).await;
        self.cancelled.remove(&id);
        match message.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(message["result"].clone()),
        }
    }

    /// Waits for the result of a request whose id is a text.
    pub async fn result_of(&mut self, id: &str) -> Value {
        self.take(|message| message.get("method").is_none() && message["id"] == id).await["result"].take()
    }

    /// Waits for an error that answers no request in particular, as malformed messages are answered.
    pub async fn answer_to_null(&mut self) -> Value {
        self.take(|message| message["id"].is_null() && message.get("error").is_some()).await["error"].take()
    }

    /// Sends a request behind bytes that may have swallowed part of it, until one is answered.
    pub async fn call_after_garbage(&mut self, method: &str) {
        loop {
            let id = self.send(method, json!({})).await;
            if self.answered_within(id, Duration::from_millis(100)).await {
                let _ = self.answer(id).await;
                return;
            }
            self.forget(id);
        }
    }

    /// Forgets errors that answer no request in particular.
    pub fn ignore_errors(&mut self) {
        self.unread.retain(|message| !(message["id"].is_null() && message.get("error").is_some()));
    }

    /// Does not care whether this request is ever answered.
    pub fn forget(&mut self, id: i64) {
        self.cancelled.insert(id);
    }

    /// Waits for a notification or request of the server and returns its parameters.
    pub async fn expect(&mut self, method: &str) -> Value {
        self.take(|message| message["method"] == method).await["params"].take()
    }

    /// Waits for diagnostics pushed for a document, at least of this version when it has one, and returns the messages.
    pub async fn pushed(&mut self, uri: &str, version: Option<i64>) -> Vec<String> {
        loop {
            let params = self
                .take(|message| {
                    message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri
                })
                .await;
            let params = &params["params"];
            if version.is_none() || params["version"].as_i64() >= version {
                return messages(&params["diagnostics"]);
            }
        }
    }

    /// Whether the answer is there already, without waiting for the server beyond this long.
    pub async fn answered_within(&mut self, id: i64, wait: Duration) -> bool {
        let is_it = |message: &Value| message.get("method").is_none() && message["id"] == id;
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            if self.unread.iter().any(is_it) {
                return true;
            }
            match tokio::time::timeout_at(deadline, self.read()).await {
                Ok(Some(message)) => self.sort(message).await,
                Ok(None) | Err(_) => return false,
            }
        }
    }

    /// Forgets what was sent with this method.
    pub fn ignore(&mut self, method: &str) {
        self.unread.retain(|message| message["method"] != method);
    }

    /// Forgets everything that the server sent unasked.
    pub fn ignore_all(&mut self) {
        self.unread.retain(|message| message.get("method").is_none());
    }

    /// Says `shutdown` and `exit`, waits for the end and checks that it was orderly.
    pub async fn shut_down(mut self) {
        self.call("shutdown", Value::Null).await;
        self.notify("exit", Value::Null).await;
        assert_eq!(self.ended().await, Ended { orderly: true });
    }

    /// Closes the connection without a word and waits for the server to end.
    pub async fn hang_up(mut self) -> Ended {
        self.writer = None;
        // A split stream closes only with both halves.
        self.reader = BufReader::new(Box::new(tokio::io::empty()));
        self.ended().await
    }

    /// Waits for the server in this process to end.
    pub async fn ended(&mut self) -> Ended {
        let server = self.server.take().expect("the server runs in this process");
        let ended = tokio::time::timeout(PATIENCE, server).await.expect("the server ends");
        ended.expect("the server does not panic").expect("the server starts")
    }

    async fn write(&mut self, message: &Value) {
        let body = message.to_string();
        self.raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    }

    async fn take(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.unread.iter().position(&wanted) {
                return self.unread.remove(at).unwrap_or_default();
            }
            match tokio::time::timeout_at(deadline, self.read()).await {
                Ok(Some(message)) => self.sort(message).await,
                Ok(None) => panic!("the server closed the connection"),
                Err(_) => panic!("nothing came; unread: {:#?}; log: {:#?}", self.unread, self.log),
            }
        }
    }

    /// Log lines are kept aside, and requests every client grants are granted.
    async fn sort(&mut self, message: Value) {
        self.check(&message);
        if let (Some(method), Some(_)) = (message["method"].as_str(), message.get("id")) {
            self.asked_of_us.push(method.to_owned());
            let refused = gates::refused(&self.capabilities, method, &message["params"]);
            assert_eq!(refused, None, "the client did not say that it can do this: {message}");
        }
        match message["method"].as_str() {
            Some("window/logMessage") => {
                self.log.push(message["params"]["message"].as_str().unwrap_or_default().to_owned());
            }
            Some("workspace/configuration") => {
                let answer = json!([self.settings]);
                self.write(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": answer })).await;
            }
            Some(_) if message.get("id").is_some() => {
                self.write(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": null })).await;
                self.unread.push_back(message);
            }
            _ => self.unread.push_back(message),
        }
    }

    /// Every frame of the server is what the protocol says.
    fn check(&mut self, message: &Value) {
        let fault = match (message["method"].as_str(), message["id"].as_i64()) {
            (Some(method), _) => conformance::params(method, message.get("params").unwrap_or(&Value::Null)),
            (None, Some(id)) => match (self.asked.remove(&id), message.get("result")) {
                (Some(method), Some(result)) => {
                    conformance::result(&method, result).map(|e| format!("{method}: {e}"))
                }
                _ => None,
            },
            (None, None) => None,
        };
        assert_eq!(fault, None, "{message}");
    }

    async fn read(&mut self) -> Option<Value> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).await.ok()?;
        serde_json::from_slice(&body).ok()
    }
}

impl Drop for TestClient {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let cancelled = &self.cancelled;
        self.unread.retain(|message| message["id"].as_i64().is_none_or(|id| !cancelled.contains(&id)));
        assert!(self.unread.is_empty(), "messages nobody read: {:#?}", self.unread);
    }
}

/// The messages of a list of diagnostics.
pub fn messages(diagnostics: &Value) -> Vec<String> {
    let list = diagnostics.as_array().map_or(&[][..], Vec::as_slice);
    list.iter().map(|item| item["message"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The parameters of `textDocument/didOpen`.
pub fn opened(uri: &str, version: i64, text: &str) -> Value {
    json!({ "textDocument": { "uri": uri, "languageId": "tinybird", "version": version, "text": text } })
}

/// The parameters of `textDocument/didChange` that replaces the whole text.
pub fn replaced(uri: &str, version: i64, text: &str) -> Value {
    json!({ "textDocument": { "uri": uri, "version": version }, "contentChanges": [{ "text": text }] })
}

/// The parameters of a request about a whole document.
pub fn document(uri: &str) -> Value {
    json!({ "textDocument": { "uri": uri } })
}

/// The parameters of a request about a place.
pub fn place(uri: &str, line: u32, character: u32) -> Value {
    json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } })
}
