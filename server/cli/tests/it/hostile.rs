//! Bad input: each file gets a clear message, the rest of the project keeps working, nothing panics or hangs.
//!
//! Tried: binary, invalid UTF-8, a byte order mark, CR-only line ends, U+2028, tabs, no final newline, a line of 10 MB, a
//! file of 50 MB, nesting 10,000 deep in SQL and in templates, a loop of links, an unreadable file, cyclic and missing
//! includes, a folder named like a datafile.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::{Folder, headwater, json, stdout};

const GOOD: &str = "SCHEMA >\n    a String\n";

/// Checks a folder; fails when that takes longer than anybody would wait. The limit is far above what is measured.
fn check(folder: &Folder) -> Output {
    let mut command = headwater();
    command.args(["check", "--format", "json"]).current_dir(&folder.0);
    within(&mut command, Duration::from_secs(60))
}

fn within(command: &mut Command, limit: Duration) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let out = child.stdout.take().expect("piped");
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut { out }, &mut text).map(|_| text)
    });
    let start = Instant::now();
    while child.try_wait().expect("it can be waited for").is_none() {
        if start.elapsed() > limit {
            let _ = child.kill();
            panic!("still running after {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let stdout = reader.join().expect("no panic").expect("readable");
    let mut output = child.wait_with_output().expect("it ended");
    output.stdout = stdout;
    output
}

/// `code: message` of every diagnostic of one file.
fn found(output: &Output, path: &str) -> Vec<String> {
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    let report = json(output);
    let all = report["diagnostics"].as_array().expect("an array").iter();
    all.filter(|d| d["path"] == path)
        .map(|d| format!("{}: {}", d["code"].as_str().unwrap_or(""), d["message"].as_str().unwrap_or("")))
        .collect()
}

fn one(name: &str, file: &str, content: impl AsRef<[u8]>) -> Vec<String> {
    let folder = Folder::new(name);
    folder.write("good.datasource", GOOD);
    folder.write(file, content);
    let output = check(&folder);
    assert_eq!(found(&output, "good.datasource"), Vec::<String>::new(), "{}", stdout(&output));
    found(&output, file)
}

#[test]
fn what_is_no_text_says_so() {
    let binary = one("binary", "x.datasource", b"SCHEMA >\n  a\x00\x01\x02");
    assert!(binary[0].starts_with("unreadable-file: "), "{binary:?}");
    let latin = one("latin", "x.datasource", b"DESCRIPTION caf\xe9\nSCHEMA >\n  a String\n");
    assert!(latin[0].starts_with("unreadable-file: ") && latin[0].contains("UTF-8"), "{latin:?}");
    let big = one("big", "x.datasource", vec![b'a'; 50 << 20]);
    assert!(big[0].starts_with("unreadable-file: "), "{big:?}");
}

#[test]
fn a_byte_order_mark_is_named_and_the_rest_is_read() {
    let found = one("bom", "x.datasource", "\u{feff}SCHEMA >\n    a String\n");
    assert!(found.iter().any(|f| f.starts_with("byte-order-mark: ")), "{found:?}");
}

#[test]
fn odd_line_ends_and_spaces_are_fine() {
    assert_eq!(one("cr", "x.datasource", "SCHEMA >\r    a String\rENGINE MergeTree\r"), Vec::<String>::new());
    assert_eq!(one("crlf", "x.datasource", "SCHEMA >\r\n    a String\r\n"), Vec::<String>::new());
    assert_eq!(one("nofinal", "x.datasource", "SCHEMA >\n    a String"), Vec::<String>::new());
    assert_eq!(
        one("tabs", "x.datasource", "SCHEMA\t>\n\ta\tString\n\nENGINE\tMergeTree"),
        Vec::<String>::new()
    );
    let text = "DESCRIPTION one\u{2028}line\nSCHEMA >\n    a String\n";
    assert_eq!(one("separator", "x.datasource", text), Vec::<String>::new());
    assert!(!one("nothing", "x.datasource", "").is_empty(), "an empty data source has no schema");
}

#[test]
fn a_line_of_ten_megabytes_is_survived() {
    let long = "x".repeat(10 << 20);
    assert!(!one("longword", "x.datasource", &long).is_empty());
    let found =
        one("longsql", "p.pipe", format!("NODE n\nSQL >\n    SELECT '{long}' AS a\n\nTYPE endpoint\n"));
    assert!(found.iter().any(|f| f.starts_with("query-not-read: ")), "{found:?}");
    one(
        "longargs",
        "p.pipe",
        format!("NODE n\nSQL >\n    SELECT {} 1\n\nTYPE endpoint\n", "1, ".repeat(3 << 20)),
    );
    one("quotes", "x.datasource", format!("SCHEMA >\n    a String DEFAULT {}\n", "'".repeat(1 << 20)));
}

#[test]
fn nesting_is_survived() {
    let n = 10_000;
    let sql = format!("{}1{}", "(".repeat(n), ")".repeat(n));
    one("parens", "p.pipe", format!("NODE n\nSQL >\n    SELECT {sql} AS a\n\nTYPE endpoint\n"));
    let subqueries = format!("{}SELECT 1{}", "SELECT * FROM (".repeat(n), ")".repeat(n));
    one("subqueries", "p.pipe", format!("NODE n\nSQL >\n    {subqueries}\n\nTYPE endpoint\n"));
    one("open", "p.pipe", format!("NODE n\nSQL >\n    SELECT {}\n\nTYPE endpoint\n", "(".repeat(n)));
    let template = format!("%\n{}x{}", "{% if a %}".repeat(n), "{% end %}".repeat(n));
    let found = one("templates", "p.pipe", format!("NODE n\nSQL >\n{template}\n\nTYPE endpoint\n"));
    assert!(found.iter().any(|f| f.starts_with("template-syntax: ")), "{}", found.len());
    one(
        "calls",
        "p.pipe",
        format!("NODE n\nSQL >\n%\nSELECT {{{{ {}1{} }}}}\n", "list(".repeat(n), ")".repeat(n)),
    );
    one("types", "x.datasource", format!("SCHEMA >\n    a {}String{}\n", "Array(".repeat(n), ")".repeat(n)));
}

/// Time grows with the text, whatever is repeated: what an editor may meet while something is pasted.
#[test]
fn ten_megabytes_of_anything_end() {
    let units = [
        "(",
        "[",
        "{{",
        "{% if a %}",
        "`",
        "'",
        "a ",
        "a.",
        "a (\n",
        ", ",
        "NODE a\n",
        "# x\n",
        "{#",
        "/*",
        "$a$",
    ];
    for unit in units {
        let text = unit.repeat((10 << 20) / unit.len());
        one("repeated", "x.datasource", format!("SCHEMA >\n    {text}"));
        one("repeated", "x.pipe", &text);
        one("repeated", "x.pipe", format!("NODE n\nSQL >\n    %\n    {text}"));
    }
}

#[test]
fn includes_that_never_end_are_named() {
    let folder = Folder::new("includes");
    folder.write(".tinyenv", "");
    folder.write("a.incl", "INCLUDE b.incl\n");
    folder.write("b.incl", "INCLUDE a.incl\nINCLUDE nowhere.incl\n");
    folder.write("x.datasource", "SCHEMA >\n    a String\nINCLUDE a.incl\nINCLUDE missing.incl\n");
    let found = found(&check(&folder), "x.datasource");
    assert!(found.iter().any(|f| f.starts_with("include-cycle: ")), "{found:?}");
    assert!(found.iter().filter(|f| f.starts_with("missing-include: ")).count() >= 2, "{found:?}");
}

#[test]
fn includes_that_multiply_are_bounded() {
    let folder = Folder::new("doubling");
    folder.write(".tinyenv", "");
    for n in 0..30 {
        folder.write(&format!("i{n}.incl"), format!("INCLUDE i{0}.incl\nINCLUDE i{0}.incl\n", n + 1));
    }
    folder.write("i30.incl", "TAGS a\n");
    folder.write("x.datasource", "SCHEMA >\n    a String\nINCLUDE i0.incl\n");
    check(&folder);
}

#[cfg(unix)]
#[test]
fn links_that_loop_and_files_that_cannot_be_read() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new("links");
    folder.write("good.datasource", GOOD);
    folder.write("sub/other.datasource", GOOD);
    symlink(&folder.0, folder.0.join("sub/loop")).expect("links can be made");
    symlink("gone.datasource", folder.0.join("dangling.datasource")).expect("links can be made");
    std::fs::create_dir(folder.0.join("folder.datasource")).expect("folders can be made");
    let locked = folder.write("locked.datasource", GOOD);
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o0)).expect("permissions can be set");
    let output = check(&folder);
    let report = json(&output);
    assert!(report["summary"]["files"].as_u64().expect("a count") <= 4, "{report}");
    assert!(found(&output, "dangling.datasource").iter().any(|f| f.starts_with("unreadable-file: ")));
    // The administrator reads everything.
    if std::fs::read(&locked).is_err() {
        assert!(found(&output, "locked.datasource").iter().any(|f| f.starts_with("unreadable-file: ")));
    }
}
