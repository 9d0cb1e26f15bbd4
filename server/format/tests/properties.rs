//! What is promised of every text, however broken: laid-out text stays, says the same, and the edits lead to it.

use std::fs;
use std::path::{Path, PathBuf};

use headwater_format::testing::{Counts, compare, difference};
use headwater_format::{KeywordCase, Options, format, format_edits};
use headwater_syntax::{Dialect, FileKind};
use proptest::prelude::*;

/// The datafiles of the repository's example projects.
fn corpus() -> Vec<(String, FileKind)> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/projects")];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).expect("the repository has example projects");
        let mut entries: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                folders.push(path);
            } else if let Some(kind) = path.extension().and_then(|e| FileKind::from_extension(e.to_str()?)) {
                let Ok(text) = fs::read_to_string(path) else { continue };
                files.push((text, kind));
            }
        }
    }
    files
}

const PIECES: &[&str] = &[
    " ",
    "\n",
    "\n\n\n",
    "\r\n",
    "\r",
    "\t",
    "\u{feff}",
    "\u{a0}",
    "-- c\n",
    " -- {{ c }}\n",
    "/* c */",
    "/* c\nd */",
    "# c\n",
    "\n# c\n",
    "{# c #}",
    "{% if defined(a) %}",
    "{% else %}",
    "{% end %}",
    "{% for a in b %}",
    "{% set a = 1 %}",
    "{{ a }}",
    "{{a}}",
    "{{",
    "}}",
    ",",
    "(",
    ")",
    "'",
    "\"",
    "`",
    "é",
    "-",
    " - ",
    "AND",
    " OR ",
    "SELECT ",
    "FROM",
    "NODE a\n",
    "\nSQL >\n",
    "SCHEMA >\n",
    "TYPE\n",
    ";",
    "[",
    "]",
    "::",
    ".",
    " AS x",
    "'a\nb'",
    "$$",
    "CASE ",
    " END",
    " UNION ALL ",
];

fn check(text: &str, kind: FileKind, dialect: Dialect, options: &Options) -> Result<(), String> {
    let once = format(text, kind, dialect, options);
    if options.keywords == KeywordCase::Keep {
        compare(text, &once.text, kind, dialect, &mut Counts::default())?;
    }
    let twice = format(&once.text, kind, dialect, options);
    if once.text != twice.text {
        return Err(format!("not idempotent: {}\n{text}", difference(&once.text, &twice.text)));
    }
    let mut edited = text.to_owned();
    for edit in format_edits(text, kind, dialect, options, None).iter().rev() {
        edited.replace_range(std::ops::Range::<usize>::from(edit.range), &edit.text);
    }
    if edited != once.text {
        return Err("the edits lead elsewhere".to_owned());
    }
    Ok(())
}

fn options() -> impl Strategy<Value = Options> {
    let keywords = prop::sample::select(vec![KeywordCase::Keep, KeywordCase::Upper, KeywordCase::Lower]);
    (prop::sample::select(vec![40usize, 60, 100, 1000]), 1..5usize, keywords, any::<bool>())
        .prop_map(|(width, indent, keywords, align)| Options { width, indent, keywords, align })
}

#[test]
fn the_examples_keep_the_promises() {
    let corpus = corpus();
    assert!(corpus.len() > 50, "only {} files", corpus.len());
    for (text, kind) in corpus {
        for dialect in [Dialect::Forward, Dialect::Classic] {
            for width in [40, 100, 1000] {
                check(&text, kind, dialect, &Options { width, ..Options::default() }).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("HEADWATER_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn mutated_files_keep_the_promises(
        (text, kind) in prop::sample::select(corpus()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..8usize, prop::sample::select(PIECES)), 0..6),
        classic in any::<bool>(),
        crlf in any::<bool>(),
        options in options(),
    ) {
        let mut text: Vec<char> = text.chars().collect();
        for (at, cut, piece) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut % 3).min(text.len());
            text.splice(at..end, piece.chars());
        }
        let mut text: String = text.into_iter().collect();
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        let dialect = if classic { Dialect::Classic } else { Dialect::Forward };
        if let Err(fault) = check(&text, kind, dialect, &options) {
            prop_assert!(false, "{fault}\n{text}");
        }
    }
}
