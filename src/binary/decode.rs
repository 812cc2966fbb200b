//! The decoder.

use super::dialect::Dialect;
use super::error::{DecodeError, DecodeErrorKind};
use super::jid::{Composer, binary, double_token, push_lossy};
use super::open_nodes::OpenNodes;
use super::packed;
use super::reader::Reader;
use super::tags::{
    AD_JID, BINARY_8, BINARY_20, BINARY_32, DICTIONARY_0, DICTIONARY_3, HEX_8, JID_PAIR, LIST_8, LIST_16, LIST_EMPTY,
    NIBBLE_8,
};
use super::{Content, NodeSink, Text, TokenId, tokens};

/// Maximum nesting depth of nodes, including the root. Real stanzas have a depth below ten. Recursive code can rely on
/// this limit.
pub const MAX_DEPTH: usize = 1024;

/// Maximum number of nodes and attributes of a stanza, counted together (1,048,576). The largest real stanzas are
/// device lists of a thousand users, with about 50,000. A node needs 3 bytes on the wire, a thirtieth of that when
/// compressed, and more than a hundred bytes as an object. Without a limit, a frame of 64 KiB could use gigabytes of
/// memory.
pub const MAX_ELEMENTS: usize = 1 << 20;

/// Maximum total length of the JIDs and packed strings of a stanza, in bytes (16 MiB). Real stanzas have less than 4
/// MiB. A JID of two tokens can be twenty times as long as its encoding.
pub const MAX_COMPOSED: usize = 16 << 20;

/// Maximum length of strings that are composed on the stack, in bytes. It is enough for message ids and JIDs: 32 packed
/// characters, `:255`, `@` and a server. It is small because the buffer is cleared for each string.
const SHORT: usize = 64;

/// Decodes the node at the start of `input`. `input` is a decompressed payload without its flag byte. Returns the
/// length of the node in bytes. Bytes after the node are ignored, as in Baileys.
///
/// # Errors
/// Fails if `input` is not a node or exceeds a limit. The checks have the same order as in Baileys, so the reported
/// reason is the same.
pub fn decode(input: &[u8], dialect: Dialect, sink: &mut impl NodeSink) -> Result<usize, DecodeError> {
    let mut walker = Walker {
        reader: Reader::new(input),
        dialect,
        long: String::new(),
        retried: 0,
        composed: 0,
        elements: 0,
    };
    let mut open = OpenNodes::new();
    loop {
        let children = walker.node(sink)?;
        if children > 0 {
            if open.len() + 1 == MAX_DEPTH {
                return Err(walker.reader.error(DecodeErrorKind::NodesTooDeep));
            }
            open.push(children);
        } else if !open.complete() {
            if sink.is_out_of_memory() {
                return Err(walker.reader.error(DecodeErrorKind::OutOfMemory));
            }
            return Ok(walker.reader.position());
        }
    }
}

struct Walker<'i> {
    reader: Reader<'i>,
    dialect: Dialect,
    /// Buffer for composed strings that are longer than [`SHORT`].
    long: String,
    /// See [`Composer::retried`].
    retried: usize,
    /// Total length of the composed strings so far, in bytes.
    composed: usize,
    /// Number of nodes and attributes so far.
    elements: usize,
}

impl<'i> Walker<'i> {
    /// Decodes a node without its children. Returns the number of children.
    fn node(&mut self, sink: &mut impl NodeSink) -> Result<u16, DecodeError> {
        let tag = self.reader.byte()?;
        let size = self
            .list_size(tag)?
            .ok_or_else(|| self.reader.error(DecodeErrorKind::InvalidListTag(tag)))?;
        let attrs = usize::from(size.saturating_sub(1) >> 1);
        self.elements += 1 + attrs;
        if self.elements > MAX_ELEMENTS {
            return Err(self.reader.error(DecodeErrorKind::TooManyElements));
        }
        // A node of size 0 also has a tag on the wire. Baileys reads this tag before it reports the error.
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

    /// The size of the list that starts with `tag`. Returns `None` if the tag does not start a list.
    fn list_size(&mut self, tag: u8) -> Result<Option<u16>, DecodeError> {
        match tag {
            LIST_EMPTY => Ok(Some(0)),
            LIST_8 => self.reader.byte().map(|size| Some(u16::from(size))),
            LIST_16 => self.reader.u16().map(Some),
            _ => Ok(None),
        }
    }

    /// Reads a string and passes it to `emit`. This is faster than returning it, because a returned string is written
    /// to memory first.
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
                } else if let Ok(text) = str::from_utf8(bytes) {
                    emit(Text::Str(text));
                } else {
                    self.long.clear();
                    push_lossy(&mut self.long, bytes).map_err(|_| self.reader.error(DecodeErrorKind::OutOfMemory))?;
                    emit(Text::Str(&self.long));
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

    /// Adds the length of a composed string to the total.
    #[inline]
    fn compose(&mut self, length: usize) -> Result<(), DecodeError> {
        self.composed += length;
        if self.composed > MAX_COMPOSED {
            return Err(self.reader.error(DecodeErrorKind::TooMuchText));
        }
        Ok(())
    }

    /// Composes any string that starts with `tag`.
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

    /// Composes a packed string, or a JID with packed digits as its user and with an implied server or a token as its
    /// server. Returns the length. For all other strings and for errors, nothing is read and the result is `None`.
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
                // Token 0 is the empty server, which is an error. Double-byte tokens are rarely servers.
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

/// Unpacks a packed string to the start of `out`. `input` starts after the tag and `head`. Returns the length of the
/// string and the rest of `input`.
#[inline]
fn unpack_short<'i>(tag: u8, head: u8, input: &'i [u8], out: &mut [u8; SHORT]) -> Option<(usize, &'i [u8])> {
    let (packed, rest) = input.split_at_checked(usize::from(head & 127))?;
    if 2 * packed.len() > SHORT || !packed::unpack_bytes(tag, packed, out) {
        return None;
    }
    Some(((2 * packed.len()).saturating_sub(usize::from(head >> 7)), rest))
}

/// Writes `:device` in decimal, or nothing for device 0. Returns the length.
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
