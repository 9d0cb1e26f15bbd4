//! Rows of definitions with their parts below each other.

use headwater_syntax::sql::ast::{Kind, Node};

use crate::Options;
use crate::sql::{Builder, kids};

/// A part wider than this does not push the other rows' parts to the right.
const WIDEST: usize = 40;

/// A row, and in which column each of its parts stands.
pub(crate) struct Row<'t> {
    pub(crate) parts: Vec<(usize, Vec<Node<'t>>)>,
    /// Everything from the first word to the comma.
    pub(crate) nodes: Vec<Node<'t>>,
}

enum Line {
    Cells { cells: Vec<(usize, String)>, end: String },
    Free(String),
}

/// Definitions of `kind` and their commas, as rows.
pub(crate) fn rows_of<'t>(
    list: Node<'t>,
    kind: Kind,
    column: impl Fn(Node<'t>) -> usize,
) -> Option<Vec<Row<'t>>> {
    let mut rows: Vec<Row<'t>> = Vec::new();
    for node in kids(list) {
        if Kind::of(node) != kind {
            // A comma.
            rows.last_mut()?.nodes.push(node);
            continue;
        }
        let mut parts: Vec<(usize, Vec<Node<'t>>)> = Vec::new();
        for part in kids(node) {
            let at = column(part);
            match parts.last_mut() {
                // Out of the usual order: it stays where it is.
                Some(last) if at <= last.0 => last.1.push(part),
                _ => parts.push((at, vec![part])),
            }
        }
        rows.push(Row { parts, nodes: vec![node] });
    }
    Some(rows)
}

/// Lays rows out, each on a line, or on several when it is too long and `breaks`. `base` is their indentation.
pub(crate) fn lay_out(
    builder: &mut Builder<'_>,
    rows: &[Row<'_>],
    options: &Options,
    base: usize,
    breaks: bool,
) -> String {
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let cells: Vec<(usize, String)> =
            row.parts.iter().map(|(column, nodes)| (*column, builder.flat_text(nodes))).collect();
        let comma = row.nodes.iter().skip(1).map(|comma| builder.flat_text(&[*comma])).collect::<String>();
        let width = base + cells.iter().map(|(_, cell)| cell.chars().count() + 1).sum::<usize>();
        let simple =
            (!breaks || width <= options.width) && cells.iter().all(|(_, cell)| !cell.contains('\n'));
        let around = simple.then(|| builder.around(&row.nodes)).flatten();
        let line = match around {
            Some((before, behind)) => {
                lines.extend(before.into_iter().map(Line::Free));
                let behind = if behind.is_empty() { behind } else { format!(" {behind}") };
                Line::Cells { cells, end: comma + &behind }
            }
            None => Line::Free(builder.print_row(&row.nodes, options, base)),
        };
        lines.push(line);
    }
    for line in builder.rest_lines() {
        lines.push(Line::Free(line));
    }
    let widths = if options.align { widths(&lines) } else { Vec::new() };
    let mut out = String::new();
    for (n, line) in lines.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        match line {
            Line::Free(text) if text.is_empty() => {}
            // Laid out with its indentation already when it has several lines.
            Line::Free(text) => {
                if !text.starts_with(' ') {
                    out.extend(std::iter::repeat_n(' ', base));
                }
                out.push_str(text);
            }
            Line::Cells { cells, end } => {
                out.extend(std::iter::repeat_n(' ', base));
                let mut at = 0;
                let mut due = 0;
                for (column, cell) in cells {
                    let start: usize = widths.iter().take(*column).filter(|w| **w > 0).map(|w| w + 1).sum();
                    let pad = start.max(due).saturating_sub(at);
                    out.extend(std::iter::repeat_n(' ', pad));
                    out.push_str(cell);
                    at += pad + cell.chars().count();
                    due = at + 1;
                }
                out.push_str(end);
            }
        }
    }
    out
}

/// How wide each column is: the widest of its parts that has something behind it.
fn widths(lines: &[Line]) -> Vec<usize> {
    let mut widths: Vec<usize> = Vec::new();
    for line in lines {
        let Line::Cells { cells, .. } = line else { continue };
        for (n, (column, cell)) in cells.iter().enumerate() {
            if widths.len() <= *column {
                widths.resize(column + 1, 0);
            }
            let width = cell.chars().count();
            if n + 1 < cells.len() && width <= WIDEST {
                widths[*column] = widths[*column].max(width);
            }
        }
    }
    widths
}
