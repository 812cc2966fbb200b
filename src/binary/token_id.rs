//! The number of a token.

/// A token's place in a dictionary: single-byte tokens are `0..=235` (their own byte), double-byte tokens are
/// `236 + 256 * dictionary + index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenId(pub u16);
