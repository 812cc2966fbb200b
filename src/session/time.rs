//! The unit of time.

/// A time or duration in milliseconds. Times count from 1970-01-01 UTC.
pub type Millis = u64;
