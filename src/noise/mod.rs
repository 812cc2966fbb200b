//! The Noise symmetric state and the two transport directions.
//!
//! WhatsApp runs `Noise_XX_25519_AESGCM_SHA256`, but mixes no hash for the empty payload of message 1, so a
//! handshake state that follows the letter of the specification does not interoperate. These are the parts that do, on
//! [snow](https://docs.rs/snow)'s curve, sha2's hash and ring's cipher: [`SymmetricState`] for the handshake, [`Sender`] and [`Receiver`] for
//! what follows, and [`Channel`], which is both in turn, as Baileys' noise handler is.
//!
//! IVs are 8 zero bytes and a 32-bit big-endian counter (source: Baileys 7.0.0-rc14, noise-handler).

mod channel;
mod cipher;
mod error;
mod symmetric;
mod transport;
mod x25519;

pub use channel::Channel;
pub use cipher::{MAX_MESSAGE_LEN, TAG_LEN};
pub use error::NoiseError;
pub use symmetric::SymmetricState;
pub use transport::{Receiver, Sender};
pub use x25519::{KeyPair, PrivateKey, PublicKey, SharedSecret};

/// The protocol WhatsApp speaks unless a session is resumed.
pub const PROTOCOL_XX: &str = "Noise_XX_25519_AESGCM_SHA256";

/// The protocol that resumes a session with a server whose static key is known.
pub const PROTOCOL_IK: &str = "Noise_IK_25519_AESGCM_SHA256";

/// The protocol by which a handshake goes on whose resumption the server declined. Longer than a hash, so hashed.
pub const PROTOCOL_XX_FALLBACK: &str = "Noise_XXfallback_25519_AESGCM_SHA256";

/// The bytes in a key, a hash and a shared secret.
pub const KEY_LEN: usize = 32;
