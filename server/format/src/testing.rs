//! Whether two datafiles say the same, by trees and renderings: another measure than the formatter's own, for tests and
//! `cargo xtask format-eval`.

use headwater_syntax::datafile::Datafile;
use headwater_syntax::sql::ast::{Event, Kind, Walk, text as text_of};
use headwater_syntax::template::{self, is_template};
use headwater_syntax::{Dialect, Directive, FileKind, schema, sql};
use headwater_template::{Parameters, Prepared, Request, Secrets, variants};

/// How much was compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Queries whose trees were.
    pub queries: usize,
    /// Renderings of templates whose trees were.
    pub renderings: usize,
}

/// Compares everything that two datafiles say.
///
/// # Errors
/// What differs, with an excerpt of both.
pub fn compare(
    before: &str,
    after: &str,
    kind: FileKind,
    dialect: Dialect,
    counts: &mut Counts,
) -> Result<(), String> {
    let old = Datafile::parse(before.into(), kind, dialect);
    let new = Datafile::parse(after.into(), kind, dialect);
    same("number of directives", &old.entries.len(), &new.entries.len())?;
    same("file comments", &hash_lines(before), &hash_lines(after))?;
    same("description", &old.description(), &new.description())?;
    for (a, b) in old.entries.iter().zip(&new.entries) {
        let (a, b) = (&a.entry, &b.entry);
        same("directive", &a.directive, &b.directive)?;
        same("value", &a.value(before), &b.value(after))?;
        same("block", &a.block.is_some(), &b.block.is_some())?;
        let (Some(one), Some(other)) = (&a.block, &b.block) else { continue };
        let (one, other) = (one.text(before).text, other.text(after).text);
        match a.directive {
            Some(Directive::Sql | Directive::ForwardQuery) => query(&one, &other, counts)?,
            Some(Directive::Schema) => {
                let read = |text: &str| {
                    let schema = schema::parse(text);
                    let parts: Vec<_> = schema
                        .columns
                        .iter()
                        .map(|c| {
                            let bare = |t: &str| t.split_whitespace().collect::<String>();
                            let part = |p: &Option<headwater_syntax::Spanned<String>>| {
                                p.as_ref().map(|p| bare(&p.value))
                            };
                            (
                                c.name.value.clone(),
                                part(&c.ty),
                                part(&c.jsonpath),
                                part(&c.default),
                                part(&c.codec),
                            )
                        })
                        .collect();
                    (parts, schema.errors.len())
                };
                same("schema", &read(&one), &read(&other))?;
            }
            Some(Directive::Indexes | Directive::Indices) => {
                let lines = |text: &str| -> Vec<String> {
                    text.lines()
                        .map(|line| line.split_whitespace().collect())
                        .filter(|line: &String| !line.is_empty())
                        .collect()
                };
                same("indexes", &lines(&one), &lines(&other))?;
            }
            _ => {
                let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
                same("text", &words(&one), &words(&other))?;
            }
        }
    }
    Ok(())
}

fn query(before: &str, after: &str, counts: &mut Counts) -> Result<(), String> {
    counts.queries += 1;
    if sql::parse(before).is_none_or(|tree| tree.has_error()) {
        return same("text with errors", before.trim_end(), after.trim_end());
    }
    same("tree", &tree(before)?, &tree(after)?)?;
    if !is_template(before) {
        return Ok(());
    }
    let (Ok(one), Ok(other)) = (Prepared::new(before), Prepared::new(after)) else { return Ok(()) };
    let mut requests = vec![Parameters::new()];
    for variant in variants(before, &template::parse(before)).unwrap_or_default() {
        let mut parameters = Parameters::new();
        for (name, value) in variant.witness.request() {
            parameters.insert(name.to_owned(), value.to_value());
        }
        requests.push(parameters);
    }
    let secrets = Secrets::new();
    for parameters in &requests {
        let request = Request::new(parameters, &secrets);
        match (one.render(&request), other.render(&request)) {
            (Ok(a), Ok(b)) => {
                // What recovery makes of a broken text is no measure.
                if sql::parse(&a.sql).is_some_and(|tree| !tree.has_error()) {
                    counts.renderings += 1;
                    same("rendering's tree", &tree(&a.sql)?, &tree(&b.sql)?)?;
                }
            }
            (Err(_), Err(_)) => {}
            (a, b) => return Err(format!("renders before: {}, after: {}", a.is_ok(), b.is_ok())),
        }
    }
    Ok(())
}

/// Kinds and words of a tree, and apart from them its comments and tags: those may stand beside another word.
fn tree(text: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let Some(tree) = sql::parse(text) else { return Ok((vec![text.to_owned()], Vec::new())) };
    let (mut nodes, mut aside) = (Vec::new(), Vec::new());
    let mut walk = Walk::new(tree.root_node());
    while let Some(event) = walk.next() {
        let node = match event {
            Event::Enter(node) => node,
            Event::Leave(_) => {
                nodes.push(")".to_owned());
                continue;
            }
        };
        // Lines count in comments alone: a text of several lines has its own way of staying the same.
        let squeezed = || {
            let lines = text_of(node, text).lines().map(str::trim_end).filter(|line| !line.is_empty());
            let separator = if Kind::of(node) == Kind::Comment { "\n" } else { "" };
            lines.collect::<Vec<_>>().join(separator).replace([' ', '\t'], "")
        };
        if matches!(Kind::of(node), Kind::Comment | Kind::TemplateComment | Kind::TemplateStatement) {
            aside.push(squeezed());
            walk.skip_inside();
            // Nor does leaving it say anything.
            walk.next();
        } else if node.children().next().is_none() {
            nodes.push(format!("({} {}", node.kind(), squeezed()));
        } else {
            nodes.push(format!("({}", node.kind()));
        }
    }
    Ok((nodes, aside))
}

fn hash_lines(text: &str) -> Vec<String> {
    let texts = headwater_syntax::line::lines(text).map(|line| text[line.range].trim());
    texts.filter(|line| line.starts_with('#')).map(str::to_owned).collect()
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, before: &T, after: &T) -> Result<(), String> {
    if before == after {
        return Ok(());
    }
    Err(format!("{what}: {}", difference(&format!("{before:?}"), &format!("{after:?}"))))
}

/// Where two texts part ways.
pub fn difference(before: &str, after: &str) -> String {
    let at = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    let excerpt = |text: &str| {
        let mut start = at.saturating_sub(40).min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        text[start..].chars().take(110).collect::<String>()
    };
    format!("{:?} / {:?}", excerpt(before), excerpt(after))
}
