//! The tags: first bytes of encoded values (source: `TAGS` in Baileys' `WABinary/constants`).

/// An empty list. As a string, the empty string.
pub(super) const LIST_EMPTY: u8 = 0;
/// The first of four tags for double-byte tokens. The tag selects the dictionary; the next byte is the index.
pub(super) const DICTIONARY_0: u8 = 236;
/// The last of these four tags.
pub(super) const DICTIONARY_3: u8 = 239;
/// `integrator-user:device@server`. On the wire: user, device (16 bits), integrator (16 bits), server. The server can
/// be missing.
pub(super) const INTEROP_JID: u8 = 245;
/// `user:device@server`. On the wire: user, device (16 bits), server.
pub(super) const FB_JID: u8 = 246;
/// `user:device@server`. On the wire: domain (8 bits), device (8 bits), user. The domain selects the server.
pub(super) const AD_JID: u8 = 247;
/// A list with an 8-bit size.
pub(super) const LIST_8: u8 = 248;
/// A list with a 16-bit size.
pub(super) const LIST_16: u8 = 249;
/// `user@server`.
pub(super) const JID_PAIR: u8 = 250;
/// Upper-case hexadecimal digits, two per byte.
pub(super) const HEX_8: u8 = 251;
/// Bytes with an 8-bit length.
pub(super) const BINARY_8: u8 = 252;
/// Bytes with a 20-bit length in three bytes.
pub(super) const BINARY_20: u8 = 253;
/// Bytes with a 32-bit length.
pub(super) const BINARY_32: u8 = 254;
/// Decimal digits, `-` and `.`, two per byte.
pub(super) const NIBBLE_8: u8 = 255;

/// Maximum length of a packed string in characters.
pub(super) const PACKED_MAX: usize = 127;
