//! What previews and queries cost beyond the engine's own time: `cargo xtask bench --preview`.
//!
//! Each answer says how long the engine took for it, by its own count. What is beyond that, up to the client, is ours: reading
//! the project and its samples again, rendering, the gate, the engine's second reading, the wire.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Times;
use super::client::{Client, file_uri};
use crate::build_server;

/// Rows of the sample.
const ROWS: usize = 1_000_000;

/// Files of the project beside it.
const PIPES: usize = 100;

const BAR: &str = "(bar: ≤ 5 beyond the engine)";

/// Measures previews of a language server over a sample of a million rows, then statements on a host.
pub(crate) fn run(quick: bool) -> Result<()> {
    let server = build_server(true)?;
    let library = crate::engine::library()?;
    let base = std::env::temp_dir().join(format!("headwater-bench-preview-{}", std::process::id()));
    let rounds = if quick { 40 } else { 200 };
    let result =
        previews(&server, &library, &base, rounds).and_then(|()| host(&server, &library, &base, rounds));
    std::fs::remove_dir_all(&base).ok();
    result
}

const QUERIES: [(&str, &str); 3] = [
    ("a row by its key", "SELECT * FROM events WHERE id = 765432"),
    (
        "grouped",
        "SELECT country, count() AS hits, sum(amount) AS total FROM events GROUP BY country ORDER BY hits DESC",
    ),
    ("the first hundred", "SELECT * FROM events ORDER BY id LIMIT 100"),
];

fn previews(server: &Path, library: &Path, base: &Path, rounds: usize) -> Result<()> {
    let project = base.join("project");
    write(&project)?;
    // Older than what may be written again within one tick of a clock.
    std::thread::sleep(Duration::from_secs(3));
    let mut command = Command::new(server);
    command.arg("lsp").env("HEADWATER_CHDB", library);
    let mut client = Client::start_with(&mut command, &project, &json!({ "trusted": true }))?;
    let uri = file_uri(&project.join("endpoints/pipe_0.pipe"));
    let ask = |client: &mut Client, sql: &str| -> Result<(Duration, Duration)> {
        let params = json!({ "textDocument": { "uri": uri }, "sql": sql, "limit": 100 });
        let begin = Instant::now();
        let answer = client.request("headwater/preview", &params)?;
        let whole = begin.elapsed();
        ensure!(answer["rows"].as_array().is_some_and(|rows| !rows.is_empty()), "no rows: {answer}");
        let engine = answer["cost"]["elapsed"].as_f64().context("no cost")?;
        Ok((whole, Duration::from_secs_f64(engine)))
    };
    let begin = Instant::now();
    ask(&mut client, QUERIES[0].1)?;
    println!("the first preview, {ROWS} rows loaded: {:.2} s", begin.elapsed().as_secs_f64());
    for (what, sql) in QUERIES {
        ask(&mut client, sql)?;
        let (mut engine, mut beyond) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let (whole, own) = ask(&mut client, sql)?;
            engine.push(own);
            beyond.push(whole.saturating_sub(own));
        }
        Times::new(engine).print(&format!("preview, {what}: the engine's own"), "");
        Times::new(beyond).print(&format!("preview, {what}: beyond it"), BAR);
    }
    client.stop()
}

/// One data source with a large sample, and pipes around it.
fn write(dir: &Path) -> Result<()> {
    let put = |path: String, text: &str| -> Result<()> {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().context("a folder")?)?;
        Ok(std::fs::write(path, text)?)
    };
    std::fs::create_dir_all(dir.join(".git"))?;
    put(
        "datasources/events.datasource".to_owned(),
        "SCHEMA >\n    `id` UInt32 `json:$.id`,\n    `country` LowCardinality(String) `json:$.country`,\n    `amount` Float64 `json:$.amount`\n\nENGINE \"MergeTree\"\nENGINE_SORTING_KEY \"id\"\n",
    )?;
    let countries = ["at", "de", "es", "fr", "us"];
    let mut rows = String::new();
    for n in 0..ROWS {
        writeln!(rows, "{{\"id\":{n},\"country\":\"{}\",\"amount\":{}.5}}", countries[n % 5], n % 1000)?;
    }
    put("fixtures/events.ndjson".to_owned(), &rows)?;
    for n in 0..PIPES {
        put(
            format!("endpoints/pipe_{n}.pipe"),
            "NODE e\nSQL >\n    %\n    SELECT country, sum(amount) AS total FROM events WHERE id > {{UInt32(least, 0)}} GROUP BY country\nTYPE endpoint\n",
        )?;
    }
    Ok(())
}

/// Ends with whoever holds it.
struct Host(Child);

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn host(server: &Path, library: &Path, base: &Path, rounds: usize) -> Result<()> {
    let data = base.join("host");
    let mut command = Command::new(server);
    command.arg("serve").arg("--data").arg(&data).args(["--listen", "0"]);
    command.env("HEADWATER_CHDB", library).env("XDG_RUNTIME_DIR", base.join("run"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut said = BufReader::new(child.stdout.take().context("no output")?);
    let _host = Host(child);
    let mut address = String::new();
    while !address.contains("http://") {
        address.clear();
        ensure!(said.read_line(&mut address)? > 0, "the host does not start");
    }
    let address = address.split("http://").nth(1).and_then(|a| a.split_whitespace().next());
    let address = address.context("no address")?.to_owned();
    let token = std::fs::read_to_string(data.join("owner.token"))?;
    let mut stream = BufReader::new(TcpStream::connect(&address)?);
    stream.get_ref().set_nodelay(true)?;
    let mut ask = |sql: &str| -> Result<(Duration, Duration)> {
        let request = format!(
            "POST /v0/sql HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{sql}",
            token.trim(),
            sql.len()
        );
        let begin = Instant::now();
        stream.get_mut().write_all(request.as_bytes())?;
        let body = answer(&mut stream)?;
        let whole = begin.elapsed();
        let answer: Value = serde_json::from_slice(&body)?;
        let engine =
            answer["statistics"]["elapsed"].as_f64().with_context(|| format!("no cost: {answer}"))?;
        Ok((whole, Duration::from_secs_f64(engine)))
    };
    let sql = "SELECT number % 5 AS k, count() AS c, sum(number) AS s FROM numbers(1000000) GROUP BY k ORDER BY k FORMAT JSON";
    for _ in 0..5 {
        ask(sql)?;
    }
    let (mut engine, mut beyond) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (whole, own) = ask(sql)?;
        engine.push(own);
        beyond.push(whole.saturating_sub(own));
    }
    Times::new(engine).print("/v0/sql, a million rows grouped: the engine's own", "");
    Times::new(beyond).print("/v0/sql, a million rows grouped: beyond it", BAR);
    Ok(())
}

/// The body of an answer with a length, or in chunks.
fn answer(stream: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
    let (mut length, mut is_chunked) = (None, false);
    loop {
        let mut line = String::new();
        ensure!(stream.read_line(&mut line)? > 0, "the host closed the connection");
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(n) = line.strip_prefix("content-length: ") {
            length = Some(n.parse::<usize>()?);
        }
        is_chunked |= line == "transfer-encoding: chunked";
    }
    let mut body = Vec::new();
    if !is_chunked {
        body.resize(length.context("an answer without a length")?, 0);
        stream.read_exact(&mut body)?;
        return Ok(body);
    }
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim_end(), 16)?;
        let mut chunk = vec![0; length + 2];
        stream.read_exact(&mut chunk)?;
        if length == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..length]);
    }
}
