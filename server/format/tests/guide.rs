//! The guide's examples: every text `before` becomes the text `after`. `UPDATE_EXPECT=1` rewrites the page.

use std::path::Path;

use headwater_format::{Options, format};
use headwater_syntax::{Dialect, FileKind};

/// The page with every text `after` made anew of the text `before` it, and how many there are.
fn remade(page: &str) -> (String, usize) {
    let mut out = String::new();
    let mut before: Option<(FileKind, String)> = None;
    let mut pairs = 0;
    let mut lines = page.split_inclusive('\n');
    while let Some(line) = lines.next() {
        out.push_str(line);
        let Some((extension, which)) = line.trim().strip_prefix("```").and_then(|info| info.split_once(' '))
        else {
            continue;
        };
        let block: String = lines.by_ref().take_while(|line| line.trim() != "```").collect();
        let kind = FileKind::from_extension(extension).expect("a kind of datafile");
        match (which, before.take()) {
            ("before", None) => {
                out.push_str(&block);
                before = Some((kind, block));
            }
            ("after", Some((same, text))) if same == kind => {
                let formatted = format(&text, kind, Dialect::Forward, &Options::default());
                assert_eq!(formatted.skipped, [], "{text}");
                out.push_str(&formatted.text);
                pairs += 1;
            }
            _ => panic!("an example has a text `before` and one `after`: {line}"),
        }
        out.push_str("```\n");
    }
    (out, pairs)
}

#[test]
fn the_guide_shows_what_happens() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/formatting.md");
    let page = std::fs::read_to_string(&path).expect("the guide has a page");
    let (expected, pairs) = remade(&page);
    assert!(pairs >= 3, "only {pairs} examples");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &expected).expect("the page can be written");
        return;
    }
    assert_eq!(page, expected, "UPDATE_EXPECT=1 rewrites the page");
}
