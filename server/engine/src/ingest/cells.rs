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
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
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

/// The separator that the first line has most of, outside of quotes.
fn separator(bytes: &[u8]) -> u8 {
    let mut counts = [0usize; SEPARATORS.len()];
    let mut in_quotes = false;
    for byte in bytes {
        match byte {
            b'"' => in_quotes = !in_quotes,
            b'\n' if !in_quotes => break,
            _ if in_quotes => {}
            byte => {
                if let Some(n) = SEPARATORS.iter().position(|s| s == byte) {
                    counts[n] += 1;
                }
            }
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    counts.iter().position(|c| *c == most).map_or(b',', |n| SEPARATORS[n])
}

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
    use super::lines;

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
}
