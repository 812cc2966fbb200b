//! The key that is derived from a pairing code.
//!
//! The derivation takes tens of milliseconds, which makes guessing a code slow. The caller runs it on a thread that may
//! block.

use std::{fmt, num::NonZeroU32};

use aes::Aes256;
use ctr::cipher::{KeyIvInit, StreamCipher};
use ring::pbkdf2;
use zeroize::Zeroizing;

/// PBKDF2 iterations between a pairing code and its key (source: Baileys 7.0.0-rc14, `derivePairingCodeKey`).
const ROUNDS: NonZeroU32 = NonZeroU32::new(2 << 16).unwrap();

/// The input of a key derivation.
pub struct KeyDerivation {
    code: Zeroizing<String>,
    salt: [u8; 32],
}

/// A derived key, with the code and salt that it was derived from.
pub struct CodeKey {
    code: Zeroizing<String>,
    salt: [u8; 32],
    key: Zeroizing<[u8; 32]>,
}

impl KeyDerivation {
    pub(super) fn new(code: &str, salt: [u8; 32]) -> Self {
        let code = Zeroizing::new(code.to_owned());
        Self { code, salt }
    }

    /// Derives the key. The 131,072 iterations take tens of milliseconds.
    #[must_use]
    pub fn run(self) -> CodeKey {
        let Self { code, salt } = self;
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            ROUNDS,
            &salt,
            code.as_bytes(),
            key.as_mut_slice(),
        );
        CodeKey { code, salt, key }
    }
}

impl CodeKey {
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    pub(super) const fn salt(&self) -> &[u8; 32] {
        &self.salt
    }

    /// Encrypts or decrypts with AES-256-CTR.
    pub(super) fn apply(&self, iv: &[u8; 16], data: &mut [u8]) {
        ctr::Ctr128BE::<Aes256>::new((&*self.key).into(), iv.into()).apply_keystream(data);
    }
}

impl fmt::Debug for KeyDerivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDerivation")
    }
}

impl fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeKey")
    }
}
