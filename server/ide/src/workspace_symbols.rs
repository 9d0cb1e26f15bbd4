//! Project-wide symbol search.

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
    /// The pipe of a node.
    pub container: Option<String>,
    /// Where it is.
    pub target: Target,
}

/// Resources and nodes whose name holds the letters of `query` in order, best first. An empty query lists all.
pub fn workspace_symbols(db: &dyn Db, project: Project, query: &str) -> Vec<WorkspaceSymbol> {
    let mut hits = Vec::new();
    for file in project.files(db).iter() {
        let Some(face) = interface(db, *file) else { continue };
        let kind = match face.kind {
            FileKind::Datasource => SymbolKind::Datasource,
            FileKind::Pipe => SymbolKind::Pipe,
            FileKind::Connection => SymbolKind::Connection,
            FileKind::Include => continue,
            FileKind::Token => SymbolKind::Token,
        };
        let mut push = |name: &str, kind, container: Option<&str>, node| {
            if let Some(score) = score(name, query) {
                let target = definition_of(db, Vertex { file: *file, node });
                let container = container.map(str::to_owned);
                hits.push((score, WorkspaceSymbol { name: name.to_owned(), kind, container, target }));
            }
        };
        push(&face.name, kind, None, None);
        for (n, node) in face.nodes.iter().enumerate().filter(|(_, n)| !n.name.is_empty()) {
            push(&node.name, SymbolKind::Node, Some(&face.name), Some(n));
        }
    }
    hits.sort_by(|(a, x), (b, y)| {
        let key = |s: &WorkspaceSymbol| (s.name.clone(), s.container.clone());
        a.cmp(b).then_with(|| key(x).cmp(&key(y)))
    });
    hits.into_iter().map(|(_, symbol)| symbol).collect()
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
}
