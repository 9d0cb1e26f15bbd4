//! A document algebra: text with places where a line may end, and a printer that decides which of them do.
//!
//! It follows Wadler's "prettier printer" as Prettier extended it (groups that a hard break forces open, line suffixes). It
//! is our own because of what templates need and no published crate has: tags that raise the indentation of
//! everything printed after them, whatever the nesting of the tree; stretches that stay on one line; and lines that
//! start only if the current one has begun. Nodes live in one vector, so neither building nor dropping a document
//! recurses, and every node knows its flat width, which makes most decisions O(1).

/// A node of a document. Copying it shares the node.
pub(crate) type Doc = u32;

/// What a template tag on a line of its own does to the lines behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagRole {
    /// Begins a block.
    Open,
    /// Ends an arm of a block and begins the next.
    Middle,
    /// Ends a block.
    Close,
}

#[derive(Debug, Clone, Copy)]
enum Node<'a> {
    Text(&'a str),
    /// A line break if the group is broken, else the text.
    Line(&'static str),
    /// Always a line break.
    Hard,
    /// A line break unless the line is empty so far.
    Fresh,
    /// An empty line before what follows, if that starts a line.
    Blank,
    /// A blank, unless the line is empty or ends with one.
    Space,
    /// Text that ends its line: whatever follows starts the next one.
    Suffix(&'a str),
    Group(Doc),
    Indent(Doc),
    /// Lines before a word: they break nothing that begins with them.
    Lead(Doc),
    /// Parts in `Docs::parts`.
    Concat(u32, u32),
    /// A tag on a line of its own.
    Tag(&'a str, TagRole),
    /// What is printed between `true` and `false` stays on one line.
    Inline(bool),
}

#[derive(Debug, Clone, Copy, Default)]
struct Measure {
    /// Columns on one line; saturating.
    width: u32,
    /// A break inside cannot be avoided.
    hard: bool,
    /// Nothing may follow on its last line.
    ends_line: bool,
    /// It begins with lines of its own: what follows them starts a line.
    lead: bool,
    /// By how many template blocks that line is deeper.
    deeper: i16,
    /// Nothing is printed for it.
    empty: bool,
    /// On one line it begins with a blank, of which there is one if the text before ends with one.
    starts_blank: bool,
    ends_blank: bool,
}

/// Builds documents. Texts are borrowed from the source.
#[derive(Debug, Default)]
pub(crate) struct Docs<'a> {
    nodes: Vec<(Node<'a>, Measure)>,
    parts: Vec<Doc>,
}

impl<'a> Docs<'a> {
    fn add(&mut self, node: Node<'a>, width: usize, hard: bool) -> Doc {
        let width = u32::try_from(width).unwrap_or(u32::MAX);
        let empty = matches!(node, Node::Text("") | Node::Blank | Node::Inline(_));
        let ends_line = matches!(node, Node::Suffix(_));
        let blank = matches!(node, Node::Space | Node::Line(" "));
        let measure = Measure { width, hard, ends_line, empty, ..Measure::default() };
        self.push(node, Measure { starts_blank: blank, ends_blank: blank, ..measure })
    }

    fn push(&mut self, node: Node<'a>, measure: Measure) -> Doc {
        self.nodes.push((node, measure));
        u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX)
    }

    /// Text as it is. With line breaks in it, it forces the groups around it open and its further lines stay as they are.
    pub(crate) fn text(&mut self, text: &'a str) -> Doc {
        self.add(Node::Text(text), columns(text), text.contains('\n'))
    }

    /// A break, or a blank.
    pub(crate) fn line(&mut self) -> Doc {
        self.add(Node::Line(" "), 1, false)
    }

    /// A break, or nothing.
    pub(crate) fn softline(&mut self) -> Doc {
        self.add(Node::Line(""), 0, false)
    }

    /// A break.
    pub(crate) fn hard(&mut self) -> Doc {
        self.add(Node::Hard, 0, true)
    }

    /// A break, unless the line is empty.
    pub(crate) fn fresh(&mut self) -> Doc {
        self.add(Node::Fresh, 0, true)
    }

    /// An empty line, if a line starts here.
    pub(crate) fn blank(&mut self) -> Doc {
        self.add(Node::Blank, 0, false)
    }

    /// A blank, unless there is one.
    pub(crate) fn space(&mut self) -> Doc {
        self.add(Node::Space, 1, false)
    }

    /// A comment that ends its line.
    pub(crate) fn suffix(&mut self, text: &'a str) -> Doc {
        self.add(Node::Suffix(text), 0, false)
    }

    /// A tag on a line of its own; the breaks around it are the caller's.
    pub(crate) fn tag(&mut self, text: &'a str, role: TagRole) -> Doc {
        self.add(Node::Tag(text, role), columns(text), true)
    }

    /// Begins or ends a stretch without breaks.
    pub(crate) fn inline(&mut self, on: bool) -> Doc {
        self.add(Node::Inline(on), 0, false)
    }

    /// Nothing.
    pub(crate) fn nil(&mut self) -> Doc {
        self.text("")
    }

    /// One after the other.
    pub(crate) fn concat(&mut self, parts: &[Doc]) -> Doc {
        if let [one] = parts {
            return *one;
        }
        let start = self.parts.len();
        self.parts.extend_from_slice(parts);
        let mut all = Measure { empty: true, ..Measure::default() };
        for part in parts.iter().map(|part| self.measure(*part)).filter(|part| !part.empty) {
            let shared = u32::from(all.ends_blank && part.starts_blank);
            all.width = all.width.saturating_add(part.width) - shared;
            all.starts_blank = if all.empty { part.starts_blank } else { all.starts_blank };
            all.ends_blank = part.ends_blank;
            // What ends a line forces groups open only where something follows in them; lines before a word, only where
            // something stands before.
            all.hard |= part.hard || all.ends_line || part.lead && !all.empty;
            if all.empty {
                (all.lead, all.deeper) = (part.lead, part.deeper);
            }
            all.ends_line = part.ends_line;
            all.empty = false;
        }
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.push(Node::Concat(at(start), at(self.parts.len())), all)
    }

    /// On one line if it fits.
    pub(crate) fn group(&mut self, inner: Doc) -> Doc {
        self.group_if(inner, false)
    }

    /// On one line if it fits, unless `broken`.
    pub(crate) fn group_if(&mut self, inner: Doc, broken: bool) -> Doc {
        let measure = self.measure(inner);
        self.push(Node::Group(inner), Measure { hard: measure.hard || broken, ..measure })
    }

    /// With its further lines one step further right.
    pub(crate) fn indent(&mut self, inner: Doc) -> Doc {
        self.push(Node::Indent(inner), self.measure(inner))
    }

    /// Comments and tags on lines of their own, before a word; `deeper` says what the tags do to its indentation.
    pub(crate) fn lead(&mut self, inner: Doc, deeper: i16) -> Doc {
        self.push(Node::Lead(inner), Measure { lead: true, deeper, ..Measure::default() })
    }

    /// Whether nothing may follow on its last line.
    pub(crate) fn ends_line(&self, doc: Doc) -> bool {
        self.measure(doc).ends_line
    }

    fn measure(&self, doc: Doc) -> Measure {
        self.nodes[doc as usize].1
    }

    /// Lays `doc` out. `base` is the indentation of its first line, `step` what one level adds, both in columns.
    /// Ends without a line break. Linear, times the width where a line is nearly full.
    pub(crate) fn print(&self, doc: Doc, width: usize, base: usize, step: usize) -> String {
        let mut printer = Printer {
            docs: self,
            width,
            step,
            lines: vec![Line::default()],
            ended: false,
            depth: 0,
            inline: 0,
        };
        printer.run(doc, base);
        printer.finish()
    }
}

fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Flat,
    Broken,
}

#[derive(Debug, Default)]
struct Line {
    /// Columns before the text; unused for the further lines of a text.
    indent: usize,
    text: String,
    columns: usize,
    /// A further line of a text, which stays as it is.
    verbatim: bool,
    tag: Option<TagRole>,
}

struct Printer<'d, 'a> {
    docs: &'d Docs<'a>,
    width: usize,
    step: usize,
    lines: Vec<Line>,
    /// The line is at its end, though no other has begun.
    ended: bool,
    /// Template blocks around, of those whose tags have lines of their own.
    depth: usize,
    inline: usize,
}

type Command = (usize, Mode, Doc);

impl<'a> Printer<'_, 'a> {
    fn run(&mut self, doc: Doc, base: usize) {
        let mut stack: Vec<Command> = vec![(base, Mode::Broken, doc)];
        while let Some((indent, mode, doc)) = stack.pop() {
            let (node, measure) = self.docs.nodes[doc as usize];
            match node {
                Node::Text(text) => self.text(text, indent),
                Node::Line(flat) if (mode == Mode::Flat || self.inline > 0) && !self.ended => {
                    if flat.is_empty() {
                        continue;
                    }
                    self.space();
                }
                Node::Hard | Node::Fresh if self.inline > 0 => self.space(),
                Node::Line(_) | Node::Hard => self.newline(),
                Node::Fresh => {
                    if !self.line().text.is_empty() {
                        self.newline();
                    }
                }
                Node::Blank => {
                    let fresh = self.line().text.is_empty() && self.inline == 0;
                    let first = self.lines.len() < 2;
                    let before = self.lines.len().checked_sub(2).map(|n| self.lines[n].text.is_empty());
                    if fresh && !first && before == Some(false) {
                        self.newline();
                    }
                }
                Node::Space => self.space(),
                Node::Suffix(text) => {
                    self.space();
                    self.line().text.push_str(text);
                    self.ended = true;
                }
                Node::Indent(inner) => stack.push((indent + self.step, mode, inner)),
                Node::Lead(inner) => stack.push((indent, mode, inner)),
                Node::Concat(start, end) => {
                    let parts = &self.docs.parts[start as usize..end as usize];
                    stack.extend(parts.iter().rev().map(|part| (indent, mode, *part)));
                }
                Node::Group(inner) => {
                    let flat = self.inline > 0
                        || !measure.hard && (mode == Mode::Flat || self.fits(indent, measure, &stack));
                    stack.push((indent, if flat { Mode::Flat } else { Mode::Broken }, inner));
                }
                Node::Tag(text, role) => self.tag(text, role, indent),
                Node::Inline(true) => self.inline += 1,
                Node::Inline(false) => self.inline = self.inline.saturating_sub(1),
            }
        }
    }

    fn line(&mut self) -> &mut Line {
        if self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    fn space(&mut self) {
        if self.ended {
            return;
        }
        let line = self.line();
        if !line.text.is_empty() && !line.text.ends_with(' ') {
            line.text.push(' ');
            line.columns += 1;
        }
    }

    fn newline(&mut self) {
        self.ended = false;
        let line = self.line();
        // No word ends with a blank.
        line.text.truncate(line.text.trim_end_matches(' ').len());
        self.lines.push(Line::default());
    }

    fn text(&mut self, text: &'a str, indent: usize) {
        if text.is_empty() {
            return;
        }
        if self.ended {
            self.newline();
        }
        let indent = indent + self.depth * self.step;
        let line = self.line();
        // An indentation is decided when there is something to indent: tags in between may have changed it.
        if line.text.is_empty() && !line.verbatim {
            line.indent = indent;
            line.columns = indent;
        }
        // The further lines of a value's tag go along with the line that it begins on.
        let shift = crate::text::indentation_of_tag(text);
        let base = line.indent;
        for (n, piece) in text.split('\n').enumerate() {
            if let (Some(shift), true) = (shift, n > 0) {
                let piece = piece.get(shift..).unwrap_or_else(|| piece.trim_start());
                self.lines.push(Line { indent: base, columns: base, ..Line::default() });
                let line = self.line();
                line.text.push_str(piece);
                line.columns += columns(piece);
                continue;
            }
            if n > 0 {
                self.lines.push(Line { verbatim: true, ..Line::default() });
            }
            let line = self.line();
            line.text.push_str(piece);
            line.columns += columns(piece);
        }
    }

    fn tag(&mut self, text: &'a str, role: TagRole, indent: usize) {
        if role != TagRole::Open {
            self.depth = self.depth.saturating_sub(1);
        }
        if self.ended {
            self.newline();
        }
        let at = self.lines.len().saturating_sub(1);
        self.text(text, indent);
        self.lines[at].tag = Some(role);
        if role != TagRole::Close {
            self.depth += 1;
        }
    }

    /// Whether a group of this measure fits, with what follows up to the next possible break.
    fn fits(&self, indent: usize, measure: Measure, stack: &[Command]) -> bool {
        let line = self.lines.last();
        let used = match line {
            Some(line) if !measure.lead && (!line.text.is_empty() || line.verbatim) => line.columns,
            _ => indent + self.depth.saturating_add_signed(measure.deeper.into()) * self.step,
        };
        let Some(left) = self.width.checked_sub(used) else { return false };
        let Some(mut left) = left.checked_sub(measure.width as usize) else { return false };
        let mut rest: Vec<Doc> = Vec::new();
        let mut blank = measure.ends_blank;
        for (_, mode, doc) in stack.iter().rev() {
            rest.push(*doc);
            while let Some(doc) = rest.pop() {
                let (node, measure) = self.docs.nodes[doc as usize];
                let width = match node {
                    Node::Line(_) if *mode == Mode::Broken => return true,
                    Node::Hard | Node::Fresh | Node::Suffix(_) | Node::Tag(..) | Node::Lead(_) => {
                        return true;
                    }
                    Node::Text(text) if measure.hard => columns(text.split('\n').next().unwrap_or_default()),
                    Node::Line(_) | Node::Space if blank => 0,
                    Node::Text(_) | Node::Line(_) | Node::Space => measure.width as usize,
                    Node::Blank | Node::Inline(_) => 0,
                    Node::Group(inner) | Node::Indent(inner) => {
                        rest.push(inner);
                        0
                    }
                    Node::Concat(start, end) => {
                        rest.extend(self.docs.parts[start as usize..end as usize].iter().rev());
                        0
                    }
                };
                if matches!(node, Node::Text(_) | Node::Line(_) | Node::Space) && !measure.empty {
                    blank = measure.ends_blank;
                }
                let Some(remaining) = left.checked_sub(width) else { return false };
                left = remaining;
                if matches!(node, Node::Text(text) if text.contains('\n')) {
                    return true;
                }
            }
        }
        true
    }

    fn finish(mut self) -> String {
        self.newline();
        align_tags(&mut self.lines, self.step);
        while self.lines.last().is_some_and(|line| line.text.is_empty() && !line.verbatim) {
            self.lines.pop();
        }
        let mut out = String::with_capacity(self.lines.iter().map(|l| l.indent + l.text.len() + 1).sum());
        for (n, line) in self.lines.iter().enumerate() {
            if n > 0 {
                out.push('\n');
            }
            if !line.text.is_empty() && !line.verbatim {
                out.extend(std::iter::repeat_n(' ', line.indent));
            }
            out.push_str(&line.text);
        }
        out
    }
}

/// Puts the tags of a block in one column, one step left of the leftmost line between them.
///
/// A tag is printed where the word behind it stands, and that may be deeper than what comes later in the block, or, for
/// `{% end %}`, outside of what the block is in. Linear in lines, times the depth of blocks.
fn align_tags(lines: &mut [Line], step: usize) {
    struct Open {
        tags: Vec<usize>,
        /// Leftmost line inside.
        inner: Option<usize>,
    }
    let mut open: Vec<Open> = Vec::new();
    for n in 0..lines.len() {
        let line = &lines[n];
        match line.tag {
            Some(TagRole::Open) => open.push(Open { tags: vec![n], inner: None }),
            Some(TagRole::Middle) => {
                if let Some(block) = open.last_mut() {
                    block.tags.push(n);
                }
            }
            Some(TagRole::Close) => {
                let Some(mut block) = open.pop() else { continue };
                block.tags.push(n);
                let first = lines[block.tags[0]].indent;
                let indent = block.inner.map_or(first, |inner| inner.saturating_sub(step));
                for tag in block.tags {
                    lines[tag].indent = indent;
                }
                if let Some(outer) = open.last_mut() {
                    outer.inner = Some(outer.inner.map_or(indent, |inner| inner.min(indent)));
                }
            }
            None if line.verbatim || line.text.is_empty() => {}
            None => {
                let indent = line.indent;
                if let Some(block) = open.last_mut() {
                    block.inner = Some(block.inner.map_or(indent, |inner| inner.min(indent)));
                }
            }
        }
    }
}
