//! The one walker that decodes.

use super::dialect::Dialect;
use super::error::{DecodeError, DecodeErrorKind};
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

/// Room for a packed user, `:255`, `@` and a token for the server (at most 57 bytes).
const SHORT: usize = packed::UNPACKED_MAX + 4 + 1 + 61;

/// Decodes the node at the front of `input`, a decompressed payload without its flag byte, and says how many bytes it
/// takes. What follows it is ignored, as Baileys does.
///
/// # Errors
/// Where `input` is not a node; the order of checks is that of Baileys, so that the reason is the same.
pub fn decode(input: &[u8], dialect: Dialect, sink: &mut impl NodeSink) -> Result<usize, DecodeError> {
    let mut walker = Walker {
        reader: Reader::new(input),
        dialect,
        short: [0; SHORT],
        long: String::new(),
        retried: 0,
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
    /// Strings that are not in the input as they are: the usual ones, which fit,
    short: [u8; SHORT],
    /// and all others.
    long: String,
    /// See [`Composer::retried`].
    retried: usize,
}

impl<'i> Walker<'i> {
    /// Decodes a node without its children and returns their number.
    fn node(&mut self, sink: &mut impl NodeSink) -> Result<u16, DecodeError> {
        let tag = self.reader.byte()?;
        let size = self
            .list_size(tag)?
            .ok_or_else(|| self.reader.error(DecodeErrorKind::InvalidListTag(tag)))?;
        let attrs = usize::from(size.saturating_sub(1) >> 1);
        let name = self.text()?;
        // A node of size 0 has a name on the wire all the same, and Baileys reads it before it complains.
        if size == 0 || matches!(name, Text::Token(TokenId(0)) | Text::Ascii([])) {
            return Err(self.reader.error(DecodeErrorKind::InvalidNode));
        }
        sink.node(name, attrs);
        for _ in 0..attrs {
            sink.attr_key(self.text()?);
            sink.attr_value(self.text()?);
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
            sink.content(Content::Text(self.text_of(tag)?));
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

    /// Most strings are single-byte tokens, for which there is no call.
    #[inline]
    fn text(&mut self) -> Result<Text<'_>, DecodeError> {
        let tag = self.reader.byte()?;
        if tag < tokens::SINGLE {
            return Ok(Text::Token(TokenId(u16::from(tag))));
        }
        self.text_of(tag)
    }

    fn text_of(&mut self, tag: u8) -> Result<Text<'_>, DecodeError> {
        match tag {
            0..tokens::SINGLE => Ok(Text::Token(TokenId(u16::from(tag)))),
            DICTIONARY_0..=DICTIONARY_3 => {
                let index = self.reader.byte()?;
                Ok(Text::Token(double_token(tag, index)))
            }
            BINARY_8 | BINARY_20 | BINARY_32 => {
                let bytes = binary(tag, &mut self.reader)?;
                if bytes.is_ascii() {
                    Ok(Text::Ascii(bytes))
                } else {
                    Ok(self.unicode(bytes))
                }
            }
            NIBBLE_8 | HEX_8 => {
                let length = packed::unpack(tag, &mut self.reader, &mut self.short)?;
                Ok(self.short(length))
            }
            _ => {
                if let Some(length) = self.short_jid(tag) {
                    return Ok(self.short(length));
                }
                self.long.clear();
                Composer {
                    reader: &mut self.reader,
                    dialect: self.dialect,
                    out: &mut self.long,
                    retried: &mut self.retried,
                }
                .string(tag, 0)?;
                Ok(Text::Str(&self.long))
            }
        }
    }

    fn short(&self, length: usize) -> Text<'_> {
        Text::Ascii(self.short.get(..length).unwrap_or_default())
    }

    /// UTF-8, repaired where it is broken.
    #[cold]
    fn unicode(&mut self, bytes: &'i [u8]) -> Text<'_> {
        match str::from_utf8(bytes) {
            Ok(text) => Text::Str(text),
            Err(_) => {
                self.long = String::from_utf8_lossy(bytes).into_owned();
                Text::Str(&self.long)
            }
        }
    }

    /// Reads a JID of the usual form, whose user is packed digits and whose server is implied or a token, to `short`,
    /// and returns its length. `None`, with nothing read, for any other and for one with an error.
    fn short_jid(&mut self, tag: u8) -> Option<usize> {
        let (ad, rest) = match (tag, self.reader.rest()) {
            (JID_PAIR, rest) => (None, rest),
            (AD_JID, [domain, device, rest @ ..]) => (Some((*domain, *device)), rest),
            _ => return None,
        };
        let [NIBBLE_8, head, rest @ ..] = rest else { return None };
        let (packed, rest) = rest.split_at_checked(usize::from(head & 127))?;
        let (server, after) = match ad {
            Some((domain, _)) => (self.dialect.server(domain), rest),
            None => {
                let (token, after) = rest.split_first()?;
                // Token 0 is the empty server, an error; double-byte tokens are seldom servers.
                let token = Some(*token).filter(|token| (1..tokens::SINGLE).contains(token))?;
                (self.dialect.dictionary().token(TokenId(u16::from(token)))?, after)
            }
        };
        if !packed::unpack_bytes(NIBBLE_8, packed, &mut self.short) {
            return None;
        }
        let mut length = (2 * packed.len()).saturating_sub(usize::from(head >> 7));
        if let Some((_, device)) = ad {
            length += device_suffix(device, self.short.get_mut(length..)?)?;
        }
        *self.short.get_mut(length)? = b'@';
        length += 1;
        self.short
            .get_mut(length..)?
            .get_mut(..server.len())?
            .copy_from_slice(server.as_bytes());
        self.reader.seek(self.reader.len() - after.len());
        Some(length + server.len())
    }
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
