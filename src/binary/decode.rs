//! The one walker that decodes.

use super::dialect::Dialect;
use super::error::{DecodeError, DecodeErrorKind};
use super::inflate::MAX_INFLATED;
use super::jid::{Composer, binary, double_token};
use super::packed;
use super::reader::Reader;
use super::stack::Open;
use super::tags::{
    AD_JID, BINARY_8, BINARY_20, BINARY_32, DICTIONARY_0, DICTIONARY_3, HEX_8, JID_PAIR, LIST_8, LIST_16, LIST_EMPTY,
    NIBBLE_8,
};
use super::{Content, NodeSink, Text, TokenId, tokens};

/// How many nodes may be within one another, the root included. Real stanzas stay below ten; whoever handles nodes
/// recursively can rely on this bound.
pub const MAX_DEPTH: usize = 1024;

/// The most bytes of the strings of one payload that are put together, 128 MiB. Packed ones are at most double what a payload
/// may inflate to; but a JID of tokens takes twenty times its bytes and more, so that a compressed frame of 64 KB could come
/// to gigabytes.
pub const MAX_COMPOSED: usize = 2 * MAX_INFLATED;

/// Room for the strings that are put together without the heap: 32 packed characters, `:255`, `@` and a server. Message
/// identifiers and JIDs fit. Small, since it is cleared for each of them.
const SHORT: usize = 64;

/// Decodes the node at the front of `input`, a decompressed payload without its flag byte, and says how many bytes it
/// takes. What follows it is ignored, as Baileys does.
///
/// # Errors
/// Where `input` is not a node; the order of checks is that of Baileys, so that the reason is the same.
pub fn decode(input: &[u8], dialect: Dialect, sink: &mut impl NodeSink) -> Result<usize, DecodeError> {
    let mut walker = Walker {
        reader: Reader::new(input),
        dialect,
        long: String::new(),
        retried: 0,
        composed: 0,
    };
    let mut open = Open::new();
    loop {
        let children = walker.node(sink)?;
        if children > 0 {
            if open.len() + 1 == MAX_DEPTH {
                return Err(walker.reader.error(DecodeErrorKind::NodesTooDeep));
            }
            open.push(children);
        } else if !open.complete() {
            return Ok(walker.reader.position());
        }
    }
}

struct Walker<'i> {
    reader: Reader<'i>,
    dialect: Dialect,
    /// Strings that are neither in the input as they are nor short.
    long: String,
    /// See [`Composer::retried`].
    retried: usize,
    /// Bytes of the strings that were put together so far.
    composed: usize,
}

impl<'i> Walker<'i> {
    /// Decodes a node without its children and returns their number.
    fn node(&mut self, sink: &mut impl NodeSink) -> Result<u16, DecodeError> {
        let tag = self.reader.byte()?;
        let size = self
            .list_size(tag)?
            .ok_or_else(|| self.reader.error(DecodeErrorKind::InvalidListTag(tag)))?;
        let attrs = usize::from(size.saturating_sub(1) >> 1);
        // A node of size 0 has a name on the wire all the same, and Baileys reads it before it complains.
        let mut valid = size > 0;
        self.text(|name| {
            valid &= !matches!(name, Text::Token(TokenId(0)) | Text::Ascii([]));
            if valid {
                sink.node(name, attrs);
            }
        })?;
        if !valid {
            return Err(self.reader.error(DecodeErrorKind::InvalidNode));
        }
        for _ in 0..attrs {
            self.text(|key| sink.attr_key(key))?;
            self.text(|value| sink.attr_value(value))?;
        }
        if size % 2 != 0 {
            sink.content(Content::None);
            return Ok(0);
        }
        self.content(sink)
    }

    fn content(&mut self, sink: &mut impl NodeSink) -> Result<u16, DecodeError> {
        let tag = self.reader.byte()?;
        if let Some(children) = self.list_size(tag)? {
            sink.content(Content::List(usize::from(children)));
            return Ok(children);
        }
        if matches!(tag, BINARY_8 | BINARY_20 | BINARY_32) {
            sink.content(Content::Bytes(binary(tag, &mut self.reader)?));
        } else {
            self.text_of(tag, |text| sink.content(Content::Text(text)))?;
        }
        Ok(0)
    }

    /// The size of the list that `tag` introduces; `None` where it does not introduce one.
    fn list_size(&mut self, tag: u8) -> Result<Option<u16>, DecodeError> {
        match tag {
            LIST_EMPTY => Ok(Some(0)),
            LIST_8 => self.reader.byte().map(|size| Some(u16::from(size))),
            LIST_16 => self.reader.u16().map(Some),
            _ => Ok(None),
        }
    }

    /// Reads a string and gives it to `emit`. It is not returned, since that would go through memory, once a string.
    #[inline]
    fn text(&mut self, emit: impl FnOnce(Text<'_>)) -> Result<(), DecodeError> {
        let tag = self.reader.byte()?;
        if tag < tokens::SINGLE {
            emit(Text::Token(TokenId(u16::from(tag))));
            return Ok(());
        }
        self.text_of(tag, emit)
    }

    fn text_of(&mut self, tag: u8, emit: impl FnOnce(Text<'_>)) -> Result<(), DecodeError> {
        match tag {
            0..tokens::SINGLE => emit(Text::Token(TokenId(u16::from(tag)))),
            DICTIONARY_0..=DICTIONARY_3 => {
                let index = self.reader.byte()?;
                emit(Text::Token(double_token(tag, index)));
            }
            BINARY_8 | BINARY_20 | BINARY_32 => {
                let bytes = binary(tag, &mut self.reader)?;
                if bytes.is_ascii() {
                    emit(Text::Ascii(bytes));
                } else {
                    emit(Text::Str(&String::from_utf8_lossy(bytes)));
                }
            }
            _ => {
                let mut short = [0; SHORT];
                if let Some(length) = self.short(tag, &mut short) {
                    self.compose(length)?;
                    emit(Text::Ascii(short.get(..length).unwrap_or_default()));
                } else {
                    emit(Text::Str(self.long(tag)?));
                }
            }
        }
        Ok(())
    }

    /// Counts a string that was put together.
    #[inline]
    fn compose(&mut self, length: usize) -> Result<(), DecodeError> {
        self.composed += length;
        if self.composed > MAX_COMPOSED {
            return Err(self.reader.error(DecodeErrorKind::TooMuchText));
        }
        Ok(())
    }

    /// Puts together the string that `tag` introduces, whatever it is.
    #[inline(never)]
    fn long(&mut self, tag: u8) -> Result<&str, DecodeError> {
        self.long.clear();
        let mut composer = Composer {
            reader: &mut self.reader,
            dialect: self.dialect,
            out: &mut self.long,
            retried: &mut self.retried,
        };
        composer.string(tag, 0)?;
        self.compose(self.long.len())?;
        Ok(&self.long)
    }

    /// Reads a packed string, or a JID of the usual form, whose user is packed digits and whose server is implied or a
    /// token, and returns its length. `None`, with nothing read, for any other, for one that does not fit and for one with
    /// an error.
    #[inline]
    fn short(&mut self, tag: u8, out: &mut [u8; SHORT]) -> Option<usize> {
        let (ad, rest) = match (tag, self.reader.rest()) {
            (NIBBLE_8 | HEX_8, [head, rest @ ..]) => {
                let (length, rest) = unpack_short(tag, *head, rest, out)?;
                self.reader.seek(self.reader.len() - rest.len());
                return Some(length);
            }
            (JID_PAIR, rest) => (None, rest),
            (AD_JID, [domain, device, rest @ ..]) => (Some((*domain, *device)), rest),
            _ => return None,
        };
        let [NIBBLE_8, head, rest @ ..] = rest else { return None };
        let (mut length, rest) = unpack_short(NIBBLE_8, *head, rest, out)?;
        let (server, after) = match ad {
            Some((domain, device)) => {
                length += device_suffix(device, out.get_mut(length..)?)?;
                (self.dialect.server(domain), rest)
            }
            None => {
                let (token, after) = rest.split_first()?;
                // Token 0 is the empty server, an error; double-byte tokens are seldom servers.
                let token = Some(*token).filter(|token| (1..tokens::SINGLE).contains(token))?;
                (self.dialect.dictionary().token(TokenId(u16::from(token)))?, after)
            }
        };
        *out.get_mut(length)? = b'@';
        length += 1;
        out.get_mut(length..)?
            .get_mut(..server.len())?
            .copy_from_slice(server.as_bytes());
        self.reader.seek(self.reader.len() - after.len());
        Some(length + server.len())
    }
}

/// Unpacks what follows the tag and the `head` of a packed string to the front of `out`: its length, and what comes after
/// it in `input`.
#[inline]
fn unpack_short<'i>(tag: u8, head: u8, input: &'i [u8], out: &mut [u8; SHORT]) -> Option<(usize, &'i [u8])> {
    let (packed, rest) = input.split_at_checked(usize::from(head & 127))?;
    if 2 * packed.len() > SHORT || !packed::unpack_bytes(tag, packed, out) {
        return None;
    }
    Some(((2 * packed.len()).saturating_sub(usize::from(head >> 7)), rest))
}

/// Writes `:device` in decimal, nothing for device 0, and returns the length.
fn device_suffix(device: u8, out: &mut [u8]) -> Option<usize> {
    let [hundreds, tens, ones] = [device / 100, device / 10 % 10, device % 10].map(|digit| b'0' + digit);
    let suffix: &[u8] = match device {
        0 => &[],
        1..=9 => &[b':', ones],
        10..=99 => &[b':', tens, ones],
        _ => &[b':', hundreds, tens, ones],
    };
    out.get_mut(..suffix.len())?.copy_from_slice(suffix);
    Some(suffix.len())
}
