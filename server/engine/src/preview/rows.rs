//! Rows as the engine writes them, taken apart.

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as the engine writes it.
    pub ty: String,
}

/// An answer. A cell is the engine's text of the value; `None` is NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Option<String>>>,
    /// The row of `WITH TOTALS`.
    pub totals: Option<Vec<Option<String>>>,
    /// There are more rows, which were not asked for.
    pub more: bool,
}

impl Rows {
    /// Reads `TSVWithNamesAndTypes`. `has_totals` says that the query has `WITH TOTALS`: a blank line stands before that row.
    /// Linear. `None` when the text is something else.
    pub fn parse(text: &str, has_totals: bool) -> Option<Self> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let mut lines = text.split('\n');
        let names = lines.next()?.split('\t').map(|cell| unescape(cell).unwrap_or_default());
        let types = lines.next()?.split('\t').map(|cell| unescape(cell).unwrap_or_default());
        let columns: Vec<Column> = names.zip(types).map(|(name, ty)| Column { name, ty }).collect();
        let mut rows: Vec<Vec<Option<String>>> =
            lines.map(|line| line.split('\t').map(unescape).collect()).collect();
        let mut totals = None;
        if has_totals && rows.len() >= 2 {
            totals = rows.pop();
            // The blank line.
            rows.pop();
        }
        let is_whole = rows.iter().chain(&totals).all(|row| row.len() == columns.len());
        is_whole.then_some(Self { columns, rows, totals, more: false })
    }

    /// Keeps the first `limit` rows.
    pub fn cut(&mut self, limit: usize) {
        if self.rows.len() > limit {
            self.rows.truncate(limit);
            self.more = true;
        }
    }
}

/// A cell without the escapes of the format; `\N` is NULL.
fn unescape(cell: &str) -> Option<String> {
    if cell == "\\N" {
        return None;
    }
    if !cell.contains('\\') {
        return Some(cell.to_owned());
    }
    let mut out = String::with_capacity(cell.len());
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('0') => out.push('\0'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_as_the_engine_writes_them() {
        let text = "a\tb\\tc\nInt8\tNullable(String)\n1\t\\N\n2\tx\\ty\\\\N\n3\t\n";
        let rows = Rows::parse(text, false).expect("rows");
        assert_eq!(rows.columns[1], Column { name: "b\tc".into(), ty: "Nullable(String)".into() });
        let second: Vec<_> = rows.rows.iter().map(|r| r[1].as_deref()).collect();
        assert_eq!(second, [None, Some("x\ty\\N"), Some("")]);
        assert_eq!(rows.totals, None);
    }

    #[test]
    fn totals_stand_behind_a_blank_line() {
        let rows = Rows::parse("a\nUInt8\n1\n2\n\n3\n", true).expect("rows");
        assert_eq!(rows.rows.len(), 2);
        assert_eq!(rows.totals, Some(vec![Some("3".to_owned())]));
        // An empty text is a blank line too.
        let rows = Rows::parse("a\nString\nx\n\ny\n", false).expect("rows");
        assert_eq!(rows.rows.len(), 3);
        assert_eq!(Rows::parse("a\tb\nInt8\tInt8\n1\n", false), None);
        assert_eq!(Rows::parse("a\nInt8\n", false).map(|r| r.rows.len()), Some(0));
    }

    #[test]
    fn what_is_more_is_said() {
        let mut rows = Rows::parse("a\nUInt8\n1\n2\n3\n", false).expect("rows");
        rows.cut(3);
        assert!(!rows.more);
        rows.cut(2);
        assert!(rows.more && rows.rows.len() == 2);
    }
}
