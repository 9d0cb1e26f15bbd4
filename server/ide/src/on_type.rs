//! Formatting while typing: how far a new line is indented.

use headwater_analysis::{Db, File, TextRange, TextSize, datafile};

use crate::change::TextEdit;

/// Spaces of one step.
const STEP: usize = 4;

/// What else should change after a line break at `offset` was typed.
pub fn on_new_line(db: &dyn Db, file: File, offset: TextSize) -> Vec<TextEdit> {
    let text = file.text(db);
    if file.kind(db).is_none() {
        return Vec::new();
    }
    let at = usize::from(offset.min(TextSize::of(&*text)));
    let line_start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let Some(before) = text[..line_start].strip_suffix('\n').map(|t| t.strip_suffix('\r').unwrap_or(t))
    else {
        return Vec::new();
    };
    let parsed = datafile(db, file);
    let above_start = before.rfind('\n').map_or(0, |n| n + 1);
    let above = &before[above_start..];
    let opens = parsed.datafile.entries.iter().any(|e| {
        e.source == 0 && e.entry.block.is_some() && usize::from(e.entry.line.start()) == above_start
    });
    let holds = |e: &&headwater_analysis::syntax::datafile::SourcedEntry| {
        e.source == 0
            && e.entry.block.is_some()
            && e.entry.full_range().contains_inclusive(TextSize::of(before))
    };
    let in_block = parsed.datafile.entries.iter().any(|e| holds(&e));
    if !opens && !in_block {
        return Vec::new();
    }
    let depth = if opens {
        STEP
    } else {
        let own = above.len() - above.trim_start().len();
        let code = above.trim_end();
        let behind = text[at..].lines().next().unwrap_or_default().trim_start();
        let opened = code.ends_with('(') || code.ends_with("SELECT") || code.ends_with("select");
        let closes = behind.starts_with(')');
        if opened && !closes { own + STEP } else { own }
    };
    let line_end = text[line_start..].find('\n').map_or(text.len(), |n| line_start + n);
    let line = &text[line_start..line_end];
    let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
    if indent == depth {
        return Vec::new();
    }
    let range: TextRange = headwater_analysis::syntax::range(line_start, line_start + indent);
    vec![TextEdit { range, text: " ".repeat(depth), annotation: None }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::apply;
    use headwater_test_fixture::Fixture;

    fn after(text: &str) -> String {
        let fixture = Fixture::parse(&format!("//- p.pipe\n{text}"));
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.expect("a cursor");
        apply(&files[index].text(&db), &on_new_line(&db, files[index], offset))
    }

    #[test]
    fn lines_of_blocks_are_indented() {
        assert_eq!(after("NODE n\nSQL >\n$0"), "NODE n\nSQL >\n    ");
        assert_eq!(after("NODE n\nSQL >\n    SELECT\n$0"), "NODE n\nSQL >\n    SELECT\n        ");
        assert_eq!(after("NODE n\nSQL >\n      SELECT 1,\n$0"), "NODE n\nSQL >\n      SELECT 1,\n      ");
        assert_eq!(after("NODE n\n$0"), "NODE n\n");
        assert_eq!(after("$0"), "");
    }
}
