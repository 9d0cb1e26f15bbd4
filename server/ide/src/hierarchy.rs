//! Lineage as hierarchies that every editor can show: resources as calls (who reads calls what is read), columns as
//! types (what a column is made of is above it).

use headwater_analysis::flow::output;
use headwater_analysis::lineage::{ColumnVertex, consumers, producers};
use headwater_analysis::{Db, File, TextRange, TextSize, Vertex, graph};

use crate::columns::{definition_or_table, type_of};
use crate::locate::{What, all, definition_of, label, locate, noun};
use crate::{SymbolKind, Target};

/// A resource or node in the call hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowItem {
    /// What it is.
    pub vertex: Vertex,
    /// Its name.
    pub name: String,
    /// "data source", "endpoint"…
    pub detail: String,
    /// Its icon.
    pub kind: SymbolKind,
    /// Where it is.
    pub target: Target,
}

/// A neighbour, and where the one that reads says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowCall {
    /// The neighbour.
    pub item: FlowItem,
    /// Places in the file of the one that reads or writes.
    pub places: Vec<TextRange>,
}

/// A column in the type hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnItem {
    /// What it is.
    pub column: ColumnVertex,
    /// `events.ts`
    pub name: String,
    /// Its type and what has it.
    pub detail: String,
    /// Where it is.
    pub target: Target,
}

/// The resource or node at a place; before the first node that of the file.
pub fn flow_item(db: &dyn Db, file: File, offset: TextSize) -> Option<FlowItem> {
    let vertex = match locate(db, file, offset).map(|l| l.what) {
        Some(What::Vertex(vertex)) => vertex,
        Some(What::Column(column)) => column.vertex,
        _ => {
            file.kind(db)?;
            let nodes = headwater_analysis::datafile(db, file);
            let node = nodes.datafile.nodes().iter().rposition(|n| n.range().contains_inclusive(offset));
            node.map_or_else(|| output(db, file), |n| Vertex { file, node: Some(n) })
        }
    };
    Some(item(db, vertex))
}

/// The item of a vertex.
pub fn item(db: &dyn Db, vertex: Vertex) -> FlowItem {
    let kind = match (vertex.node, noun(db, vertex)) {
        (Some(_), _) => SymbolKind::Node,
        (None, "connection") => SymbolKind::Connection,
        (None, "pipe") => SymbolKind::Pipe,
        _ => SymbolKind::Datasource,
    };
    FlowItem {
        vertex,
        name: label(db, vertex),
        detail: noun(db, vertex).to_owned(),
        kind,
        target: definition_of(db, vertex),
    }
}

/// Who reads it, or is filled by it.
pub fn readers(db: &dyn Db, vertex: Vertex) -> Vec<FlowCall> {
    let graph = graph(db, vertex.file.project(db));
    let next = graph.downstream(vertex).iter().map(|(v, _)| *v);
    calls(db, next, |reader| (reader, vertex))
}

/// What it reads, or is filled by.
pub fn sources(db: &dyn Db, vertex: Vertex) -> Vec<FlowCall> {
    let graph = graph(db, vertex.file.project(db));
    let next = graph.upstream(vertex).iter().map(|(v, _)| *v);
    calls(db, next, |source| (vertex, source))
}

fn calls(
    db: &dyn Db,
    next: impl Iterator<Item = Vertex>,
    pair: impl Fn(Vertex) -> (Vertex, Vertex),
) -> Vec<FlowCall> {
    let mut out: Vec<FlowCall> = Vec::new();
    for vertex in next {
        if out.iter().any(|c| c.item.vertex == vertex) {
            continue;
        }
        let (reader, source) = pair(vertex);
        let whole = definition_of(db, reader).range;
        let mut places: Vec<TextRange> = all(db, reader.file)
            .into_iter()
            .filter(|l| {
                l.what == What::Vertex(source) && (reader.node.is_none() || whole.contains_range(l.range))
            })
            .map(|l| l.range)
            .collect();
        // A data source that a view fills is named by the view.
        if places.is_empty() {
            places.push(definition_of(db, reader).focus);
        }
        out.push(FlowCall { item: item(db, vertex), places });
    }
    out
}

/// The column at a place.
pub fn column_item(db: &dyn Db, file: File, offset: TextSize) -> Option<ColumnItem> {
    match locate(db, file, offset)?.what {
        What::Column(column) => Some(of_column(db, column)),
        _ => None,
    }
}

/// The item of a column.
pub fn of_column(db: &dyn Db, column: ColumnVertex) -> ColumnItem {
    let ty = type_of(db, &column).map(|ty| format!("{ty} · ")).unwrap_or_default();
    ColumnItem {
        name: format!("{}.{}", label(db, column.vertex), column.column),
        detail: format!("{ty}{}", noun(db, column.vertex)),
        target: definition_or_table(db, &column),
        column,
    }
}

/// The columns that a column's value is made of.
pub fn made_of(db: &dyn Db, column: &ColumnVertex) -> Vec<ColumnItem> {
    let steps = producers(db, column).into_iter().filter(|s| s.flow.carries_value()).map(|s| s.from);
    unique(db, steps)
}

/// The columns that its value goes into.
pub fn goes_into(db: &dyn Db, column: &ColumnVertex) -> Vec<ColumnItem> {
    let steps = consumers(db, column).into_iter().filter(|s| s.flow.carries_value());
    unique(db, steps.filter_map(|s| Some(ColumnVertex { vertex: s.to, column: s.column? })))
}

fn unique(db: &dyn Db, columns: impl Iterator<Item = ColumnVertex>) -> Vec<ColumnItem> {
    let mut out: Vec<ColumnItem> = Vec::new();
    for column in columns {
        if !out.iter().any(|c| c.column == column) {
            out.push(of_column(db, column));
        }
    }
    out
}

/// A column by the name of its table and its own, for clients that come back with an item.
pub fn column_of(db: &dyn Db, vertex: Vertex, column: &str) -> Option<ColumnVertex> {
    crate::columns::relation(db, vertex).column(column)?;
    Some(ColumnVertex { vertex, column: column.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_test_fixture::Fixture;

    const FLOW: &str = "//- a.datasource\nSCHEMA >\n  x$0 String\n//- b.datasource\nSCHEMA >\n  y String\n\
        //- v.pipe\nNODE n\nSQL >\n  SELECT lower(x) AS y FROM a\nTYPE materialized\nDATASOURCE b\n\
        //- e.pipe\nNODE m\nSQL >\n  SELECT y FROM b\nTYPE endpoint\n";

    #[test]
    fn resources_are_walked_both_ways() {
        let fixture = Fixture::parse(FLOW);
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.expect("a cursor");
        let start = flow_item(&db, files[index], offset).expect("a data source");
        assert_eq!((start.name.as_str(), start.detail.as_str()), ("a", "data source"));
        let readers = readers(&db, start.vertex);
        let text = files[2].text(&db);
        let shown = |calls: &[FlowCall]| {
            calls
                .iter()
                .map(|c| format!("{} {:?}", c.item.name, c.places.len()))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(shown(&readers), "v 1");
        assert_eq!(&text[readers[0].places[0]], "a");
        let back = sources(&db, readers[0].item.vertex);
        assert_eq!(shown(&back), "a 1");
    }

    #[test]
    fn columns_are_walked_both_ways() {
        let fixture = Fixture::parse(FLOW);
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.expect("a cursor");
        let start = column_item(&db, files[index], offset).expect("a column");
        assert_eq!((start.name.as_str(), start.detail.as_str()), ("a.x", "String · data source"));
        let mut chain = vec![start.name.clone()];
        let mut at = start.column;
        while let Some(next) = goes_into(&db, &at).into_iter().next() {
            chain.push(next.name.clone());
            at = next.column;
        }
        assert_eq!(chain, ["a.x", "v.y", "b.y", "e.y"]);
        let above: Vec<_> = made_of(&db, &at).into_iter().map(|c| c.name).collect();
        assert_eq!(above, ["b.y"]);
    }
}
