//! [`NoiseError`].

/// Why a cryptographic operation was refused or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoiseError {
    /// A private key that is not 32 bytes long; the caller's fault.
    #[error("a private key has 32 bytes, not {length}")]
    InvalidPrivateKey {
        /// Its length in bytes.
        length: usize,
    },
    /// A public key that is neither 32 bytes long nor 33 with a leading 5; its sender's fault.
    #[error("a public key of {length} bytes is invalid")]
    InvalidPublicKey {
        /// Its length in bytes.
        length: usize,
    },
    /// A public key of low order, with which the shared secret would be zero; its sender's fault.
    #[error("the public key is of low order")]
    WeakPublicKey,
    /// The ciphertext was not sealed with this key and counter, or was changed since. The counter is consumed.
    #[error("the ciphertext does not authenticate")]
    Decrypt,
    /// The plaintext or ciphertext is above [`MAX_MESSAGE_LEN`](super::MAX_MESSAGE_LEN).
    #[error("a message of {length} bytes is too long")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// There is not enough memory for the plaintext. No counter value is used.
    #[error("out of memory")]
    OutOfMemory,
    /// All 2^32 counter values are used up; this direction is over for good.
    #[error("the counter is exhausted")]
    Exhausted,
    /// The sending direction was handed over to somebody else; a defect of the caller's.
    #[error("the sending direction is elsewhere")]
    SenderTaken,
    /// The cryptographic back end lacks a primitive; a defect of the build.
    #[error("{0} is not available")]
    Unavailable(&'static str),
}
