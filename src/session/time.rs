//! The unit of time.

/// Milliseconds; as a time, those since 1970.
pub type Millis = u64;
