//! AES-256-GCM under one key, with its counter.
//!
//! ring's, taken as it is: through snow's interface each cipher expands a key of zeros first, which costs as much as
//! sealing a short message.

use std::{fmt, sync::LazyLock};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::{KEY_LEN, NoiseError};

/// The bytes a sealed message is longer than its plaintext.
pub const TAG_LEN: usize = 16;

/// The most bytes of plaintext or ciphertext in one call, 2 GiB - 1: far above any frame, below what AES-GCM allows, and
/// the most that Node.js takes in one call.
pub const MAX_MESSAGE_LEN: usize = i32::MAX as usize;

/// A key and the number of its uses.
pub(super) struct CipherState {
    /// In a box, so that moving the state leaves no copies.
    key: Box<LessSafeKey>,
    /// The next counter value; above `u32::MAX` there is none.
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

    /// Takes another key and starts counting at zero.
    pub(super) fn rekey(&mut self, key: &[u8; KEY_LEN]) -> Result<(), NoiseError> {
        *self.key = expand(key)?;
        self.counter = 0;
        Ok(())
    }

    /// The number of counter values used up.
    pub(super) const fn counter(&self) -> u64 {
        self.counter
    }

    /// Passes over counter values without using them.
    pub(super) const fn advance(&mut self, values: u64) {
        self.counter = self.counter.saturating_add(values);
    }

    /// Appends `plaintext` sealed to `out`. On an error `out` is as before.
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

    /// Encrypts `text` where it is, and gives its tag.
    fn tag(&self, counter: u64, associated: &[u8], text: &mut [u8]) -> Result<[u8; TAG_LEN], NoiseError> {
        let length = text.len();
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce(counter), Aad::from(associated), text);
        let tag = tag.map_err(|_| NoiseError::TooLong { length })?;
        tag.as_ref().try_into().map_err(|_| NoiseError::Unavailable("AESGCM"))
    }

    /// Appends the plaintext of `ciphertext` to `out`. On an error `out` is as before, and unless the message was too
    /// long a counter value is consumed all the same, as Baileys 7 does.
    pub(super) fn open(&mut self, associated: &[u8], ciphertext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        check_length(ciphertext)?;
        out.try_reserve(ciphertext.len()).map_err(|_| NoiseError::OutOfMemory)?;
        let start = out.len();
        out.extend_from_slice(ciphertext);
        let opened = self.open_in_place(associated, out.get_mut(start..).unwrap_or_default());
        out.truncate(start + opened.as_ref().copied().unwrap_or(0));
        opened.map(drop)
    }

    /// Opens what is in `place` where it is, and gives the plaintext's length.
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
        // An expanded key has no destructor of its own.
        if let Some(nothing) = &*NO_KEY {
            (*self.key).clone_from(nothing);
        }
    }
}

/// A key of zeros, expanded: what a key is overwritten with.
static NO_KEY: LazyLock<Option<LessSafeKey>> = LazyLock::new(|| expand(&[0; KEY_LEN]).ok());

fn expand(key: &[u8; KEY_LEN]) -> Result<LessSafeKey, NoiseError> {
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .map_err(|_| NoiseError::Unavailable("AESGCM"))
}

/// The IV of a message: zeros, and the counter at their end.
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
