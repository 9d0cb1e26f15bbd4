//! The parsers of this process.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sqlparser::dialect::ClickHouseDialect;
use tree_sitter::Language;

/// One that is measured.
pub(crate) trait Parser {
    /// With its version.
    fn name(&self) -> &str;
    /// Which of `texts` it parses without an error.
    fn clean(&mut self, texts: &[String]) -> Result<Vec<bool>>;
    /// How long it takes for each of `texts`, in their order.
    fn pass(&mut self, texts: &[&str]) -> Result<Vec<Duration>>;
}

/// `parse` for each text. What it returns is dropped after the clock stopped.
fn timed<T>(texts: &[&str], mut parse: impl FnMut(&str) -> T) -> Vec<Duration> {
    let one = |text: &&str| {
        let start = Instant::now();
        let parsed = parse(std::hint::black_box(text));
        let time = start.elapsed();
        drop(std::hint::black_box(parsed));
        time
    };
    texts.iter().map(one).collect()
}

fn tree_sitter(language: &Language) -> Result<tree_sitter::Parser> {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(language)?;
    Ok(parser)
}

/// Ours: the tree-sitter parser alone, as the others are.
pub(crate) struct Ours(tree_sitter::Parser);

impl Ours {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(tree_sitter(&headwater_grammar::SQL.into())?))
    }
}

impl Parser for Ours {
    fn name(&self) -> &str {
        "headwater"
    }

    /// By what the language server calls a syntax error: the grammar has nodes of its own for things that are missing.
    fn clean(&mut self, texts: &[String]) -> Result<Vec<bool>> {
        let clean =
            |text: &String| headwater_syntax::sql::statements(text).iter().all(|s| s.errors.is_empty());
        Ok(texts.iter().map(clean).collect())
    }

    fn pass(&mut self, texts: &[&str]) -> Result<Vec<Duration>> {
        Ok(timed(texts, |text| self.0.parse(text, None)))
    }
}

/// The best known tree-sitter grammar for SQL of all kinds.
pub(crate) struct Sequel(tree_sitter::Parser);

impl Sequel {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(tree_sitter(&tree_sitter_sequel::LANGUAGE.into())?))
    }
}

impl Parser for Sequel {
    fn name(&self) -> &str {
        "tree-sitter-sequel 0.3.11"
    }

    fn clean(&mut self, texts: &[String]) -> Result<Vec<bool>> {
        let clean = |text: &String| Ok(!self.0.parse(text, None).context("no tree")?.root_node().has_error());
        texts.iter().map(clean).collect()
    }

    fn pass(&mut self, texts: &[&str]) -> Result<Vec<Duration>> {
        Ok(timed(texts, |text| self.0.parse(text, None)))
    }
}

/// sqlparser-rs, which stops at the first error.
pub(crate) struct SqlParser;

impl SqlParser {
    fn parse(text: &str) -> Result<Vec<sqlparser::ast::Statement>, sqlparser::parser::ParserError> {
        sqlparser::parser::Parser::parse_sql(&ClickHouseDialect {}, text)
    }
}

impl Parser for SqlParser {
    fn name(&self) -> &str {
        "sqlparser 0.64.0"
    }

    fn clean(&mut self, texts: &[String]) -> Result<Vec<bool>> {
        Ok(texts.iter().map(|text| Self::parse(text).is_ok()).collect())
    }

    fn pass(&mut self, texts: &[&str]) -> Result<Vec<Duration>> {
        Ok(timed(texts, Self::parse))
    }
}
