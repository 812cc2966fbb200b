//! [`SymmetricState`].

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{KEY_LEN, NoiseError, Receiver, Sender, cipher::CipherState};

/// The handshake's hash, chaining key and cipher
/// ([Noise specification, section 5.2](https://noiseprotocol.org/noise.html#the-symmetricstate-object)).
///
/// Two departures from the specification, both as Baileys does. One counter serves both directions; a failed
/// [`decrypt_and_hash`](Self::decrypt_and_hash) consumes a value of it but mixes no hash. And there is no phase without
/// a key: before the first [`mix_key`](Self::mix_key) the key is the initial hash. (No handshake seals anything before
/// that.)
pub struct SymmetricState {
    hash: [u8; KEY_LEN],
    chaining_key: Zeroizing<[u8; KEY_LEN]>,
    key: Key,
    /// Whether `cipher` has yet to take `key`, at its first use: expanding a key costs as much as sealing a short message,
    /// and not every key is used.
    stale: bool,
    cipher: Option<CipherState>,
}

impl fmt::Debug for SymmetricState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SymmetricState")
            .field("cipher", &self.cipher)
            .finish_non_exhaustive()
    }
}

impl SymmetricState {
    /// The state before any message. A name of up to 32 bytes is padded with zeros, a longer one hashed.
    #[must_use]
    pub fn new(protocol_name: &str) -> Self {
        let name = protocol_name.as_bytes();
        let mut hash = [0; KEY_LEN];
        if let Some(place) = hash.get_mut(..name.len()) {
            place.copy_from_slice(name);
        } else {
            hash = Sha256::digest(name).into();
        }
        Self {
            hash,
            chaining_key: Zeroizing::new(hash),
            key: Zeroizing::new(hash),
            stale: false,
            cipher: None,
        }
    }

    /// Hashes `data` into the transcript.
    pub fn mix_hash(&mut self, data: &[u8]) {
        self.hash = Sha256::new_with_prefix(self.hash).chain_update(data).finalize().into();
    }

    /// Derives the next chaining key and cipher key from `input`, and starts counting at zero.
    pub fn mix_key(&mut self, input: &[u8]) {
        (self.chaining_key, self.key) = derive(&self.chaining_key, input);
        self.stale = true;
    }

    /// Appends `plaintext` sealed to `out`, and mixes the ciphertext into the hash.
    ///
    /// # Errors
    /// [`NoiseError::Exhausted`], [`NoiseError::TooLong`] and [`NoiseError::Unavailable`]; nothing is then changed.
    pub fn encrypt_and_hash(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        let start = out.len();
        let (cipher, hash) = self.cipher()?;
        cipher.seal(hash, plaintext, out)?;
        self.mix_hash(out.get(start..).unwrap_or_default());
        Ok(())
    }

    /// Appends the plaintext of `ciphertext` to `out`, and mixes the ciphertext into the hash.
    ///
    /// # Errors
    /// [`NoiseError::Decrypt`], after which a counter value is consumed but the hash and `out` are as before;
    /// [`NoiseError::Exhausted`], [`NoiseError::TooLong`] and [`NoiseError::Unavailable`], after which nothing is changed.
    pub fn decrypt_and_hash(&mut self, ciphertext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        let (cipher, hash) = self.cipher()?;
        cipher.open(hash, ciphertext, out)?;
        self.mix_hash(ciphertext);
        Ok(())
    }

    /// The cipher under the present key, and the hash, which it authenticates.
    fn cipher(&mut self) -> Result<(&mut CipherState, &[u8]), NoiseError> {
        let cipher = match &mut self.cipher {
            Some(cipher) => {
                if self.stale {
                    cipher.rekey(&self.key)?;
                }
                cipher
            }
            none => none.insert(CipherState::new(&self.key, 0)?),
        };
        self.stale = false;
        Ok((cipher, &self.hash))
    }

    /// The initiator's two transport directions. The state can go on being used, and split again.
    ///
    /// # Errors
    /// [`NoiseError::Unavailable`] where the build lacks a primitive.
    pub fn split(&self) -> Result<(Sender, Receiver), NoiseError> {
        let (write, read) = derive(&self.chaining_key, &[]);
        Ok((Sender::new(&write)?, Receiver::new(&read)?))
    }

    /// The responder's two transport directions: the initiator's, crossed.
    ///
    /// # Errors
    /// As [`split`](Self::split).
    pub fn split_responder(&self) -> Result<(Sender, Receiver), NoiseError> {
        let (read, write) = derive(&self.chaining_key, &[]);
        Ok((Sender::new(&write)?, Receiver::new(&read)?))
    }

    /// The hash of the transcript so far.
    #[must_use]
    pub const fn hash(&self) -> &[u8; KEY_LEN] {
        &self.hash
    }
}

type Key = Zeroizing<[u8; KEY_LEN]>;

/// HKDF with two outputs, as the Noise specification defines it.
fn derive(chaining_key: &Key, input: &[u8]) -> (Key, Key) {
    let extracted = Hmac::new(chaining_key).tag(&[input]);
    let hmac = Hmac::new(&extracted);
    let first = hmac.tag(&[&[1]]);
    let second = hmac.tag(&[first.as_slice(), &[2]]);
    (first, second)
}

/// HMAC-SHA-256 (RFC 2104) under one key. The key is hashed once for all tags.
struct Hmac {
    inner: Sha256,
    outer: Sha256,
}

impl Hmac {
    /// The bytes that SHA-256 hashes at a time, to which a key is padded.
    const BLOCK_LEN: usize = 64;

    fn new(key: &Key) -> Self {
        let start = |pad: u8| {
            let mut block = [pad; Self::BLOCK_LEN];
            for (byte, key) in block.iter_mut().zip(key.iter()) {
                *byte ^= key;
            }
            Sha256::new_with_prefix(block)
        };
        Self {
            inner: start(0x36),
            outer: start(0x5c),
        }
    }

    /// The tag of some parts, one behind the other.
    fn tag(&self, parts: &[&[u8]]) -> Key {
        let mut inner = self.inner.clone();
        for part in parts {
            inner.update(part);
        }
        let outer = self.outer.clone().chain_update(inner.finalize());
        Zeroizing::new(outer.finalize().into())
    }
}
