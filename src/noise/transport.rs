//! [`Sender`] and [`Receiver`].

use super::{KEY_LEN, NoiseError, cipher::CipherState};

/// Seals what goes to the peer, in order. Associated data is empty.
#[derive(Debug)]
pub struct Sender(CipherState);

impl Sender {
    /// A sender whose first message has counter 0.
    ///
    /// # Errors
    /// [`NoiseError::Unavailable`] where the build lacks a primitive.
    pub fn new(key: &[u8; KEY_LEN]) -> Result<Self, NoiseError> {
        Self::resume(key, 0)
    }

    /// A sender whose first message has the counter given. A counter must never be used twice with one key.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn resume(key: &[u8; KEY_LEN], counter: u32) -> Result<Self, NoiseError> {
        CipherState::new(key, counter).map(Self)
    }

    /// Appends `plaintext` sealed to `out`, which grows by [`TAG_LEN`](super::TAG_LEN) bytes more.
    ///
    /// # Errors
    /// [`NoiseError::Exhausted`] once 2^32 messages are sealed, for good; [`NoiseError::TooLong`]. Nothing is then
    /// changed.
    pub fn seal(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        self.0.seal(&[], plaintext, out)
    }

    /// The number of messages sealed (or, after [`resume`](Self::resume), the counter of the next one).
    #[must_use]
    pub const fn counter(&self) -> u64 {
        self.0.counter()
    }
}

/// Opens what comes from the peer, in order. Associated data is empty.
///
/// A message that does not open consumes a counter value all the same, as in Baileys: where a spurious message was
/// inserted, everything after it fails too.
#[derive(Debug)]
pub struct Receiver(CipherState);

impl Receiver {
    /// A receiver that expects counter 0 first.
    ///
    /// # Errors
    /// [`NoiseError::Unavailable`] where the build lacks a primitive.
    pub fn new(key: &[u8; KEY_LEN]) -> Result<Self, NoiseError> {
        Self::resume(key, 0)
    }

    /// A receiver that expects the counter given first.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn resume(key: &[u8; KEY_LEN], counter: u32) -> Result<Self, NoiseError> {
        CipherState::new(key, counter).map(Self)
    }

    /// Passes over so many messages that somebody else opens.
    #[must_use]
    pub fn skip(mut self, messages: u64) -> Self {
        self.advance(messages);
        self
    }

    /// As [`skip`](Self::skip), in place.
    pub fn advance(&mut self, messages: u64) {
        self.0.advance(messages);
    }

    /// Appends the plaintext of `ciphertext` to `out`.
    ///
    /// # Errors
    /// [`NoiseError::Decrypt`] where it does not authenticate; [`NoiseError::Exhausted`] once 2^32 messages were
    /// opened, for good; [`NoiseError::TooLong`]. `out` is then as before.
    pub fn open(&mut self, ciphertext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        self.0.open(&[], ciphertext, out)
    }

    /// The number of messages received (or, after [`resume`](Self::resume), the counter of the next one).
    #[must_use]
    pub const fn counter(&self) -> u64 {
        self.0.counter()
    }
}
