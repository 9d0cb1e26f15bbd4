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
            if !input.is_char_boundary(start) || !input.is_char_boundary(end) {
                continue;
            }
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

/// A small generator: the tests must fail or pass the same way every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }
}

/// One replacement in a text, and the text that comes of it.
fn replace(text: &str, start: usize, end: usize, by: &str) -> (InputEdit, String) {
    let mut new = text.to_owned();
    new.replace_range(start..end, by);
    let edit = InputEdit {
        start_byte: start,
        old_end_byte: end,
        new_end_byte: start + by.len(),
        start_position: point(text, start),
        old_end_position: point(text, end),
        new_end_position: point(&new, start + by.len()),
    };
    (edit, new)
}

/// Random edits, each parsed incrementally, then undone one by one the same way: the tree is the first again.
///
/// The trees between are not compared: where recovery has a choice, reused nodes sway it.
fn undo(language: LanguageFn, directory: &str, rounds: usize) -> anyhow::Result<()> {
    const PIECES: [&str; 24] = [
        "",
        " ",
        ",",
        "(",
        ")",
        "'",
        "SELECT ",
        "FROM",
        ".",
        "{{",
        "{%",
        "%}",
        "/*",
        "--",
        "$x$",
        "INTERVAL ",
        "case ",
        "AS",
        "::",
        "[",
        "1",
        " x",
        "\n",
        "`",
    ];
    let mut parser = Parser::new();
    parser.set_language(&language.into())?;
    let mut random = Random(0x5eed);
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(directory))? {
        let text = fs::read_to_string(file?.path())?;
        for input in
            text.split("\n---\n").filter_map(|part| part.rsplit("==\n").next()).filter(|i| i.is_ascii())
        {
            let original = parser.parse(input, None).context("no tree")?;
            for _ in 0..rounds {
                let (mut tree, mut current) = (original.clone(), input.to_owned());
                let mut undos = Vec::new();
                for _ in 0..=random.below(3) {
                    let start = random.below(current.len() + 1);
                    let end = (start + random.below(4)).min(current.len());
                    let by = PIECES[random.below(PIECES.len())];
                    undos.push((start, start + by.len(), current[start..end].to_owned()));
                    let (edit, new) = replace(&current, start, end, by);
                    tree.edit(&edit);
                    tree = parser.parse(&new, Some(&tree)).context("no tree")?;
                    current = new;
                }
                for (start, end, by) in undos.iter().rev() {
                    let (edit, new) = replace(&current, *start, *end, by);
                    tree.edit(&edit);
                    tree = parser.parse(&new, Some(&tree)).context("no tree")?;
                    current = new;
                }
                assert_eq!(current, input);
                // Broken text may be broken in another way.
                if !original.root_node().has_error() {
                    let (found, expected) = (tree.root_node().to_sexp(), original.root_node().to_sexp());
                    assert_eq!(found, expected, "after {undos:?} were undone in\n{input}");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn edits_can_be_undone() -> anyhow::Result<()> {
    undo(SQL, "sql/test/corpus", 40)?;
    undo(PIPE, "datafile/pipe/test/corpus", 40)?;
    undo(DATASOURCE, "datafile/datasource/test/corpus", 40)
}

/// What follows a tag decides what it is, however far away the last edit was: a token that did not look that far would be
/// used again.
#[test]
fn a_tag_is_read_again_when_what_follows_it_changes() -> anyhow::Result<()> {
    let mut parser = Parser::new();
    parser.set_language(&SQL.into())?;
    let text = "SELECT {% if a %} x {% elif b %} y {% else %} z {% end %} AS d FROM t WHERE {% if a %} p {% else %} q {% end %}";
    let original = parser.parse(text, None).context("no tree")?;
    let at = |part: &str| text.find(part).context("part of the text");
    let (first, second) = (at("z {% end")?, at("{% else %} q")?);

    let (mut tree, mut current) = (original.clone(), text.to_owned());
    for (start, end, by) in [
        (first, first + 2, ")"),
        (second - 1, second + 2, "FROM"),
        (second - 1, second + 3, "{% "),
        (first, first + 1, "z "),
    ] {
        let (edit, new) = replace(&current, start, end, by);
        tree.edit(&edit);
        tree = parser.parse(&new, Some(&tree)).context("no tree")?;
        current = new;
    }
    assert_eq!(current, text);
    assert_eq!(tree.root_node().to_sexp(), original.root_node().to_sexp());
    Ok(())
}

/// What is never closed is read once, not once for every time it is opened.
#[test]
fn unclosed_text_takes_linear_time() -> anyhow::Result<()> {
    let mut parser = Parser::new();
    parser.set_language(&SQL.into())?;
    for unit in ["/*", "/* ", "$a$", "{#", "{%", "{%%}", "{{", "'", "interval (", "f(a from ", "case "] {
        let text = unit.repeat((64 << 10) / unit.len());
        let start = std::time::Instant::now();
        parser.parse(&text, None).context("no tree")?;
        // Milliseconds; many seconds if quadratic.
        assert!(start.elapsed().as_secs() < 5, "{unit:?} took {:?}", start.elapsed());
    }
    Ok(())
}

#[test]
fn sql() -> anyhow::Result<()> {
    for file in [
        "calls",
        "clauses",
        "expressions",
        "fragments",
        "incomplete",
        "operators",
        "schema",
        "select",
        "stars",
        "tables",
        "templates",
    ] {
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
