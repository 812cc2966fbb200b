//! AES-256-GCM under one key, with its counter: the only place that knows snow's `Cipher`.
//!
//! snow's implementations panic where an output slice is too short (ring and default) and where a ciphertext is shorter
//! than its tag (default), so lengths are checked here first. ring's is taken where possible, since it expands
//! the AES key once and not for every message; on opening it allocates unless the output is as long as the ciphertext.

use std::fmt;

use snow::{
    params::CipherChoice,
    resolvers::{CryptoResolver, DefaultResolver, RingResolver},
    types::Cipher,
};

use super::{KEY_LEN, NoiseError};

/// The bytes a sealed message is longer than its plaintext.
pub const TAG_LEN: usize = 16;

/// The most bytes of plaintext or ciphertext in one call, 2 GiB - 1: far above any frame, below what AES-GCM allows, and
/// the most that Node.js takes in one call.
pub const MAX_MESSAGE_LEN: usize = i32::MAX as usize;

/// A key and the number of its uses.
pub(super) struct CipherState {
    cipher: Box<dyn Cipher>,
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
        let mut cipher = RingResolver
            .resolve_cipher(&CipherChoice::AESGCM)
            .or_else(|| DefaultResolver.resolve_cipher(&CipherChoice::AESGCM))
            .ok_or(NoiseError::Unavailable("AESGCM"))?;
        cipher.set(key);
        Ok(Self {
            cipher,
            counter: counter.into(),
        })
    }

    /// Takes another key and starts counting at zero.
    pub(super) fn rekey(&mut self, key: &[u8; KEY_LEN]) {
        self.cipher.set(key);
        self.counter = 0;
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
        out.resize(start + plaintext.len() + TAG_LEN, 0);
        let place = out.get_mut(start..).unwrap_or_default();
        self.cipher.encrypt(counter, associated, plaintext, place);
        Ok(())
    }

    /// Seals `plaintext` into `out`, which must be [`TAG_LEN`] bytes longer.
    pub(super) fn seal_into(&mut self, associated: &[u8], plaintext: &[u8], out: &mut [u8]) -> Result<(), NoiseError> {
        check_length(plaintext)?;
        let expected = plaintext.len() + TAG_LEN;
        if out.len() != expected {
            return Err(NoiseError::OutputLength {
                expected,
                actual: out.len(),
            });
        }
        let counter = self.next_counter()?;
        self.cipher.encrypt(counter, associated, plaintext, out);
        Ok(())
    }

    /// Appends the plaintext of `ciphertext` to `out`. On an error `out` is as before, and unless the message was too
    /// long a counter value is consumed all the same, as Baileys 7 does.
    pub(super) fn open(&mut self, associated: &[u8], ciphertext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        check_length(ciphertext)?;
        let start = out.len();
        out.resize(start + ciphertext.len(), 0);
        let place = out.get_mut(start..).unwrap_or_default();
        let opened = self.open_into(associated, ciphertext, place);
        out.truncate(start + opened.as_ref().copied().unwrap_or(0));
        opened.map(drop)
    }

    /// Opens `ciphertext` into the beginning of `out`, which must be at least as long, and gives the plaintext's
    /// length. What lies behind it, and all of it on an error, is unspecified. Counts as [`open`](Self::open) does.
    pub(super) fn open_into(
        &mut self,
        associated: &[u8],
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, NoiseError> {
        check_length(ciphertext)?;
        if out.len() < ciphertext.len() {
            return Err(NoiseError::OutputLength {
                expected: ciphertext.len(),
                actual: out.len(),
            });
        }
        let counter = self.next_counter()?;
        if ciphertext.len() < TAG_LEN {
            return Err(NoiseError::Decrypt);
        }
        self.cipher
            .decrypt(counter, associated, ciphertext, out)
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
        // The key schedule lies inside the boxed cipher and has no destructor of its own.
        self.cipher.set(&[0; KEY_LEN]);
    }
}

const fn check_length(message: &[u8]) -> Result<(), NoiseError> {
    if message.len() > MAX_MESSAGE_LEN {
        Err(NoiseError::TooLong { length: message.len() })
    } else {
        Ok(())
    }
}
