//! Formatting: a whole file, or the directives and blocks that a range touches.

use headwater_analysis::{Db, File, TextRange, dialect};
use headwater_format::{Edit, format_edits};

/// Edits that lay a file out as the project's `headwater.toml` wants it; with `within`, those of the directives and blocks
/// that it touches. In order, without overlaps, and only where blanks change, so that cursors stay on their words. What has
/// errors is left alone. Linear.
pub fn format(db: &dyn Db, file: File, within: Option<TextRange>) -> Vec<Edit> {
    let project = file.project(db);
    let Some(kind) = file.kind(db) else {
        return Vec::new();
    };
    let text = file.text(db);
    format_edits(&text, kind, dialect(db, project).dialect, &project.config(db).format, within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_test_fixture::Fixture;

    fn apply(text: &str, edits: &[Edit]) -> String {
        let mut text = text.to_owned();
        for edit in edits.iter().rev() {
            text.replace_range(std::ops::Range::<usize>::from(edit.range), &edit.text);
        }
        text
    }

    #[test]
    fn a_file_and_a_block_of_it() {
        let (db, _, files) = Fixture::parse(
            "//- a.pipe\nNODE  a\nSQL >\nSELECT  a,b FROM t\nNODE b\nSQL >\n  SELECT   1\ntype endpoint\n",
        )
        .load();
        let text = files[0].text(&db);
        let all = apply(&text, &format(&db, files[0], None));
        assert_eq!(
            all,
            "NODE a\nSQL >\n    SELECT a, b FROM t\n\nNODE b\nSQL >\n    SELECT 1\n\nTYPE endpoint\n"
        );
        let at = u32::try_from(text.find("   1").unwrap()).unwrap();
        let edits = format(&db, files[0], Some(TextRange::empty(at.into())));
        assert_eq!(
            apply(&text, &edits),
            "NODE  a\nSQL >\nSELECT  a,b FROM t\nNODE b\nSQL >\n    SELECT 1\ntype endpoint\n"
        );
    }

    #[test]
    fn the_project_chooses() {
        let (db, _, files) = Fixture::parse(
            "//- headwater.toml\n[format]\nindent = 2\nkeywords = 'upper'\n//- a.pipe\nNODE a\nSQL >\n    select 1\n",
        )
        .load();
        let (file, text) = (files[1], files[1].text(&db));
        assert_eq!(apply(&text, &format(&db, file, None)), "NODE a\nSQL >\n  SELECT 1\n");
    }
}
