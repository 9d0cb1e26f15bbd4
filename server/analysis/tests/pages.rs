//! Every diagnostic has a page in `docs/reference/diagnostics/`, and every page is a test.
//!
//! A page's ```` ```headwater ```` blocks are projects; their `^^^ error[code]: part of message` lines say all that is
//! found in them, no more and no less. A page has at least one block that shows its code and one that shows the
//! mended text, with nothing to report.

use std::fs;
use std::path::{Path, PathBuf};

use headwater_analysis::ALL_CODES;
use headwater_test_fixture::Fixture;

fn pages_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/diagnostics")
}

fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut current: Option<String> = None;
    for line in page.split_inclusive('\n') {
        match (&mut current, line.trim_end()) {
            (None, "```headwater") => current = Some(String::new()),
            (Some(_), "```") => blocks.extend(current.take()),
            (Some(block), _) => block.push_str(line),
            (None, _) => {}
        }
    }
    assert!(current.is_none(), "an unclosed block");
    blocks
}

#[test]
fn every_code_has_a_page_that_is_its_test() {
    let mut failures = Vec::new();
    for code in ALL_CODES {
        let path = pages_dir().join(format!("{}.md", code.name));
        let Ok(page) = fs::read_to_string(&path) else {
            failures.push(format!("{}: no page", code.name));
            continue;
        };
        if !page.starts_with(&format!("# {}\n", code.name)) {
            failures.push(format!("{}: the page's title is not the code", code.name));
        }
        let blocks = blocks(&page);
        let label = format!("{}[{}]", code.severity.name(), code.name);
        let shown = blocks.iter().any(|b| Fixture::parse(b).annotations.iter().any(|a| a.label == label));
        let mended = blocks.iter().any(|b| Fixture::parse(b).annotations.is_empty());
        // A file that cannot be read has no text to show, headwater.toml is no datafile, and nobody wants to scroll over
        // a megabyte of SQL. What a plan refuses is shown on the pages of its rules, and a test fails where it was run.
        if !matches!(
            code.name,
            "unreadable-file"
                | "invalid-configuration"
                | "query-not-read"
                | "plan-refused"
                | "stale-forward-query"
                | "test-failed"
        ) && !(shown && mended)
        {
            failures.push(format!("{}: the page must show {label} and the mended text", code.name));
        }
        for (n, block) in blocks.iter().enumerate() {
            for problem in Fixture::parse(block).check_diagnostics() {
                failures.push(format!("{} block {}: {problem}", code.name, n + 1));
            }
        }
    }
    assert!(failures.is_empty(), "{} problems:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_page_is_of_a_code() {
    for entry in fs::read_dir(pages_dir()).expect("the pages exist") {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        let stem = name.trim_end_matches(".md");
        assert!(
            stem == "README" || ALL_CODES.iter().any(|c| c.name == stem),
            "{name} is the page of no code"
        );
    }
}

/// `UPDATE_EXPECT=1` rewrites the index.
#[test]
fn the_index_lists_every_code() {
    let mut index = "# Diagnostics\n\nEvery fault that `headwater check` and the editors report. `headwater.toml` changes severities:\n\n\
                     ```toml\n[diagnostics]\nunused-node = \"off\"\n```\n\n| code | severity | |\n|---|---|---|\n"
        .to_owned();
    for code in ALL_CODES {
        index += &format!("| [{0}]({0}.md) | {1} | {2} |\n", code.name, code.severity.name(), code.summary);
    }
    expect_test::expect_file![pages_dir().join("README.md")].assert_eq(&index);
}
