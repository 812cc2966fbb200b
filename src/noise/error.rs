//! Defines [`NoiseError`].

/// Why a cryptographic operation was refused or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoiseError {
    /// A private key is not 32 bytes long. The caller is responsible.
    #[error("a private key has 32 bytes, not {length}")]
    InvalidPrivateKey {
        /// The length in bytes.
        length: usize,
    },
    /// A public key has neither 32 bytes nor 33 bytes with a leading 5. The sender of the key is responsible.
    #[error("a public key of {length} bytes is invalid")]
    InvalidPublicKey {
        /// The length in bytes.
        length: usize,
    },
    /// A public key has low order: the shared secret would be zero. The sender of the key is responsible.
    #[error("the public key is invalid (low order)")]
    WeakPublicKey,
    /// The ciphertext was made with another key or counter, or was modified. The counter value is used.
    #[error("authentication failed: wrong key, wrong order or changed data")]
    Decrypt,
    /// The plaintext or ciphertext is longer than [`MAX_MESSAGE_LEN`](super::MAX_MESSAGE_LEN).
    #[error("a message of {length} bytes is too long")]
    TooLong {
        /// The length in bytes.
        length: usize,
    },
    /// There is not enough memory for the plaintext. No counter value is used.
    #[error("out of memory")]
    OutOfMemory,
    /// All 2^32 counter values are used. This direction cannot be used any more.
    #[error("all 2^32 message counters of the connection are used")]
    Exhausted,
    /// The sender was moved to another owner. This is a defect of the caller.
    #[error("internal error: the noise sender is in use elsewhere")]
    SenderTaken,
    /// A cryptographic function is not available. This is a defect of the build.
    #[error("the cryptographic function {0} is not available")]
    Unavailable(&'static str),
}
