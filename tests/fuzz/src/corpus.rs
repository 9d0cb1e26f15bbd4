//! Where mutation starts: the repository's example projects, grammar corpora and documented diagnostics.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The repository this crate was built in.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Extensions of files that hold something to parse.
const EXTENSIONS: &[&str] = &["datasource", "pipe", "connection", "incl", "token"];

/// Every example text of the repository, in an order that depends on nothing but their paths.
///
/// # Errors
/// When the repository's folders cannot be read.
pub fn load() -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for folder in ["tests/projects", "grammar", "docs/reference/diagnostics"] {
        files_below(&root().join(folder), &mut paths)?;
    }
    let mut texts = Vec::new();
    for path in paths {
        let name = path.to_string_lossy().replace('\\', "/");
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        // Some examples are binary on purpose.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if EXTENSIONS.contains(&extension) {
            texts.push(text);
        } else if name.contains("/test/corpus/") {
            texts.extend(corpus_sources(&text));
        } else if extension == "md" {
            texts.extend(documented(&text));
        }
    }
    anyhow::ensure!(texts.len() > 100, "the corpus has only {} texts", texts.len());
    Ok(texts)
}

fn files_below(folder: &Path, out: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut paths = entries.map(|e| e.map(|e| e.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files_below(&path, out)?;
        } else {
            out.push(path);
        }
    }
    Ok(())
}

/// The sources of a tree-sitter corpus file: behind two lines of `=`, before a line of `-`.
fn corpus_sources(text: &str) -> Vec<String> {
    let rule = |line: &str, c: char| line.trim_end().len() >= 3 && line.trim_end().chars().all(|x| x == c);
    let (mut rules, mut source, mut out) = (0, String::new(), Vec::new());
    for line in text.split_inclusive('\n') {
        if rule(line, '=') {
            rules = if rules >= 2 { 1 } else { rules + 1 };
            source.clear();
        } else if rule(line, '-') {
            if rules == 2 {
                out.push(std::mem::take(&mut source));
            }
            rules = 0;
        } else if rules == 2 {
            source.push_str(line);
        }
    }
    out
}

/// The files in a documentation page's examples, without the lines that annotate them.
fn documented(page: &str) -> Vec<String> {
    let mut out = Vec::new();
    for block in page.split("```headwater\n").skip(1).filter_map(|b| b.split("```").next()) {
        for part in block.split("//- ").skip(1) {
            let body = part.split_once('\n').map_or("", |(_, body)| body);
            let annotation = |l: &&str| !l.trim_start().starts_with('^');
            out.push(body.split_inclusive('\n').filter(annotation).collect());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_a_grammar_corpus_are_found() {
        let text = "===\nName\n===\nSELECT 1\n---\n\n(x)\n\n===\nOther\n===\n\na\nb\n\n---\n(y)\n";
        assert_eq!(corpus_sources(text), ["SELECT 1\n", "\na\nb\n\n"]);
    }

    #[test]
    fn the_corpus_is_the_same_twice() {
        let texts = load().expect("the repository is there");
        assert_eq!(texts, load().expect("the repository is there"));
        assert!(texts.iter().any(|t| t.contains("NODE ")) && texts.iter().any(|t| t.contains("SCHEMA >")));
    }
}
