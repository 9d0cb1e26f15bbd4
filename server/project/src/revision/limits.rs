//! How much of a repository is read. A repository may come from anybody, and a few kilobytes of it can unfold into
//! terabytes: the same tree under ten names, ten levels deep; a chain of deltas over a base of nothing but zeros.

/// The largest object, or base of a delta, that is unpacked. Four times the largest datafile: bases may be larger than
/// what is made of them.
pub(super) const MAX_OBJECT_BYTES: usize = 4 * crate::content::MAX_BYTES as usize;

/// Names in all listed folders of one commit together.
pub(super) const MAX_ENTRIES: usize = 500_000;

/// Files of one commit that are read: ten times what a very large project has.
pub(super) const MAX_READ_FILES: usize = 50_000;

/// Bytes of all read files of one commit together.
pub(super) const MAX_TOTAL_BYTES: u64 = 128 * 1024 * 1024;

/// Steps of one revision: `HEAD~100` has a hundred.
pub(super) const MAX_STEPS: usize = 10_000;

/// Symbolic names that lead to symbolic names; git follows as many.
pub(super) const MAX_SYMBOLIC: usize = 5;

/// Tags of tags.
pub(super) const MAX_TAGS: usize = 16;

/// `config`, `.git` and `commondir` files; git allows 1 MB.
pub(super) const MAX_SMALL_FILE: u64 = 1024 * 1024;
