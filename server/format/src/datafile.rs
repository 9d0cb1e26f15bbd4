//! Directives and blocks: which lines there are, and the empty ones between them.

use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_syntax::line::lines;
use headwater_syntax::scan::{Block, Entry, scan};
use headwater_syntax::{Dialect, Directive, FileKind};

use crate::text::{newline_of, reindent, slice, with_line_feeds};
use crate::{Formatted, Options, Reason, Skipped, indexes, schema, sql};

/// Lays a whole file out.
pub(crate) fn format(text: &str, kind: FileKind, dialect: Dialect, options: &Options) -> Formatted {
    let source = with_line_feeds(text);
    let entries = scan(&source, kind, dialect);
    let mut writer = Writer {
        source: &source,
        kind,
        options,
        out: String::with_capacity(source.len() * 2),
        skipped: Vec::new(),
        ready: ahead(&source, &entries, options),
    };
    writer.file(&entries);
    let Writer { mut out, skipped, .. } = writer;
    if !same_structure(&source, &entries, &out, kind, dialect) {
        let range = headwater_syntax::range(0, text.len());
        return Formatted {
            text: text.to_owned(),
            skipped: vec![Skipped { range, reason: Reason::NotSame }],
        };
    }
    let skipped = places(text, &source, &entries, skipped, kind, dialect);
    let newline = newline_of(text);
    if newline != "\n" {
        out = out.replace('\n', newline);
    }
    Formatted { text: out, skipped }
}

/// Bytes of queries that are worth a second thread: with fewer they are laid out before it is up.
const WORTHWHILE: usize = 12 * 1024;

/// Queries nest, and so does what lays them out.
const STACK: usize = 16 * 1024 * 1024;

/// A block laid out, or why it stays as it is.
type LaidOut = Result<String, Reason>;

/// The queries of a large file, by the number of their entries, from two threads that take the next one in turn: they are
/// most of the work, and none depends on another. Nothing for a small file.
fn ahead(source: &str, entries: &[Entry], options: &Options) -> Vec<Option<LaidOut>> {
    let mut ready: Vec<Option<LaidOut>> = vec![None; entries.len()];
    let is_query = |entry: &Entry| matches!(entry.directive, Some(Directive::Sql | Directive::ForwardQuery));
    let blocks = entries.iter().enumerate().filter(|(_, entry)| is_query(entry));
    let blocks: Vec<(usize, &str)> =
        blocks.filter_map(|(n, entry)| Some((n, slice(source, entry.block.as_ref()?.range)))).collect();
    if blocks.len() < 2 || blocks.iter().map(|(_, body)| body.len()).sum::<usize>() < WORTHWHILE {
        return ready;
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((n, body)) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((*n, sql::format(body, options, options.indent)));
        }
        done
    };
    let done = std::thread::scope(|scope| {
        let other = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        let mut done = work();
        // What a thread did not get to, or did not live to hand over, is laid out when it is written.
        done.extend(other.into_iter().filter_map(|other| other.join().ok()).flatten());
        done
    });
    for (n, laid_out) in done {
        ready[n] = Some(laid_out);
    }
    ready
}

/// Where the blocks of these entries are in the text that was given, line ends and all.
fn places(
    text: &str,
    source: &str,
    entries: &[Entry],
    skipped: Vec<(usize, Reason)>,
    kind: FileKind,
    dialect: Dialect,
) -> Vec<Skipped> {
    let given = if skipped.is_empty() || text == source { None } else { Some(scan(text, kind, dialect)) };
    let entries = given.as_deref().unwrap_or(entries);
    let place = |n: usize| entries.get(n).and_then(|e| e.block.as_ref()).map(|block| block.range);
    skipped.into_iter().filter_map(|(n, reason)| Some(Skipped { range: place(n)?, reason })).collect()
}

/// Whether the format reads the same directives from both: the promise that a whole file is held to.
fn same_structure(before: &str, old: &[Entry], after: &str, kind: FileKind, dialect: Dialect) -> bool {
    let new = scan(after, kind, dialect);
    old.len() == new.len()
        && old.iter().zip(&new).all(|(o, n)| {
            let text = |source: &str, range: Option<headwater_syntax::TextRange>| {
                range.map(|r| slice(source, r).trim().to_owned())
            };
            o.directive == n.directive
                && slice(before, o.keyword).eq_ignore_ascii_case(slice(after, n.keyword))
                && o.joined(before) == n.joined(after)
                && text(before, o.comment) == text(after, n.comment)
                && o.block.is_some() == n.block.is_some()
                && text(before, o.block.as_ref().and_then(|b| b.lost))
                    == text(after, n.block.as_ref().and_then(|b| b.lost))
        })
        && comments(before, old).eq(comments(after, &new))
}

/// The comments between directives. Those of blocks are looked at with their blocks.
fn comments<'s>(source: &'s str, entries: &[Entry]) -> impl Iterator<Item = &'s str> {
    let places: Vec<_> = entries.iter().map(Entry::full_range).collect();
    let mut next = 0;
    lines(source).filter_map(move |line| {
        while places.get(next).is_some_and(|place| place.end() < line.range.start()) {
            next += 1;
        }
        let outside = places.get(next).is_none_or(|place| line.range.end() < place.start());
        let text = slice(source, line.range).trim();
        (outside && text.starts_with('#')).then_some(text)
    })
}

/// A thing of a file, and whether an empty line stands before it.
enum Thing<'e, 's> {
    Entry(usize, &'e Entry),
    Comment(&'s str),
}

struct Writer<'s> {
    source: &'s str,
    kind: FileKind,
    options: &'s Options,
    out: String,
    /// Numbers of entries whose blocks were left alone.
    skipped: Vec<(usize, Reason)>,
    /// Blocks that are laid out already, by the number of their entry.
    ready: Vec<Option<LaidOut>>,
}

impl<'s> Writer<'s> {
    fn file(&mut self, entries: &[Entry]) {
        let things = self.things(entries);
        let mut before: Option<&Entry> = None;
        let mut behind_comment = false;
        for (n, (blank, thing)) in things.iter().enumerate() {
            if n > 0 {
                // What a run of comments belongs to: the directive below, if there is no empty line between.
                let run = things[n..].iter().take_while(|(_, t)| matches!(t, Thing::Comment(_))).count();
                let below = things.get(n + run).and_then(|(blank, thing)| match thing {
                    Thing::Entry(_, entry) if run == 0 || !blank => Some(*entry),
                    _ => None,
                });
                let gap = match (before, below) {
                    _ if behind_comment => Gap::Kept,
                    (Some(before), Some(below)) => self.gap(before, below),
                    (Some(before), None) if before.block.is_some() => Gap::Empty,
                    _ => Gap::Kept,
                };
                if gap == Gap::Empty || gap == Gap::Kept && *blank {
                    self.out.push('\n');
                }
            }
            match thing {
                Thing::Comment(text) => {
                    self.out.push_str(text);
                    self.out.push('\n');
                    behind_comment = true;
                }
                Thing::Entry(number, entry) => {
                    self.entry(*number, entry);
                    before = Some(entry);
                    behind_comment = false;
                }
            }
        }
    }

    fn things<'e>(&self, entries: &'e [Entry]) -> Vec<(bool, Thing<'e, 's>)> {
        let mut things = Vec::new();
        let mut blank = false;
        let mut entries = entries.iter().enumerate().peekable();
        let mut behind = 0;
        for line in lines(self.source) {
            if usize::from(line.range.start()) < behind {
                continue;
            }
            if let Some((n, entry)) = entries.next_if(|(_, entry)| entry.line == line.range) {
                things.push((std::mem::take(&mut blank), Thing::Entry(n, entry)));
                behind = match &entry.block {
                    Some(block) if !block.lines.is_empty() => usize::from(block.range.end()) + 1,
                    _ => line.next as usize,
                };
                continue;
            }
            let text = slice(self.source, line.range).trim();
            if text.is_empty() {
                blank = true;
            } else {
                things.push((std::mem::take(&mut blank), Thing::Comment(text)));
            }
        }
        things
    }

    fn entry(&mut self, number: usize, entry: &Entry) {
        if entry.unclosed_quote.is_some() {
            self.out.push_str(slice(self.source, entry.line).trim_end());
            self.out.push('\n');
            return;
        }
        match entry.directive {
            Some(directive) => self.out.push_str(directive.name()),
            None => self.out.push_str(slice(self.source, entry.keyword)),
        }
        let mut end = entry.keyword.end();
        let opener = entry.block.as_ref().map(|block| block.opener);
        let lost = entry.block.as_ref().and_then(|block| block.lost);
        for word in entry.args.iter().copied().chain(opener).chain(lost).chain(entry.comment) {
            // Words may touch (`"a"b`), and so may a comment; a blank would be news to whoever reads the file.
            if word.start() > end {
                self.out.push(' ');
            }
            self.out.push_str(slice(self.source, word).trim_end());
            end = word.end();
        }
        self.out.push('\n');
        if let Some(block) = &entry.block {
            self.block(number, entry, block);
        }
    }

    fn block(&mut self, number: usize, entry: &Entry, block: &Block) {
        let body = slice(self.source, block.range);
        if body.trim().is_empty() {
            return;
        }
        let options = self.options;
        let laid_out = match entry.directive {
            Some(Directive::Sql | Directive::ForwardQuery) => {
                let ready = self.ready.get_mut(number).and_then(Option::take);
                ready.unwrap_or_else(|| sql::format(body, options, options.indent))
            }
            Some(Directive::Schema) => schema::format(body, options),
            Some(Directive::Indexes | Directive::Indices) => indexes::format(body, options),
            Some(_) => Ok(reindent(body, options.indent)),
            // Nobody knows what its blanks mean.
            None => Ok(body.to_owned()),
        };
        match laid_out {
            Ok(text) => self.out.push_str(&text),
            Err(reason) => {
                self.skipped.push((number, reason));
                self.out.push_str(body.trim_end_matches(['\n', ' ', '\t']));
            }
        }
        self.out.push('\n');
    }

    fn gap(&self, before: &Entry, below: &Entry) -> Gap {
        let (Some(first), Some(second)) = (before.directive, below.directive) else {
            return if before.block.is_some() { Gap::Empty } else { Gap::Kept };
        };
        let (one, other) = (Family::of(first), Family::of(second));
        match () {
            () if first == Directive::Node => Gap::None,
            () if second == Directive::Node || before.block.is_some() => Gap::Empty,
            () if below.block.is_some() && !(first == Directive::Description && second == Directive::Sql) => {
                Gap::Empty
            }
            () if one == other && matches!(one, Family::Engine | Family::NodeKeys) => Gap::None,
            () if self.kind == FileKind::Datasource
                && one != other
                && one != Family::Other
                && other != Family::Other =>
            {
                Gap::Empty
            }
            () => Gap::Kept,
        }
    }
}

/// What stands between two directives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    None,
    /// One empty line.
    Empty,
    /// One if the author left any.
    Kept,
}

/// Directives that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Description,
    Token,
    Tags,
    Engine,
    Kafka,
    Import,
    NodeKeys,
    Shared,
    Other,
}

impl Family {
    fn of(directive: Directive) -> Self {
        let name = directive.name();
        match directive {
            Directive::Description => Self::Description,
            Directive::Token => Self::Token,
            Directive::Tags => Self::Tags,
            Directive::SharedWith => Self::Shared,
            Directive::Type
            | Directive::Datasource
            | Directive::DeploymentMethod
            | Directive::TargetDatasource
            | Directive::CopySchedule
            | Directive::CopyMode
            | Directive::Mode
            | Directive::OnDemandCompute => Self::NodeKeys,
            _ if directive.is_engine() => Self::Engine,
            _ if name.starts_with("KAFKA_") => Self::Kafka,
            _ if name.starts_with("IMPORT_") => Self::Import,
            _ if name.starts_with("EXPORT_") => Self::NodeKeys,
            _ => Self::Other,
        }
    }
}
