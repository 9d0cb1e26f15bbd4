//! Damaged text: parsing ends, and re-parsing after an edit gives the tree a fresh parse gives.

use std::{fs, path::Path};

use anyhow::Context as _;
use headwater_grammar::{DATASOURCE, PIPE, SQL};
use tree_sitter::{InputEdit, Parser, Point};
use tree_sitter_language::LanguageFn;

fn point(text: &str, byte: usize) -> Point {
    let before = &text[..byte];
    Point::new(before.matches('\n').count(), byte - before.rfind('\n').map_or(0, |at| at + 1))
}

/// Removes up to `length` bytes at every `step`th place and parses what is left, both ways.
fn damage(language: LanguageFn, corpus: &str, step: usize, length: usize) -> anyhow::Result<()> {
    let mut parser = Parser::new();
    parser.set_language(&language.into())?;
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(corpus))?;
    for input in text.split("\n---\n").filter_map(|part| part.rsplit("==\n").next()) {
        let tree = parser.parse(input, None).context("no tree")?;
        for start in (0..input.len()).step_by(step) {
            let end = (start + length).min(input.len());
            let mut damaged = input.to_owned();
            damaged.replace_range(start..end, "");

            let mut edited = tree.clone();
            edited.edit(&InputEdit {
                start_byte: start,
                old_end_byte: end,
                new_end_byte: start,
                start_position: point(input, start),
                old_end_position: point(input, end),
                new_end_position: point(input, start),
            });
            let fresh = parser.parse(&damaged, None).context("no tree")?;
            let again = parser.parse(&damaged, Some(&edited)).context("no tree")?;
            // Error recovery may choose differently when it can reuse nodes; valid text may not.
            if !fresh.root_node().has_error() {
                assert_eq!(
                    again.root_node().to_sexp(),
                    fresh.root_node().to_sexp(),
                    "{start}..{end} removed from\n{input}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn sql() -> anyhow::Result<()> {
    for file in ["select", "expressions", "templates", "schema", "incomplete"] {
        let path = format!("sql/test/corpus/{file}.txt");
        damage(SQL, &path, 2, 1)?;
        damage(SQL, &path, 7, 7)?;
        damage(SQL, &path, 17, 40)?;
    }
    Ok(())
}

#[test]
fn datafiles() -> anyhow::Result<()> {
    for length in [1, 5, 25] {
        damage(PIPE, "datafile/pipe/test/corpus/pipe.txt", 1, length)?;
        damage(DATASOURCE, "datafile/datasource/test/corpus/datasource.txt", 1, length)?;
    }
    Ok(())
}

/// No text is an error to the datafile grammars, whatever its line ends.
#[test]
fn any_text_is_a_datafile() -> anyhow::Result<()> {
    let mut parser = Parser::new();
    parser.set_language(&PIPE.into())?;
    let lines = [
        "NODE a",
        "SQL >",
        "    SELECT '",
        "FROM \"t",
        ">",
        "> x",
        "\"",
        "#",
        "\u{feff}TYPE",
        "{{",
        "TAGS >#",
        "é ü",
    ];
    for end in ["\n", "\r\n", "\r"] {
        for shift in 0..lines.len() {
            let mut rotated = lines;
            rotated.rotate_left(shift);
            let text = rotated.join(end);
            let tree = parser.parse(&text, None).context("no tree")?;
            assert!(!tree.root_node().has_error(), "{text:?}\n{}", tree.root_node().to_sexp());
        }
    }
    Ok(())
}
