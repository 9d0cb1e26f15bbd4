//! Find references: every place that reads, writes or names a resource or node.

use headwater_analysis::{Db, File, TextSize, Vertex, graph};

use crate::Target;
use crate::locate::{What, all, definition_of, locate};

/// Every use of the thing at `offset`, by file and place. Linear in the files that can use it.
///
/// Standing before the first node of a file asks for the file's resource itself.
pub fn references(db: &dyn Db, file: File, offset: TextSize, include_declaration: bool) -> Vec<Target> {
    let vertex = match locate(db, file, offset).map(|l| l.what) {
        Some(What::Vertex(vertex)) => vertex,
        Some(What::Directive(_)) | None if file.kind(db).is_some() => {
            headwater_analysis::flow::output(db, file)
        }
        _ => return Vec::new(),
    };
    let mut out = Vec::new();
    if include_declaration {
        out.push(definition_of(db, vertex));
    }
    let graph = graph(db, file.project(db));
    // Neighbours in the graph are the only files with uses; reading the others would cost the project's size.
    let mut files: Vec<File> =
        graph.downstream(vertex).iter().chain(graph.upstream(vertex)).map(|(v, _)| v.file).collect();
    files.push(vertex.file);
    files.sort_by_key(|f| f.path(db).clone());
    files.dedup();
    let definition = definition_of(db, vertex);
    for user in files {
        for located in all(db, user) {
            let is_declaration = user == definition.file && located.range == definition.focus;
            if located.what == What::Vertex(vertex) && !is_declaration {
                out.push(Target { file: user, range: located.range, focus: located.range });
            }
        }
    }
    out
}

/// All places that use `vertex`, without its definition.
pub(crate) fn uses(db: &dyn Db, vertex: Vertex) -> Vec<Target> {
    let focus = definition_of(db, vertex).focus;
    references(db, vertex.file, focus.start(), false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_test_fixture::Fixture;

    #[test]
    fn a_data_source_is_used_by_readers_and_writers() {
        let fixture = Fixture::parse(
            "//- a.datasource\nSCH$0EMA >\n  x String\n//- p.pipe\nNODE n\nSQL >\n  SELECT * FROM a JOIN a b USING x\n\
             //- q.pipe\nNODE m\nSQL >\n  SELECT 1\nTYPE materialized\nDATASOURCE a\n//- r.pipe\nNODE a\nSQL >\n  SELECT 1\nNODE o\nSQL >\n  SELECT * FROM a\n",
        );
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.expect("a cursor");
        let got: Vec<_> = references(&db, files[index], offset, true)
            .iter()
            .map(|t| format!("{}@{}", t.file.path(&db), usize::from(t.focus.start())))
            .collect();
        // r.pipe reads its own node of that name.
        assert_eq!(got, ["a.datasource@0", "p.pipe@29", "p.pipe@36", "q.pipe@53"]);
    }
}
