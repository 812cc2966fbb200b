//! The request and response of the opening handshake (RFC 6455, section 4).

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use zeroize::Zeroizing;

use super::secret::Secret;

/// Maximum length of a response head in bytes. It is Node's `maxHeaderSize`.
pub const MAX_RESPONSE_HEAD: usize = 16 * 1024;
/// Maximum number of header lines. A normal head of the maximum length has fewer.
const MAX_HEADERS: usize = 512;

/// Why a response is not valid HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The response does not start with `HTTP/`.
    #[error("expected HTTP/")]
    NotHttp,
    /// The status code is not three digits.
    #[error("invalid status code")]
    Status,
    /// The version is not 1.0 or 1.1.
    #[error("invalid version")]
    Version,
    /// The name of a header is not a token.
    #[error("invalid header name")]
    HeaderName,
    /// The value of a header has a forbidden character.
    #[error("invalid header value")]
    HeaderValue,
    /// The status line ends with a line feed without a carriage return.
    #[error("line feed without carriage return after the status line")]
    BareLineFeedInStatus,
    /// A header line ends with a line feed without a carriage return.
    #[error("line feed without carriage return after a header")]
    BareLineFeed,
    /// The head is longer than [`MAX_RESPONSE_HEAD`].
    #[error("response head too long")]
    TooLong,
}

/// Why an upgrade response is not valid. The texts are those of `ws`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// The `Upgrade` header is not `websocket`.
    #[error("Invalid Upgrade header")]
    Protocol,
    /// `Sec-WebSocket-Accept` does not match the key of the request.
    #[error("Invalid Sec-WebSocket-Accept header")]
    Accept,
    /// The response has a subprotocol, but none was requested.
    #[error("Server sent a subprotocol but none was requested")]
    Subprotocol,
    /// The response has an extension, but none was requested.
    #[error("Server sent a Sec-WebSocket-Extensions header but no extension was requested")]
    Extension,
}

/// The head of a response, as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// The minor HTTP version: 0 for `HTTP/1.0`, 1 for `HTTP/1.1`.
    pub minor_version: u8,
    /// The status code.
    pub status: u16,
    /// The reason phrase as raw bytes.
    pub reason: Vec<u8>,
    /// Header names and values in order, as raw bytes.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl ResponseHead {
    /// The trimmed value of a header. Several values are joined with a comma, as in Node.js.
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        let values: Vec<_> = self
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.trim_ascii())
            .collect();
        (!values.is_empty()).then(|| values.join(&b", "[..]))
    }

    /// Whether this is an upgrade response.
    pub(super) fn is_upgrade(&self) -> bool {
        let asks_upgrade = self
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(b"connection"))
            .flat_map(|(_, value)| value.split(|&byte| byte == b','))
            .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"));
        self.status == 101 && asks_upgrade && self.header("upgrade").is_some()
    }

    /// Whether this is an interim response: another head follows.
    pub(super) fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }

    /// Checks an upgrade response. `key` is the key of the request.
    pub(super) fn check_upgrade(&self, key: &str) -> Result<(), UpgradeError> {
        if !self
            .header("upgrade")
            .is_some_and(|value| value.eq_ignore_ascii_case(b"websocket"))
        {
            return Err(UpgradeError::Protocol);
        }
        if self.header("sec-websocket-accept") != Some(derive_accept_key(key.as_bytes()).into_bytes()) {
            return Err(UpgradeError::Accept);
        }
        if self.header("sec-websocket-protocol").is_some() {
            return Err(UpgradeError::Subprotocol);
        }
        if self.header("sec-websocket-extensions").is_some() {
            return Err(UpgradeError::Extension);
        }
        Ok(())
    }
}

/// Writes the request. `headers` are first, in their order. A handshake header with the same name replaces a header at
/// its position, as in a JavaScript object. `host` is added if `headers` has no `Host`.
pub(super) fn request(
    target: &str,
    host: &str,
    headers: &[(String, Secret)],
    origin: &str,
    key: &str,
) -> Zeroizing<Vec<u8>> {
    let mut lines: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect();
    for (name, value) in [
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Origin", origin),
    ] {
        let mut replaced = false;
        lines.retain_mut(|line| {
            let same = line.0.eq_ignore_ascii_case(name);
            if same && !replaced {
                *line = (name, value);
                replaced = true;
                return true;
            }
            !same
        });
        if !replaced {
            lines.push((name, value));
        }
    }
    if !lines.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        lines.push(("Host", host));
    }
    // The capacity is computed in advance, so that no reallocation leaves a copy of secret header values in memory.
    let length: usize = lines.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(target.len() + length + 20));
    text.extend_from_slice(b"GET ");
    text.extend_from_slice(target.as_bytes());
    text.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in lines {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        // Node.js writes header values as Latin-1.
        text.extend(value.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')));
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// Parses a response head at the start of `bytes`. Returns the head and its length in bytes. Returns `None` if the head
/// is incomplete.
pub(super) fn parse_response(bytes: &[u8]) -> Result<Option<(ResponseHead, usize)>, ResponseError> {
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut slots);
    let parsed = response.parse(bytes);
    let head = match parsed {
        Ok(httparse::Status::Complete(length)) => bytes.get(..length).unwrap_or(bytes),
        _ => bytes,
    };
    if parsed.is_ok() {
        check_line_ends(head)?;
    }
    match parsed {
        Ok(httparse::Status::Complete(length)) => {
            let head = ResponseHead {
                minor_version: response.version.unwrap_or(1),
                status: response.code.unwrap_or(0),
                reason: response.reason.unwrap_or_default().as_bytes().to_vec(),
                headers: response
                    .headers
                    .iter()
                    .map(|h| (h.name.as_bytes().to_vec(), h.value.to_vec()))
                    .collect(),
            };
            Ok(Some((head, length)))
        }
        Ok(httparse::Status::Partial) if bytes.len() >= MAX_RESPONSE_HEAD => Err(ResponseError::TooLong),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(error) => Err(response_error(error, bytes)),
    }
}

/// Refuses lines that end with a line feed only. httparse accepts them, Node.js does not.
fn check_line_ends(head: &[u8]) -> Result<(), ResponseError> {
    let mut previous = 0;
    let mut lines = 0;
    for &byte in head {
        if byte == b'\n' {
            if previous != b'\r' {
                return Err(match (lines, previous) {
                    (0, _) => ResponseError::BareLineFeedInStatus,
                    (_, b'\n') => ResponseError::HeaderName,
                    _ => ResponseError::BareLineFeed,
                });
            }
            lines += 1;
        }
        previous = byte;
    }
    Ok(())
}

/// Converts an error of httparse.
fn response_error(error: httparse::Error, bytes: &[u8]) -> ResponseError {
    match error {
        httparse::Error::Status => ResponseError::Status,
        httparse::Error::HeaderName | httparse::Error::NewLine => ResponseError::HeaderName,
        httparse::Error::HeaderValue => ResponseError::HeaderValue,
        httparse::Error::TooManyHeaders => ResponseError::TooLong,
        httparse::Error::Version if bytes.starts_with(b"HTTP/") => ResponseError::Version,
        _ => ResponseError::NotHttp,
    }
}

#[cfg(test)]
mod tests {
    use super::{ResponseError, parse_response, request};

    fn text(headers: &[(&str, &str)]) -> String {
        let headers: Vec<_> = headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned().into()))
            .collect();
        let request = request("/ws", "example.test", &headers, "https://origin.test", "KEY");
        String::from_utf8(request.to_vec()).unwrap()
    }

    #[test]
    fn a_request_has_the_handshake_headers_after_those_of_the_caller() {
        assert_eq!(
            text(&[("X-A", "1")]),
            "GET /ws HTTP/1.1\r\nX-A: 1\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: KEY\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nOrigin: https://origin.test\r\nHost: example.test\r\n\r\n"
        );
    }

    #[test]
    fn handshake_headers_replace_those_of_the_caller_in_place() {
        let text = text(&[("upgrade", "x"), ("host", "other.test"), ("UPGRADE", "y")]);
        assert!(
            text.starts_with("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nhost: other.test\r\nSec-"),
            "{text}"
        );
        assert_eq!(text.matches("pgrade: websocket").count(), 1);
        assert!(!text.contains("Host:"));
    }

    #[test]
    fn a_response_is_read_once_complete() {
        let bytes =
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\r\nrest";
        for cut in 0..bytes.len() - 4 {
            assert_eq!(parse_response(&bytes[..cut]), Ok(None), "{cut} bytes");
        }
        let (head, length) = parse_response(bytes).unwrap().unwrap();
        assert_eq!((head.status, length), (101, bytes.len() - 4));
        assert!(head.is_upgrade());
    }

    #[test]
    fn a_response_that_is_not_http_is_reported() {
        assert_eq!(parse_response(b"hello\r\n\r\n"), Err(ResponseError::NotHttp));
        assert_eq!(parse_response(b"HTTP/1.1 abc\r\n\r\n"), Err(ResponseError::Status));
        assert_eq!(
            parse_response(b"HTTP/1.1 200 ok\r\nfoo\x01 bar\r\n\r\n"),
            Err(ResponseError::HeaderName)
        );
        assert_eq!(
            parse_response(&[b"HTTP/1.1 200 ".as_slice(), &[b'a'; 20_000]].concat()),
            Err(ResponseError::TooLong)
        );
    }

    #[test]
    fn a_line_ends_with_both_characters() {
        for (bytes, error) in [
            (
                &b"HTTP/1.1 101 S\nUpgrade: websocket\r\n\r\n"[..],
                ResponseError::BareLineFeedInStatus,
            ),
            (
                b"HTTP/1.1 101 S\r\nUpgrade: websocket\nA: b\r\n\r\n",
                ResponseError::BareLineFeed,
            ),
            (
                b"HTTP/1.1 101 S\r\nUpgrade: websocket\nA: b",
                ResponseError::BareLineFeed,
            ),
            (b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\n", ResponseError::HeaderName),
        ] {
            assert_eq!(parse_response(bytes), Err(error), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn an_upgrade_is_checked_against_its_request() {
        let check = |headers: &str| {
            let bytes = format!("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{headers}\r\n");
            let (head, _) = parse_response(bytes.as_bytes()).unwrap().unwrap();
            head.check_upgrade("dGhlIHNhbXBsZSBub25jZQ==")
                .map_err(|error| error.to_string())
        };
        // The key and the accept value are from the example in RFC 6455, section 1.3.
        let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        assert_eq!(check(accept), Ok(()));
        assert_eq!(check(""), Err("Invalid Sec-WebSocket-Accept header".into()));
        assert_eq!(
            check(&format!("{accept}{accept}")),
            Err("Invalid Sec-WebSocket-Accept header".into())
        );
        assert_eq!(
            check(&format!("{accept}Upgrade: websocket\r\n")),
            Err("Invalid Upgrade header".into())
        );
        assert!(check(&format!("{accept}Sec-WebSocket-Protocol: chat\r\n")).is_err());
        assert!(check(&format!("{accept}Sec-WebSocket-Extensions: permessage-deflate\r\n")).is_err());
    }
}
