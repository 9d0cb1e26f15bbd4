//! Go to definition: of tables in queries, targets, connections and included files.

use headwater_analysis::{Db, File, TextRange, TextSize};

use crate::Target;
use crate::locate::{What, definition_of, locate};

/// Where the thing at `offset` is defined. Empty when there is nothing, or when it is not the project's.
pub fn definition(db: &dyn Db, file: File, offset: TextSize) -> Vec<Target> {
    match locate(db, file, offset).map(|l| l.what) {
        Some(What::Vertex(vertex)) => vec![definition_of(db, vertex)],
        Some(What::Include(target)) => {
            let start = TextRange::empty(TextSize::from(0));
            vec![Target { file: target, range: start, focus: start }]
        }
        // A token has no definition: every place that grants it something is one of its uses.
        Some(What::Service { .. } | What::Directive(_) | What::Token(_)) | None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_test_fixture::Fixture;

    fn check(text: &str, expected: &str) {
        let fixture = Fixture::parse(text);
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.expect("a cursor");
        let got: Vec<_> = definition(&db, files[index], offset)
            .iter()
            .map(|t| format!("{} {:?}", t.file.path(&db), &t.file.text(&db)[t.focus]))
            .collect();
        assert_eq!(got.join("\n"), expected);
    }

    #[test]
    fn a_table_leads_to_its_file_and_a_node_to_its_line() {
        check(
            "//- datasources/events.datasource\nSCHEMA >\n  a String\n//- pipes/p.pipe\nNODE n\nSQL >\n  SELECT * FROM ev$0ents\n",
            "datasources/events.datasource \"\"",
        );
        check(
            "//- pipes/p.pipe\nNODE n\nSQL >\n  SELECT 1\nNODE m\nSQL >\n  %\n  SELECT * FROM {% if defined(x) %}n$0{% else %}q{% end %}\n",
            "pipes/p.pipe \"n\"",
        );
    }

    #[test]
    fn targets_connections_and_includes_lead_to_files() {
        check(
            "//- a.datasource\nSCHEMA >\n  a String\n//- p.pipe\nNODE n\nSQL >\n  SELECT 1\nTYPE copy\nTARGET_DATASOURCE $0a\n",
            "a.datasource \"\"",
        );
        check(
            "//- k.connection\nTYPE kafka\n//- a.datasource\nKAFKA_CONNECTION_NAME k$0\n",
            "k.connection \"\"",
        );
        check(
            "//- .tinyenv\n//- i/x.incl\nTYPE copy\n//- p/a.pipe\nINCLUDE \"../i/x.i$0ncl\"\n",
            "i/x.incl \"\"",
        );
    }
}
