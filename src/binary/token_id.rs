//! The id of a token.

/// The index of a token in its dictionary. Single-byte tokens have the ids `0..=235`, which are their bytes.
/// Double-byte tokens have the ids `236 + 256 * dictionary + index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenId(pub u16);
