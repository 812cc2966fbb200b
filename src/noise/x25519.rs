//! X25519 keys and key agreement.

use std::fmt;

use snow::{
    params::DHChoice,
    resolvers::{CryptoResolver, DefaultResolver},
    types::Dh,
};
use zeroize::Zeroizing;

use super::{KEY_LEN, NoiseError};

/// The result of a key agreement.
pub type SharedSecret = Zeroizing<[u8; KEY_LEN]>;

/// The type byte before a public key in Signal's format.
const SIGNAL_KEY_TYPE: u8 = 5;

/// An X25519 private key: any 32 bytes. They are clamped when the key is used.
#[derive(Clone)]
pub struct PrivateKey(Zeroizing<[u8; KEY_LEN]>);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl From<[u8; KEY_LEN]> for PrivateKey {
    fn from(bytes: [u8; KEY_LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl TryFrom<&[u8]> for PrivateKey {
    type Error = NoiseError;

    fn try_from(bytes: &[u8]) -> Result<Self, NoiseError> {
        match <[u8; KEY_LEN]>::try_from(bytes) {
            Ok(bytes) => Ok(bytes.into()),
            Err(_) => Err(NoiseError::InvalidPrivateKey { length: bytes.len() }),
        }
    }
}

impl PrivateKey {
    /// The 32 bytes of the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// Derives the public key.
    ///
    /// # Errors
    /// Fails with [`NoiseError::Unavailable`] if the build has no X25519.
    pub fn public_key(&self) -> Result<PublicKey, NoiseError> {
        PublicKey::try_from(Agreement::new(self)?.0.pubkey())
    }

    /// Computes the secret that is shared with the owner of `public`.
    ///
    /// # Errors
    /// Fails with [`NoiseError::WeakPublicKey`] if the secret would be zero, as in Node.js. Fails with
    /// [`NoiseError::Unavailable`] if the build has no X25519.
    pub fn shared_secret(&self, public: &PublicKey) -> Result<SharedSecret, NoiseError> {
        let agreement = Agreement::new(self)?;
        let mut secret = SharedSecret::default();
        agreement
            .0
            .dh(&public.0, secret.as_mut_slice())
            .map_err(|_| NoiseError::WeakPublicKey)?;
        if secret.iter().fold(0, |bits, byte| bits | byte) == 0 {
            return Err(NoiseError::WeakPublicKey);
        }
        Ok(secret)
    }
}

/// An X25519 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; KEY_LEN]);

impl From<[u8; KEY_LEN]> for PublicKey {
    fn from(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for PublicKey {
    type Error = NoiseError;

    /// Accepts 32 bytes, or 33 bytes with a leading 5, as libsignal does.
    fn try_from(bytes: &[u8]) -> Result<Self, NoiseError> {
        let bare = match bytes {
            [SIGNAL_KEY_TYPE, bare @ ..] if bare.len() == KEY_LEN => bare,
            other => other,
        };
        match <[u8; KEY_LEN]>::try_from(bare) {
            Ok(bare) => Ok(Self(bare)),
            Err(_) => Err(NoiseError::InvalidPublicKey { length: bytes.len() }),
        }
    }
}

impl PublicKey {
    /// The 32 bytes of the key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }
}

/// A private key and its public key.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// The private key.
    pub private: PrivateKey,
    /// The public key.
    pub public: PublicKey,
}

impl KeyPair {
    /// Derives the public key of a private key.
    ///
    /// # Errors
    /// Fails with [`NoiseError::Unavailable`] if the build has no X25519.
    pub fn from_private(private: PrivateKey) -> Result<Self, NoiseError> {
        let public = private.public_key()?;
        Ok(Self { private, public })
    }
}

/// snow's X25519. The private key is overwritten on drop.
struct Agreement(Box<dyn Dh>);

impl Agreement {
    fn new(private: &PrivateKey) -> Result<Self, NoiseError> {
        let dh = DefaultResolver
            .resolve_dh(&DHChoice::Curve25519)
            .ok_or(NoiseError::Unavailable("25519"))?;
        let mut agreement = Self(dh);
        agreement.0.set(private.0.as_slice());
        Ok(agreement)
    }
}

impl Drop for Agreement {
    fn drop(&mut self) {
        self.0.set(&[0; KEY_LEN]);
    }
}
