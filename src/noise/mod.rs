//! The Noise symmetric state and the two transport directions.
//!
//! WhatsApp uses `Noise_XX_25519_AESGCM_SHA256` with one difference: the empty payload of message 1 is not mixed into
//! the hash. An implementation that follows the specification exactly does not interoperate.
//!
//! The curve is from [snow](https://docs.rs/snow), the hash from sha2, HMAC from hmac, the cipher from ring.
//! [`SymmetricState`] is the handshake state. [`Sender`] and [`Receiver`] are the transport directions. [`Channel`]
//! combines both phases, like Baileys' noise handler.
//!
//! A nonce is 8 zero bytes and a 32-bit big-endian counter (source: Baileys 7.0.0-rc14, `noise-handler`).

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
