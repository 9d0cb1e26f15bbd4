//! The texts: statements of any file, and the SQL of datafiles' nodes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use headwater_syntax::{Datafile, Dialect, Directive, FileKind};

use crate::collect;

/// Each text once, in the order of files.
#[derive(Default)]
pub(crate) struct Texts {
    /// Statements that start a SELECT.
    pub(crate) statements: Vec<String>,
    /// SQL of nodes as it is written, tags and all.
    pub(crate) nodes: Vec<String>,
    /// The same as an engine would get it: every variant of a template.
    pub(crate) variants: Vec<String>,
}

/// Reads files and folders.
pub(crate) fn read(folders: &[PathBuf]) -> Result<Texts> {
    let mut texts = Texts::default();
    for folder in folders {
        let found = collect::collect(folder)?;
        texts.statements.extend(found.selects.into_iter().map(|t| t.sql));
        texts.variants.extend(found.variants.into_iter().map(|t| t.sql));
        nodes(folder, &mut texts.nodes)?;
    }
    for list in [&mut texts.statements, &mut texts.nodes, &mut texts.variants] {
        let mut seen = std::collections::HashSet::new();
        list.retain(|text| seen.insert(text.clone()));
    }
    Ok(texts)
}

fn nodes(path: &Path, out: &mut Vec<String>) -> Result<()> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut paths = entries.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
        paths.retain(|p| !p.is_symlink() && !p.ends_with(".git") && !p.ends_with("node_modules"));
        paths.sort();
        return paths.iter().try_for_each(|path| nodes(path, out));
    }
    let kind = path.extension().and_then(|e| e.to_str()).and_then(FileKind::from_extension);
    let Some(kind) = kind else { return Ok(()) };
    // What is no UTF-8 is no datafile.
    let Ok(text) = std::fs::read_to_string(path) else { return Ok(()) };
    let tree = Datafile::parse(text.as_str().into(), kind, Dialect::Forward);
    for entry in tree.entries.iter().filter(|e| e.entry.directive == Some(Directive::Sql)) {
        let body = entry.entry.body(tree.source_of(entry)).text.to_string();
        if !body.trim().is_empty() {
            out.push(body);
        }
    }
    Ok(())
}
