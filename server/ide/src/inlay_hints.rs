//! Inlay hints: behind a column of a schema what depends on it, behind a selected value its type.

use headwater_analysis::lineage::{ColumnVertex, impact};
use headwater_analysis::syntax::schema;
use headwater_analysis::{
    Config, Db, Directive, File, FileKind, HintKind, TextRange, TextSize, Vertex, datafile, semantics,
};

/// Text that is shown behind a place and is not part of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlayHint {
    /// It stands behind this.
    pub offset: TextSize,
    /// The text.
    pub label: String,
    /// Which switch of `headwater.toml` turns it off.
    pub kind: HintKind,
}

/// The hints of a file that lie in `range`, in order of position.
pub fn inlay_hints(db: &dyn Db, file: File, range: TextRange) -> Vec<InlayHint> {
    let config = file.project(db).config(db);
    let mut hints = match file.kind(db) {
        Some(FileKind::Datasource) if config.shows(HintKind::Impact) => columns(db, file),
        Some(FileKind::Pipe) => values(db, file, config),
        _ => Vec::new(),
    };
    hints.retain(|hint| range.contains_inclusive(hint.offset));
    hints.sort_by(|a, b| (a.offset, &a.label).cmp(&(b.offset, &b.label)));
    hints
}

/// `→ 3 endpoints, 1 view` behind each column.
fn columns(db: &dyn Db, file: File) -> Vec<InlayHint> {
    let parsed = datafile(db, file);
    let Some(entry) = parsed.datafile.last(Directive::Schema).filter(|e| e.source == 0) else {
        return Vec::new();
    };
    let body = entry.entry.body(parsed.datafile.text());
    let vertex = Vertex { file, node: None };
    let hints = schema::parse(&body.text).columns.into_iter().filter_map(|column| {
        let end = body.to_source(column.ty.as_ref().map_or(column.name.range, |ty| ty.range)).end();
        let label = impact(db, &ColumnVertex { vertex, column: column.name.value }).summary()?;
        Some(InlayHint { offset: end, label, kind: HintKind::Impact })
    });
    hints.collect()
}

/// The type of what a node selects.
fn values(db: &dyn Db, file: File, config: &Config) -> Vec<InlayHint> {
    let parsed = datafile(db, file);
    let mut hints = Vec::new();
    for node in parsed.datafile.nodes() {
        let Some((entry, sql)) = node.sql() else { continue };
        if entry.source != 0 {
            continue;
        }
        for column in semantics::selected(db, file, node.index) {
            let offset = sql.to_source(column.range).end();
            // Where the text says it, nothing is added.
            let text = &sql.text[column.range];
            if config.shows(HintKind::Type)
                && let Some(ty) = &column.ty
                && !text.contains('*')
            {
                hints.push(InlayHint { offset, label: format!(": {ty}"), kind: HintKind::Type });
            }
        }
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use headwater_test_fixture::Fixture;

    const PROJECT: &str = "//- hits.datasource\nSCHEMA >\n  path String,\n  `who` String `json:$.who`,\n  unused UInt8\n\
        //- daily.datasource\nSCHEMA >\n  path String\n\
        //- daily_mv.pipe\nNODE n\nSQL >\n  SELECT path FROM hits WHERE who != ''\nTYPE materialized\nDATASOURCE daily\n\
        //- top.pipe\nNODE a\nSQL >\n  SELECT path AS p FROM daily\nTYPE endpoint\n";

    fn shown(config: &str) -> String {
        let (db, _, files) = Fixture::parse(&format!("//- headwater.toml\n{config}\n{PROJECT}")).load();
        let mut out = String::new();
        for file in files {
            let text = file.text(&db);
            let all = TextRange::up_to(TextSize::of(text.as_ref()));
            for hint in inlay_hints(&db, file, all) {
                let before = &text[..usize::from(hint.offset)];
                let line = before.rsplit('\n').next().unwrap_or_default().trim();
                out += &format!("{} | {line} | {}\n", file.path(&db), hint.label);
            }
        }
        out
    }

    #[test]
    fn each_kind_has_a_switch() {
        let only_types = shown("[hints]\nimpact = false");
        assert!(!only_types.contains('→') && only_types.contains(": String"), "{only_types}");
        let only_impact = shown("[hints]\ntypes = false");
        assert!(only_impact.contains('→') && !only_impact.contains(": String"), "{only_impact}");
        assert_eq!(shown("[hints]\nimpact = false\ntypes = false"), "");
    }

    #[test]
    fn columns_say_what_depends_on_them() {
        expect![[r#"
            hits.datasource | path String | → 1 endpoint, 1 view
            hits.datasource | `who` String | → 1 endpoint, 1 view
            daily.datasource | path String | → 1 endpoint
            daily_mv.pipe | SELECT path | : String
            top.pipe | SELECT path AS p | : String
        "#]]
        .assert_eq(&shown(""));
    }
}
