//! What a render may cost, and the count of what it has cost so far.

use std::cell::Cell;

use crate::error::{ErrorKind, Fault, LimitKind, Stop};

/// What a render may cost. Texts, lists and numbers are values of expressions; the output is the SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Steps of work: one for each expression, tag and item, and one for each 16 bytes that are made or compared. A
    /// million are about a second of an unoptimised build.
    pub steps: u64,
    /// Rounds of all loops together.
    pub rounds: u64,
    /// Bytes of SQL.
    pub output: usize,
    /// Bytes of a text value.
    pub text: usize,
    /// Items of a list, tuple, set or dict.
    pub items: usize,
    /// How deeply values may nest, and expressions. More than 200 is taken as 200, which bounds the stack.
    pub depth: usize,
    /// Bits of a whole number.
    pub integer_bits: u64,
}

/// The deepest nesting that [`Limits::depth`] can allow.
const MAX_DEPTH: usize = 200;

/// How many bytes are one step.
const BYTES_PER_STEP: usize = 16;

/// Between two questions to the caller's clock, this many steps are made.
const ASK_EVERY: u64 = 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 1_000_000,
            rounds: 100_000,
            output: 1024 * 1024,
            text: 1024 * 1024,
            items: 100_000,
            depth: 100,
            integer_bits: 4096,
        }
    }
}

/// Counts work. Shared by reference, since everything that computes needs it.
pub(crate) struct Meter<'c> {
    limits: Limits,
    steps: Cell<u64>,
    rounds: Cell<u64>,
    depth: Cell<usize>,
    until_asked: Cell<u64>,
    expired: Option<&'c dyn Fn() -> bool>,
}

type Done = Result<(), Stop>;

impl<'c> Meter<'c> {
    pub(crate) fn new(limits: Limits, expired: Option<&'c dyn Fn() -> bool>) -> Self {
        Self {
            steps: Cell::new(limits.steps),
            rounds: Cell::new(limits.rounds),
            depth: Cell::new(0),
            until_asked: Cell::new(ASK_EVERY),
            expired,
            limits,
        }
    }

    /// Steps that are left.
    pub(crate) fn left(&self) -> u64 {
        self.steps.get()
    }

    pub(crate) fn step(&self) -> Done {
        self.steps(1)
    }

    pub(crate) fn steps(&self, count: u64) -> Done {
        let Some(left) = self.steps.get().checked_sub(count) else {
            self.steps.set(0);
            return Err(exceeded(
                LimitKind::Steps,
                &format!("the template works for more than {} steps", self.limits.steps),
            ));
        };
        self.steps.set(left);
        let Some(expired) = self.expired else { return Ok(()) };
        match self.until_asked.get().checked_sub(count) {
            Some(left) => self.until_asked.set(left),
            None => {
                self.until_asked.set(ASK_EVERY);
                if expired() {
                    return Err(exceeded(LimitKind::Time, "the time for this template is over"));
                }
            }
        }
        Ok(())
    }

    /// Work on so many bytes.
    pub(crate) fn bytes(&self, count: usize) -> Done {
        self.steps(count.div_ceil(BYTES_PER_STEP) as u64)
    }

    /// A text of so many bytes is about to be made.
    pub(crate) fn text(&self, bytes: usize) -> Done {
        if bytes > self.limits.text {
            let limit = self.limits.text;
            return Err(exceeded(
                LimitKind::Text,
                &format!("a text of the template grows beyond {limit} bytes"),
            ));
        }
        self.bytes(bytes)
    }

    /// A text that is being made has so many bytes by now, whose work is counted elsewhere.
    pub(crate) fn text_so_far(&self, bytes: usize) -> Done {
        if bytes > self.limits.text { self.text(bytes) } else { Ok(()) }
    }

    /// A list of so many items is about to be made.
    pub(crate) fn items(&self, count: usize) -> Done {
        self.room(count)?;
        self.steps(count as u64)
    }

    /// A list grows to so many items.
    pub(crate) fn room(&self, count: usize) -> Done {
        if count > self.limits.items {
            let limit = self.limits.items;
            return Err(exceeded(
                LimitKind::Items,
                &format!("a list of the template grows beyond {limit} items"),
            ));
        }
        Ok(())
    }

    /// Values of a list are about to be put into one that then nests so deeply.
    pub(crate) fn nesting(&self, depth: usize) -> Done {
        if depth > self.max_depth() {
            return Err(self.too_deep());
        }
        Ok(())
    }

    /// A whole number of so many bits is about to be made.
    pub(crate) fn integer(&self, bits: u64) -> Done {
        if bits > self.limits.integer_bits {
            let limit = self.limits.integer_bits;
            return Err(exceeded(
                LimitKind::Integer,
                &format!("a number of the template grows beyond {limit} bits"),
            ));
        }
        // Multiplication and printing take the square of the length.
        self.steps(1 + (bits / 64).pow(2) / 64)
    }

    /// Decimal digits that a whole number can have.
    pub(crate) fn digits(&self) -> usize {
        usize::try_from(self.limits.integer_bits / 3).unwrap_or(usize::MAX).saturating_add(2)
    }

    /// One more round of a loop.
    pub(crate) fn round(&self) -> Done {
        let Some(left) = self.rounds.get().checked_sub(1) else {
            let limit = self.limits.rounds;
            return Err(exceeded(
                LimitKind::Rounds,
                &format!("the loops of the template run {limit} rounds"),
            ));
        };
        self.rounds.set(left);
        self.step()
    }

    /// The output now has so many bytes, the last `added` of them new.
    pub(crate) fn output(&self, bytes: usize, added: usize) -> Done {
        if bytes > self.limits.output {
            let limit = self.limits.output;
            return Err(exceeded(
                LimitKind::Output,
                &format!("the template prints more than {limit} bytes of SQL"),
            ));
        }
        self.bytes(added)
    }

    /// Runs `inner` one level deeper.
    pub(crate) fn deeper<T>(&self, inner: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
        let depth = self.depth.get();
        if depth >= self.max_depth() {
            return Err(self.too_deep());
        }
        self.depth.set(depth + 1);
        let result = inner();
        self.depth.set(depth);
        result
    }

    fn max_depth(&self) -> usize {
        self.limits.depth.min(MAX_DEPTH)
    }

    fn too_deep(&self) -> Stop {
        exceeded(
            LimitKind::Depth,
            &format!("a value or expression of the template nests more than {} deep", self.max_depth()),
        )
    }
}

fn exceeded(kind: LimitKind, what: &str) -> Stop {
    let next = match kind {
        LimitKind::Time | LimitKind::Steps | LimitKind::Rounds => {
            "do less in loops, or compute it in SQL; the limit can be raised"
        }
        _ => "make less of it, or compute it in SQL; the limit can be raised",
    };
    Fault::new(ErrorKind::Limit(kind), "", format!("{what}; {next}"))
}
