//! SOCKS handshakes with scripted proxies, byte by byte.

use super::{Handshake, MAX_ANSWER};
use crate::transport::{Proxy, ProxyError, ProxyProtocol};

fn proxy(protocol: ProxyProtocol, host: &str) -> Proxy {
    Proxy {
        protocol,
        host: host.into(),
        port: 443,
        tls: None,
        timeout: None,
    }
}

fn version_4(user: &str, host: &str) -> Proxy {
    proxy(ProxyProtocol::Socks4(user.to_owned().into()), host)
}

fn version_5(credentials: Option<(&str, &str)>, host: &str) -> Proxy {
    let credentials = credentials.map(|(user, password)| (user.to_owned().into(), password.to_owned().into()));
    proxy(ProxyProtocol::Socks5(credentials), host)
}

/// Runs a handshake with the answers of a proxy. Returns the sent messages and the result.
fn run(proxy: &Proxy, mut answers: &[u8]) -> (Vec<Vec<u8>>, Result<(), String>) {
    let mut sent = Vec::new();
    let mut handshake = match Handshake::new(proxy) {
        Ok(handshake) => handshake,
        Err(error) => return (sent, Err(error.to_string())),
    };
    loop {
        sent.extend(handshake.poll_transmit().map(|bytes| bytes.to_vec()));
        let wanted = handshake.wanted();
        assert!(wanted <= MAX_ANSWER);
        if wanted == 0 {
            assert!(answers.is_empty(), "bytes of the target were taken");
            return (sent, Ok(()));
        }
        let Some((answer, rest)) = answers.split_at_checked(wanted) else {
            return (sent, Err("more is wanted".into()));
        };
        answers = rest;
        if let Err(error) = handshake.handle_answer(answer) {
            return (sent, Err(error.to_string()));
        }
    }
}

#[test]
fn version_4_takes_addresses_and_names() {
    let granted = [0, 90, 0, 0, 0, 0, 0, 0];
    let (sent, result) = run(&version_4("me", "10.1.2.3"), &granted);
    assert_eq!(result, Ok(()));
    assert_eq!(sent, [[&[4, 1, 1, 187, 10, 1, 2, 3][..], b"me\0"].concat()]);
    let (sent, result) = run(&version_4("", "a.test"), &granted);
    assert_eq!(result, Ok(()));
    assert_eq!(sent, [[&[4, 1, 1, 187, 0, 0, 0, 1, 0][..], b"a.test\0"].concat()]);
}

#[test]
fn version_4_distinguishes_codes() {
    for (code, name) in [
        (91, "Failed"),
        (92, "Rejected"),
        (93, "RejectedIdent"),
        (7, "undefined"),
    ] {
        let (_, result) = run(&version_4("", "a.test"), &[0, code, 0, 0, 0, 0, 0, 0]);
        assert_eq!(result, Err(format!("Socks4 Proxy rejected connection - ({name})")));
    }
}

#[test]
fn version_5_without_credentials() {
    let (sent, result) = run(
        &version_5(None, "2001:db8::1"),
        &[5, 0, 5, 0, 0, 1, 127, 0, 0, 1, 0, 80],
    );
    assert_eq!(result, Ok(()));
    assert_eq!(sent[0], [5, 1, 0]);
    assert_eq!(
        sent[1],
        [
            5, 1, 0, 4, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 187
        ]
    );
}

#[test]
fn version_5_with_credentials() {
    let proxy = version_5(Some(("me", "")), "a.test");
    let bound_to_a_name = [5, 0, 0, 3, 2, b'x', b'y', 0, 1];
    let (sent, result) = run(&proxy, &[&[5, 2, 1, 0][..], &bound_to_a_name].concat());
    assert_eq!(result, Ok(()));
    assert_eq!(sent[0], [5, 2, 0, 2]);
    assert_eq!(sent[1], [1, 2, b'm', b'e', 0]);
    assert_eq!(sent[2], [&[5, 1, 0, 3, 6][..], b"a.test", &[1, 187]].concat());
    // A proxy does not have to request the credentials.
    let bound_to_ipv6 = [&[5, 0, 0, 4][..], &[0; 18]].concat();
    let (sent, result) = run(&proxy, &[&[5, 0][..], &bound_to_ipv6].concat());
    assert_eq!((sent.len(), result), (2, Ok(())));
    let (_, result) = run(&proxy, &[5, 2, 1, 1]);
    assert_eq!(result, Err(ProxyError::Socks5Authentication.to_string()));
}

#[test]
fn version_5_refuses_invalid_answers() {
    let proxy = version_5(None, "a.test");
    let ends = |answers: &[u8]| run(&proxy, answers).1.unwrap_err();
    assert_eq!(ends(&[4, 0]), ProxyError::Socks5Version.to_string());
    assert_eq!(ends(&[5, 255]), ProxyError::Socks5NoMethod.to_string());
    assert_eq!(ends(&[5, 2]), ProxyError::Socks5UnknownMethod.to_string());
    assert_eq!(
        ends(&[5, 0, 5, 2, 0, 1, 0]),
        "Socks5 proxy rejected connection - NotAllowed"
    );
    assert_eq!(
        ends(&[5, 0, 5, 99, 0, 1, 0]),
        "Socks5 proxy rejected connection - undefined"
    );
    assert_eq!(ends(&[5, 0, 5, 0, 0, 9, 0]), ProxyError::Socks5Reply.to_string());
    assert_eq!(ends(&[5, 0, 5, 0, 0]), "more is wanted");
}

#[test]
fn fields_that_are_too_long_are_refused() {
    let long = "a".repeat(256);
    for (proxy, error) in [
        (version_5(None, &long), ProxyError::Destination),
        (version_5(None, ""), ProxyError::Destination),
        (version_4("", "a\0b"), ProxyError::Destination),
        (version_4("a\0b", "a.test"), ProxyError::Credentials),
        (version_5(Some((&long, "")), "a.test"), ProxyError::Credentials),
        (version_5(Some(("", &long)), "a.test"), ProxyError::Credentials),
    ] {
        assert_eq!(run(&proxy, &[]), (Vec::new(), Err(error.to_string())));
    }
}

#[test]
fn debug_output_has_no_credentials() {
    let proxy = version_5(Some(("hidden", "hidden")), "a.test");
    let mut handshake = Handshake::new(&proxy).unwrap();
    let _ = handshake.poll_transmit();
    handshake.handle_answer(&[5, 2]).unwrap();
    for text in [format!("{proxy:?}"), format!("{handshake:?}")] {
        let bytes = format!("{:?}", b"hidden");
        assert!(
            !text.contains("hidden") && !text.contains(bytes.trim_matches(['[', ']'])),
            "{text}"
        );
    }
}
