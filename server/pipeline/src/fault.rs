//! Named faults: each leaves one rule out, and a campaign that does not notice is no campaign. Only the feature `faults` lets
//! anybody switch one on.

/// A rule that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "faults"), allow(dead_code, unreachable_pub))]
pub enum Fault {
    /// Inserts carry no token.
    NoToken,
    /// A token names the table and not the range.
    TokenWithoutRange,
    /// After a restart, ranges that were declared are cut anew.
    CutAnew,
    /// The cursor moves before the insert.
    AdvanceFirst,
    /// Nobody mends what a crash left in the memory of tokens.
    NoFsck,
    /// Tables remember one token.
    SmallWindow,
    /// Rows that do not fit go nowhere.
    DropMisfits,
    /// A result that depends on more than its block is not kept.
    NotKept,
    /// The log is not told of idempotency keys.
    ForgetKeys,
    /// A block that was lost with the engine is taken for an empty one.
    LostIsEmpty,
}

#[cfg_attr(not(feature = "faults"), allow(dead_code, unreachable_pub))]
impl Fault {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::NoToken,
        Self::TokenWithoutRange,
        Self::CutAnew,
        Self::AdvanceFirst,
        Self::NoFsck,
        Self::SmallWindow,
        Self::DropMisfits,
        Self::NotKept,
        Self::ForgetKeys,
        Self::LostIsEmpty,
    ];
}

/// The fault that is switched on, if any.
#[derive(Clone, Copy, Default)]
pub(crate) struct Planted(#[cfg(feature = "faults")] pub(crate) Option<Fault>);

impl Planted {
    /// Whether it is this one.
    #[cfg(feature = "faults")]
    pub(crate) fn is(self, fault: Fault) -> bool {
        self.0 == Some(fault)
    }

    /// Whether it is this one: nobody can switch one on.
    #[cfg(not(feature = "faults"))]
    #[allow(clippy::unused_self, reason = "the same call as where faults can be switched on")]
    pub(crate) const fn is(self, _: Fault) -> bool {
        false
    }
}
