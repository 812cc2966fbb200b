//! 3-byte length framing and the intro header.
