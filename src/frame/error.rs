//! Defines [`FrameError`].

/// Why a frame cannot be decoded or encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A frame is longer than the limit. The caller is responsible.
    #[error("the frame is too long: {length} bytes, limit {limit}")]
    TooLarge {
        /// The length of the frame in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// There is not enough memory for received bytes. The stream cannot continue.
    #[error("out of memory for received bytes")]
    OutOfMemory,
    /// Routing information is longer than a 3-byte length can express. The caller is responsible.
    #[error("the routing information is too long: {length} bytes, limit {limit}", limit = super::MAX_FRAME_LEN)]
    RoutingInfoTooLarge {
        /// The length in bytes.
        length: usize,
    },
}
