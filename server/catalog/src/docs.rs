//! Documentation in Markdown, decoded block by block when somebody reads it.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::data::inflate;

static DOCS: &[u8] = include_bytes!("../data/docs.bin");

/// What a text of documentation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A function, with syntax, arguments, returned value and examples.
    Function,
    /// A combinator of aggregate functions, `If`.
    Combinator,
    /// A table function.
    TableFunction,
    /// A table engine.
    TableEngine,
    /// A family of types.
    Type,
    /// A data skipping index.
    SkippingIndex,
    /// A setting of a query.
    Setting,
    /// A setting of a MergeTree table.
    MergeTreeSetting,
    /// A format of input or output.
    Format,
    /// A codec of a column.
    Codec,
}

impl Topic {
    fn key(self) -> &'static str {
        match self {
            Self::Function => "f",
            Self::Combinator => "c",
            Self::TableFunction => "tf",
            Self::TableEngine => "te",
            Self::Type => "t",
            Self::SkippingIndex => "i",
            Self::Setting => "s",
            Self::MergeTreeSetting => "m",
            Self::Format => "o",
            Self::Codec => "k",
        }
    }
}

struct Index {
    entries: FxHashMap<(&'static str, &'static str), (usize, usize, usize)>,
    blocks: Vec<&'static [u8]>,
}

/// What there is documentation of: topics with canonical names, in no order.
pub fn documented() -> Vec<(Topic, &'static str)> {
    const TOPICS: [Topic; 10] = [
        Topic::Function,
        Topic::Combinator,
        Topic::TableFunction,
        Topic::TableEngine,
        Topic::Type,
        Topic::SkippingIndex,
        Topic::Setting,
        Topic::MergeTreeSetting,
        Topic::Format,
        Topic::Codec,
    ];
    let topic = |key: &str| TOPICS.into_iter().find(|t| t.key() == key);
    index().entries.keys().filter_map(|(key, name)| Some((topic(key)?, *name))).collect()
}

/// The engine's documentation, in Markdown, by canonical name. Links in it are paths of the engine's own site. Decodes
/// some 100 kB, which takes about a millisecond.
pub fn documentation(topic: Topic, name: &str) -> Option<String> {
    let index = index();
    let (block, start, length) = *index.entries.get(&(topic.key(), name))?;
    inflate(index.blocks.get(block)?).get(start..start + length).map(str::to_owned)
}

/// How calls of a function are written, as the engine's documentation has it: `dateDiff(unit, startdate, enddate[,
/// timezone])`, one line for each form. The first call decodes all documentation, some 10 ms; the others cost nothing.
pub fn syntax(function: &str) -> &'static [String] {
    static ALL: OnceLock<FxHashMap<&'static str, Vec<String>>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let index = index();
        let functions = index.entries.iter().filter(|((topic, _), _)| *topic == Topic::Function.key());
        let mut places: Vec<(usize, usize, usize, &'static str)> =
            functions.map(|((_, name), (block, start, length))| (*block, *start, *length, *name)).collect();
        places.sort_unstable();
        let mut out = FxHashMap::default();
        // One block after the other: all of them together are some megabytes.
        for functions in places.chunk_by(|a, b| a.0 == b.0) {
            let text = functions.first().and_then(|f| index.blocks.get(f.0)).map(|block| inflate(block));
            for (_, start, length, name) in functions {
                let forms = text.as_ref().and_then(|t| Some(forms(t.get(*start..start + length)?)));
                out.insert(*name, forms.unwrap_or_default());
            }
        }
        out
    });
    all.get(function).map_or(&[], Vec::as_slice)
}

/// The lines of the code behind **Syntax**.
fn forms(text: &str) -> Vec<String> {
    let Some((_, rest)) = text.split_once("**Syntax**") else { return Vec::new() };
    let Some((_, code)) = rest.split_once("```sql\n") else { return Vec::new() };
    let code = code.split("```").next().unwrap_or_default();
    let mut forms: Vec<String> = Vec::new();
    for line in code.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("--")) {
        // A form may go over several lines.
        match forms.last_mut() {
            Some(last) if last.matches('(').count() > last.matches(')').count() => {
                last.push(' ');
                last.push_str(line);
            }
            _ => forms.push(line.to_owned()),
        }
    }
    forms
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| read().unwrap_or(Index { entries: FxHashMap::default(), blocks: Vec::new() }))
}

fn read() -> Option<Index> {
    let number = |at: usize| -> Option<usize> {
        let bytes = DOCS.get(at..at + 4)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    let (index_length, count) = (number(0)?, number(4)?);
    let mut at = 8 + 4 * count;
    let text: &'static str = Box::leak(inflate(DOCS.get(at..at + index_length)?).into_boxed_str());
    at += index_length;
    let mut blocks = Vec::with_capacity(count);
    for n in 0..count {
        let length = number(8 + 4 * n)?;
        blocks.push(DOCS.get(at..at + length)?);
        at += length;
    }
    let entry = |line: &'static str| {
        let mut cells = line.split('\t');
        let key = (cells.next()?, cells.next()?);
        let mut number = || cells.next()?.parse::<usize>().ok();
        Some((key, (number()?, number()?, number()?)))
    };
    Some(Index { entries: text.lines().filter_map(entry).collect(), blocks })
}
