//! Lengths of frames.

/// The number of bytes of a frame's length.
pub const HEADER_LEN: usize = 3;

/// The most bytes a frame can carry (16 MiB - 1), and the default bound of [`FrameDecoder`](super::FrameDecoder).
pub const MAX_FRAME_LEN: usize = (1 << 24) - 1;
