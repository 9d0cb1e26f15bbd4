//! From the output back to the template, and from the template to the output.

use headwater_syntax::{TextRange, TextSize};

/// What made a piece of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Made {
    /// The template's own text, byte for byte.
    Literal,
    /// The value of an expression.
    Value,
    /// A tag that writes something itself: `{{!`.
    Tag,
}

/// A piece of the output and the place that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Bytes of the output.
    pub output: TextRange,
    /// Bytes of the template: as many for literal text, else the whole tag.
    pub source: TextRange,
    /// What made it.
    pub made: Made,
}

/// Segments in order of the output, which they cover without gaps. None is empty.
///
/// Loops make several segments of one place in the template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceMap {
    segments: Vec<Segment>,
}

impl SourceMap {
    pub(crate) fn push(&mut self, bytes: usize, source: TextRange, made: Made) {
        if bytes > 0 {
            let start = self.segments.last().map_or(0.into(), |s| s.output.end());
            let bytes = TextSize::from(u32::try_from(bytes).unwrap_or(u32::MAX));
            self.segments.push(Segment { output: TextRange::at(start, bytes), source, made });
        }
    }

    /// All segments.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The segment that made the byte at `offset`. O(log segments).
    pub fn segment_at(&self, offset: TextSize) -> Option<&Segment> {
        let n = self.segments.partition_point(|s| s.output.end() <= offset);
        self.segments.get(n)
    }

    /// The place in the template that made `output`: exact in literal text, else whole tags. An empty range is the place
    /// of the byte behind it, or the end. O(log segments).
    pub fn to_source(&self, output: TextRange) -> TextRange {
        let start = match self.segment_at(output.start()) {
            Some(segment) => segment.source_of(output.start()).start(),
            None => return TextRange::empty(self.segments.last().map_or(0.into(), |s| s.source.end())),
        };
        if output.is_empty() {
            return TextRange::empty(start);
        }
        let last = output.end() - TextSize::from(1);
        let end = self.segment_at(last).or(self.segments.last()).map_or(start, |s| s.source_of(last).end());
        // A loop's second round stands before its first in the template.
        TextRange::new(start.min(end), end.max(start))
    }

    /// Everything in the output that `source` made, in order; an empty range asks for the byte behind it.
    /// O(segments): a loop may have made any of them.
    pub fn to_output(&self, source: TextRange) -> Vec<TextRange> {
        let end = if source.is_empty() { source.start() + TextSize::from(1) } else { source.end() };
        let wanted = TextRange::new(source.start(), end);
        let of = |s: &Segment| {
            let common = s.source.intersect(wanted).filter(|common| !common.is_empty())?;
            Some(match s.made {
                Made::Literal => common - s.source.start() + s.output.start(),
                Made::Value | Made::Tag => s.output,
            })
        };
        self.segments.iter().filter_map(of).collect()
    }
}

impl Segment {
    /// The place of one byte of the output.
    fn source_of(&self, offset: TextSize) -> TextRange {
        match self.made {
            Made::Literal if self.output.contains(offset) => {
                TextRange::at(self.source.start() + (offset - self.output.start()), TextSize::from(1))
            }
            _ => self.source,
        }
    }
}
