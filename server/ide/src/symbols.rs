//! Outline of a file: columns of a data source, nodes of a pipe, and the directives around them.

use headwater_analysis::syntax::schema;
use headwater_analysis::{Db, Directive, File, FileKind, TextRange, datafile, interface};

/// An entry of the outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Name.
    pub name: String,
    /// Type or the like.
    pub detail: Option<String>,
    /// What it is.
    pub kind: SymbolKind,
    /// All of it.
    pub range: TextRange,
    /// Its name.
    pub focus: TextRange,
    /// What is inside.
    pub children: Vec<Symbol>,
}

/// What a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SymbolKind {
    /// A data source.
    Datasource,
    /// A pipe.
    Pipe,
    /// A node of a pipe.
    Node,
    /// A column.
    Column,
    /// A connection.
    Connection,
    /// A directive with its value.
    Directive,
    /// A static token.
    Token,
}

/// The outline of a file, in order of position.
pub fn document_symbols(db: &dyn Db, file: File) -> Vec<Symbol> {
    let parsed = datafile(db, file);
    let datafile = &parsed.datafile;
    let face = interface(db, file).as_ref();
    let mut out = Vec::new();
    for entry in datafile.header().iter().filter(|e| e.source == 0) {
        let Some(directive) = entry.entry.directive else { continue };
        let text = datafile.text();
        let value = entry.entry.value(text).filter(|_| directive != Directive::Schema);
        let mut symbol = Symbol {
            name: directive.name().to_owned(),
            detail: value.clone(),
            kind: SymbolKind::Directive,
            range: entry.entry.full_range(),
            focus: entry.entry.keyword,
            children: Vec::new(),
        };
        match directive {
            Directive::Token => {
                let Some(name) = entry.entry.args.first() else { continue };
                symbol.name = text[*name].trim_matches(['"', '\'']).to_owned();
                symbol.detail = entry.entry.args.get(1).map(|r| text[*r].to_owned());
                symbol.kind = SymbolKind::Token;
                symbol.focus = *name;
            }
            Directive::Schema => symbol.children = columns(text, &entry.entry),
            _ => {}
        }
        out.push(symbol);
    }
    if file.kind(db) == Some(FileKind::Pipe) {
        for node in datafile.nodes().iter().filter(|n| n.header().source == 0) {
            let focus = node.name().map_or(node.header().entry.keyword, |n| n.range);
            let fact = face.and_then(|f| f.nodes.get(node.index));
            let reads = fact.map(|f| f.reads.iter().map(|r| r.name.as_str()).collect::<Vec<_>>().join(", "));
            let detail = match (node.node_type(), reads.filter(|r| !r.is_empty())) {
                (Some(ty), Some(reads)) => Some(format!("{ty} ← {reads}")),
                (Some(ty), None) => Some(ty),
                (None, reads) => reads.map(|r| format!("← {r}")),
            };
            let name = node.name().map_or_else(|| "NODE".to_owned(), |n| n.value);
            let children = Vec::new();
            out.push(Symbol { name, detail, kind: SymbolKind::Node, range: node.range(), focus, children });
        }
    }
    out
}

fn columns(text: &str, entry: &headwater_analysis::syntax::scan::Entry) -> Vec<Symbol> {
    let body = entry.body(text);
    schema::parse(&body.text)
        .columns
        .into_iter()
        .map(|c| Symbol {
            name: c.name.value,
            detail: c.ty.map(|t| t.value),
            kind: SymbolKind::Column,
            range: body.to_source(c.range),
            focus: body.to_source(c.name.range),
            children: Vec::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use headwater_test_fixture::Fixture;

    fn render(symbols: &[Symbol], depth: usize, out: &mut String) {
        for s in symbols {
            *out += &format!("{:depth$}{} {:?} {}\n", "", s.name, s.kind, s.detail.as_deref().unwrap_or(""));
            assert!(s.range.contains_range(s.focus), "{s:?}");
            render(&s.children, depth + 2, out);
        }
    }

    #[test]
    fn outline_lists_columns_and_nodes() {
        let (db, _, files) = Fixture::parse(
            "//- a.datasource\nTOKEN \"w\" APPEND\nSCHEMA >\n  # note\n  x String,\n  y UInt8\nENGINE MergeTree\n\
             //- p.pipe\nDESCRIPTION hi\nNODE n\nSQL >\n  SELECT * FROM a\nNODE m\nSQL >\n  SELECT * FROM n\nTYPE endpoint\n",
        )
        .load();
        let mut out = String::new();
        for file in files {
            render(&document_symbols(&db, file), 0, &mut out);
        }
        expect![[r"
            w Token APPEND
            SCHEMA Directive 
              x Column String
              y Column UInt8
            ENGINE Directive MergeTree
            DESCRIPTION Directive hi
            n Node ← a
            m Node endpoint ← n
        "]]
        .assert_eq(&out);
    }
}
