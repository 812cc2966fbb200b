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
mod protocol;
mod symmetric;
mod transport;
mod x25519;

pub use channel::Channel;
pub use cipher::{MAX_MESSAGE_LEN, TAG_LEN};
pub use error::NoiseError;
pub use protocol::{KEY_LEN, PROTOCOL_IK, PROTOCOL_XX, PROTOCOL_XX_FALLBACK};
pub use symmetric::SymmetricState;
pub use transport::{Receiver, Sender};
pub use x25519::{KeyPair, PrivateKey, PublicKey, SharedSecret};
