//! The bytes that introduce a value. Source: `TAGS` in Baileys' `WABinary/constants`.

/// An empty list, and in the place of a string the empty string.
pub(super) const LIST_EMPTY: u8 = 0;
/// The first of four tags for a double-byte token: the dictionary is in the tag, the index is the byte after.
pub(super) const DICTIONARY_0: u8 = 236;
/// The last of the four.
pub(super) const DICTIONARY_3: u8 = 239;
/// `integrator-user:device@server`; user, device and integrator (16 bits each), and a server that may be missing.
pub(super) const INTEROP_JID: u8 = 245;
/// `user:device@server`; user, device (16 bits) and server.
pub(super) const FB_JID: u8 = 246;
/// `user:device@server`; domain type, which stands for the server, device (8 bits each) and user.
pub(super) const AD_JID: u8 = 247;
/// A list with 8 bits for its size.
pub(super) const LIST_8: u8 = 248;
/// A list with 16 bits for its size.
pub(super) const LIST_16: u8 = 249;
/// `user@server`.
pub(super) const JID_PAIR: u8 = 250;
/// Upper-case hexadecimal digits, two a byte.
pub(super) const HEX_8: u8 = 251;
/// Bytes with 8 bits for their length.
pub(super) const BINARY_8: u8 = 252;
/// Bytes with 20 bits, in three bytes, for their length.
pub(super) const BINARY_20: u8 = 253;
/// Bytes with 32 bits for their length.
pub(super) const BINARY_32: u8 = 254;
/// Decimal digits, `-` and `.`, two a byte.
pub(super) const NIBBLE_8: u8 = 255;

/// The longest string that is packed, in characters.
pub(super) const PACKED_MAX: usize = 127;
