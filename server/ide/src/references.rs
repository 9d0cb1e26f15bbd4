//! Find references: every place that reads, writes or names a resource, a node or a token.

use headwater_analysis::access::{grants, test_files};
use headwater_analysis::{Db, File, TextRange, TextSize, Vertex, graph};

use crate::Target;
use crate::locate::{What, all, definition_of, locate};

/// Every use of the thing at `offset`, by file and place. Linear in the files that can use it.
///
/// Standing before the first node of a file asks for the file's resource itself.
pub fn references(db: &dyn Db, file: File, offset: TextSize, include_declaration: bool) -> Vec<Target> {
    let vertex = match locate(db, file, offset).map(|l| l.what) {
        Some(What::Vertex(vertex)) => vertex,
        Some(What::Token(token)) => return token_uses(db, file, &token),
        Some(What::Column(column)) => {
            let definition = crate::columns::definition(db, &column).filter(|_| include_declaration);
            return definition.into_iter().chain(crate::columns::uses(db, &column)).collect();
        }
        Some(What::Parameter(name)) => {
            let definition = crate::parameters::definition(db, file, &name);
            let mut uses = crate::parameters::uses(db, file, &name);
            uses.retain(|u| include_declaration || Some(u) != definition.as_ref());
            return uses;
        }
        Some(What::Local { .. }) => {
            let all = crate::highlights(db, file, offset).into_iter();
            let wanted = all.filter(|h| include_declaration || !h.is_write);
            return wanted.map(|h| Target { file, range: h.range, focus: h.range }).collect();
        }
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
    if vertex == headwater_analysis::flow::output(db, vertex.file) {
        let start = TextRange::empty(TextSize::from(0));
        let tests = test_files(db, vertex.file.project(db)).get(&vertex.file);
        out.extend(tests.into_iter().flatten().map(|t| Target { file: *t, range: start, focus: start }));
    }
    out
}

/// Every line of the project that grants `token` something.
fn token_uses(db: &dyn Db, file: File, token: &str) -> Vec<Target> {
    let mut files: Vec<_> =
        grants(db, file.project(db)).get(token).into_iter().flatten().map(|g| g.0).collect();
    files.dedup();
    let places = files.into_iter().flat_map(|user| all(db, user).into_iter().map(move |l| (user, l)));
    places
        .filter(|(_, located)| matches!(&located.what, What::Token(name) if name == token))
        .map(|(file, located)| Target { file, range: located.range, focus: located.range })
        .collect()
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

    fn found(text: &str) -> Vec<String> {
        let fixture = Fixture::parse(text);
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.expect("a cursor");
        let place = |t: &Target| format!("{}@{}", t.file.path(&db), usize::from(t.focus.start()));
        references(&db, files[index], offset, true).iter().map(place).collect()
    }

    #[test]
    fn a_token_is_used_where_it_is_granted_something() {
        let text = "//- a.datasource\nTOKEN ap$0p APPEND\nSCHEMA >\n  x String\n\
             //- p.pipe\nTOKEN \"app\" READ\nTOKEN other READ\nNODE n\nSQL >\n  SELECT 1\n";
        assert_eq!(found(text), ["a.datasource@6", "p.pipe@6"]);
    }

    #[test]
    fn a_pipe_is_used_by_its_tests() {
        let text = "//- endpoints/top.pipe\nNODE n$0\nSQL >\n  SELECT 1\nTYPE endpoint\n\
             //- tests/top.yaml\n- name: a\n//- tests/other.yaml\n- name: b\n";
        assert_eq!(found(text), ["endpoints/top.pipe@5", "tests/top.yaml@0"]);
    }

    #[test]
    fn a_data_source_is_used_by_readers_and_writers() {
        let text = "//- a.datasource\nSCH$0EMA >\n  x String\n//- p.pipe\nNODE n\nSQL >\n  SELECT * FROM a JOIN a b USING x\n\
             //- q.pipe\nNODE m\nSQL >\n  SELECT 1\nTYPE materialized\nDATASOURCE a\n//- r.pipe\nNODE a\nSQL >\n  SELECT 1\nNODE o\nSQL >\n  SELECT * FROM a\n";
        // r.pipe reads its own node of that name.
        assert_eq!(found(text), ["a.datasource@0", "p.pipe@29", "p.pipe@36", "q.pipe@53"]);
    }
}
