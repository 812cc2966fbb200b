//! WhatsApp's binary-node codec.
//!
//! One function decodes ([`decode()`]) and one encodes ([`encode()`]). Neither builds nodes. The decoder calls a
//! [`NodeSink`], the encoder reads a [`NodeSource`]. Both use pre-order: a node, its attributes, its content, then its
//! children. Therefore an owned [`Node`] and a tape use the same code.

mod decode;
mod dialect;
mod encode;
mod error;
mod inflate;
mod jid;
mod node;
mod number;
mod open_nodes;
mod packed;
mod reader;
mod tags;
mod token_id;
mod tokens;
mod walk;

pub use decode::{MAX_COMPOSED, MAX_DEPTH, MAX_ELEMENTS, decode};
pub use dialect::Dialect;
pub use encode::encode;
pub use error::{DecodeError, DecodeErrorKind, EncodeError, InflateError};
pub use inflate::{MAX_INFLATED, unpack};
pub use jid::MAX_JID_DEPTH;
pub use node::{Node, NodeBuilder, NodeContent, NodeReader};
pub use token_id::TokenId;
pub use tokens::Dictionary;
pub use walk::{Content, NodeHead, NodeSink, NodeSource, Text};
