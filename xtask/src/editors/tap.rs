//! A tap between an editor and the server: forwards both directions untouched and records every frame, one JSON object
//! per line: `{"pid":…,"ms":…,"dir":"c2s"|"s2c","msg":…}`.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Context, Result};

/// The subcommand under which `main` must call [`tap`].
pub(super) const COMMAND: &str = "lsp-tap";

/// `LOG -- SERVER ARGS…`, with the editor on standard input and output. Returns the server's exit code.
pub(crate) fn tap(args: impl IntoIterator<Item = OsString>) -> Result<i32> {
    let mut args = args.into_iter();
    let (log, _dashes, server) = (args.next(), args.next(), args.next());
    let log = log.context("expected a log file")?;
    let mut command = Command::new(server.context("expected a server")?);
    let mut child = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    let log = Arc::new(Log { file: Mutex::new(log), pid: child.id(), start: Instant::now() });

    let (to, from) = (child.stdin.take(), child.stdout.take());
    let (mut to, mut from) = (to.context("no stdin")?, from.context("no stdout")?);
    let towards = Arc::clone(&log);
    // Not joined: it ends when the editor closes the pipe, which may be after the server is gone.
    std::thread::spawn(move || {
        pump(&mut std::io::stdin().lock(), &mut to, "c2s", &towards);
    });
    pump(&mut from, &mut std::io::stdout().lock(), "s2c", &log);
    Ok(child.wait()?.code().unwrap_or(1))
}

struct Log {
    file: Mutex<File>,
    pid: u32,
    start: Instant,
}

impl Log {
    fn frame(&self, direction: &str, body: &[u8]) {
        let (pid, ms) = (self.pid, self.start.elapsed().as_millis());
        let mut line = format!("{{\"pid\":{pid},\"ms\":{ms},\"dir\":\"{direction}\",\"msg\":").into_bytes();
        // A line break can only be white space in JSON.
        line.extend(body.iter().map(|b| if *b == b'\n' || *b == b'\r' { b' ' } else { *b }));
        line.extend(b"}\n");
        // A poisoned lock or a full disk must not stop the session under test.
        if let Ok(mut file) = self.file.lock() {
            let _ = file.write_all(&line);
        }
    }
}

/// Forwards bytes as they come. What they frame is recorded *before* its last byte goes out: otherwise a quick server's
/// answer could be recorded before the request.
fn pump(from: &mut impl Read, to: &mut impl Write, direction: &str, log: &Log) {
    let mut chunk = vec![0; 1 << 16];
    let mut pending = Vec::new();
    while let Ok(n @ 1..) = from.read(&mut chunk) {
        pending.extend_from_slice(&chunk[..n]);
        while let Some((header, length)) = head(&pending) {
            if pending.len() < header + length {
                break;
            }
            log.frame(direction, &pending[header..header + length]);
            pending.drain(..header + length);
        }
        if to.write_all(&chunk[..n]).and_then(|()| to.flush()).is_err() {
            return;
        }
    }
}

/// The lengths of the header that `bytes` start with and of the body it announces.
fn head(bytes: &[u8]) -> Option<(usize, usize)> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&bytes[..end]);
    let length = text.lines().find_map(|l| {
        let (name, value) = l.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    Some((end + 4, length.unwrap_or(0)))
}
