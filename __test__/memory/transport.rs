//! Response heads and WebSocket messages with the maximum memory use that a peer can cause before the Noise handshake.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use baileys_native::transport::{EventSink, MAX_MESSAGE, MAX_RESPONSE_HEAD, TransportError, TransportEvent, seams};
use tokio::io::{AsyncWriteExt, duplex, split};

use super::{ALLOCATOR, MIB, measure, report, within};

/// The documented limits (docs/security.md), in MiB.
const HEAD_BOUND: usize = 1;
const MESSAGE_BOUND: usize = 160;
const TWO_MESSAGES_BOUND: usize = 320;

/// The number of fragments that a message may have.
const MAX_FRAGMENTS: usize = 16 * 1024;

/// Counts the bytes of the messages and drops them, and has the error at the end.
#[derive(Clone, Default)]
struct Received {
    bytes: Arc<AtomicUsize>,
    error: Arc<Mutex<Option<TransportError>>>,
}

impl EventSink for Received {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn event(&mut self, event: TransportEvent) {
        match event {
            TransportEvent::Message { bytes, .. } => drop(self.bytes.fetch_add(bytes.len(), Ordering::Relaxed)),
            TransportEvent::Error(error) => *self.error.lock().unwrap() = Some(error),
            _ => {}
        }
    }

    fn flush(&mut self) {}
}

/// Receives the bytes of a server on an open WebSocket. Returns the length of the messages.
fn receive(stream: &[u8]) -> Result<usize, TransportError> {
    let received = Received::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, server) = duplex(4096);
        let (_requests, mut out) = split(server);
        let (_connection, task) = seams::open(client, Vec::new(), received.clone());
        let serve = async {
            // Fails if the client has closed.
            if out.write_all(stream).await.is_ok() {
                out.shutdown().await.unwrap();
            }
        };
        futures_util::future::join(task, serve).await;
    });
    match received.error.lock().unwrap().take() {
        Some(error) => Err(error),
        None => Ok(received.bytes.load(Ordering::Relaxed)),
    }
}

/// A frame header of a server. `first` has the flags and the opcode.
fn header(first: u8, length: usize) -> Vec<u8> {
    let length = (length as u64).to_be_bytes();
    [&[first, 127][..], &length].concat()
}

/// A frame of zeros.
fn frame(first: u8, length: usize) -> Vec<u8> {
    [header(first, length), vec![0; length]].concat()
}

/// A binary message in `count` fragments of the same length.
fn fragments(count: usize, length: usize) -> Vec<u8> {
    let payload = vec![0; length];
    let mut stream = Vec::with_capacity(count * (length + 10));
    for number in 0..count {
        let opcode = if number == 0 { 0x02 } else { 0x00 };
        let last = if number + 1 == count { 0x80 } else { 0x00 };
        stream.extend(header(opcode | last, length));
        stream.extend(&payload);
    }
    stream
}

pub(crate) fn measure_all() {
    let status = "HTTP/1.1 101 S\r\n";
    let line = "X:\r\n";
    // The parser accepts 512 header lines.
    let most_lines = format!("{status}{}\r\n", line.repeat(510));
    let longest = format!(
        "{status}X: {}\r\n\r\n",
        "y".repeat(MAX_RESPONSE_HEAD - status.len() - 8)
    );
    for (name, head) in [("most header lines", most_lines), ("longest header", longest)] {
        let (cost, parsed) = measure(|| seams::parse_response(head.as_bytes()));
        assert!(parsed.unwrap().is_some(), "{name}");
        report("head", name, head.len(), cost, HEAD_BOUND);
    }

    let longest = usize::try_from(MAX_MESSAGE).unwrap();
    for (name, stream, length, bound) in [
        ("one frame of 100 MiB", fragments(1, longest), longest, MESSAGE_BOUND),
        (
            "100 MiB after one byte less",
            [fragments(1, longest - 1), fragments(1, longest)].concat(),
            2 * longest - 1,
            TWO_MESSAGES_BOUND,
        ),
        (
            "100 MiB in most fragments",
            fragments(MAX_FRAGMENTS, longest / MAX_FRAGMENTS),
            longest / MAX_FRAGMENTS * MAX_FRAGMENTS,
            MESSAGE_BOUND,
        ),
        (
            "most fragments, all empty",
            fragments(MAX_FRAGMENTS, 0),
            0,
            MESSAGE_BOUND,
        ),
    ] {
        let (cost, received) = measure(|| receive(&stream).unwrap());
        assert_eq!(received, length, "{name}");
        report("message", name, stream.len(), cost, bound);
    }
}

/// A message that does not fit into the memory ends the connection with an error, as a whole and in fragments.
pub(crate) fn without_memory() {
    let length = 16 * MIB;
    ALLOCATOR.moves.store(true, Ordering::Relaxed);
    for stream in [fragments(1, length), fragments(16, length / 16)] {
        for spare in (2..64).step_by(2) {
            let received = within(spare * MIB, || receive(&stream));
            match received {
                Ok(received) => assert_eq!(received, length),
                Err(error) => assert!(matches!(error, TransportError::OutOfMemory), "{error}"),
            }
        }
        assert!(within(4 * MIB, || receive(&stream)).is_err());
        assert_eq!(within(64 * MIB, || receive(&stream)).unwrap(), length);
    }
    // tungstenite's buffer grows for the second message, and for a message in fragments of different lengths.
    let (whole, mixed) = (
        [fragments(1, 8 * MIB), fragments(1, 9 * MIB)].concat(),
        [frame(0x02, 8 * MIB), frame(0x80, 9 * MIB)].concat(),
    );
    for stream in [whole, mixed] {
        for spare in 2..64 {
            match within(spare * MIB, || receive(&stream)) {
                Ok(received) => assert_eq!(received, 17 * MIB),
                Err(error) => assert!(matches!(error, TransportError::OutOfMemory), "{error}"),
            }
        }
    }
    ALLOCATOR.moves.store(false, Ordering::Relaxed);
}
