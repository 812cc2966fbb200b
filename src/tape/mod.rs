//! Tapes: nodes as flat arrays of operations. Nodes are passed to and from JavaScript in this form.
//!
//! A tape has 32-bit operations, one text with all strings that are not tokens, and one array of content bytes. Strings
//! are taken from the text in order, so an operation only has the length of its string. A whole tree needs one call
//! between JavaScript and Rust. JavaScript converts it to and from plain objects in code that its compiler can
//! optimize.
//!
//! A node in pre-order is:
//!
//! | operation | meaning |
//! | --- | --- |
//! | head | `attributes << 2 \| kind`, see [`content_kind`](crate::abi::content_kind) |
//! | string | the tag |
//! | shape | a hash of the attribute keys, or [`op::NO_SHAPE`](crate::abi::op::NO_SHAPE) if a key has no operation; only on tapes for JavaScript, and only if there are attributes |
//! | string, string | key and value, once per attribute |
//! | content | nothing; or a string; or the offset and length of bytes; or the number of children, which follow as nodes |
//!
//! A string is one of: a token id; [`op::FIRST_KEY`](crate::abi::op::FIRST_KEY) plus an index in [`KEYS`]; the bitwise
//! complement of a length in UTF-16 units.

mod keys;
mod read;
mod tapes;
mod write;

pub use keys::KEYS;
pub use read::{TapeReader, TapeText};
pub use tapes::{Tape, TapeCursor, Tapes};
pub use write::TapeWriter;
