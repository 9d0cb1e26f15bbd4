//! A datafile as a tree: its directives in order, with nodes of a pipe as views over them.

use std::sync::Arc;

use text_size::TextRange;

use crate::Spanned;
use crate::directive::{Dialect, Directive, FileKind};
use crate::mapped::MappedText;
use crate::scan::{Entry, scan};

/// A parsed datafile, with Classic includes spliced in where the caller provided them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datafile {
    /// What the file defines.
    pub kind: FileKind,
    /// The rules it was read by.
    pub dialect: Dialect,
    /// The texts that entries point into. The first is the file itself.
    pub sources: Vec<Arc<str>>,
    /// Directives in order of effect.
    pub entries: Vec<SourcedEntry>,
}

/// A directive, and which of [`Datafile::sources`] it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcedEntry {
    /// Index into [`Datafile::sources`]; 0 is the file itself.
    pub source: usize,
    /// The directive.
    pub entry: Entry,
}

/// Everything from one `NODE` to the next.
#[derive(Debug, Clone, Copy)]
pub struct NodeView<'a> {
    file: &'a Datafile,
    /// Position in [`Datafile::nodes`].
    pub index: usize,
    /// The `NODE` line and what follows it.
    pub entries: &'a [SourcedEntry],
}

impl Datafile {
    /// Parses one text. Never fails. Linear.
    pub fn parse(text: Arc<str>, kind: FileKind, dialect: Dialect) -> Self {
        let entries =
            scan(&text, kind, dialect).into_iter().map(|entry| SourcedEntry { source: 0, entry }).collect();
        Self { kind, dialect, sources: vec![text], entries }
    }

    /// Replaces the entry at `index` (an `INCLUDE`) by the directives of `text`.
    pub fn splice(&mut self, index: usize, text: Arc<str>) {
        let source = self.sources.len();
        let entries =
            scan(&text, self.kind, self.dialect).into_iter().map(|entry| SourcedEntry { source, entry });
        self.sources.push(text);
        self.entries.splice(index..=index, entries);
    }

    /// The file's own text.
    pub fn text(&self) -> &str {
        &self.sources[0]
    }

    /// The text that `entry` points into.
    pub fn source_of(&self, entry: &SourcedEntry) -> &str {
        &self.sources[entry.source]
    }

    /// Directives before the first `NODE`: those of the file.
    pub fn header(&self) -> &[SourcedEntry] {
        let end = self.entries.iter().position(is_node).unwrap_or(self.entries.len());
        &self.entries[..end]
    }

    /// The pipe's nodes in order; empty for other kinds.
    pub fn nodes(&self) -> Vec<NodeView<'_>> {
        let starts: Vec<_> = (0..self.entries.len()).filter(|n| is_node(&self.entries[*n])).collect();
        (0..starts.len())
            .map(|n| {
                let end = starts.get(n + 1).copied().unwrap_or(self.entries.len());
                NodeView { file: self, index: n, entries: &self.entries[starts[n]..end] }
            })
            .collect()
    }

    /// All entries of one directive, in order.
    pub fn all(&self, directive: Directive) -> impl Iterator<Item = &SourcedEntry> {
        self.entries.iter().filter(move |e| e.entry.directive == Some(directive))
    }

    /// The entry that counts for a directive given several times: the last one wins.
    pub fn last(&self, directive: Directive) -> Option<&SourcedEntry> {
        self.all(directive).last()
    }

    /// The one-line value of [`Datafile::last`].
    pub fn value(&self, directive: Directive) -> Option<String> {
        let entry = self.last(directive)?;
        entry.entry.value(self.source_of(entry))
    }

    /// The description's text: block or one line, outer white space stripped.
    pub fn description(&self) -> Option<String> {
        let entry = self.header().iter().rfind(|e| e.entry.directive == Some(Directive::Description))?;
        Some(description(self.source_of(entry), &entry.entry))
    }
}

fn description(source: &str, entry: &Entry) -> String {
    match &entry.block {
        Some(block) => dedent(&block.text(source).text),
        None => entry.joined(source),
    }
}

/// Removes the indentation that all lines share, and outer white space.
pub fn dedent(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let shared = text.lines().filter(|l| !l.trim().is_empty()).map(indent).min().unwrap_or(0);
    let lines: Vec<_> = text.lines().map(|l| l.get(shared..).unwrap_or("").trim_end()).collect();
    lines.join("\n").trim().to_owned()
}

fn is_node(entry: &SourcedEntry) -> bool {
    entry.entry.directive == Some(Directive::Node) && entry.entry.valid_here
}

impl<'a> NodeView<'a> {
    /// The `NODE` line.
    pub fn header(&self) -> &'a SourcedEntry {
        &self.entries[0]
    }

    /// The node's name and where it stands; `None` when the line has none.
    pub fn name(&self) -> Option<Spanned<String>> {
        let header = self.header();
        let range = *header.entry.args.first()?;
        let name = self.file.source_of(header)[range].trim_matches(['"', '\'']).to_owned();
        Some(Spanned::new(name, range))
    }

    /// The last entry of a directive in this node.
    pub fn last(&self, directive: Directive) -> Option<&'a SourcedEntry> {
        self.entries.iter().rfind(|e| e.entry.directive == Some(directive))
    }

    /// The one-line value of a directive in this node.
    pub fn value(&self, directive: Directive) -> Option<String> {
        let entry = self.last(directive)?;
        entry.entry.value(self.file.source_of(entry))
    }

    /// The node's type in lower case; absent and `standard` are `None`.
    pub fn node_type(&self) -> Option<String> {
        self.value(Directive::Type).map(|t| t.to_lowercase()).filter(|t| t != "standard")
    }

    /// The query's text, if the node has an SQL block, with the entry it stands in.
    pub fn sql(&self) -> Option<(&'a SourcedEntry, MappedText)> {
        let entry = self.last(Directive::Sql)?;
        Some((entry, entry.entry.block.as_ref()?.text(self.file.source_of(entry))))
    }

    /// The node's own description.
    pub fn description(&self) -> Option<String> {
        let entry = self.last(Directive::Description)?;
        Some(description(self.file.source_of(entry), &entry.entry))
    }

    /// From the `NODE` line to the end of its last directive, when all of it stands in the file itself.
    pub fn range(&self) -> TextRange {
        let own = self.entries.iter().filter(|e| e.source == 0).map(|e| e.entry.full_range());
        own.reduce(|a, b| a.cover(b)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_views_and_the_last_directive_wins() {
        let text = "DESCRIPTION >\n    two\n      lines\n\nNODE a\nSQL >\n  SELECT 1\nNODE \"b\" c\nTYPE copy\nTYPE ENDPOINT\n";
        let file = Datafile::parse(text.into(), FileKind::Pipe, Dialect::Forward);
        let nodes = file.nodes();
        assert_eq!(nodes.len(), 2);
        assert_eq!(file.description().as_deref(), Some("two\n  lines"));
        assert_eq!(nodes[0].sql().map(|(_, t)| t.text.to_string()).as_deref(), Some("  SELECT 1"));
        assert_eq!(nodes[1].name().map(|n| n.value).as_deref(), Some("b"));
        assert_eq!(nodes[1].node_type().as_deref(), Some("endpoint"));
        assert_eq!(file.header().len(), 1);
    }

    #[test]
    fn includes_are_spliced_in_place() {
        let mut file = Datafile::parse("INCLUDE x\nTYPE endpoint".into(), FileKind::Pipe, Dialect::Classic);
        file.splice(0, "NODE n\nSQL >\n  SELECT 1".into());
        assert_eq!(file.nodes().len(), 1);
        assert_eq!(file.nodes()[0].node_type().as_deref(), Some("endpoint"));
        assert_eq!(file.entries[1].source, 1);
    }
}
