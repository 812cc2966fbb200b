//! An open WebSocket in memory, in virtual time. For all chunks of the server's bytes the events are those of a
//! reference that gets all bytes at once, and the client sends only valid frames.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use arbitrary::Unstructured;
use baileys_native::transport::{EventSink, MAX_MESSAGE, TransportError, TransportEvent, Violation, seams};
use futures_util::future::join4;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    runtime::{Builder, Runtime},
};

/// The maximum number of fragments of a message.
const MAX_FRAGMENTS: usize = 16 * 1024;

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(
        Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime"),
    );
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Message(Vec<u8>, bool),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, Vec<u8>),
    Violation(Violation),
}

/// `data` is the lengths of chunks, and then the bytes of a server. The first chunk arrives with the response head.
pub fn run(data: &[u8]) {
    let mut source = Unstructured::new(data);
    let chunks: Vec<u8> = source.arbitrary().unwrap_or_default();
    let stream = source.take_rest();
    let (seen, sent) = RUNTIME.with_borrow(|runtime| runtime.block_on(serve(stream, &chunks)));
    let expected = reference(stream);
    assert_eq!(seen, expected);
    check_sent(&sent, &expected);
}

/// Stores the events. It refuses every third call and then asks again at once.
#[derive(Clone, Default)]
struct Probe {
    seen: Arc<Mutex<(Vec<Seen>, bool)>>,
    questions: u32,
}

impl EventSink for Probe {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.questions += 1;
        if self.questions.is_multiple_of(3) {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }

    fn event(&mut self, event: TransportEvent) {
        let (seen, is_closed) = &mut *self.seen.lock().unwrap();
        assert!(!*is_closed, "{event:?} after the end");
        match event {
            TransportEvent::Message { bytes, is_binary } => seen.push(Seen::Message(bytes.to_vec(), is_binary)),
            TransportEvent::Ping(bytes) => seen.push(Seen::Ping(bytes.to_vec())),
            TransportEvent::Pong(bytes) => seen.push(Seen::Pong(bytes.to_vec())),
            TransportEvent::CloseFrame { code, reason } => seen.push(Seen::Close(code, reason)),
            TransportEvent::Error(TransportError::Frame(violation)) => seen.push(Seen::Violation(violation)),
            TransportEvent::Closed => *is_closed = true,
            TransportEvent::Open => {}
            other => panic!("unexpected: {other:?}"),
        }
    }

    fn flush(&mut self) {}
}

/// The events, and the bytes of the client.
async fn serve(stream: &[u8], chunks: &[u8]) -> (Vec<Seen>, Vec<u8>) {
    let (client, server) = duplex(1024);
    let (mut from_client, mut to_client) = tokio::io::split(server);
    let (leftover, mut rest) = stream.split_at(usize::from(chunks.first().copied().unwrap_or(0)).min(stream.len()));
    let probe = Probe::default();
    let (connection, task) = seams::open(client, leftover.to_vec(), probe.clone());
    let closer = async {
        // The owner answers a close frame, as a WebSocket client does.
        loop {
            let (closes, is_over) = {
                let (seen, is_closed) = &*probe.seen.lock().unwrap();
                (seen.iter().any(|event| matches!(event, Seen::Close(..))), *is_closed)
            };
            if closes {
                connection.close();
            }
            if closes || is_over {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let server = async {
        for &length in chunks.iter().skip(1) {
            let (piece, after) = rest.split_at(usize::from(length).min(rest.len()));
            rest = after;
            if to_client.write_all(piece).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
        if to_client.write_all(rest).await.is_ok() {
            drop(to_client.shutdown().await);
        }
    };
    let reader = async {
        let mut sent = Vec::new();
        drop(from_client.read_to_end(&mut sent).await);
        sent
    };
    let ((), (), (), sent) = join4(task, closer, server, reader).await;
    let (seen, is_closed) = std::mem::take(&mut *probe.seen.lock().unwrap());
    assert!(is_closed);
    (seen, sent)
}

/// The expected events for the bytes of a server, by RFC 6455 and the limits of `ws`.
fn reference(mut rest: &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut message: Option<(u8, Vec<u8>, u64, usize)> = None;
    while let Some(&[first, second]) = rest.first_chunk::<2>() {
        let (opcode, is_final, short) = (first & 15, first & 128 != 0, second & 127);
        let is_control = opcode >= 8;
        let violation = match opcode {
            _ if first & 0x30 != 0 => Some(Violation::ReservedBits23),
            _ if first & 0x40 != 0 => Some(Violation::ReservedBit1),
            3..=7 | 11..=15 => Some(Violation::Opcode(opcode)),
            0 if message.is_none() => Some(Violation::Opcode(0)),
            1 | 2 if message.is_some() => Some(Violation::Opcode(opcode)),
            8..=10 if !is_final => Some(Violation::FragmentedControl),
            8..=10 if short > 125 || (opcode == 8 && short == 1) => Some(Violation::ControlLength(short)),
            _ if second & 128 != 0 => Some(Violation::Masked),
            _ => None,
        };
        if let Some(violation) = violation {
            seen.push(Seen::Violation(violation));
            return seen;
        }
        let (head, length) = match short {
            126 => match rest.get(2..4) {
                Some(bytes) => (4, u64::from(u16::from_be_bytes([bytes[0], bytes[1]]))),
                None => return seen,
            },
            127 => match rest.get(2..10).and_then(|bytes| bytes.first_chunk()) {
                Some(bytes) => (10, u64::from_be_bytes(*bytes)),
                None => return seen,
            },
            short => (2, u64::from(short)),
        };
        if length >= 1 << 53 {
            seen.push(Seen::Violation(Violation::LengthOverflow));
            return seen;
        }
        if !is_control {
            let (_, _, total, fragments) = message.get_or_insert((opcode, Vec::new(), 0, 0));
            *total = total.saturating_add(length);
            *fragments += 1;
            let violation = match (*total > MAX_MESSAGE, *fragments > MAX_FRAGMENTS) {
                (true, _) => Some(Violation::MessageTooLong),
                (_, true) => Some(Violation::TooManyFragments),
                _ => None,
            };
            if let Some(violation) = violation {
                seen.push(Seen::Violation(violation));
                return seen;
            }
        }
        let end = usize::try_from(length).ok().and_then(|length| length.checked_add(head));
        let Some(payload) = end.and_then(|end| rest.get(head..end)) else {
            return seen;
        };
        rest = &rest[head + payload.len()..];
        match opcode {
            8 => {
                seen.push(close(payload));
                return seen;
            }
            9 => seen.push(Seen::Ping(payload.to_vec())),
            10 => seen.push(Seen::Pong(payload.to_vec())),
            _ => {
                let (kind, mut bytes, total, fragments) = message.take().unwrap_or_default();
                bytes.extend_from_slice(payload);
                let is_text = kind == 1;
                // Text is checked in each fragment. Only an incomplete character can continue in the next one.
                let is_broken = match std::str::from_utf8(&bytes) {
                    Ok(_) => false,
                    Err(error) => is_final || error.error_len().is_some(),
                };
                if is_text && is_broken {
                    seen.push(Seen::Violation(Violation::Utf8));
                    return seen;
                }
                if is_final {
                    seen.push(Seen::Message(bytes, !is_text));
                } else {
                    message = Some((kind, bytes, total, fragments));
                }
            }
        }
    }
    seen
}

fn close(payload: &[u8]) -> Seen {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return Seen::Close(1005, Vec::new());
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        Seen::Violation(Violation::CloseCode(code))
    } else if std::str::from_utf8(reason).is_err() {
        Seen::Violation(Violation::Utf8)
    } else {
        Seen::Close(code, reason.to_vec())
    }
}

/// Checks that the client sends only masked frames: pongs in the order of the pings, and one close frame at the end.
fn check_sent(mut sent: &[u8], seen: &[Seen]) {
    let mut pings = seen.iter().filter_map(|event| match event {
        Seen::Ping(payload) => Some(payload),
        _ => None,
    });
    let mut is_closed = false;
    while let [first, second, ..] = *sent {
        assert!(!is_closed, "bytes after the close frame");
        assert_eq!(
            (first & 0xf0, second & 0x80),
            (0x80, 0x80),
            "the frame is not final and masked"
        );
        let length = usize::from(second & 0x7f);
        let Some(frame) = sent.get(2..6 + length) else { return };
        let (mask, payload) = frame.split_at(4);
        let payload: Vec<u8> = payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask)
            .collect();
        match first & 15 {
            10 => assert!(pings.any(|ping| *ping == payload), "a pong without a ping"),
            8 => is_closed = true,
            other => panic!("opcode {other}"),
        }
        if is_closed {
            let expected = match seen.last() {
                Some(Seen::Violation(violation)) => violation.close_code().to_be_bytes().to_vec(),
                Some(Seen::Close(1005, _)) => Vec::new(),
                Some(Seen::Close(code, reason)) => [&code.to_be_bytes()[..], reason].concat(),
                other => panic!("a close frame after {other:?}"),
            };
            assert_eq!(payload, expected);
        }
        sent = &sent[6 + length..];
    }
}
