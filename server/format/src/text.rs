//! Lines and line ends.

use headwater_syntax::TextRange;
use headwater_syntax::line::lines;

/// The line end that most lines of a text have; a line feed when there is none.
pub(crate) fn newline_of(text: &str) -> &'static str {
    let (mut lf, mut crlf, mut cr) = (0usize, 0usize, 0usize);
    for line in lines(text) {
        match &text[usize::from(line.range.end())..line.next as usize] {
            "\n" => lf += 1,
            "\r\n" => crlf += 1,
            "\r" => cr += 1,
            _ => {}
        }
    }
    if crlf > lf && crlf >= cr {
        "\r\n"
    } else if cr > lf && cr > crlf {
        "\r"
    } else {
        "\n"
    }
}

/// `text` with line feeds for line ends of any kind.
pub(crate) fn with_line_feeds(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in lines(text) {
        out.push_str(&text[line.range]);
        if line.next as usize > usize::from(line.range.end()) {
            out.push('\n');
        }
    }
    out
}

/// Blanks that lines of a text share at their start, of those lines that are part of it. Neither blank lines nor `#`
/// lines are.
pub(crate) fn shared_indent(body: &str) -> usize {
    let kept = body.split('\n').filter(|line| !is_dropped(line));
    kept.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0)
}

/// Whether a line of a block is no part of its text: blank, or a comment of the file.
pub(crate) fn is_dropped(line: &str) -> bool {
    let trimmed = line.trim_start();
    trimmed.is_empty() || trimmed.starts_with('#')
}

/// Moves a free text to a new indentation. Lines keep their indentation against each other, runs of blank lines become
/// one.
pub(crate) fn reindent(body: &str, indent: usize) -> String {
    let shared = shared_indent(body);
    let mut out = String::with_capacity(body.len());
    let mut blank = false;
    for line in body.split('\n') {
        let trimmed = line.trim_end();
        if trimmed.is_empty() {
            blank = !out.is_empty();
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        if blank {
            out.push('\n');
            blank = false;
        }
        let first = out.is_empty();
        out.extend(std::iter::repeat_n(' ', indent));
        // Blanks before all of a text are no part of it. A comment may start further left than the text.
        let own = trimmed.len() - trimmed.trim_start().len();
        let cut = if first { own } else { shared.min(own) };
        out.push_str(trimmed.get(cut..).unwrap_or(trimmed.trim_start()));
    }
    out
}

/// The text of a range.
pub(crate) fn slice(text: &str, range: TextRange) -> &str {
    text.get(std::ops::Range::<usize>::from(range)).unwrap_or_default()
}

/// How far the further lines of a value's tag are indented at least, when they may be indented otherwise: not when a text in
/// the tag goes over a line's end. `None` for what is no such tag, or has one line.
pub(crate) fn indentation_of_tag(text: &str) -> Option<usize> {
    let body = text.strip_prefix("{{")?;
    if !body.contains('\n') || has_text_over_lines(body) {
        return None;
    }
    let further = text.split('\n').skip(1).filter(|line| !line.trim().is_empty());
    let indents = further.map(|line| line.len() - line.trim_start_matches([' ', '\t']).len());
    indents.min()
}

/// Whether a quote is open at a line's end.
pub(crate) fn has_text_over_lines(text: &str) -> bool {
    let mut quote = None;
    let mut escaped = false;
    for c in text.chars() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(_), '\n') => return true,
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, _) => {}
        }
    }
    false
}
