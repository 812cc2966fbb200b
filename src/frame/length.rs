//! Lengths of frames.

/// Size of a frame's length field in bytes.
pub const HEADER_LEN: usize = 3;

/// Maximum length of a frame's payload in bytes (16 MiB - 1): the largest length that fits in 3 bytes.
pub const MAX_FRAME_LEN: usize = (1 << 24) - 1;
