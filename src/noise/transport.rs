//! Defines [`Sender`] and [`Receiver`].

use super::{KEY_LEN, NoiseError, cipher::CipherState};

/// Encrypts messages to the peer, in order. The associated data is empty.
#[derive(Debug)]
pub struct Sender(CipherState);

impl Sender {
    /// A sender with counter 0.
    ///
    /// # Errors
    /// Fails with [`NoiseError::Unavailable`] if the build has no AES-GCM.
    pub fn new(key: &[u8; KEY_LEN]) -> Result<Self, NoiseError> {
        Self::resume(key, 0)
    }

    /// A sender with a given counter. A counter value must never be used twice with the same key.
    ///
    /// # Errors
    /// Same errors as [`new`](Self::new).
    pub fn resume(key: &[u8; KEY_LEN], counter: u32) -> Result<Self, NoiseError> {
        CipherState::new(key, counter).map(Self)
    }

    /// Encrypts `plaintext` and appends the ciphertext to `out`. The ciphertext is [`TAG_LEN`](super::TAG_LEN) bytes
    /// longer.
    ///
    /// # Errors
    /// Fails with [`NoiseError::Exhausted`] after 2^32 messages, or with [`NoiseError::TooLong`]. Nothing is then
    /// changed.
    pub fn seal(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        self.0.seal(&[], plaintext, out)
    }

    /// The counter of the next message. It is the number of encrypted messages, unless [`resume`](Self::resume) set
    /// another start.
    #[must_use]
    pub const fn counter(&self) -> u64 {
        self.0.counter()
    }
}

/// Decrypts messages from the peer, in order. The associated data is empty.
///
/// As in Baileys, a message that cannot be decrypted uses a counter value. Therefore all messages after an inserted
/// message fail too.
#[derive(Debug)]
pub struct Receiver(CipherState);

impl Receiver {
    /// A receiver with counter 0.
    ///
    /// # Errors
    /// Fails with [`NoiseError::Unavailable`] if the build has no AES-GCM.
    pub fn new(key: &[u8; KEY_LEN]) -> Result<Self, NoiseError> {
        Self::resume(key, 0)
    }

    /// A receiver with a given counter.
    ///
    /// # Errors
    /// Same errors as [`new`](Self::new).
    pub fn resume(key: &[u8; KEY_LEN], counter: u32) -> Result<Self, NoiseError> {
        CipherState::new(key, counter).map(Self)
    }

    /// Skips messages that another receiver decrypts.
    #[must_use]
    pub fn skip(mut self, messages: u64) -> Self {
        self.advance(messages);
        self
    }

    /// As [`skip`](Self::skip), in place.
    pub fn advance(&mut self, messages: u64) {
        self.0.advance(messages);
    }

    /// Decrypts `ciphertext` and appends the plaintext to `out`.
    ///
    /// # Errors
    /// Fails with [`NoiseError::Decrypt`] if the message does not authenticate, with [`NoiseError::Exhausted`] after
    /// 2^32 messages, with [`NoiseError::TooLong`] or [`NoiseError::OutOfMemory`]. `out` is then unchanged.
    pub fn open(&mut self, ciphertext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        self.0.open(&[], ciphertext, out)
    }

    /// The counter of the next message. It is the number of received messages, unless [`resume`](Self::resume) or
    /// [`advance`](Self::advance) changed it.
    #[must_use]
    pub const fn counter(&self) -> u64 {
        self.0.counter()
    }
}
