//! The encoder.

use super::dialect::Dialect;
use super::error::EncodeError;
use super::jid::Jid;
use super::open_nodes::OpenNodes;
use super::packed;
use super::tags::{AD_JID, BINARY_8, BINARY_20, BINARY_32, DICTIONARY_0, JID_PAIR, LIST_8, LIST_16, LIST_EMPTY};
use super::{Content, NodeSource, Text, TokenId, tokens};

/// Encodes the node of `source` and appends it to `out`, without the flag byte of a payload. The bytes are equal to
/// those of Baileys. If Baileys would write an encoding that cannot be decoded, this function fails.
///
/// It allocates only for `out`, unless the nesting of the nodes is unusually deep.
///
/// # Errors
/// Fails if the source fails or the node has no encoding. `out` is then unchanged.
pub fn encode(source: &mut impl NodeSource, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = out.len();
    let mut writer = NodeWriter { dialect, out };
    let result = writer.tree(source);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

struct NodeWriter<'o> {
    dialect: Dialect,
    out: &'o mut Vec<u8>,
}

impl NodeWriter<'_> {
    fn tree(&mut self, source: &mut impl NodeSource) -> Result<(), EncodeError> {
        let mut open = OpenNodes::new();
        loop {
            let children = self.node(source)?;
            if children > 0 {
                open.push(children);
            } else if !open.complete() {
                return Ok(());
            }
        }
    }

    /// Writes a node without its children. Returns the number of children.
    fn node(&mut self, source: &mut impl NodeSource) -> Result<u16, EncodeError> {
        let head = source.node()?;
        let (attrs, has_content) = (head.attrs, head.has_content);
        if matches!(
            head.tag,
            Text::Token(TokenId(0)) | Text::Str("") | Text::Ascii([]) | Text::Literal("")
        ) {
            return Err(EncodeError::EmptyTag);
        }
        let size = attrs
            .checked_mul(2)
            .and_then(|size| size.checked_add(1 + usize::from(has_content)));
        self.list_start(size.ok_or(EncodeError::ListTooLarge(attrs))?)?;
        self.text(head.tag)?;
        for _ in 0..attrs {
            self.text(source.attr_key()?)?;
            self.text(source.attr_value()?)?;
        }
        let content = source.content()?;
        if has_content == (content == Content::None) {
            return Err(EncodeError::InvalidSource);
        }
        match content {
            Content::None => {}
            Content::Text(text) => self.text(text)?,
            Content::Bytes(bytes) => self.bytes(bytes)?,
            Content::List(children) => return self.list_start(children),
        }
        Ok(0)
    }

    fn list_start(&mut self, size: usize) -> Result<u16, EncodeError> {
        let size = u16::try_from(size).map_err(|_| EncodeError::ListTooLarge(size))?;
        match size.to_be_bytes() {
            [0, 0] => self.out.push(LIST_EMPTY),
            [0, low] => self.out.extend_from_slice(&[LIST_8, low]),
            [high, low] => self.out.extend_from_slice(&[LIST_16, high, low]),
        }
        Ok(size)
    }

    #[inline(always)]
    fn text(&mut self, text: Text<'_>) -> Result<(), EncodeError> {
        match text {
            Text::Token(TokenId(0)) | Text::Str("") | Text::Ascii([]) | Text::Literal("") => self.empty(),
            Text::Token(token) => {
                self.dialect
                    .dictionary()
                    .token(token)
                    .ok_or(EncodeError::UnknownToken(token.0))?;
                self.token(token);
            }
            Text::Str(text) => return self.string(text),
            Text::Ascii(text) => return self.string(str::from_utf8(text).map_err(|_| EncodeError::InvalidSource)?),
            Text::Literal(text) => return self.literal(text),
        }
        Ok(())
    }

    fn empty(&mut self) {
        if self.dialect.empty_is_binary() {
            self.out.extend_from_slice(&[BINARY_8, 0]);
        } else {
            self.out.push(LIST_EMPTY);
        }
    }

    fn token(&mut self, TokenId(id): TokenId) {
        match id.checked_sub(u16::from(tokens::SINGLE)) {
            None => self.out.push(id as u8),
            Some(double) => {
                let [dictionary, index] = double.to_be_bytes();
                self.out.extend_from_slice(&[DICTIONARY_0 + dictionary, index]);
            }
        }
    }

    fn string(&mut self, text: &str) -> Result<(), EncodeError> {
        if self.known(text) { Ok(()) } else { self.literal(text) }
    }

    /// Writes a string if it is empty or a token. Returns false otherwise.
    fn known(&mut self, text: &str) -> bool {
        match self.dialect.dictionary().find(text) {
            Some(TokenId(0)) => self.empty(),
            Some(token) => self.token(token),
            None => return false,
        }
        true
    }

    /// Writes a string that is neither empty nor a token: packed, as a JID, or as bytes.
    fn literal(&mut self, mut text: &str) -> Result<(), EncodeError> {
        loop {
            let bytes = text.as_bytes();
            let front = packed::scan(bytes);
            if front.length == bytes.len() {
                packed::pack(bytes, front, self.out);
                return Ok(());
            }
            text = match text.split_at_checked(front.length) {
                // The usual JID `user@server` with a user that can be packed.
                Some((user, rest)) if !user.is_empty() && rest.starts_with('@') => {
                    self.out.push(JID_PAIR);
                    if !self.known(user) {
                        packed::pack(bytes, front, self.out);
                    }
                    rest.split_at(1).1
                }
                // The usual JID `user:device@server` with a user that can be packed.
                Some((user, rest))
                    if !user.is_empty()
                        && let Some((device, server)) = plain_device(rest) =>
                {
                    self.out
                        .extend_from_slice(&[AD_JID, self.dialect.domain(server, None), device]);
                    if !self.known(user) {
                        packed::pack(bytes, front, self.out);
                    }
                    return Ok(());
                }
                _ => match Jid::parse(text, self.dialect) {
                    None => return self.bytes(bytes),
                    Some(Jid {
                        user,
                        device: Some((domain, device)),
                        ..
                    }) => {
                        self.out.extend_from_slice(&[AD_JID, domain, device]);
                        return self.string(user);
                    }
                    Some(Jid {
                        user,
                        server,
                        device: None,
                    }) => {
                        self.out.push(JID_PAIR);
                        if user.is_empty() {
                            self.out.push(LIST_EMPTY);
                        } else {
                            self.string(user)?;
                        }
                        server
                    }
                },
            };
            // The server is encoded like any other string. It can contain another `@`.
            if self.known(text) {
                return Ok(());
            }
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.byte_length(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn byte_length(&mut self, length: usize) -> Result<(), EncodeError> {
        let claim = u32::try_from(length).map_err(|_| EncodeError::StringTooLarge(length))?;
        match claim.to_be_bytes() {
            [0, 0, 0, low] => self.out.extend_from_slice(&[BINARY_8, low]),
            [0, high @ 0..16, middle, low] => self.out.extend_from_slice(&[BINARY_20, high, middle, low]),
            [a, b, c, d] => self.out.extend_from_slice(&[BINARY_32, a, b, c, d]),
        }
        Ok(())
    }
}

/// Parses `:device@server`, the rest of a JID. The device must be a decimal number from 0 to 255 with at
/// most four digits.
fn plain_device(rest: &str) -> Option<(u8, &str)> {
    let after = rest.strip_prefix(':')?;
    let digits = after.bytes().take(4).take_while(u8::is_ascii_digit).count();
    let (device, server) = after.split_at_checked(digits)?;
    Some((device.parse().ok()?, server.strip_prefix('@')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        let write = |length| {
            let mut out = Vec::new();
            NodeWriter {
                dialect: Dialect::V7,
                out: &mut out,
            }
            .byte_length(length)
            .map(|()| out)
        };
        assert_eq!(write(0), Ok(vec![BINARY_8, 0]));
        assert_eq!(write(255), Ok(vec![BINARY_8, 255]));
        assert_eq!(write(256), Ok(vec![BINARY_20, 0, 1, 0]));
        assert_eq!(write((1 << 20) - 1), Ok(vec![BINARY_20, 15, 255, 255]));
        assert_eq!(write(1 << 20), Ok(vec![BINARY_32, 0, 16, 0, 0]));
        assert_eq!(write(u32::MAX as usize), Ok(vec![BINARY_32, 255, 255, 255, 255]));
        let error = write(1 << 32).unwrap_err();
        assert_eq!(error.to_string(), "string too large to encode: 4294967296");
    }

    #[test]
    fn plain_devices_are_parsed() {
        assert_eq!(plain_device(":7@lid"), Some((7, "lid")));
        assert_eq!(plain_device(":255@a@b"), Some((255, "a@b")));
        assert_eq!(plain_device(":007@"), Some((7, "")));
        for rest in [
            "",
            ":",
            "@lid",
            ":@lid",
            ":256@lid",
            ":1000@lid",
            ":+1@lid",
            ":1",
            ":1:2@lid",
            ":1_2@lid",
            ":x@lid",
        ] {
            assert_eq!(plain_device(rest), None, "{rest}");
        }
    }

    #[test]
    fn list_sizes() {
        let write = |size| {
            let mut out = Vec::new();
            NodeWriter {
                dialect: Dialect::V7,
                out: &mut out,
            }
            .list_start(size)
            .map(|_| out)
        };
        assert_eq!(write(0), Ok(vec![LIST_EMPTY]));
        assert_eq!(write(255), Ok(vec![LIST_8, 255]));
        assert_eq!(write(256), Ok(vec![LIST_16, 1, 0]));
        assert_eq!(write(65535), Ok(vec![LIST_16, 255, 255]));
        assert_eq!(write(65536), Err(EncodeError::ListTooLarge(65536)));
    }
}
