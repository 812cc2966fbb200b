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
//! | head | `attributes << 2 \| kind`, see [`layout`] |
//! | string | the tag |
//! | shape | only towards JavaScript, only where there are attributes: a hash of the keys, [`layout::NO_SHAPE`] where one of them is not a token |
//! | string, string | key and value, once per attribute |
//! | content | nothing; a string; offset and length of bytes; the number of children, which follow as nodes |
//!
//! A string is a token's id, [`layout::FIRST_KEY`] plus the place of one of [`layout::KEYS`], or the bitwise complement of
//! a length in UTF-16 units.

mod keys;
pub mod layout;
mod read;
mod tapes;
mod write;

pub use read::{TapeReader, TapeText};
pub use tapes::{FRAME_WORDS, Tapes};
pub use write::TapeWriter;
