//! Connections with a sink that panics or an owner that drops them, with a server on loopback.

use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use socket2::SockRef;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::connection::SharedConnection;
use super::task::MAX_OPENING;
use super::websocket::{BURST_TIME, CLOSE_TIMEOUT, LONG_MESSAGE};
use super::{
    Accepted, ConnectOptions, Connection, EventSink, Proxy, ProxyProtocol, Roots, Timing, TlsOptions, TlsTarget,
    TransportError, TransportEvent, connect, on_idle,
};

mod held;
mod pings;

const PATIENCE: Duration = Duration::from_secs(60);

/// Passes on events. Panics at the selected event.
struct Probe {
    events: Sender<TransportEvent>,
    panic_at_open: bool,
}

impl EventSink for Probe {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn event(&mut self, event: TransportEvent) {
        assert!(
            !(self.panic_at_open && matches!(event, TransportEvent::Open)),
            "deliberate"
        );
        self.events.send(event).ok();
    }

    fn flush(&mut self) {}
}

fn options(address: SocketAddr) -> ConnectOptions {
    ConnectOptions {
        addresses: vec![address],
        local_address: None,
        probes: None,
        proxy: None,
        tls: None,
        host: "localhost".into(),
        target: "/".into(),
        headers: Vec::new(),
        origin: "https://origin.test".into(),
        handshake_timeout: Some(PATIENCE),
        turn: None,
    }
}

/// Serves one client in a thread: opens the WebSocket, then calls `then`.
fn serve(then: impl FnOnce(TcpStream) + Send + 'static) -> (SocketAddr, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        let request = String::from_utf8(request).unwrap();
        let key = request
            .lines()
            .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
            .unwrap();
        let accept = derive_accept_key(key.as_bytes());
        write!(
            stream,
            "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .unwrap();
        then(stream);
    });
    (address, server)
}

fn next(events: &Receiver<TransportEvent>) -> TransportEvent {
    events.recv_timeout(PATIENCE).unwrap()
}

#[test]
fn a_panic_in_the_task_is_an_error_of_the_connection() {
    let (address, server) = serve(|mut stream| {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).ok();
    });
    let (sender, events) = channel();
    let connection = connect(
        options(address),
        Probe {
            events: sender,
            panic_at_open: true,
        },
    )
    .unwrap();
    assert!(matches!(next(&events), TransportEvent::Upgrade(_)));
    let TransportEvent::Error(TransportError::Internal(text)) = next(&events) else {
        panic!("expected an error")
    };
    assert!(text.contains("deliberate"), "{text}");
    assert!(matches!(next(&events), TransportEvent::Closed));
    assert_eq!(connection.send_binary(&[1], Timing::Now), Accepted::No);
    server.join().unwrap();
}

#[test]
fn a_dropped_connection_ends_without_another_event() {
    let (address, server) = serve(|mut stream| {
        let mut byte = [0];
        // The stream has ended or was reset.
        assert!(!matches!(stream.read(&mut byte), Ok(1)));
    });
    let (sender, events) = channel();
    let connection = connect(
        options(address),
        Probe {
            events: sender,
            panic_at_open: false,
        },
    )
    .unwrap();
    assert!(matches!(next(&events), TransportEvent::Upgrade(_)));
    assert!(matches!(next(&events), TransportEvent::Open));
    drop(connection);
    server.join().unwrap();
    assert_eq!(
        events.recv_timeout(PATIENCE).err(),
        Some(RecvTimeoutError::Disconnected)
    );
}

#[test]
fn a_close_after_unread_data_takes_no_longer_than_a_closing_handshake() {
    let (over, server_may_go) = channel::<()>();
    let (address, server) = serve(move |stream| {
        // So that the system does not store all messages.
        SockRef::from(&stream).set_recv_buffer_size(128 << 10).unwrap();
        server_may_go.recv_timeout(PATIENCE).ok();
    });
    let (probe, events, shared, connection) = probed();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let taken = runtime.block_on(async {
        // No step of the opening has a timer. Paused time would make it expire at once.
        let mut options = options(address);
        options.handshake_timeout = None;
        let task = tokio::spawn(super::task::serve(options, shared, probe));
        while !matches!(events.try_recv(), Ok(TransportEvent::Open)) {
            tokio::task::yield_now().await;
        }
        for _ in 0..4 {
            let accepted = connection.send_owned(vec![0; 8 << 20], Timing::Now);
            assert_ne!(accepted, Accepted::No);
        }
        tokio::time::pause();
        let start = tokio::time::Instant::now();
        connection.close();
        tokio::time::timeout(CLOSE_TIMEOUT * 2, task).await.unwrap().unwrap();
        start.elapsed()
    });
    assert!(taken.abs_diff(CLOSE_TIMEOUT) < Duration::from_secs(1), "{taken:?}");
    assert!(matches!(next(&events), TransportEvent::Closed));
    over.send(()).unwrap();
    server.join().unwrap();
}

/// A binary message of 20,000 bytes, in two fragments.
fn long_message() -> Vec<u8> {
    let mut message = vec![0x02, 126];
    message.extend(15_000_u16.to_be_bytes());
    message.resize(message.len() + 15_000, 3);
    message.extend([0x80, 126]);
    message.extend(5_000_u16.to_be_bytes());
    message.resize(message.len() + 5_000, 3);
    message
}

#[test]
fn the_memory_of_a_long_message_is_freed_and_the_connection_continues() {
    static IDLE: OnceLock<Sender<()>> = OnceLock::new();
    let (sender, idle) = channel();
    IDLE.set(sender).unwrap();
    on_idle(|| IDLE.get().unwrap().send(()).unwrap());
    let (address, server) = serve(|mut stream| {
        for round in 0..3 {
            stream.write_all(&long_message()).unwrap();
            stream.write_all(&[0x82, 1, round, 0x89, 1, round]).unwrap();
            // The pong and the answer message, in any order.
            let mut frames = [0; 2 * (6 + 1)];
            stream.read_exact(&mut frames).unwrap();
            let mut heads = [frames[0], frames[7]];
            heads.sort_unstable();
            assert_eq!(heads, [0x82, 0x8a]);
            for frame in frames.chunks(7) {
                assert_eq!((frame[1], frame[2] ^ frame[6]), (0x81, round));
            }
        }
        // Waits until the client ends the connection.
        assert!(!matches!(stream.read(&mut [0]), Ok(1)));
    });
    let (sender, events) = channel();
    let probe = Probe {
        events: sender,
        panic_at_open: false,
    };
    let connection = connect(options(address), probe).unwrap();
    assert!(matches!(next(&events), TransportEvent::Upgrade(_)));
    assert!(matches!(next(&events), TransportEvent::Open));
    let message = || match next(&events) {
        TransportEvent::Message { bytes, is_binary: true } => bytes,
        other => panic!("expected a binary message, not {other:?}"),
    };
    for round in 0..3 {
        assert_eq!(message(), vec![3; 20_000]);
        assert_eq!(message(), vec![round]);
        assert!(matches!(next(&events), TransportEvent::Ping(_)));
        assert_eq!(connection.send_binary(&[round], Timing::Now), Accepted::Now);
    }
    idle.recv_timeout(PATIENCE).unwrap();
    drop(connection);
    server.join().unwrap();
}

#[test]
fn messages_travel_both_ways_until_the_peer_closes() {
    let (address, server) = serve(|mut stream| {
        let mut frame = [0; 6 + 2];
        stream.read_exact(&mut frame).unwrap();
        let [head, length, mask @ .., first, second] = frame;
        assert_eq!((head, length), (0x82, 0x82));
        assert_eq!([first ^ mask[0], second ^ mask[1]], [7, 8]);
        stream
            .write_all(&[0x81, 2, b'o', b'k', 0x88, 5, 0x03, 0xe9, b'b', b'y', b'e'])
            .unwrap();
        // The sent message, then the answer: the same close frame, masked.
        let mut answer = Vec::new();
        let mut chunk = [0; 64];
        while answer.len() < 6 + 2 + 6 + 5 {
            let length = stream.read(&mut chunk).unwrap();
            assert!(length > 0);
            answer.extend_from_slice(&chunk[..length]);
        }
        assert_eq!((&answer[..2], &answer[8..10]), (&[0x82, 0x82][..], &[0x88, 0x85][..]));
    });
    let (sender, events) = channel();
    let connection = connect(
        options(address),
        Probe {
            events: sender,
            panic_at_open: false,
        },
    )
    .unwrap();
    assert!(matches!(next(&events), TransportEvent::Upgrade(_)));
    assert!(matches!(next(&events), TransportEvent::Open));
    assert_eq!(connection.send_binary(&[7, 8], Timing::Now), Accepted::Now);
    let TransportEvent::Message {
        bytes,
        is_binary: false,
    } = next(&events)
    else {
        panic!("expected a text message")
    };
    assert_eq!(bytes, "ok");
    let TransportEvent::CloseFrame { code: 1001, reason } = next(&events) else {
        panic!("expected a close frame")
    };
    assert_eq!(reason, b"bye");
    assert_eq!(connection.send_binary(&[9, 10], Timing::Now), Accepted::Now);
    connection.close();
    assert!(matches!(next(&events), TransportEvent::Closed));
    server.join().unwrap();
}

/// Runs the task of a connection on its own runtime, so that time can be paused.
fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// A connection that reports its events to a channel.
fn probed() -> (Probe, Receiver<TransportEvent>, Arc<SharedConnection>, Connection) {
    let (sender, events) = channel();
    let probe = Probe {
        events: sender,
        panic_at_open: false,
    };
    let shared = Arc::new(SharedConnection::default());
    let connection = Connection::new(Arc::clone(&shared));
    (probe, events, shared, connection)
}

/// Closes a connection while its peer repeatedly sends `flood` after `first`.
fn close_under_flood(first: &'static [u8], flood: Vec<u8>) {
    let (flooding, is_flooded) = channel();
    let (address, server) = serve(move |mut stream| {
        stream.write_all(first).unwrap();
        stream.write_all(&flood).unwrap();
        flooding.send(()).unwrap();
        // Sends until the client ends the connection.
        while stream.write_all(&flood).is_ok() {}
    });
    let (probe, events, shared, connection) = probed();
    block_on(async {
        let mut options = options(address);
        options.handshake_timeout = None;
        let task = tokio::spawn(super::task::serve(options, shared, probe));
        while !matches!(events.try_recv(), Ok(TransportEvent::Open)) {
            tokio::task::yield_now().await;
        }
        let deadline = std::time::Instant::now() + PATIENCE;
        while is_flooded.try_recv().is_err() {
            assert!(std::time::Instant::now() < deadline, "the client does not read");
            tokio::task::yield_now().await;
        }
        connection.close();
        // The close frame is sent, and the peer continues to send.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert!(!task.is_finished());
        tokio::time::pause();
        // The timer rounds up to a millisecond.
        tokio::time::advance(CLOSE_TIMEOUT + Duration::from_millis(1)).await;
        let deadline = std::time::Instant::now() + PATIENCE;
        while !task.is_finished() {
            assert!(std::time::Instant::now() < deadline, "the deadline starves");
            tokio::task::yield_now().await;
        }
    });
    drop(events);
    server.join().unwrap();
}

#[test]
fn a_flood_of_messages_does_not_hold_up_the_closing_deadline() {
    let mut frame = vec![0x82, 126];
    frame.extend(1024_u16.to_be_bytes());
    frame.resize(frame.len() + 1024, 1);
    close_under_flood(&[], frame.repeat(256));
}

#[test]
fn a_flood_after_a_violation_does_not_hold_up_the_closing_deadline() {
    // A frame with RSV2 set. The data after it is discarded.
    close_under_flood(&[0xa2, 0], vec![1; 256 * 1024]);
}

/// Needs more time for each message than a burst may take. Counts the messages.
struct SlowSink(Arc<AtomicUsize>);

impl EventSink for SlowSink {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn event(&mut self, event: TransportEvent) {
        if matches!(event, TransportEvent::Message { .. }) {
            thread::sleep(2 * BURST_TIME);
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&mut self) {}
}

#[test]
fn messages_that_take_long_do_not_hold_up_the_timers_of_other_connections() {
    const MESSAGES: usize = 24;
    let (address, server) = serve(|mut stream| {
        let message = [&[0x82, 126, 1, 0][..], &[1; LONG_MESSAGE]].concat();
        stream.write_all(&message.repeat(MESSAGES)).unwrap();
        // Waits until the client ends the connection.
        stream.read_to_end(&mut Vec::new()).ok();
    });
    let count = Arc::<AtomicUsize>::default();
    let (_, _, shared, connection) = probed();
    block_on(async {
        let task = tokio::spawn(super::task::serve(
            options(address),
            shared,
            SlowSink(Arc::clone(&count)),
        ));
        let (mut seen, mut most) = (0, 0);
        while seen < MESSAGES {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let now = count.load(Ordering::Relaxed);
            most = most.max(now - seen);
            seen = now;
        }
        assert!(most <= 2, "{most} messages between two expirations of a timer");
        connection.abort();
        task.await.unwrap();
    });
    server.join().unwrap();
}

/// How a peer sends data that never completes the opening.
#[derive(Clone, Copy)]
enum Pace {
    /// Sends one part each millisecond.
    Slow,
    /// Sends as fast as the connection accepts data.
    Flood,
}

/// The peer sends `first`, and then repeatedly `part`. The opening must end at its time limit.
fn opening_that_never_ends(
    first: &'static [u8],
    part: &'static [u8],
    pace: Pace,
    change: impl FnOnce(&mut ConnectOptions),
) {
    /// A flood of this size in bytes has arrived only if the client reads it: the buffers of the system are smaller.
    const FLOOD: usize = 1 << 20;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (under_way, is_under_way) = channel();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        SockRef::from(&stream).set_send_buffer_size(64 << 10).unwrap();
        stream.write_all(first).unwrap();
        let (chunk, pause, enough) = match pace {
            Pace::Slow => (part.to_vec(), Duration::from_millis(1), part.len()),
            Pace::Flood => (part.repeat((64 << 10) / part.len()), Duration::ZERO, FLOOD),
        };
        let mut sent = 0;
        while stream.write_all(&chunk).is_ok() {
            sent += chunk.len();
            if sent >= enough {
                under_way.send(()).ok();
            }
            thread::sleep(pause);
        }
    });
    let (sender, events) = channel();
    let probe = Probe {
        events: sender,
        panic_at_open: false,
    };
    let shared = Arc::new(SharedConnection::default());
    block_on(async {
        let mut options = options(address);
        options.handshake_timeout = None;
        change(&mut options);
        let task = tokio::spawn(super::task::serve(options, shared, probe));
        let patience = std::time::Instant::now() + PATIENCE;
        while is_under_way.try_recv().is_err() {
            assert!(std::time::Instant::now() < patience, "the client does not read");
            tokio::task::yield_now().await;
        }
        assert!(!task.is_finished());
        tokio::time::pause();
        tokio::time::advance(MAX_OPENING).await;
        tokio::time::resume();
        tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
    });
    let TransportEvent::Error(TransportError::HandshakeTimeout) = next(&events) else {
        panic!("expected the end of the opening's time")
    };
    assert!(matches!(next(&events), TransportEvent::Closed));
    server.join().unwrap();
}

#[test]
fn endless_interim_heads_end_at_the_connect_timeout() {
    for pace in [Pace::Slow, Pace::Flood] {
        opening_that_never_ends(b"", b"HTTP/1.1 102 Processing\r\n\r\n", pace, |_| {});
    }
}

#[test]
fn a_slow_head_ends_at_the_connect_timeout() {
    opening_that_never_ends(b"HTTP/1.1 101 Switching Protocols\r\nX: ", b"y", Pace::Slow, |_| {});
}

#[test]
fn a_slow_tls_handshake_ends_at_the_connect_timeout() {
    // The head of a handshake record of 16 KiB.
    opening_that_never_ends(&[22, 3, 3, 0x40, 0], &[2], Pace::Slow, |options| {
        options.tls = Some(TlsTarget {
            options: TlsOptions {
                roots: Roots::Bundled {
                    extra: None,
                    system: false,
                },
                reject_unauthorized: true,
                identity: None,
            },
            server_name: "localhost".to_owned(),
        });
    });
}

#[test]
fn endless_interim_heads_of_a_proxy_end_at_the_connect_timeout() {
    for pace in [Pace::Slow, Pace::Flood] {
        opening_that_never_ends(b"", b"HTTP/1.1 102 Processing\r\n\r\n", pace, |options| {
            options.proxy = Some(Proxy {
                protocol: ProxyProtocol::Http(Vec::new()),
                host: "target.test".to_owned(),
                port: 443,
                tls: None,
                timeout: None,
            });
        });
    }
}
