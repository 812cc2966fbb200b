//! Encoding and decoding of HTTP `CONNECT` (RFC 9110, section 9.3.6).

use std::net::Ipv6Addr;

use bytes::{Bytes, BytesMut};
use zeroize::Zeroizing;

use super::super::http::{ResponseError, ResponseHead, parse_response};
use super::super::secret::Secret;

/// The only status that grants a connection. `https-proxy-agent` does not accept other 2xx codes.
const GRANTED: u16 = 200;

/// The response of an HTTP proxy that refused.
#[derive(Debug)]
pub(in crate::transport) struct Refusal {
    pub(in crate::transport) head: ResponseHead,
    /// The part of the body that was received with the head.
    pub(in crate::transport) body: Bytes,
}

/// Writes the request.
pub(super) fn request(host: &str, port: u16, headers: &[(String, Secret)]) -> Zeroizing<Vec<u8>> {
    let lines: usize = headers
        .iter()
        .map(|(name, value)| name.len() + value.expose().len() + 4)
        .sum();
    // The capacity is computed in advance, so that no reallocation leaves a copy of secrets in memory.
    let mut text = Zeroizing::new(Vec::with_capacity(host.len() + lines + 40));
    let is_ipv6 = host.parse::<Ipv6Addr>().is_ok();
    let (open, close) = if is_ipv6 { ("[", "]") } else { ("", "") };
    for part in ["CONNECT ", open, host, close, ":", &port.to_string(), " HTTP/1.1\r\n"] {
        text.extend_from_slice(part.as_bytes());
    }
    for (name, value) in headers {
        for part in [name, ": ", value.expose(), "\r\n"] {
            text.extend_from_slice(part.as_bytes());
        }
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// Parses the response when its head is complete. Returns `Some(None)` if the connection is granted, and
/// `Some(Some(refusal))` otherwise.
pub(super) fn parse(received: &mut BytesMut) -> Result<Option<Option<Refusal>>, ResponseError> {
    while let Some((head, length)) = parse_response(received)? {
        let body = received.split_off(length);
        if head.is_interim() {
            *received = body;
            continue;
        }
        // The target cannot have sent data yet, because the client speaks first in TLS and WebSocket. Bytes after the
        // head are a body, which some proxies send against the RFC. `https-proxy-agent` drops them too.
        let refusal = (head.status != GRANTED).then(|| Refusal {
            head,
            body: body.freeze(),
        });
        return Ok(Some(refusal));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::super::super::http::{MAX_RESPONSE_HEAD, ResponseError};
    use super::{parse, request};

    #[test]
    fn a_request_has_its_headers_in_order() {
        let headers = [
            ("Proxy-Authorization".to_owned(), "Basic eA==".to_owned().into()),
            ("Host".to_owned(), "a.test:443".to_owned().into()),
        ];
        let text = String::from_utf8(request("a.test", 443, &headers).to_vec()).unwrap();
        assert_eq!(
            text,
            "CONNECT a.test:443 HTTP/1.1\r\nProxy-Authorization: Basic eA==\r\nHost: a.test:443\r\n\r\n"
        );
        assert!(request("2001:db8::1", 80, &[]).starts_with(b"CONNECT [2001:db8::1]:80 HTTP/1.1\r\n"));
    }

    #[test]
    fn debug_output_has_no_header_values() {
        let headers: Vec<(String, super::Secret)> = vec![("Proxy-Authorization".into(), "hidden".to_owned().into())];
        assert!(!format!("{headers:?}").contains("hidden"));
    }

    #[test]
    fn only_200_grants_and_interim_answers_are_skipped() {
        let mut granted = BytesMut::from("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\nX: y\r\n\r\nbody");
        assert!(parse(&mut granted).unwrap().unwrap().is_none());
        for status in [101, 201, 403, 407, 502] {
            let mut refused = BytesMut::from(format!("HTTP/1.1 {status} No\r\n\r\nwhy").as_bytes());
            let refusal = parse(&mut refused).unwrap().unwrap().unwrap();
            assert_eq!((refusal.head.status, &refusal.body[..]), (status, &b"why"[..]));
        }
    }

    #[test]
    fn an_incomplete_answer_is_awaited_but_an_endless_or_invalid_one_is_refused() {
        let bytes = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
        for cut in 0..bytes.len() {
            assert!(
                parse(&mut BytesMut::from(&bytes[..cut])).unwrap().is_none(),
                "{cut} bytes"
            );
        }
        let mut endless = BytesMut::from(&b"HTTP/1.1 200 OK\r\nA: "[..]);
        endless.resize(MAX_RESPONSE_HEAD, b'a');
        assert_eq!(parse(&mut endless).unwrap_err(), ResponseError::TooLong);
        assert_eq!(
            parse(&mut BytesMut::from("SSH-2.0\r\n\r\n")).unwrap_err(),
            ResponseError::NotHttp
        );
    }
}
