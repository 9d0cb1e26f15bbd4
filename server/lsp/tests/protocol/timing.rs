//! Figures, not verdicts: `cargo test --release -p headwater-lsp --test protocol -- --ignored --nocapture timing`.
//!
//! In process, so without the pipe of a real client; the product's own bench has that.

use std::time::{Duration, Instant};

use headwater_lsp::testing::{document, opened, place};
use serde_json::json;

use crate::{EVENTS, Fixture, pipe, pull, unknown, uri};

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    println!("{what}: p50 {:.2} ms, p95 {:.2} ms, max {:.2} ms", at(50), at(95), at(100));
}

async fn measure(files: usize) {
    let texts: Vec<(String, String)> = (0..files)
        .map(|i| match i % 4 {
            0 => (format!("datasources/d{i}.datasource"), EVENTS.to_owned() + &"# note\n".repeat(i % 60)),
            _ => (format!("pipes/p{i}.pipe"), pipe(&format!("d{}", i / 4 * 4)) + &"\n".repeat(i % 90)),
        })
        .collect();
    let borrowed: Vec<(&str, &str)> =
        texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let started = Instant::now();
    let mut fixture = Fixture::new(&borrowed, pull()).await;
    let client = &mut fixture.client;
    let a = uri("pipes/p1.pipe");
    client.notify("textDocument/didOpen", opened(&a, 0, &texts[1].1)).await;
    let first = client.call("textDocument/diagnostic", document(&a)).await;
    assert!(unknown(&first["items"]).is_empty());
    println!(
        "{files} files: start to the open file's diagnostics {:.1} ms",
        started.elapsed().as_secs_f64() * 1000.0
    );
    let id = client
        .send("workspace/diagnostic", json!({ "previousResultIds": [], "partialResultToken": 1 }))
        .await;
    // Nothing may be wrong with them, and then the answer waits: a worker that is free again says the same.
    while client.call("headwater/status", json!({})).await["text"].as_str().unwrap().contains("1 running") {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    println!("{files} files: start to the whole project {:.1} ms", started.elapsed().as_secs_f64() * 1000.0);
    client.cancel(id).await;
    client.ignore("$/progress");

    let (mut edits, mut hovers) = (Vec::new(), Vec::new());
    for version in 1..300 {
        let (text, end) = if version % 2 == 1 { ("x", 11) } else { ("", 12) };
        let change = json!({
            "range": { "start": { "line": 2, "character": 11 }, "end": { "line": 2, "character": end } },
            "text": text,
        });
        let params = json!({ "textDocument": { "uri": a, "version": version }, "contentChanges": [change] });
        let started = Instant::now();
        client.notify("textDocument/didChange", params).await;
        client.call("textDocument/diagnostic", document(&a)).await;
        edits.push(started.elapsed());
        let started = Instant::now();
        client.call("textDocument/hover", place(&a, 2, 25)).await;
        hovers.push(started.elapsed());
    }
    show(&format!("{files} files: keystroke to diagnostics"), edits);
    show(&format!("{files} files: hover"), hovers);
    for line in &fixture.client.log {
        println!("log: {line}");
    }
    fixture.client.shut_down().await;
}

#[tokio::test]
#[ignore = "prints figures"]
async fn timing() {
    measure(300).await;
    measure(5000).await;
}

#[test]
#[ignore = "prints figures"]
fn timing_of_the_disk() {
    use headwater_project::{OsFileSystem, ProjectRoot, scan, workspace_roots};
    let root =
        camino::Utf8PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("disk-{}", std::process::id()));
    std::fs::create_dir_all(root.join("pipes")).unwrap();
    for i in 0..5000 {
        std::fs::write(root.join(format!("pipes/p{i}.pipe")), pipe("events").repeat(1 + i % 20)).unwrap();
    }
    for _ in 0..3 {
        let started = Instant::now();
        assert_eq!(workspace_roots(&OsFileSystem, &root).len(), 1);
        let found = started.elapsed();
        assert_eq!(scan(&OsFileSystem, &ProjectRoot::at(&root)).files.len(), 5000);
        println!("5000 files on disk: found {found:.1?}, read {:.1?}", started.elapsed() - found);
    }
    std::fs::remove_dir_all(&root).unwrap();
}
