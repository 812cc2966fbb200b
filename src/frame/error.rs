//! [`FrameError`].

/// Why bytes cannot become a frame, or a frame cannot become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A frame is longer than the bound: from a [`FrameDecoder`](super::FrameDecoder) the peer's fault and the end of
    /// its stream, from an encoding function the caller's.
    #[error("a frame of {length} bytes exceeds the bound of {limit}")]
    TooLarge {
        /// The length announced or asked for, in bytes.
        length: usize,
        /// The bound, in bytes.
        limit: usize,
    },
    /// There is not enough memory for the bytes that were received. The stream is over.
    #[error("out of memory for received bytes")]
    OutOfMemory,
    /// Routing information that its 3-byte length cannot express; the caller's fault.
    #[error("routing information of {length} bytes exceeds the bound of {limit}", limit = super::MAX_FRAME_LEN)]
    RoutingInfoTooLarge {
        /// Its length in bytes.
        length: usize,
    },
}
