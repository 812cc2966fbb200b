//! JIDs: parsing for the encoder, composition for the decoder.

use std::collections::TryReserveError;
use std::fmt::Write as _;
use std::str::Utf8Chunk;

use super::dialect::Dialect;
use super::error::{DecodeError, DecodeErrorKind};
use super::number;
use super::packed;
use super::reader::Reader;
use super::tags::{
    BINARY_8, BINARY_20, BINARY_32, DICTIONARY_0, DICTIONARY_3, FB_JID, HEX_8, INTEROP_JID, JID_PAIR, NIBBLE_8,
};
use super::{TokenId, tokens};

/// Maximum nesting depth of JIDs. Real JIDs are not nested. Baileys' encoder makes one level for each `@` after the
/// first in a string.
pub const MAX_JID_DEPTH: usize = 64;

/// A JID, parsed like in Baileys' `jidDecode`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Jid<'a> {
    /// The text before the first `_`, `:` or `@`.
    pub(super) user: &'a str,
    /// The text after the first `@`. It can contain another `@`.
    pub(super) server: &'a str,
    /// The domain byte and device byte of an AD_JID. `None` if the text has no device. An AD_JID has no server on the
    /// wire.
    pub(super) device: Option<(u8, u8)>,
}

impl<'a> Jid<'a> {
    /// Parses a JID. Returns `None` for a text without `@`. Text after a second `:` or a second `_` is ignored.
    pub(super) fn parse(text: &'a str, dialect: Dialect) -> Option<Self> {
        let (user, server) = text.split_once('@')?;
        let mut parts = user.split(':');
        let mut names = parts.next().unwrap_or_default().split('_');
        let user = names.next().unwrap_or_default();
        let device = parts
            .next()
            .filter(|device| !device.is_empty())
            .map(|device| (dialect.domain(server, names.next()), number::to_number(device)));
        Some(Jid { user, server, device })
    }
}

/// Decodes strings that are composed of parts.
pub(super) struct Composer<'r, 'i> {
    pub(super) reader: &'r mut Reader<'i>,
    pub(super) dialect: Dialect,
    pub(super) out: &'r mut String,
    /// Number of bytes of this payload that were read again after a missing server.
    pub(super) retried: &'r mut usize,
}

impl Composer<'_, '_> {
    /// Appends the string that starts with `tag`. `depth` is the number of JIDs around it.
    pub(super) fn string(&mut self, tag: u8, depth: usize) -> Result<(), DecodeError> {
        match tag {
            0..tokens::SINGLE => self.token(u16::from(tag)),
            DICTIONARY_0..=DICTIONARY_3 => {
                let index = self.reader.byte()?;
                self.token(double_token(tag, index).0);
            }
            BINARY_8 | BINARY_20 | BINARY_32 => {
                let bytes = binary(tag, self.reader)?;
                push_lossy(self.out, bytes).map_err(|_| self.reader.error(DecodeErrorKind::OutOfMemory))?;
            }
            HEX_8 | NIBBLE_8 => {
                let mut chars = [0; packed::UNPACKED_MAX];
                let length = packed::unpack(tag, self.reader, &mut chars)?;
                let chars = chars.get(..length).unwrap_or_default();
                self.out.push_str(str::from_utf8(chars).unwrap_or_default());
            }
            _ if self.dialect.is_jid_tag(tag) => {
                if depth == MAX_JID_DEPTH {
                    return Err(self.reader.error(DecodeErrorKind::JidsTooDeep));
                }
                match tag {
                    JID_PAIR => self.jid_pair(depth + 1)?,
                    FB_JID => self.fb_jid(depth + 1)?,
                    INTEROP_JID => self.interop_jid(depth + 1)?,
                    _ => self.ad_jid(depth + 1)?,
                }
            }
            _ => return Err(self.reader.error(DecodeErrorKind::InvalidStringTag(tag))),
        }
        Ok(())
    }

    fn part(&mut self, depth: usize) -> Result<(), DecodeError> {
        let tag = self.reader.byte()?;
        self.string(tag, depth)
    }

    fn token(&mut self, id: u16) {
        self.out
            .push_str(self.dialect.dictionary().token(TokenId(id)).unwrap_or_default());
    }

    fn jid_pair(&mut self, depth: usize) -> Result<(), DecodeError> {
        let start = self.out.len();
        self.part(depth)?;
        let at = self.out.len();
        self.out.push('@');
        self.part(depth)?;
        if self.out.len() > at + 1 {
            return Ok(());
        }
        let user = self.out.get(start..at).unwrap_or_default().to_owned();
        Err(self.reader.error(DecodeErrorKind::InvalidJidPair { user }))
    }

    fn ad_jid(&mut self, depth: usize) -> Result<(), DecodeError> {
        let domain = self.reader.byte()?;
        let device = self.reader.byte()?;
        self.part(depth)?;
        if device != 0 {
            self.device(u16::from(device));
        }
        self.out.push('@');
        self.out.push_str(self.dialect.server(domain));
        Ok(())
    }

    fn fb_jid(&mut self, depth: usize) -> Result<(), DecodeError> {
        self.part(depth)?;
        let device = self.reader.u16()?;
        self.device(device);
        self.out.push('@');
        self.part(depth)
    }

    fn interop_jid(&mut self, depth: usize) -> Result<(), DecodeError> {
        let start = self.out.len();
        self.part(depth)?;
        let device = self.reader.u16()?;
        let integrator = self.reader.u16()?;
        self.out.insert_str(start, &format!("{integrator}-"));
        self.device(device);
        self.out.push('@');
        // The server can be missing. The following bytes are then not a string.
        let before = self.reader.position();
        let length = self.out.len();
        match self.part(depth) {
            Ok(()) => Ok(()),
            Err(error) if error.kind == DecodeErrorKind::TooManyRetries => Err(error),
            Err(_) => {
                // Without this limit, each nested JID of this kind could double the work for the following bytes.
                *self.retried += self.reader.position() - before;
                if *self.retried > self.reader.len() {
                    return Err(self.reader.error(DecodeErrorKind::TooManyRetries));
                }
                self.reader.seek(before);
                self.out.truncate(length);
                self.out.push_str("interop");
                Ok(())
            }
        }
    }

    fn device(&mut self, device: u16) {
        // Writing to a string cannot fail.
        let _ = write!(self.out, ":{device}");
    }
}

/// The token for a DICTIONARY tag and the following byte.
pub(super) fn double_token(tag: u8, index: u8) -> TokenId {
    TokenId(u16::from(tokens::SINGLE) + 256 * u16::from(tag - DICTIONARY_0) + u16::from(index))
}

/// Appends bytes as UTF-8. Invalid bytes are replaced by U+FFFD, as in `String::from_utf8_lossy`.
pub(super) fn push_lossy(out: &mut String, bytes: &[u8]) -> Result<(), TryReserveError> {
    let replaced = |chunk: &Utf8Chunk<'_>| !chunk.invalid().is_empty();
    let length = |chunk: Utf8Chunk<'_>| {
        chunk.valid().len()
            + if replaced(&chunk) {
                char::REPLACEMENT_CHARACTER.len_utf8()
            } else {
                0
            }
    };
    out.try_reserve(bytes.utf8_chunks().map(length).sum())?;
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        if replaced(&chunk) {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Ok(())
}

/// Reads the bytes that follow a BINARY tag.
pub(super) fn binary<'i>(tag: u8, reader: &mut Reader<'i>) -> Result<&'i [u8], DecodeError> {
    let length = match tag {
        BINARY_8 => u32::from(reader.byte()?),
        BINARY_20 => reader.u20()?,
        _ => reader.u32()?,
    };
    // On platforms with a narrower `usize`, the input cannot have this length either.
    reader.bytes(usize::try_from(length).unwrap_or(usize::MAX))
}
