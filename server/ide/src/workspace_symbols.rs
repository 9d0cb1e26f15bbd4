//! Project-wide symbol search.

use headwater_analysis::flow::output;
use headwater_analysis::lineage::ColumnVertex;
use headwater_analysis::{Db, FileKind, Project, Vertex, interface};

use crate::locate::definition_of;
use crate::{SymbolKind, Target};

/// A hit of the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceSymbol {
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// The pipe of a node, the data source or pipe of a column.
    pub container: Option<String>,
    /// Where it is.
    pub target: Target,
}

/// More hits help nobody; the best are kept.
const MAX_HITS: usize = 300;

/// Columns are many: they are looked for once there are so many letters.
const LETTERS_OF_COLUMNS: usize = 2;

/// Resources, nodes, and columns of schemas and of what pipes give, whose name holds the letters of `query` in order, best
/// first, at most [`MAX_HITS`]. An empty query lists resources and nodes. Reads interfaces, and the results of pipes once there
/// are letters enough: what was looked at before is remembered.
pub fn workspace_symbols(db: &dyn Db, project: Project, query: &str) -> Vec<WorkspaceSymbol> {
    let mut hits: Vec<Hit<'_>> = Vec::new();
    let wants_columns = query.chars().count() >= LETTERS_OF_COLUMNS;
    for file in project.files(db).iter() {
        let Some(face) = interface(db, *file) else { continue };
        let kind = match face.kind {
            FileKind::Datasource => SymbolKind::Datasource,
            FileKind::Pipe => SymbolKind::Pipe,
            FileKind::Connection => SymbolKind::Connection,
            FileKind::Include => continue,
            FileKind::Token => SymbolKind::Token,
        };
        let mut push = |name, kind, container, node| {
            if let Some(score) = score(name, query) {
                hits.push(Hit { score, name, kind, container, vertex: Vertex { file: *file, node } });
            }
        };
        push(&face.name, kind, None, None);
        for (n, node) in face.nodes.iter().enumerate().filter(|(_, n)| !n.name.is_empty()) {
            push(&node.name, SymbolKind::Node, Some(&face.name), Some(n));
        }
        for column in face.columns.iter().filter(|_| wants_columns) {
            push(&column.name, SymbolKind::Column, Some(&face.name), None);
        }
        if face.kind == FileKind::Pipe && wants_columns {
            let vertex = output(db, *file);
            for column in &crate::columns::relation(db, vertex).columns {
                if let Some(name) = column.name.as_deref() {
                    push(name, SymbolKind::Column, Some(&face.name), vertex.node);
                }
            }
        }
    }
    // What holds others stands before what is in it.
    let key = |h: &Hit<'_>| (h.score, h.kind == SymbolKind::Column);
    hits.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| (a.name, a.container).cmp(&(b.name, b.container))));
    hits.truncate(MAX_HITS);
    hits.into_iter()
        .map(|hit| {
            let target = match hit.kind {
                SymbolKind::Column => {
                    let column = ColumnVertex { vertex: hit.vertex, column: hit.name.to_owned() };
                    crate::columns::definition_or_table(db, &column)
                }
                _ => definition_of(db, hit.vertex),
            };
            let container = hit.container.map(str::to_owned);
            WorkspaceSymbol { name: hit.name.to_owned(), kind: hit.kind, container, target }
        })
        .collect()
}

/// What was found, before anybody looks where it stands.
struct Hit<'a> {
    score: usize,
    name: &'a str,
    kind: SymbolKind,
    container: Option<&'a str>,
    vertex: Vertex,
}

/// Lower is better: exact, prefix, substring, then letters in order by how far apart they stand.
fn score(name: &str, query: &str) -> Option<usize> {
    let (name, query) = (name.to_lowercase(), query.to_lowercase());
    if query.is_empty() || name == query {
        return Some(0);
    }
    if let Some(at) = name.find(&query) {
        return Some(1 + at.min(100));
    }
    let mut spread = 200;
    let mut rest = name.char_indices();
    let mut last = 0;
    for wanted in query.chars() {
        let (at, _) = rest.find(|(_, c)| *c == wanted)?;
        spread += at - last;
        last = at;
    }
    Some(spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_test_fixture::Fixture;

    #[test]
    fn nearer_names_come_first() {
        let (db, project, _) = Fixture::parse(
            "//- page_hits.datasource\n//- hits.datasource\n//- p.pipe\nNODE hourly_it\nSQL >\n SELECT 1\n",
        )
        .load();
        let names =
            |q: &str| workspace_symbols(&db, project, q).into_iter().map(|s| s.name).collect::<Vec<_>>();
        assert_eq!(names("hit"), ["hits", "page_hits", "hourly_it"]);
        assert_eq!(names("pgh"), ["page_hits"]);
        assert_eq!(names("").len(), 4);
    }

    #[test]
    fn columns_are_found_by_their_letters() {
        let (db, project, files) = Fixture::parse(
            "//- a.datasource\nSCHEMA >\n  session_id String,\n  at DateTime\n//- sessions.datasource\nSCHEMA >\n  session_id String\n",
        )
        .load();
        let found = |q: &str| {
            let symbols = workspace_symbols(&db, project, q).into_iter();
            symbols.map(|s| format!("{}.{}", s.container.unwrap_or_default(), s.name)).collect::<Vec<_>>()
        };
        assert_eq!(found("sess"), [".sessions", "a.session_id", "sessions.session_id"]);
        assert_eq!(found("s"), [".sessions"], "one letter means many columns");
        let first = workspace_symbols(&db, project, "sid").remove(0);
        assert_eq!((&files[0].text(&db)[first.target.focus], first.kind), ("session_id", SymbolKind::Column));
    }

    #[test]
    fn columns_of_pipes_are_found_where_they_are_given() {
        let (db, project, files) = Fixture::parse(
            "//- a.datasource\nSCHEMA >\n  visitor String\n\
             //- top.pipe\nNODE n\nSQL >\n  SELECT visitor, count() AS visit_count FROM a GROUP BY visitor\nTYPE endpoint\n",
        )
        .load();
        let found: Vec<_> = workspace_symbols(&db, project, "visit")
            .into_iter()
            .map(|s| (s.container.unwrap_or_default(), s.name, s.target))
            .collect();
        let names: Vec<_> = found.iter().map(|(c, n, _)| format!("{c}.{n}")).collect();
        assert_eq!(names, ["top.visit_count", "a.visitor", "top.visitor"]);
        assert_eq!(&files[1].text(&db)[found[0].2.focus], "visit_count");
    }

    #[test]
    fn a_list_of_hits_ends() {
        let columns: Vec<String> = (0..400).map(|n| format!("  column_{n} String")).collect();
        let text = format!("//- wide.datasource\nSCHEMA >\n{}\n", columns.join(",\n"));
        let (db, project, _) = Fixture::parse(&text).load();
        assert_eq!(workspace_symbols(&db, project, "column").len(), MAX_HITS);
    }
}
