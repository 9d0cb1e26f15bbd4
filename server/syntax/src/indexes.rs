//! The `INDEXES` block: one data-skipping index per line (specification §4.6).

use text_size::TextRange;

use crate::{Spanned, range};

/// Index types the product accepts.
pub const INDEX_TYPES: &[&str] = &["minmax", "set", "bloom_filter", "ngrambf_v1", "tokenbf_v1"];

/// `[INDEX] name expression TYPE type[(args)] [GRANULARITY n]`, in offsets of the block's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Name as written, without the optional `INDEX` word.
    pub name: Spanned<String>,
    /// Indexed expression.
    pub expression: Spanned<String>,
    /// Index type with its arguments.
    pub ty: Spanned<String>,
    /// Number of granules per index block, when written.
    pub granularity: Option<Spanned<String>>,
    /// The word `INDEX`, when written: the vendor's parser then eats letters of the name.
    pub index_word: Option<TextRange>,
}

/// A line that is no index definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexError {
    /// The line.
    pub range: TextRange,
    /// What is missing or too much, as a sentence fragment.
    pub reason: &'static str,
}

/// Parses an index block's text. Linear.
pub fn parse(text: &str) -> (Vec<Index>, Vec<IndexError>) {
    let (mut indexes, mut errors) = (Vec::new(), Vec::new());
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let offset = start + (line.len() - line.trim_start().len());
        start += line.len();
        // Whether `--` starts a comment here is not known; it is no part of a definition in any case.
        let content = line.split("--").next().unwrap_or_default().trim().trim_end_matches(',').trim_end();
        if content.is_empty() {
            continue;
        }
        match parse_line(content, offset) {
            Ok(index) => indexes.push(index),
            Err(reason) => errors.push(IndexError { range: range(offset, offset + content.len()), reason }),
        }
    }
    (indexes, errors)
}

fn parse_line(line: &str, offset: usize) -> Result<Index, &'static str> {
    let base = line.as_ptr() as usize;
    let mut words: Vec<_> = line.split_whitespace().map(|w| (w.as_ptr() as usize - base, w)).collect();
    let spanned = |start: usize, end: usize| {
        let text = &line[start..end.max(start)];
        let start = start + text.len() - text.trim_start().len();
        let text = text.trim();
        Spanned::new(text.to_owned(), range(offset + start, offset + start + text.len()))
    };
    let index_word =
        words.first().filter(|w| w.1.eq_ignore_ascii_case("INDEX")).map(|w| spanned(w.0, w.0 + 5).range);
    if index_word.is_some() {
        words.remove(0);
    }
    let Some(&(name_at, name)) = words.first() else { return Err("the index has no name") };
    let type_word = type_word(&words[1..])?;
    let expression = spanned(name_at + name.len(), type_word);
    if expression.value.is_empty() {
        return Err("the indexed expression is missing");
    }
    let granularity_word = words.iter().rfind(|w| w.0 > type_word && w.1.eq_ignore_ascii_case("GRANULARITY"));
    let ty = spanned(type_word + "TYPE".len(), granularity_word.map_or(line.len(), |w| w.0));
    if ty.value.is_empty() {
        return Err("the index type is missing");
    }
    let granularity = granularity_word.map(|w| spanned(w.0 + w.1.len(), line.len()));
    if granularity.as_ref().is_some_and(|g| g.value.parse::<u64>().is_err()) {
        return Err("GRANULARITY takes a whole number");
    }
    Ok(Index { name: spanned(name_at, name_at + name.len()), expression, ty, granularity, index_word })
}

/// Where the word TYPE stands. A column may be called `type`: in capitals the word is sure to be the keyword.
fn type_word(words: &[(usize, &str)]) -> Result<usize, &'static str> {
    let mut exact = words.iter().filter(|w| w.1 == "TYPE");
    match (exact.next(), exact.next()) {
        (Some(_), Some(_)) => Err("TYPE stands twice"),
        (Some(word), None) => Ok(word.0),
        (None, _) => {
            words.iter().rfind(|w| w.1.eq_ignore_ascii_case("TYPE")).map(|w| w.0).ok_or("TYPE is missing")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_indexes_or_a_reason() {
        let text = "  a lower(x) TYPE bloom_filter(0.01) GRANULARITY 4,\nINDEX b y TYPE minmax\n c TYPE set(1)\nd z\n-- note\ne type TYPE\tset(0) -- note";
        let (indexes, errors) = parse(text);
        assert_eq!(indexes.len(), 3);
        assert_eq!(&text[indexes[0].expression.range], "lower(x)");
        assert_eq!(indexes[0].granularity.as_ref().map(|g| &text[g.range]), Some("4"));
        assert_eq!(&text[indexes[1].ty.range], "minmax");
        assert!(indexes[1].index_word.is_some());
        assert_eq!((&*indexes[2].expression.value, &*indexes[2].ty.value), ("type", "set(0)"));
        let reasons: Vec<_> = errors.iter().map(|e| e.reason).collect();
        assert_eq!(reasons, ["the indexed expression is missing", "TYPE is missing"]);
    }
}
