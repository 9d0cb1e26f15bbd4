//! Projects as text, for tests: several files, a cursor, and annotations of what should be found where.
//!
//! ```text
//! //- pipes/top.pipe
//! NODE a
//! SQL >
//!     SELECT * FROM evnets
//!                   ^^^^^^ error[unknown-resource]: did you mean `events`
//! ```
//!
//! A line of carets names the columns of the line above it; it is taken out before the file is read. `$0` marks the
//! cursor and is taken out as well. `//- path` starts a file; text before the first goes to `pipes/main.pipe`.
//! `//- was path` is a file as it was in the baseline, which has the other files as they are; one that is only there is
//! gone now. `//- new path` is a file that the baseline does not have.
//! `//- engine path` holds what the engine says of that pipe's nodes, a line `node: words` for each that it refuses.
//! `//- .tinyenv` and `//- tinybird.config.json` set what the project's folder says.

use std::sync::Arc;

use camino::Utf8PathBuf;
use headwater_analysis::{
    Config, Content, Database, Diagnostic, File, Opinion, Project, ProjectFacts, Setter, TextRange, TextSize,
    Word, diagnostics, fingerprint, interface, semantics,
};

/// A parsed fixture.
#[derive(Debug, Default)]
pub struct Fixture {
    /// Paths and texts, without cursor and annotations.
    pub files: Vec<(String, String)>,
    /// The cursor: index into `files`, and offset.
    pub cursor: Option<(usize, TextSize)>,
    /// What should be found.
    pub annotations: Vec<Annotation>,
    /// What the engine refuses: path, node, its words.
    pub refusals: Vec<(String, String, String)>,
}

/// One line of carets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Annotation {
    /// Index into [`Fixture::files`].
    pub file: usize,
    /// Start and end offset of the marked text.
    pub range: (usize, usize),
    /// `error[code]` and the like.
    pub label: String,
    /// A part of the message; empty for any.
    pub text: String,
}

impl Fixture {
    /// Parses a fixture. Panics on a malformed one: a test must not pass by mistake.
    pub fn parse(text: &str) -> Self {
        let mut fixture = Self::default();
        let mut line_start = 0;
        let mut refusals_of: Option<String> = None;
        for line in text.split_inclusive('\n') {
            let bare = line.trim_end_matches(['\n', '\r']);
            if let Some(path) = bare.strip_prefix("//- ") {
                refusals_of = path.strip_prefix("engine ").map(|path| path.trim().to_owned());
                if refusals_of.is_some() {
                    continue;
                }
                fixture.files.push((path.trim().to_owned(), String::new()));
                line_start = 0;
                continue;
            }
            if let Some(path) = &refusals_of {
                if let Some((node, words)) = bare.split_once(": ") {
                    fixture.refusals.push((path.clone(), node.trim().to_owned(), words.to_owned()));
                }
                continue;
            }
            if fixture.files.is_empty() {
                if bare.trim().is_empty() {
                    continue;
                }
                fixture.files.push(("pipes/main.pipe".to_owned(), String::new()));
            }
            let index = fixture.files.len() - 1;
            if let Some(annotation) = annotation(bare) {
                let (carets, label, message) = annotation;
                let range = (line_start + carets.0, line_start + carets.1);
                fixture.annotations.push(Annotation { file: index, range, label, text: message });
                continue;
            }
            let file = &mut fixture.files[index].1;
            line_start = file.len();
            file.push_str(line);
            if let Some(at) = file[line_start..].find("$0") {
                let at = line_start + at;
                file.replace_range(at..at + 2, "");
                assert!(fixture.cursor.is_none(), "a fixture has one cursor");
                fixture.cursor = Some((index, TextSize::try_from(at).expect("fixtures are small")));
            }
        }
        fixture
    }

    /// Puts the fixture's files into a fresh database.
    pub fn load(&self) -> (Database, Project, Vec<File>) {
        let mut db = Database::default();
        let (project, files) = self.load_into(&mut db);
        (db, project, files)
    }

    /// Puts the fixture's files into `db`.
    pub fn load_into(&self, db: &mut Database) -> (Project, Vec<File>) {
        let project = Project::empty(db, Utf8PathBuf::from("/project"));
        let mut facts = ProjectFacts::default();
        let mut files = Vec::new();
        for (path, text) in &self.files {
            match path.as_str() {
                ".tinyenv" => facts.tinyenv = true,
                "tinybird.config.json" => facts.config_json = true,
                "headwater.toml" => {
                    let (config, problems) = Config::parse(text);
                    assert!(problems.is_empty(), "{problems:?}");
                    project.set_config(db).to(Arc::new(config));
                }
                _ => {}
            }
            if !path.starts_with(WAS) {
                let path = path.strip_prefix(NEW).unwrap_or(path);
                files.push(File::new(db, project, path.into(), Content::Text(text.as_str().into())));
            }
        }
        let sorted = by_path(db, files.clone());
        project.set_files(db).to(sorted);
        project.set_facts(db).to(facts);
        self.load_baseline(db, project, facts, &mut files);
        self.load_refusals(db, &files);
        (project, files)
    }

    fn load_refusals(&self, db: &mut Database, files: &[File]) {
        let mut opinions: Vec<(File, Vec<Opinion>)> = Vec::new();
        for (path, node, words) in &self.refusals {
            let file = *files.iter().find(|f| f.path(db) == path).expect("the engine speaks of a file");
            let face = interface(db, file).as_ref().expect("of a pipe");
            let index = face.nodes.iter().position(|n| n.name == *node).expect("of a node");
            let fingerprint = fingerprint(db, file, index);
            let all = semantics::node_renderings(db, file, index).len();
            let said = (0..all).map(|rendering| {
                let word = Word::Refuses(words.as_str().into());
                Opinion { fingerprint, rendering, word }
            });
            opinions.push((file, said.collect()));
        }
        for (file, mut said) in opinions {
            said.extend(file.opinions(db).iter().cloned());
            file.hear(db, Arc::new(said));
        }
    }

    /// The baseline, when a file has one; its files come in their places of the fixture.
    fn load_baseline(&self, db: &mut Database, project: Project, facts: ProjectFacts, files: &mut Vec<File>) {
        let was: Vec<(usize, &str, &str)> = self
            .files
            .iter()
            .enumerate()
            .filter_map(|(n, (path, text))| Some((n, path.strip_prefix(WAS)?, text.as_str())))
            .collect();
        let new: Vec<&str> = self.files.iter().filter_map(|(path, _)| path.strip_prefix(NEW)).collect();
        if was.is_empty() && new.is_empty() {
            return;
        }
        let baseline = Project::empty(db, Utf8PathBuf::from("/project"));
        let mut before = Vec::new();
        for file in files
            .iter()
            .filter(|f| was.iter().all(|(_, path, _)| f.path(db) != path))
            .filter(|f| new.iter().all(|path| f.path(db) != path))
            .copied()
            .collect::<Vec<_>>()
        {
            let (path, content) = (file.path(db).clone(), file.content(db).clone());
            before.push(File::new(db, baseline, path, content));
        }
        for (n, path, text) in was {
            let file = File::new(db, baseline, path.into(), Content::Text(text.into()));
            before.push(file);
            files.insert(n, file);
        }
        let sorted = by_path(db, before);
        baseline.set_files(db).to(sorted);
        let config = project.config(db).clone();
        baseline.set_config(db).to(config);
        baseline.set_facts(db).to(facts);
        project.set_baseline(db).to(Some(baseline));
    }

    /// Compares the diagnostics of every file with the annotations; returns a description of each difference. Columns that no
    /// query names are looked at only where a fixture shows one: examples have columns for the sake of the example.
    pub fn check_diagnostics(&self) -> Vec<String> {
        const UNUSED: &str = "unused-column";
        let (db, _, files) = self.load();
        let shows_unused = self.annotations.iter().any(|a| a.label.contains(UNUSED));
        let mut problems = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let path = &self.files[index].0;
            let mut expected: Vec<_> = self.annotations.iter().filter(|a| a.file == index).collect();
            let all = diagnostics(&db, *file);
            for found in all.iter().filter(|d| shows_unused || d.code.name != UNUSED) {
                let hit = expected.iter().position(|a| matches(a, found));
                match hit {
                    Some(n) => {
                        expected.remove(n);
                    }
                    None => {
                        problems
                            .push(format!("{path}: unexpected {}", describe(found, &self.files[index].1)));
                    }
                }
            }
            for missed in expected {
                let marked =
                    &self.files[index].1[missed.range.0..missed.range.1.min(self.files[index].1.len())];
                problems.push(format!("{path}: missing {} on {marked:?}: {}", missed.label, missed.text));
            }
        }
        problems
    }
}

/// What stands before the path of a file of the baseline.
const WAS: &str = "was ";

/// What stands before the path of a file that the baseline does not have.
const NEW: &str = "new ";

fn by_path(db: &Database, mut files: Vec<File>) -> Arc<Vec<File>> {
    files.sort_by_key(|f| f.path(db).clone());
    Arc::new(files)
}

fn matches(annotation: &Annotation, found: &Diagnostic) -> bool {
    let label = format!("{}[{}]", found.severity.name(), found.code.name);
    // A range that spans lines is annotated on its first line.
    let (start, end) = (usize::from(found.range.start()), usize::from(found.range.end()));
    let place = start == annotation.range.0 && end >= annotation.range.1
        || start == end && annotation.range.0 == start;
    label == annotation.label && place && found.message.contains(&annotation.text)
}

fn describe(found: &Diagnostic, text: &str) -> String {
    let marked =
        text.get(usize::from(found.range.start())..usize::from(found.range.end())).unwrap_or_default();
    format!("{}[{}] on {marked:?}: {}", found.severity.name(), found.code.name, found.message)
}

/// `    ^^^ error[code]: message` as its columns, label and message.
fn annotation(line: &str) -> Option<((usize, usize), String, String)> {
    let start = line.len() - line.trim_start().len();
    let len = line[start..].find(|c| c != '^')?;
    if len == 0 {
        return None;
    }
    let rest = line[start + len..].trim();
    let (label, message) = rest.split_once(':').unwrap_or((rest, ""));
    ["error[", "warning[", "info[", "hint["]
        .iter()
        .any(|p| label.starts_with(p))
        .then(|| ((start, start + len), label.trim().to_owned(), message.trim().to_owned()))
}

/// The place of a fixture's only marked text, for tests that ask about one place.
pub fn range_of(text: &str, needle: &str) -> TextRange {
    let at = text.find(needle).expect("the text holds the needle");
    TextRange::at(TextSize::try_from(at).expect("small"), TextSize::of(needle))
}
