//! AES-256-GCM with a key and a counter.
//!
//! The cipher is used from ring directly. With snow's cipher interface, each new cipher first expands a key of zeros,
//! which costs as much as the encryption of a short message.

use std::{fmt, sync::LazyLock};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::{KEY_LEN, NoiseError};

/// Length of the authentication tag in bytes. A ciphertext is longer than its plaintext by this length.
pub const TAG_LEN: usize = 16;

/// Maximum length of a plaintext or ciphertext in bytes, 2 GiB - 1. It is far above the frame limit, below the limit of
/// AES-GCM, and equal to the limit of Node.js.
pub const MAX_MESSAGE_LEN: usize = i32::MAX as usize;

/// A key and its counter.
pub(super) struct CipherState {
    /// Boxed, so that a move of the state leaves no copy of the key in memory.
    key: Box<LessSafeKey>,
    /// The next counter value. Values above `u32::MAX` are not valid: the counter is exhausted.
    counter: u64,
}

impl fmt::Debug for CipherState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CipherState")
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

impl CipherState {
    pub(super) fn new(key: &[u8; KEY_LEN], counter: u32) -> Result<Self, NoiseError> {
        Ok(Self {
            key: Box::new(expand(key)?),
            counter: counter.into(),
        })
    }

    /// Replaces the key and resets the counter to zero.
    pub(super) fn rekey(&mut self, key: &[u8; KEY_LEN]) -> Result<(), NoiseError> {
        *self.key = expand(key)?;
        self.counter = 0;
        Ok(())
    }

    /// The number of used counter values.
    pub(super) const fn counter(&self) -> u64 {
        self.counter
    }

    /// Skips counter values.
    pub(super) const fn advance(&mut self, values: u64) {
        self.counter = self.counter.saturating_add(values);
    }

    /// Encrypts `plaintext` and appends the ciphertext to `out`. On an error `out` is unchanged.
    pub(super) fn seal(&mut self, associated: &[u8], plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        check_length(plaintext)?;
        let counter = self.next_counter()?;
        let start = out.len();
        out.reserve(plaintext.len() + TAG_LEN);
        out.extend_from_slice(plaintext);
        let tag = self.tag(counter, associated, out.get_mut(start..).unwrap_or_default())?;
        out.extend_from_slice(&tag);
        Ok(())
    }

    /// Encrypts `text` in place. Returns the authentication tag.
    fn tag(&self, counter: u64, associated: &[u8], text: &mut [u8]) -> Result<[u8; TAG_LEN], NoiseError> {
        let length = text.len();
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce(counter), Aad::from(associated), text);
        let tag = tag.map_err(|_| NoiseError::TooLong { length })?;
        tag.as_ref().try_into().map_err(|_| NoiseError::Unavailable("AESGCM"))
    }

    /// Decrypts `ciphertext` and appends the plaintext to `out`. On an error `out` is unchanged. A failed decryption
    /// uses a counter value, as in Baileys 7. [`NoiseError::TooLong`] and [`NoiseError::OutOfMemory`] use none.
    pub(super) fn open(&mut self, associated: &[u8], ciphertext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        check_length(ciphertext)?;
        out.try_reserve(ciphertext.len()).map_err(|_| NoiseError::OutOfMemory)?;
        let start = out.len();
        out.extend_from_slice(ciphertext);
        let opened = self.open_in_place(associated, out.get_mut(start..).unwrap_or_default());
        out.truncate(start + opened.as_ref().copied().unwrap_or(0));
        opened.map(drop)
    }

    /// Decrypts `place` in place. Returns the length of the plaintext.
    fn open_in_place(&mut self, associated: &[u8], place: &mut [u8]) -> Result<usize, NoiseError> {
        let counter = self.next_counter()?;
        self.key
            .open_in_place(nonce(counter), Aad::from(associated), place)
            .map(|plaintext| plaintext.len())
            .map_err(|_| NoiseError::Decrypt)
    }

    fn next_counter(&mut self) -> Result<u64, NoiseError> {
        let counter = self.counter;
        if counter > u32::MAX.into() {
            return Err(NoiseError::Exhausted);
        }
        self.counter += 1;
        Ok(counter)
    }
}

impl Drop for CipherState {
    fn drop(&mut self) {
        // ring does not zeroize an expanded key, so it is overwritten here.
        if let Some(nothing) = &*NO_KEY {
            (*self.key).clone_from(nothing);
        }
    }
}

/// An expanded key of zeros. Dropped keys are overwritten with it.
static NO_KEY: LazyLock<Option<LessSafeKey>> = LazyLock::new(|| expand(&[0; KEY_LEN]).ok());

fn expand(key: &[u8; KEY_LEN]) -> Result<LessSafeKey, NoiseError> {
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .map_err(|_| NoiseError::Unavailable("AESGCM"))
}

/// The nonce of a message: 8 zero bytes and the counter as 4 bytes, big-endian.
fn nonce(counter: u64) -> Nonce {
    let mut iv = [0; NONCE_LEN];
    if let Some(place) = iv.last_chunk_mut() {
        *place = counter.to_be_bytes();
    }
    Nonce::assume_unique_for_key(iv)
}

const fn check_length(message: &[u8]) -> Result<(), NoiseError> {
    if message.len() > MAX_MESSAGE_LEN {
        Err(NoiseError::TooLong { length: message.len() })
    } else {
        Ok(())
    }
}
