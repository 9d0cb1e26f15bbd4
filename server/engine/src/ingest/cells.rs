//! Lines of comma-separated values.

/// One line.
pub(super) struct Line {
    /// Where it starts in the input, from 1.
    pub(super) number: usize,
    /// Its cells, quotes taken off.
    pub(super) cells: Vec<String>,
    /// Whether nothing stands in a cell, not even quotes.
    pub(super) blank: Vec<bool>,
}

/// Separators, in the order in which they are preferred.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Every line with cells. Quotes may hold separators, line breaks, and doubled quotes; a quote that does not begin a cell is
/// a character. Never fails. Linear.
pub(super) fn lines(bytes: &[u8]) -> Vec<Line> {
    let bytes = strip(bytes);
    let separator = separator(bytes);
    let (mut out, mut at, mut number) = (Vec::new(), 0, 1);
    while at < bytes.len() {
        let start = number;
        let (mut cells, mut blank) = (Vec::new(), Vec::new());
        loop {
            blank.push(bytes.get(at) != Some(&b'"'));
            let (cell, end, is_last) = cell(bytes, at, separator, &mut number);
            if let Some(blank) = blank.last_mut() {
                *blank &= cell.is_empty();
            }
            cells.push(String::from_utf8_lossy(&cell).into_owned());
            at = end;
            if is_last {
                break;
            }
        }
        if cells.len() > 1 || !cells[0].is_empty() {
            out.push(Line { number: start, cells, blank });
        }
    }
    out
}

/// The separator that the first line has most of, outside of quotes, which open where a cell may begin.
fn separator(bytes: &[u8]) -> u8 {
    let mut counts = [0usize; SEPARATORS.len()];
    let (mut in_quotes, mut opens) = (false, true);
    for byte in bytes {
        match byte {
            // Behind a quote that closed, another one is a quote in the text.
            b'"' if in_quotes || opens => {
                (in_quotes, opens) = (!in_quotes, true);
                continue;
            }
            b'\n' if !in_quotes => break,
            _ if in_quotes => continue,
            _ => {}
        }
        let separator = SEPARATORS.iter().position(|s| s == byte);
        opens = separator.is_some();
        if let Some(n) = separator {
            counts[n] += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    counts.iter().position(|c| *c == most).map_or(b',', |n| SEPARATORS[n])
}

/// Finds where lines end in a file that comes in parts, by the rules that [`csv_lines`](super::csv_lines) reads by.
#[derive(Debug, Clone)]
pub struct LineEnds {
    separator: u8,
    at: At,
}

/// What stands before the next byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Nothing of its cell.
    Begin,
    /// Text in quotes.
    Quoted,
    /// A quote in quotes: the last one, or the first of two.
    Quote,
    /// Text.
    Text,
}

impl LineEnds {
    /// For a file that starts with `start`, in which its first line should be whole: that decides about the separator.
    pub fn of(start: &[u8]) -> Self {
        Self { separator: separator(strip(start)), at: At::Begin }
    }

    /// What stands between cells.
    pub fn separator(&self) -> u8 {
        self.separator
    }

    /// Behind the first line of `bytes` that ends in them; what comes next then is the next line. `None`: none ends, and the
    /// next bytes go on with it. A mark of the byte order before the file is not to be among them. Linear.
    pub fn next(&mut self, bytes: &[u8]) -> Option<usize> {
        for (n, byte) in bytes.iter().enumerate() {
            self.at = match (self.at, byte) {
                (At::Begin | At::Quote, b'"') => At::Quoted,
                (At::Quoted, b'"') => At::Quote,
                (At::Quoted, _) => At::Quoted,
                (_, b'\n') => {
                    self.at = At::Begin;
                    return Some(n + 1);
                }
                (_, byte) if *byte == self.separator => At::Begin,
                _ => At::Text,
            };
        }
        None
    }
}

/// Without the mark of the byte order.
fn strip(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

/// The mark of the byte order, which may stand before a file.
pub const MARK: &[u8] = b"\xef\xbb\xbf";

/// The cell at `at`, where the next one starts, and whether it is the line's last.
fn cell(bytes: &[u8], mut at: usize, separator: u8, number: &mut usize) -> (Vec<u8>, usize, bool) {
    let mut cell = Vec::new();
    if bytes.get(at) == Some(&b'"') {
        at += 1;
        while let Some(byte) = bytes.get(at) {
            match (byte, bytes.get(at + 1)) {
                (b'"', Some(b'"')) => {
                    cell.push(b'"');
                    at += 2;
                }
                (b'"', _) => {
                    at += 1;
                    break;
                }
                (byte, _) => {
                    *number += usize::from(*byte == b'\n');
                    cell.push(*byte);
                    at += 1;
                }
            }
        }
    }
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'\n' => {
                *number += 1;
                if cell.last() == Some(&b'\r') {
                    cell.pop();
                }
                return (cell, at, true);
            }
            byte if *byte == separator => return (cell, at, false),
            byte => cell.push(*byte),
        }
    }
    if cell.last() == Some(&b'\r') {
        cell.pop();
    }
    (cell, at, true)
}

#[cfg(test)]
mod tests {
    use super::{LineEnds, lines};

    fn read(text: &str) -> Vec<(usize, Vec<String>)> {
        lines(text.as_bytes()).into_iter().map(|l| (l.number, l.cells)).collect()
    }

    #[test]
    fn cells_are_taken_apart() {
        let rows = read("a,\"b \"\"x\"\",\ny\",c\r\n\n1,,\"\"\nlast,2,3");
        let expected =
            [(1, vec!["a", "b \"x\",\ny", "c"]), (4, vec!["1", "", ""]), (5, vec!["last", "2", "3"])];
        assert_eq!(rows, expected.map(|(n, c)| (n, c.into_iter().map(str::to_owned).collect())));
        assert_eq!(lines(b"x,,\"\",\"y\"\n")[0].blank, [false, true, false, false]);
        assert_eq!(read("a;b,c;d")[0].1, ["a", "b,c", "d"]);
        assert_eq!(read("a\tb")[0].1, ["a", "b"]);
        assert_eq!(read("\"never ends,\n")[0].1.len(), 1);
        assert!(read("").is_empty());
    }

    #[test]
    fn lines_end_where_they_are_read_to_end() {
        for text in [
            "a,b\n5\" pipe,x\n\"q\n\"\"\n\",\"y\" z\"\n,\"\"\n\n7'6\",\"\n\"\n\"\"\"\n\",\"\"\"\"\r\nx",
            "5\" pipe;\"x,\n\"\n\"a\",b;\"c\"\n",
            "\"a\"\",\",b;c;d\n;\"\n\";\n",
        ] {
            // Line by line it reads as the whole does, wherever the parts meet.
            let whole = read(text);
            for part in 1..text.len() {
                let mut ends = LineEnds::of(text.as_bytes());
                let (mut cuts, mut at) = (vec![0], 0);
                while at < text.len() {
                    let until = text.len().min(at + part);
                    match ends.next(&text.as_bytes()[at..until]) {
                        Some(end) => {
                            at += end;
                            cuts.push(at);
                        }
                        None => at = until,
                    }
                }
                cuts.push(text.len());
                let first = &text[..cuts[1]];
                let numbers: Vec<usize> = cuts
                    .windows(2)
                    .filter(|cut| !text[cut[0]..cut[1]].trim().is_empty())
                    .map(|cut| 1 + text[..cut[0]].matches('\n').count())
                    .collect();
                assert_eq!(numbers, whole.iter().map(|(n, _)| *n).collect::<Vec<_>>(), "{text:?} {part}");
                for (cut, (_, cells)) in
                    cuts.windows(2).filter(|cut| !text[cut[0]..cut[1]].trim().is_empty()).zip(&whole).skip(1)
                {
                    let alone = read(&format!("{first}{}", &text[cut[0]..cut[1]]));
                    assert_eq!(&alone[1].1, cells, "{text:?} {part}");
                }
            }
        }
        assert_eq!(read("5\" pipe;x\ny,\",;\n")[1].1, ["y,\",", ""]);
    }
}
