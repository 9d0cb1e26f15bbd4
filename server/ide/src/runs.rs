//! What can be run from a file: tests, and previews of what a node answers. Whoever runs it has the command line.

use headwater_analysis::access::{self, test_files};
use headwater_analysis::{Db, File, FileKind, NodeType, TextRange, TextSize, datafile, interface, syntax};

/// Something that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Where it is offered.
    pub range: TextRange,
    /// What is shown.
    pub title: String,
    /// What is run.
    pub kind: RunKind,
    /// The pipe, by its resource's name.
    pub pipe: String,
    /// The case of a test, or the node of a preview; `None` for all of them, or the result.
    pub part: Option<String>,
}

/// What a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunKind {
    /// `headwater test PIPE`
    Test,
    /// `headwater preview PIPE[:NODE]`
    Preview,
}

/// Everything that can be run from a file, in order of position.
pub fn runs(db: &dyn Db, file: File) -> Vec<Run> {
    if access::is_test(db, file) {
        return cases(db, file);
    }
    let Some(face) = interface(db, file).as_ref().filter(|f| f.kind == FileKind::Pipe) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let parsed = datafile(db, file);
    for node in parsed.datafile.nodes().iter().filter(|n| n.header().source == 0 && n.sql().is_some()) {
        let Some(fact) = face.nodes.get(node.index).filter(|f| !f.name.is_empty()) else { continue };
        let range = node.header().entry.line;
        let part = (fact.ty != NodeType::Endpoint).then(|| fact.name.clone());
        out.push(Run {
            range,
            title: "▷ Preview".to_owned(),
            kind: RunKind::Preview,
            pipe: face.name.clone(),
            part,
        });
        let has_tests = test_files(db, file.project(db)).get(&file).is_some_and(|t| !t.is_empty());
        if fact.ty == NodeType::Endpoint && has_tests {
            let title = "▷ Run tests".to_owned();
            out.push(Run { range, title, kind: RunKind::Test, pipe: face.name.clone(), part: None });
        }
    }
    out
}

/// The cases of a test file, by the lines that name them.
fn cases(db: &dyn Db, file: File) -> Vec<Run> {
    let text = file.text(db);
    let pipe = file.stem(db).to_owned();
    let mut out = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let named = line.trim_start_matches(['-', ' ']).strip_prefix("name:");
        if let Some(name) = named.filter(|_| line.starts_with('-')) {
            let name = name.trim().trim_matches(['"', '\'']).to_owned();
            let end = start + line.trim_end().len();
            out.push(Run {
                range: syntax::range(start, end),
                title: "▷ Run".to_owned(),
                kind: RunKind::Test,
                pipe: pipe.clone(),
                part: Some(name).filter(|n| !n.is_empty()),
            });
        }
        start += line.len();
    }
    if let Some(first) = out.first().filter(|_| out.len() > 1) {
        let range = TextRange::empty(TextSize::from(0));
        let all = Run { range, title: "▷ Run all".to_owned(), part: None, ..first.clone() };
        out.insert(0, all);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_test_fixture::Fixture;

    #[test]
    fn nodes_are_previewed_and_cases_are_run() {
        let (db, _, files) = Fixture::parse(
            "//- endpoints/top.pipe\nNODE a\nSQL >\n  SELECT 1\nNODE b\nSQL >\n  SELECT * FROM a\nTYPE endpoint\n\
             //- tests/top.yaml\n- name: one\n  parameters: x=1\n- name: 'two'\n",
        )
        .load();
        let shown = |file: File| -> Vec<String> {
            let part = |r: &Run| r.part.as_ref().map_or_else(String::new, |p| format!(":{p}"));
            runs(&db, file).iter().map(|r| format!("{:?} {}{}", r.kind, r.pipe, part(r))).collect()
        };
        assert_eq!(shown(files[0]), ["Preview top:a", "Preview top", "Test top"]);
        assert_eq!(shown(files[1]), ["Test top", "Test top:one", "Test top:two"]);
    }
}
