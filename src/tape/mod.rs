//! Nodes as flat operations, the form in which they cross into JavaScript.
//!
//! A tape is a run of 32-bit operations, one text that holds every string that is not a token, and one run of content
//! bytes. Operations refer to text and bytes by length alone: both are consumed in order. One crossing thus carries a
//! whole tree, and JavaScript builds (or takes apart) plain objects in code that its compiler can specialise.
//!
//! A node in pre-order is:
//!
//! | operation | meaning |
//! | --- | --- |
//! | head | `attributes << 2 \| kind`, see [`content_kind`](crate::abi::content_kind) |
//! | string | the tag |
//! | shape | only towards JavaScript, only where there are attributes: a hash of the keys, [`op::NO_SHAPE`](crate::abi::op::NO_SHAPE) if one of them has no operation |
//! | string, string | key and value, once per attribute |
//! | content | nothing; a string; offset and length of bytes; the number of children, which follow as nodes |
//!
//! A string is a token's id, [`op::FIRST_KEY`](crate::abi::op::FIRST_KEY) plus the index of one of [`KEYS`], or the bitwise complement of
//! a length in UTF-16 units.

mod keys;
mod read;
mod tapes;
mod write;

pub use keys::KEYS;
pub use read::{TapeReader, TapeText};
pub use tapes::Tapes;
pub use write::TapeWriter;
