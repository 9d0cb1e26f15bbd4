//! A language client over stdio that times what it asks.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

pub(crate) struct Client {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    next: i64,
    /// Notifications that came while an answer was waited for.
    told: Vec<Value>,
}

impl Client {
    /// Starts `command` and says hello.
    pub(crate) fn start(command: &mut Command, root: &Path) -> Result<Self> {
        Self::start_with(command, root, &Value::Null)
    }

    /// The same, with options of the server's own.
    pub(crate) fn start_with(command: &mut Command, root: &Path, options: &Value) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let stdin = child.stdin.take().context("no stdin")?;
        let stdout = BufReader::new(child.stdout.take().context("no stdout")?);
        let mut client = Self { child, stdin, stdout, next: 0, told: Vec::new() };
        let uri = file_uri(root);
        client.request(
            "initialize",
            &json!({
                "processId": std::process::id(),
                "rootUri": uri,
                "initializationOptions": options,
                "workspaceFolders": [{ "uri": uri, "name": "bench" }],
                "capabilities": {
                    "general": { "positionEncodings": ["utf-16"] },
                    "textDocument": { "diagnostic": { "dynamicRegistration": false }, "hover": { "contentFormat": ["markdown"] } },
                    "workspace": { "diagnostics": { "refreshSupport": false } },
                },
            }),
        )?;
        client.notify("initialized", &json!({}))?;
        Ok(client)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn notify(&mut self, method: &str, params: &Value) -> Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
    }

    /// Sends a request and waits for its answer, replying to whatever the server asks meanwhile.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Result<Value> {
        let answers = self.requests(&[(method, params.clone())])?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    /// Sends all requests at once, as an editor does with its open documents, and waits for every answer.
    pub(crate) fn requests(&mut self, asked: &[(&str, Value)]) -> Result<Vec<Value>> {
        let first = self.ask(asked)?;
        let mut answers = vec![Value::Null; asked.len()];
        let mut open = asked.len();
        while open > 0 {
            let (id, mut message) = self.answer()?;
            let number = usize::try_from(id - first).ok();
            let Some(slot) = number.and_then(|n| answers.get_mut(n)) else { continue };
            if let Some(error) = message.get("error") {
                bail!("{}: {error}", asked[number.unwrap_or(0)].0);
            }
            *slot = message["result"].take();
            open -= 1;
        }
        Ok(answers)
    }

    /// Sends requests and waits for none. They have numbers from the one that is returned.
    pub(crate) fn ask(&mut self, asked: &[(&str, Value)]) -> Result<i64> {
        let first = self.next + 1;
        let mut frames = Vec::new();
        for (method, params) in asked {
            self.next += 1;
            let request = json!({ "jsonrpc": "2.0", "id": self.next, "method": method, "params": params });
            frames.extend(frame(&request));
        }
        // The server reads without waiting for us to take its answers, so this cannot block for good.
        self.stdin.write_all(&frames)?;
        self.stdin.flush()?;
        Ok(first)
    }

    /// The next answer, with its request's number: a result or an error. Replies to whatever the server asks meanwhile.
    pub(crate) fn answer(&mut self) -> Result<(i64, Value)> {
        loop {
            let message = self.receive()?;
            if message.get("method").is_some() {
                self.hear(message)?;
                continue;
            }
            if let Some(id) = message["id"].as_i64() {
                return Ok((id, message));
            }
        }
    }

    /// Waits for a notification of this method and returns its parameters.
    pub(crate) fn wait_for(&mut self, method: &str) -> Result<Value> {
        loop {
            if let Some(at) = self.told.iter().position(|message| message["method"] == method) {
                return Ok(self.told.remove(at)["params"].take());
            }
            let message = self.receive()?;
            self.hear(message)?;
        }
    }

    /// Forgets the notifications that came so far.
    pub(crate) fn forget(&mut self) {
        self.told.clear();
    }

    /// Answers what the server asks, and keeps what it tells about tests.
    fn hear(&mut self, message: Value) -> Result<()> {
        if let Some(asked) = message.get("id") {
            let answer = if message["method"] == "workspace/configuration" {
                json!(vec![Value::Null; message["params"]["items"].as_array().map_or(0, Vec::len)])
            } else {
                Value::Null
            };
            return self.send(&json!({ "jsonrpc": "2.0", "id": asked, "result": answer }));
        }
        if message["method"].as_str().is_some_and(|method| method.starts_with("headwater/tests/")) {
            self.told.push(message);
        }
        Ok(())
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        self.stdin.write_all(&frame(message))?;
        self.stdin.flush()?;
        Ok(())
    }

    fn receive(&mut self) -> Result<Value> {
        let mut length = None;
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line)? == 0 {
                bail!("the server closed its output");
            }
            match line.trim_end() {
                "" => break,
                header => {
                    if let Some(n) = header.strip_prefix("Content-Length: ") {
                        length = Some(n.parse::<usize>()?);
                    }
                }
            }
        }
        let mut body = vec![0; length.context("a message without length")?];
        self.stdout.read_exact(&mut body)?;
        Ok(serde_json::from_slice(&body)?)
    }

    pub(crate) fn stop(mut self) -> Result<()> {
        self.request("shutdown", &Value::Null)?;
        self.notify("exit", &Value::Null)?;
        self.child.wait()?;
        Ok(())
    }
}

fn frame(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

pub(crate) fn file_uri(path: &Path) -> String {
    format!("file://{}", path.display())
}
