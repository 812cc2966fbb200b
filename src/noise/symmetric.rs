//! Defines [`SymmetricState`].

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{KEY_LEN, NoiseError, Receiver, Sender, cipher::CipherState};

/// The hash, chaining key and cipher of the handshake ([Noise specification, section
/// 5.2](https://noiseprotocol.org/noise.html#the-symmetricstate-object)).
///
/// It differs from the specification in two points, as Baileys does:
/// - Both directions use one counter. A failed [`decrypt_and_hash`](Self::decrypt_and_hash) uses a counter value but
///   does not change the hash.
/// - There is always a key: before the first [`mix_key`](Self::mix_key), the key is the initial hash. The handshakes of
///   this crate encrypt nothing before that.
pub struct SymmetricState {
    hash: [u8; KEY_LEN],
    chaining_key: Zeroizing<[u8; KEY_LEN]>,
    key: Key,
    /// Whether `cipher` still has the previous key. A new key is expanded at its first use, because the expansion costs
    /// as much as the encryption of a short message, and some keys are not used.
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
    /// The initial state. A protocol name of up to 32 bytes is padded with zeros; a longer name is hashed.
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

    /// Mixes `data` into the hash.
    pub fn mix_hash(&mut self, data: &[u8]) {
        self.hash = Sha256::new_with_prefix(self.hash).chain_update(data).finalize().into();
    }

    /// Derives the next chaining key and cipher key from `input`. Resets the counter to zero.
    pub fn mix_key(&mut self, input: &[u8]) {
        (self.chaining_key, self.key) = derive(&self.chaining_key, input);
        self.stale = true;
    }

    /// Encrypts `plaintext`, appends the ciphertext to `out` and mixes it into the hash.
    ///
    /// # Errors
    /// Fails with [`NoiseError::Exhausted`], [`NoiseError::TooLong`] or [`NoiseError::Unavailable`]. The state is then
    /// unchanged.
    pub fn encrypt_and_hash(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        let start = out.len();
        let (cipher, hash) = self.cipher()?;
        cipher.seal(hash, plaintext, out)?;
        self.mix_hash(out.get(start..).unwrap_or_default());
        Ok(())
    }

    /// Decrypts `ciphertext`, appends the plaintext to `out` and mixes the ciphertext into the hash.
    ///
    /// # Errors
    /// After [`NoiseError::Decrypt`], a counter value is used, but the hash and `out` are unchanged. After
    /// [`NoiseError::Exhausted`], [`NoiseError::TooLong`], [`NoiseError::OutOfMemory`] or [`NoiseError::Unavailable`],
    /// nothing is changed.
    pub fn decrypt_and_hash(&mut self, ciphertext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        let (cipher, hash) = self.cipher()?;
        cipher.open(hash, ciphertext, out)?;
        self.mix_hash(ciphertext);
        Ok(())
    }

    /// The cipher with the current key, and the hash as its associated data.
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

    /// Derives the transport directions of the initiator. The state does not change and can be split again.
    ///
    /// # Errors
    /// Fails with [`NoiseError::Unavailable`] if the build has no AES-GCM.
    pub fn split(&self) -> Result<(Sender, Receiver), NoiseError> {
        let (write, read) = derive(&self.chaining_key, &[]);
        Ok((Sender::new(&write)?, Receiver::new(&read)?))
    }

    /// Derives the transport directions of the responder. They are those of the initiator, exchanged.
    ///
    /// # Errors
    /// Same errors as [`split`](Self::split).
    pub fn split_responder(&self) -> Result<(Sender, Receiver), NoiseError> {
        let (read, write) = derive(&self.chaining_key, &[]);
        Ok((Sender::new(&write)?, Receiver::new(&read)?))
    }

    /// The current hash.
    #[must_use]
    pub const fn hash(&self) -> &[u8; KEY_LEN] {
        &self.hash
    }
}

type Key = Zeroizing<[u8; KEY_LEN]>;

/// HKDF with two outputs, as in the Noise specification.
fn derive(chaining_key: &Key, input: &[u8]) -> (Key, Key) {
    let extracted = Hmac::new(chaining_key).tag(&[input]);
    let hmac = Hmac::new(&extracted);
    let first = hmac.tag(&[&[1]]);
    let second = hmac.tag(&[first.as_slice(), &[2]]);
    (first, second)
}

/// HMAC-SHA-256 (RFC 2104) with a key. The key is hashed once for all tags.
struct Hmac {
    inner: Sha256,
    outer: Sha256,
}

impl Hmac {
    /// Block length of SHA-256 in bytes. Keys are padded to it.
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

    /// The tag of the concatenated parts.
    fn tag(&self, parts: &[&[u8]]) -> Key {
        let mut inner = self.inner.clone();
        for part in parts {
            inner.update(part);
        }
        let outer = self.outer.clone().chain_update(inner.finalize());
        Zeroizing::new(outer.finalize().into())
    }
}
