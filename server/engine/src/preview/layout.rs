//! Rows as text for people and for programs.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Rows;

/// How NULL is shown where a text could be meant.
const NULL: &str = "∅";

/// A table for a terminal that is `width` columns wide. Numbers stand to the right, long values are cut with `…`, NULL is `∅`.
/// Columns that do not fit are cut, the widest first; those that do not fit at all are named below.
pub fn table(rows: &Rows, width: usize) -> String {
    lines(rows, width, true)
}

/// The same without the line of types.
pub fn plain_table(rows: &Rows, width: usize) -> String {
    lines(rows, width, false)
}

fn lines(rows: &Rows, width: usize, has_types: bool) -> String {
    let cells: Vec<Vec<String>> = rows
        .rows
        .iter()
        .chain(&rows.totals)
        .map(|row| row.iter().map(|cell| cell.as_deref().map_or_else(|| NULL.to_owned(), visible)).collect())
        .collect();
    let heads: Vec<(String, &str)> = rows.columns.iter().map(|c| (visible(&c.name), c.ty.as_str())).collect();
    let mut widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(n, (name, ty))| {
            let cells = cells.iter().map(|row| row[n].width()).max().unwrap_or(0);
            cells.max(name.width()).max(if has_types { ty.width().min(24) } else { 0 })
        })
        .collect();
    let shown = fit(&mut widths, width);
    let is_number: Vec<bool> = rows.columns.iter().map(|c| is_number(&c.ty)).collect();
    let mut out = String::new();
    let mut line = |texts: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (n, cell) in texts.take(shown).enumerate() {
            let cut = cut(cell, widths[n]);
            let pad = " ".repeat(widths[n] - cut.width());
            let between = if n == 0 { "" } else { "  " };
            let _ = if is_number[n] {
                write!(text, "{between}{pad}{cut}")
            } else {
                write!(text, "{between}{cut}{pad}")
            };
        }
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(&mut heads.iter().map(|(name, _)| name.as_str()));
    if has_types {
        line(&mut heads.iter().map(|(_, ty)| *ty));
    }
    let rules: Vec<String> = widths.iter().map(|w| "─".repeat(*w)).collect();
    line(&mut rules.iter().map(String::as_str));
    for (n, row) in cells.iter().enumerate() {
        if n == rows.rows.len() {
            line(&mut rules.iter().map(String::as_str));
        }
        line(&mut row.iter().map(String::as_str));
    }
    let hidden: Vec<&str> = heads[shown..].iter().map(|(name, _)| name.as_str()).collect();
    if !hidden.is_empty() {
        let _ = writeln!(out, "… and {} more columns: {}", hidden.len(), hidden.join(", "));
    }
    out
}

/// Makes widths fit, and says how many columns are shown.
fn fit(widths: &mut [usize], width: usize) -> usize {
    const NARROWEST: usize = 8;
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
    while total(widths) > width {
        let Some(widest) = widths.iter_mut().max().filter(|w| **w > NARROWEST) else { break };
        *widest -= 1;
    }
    let mut shown = widths.len();
    while shown > 1 && total(&widths[..shown]) > width {
        shown -= 1;
    }
    shown
}

fn is_number(ty: &str) -> bool {
    let ty = ty.strip_prefix("Nullable(").unwrap_or(ty);
    ["Int", "UInt", "Float", "Decimal", "BFloat"].iter().any(|prefix| ty.starts_with(prefix))
}

/// A text on one line: what cannot be seen is written as an escape.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push('↵'),
            '\t' => out.push('⇥'),
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut left = width.saturating_sub(1);
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if wide > left {
            break;
        }
        left -= wide;
        out.push(c);
    }
    out.push('…');
    out
}

/// Comma-separated, names first; NULL is an empty cell, an empty text is `""`.
pub fn csv(rows: &Rows) -> String {
    let mut out = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = String>| {
        out += &cells.collect::<Vec<_>>().join(",");
        out.push('\n');
    };
    line(&mut rows.columns.iter().map(|c| csv_cell(&c.name)));
    for row in &rows.rows {
        line(&mut row.iter().map(|cell| cell.as_deref().map_or_else(String::new, csv_cell)));
    }
    out
}

fn csv_cell(text: &str) -> String {
    let is_plain = !text.is_empty() && !text.contains([',', '"', '\n', '\r']) && text.trim() == text;
    if is_plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

/// A table in Markdown; NULL is `NULL` in italics.
pub fn markdown(rows: &Rows) -> String {
    let cell = |text: &str| visible(text).replace('\\', "\\\\").replace('|', "\\|");
    let mut out = String::new();
    let mut line = |cells: Vec<String>| {
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    };
    line(rows.columns.iter().map(|c| cell(&c.name)).collect());
    line(rows.columns.iter().map(|c| if is_number(&c.ty) { "---:" } else { "---" }.to_owned()).collect());
    for row in rows.rows.iter().chain(&rows.totals) {
        line(row.iter().map(|c| c.as_deref().map_or_else(|| "*NULL*".to_owned(), cell)).collect());
    }
    out
}

/// `1.2 ms`, `3.4 s`.
pub fn time(elapsed: std::time::Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") }
}

/// `999 B`, `1.2 MB`.
pub fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// `1,234,567`
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::Rows;
    use super::*;

    fn rows() -> Rows {
        let text = "name\tn\tnote\nString\tNullable(UInt64)\tString\nété\t5\tsome text that is rather long, with a\\nline break\n日本\t\\N\t\nx|y\t12\ta,\"b\"\n";
        Rows::parse(text, false).expect("rows")
    }

    #[test]
    fn tables_fit_and_show_nulls() {
        expect![[r#"
            name                   n  note
            String  Nullable(UInt64)  String
            ──────  ────────────────  ──────────────────────
            été                    5  some text that is rat…
            日本                   ∅
            x|y                   12  a,"b"
        "#]]
        .assert_eq(&table(&rows(), 48));
        let narrow = table(&rows(), 12);
        assert!(
            narrow.contains("more columns: note") || narrow.contains("more columns: n, note"),
            "{narrow}"
        );
        assert!(narrow.lines().take(4).all(|line| line.width() <= 12), "{narrow}");
    }

    #[test]
    fn other_layouts() {
        expect![[r#"
            name,n,note
            été,5,"some text that is rather long, with a
            line break"
            日本,,""
            x|y,12,"a,""b"""
        "#]]
        .assert_eq(&csv(&rows()));
        expect![[r#"
            | name | n | note |
            | --- | ---: | --- |
            | été | 5 | some text that is rather long, with a↵line break |
            | 日本 | *NULL* |  |
            | x\|y | 12 | a,"b" |
        "#]]
        .assert_eq(&markdown(&rows()));
    }

    #[test]
    fn figures_are_readable() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_250_000), "1.2 MB");
        assert_eq!(time(std::time::Duration::from_micros(1500)), "1.5 ms");
    }
}
