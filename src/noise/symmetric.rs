//! [`SymmetricState`].

use std::fmt;

use snow::{
    params::HashChoice,
    resolvers::{CryptoResolver, DefaultResolver},
    types::Hash,
};
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
    cipher: CipherState,
    hasher: Box<dyn Hash>,
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
    ///
    /// # Errors
    /// [`NoiseError::Unavailable`] where the build lacks a primitive.
    pub fn new(protocol_name: &str) -> Result<Self, NoiseError> {
        let name = protocol_name.as_bytes();
        let mut hasher = sha256()?;
        let mut hash = [0; KEY_LEN];
        if let Some(place) = hash.get_mut(..name.len()) {
            place.copy_from_slice(name);
        } else {
            hasher.reset();
            hasher.input(name);
            hasher.result(&mut hash);
        }
        Ok(Self {
            hash,
            chaining_key: Zeroizing::new(hash),
            cipher: CipherState::new(&hash, 0)?,
            hasher,
        })
    }

    /// Hashes `data` into the transcript.
    pub fn mix_hash(&mut self, data: &[u8]) {
        self.hasher.reset();
        self.hasher.input(&self.hash);
        self.hasher.input(data);
        self.hasher.result(&mut self.hash);
    }

    /// Derives the next chaining key and cipher key from `input`, and starts counting at zero.
    pub fn mix_key(&mut self, input: &[u8]) {
        let (chaining_key, key) = derive(self.hasher.as_mut(), &self.chaining_key, input);
        self.chaining_key = chaining_key;
        self.cipher.rekey(&key);
    }

    /// Appends `plaintext` sealed to `out`, and mixes the ciphertext into the hash.
    ///
    /// # Errors
    /// [`NoiseError::Exhausted`] and [`NoiseError::TooLong`]; nothing is then changed.
    pub fn encrypt_and_hash(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        let start = out.len();
        self.cipher.seal(&self.hash, plaintext, out)?;
        self.mix_hash(out.get(start..).unwrap_or_default());
        Ok(())
    }

    /// Appends the plaintext of `ciphertext` to `out`, and mixes the ciphertext into the hash.
    ///
    /// # Errors
    /// [`NoiseError::Decrypt`], after which a counter value is consumed but the hash and `out` are as before;
    /// [`NoiseError::Exhausted`] and [`NoiseError::TooLong`], after which nothing is changed.
    pub fn decrypt_and_hash(&mut self, ciphertext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        self.cipher.open(&self.hash, ciphertext, out)?;
        self.mix_hash(ciphertext);
        Ok(())
    }

    /// The initiator's two transport directions. The state can go on being used, and split again.
    ///
    /// # Errors
    /// [`NoiseError::Unavailable`] where the build lacks a primitive.
    pub fn split(&self) -> Result<(Sender, Receiver), NoiseError> {
        let (write, read) = self.split_keys()?;
        Ok((Sender::new(&write)?, Receiver::new(&read)?))
    }

    /// The responder's two transport directions: the initiator's, crossed.
    ///
    /// # Errors
    /// As [`split`](Self::split).
    pub fn split_responder(&self) -> Result<(Sender, Receiver), NoiseError> {
        let (read, write) = self.split_keys()?;
        Ok((Sender::new(&write)?, Receiver::new(&read)?))
    }

    /// The hash of the transcript so far.
    #[must_use]
    pub const fn hash(&self) -> &[u8; KEY_LEN] {
        &self.hash
    }

    fn split_keys(&self) -> Result<(Key, Key), NoiseError> {
        Ok(derive(sha256()?.as_mut(), &self.chaining_key, &[]))
    }
}

type Key = Zeroizing<[u8; KEY_LEN]>;

/// HKDF with two outputs, as the Noise specification defines it.
fn derive(hasher: &mut dyn Hash, chaining_key: &Key, input: &[u8]) -> (Key, Key) {
    let mut first = Key::default();
    let mut second = Key::default();
    hasher.hkdf(
        chaining_key.as_slice(),
        input,
        2,
        first.as_mut_slice(),
        second.as_mut_slice(),
        &mut [],
    );
    // HMAC leaves a state made with key material in the hasher.
    hasher.reset();
    (first, second)
}

fn sha256() -> Result<Box<dyn Hash>, NoiseError> {
    DefaultResolver
        .resolve_hash(&HashChoice::SHA256)
        .ok_or(NoiseError::Unavailable("SHA256"))
}
