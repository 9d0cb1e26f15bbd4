//! A server that lived through hundreds of edits says what a fresh one says; and this would notice if it did not.

use std::collections::BTreeMap;
use std::path::Path;

use headwater_lsp::Fault;
use headwater_lsp::testing::soak::Soak;

/// The repository's own project.
fn project() -> BTreeMap<String, String> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/projects/web-analytics"));
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                files.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), text);
            }
        }
    }
    assert!(files.len() > 8, "{files:?}");
    files
}

fn soak(seed: u64, steps: usize, fault: Option<Fault>) -> Soak {
    Soak { files: project(), seed, steps, check_every: 60, fault }
}

#[tokio::test]
async fn hundreds_of_steps_end_where_a_fresh_server_begins() {
    let report = soak(1, 300, None).play().await.unwrap_or_else(|d| panic!("{d}"));
    assert!(report.edits > 100 && report.cancelled > 10 && report.outside > 5, "{report:?}");
    assert_eq!(report.checks, 5);
}

/// Five and more ways to forget something, each found in a script that finds nothing in a sound server.
#[tokio::test]
async fn what_a_server_forgets_is_noticed() {
    for fault in Fault::ALL {
        let mut found = false;
        for seed in 1..=4 {
            found |= soak(seed, 240, Some(fault)).play().await.is_err();
            if found {
                break;
            }
        }
        assert!(found, "{fault:?} went unnoticed");
    }
}
