//! Defines [`SymmetricState`].

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{KEY_LEN, NoiseError, Receiver, Sender, cipher::CipherState};

/// A key that is overwritten when it is dropped.
type Key = Zeroizing<[u8; KEY_LEN]>;

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
    chaining_key: Key,
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
        let (initiator, responder) = self.transport_keys();
        Ok((Sender::new(&initiator)?, Receiver::new(&responder)?))
    }

    /// The keys with which the initiator and the responder send.
    #[must_use]
    pub fn transport_keys(&self) -> (Key, Key) {
        derive(&self.chaining_key, &[])
    }

    /// The current hash.
    #[must_use]
    pub const fn hash(&self) -> &[u8; KEY_LEN] {
        &self.hash
    }
}

/// HKDF with two outputs, as in the Noise specification.
fn derive(chaining_key: &Key, input: &[u8]) -> (Key, Key) {
    let extracted = tag(&hmac_key(chaining_key), &[input]);
    let key = hmac_key(&extracted);
    let first = tag(&key, &[&[1]]);
    let second = tag(&key, &[first.as_slice(), &[2]]);
    (first, second)
}

/// HMAC-SHA-256 with a key. The key is hashed once for all tags.
fn hmac_key(key: &Key) -> Hmac<Sha256> {
    // A key is padded with zeros to the block length of SHA-256 (RFC 2104).
    let mut block = Zeroizing::new([0; 64]);
    for (byte, key) in block.iter_mut().zip(key.iter()) {
        *byte = *key;
    }
    Hmac::new((&*block).into())
}

/// The tag of the concatenated parts.
fn tag(key: &Hmac<Sha256>, parts: &[&[u8]]) -> Key {
    let mut hmac = key.clone();
    for part in parts {
        hmac.update(part);
    }
    Zeroizing::new(hmac.finalize().into_bytes().into())
}
