//! Where things are defined, declared and implemented, and what their type is.

use headwater_analysis::flow::output;
use headwater_analysis::{Db, EdgeKind, File, TextSize, Vertex, graph};

use crate::Target;
use crate::columns::{self, start};
use crate::locate::{What, definition_of, locate};

/// Where the thing at `offset` is defined. Empty when there is nothing, or when it is not the project's.
pub fn definition(db: &dyn Db, file: File, offset: TextSize) -> Vec<Target> {
    match locate(db, file, offset).map(|l| l.what) {
        Some(What::Vertex(vertex)) => vec![definition_of(db, vertex)],
        Some(What::Include(target)) => vec![Target { file: target, range: start(), focus: start() }],
        Some(What::Column(column)) => vec![columns::definition_or_table(db, &column)],
        Some(What::Local { definition, .. }) => vec![Target { file, range: definition, focus: definition }],
        Some(What::Parameter(name)) => crate::parameters::definition(db, file, &name).into_iter().collect(),
        // A token has no definition: every place that grants it something is one of its uses.
        _ => Vec::new(),
    }
}

/// Where the thing at `offset` is first said to exist: of a column what it is made of, back to the data source; of
/// everything else its definition.
pub fn declaration(db: &dyn Db, file: File, offset: TextSize) -> Vec<Target> {
    let Some(What::Column(column)) = locate(db, file, offset).map(|l| l.what) else {
        return definition(db, file, offset);
    };
    let steps = headwater_analysis::lineage::upstream(db, &column);
    let origins = steps.iter().filter(|s| s.flow.carries_value() && s.from.vertex.node.is_none());
    let mut found: Vec<_> = origins.map(|s| columns::definition_or_table(db, &s.from)).collect();
    found.dedup();
    if found.is_empty() { definition(db, file, offset) } else { found }
}

/// The table that a column belongs to; the data source that a view or copy fills; the connection of a data source.
pub fn type_definition(db: &dyn Db, file: File, offset: TextSize) -> Vec<Target> {
    let vertex = match locate(db, file, offset).map(|l| l.what) {
        Some(What::Column(column)) => return vec![definition_of(db, column.vertex)],
        Some(What::Vertex(vertex)) => vertex,
        _ => return Vec::new(),
    };
    let graph = graph(db, file.project(db));
    let down = graph.downstream(vertex).iter();
    let written =
        down.filter(|(_, kind)| matches!(kind, EdgeKind::Materialize | EdgeKind::Copy)).map(|(v, _)| *v);
    let fed = graph.upstream(vertex).iter().filter(|(_, kind)| *kind == EdgeKind::Connect).map(|(v, _)| *v);
    written.chain(fed).map(|v| definition_of(db, v)).collect()
}

/// What fills a data source: its views and copies; of a pipe the node that it publishes; of a column the columns that
/// it is made of.
pub fn implementation(db: &dyn Db, file: File, offset: TextSize) -> Vec<Target> {
    let vertex = match locate(db, file, offset).map(|l| l.what) {
        Some(What::Column(column)) => {
            let steps = headwater_analysis::lineage::producers(db, &column).into_iter();
            let mut found: Vec<_> = steps
                .filter(|s| s.flow.carries_value())
                .map(|s| columns::definition_or_table(db, &s.from))
                .collect();
            found.dedup();
            return found;
        }
        Some(What::Vertex(vertex)) => vertex,
        Some(What::Directive(_)) => output(db, file),
        _ => return Vec::new(),
    };
    let graph = graph(db, file.project(db));
    let up = graph.upstream(vertex).iter();
    let writers: Vec<Vertex> = up
        .filter(|(_, kind)| matches!(kind, EdgeKind::Materialize | EdgeKind::Copy))
        .map(|(v, _)| *v)
        .collect();
    let found = if writers.is_empty() && vertex.node.is_some() { vec![vertex] } else { writers };
    found.into_iter().map(|v| definition_of(db, v)).collect()
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

    const FLOW: &str = "//- a.datasource\nSCHEMA >\n  x String,\n  y UInt8\n//- b.datasource\nSCHEMA >\n  z String\n\
        //- v.pipe\nNODE n\nSQL >\n  SELECT <1>x AS z FROM a\nTYPE materialized\nDATASOURCE <2>b\n\
        //- e.pipe\nNODE m\nSQL >\n  WITH q AS (SELECT z FROM b) SELECT lower(<3>z) AS w FROM <4>q\nTYPE endpoint\n";

    fn at(mark: &str, ask: fn(&dyn Db, File, TextSize) -> Vec<Target>) -> Vec<String> {
        let mut text = FLOW.replace(mark, "$0");
        for other in ["<1>", "<2>", "<3>", "<4>"] {
            text = text.replace(other, "");
        }
        let fixture = Fixture::parse(&text);
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.expect("a cursor");
        let found = ask(&db, files[index], offset);
        found.iter().map(|t| format!("{} {:?}", t.file.path(&db), &t.file.text(&db)[t.focus])).collect()
    }

    #[test]
    fn columns_lead_to_schemas_aliases_and_origins() {
        assert_eq!(at("<1>", definition), ["a.datasource \"x\""]);
        assert_eq!(at("<3>", definition), ["b.datasource \"z\""]);
        assert_eq!(at("<4>", definition), ["e.pipe \"q\""]);
        assert_eq!(at("<3>", declaration), ["a.datasource \"x\""]);
        assert_eq!(at("<3>", implementation), ["v.pipe \"z\""]);
        assert_eq!(at("<2>", implementation), ["v.pipe \"n\""]);
        assert_eq!(at("<3>", type_definition), ["b.datasource \"\""]);
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
