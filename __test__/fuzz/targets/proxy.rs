//! The handshakes with proxies, compared with a reference that gets all bytes at once. Bytes after the final answer stay unread.

use std::cell::RefCell;

use baileys_native::transport::{Proxy, ProxyProtocol, seams};
use futures_util::future::join3;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    runtime::{Builder, Runtime},
};

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(Builder::new_current_thread().build().expect("a runtime"));
}

#[derive(Clone, Copy)]
enum Kind {
    Http,
    Socks4,
    Socks5,
    Socks5WithPassword,
}

/// The first byte of `data` selects the protocol and the chunks. The other bytes are those of the proxy.
pub fn run(data: &[u8]) {
    let Some((&choice, answer)) = data.split_first() else {
        return;
    };
    let kind = [Kind::Http, Kind::Socks4, Kind::Socks5, Kind::Socks5WithPassword][usize::from(choice & 3)];
    let piece = usize::from(choice >> 2).max(1);
    let (result, rest) = RUNTIME.with_borrow(|runtime| runtime.block_on(negotiate(kind, answer, piece)));
    match (kind, reference(kind, answer)) {
        // The parser of heads has its own target. Here only its use is checked.
        (Kind::Http, _) => {
            if result == Ok(None) {
                assert!(
                    answer
                        .windows(12)
                        .any(|part| part.starts_with(b"HTTP/1.") && part.ends_with(b" 200"))
                );
            }
            if let Ok(Some(status)) = result {
                assert!(status != 200 && (status == 101 || !(100..200).contains(&status)));
            }
        }
        (_, Some(used)) => {
            assert_eq!(result, Ok(None));
            assert_eq!(rest, &answer[used..], "bytes of the target were read");
        }
        (_, None) => assert!(result.is_err(), "{result:?}"),
    }
}

fn proxy(kind: Kind) -> Proxy {
    let secret = |text: &str| text.to_owned().into();
    Proxy {
        protocol: match kind {
            Kind::Http => ProxyProtocol::Http(vec![("Host".to_owned(), secret("a.test:443"))]),
            Kind::Socks4 => ProxyProtocol::Socks4(secret("user")),
            Kind::Socks5 => ProxyProtocol::Socks5(None),
            Kind::Socks5WithPassword => ProxyProtocol::Socks5(Some((secret("user"), secret("password")))),
        },
        host: "a.test".to_owned(),
        port: 443,
        tls: None,
        timeout: None,
    }
}

/// The result, and the bytes that the client has not read.
async fn negotiate(kind: Kind, answer: &[u8], piece: usize) -> (Result<Option<u16>, String>, Vec<u8>) {
    let (mut client, server) = duplex(64);
    let (mut requests, mut answers) = tokio::io::split(server);
    let proxy = proxy(kind);
    let serve = async {
        for part in answer.chunks(piece) {
            // The client may have closed the connection.
            if answers.write_all(part).await.is_err() {
                break;
            }
        }
        drop(answers.shutdown().await);
    };
    let discard = async {
        let mut buffer = [0; 256];
        while requests.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
    };
    let ask = async {
        let result = seams::negotiate(&proxy, &mut client).await;
        let mut rest = Vec::new();
        if result.is_ok() {
            drop(client.read_to_end(&mut rest).await);
        }
        drop(client);
        (result, rest)
    };
    let (outcome, (), ()) = join3(ask, serve, discard).await;
    outcome
}

/// The length of a SOCKS answer that grants the connection. `None` for other answers.
fn reference(kind: Kind, answer: &[u8]) -> Option<usize> {
    match kind {
        Kind::Http => None,
        Kind::Socks4 => (answer.len() >= 8 && answer[1] == 90).then_some(8),
        Kind::Socks5 | Kind::Socks5WithPassword => {
            let mut at = 2;
            match answer.get(..2)? {
                [5, 0] => {}
                [5, 2] if matches!(kind, Kind::Socks5WithPassword) => {
                    if *answer.get(3)? != 0 {
                        return None;
                    }
                    at = 4;
                }
                _ => return None,
            }
            let [version, code, _, form, first] = *answer.get(at..at + 5)?.first_chunk::<5>()?;
            let address = match form {
                1 => 4,
                4 => 16,
                3 => 1 + usize::from(first),
                _ => return None,
            };
            let end = at + 4 + address + 2;
            (version == 5 && code == 0 && answer.len() >= end).then_some(end)
        }
    }
}
