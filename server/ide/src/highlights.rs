//! Highlights: the other places of this file that mean the same.

use headwater_analysis::{Db, File, TextRange, TextSize};

use crate::columns;
use crate::locate::{What, locate};
use crate::tokens::{TokenKind, tokens};

/// A place that means the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Highlight {
    /// Where.
    pub range: TextRange,
    /// Whether the thing gets its meaning or its value there.
    pub is_write: bool,
}

/// Places of the file that mean what stands at `offset`, in order of position.
pub fn highlights(db: &dyn Db, file: File, offset: TextSize) -> Vec<Highlight> {
    let Some(located) = locate(db, file, offset) else { return Vec::new() };
    let mut out = match located.what {
        What::Column(column) => {
            let definition = columns::definition(db, &column).filter(|d| d.file == file);
            let mut out: Vec<_> =
                definition.iter().map(|d| Highlight { range: d.focus, is_write: true }).collect();
            let uses = columns::uses(db, &column).into_iter().filter(|u| u.file == file);
            out.extend(uses.map(|u| Highlight { range: u.focus, is_write: false }));
            out
        }
        What::Parameter(name) => {
            let uses = crate::parameters::all(db, file).into_iter().filter(|u| u.name == name);
            uses.map(|u| Highlight { range: u.range, is_write: u.is_typed }).collect()
        }
        What::Local { name, definition, .. } => local(db, file, offset, &name, definition),
        What::Vertex(_) | What::Token(_) => {
            let all = crate::references(db, file, offset, true)
                .into_iter()
                .filter(|t| t.file == file && !t.focus.is_empty());
            let definition = crate::definition(db, file, offset);
            all.map(|t| Highlight { range: t.focus, is_write: definition.contains(&t) }).collect()
        }
        _ => vec![Highlight { range: located.range, is_write: false }],
    };
    out.sort_by_key(|h| (h.range.start(), h.range.end()));
    out.dedup_by_key(|h| h.range);
    out
}

/// A name of a query: the same word wherever it leads to the same definition.
fn local(db: &dyn Db, file: File, offset: TextSize, name: &str, definition: TextRange) -> Vec<Highlight> {
    let mut out = vec![Highlight { range: definition, is_write: true }];
    let Some((_, body, _)) = crate::place::query_at(db, file, offset) else { return out };
    for token in
        tokens(&body.text).into_iter().filter(|t| matches!(t.kind, TokenKind::Word | TokenKind::Quoted))
    {
        if token.text(&body.text).trim_matches(['`', '"']) != name {
            continue;
        }
        let range = body.to_source(token.range);
        let same = locate(db, file, range.start())
            .is_some_and(|l| matches!(l.what, What::Local { definition: d, .. } if d == definition));
        if same {
            out.push(Highlight { range, is_write: range == definition });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_test_fixture::Fixture;

    fn marked(text: &str) -> Vec<String> {
        let fixture = Fixture::parse(text);
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.expect("a cursor");
        let text = files[index].text(&db);
        highlights(&db, files[index], offset)
            .into_iter()
            .map(|h| {
                format!(
                    "{}{}@{}",
                    if h.is_write { "!" } else { "" },
                    &text[h.range],
                    usize::from(h.range.start())
                )
            })
            .collect()
    }

    #[test]
    fn columns_names_and_parameters_are_found_in_the_file() {
        let source = "//- a.datasource\nSCHEMA >\n  x String\n";
        assert_eq!(
            marked(&format!("{source}//- p.pipe\nNODE n\nSQL >\n  SELECT x$0 AS y FROM a WHERE x != ''\n")),
            ["x@22", "x@42"]
        );
        assert_eq!(
            marked(&format!(
                "{source}//- p.pipe\nNODE n\nSQL >\n  WITH q AS (SELECT x FROM a) SELECT * FROM q$0\n"
            )),
            ["!q@20", "q@57"]
        );
        assert_eq!(
            marked(
                "//- p.pipe\nNODE n\nSQL >\n  %\n  SELECT {{Int32(p$0, 1)}} {% if defined(p) %}{% end %}\n"
            ),
            ["!p@34", "p@56"]
        );
        assert_eq!(
            marked("//- a.datasource\nSCHEMA >\n  x$0 String\nENGINE_SORTING_KEY x\n"),
            ["!x@11", "x@39"]
        );
    }
}
