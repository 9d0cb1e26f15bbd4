//! Files in pieces that end where rows end, each to be read as the file is.

use std::io::Read;

use headwater_engine::ingest::{LineEnds, MARK, csv_lines};

use crate::pipeline::{AcceptError, Accepted, RowFormat};

/// Bytes of a piece, about.
const PIECE: usize = 8 << 20;

/// A row may be so long; what has no end until then is no file of rows.
const LONGEST_ROW: usize = 16 << 20;

/// Why a file was not kept to its end, and what of it was.
pub(super) struct Broken {
    pub(super) kept: Accepted,
    pub(super) why: Why,
}

pub(super) enum Why {
    Refused(AcceptError),
    TooLong(String),
    Unreadable(String),
}

/// Cuts a file where rows end.
pub(super) struct Pieces {
    format: RowFormat,
    columns: Vec<String>,
    limit: u64,
    piece: usize,
}

impl Pieces {
    pub(super) fn new(format: RowFormat, columns: Vec<String>, limit: u64) -> Self {
        Self { format, columns, limit, piece: PIECE }
    }

    pub(super) fn keep(
        &self,
        mut file: impl Read,
        mut keep: impl FnMut(Vec<u8>, usize) -> Result<Accepted, AcceptError>,
    ) -> Result<Accepted, Broken> {
        let mut total = Accepted::default();
        let mut held: Vec<u8> = Vec::new();
        let mut head = Head::default();
        let mut ends = Ends::default();
        let (mut nth, mut read, mut lines) = (0, 0u64, 0);
        let mut at_end = false;
        while !at_end {
            let wanted = (self.piece + 1).saturating_sub(held.len()).max(64 << 10);
            let got = match (&mut file).take(wanted as u64).read_to_end(&mut held) {
                Ok(got) => got,
                Err(e) => return Err(Broken { kept: total, why: Why::Unreadable(e.to_string()) }),
            };
            at_end = got < wanted;
            read += got as u64;
            if read > self.limit {
                let what = format!(
                    "the file is longer than {} bytes when it is unpacked; send it in parts",
                    self.limit
                );
                return Err(Broken { kept: total, why: Why::TooLong(what) });
            }
            let cut = if at_end { held.len() } else { ends.last(self.format, &held) };
            if cut == 0 {
                if at_end {
                    break;
                }
                if held.len() > LONGEST_ROW {
                    let what =
                        format!("a row is longer than {LONGEST_ROW} bytes, or its quotes do not close");
                    return Err(Broken { kept: total, why: Why::TooLong(what) });
                }
                continue;
            }
            let rest = held.split_off(cut);
            let rows = std::mem::replace(&mut held, rest);
            ends.cut(cut);
            if nth == 0 {
                head = self.head(&rows);
            }
            let skipped = if nth > 0 { head.lines } else { 0 };
            let first_line = lines;
            lines += rows.iter().filter(|b| **b == b'\n').count();
            let piece = if nth > 0 { [head.bytes.as_slice(), &rows].concat() } else { rows };
            match keep(piece, nth) {
                Ok(one) => add(&mut total, one, first_line, skipped),
                Err(error) => return Err(Broken { kept: total, why: Why::Refused(error) }),
            }
            nth += 1;
        }
        Ok(total)
    }

    /// What each piece needs before it, to be read as the file is: the lines until the one that says what the columns are,
    /// by the rule that rows are read by. Where there is none, a line that says the columns as they go by position: a row of
    /// data that comes first in a piece decides about nothing then.
    fn head(&self, rows: &[u8]) -> Head {
        if self.format != RowFormat::Csv {
            return Head::default();
        }
        let mut ends = LineEnds::of(rows);
        let separator = ends.separator();
        let mut end = if rows.starts_with(MARK) { MARK.len() } else { 0 };
        loop {
            let start = end;
            end = ends.next(&rows[start..]).map_or(rows.len(), |at| start + at);
            if end == rows.len() || !csv_lines(&rows[start..end]).is_empty() {
                break;
            }
        }
        let cells = csv_lines(&rows[..end]).into_iter().next().unwrap_or_default();
        let known = cells.iter().filter(|cell| self.columns.iter().any(|c| c == cell.trim())).count();
        let mut bytes = if known > 0 && known * 2 >= cells.len() {
            rows[..end].to_vec()
        } else {
            let quoted = self.columns.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\"")));
            quoted.collect::<Vec<_>>().join(char::from(separator).encode_utf8(&mut [0; 4])).into_bytes()
        };
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        Head { lines: bytes.iter().filter(|b| **b == b'\n').count(), bytes }
    }
}

/// What stands before the rows of each piece but the first.
#[derive(Default)]
struct Head {
    bytes: Vec<u8>,
    lines: usize,
}

/// Where rows end in what is held of a file, each byte looked at once.
#[derive(Default)]
struct Ends {
    csv: Option<LineEnds>,
    seen: usize,
    last: usize,
}

impl Ends {
    /// Where the last row ends: behind a line end, which in CSV is no part of a quoted text; 0 where none does.
    fn last(&mut self, format: RowFormat, held: &[u8]) -> usize {
        match format {
            RowFormat::Ndjson => {
                if let Some(at) = held[self.seen..].iter().rposition(|b| *b == b'\n') {
                    self.last = self.seen + at + 1;
                }
            }
            RowFormat::Csv => {
                if self.csv.is_none() && held.starts_with(MARK) {
                    self.seen = MARK.len();
                }
                let ends = self.csv.get_or_insert_with(|| LineEnds::of(held));
                while let Some(end) = ends.next(&held[self.seen..]) {
                    self.seen += end;
                    self.last = self.seen;
                }
            }
        }
        self.seen = held.len();
        self.last
    }

    /// What is held begins behind `cut` now.
    fn cut(&mut self, cut: usize) {
        self.seen = self.seen.saturating_sub(cut);
        self.last = 0;
    }
}

/// Adds what became of a piece, whose lines come behind `before`, after `skipped` that are none of its own.
fn add(total: &mut Accepted, one: Accepted, before: usize, skipped: usize) {
    total.position = one.position;
    total.rows += one.rows;
    total.quarantined += one.quarantined;
    total.repeated |= one.repeated;
    let room = 100usize.saturating_sub(total.verdicts.len());
    total.verdicts.extend(one.verdicts.into_iter().take(room).map(|mut verdict| {
        verdict.line = (verdict.line + before).saturating_sub(skipped);
        verdict
    }));
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufReader};

    use axum::body::Bytes;
    use tokio::sync::mpsc;

    use super::super::arriving::Arriving;
    use super::super::body::{Frames, Packing};
    use super::*;
    use crate::pipeline::RowVerdict;

    fn pieces(format: RowFormat, size: usize, file: &str) -> (Vec<String>, Accepted) {
        let mut all = Vec::new();
        let cutter =
            Pieces { piece: size, ..Pieces::new(format, vec!["a".to_owned(), "b".to_owned()], 1 << 20) };
        let total = cutter.keep(file.as_bytes(), |bytes, nth| {
            assert_eq!(nth, all.len());
            all.push(String::from_utf8(bytes).expect("UTF-8"));
            let verdict = RowVerdict { line: 2, column: None, reason: String::new() };
            Ok(Accepted {
                position: nth as u64,
                rows: 1,
                quarantined: 1,
                verdicts: vec![verdict],
                repeated: false,
            })
        });
        (all, total.map_err(|_| "broken").expect("kept"))
    }

    #[test]
    fn files_are_cut_where_rows_end() {
        let row = format!("{{\"a\":\"{}\"}}\n", "x".repeat(40_000));
        let (all, total) = pieces(RowFormat::Ndjson, 1, &row.repeat(5));
        assert!(all.len() > 1 && all.iter().all(|p| p.ends_with("}\n")), "{}", all.len());
        assert_eq!((all.concat(), total.rows as usize), (row.repeat(5), all.len()));
        // Pieces of CSV repeat the head, and end in no quoted text.
        let row = format!("\"{}\n\",1\n", "y".repeat(40_000));
        let file = format!("a,b\n{}", row.repeat(4));
        let (all, total) = pieces(RowFormat::Csv, 1, &file);
        assert!(all.len() > 1 && all.iter().all(|p| p.starts_with("a,b\n\"y") && p.ends_with(",1\n")));
        assert_eq!(all.iter().map(|p| p.trim_start_matches("a,b\n")).collect::<String>(), row.repeat(4));
        // The second line of the second piece is the file's, counted through.
        let first = all[0].matches('\n').count();
        assert_eq!(total.verdicts.iter().map(|v| v.line).take(2).collect::<Vec<_>>(), [2, first + 1]);
        assert_eq!(pieces(RowFormat::Csv, 1 << 20, "1,2\n3,4").0, ["1,2\n3,4"]);
        assert!(pieces(RowFormat::Ndjson, 1 << 20, "").0.is_empty());
    }

    #[test]
    fn pieces_of_csv_are_read_as_the_file_is() {
        let long = "y".repeat(30_000);
        // A quote within a cell is a character; blank lines before the head; rows that would be a head, or have another
        // separator, at the start of a piece.
        for (head, names, row) in [
            ("a,b\n", ["a", "b"], format!("5\" pipe{long},\"x\n\"\"\n\"\n\"\",7'6\"\n")),
            ("a,b\n", ["a", "b"], format!("5\" pipe,\"\n{long}\"\n")),
            ("\u{feff}\n\r\n\"\"\nb,a\n", ["b", "a"], format!("{long}\",\"\n\"\n")),
            ("\u{feff}\"b\",\"other\n\"\n", ["b", "other\n"], format!("{long},1\n")),
            ("1;2\n", ["a", "b"], format!("{long},,,\";\"\n\"\n")),
            ("1,2\n", ["a", "b"], format!("a,b\n{long},2\n")),
            ("", ["a", "b"], format!("x,{long}\n\n")),
        ] {
            let file = format!("{head}{}", row.repeat(12));
            let (all, _) = pieces(RowFormat::Csv, 1, &file);
            assert!(all.len() > 2, "{head:?}");
            let mut lines = csv_lines(all[0].as_bytes());
            for piece in &all[1..] {
                let read = csv_lines(piece.as_bytes());
                assert_eq!(read[0], names, "{head:?}");
                lines.extend_from_slice(&read[1..]);
            }
            assert!(lines == csv_lines(file.as_bytes()), "{head:?}");
        }
    }

    /// Pieces that are kept of a body whose sender said `sent` and went.
    fn arrived(sent: Vec<io::Result<Option<Bytes>>>, packing: Packing) -> (Vec<Vec<u8>>, bool) {
        let (sender, receiver) = mpsc::channel(sent.len().max(1));
        sent.into_iter().for_each(|one| sender.try_send(one).expect("room"));
        drop(sender);
        let arriving = Arriving::new(receiver);
        let mut all = Vec::new();
        let keep = |bytes, _| {
            all.push(bytes);
            Ok(Accepted::default())
        };
        let pieces = Pieces { piece: 1, ..Pieces::new(RowFormat::Ndjson, Vec::new(), 1 << 20) };
        let kept = match packing {
            Packing::None => pieces.keep(arriving, keep),
            Packing::Gzip => pieces.keep(flate2::read::MultiGzDecoder::new(arriving), keep),
            Packing::Zstd => pieces.keep(Frames::new(BufReader::new(arriving)), keep),
        };
        (all, kept.is_ok())
    }

    #[test]
    fn of_a_client_that_goes_no_half_row_is_kept() {
        let file = b"{\"a\":1}\n{\"a\":2}\n".repeat(5000);
        let gzip = |file: &[u8]| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            io::Write::write_all(&mut packer, file).expect("in memory");
            packer.finish().expect("in memory")
        };
        let zstd = |file: &[u8]| {
            ruzstd::encoding::compress_to_vec(file, ruzstd::encoding::CompressionLevel::Fastest)
        };
        // Packed, what was sent is whole and may still have gone on.
        for (packing, bytes) in
            [(Packing::None, file.clone()), (Packing::Gzip, gzip(&file)), (Packing::Zstd, zstd(&file))]
        {
            let bytes = || Ok(Some(Bytes::from(bytes.clone())));
            let (all, whole) = arrived(vec![bytes(), Ok(None)], packing);
            assert!(whole && all.concat() == file, "{packing:?}");
            for (n, sent) in [vec![bytes()], vec![bytes(), Err(io::Error::other("silent"))], vec![]]
                .into_iter()
                .enumerate()
            {
                let (all, whole) = arrived(sent, packing);
                assert!(!whole && all.iter().all(|piece| piece.ends_with(b"}\n")), "{packing:?} {n}");
                assert!(all.concat().len() < file.len(), "{packing:?} {n}");
            }
        }
    }
}
