//! Mutations of texts: of bytes, of tokens, of lines, and splices of two texts.

use fastrand::Rng;

use crate::dictionary::{PAIRS, PIECES};

/// Texts do not grow beyond this: what needs more bytes to show is the business of [`crate::growth`].
pub const MAX_LEN: usize = 16 * 1024;

/// A text made from `base` and, for splices, from others of the corpus.
pub fn mutated(rng: &mut Rng, base: &str, corpus: &[String]) -> String {
    let mut text = base.to_owned();
    // Mostly few changes, so that what is around them still parses; now and then very many.
    let changes = match rng.u8(..20) {
        0 => rng.usize(10..60),
        1..4 => rng.usize(4..12),
        _ => rng.usize(1..4),
    };
    for _ in 0..changes {
        text = match rng.u8(..12) {
            0..2 => bytes(rng, &text),
            2..6 => tokens(rng, &text, corpus),
            6..9 => lines(rng, &text, corpus),
            9 => spliced(rng, &text, corpus),
            10 => {
                let piece = pick(rng, PIECES);
                inserted(rng, &text, piece)
            }
            _ => nested(rng, &text),
        };
        if text.len() > MAX_LEN {
            let end = floor(&text, MAX_LEN);
            text.truncate(end);
        }
    }
    text
}

fn pick<'a, T: ?Sized>(rng: &mut Rng, from: &[&'a T]) -> &'a T {
    from[rng.usize(..from.len())]
}

/// The last place between two characters that is not behind `at`.
pub fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A place between two characters.
pub fn place(rng: &mut Rng, text: &str) -> usize {
    floor(text, rng.usize(..=text.len()))
}

fn span(rng: &mut Rng, text: &str, longest: usize) -> (usize, usize) {
    let start = place(rng, text);
    let end = floor(text, start + rng.usize(..=longest));
    (start, end)
}

fn inserted(rng: &mut Rng, text: &str, piece: &str) -> String {
    let at = place(rng, text);
    [&text[..at], piece, &text[at..]].concat()
}

/// Changes bytes without regard to characters; what is no UTF-8 then becomes what an editor would show for it.
fn bytes(rng: &mut Rng, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.is_empty() {
        return pick(rng, PIECES).to_owned();
    }
    let at = rng.usize(..bytes.len());
    let end = (at + rng.usize(1..20)).min(bytes.len());
    match rng.u8(..6) {
        0 => bytes[at] ^= 1 << rng.u8(..8),
        1 => bytes[at] = rng.u8(..),
        2 => drop(bytes.drain(at..end)),
        3 => {
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        4 => bytes.truncate(at),
        _ => bytes.insert(at, rng.u8(..)),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Words, numbers, runs of blanks, and single characters of anything else.
pub fn tokenize(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 1,
        ' ' | '\t' => 2,
        _ => 0,
    };
    let mut out = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        if class(c) == 0 || chars.peek().is_none_or(|(_, next)| class(*next) != class(c)) {
            out.push(&text[start..end]);
            start = end;
        }
    }
    out
}

fn tokens(rng: &mut Rng, text: &str, corpus: &[String]) -> String {
    let mut list = tokenize(text);
    if list.is_empty() {
        return pick(rng, PIECES).to_owned();
    }
    let at = rng.usize(..list.len());
    let end = (at + rng.usize(1..6)).min(list.len());
    match rng.u8(..7) {
        0 => drop(list.drain(at..end)),
        1 => {
            let copy = list[at..end].to_vec();
            list.splice(at..at, copy);
        }
        2 => {
            let other = rng.usize(..list.len());
            list.swap(at, other);
        }
        3 => list[at] = pick(rng, PIECES),
        4 => list.insert(at, pick(rng, PIECES)),
        5 => {
            // A word of this text where another stands: names and keywords meet in new places.
            list[at] = list[rng.usize(..list.len())];
        }
        _ => {
            let other = tokenize(&corpus[rng.usize(..corpus.len())]);
            if !other.is_empty() {
                let from = rng.usize(..other.len());
                let to = (from + rng.usize(1..8)).min(other.len());
                list.splice(at..at, other[from..to].to_vec());
            }
        }
    }
    list.concat()
}

fn lines(rng: &mut Rng, text: &str, corpus: &[String]) -> String {
    let mut list: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if list.is_empty() {
        return "\n".to_owned();
    }
    let at = rng.usize(..list.len());
    let end = (at + rng.usize(1..5)).min(list.len());
    match rng.u8(..9) {
        0 => drop(list.drain(at..end)),
        1 => {
            let copy = list[at..end].to_vec();
            let to = rng.usize(..=list.len());
            list.splice(to..to, copy);
        }
        2 => {
            let other = rng.usize(..list.len());
            list.swap(at, other);
        }
        3 => {
            let indent = pick(rng, &["", " ", "\t", "    ", "\u{a0}", "        "]);
            list[at] = format!("{indent}{}", list[at].trim_start_matches([' ', '\t']));
        }
        4 => {
            let ending = pick(rng, &["\r\n", "\r", "", "\n\n", "\u{2028}", "\n\r", " \n", "\\\n", "#\n"]);
            list[at] = format!("{}{ending}", list[at].trim_end_matches(['\r', '\n']));
        }
        5 => list.iter_mut().for_each(|line| *line = line.replace('\n', "\r\n")),
        6 => list[at].insert_str(0, pick(rng, &["#", "--", "    #", "{#", "/*", "%", ">"])),
        7 => {
            // A very long line.
            let piece = pick(rng, PIECES).repeat(rng.usize(1..200));
            let line = list[at].trim_end_matches(['\r', '\n']).to_owned();
            list[at] = format!("{line}{piece}\n");
        }
        _ => {
            let other: Vec<_> = corpus[rng.usize(..corpus.len())].split_inclusive('\n').collect();
            if !other.is_empty() {
                let from = rng.usize(..other.len());
                let to = (from + rng.usize(1..6)).min(other.len());
                list.splice(at..at, other[from..to].iter().map(|l| (*l).to_owned()));
            }
        }
    }
    list.concat()
}

fn spliced(rng: &mut Rng, text: &str, corpus: &[String]) -> String {
    let other = &corpus[rng.usize(..corpus.len())];
    let (a, b) = (place(rng, text), place(rng, other));
    match rng.bool() {
        true => [&text[..a], &other[b..]].concat(),
        false => {
            let (from, to) = span(rng, other, 200);
            [&text[..a], &other[from..to], &text[a..]].concat()
        }
    }
}

/// Puts a part of the text between many openers and about as many closers.
fn nested(rng: &mut Rng, text: &str) -> String {
    let (open, close) = PAIRS[rng.usize(..PAIRS.len())];
    let depth = match rng.u8(..8) {
        0 => rng.usize(100..1500),
        1..3 => rng.usize(5..120),
        _ => rng.usize(1..4),
    };
    let closers = match rng.u8(..4) {
        0 => rng.usize(..=depth),
        _ => depth,
    };
    let (start, end) = span(rng, text, 40);
    [&text[..start], &open.repeat(depth), &text[start..end], &close.repeat(closers), &text[end..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_leave_nothing_out() {
        let text = "NODE a_1\r\n  SELECT é+{{x}}\u{2028}";
        assert_eq!(tokenize(text).concat(), text);
        assert_eq!(tokenize("ab  c("), ["ab", "  ", "c", "("]);
        assert!(tokenize("").is_empty());
    }

    #[test]
    fn the_same_seed_makes_the_same_texts() {
        let corpus = ["NODE a\nSQL >\n  SELECT 1\n".to_owned(), "é😀".to_owned(), String::new()];
        let make = |seed| {
            let mut rng = Rng::with_seed(seed);
            (0..500).map(|n| mutated(&mut rng, &corpus[n % 3], &corpus)).collect::<Vec<_>>()
        };
        assert_eq!(make(7), make(7));
        assert_ne!(make(7), make(8));
        assert!(make(7).iter().all(|t| t.len() <= MAX_LEN));
    }
}
