//! Placeholder until its first code lands in this sitting.
