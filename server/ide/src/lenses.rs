//! Code lenses: on every resource and node, what flows downstream of it.

use headwater_analysis::flow::Graph;
use headwater_analysis::{Db, File, FileKind, TextRange, Vertex, datafile, graph};

use crate::Target;
use crate::locate::definition_of;
use crate::references::uses;

/// A line above a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lens {
    /// Where it belongs.
    pub range: TextRange,
    /// "→ 2 nodes · 1 endpoint".
    pub title: String,
    /// What opens on a click: the direct uses first, then everything further downstream.
    pub downstream: Vec<Target>,
}

/// Lenses of a file, in order of position. Nothing downstream, no lens: silence is the common case.
pub fn code_lenses(db: &dyn Db, file: File) -> Vec<Lens> {
    let parsed = datafile(db, file);
    let graph = graph(db, file.project(db));
    let Some(first) = parsed.datafile.entries.iter().find(|e| e.source == 0) else { return Vec::new() };
    match file.kind(db) {
        Some(FileKind::Datasource | FileKind::Connection) => {
            let vertex = Vertex { file, node: None };
            lens(db, graph, vertex, first.entry.line).into_iter().collect()
        }
        Some(FileKind::Pipe) => {
            let nodes = parsed.datafile.nodes();
            let own = nodes.iter().filter(|n| n.header().source == 0);
            own.filter_map(|n| {
                let vertex = Vertex { file, node: Some(n.index) };
                lens(db, graph, vertex, n.header().entry.line)
            })
            .collect()
        }
        _ => Vec::new(),
    }
}

fn lens(db: &dyn Db, graph: &Graph, vertex: Vertex, range: TextRange) -> Option<Lens> {
    let all = graph.all_downstream(vertex);
    let summary = graph.impact(db, &all).summary()?;
    let mut downstream = uses(db, vertex);
    for further in all {
        let target = definition_of(db, further);
        let direct = downstream.iter().any(|d| d.file == target.file && target.range.contains_range(d.focus));
        // Connections end a flow; what people look for is the sink before them.
        let counts = further.node.is_some() || further.file.kind(db) == Some(FileKind::Datasource);
        if !direct && counts {
            downstream.push(target);
        }
    }
    Some(Lens { range, title: format!("→ {summary}"), downstream })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use headwater_test_fixture::Fixture;

    #[test]
    fn every_resource_says_what_flows_out_of_it() {
        let (db, _, files) = Fixture::parse(
            "//- hits.datasource\nSCHEMA >\n  x String\n//- daily.datasource\nSCHEMA >\n  x String\n\
             //- daily_mv.pipe\nNODE n\nSQL >\n  SELECT * FROM hits\nTYPE materialized\nDATASOURCE daily\n\
             //- top.pipe\nNODE a\nSQL >\n  SELECT * FROM daily\nNODE b\nSQL >\n  SELECT * FROM a\nTYPE endpoint\n",
        )
        .load();
        let mut out = String::new();
        for file in files {
            for lens in code_lenses(&db, file) {
                let targets: Vec<_> = lens
                    .downstream
                    .iter()
                    .map(|t| format!("{}:{:?}", t.file.path(&db), &t.file.text(&db)[t.focus]))
                    .collect();
                let line = &file.text(&db)[lens.range];
                out += &format!("{} | {line} | {} | {}\n", file.path(&db), lens.title, targets.join(" "));
            }
        }
        expect![[r#"
            hits.datasource | SCHEMA > | → 1 node · 1 materialized view · 1 data source · 1 endpoint | daily_mv.pipe:"hits" daily.datasource:"" top.pipe:"a" top.pipe:"b"
            daily.datasource | SCHEMA > | → 1 node · 1 endpoint | daily_mv.pipe:"daily" top.pipe:"daily" top.pipe:"b"
            daily_mv.pipe | NODE n | → 1 node · 1 data source · 1 endpoint | daily.datasource:"" top.pipe:"a" top.pipe:"b"
            top.pipe | NODE a | → 1 endpoint | top.pipe:"a"
        "#]]
        .assert_eq(&out);
    }
}
