//! Pings of the peer, with a server on loopback.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::channel;

use socket2::SockRef;

use super::super::{Accepted, Timing, TransportEvent, connect};
use super::{PATIENCE, Probe, next, options, serve};

/// Size of a message in bytes.
const MESSAGE: usize = 16 * 1024;

/// Connects to `peer`, sends this number of messages of [`MESSAGE`] bytes, and calls `on_ping` at each ping. Returns the
/// events of the connection until its end, without pings and reports of written messages.
fn events_with_pings(
    messages: usize,
    on_ping: impl Fn(),
    peer: impl FnOnce(TcpStream) + Send + 'static,
) -> Vec<TransportEvent> {
    let (address, server) = serve(|stream| {
        // With a fixed size, the system enlarges neither this buffer nor that of the client by much.
        SockRef::from(&stream).set_recv_buffer_size(128 << 10).unwrap();
        peer(stream);
    });
    let (sender, events) = channel();
    let probe = Probe {
        events: sender,
        panic_at_open: false,
    };
    let connection = connect(options(address), probe).unwrap();
    let mut seen = Vec::new();
    while !matches!(seen.last(), Some(TransportEvent::Closed)) {
        let event = next(&events);
        if matches!(event, TransportEvent::Open) {
            for _ in 0..messages {
                assert_ne!(connection.send_binary(&[1; MESSAGE], Timing::Now), Accepted::No);
            }
        }
        match event {
            TransportEvent::Ping(_) => on_ping(),
            TransportEvent::Written(_) => {}
            event => seen.push(event),
        }
    }
    drop(connection);
    server.join().unwrap();
    seen
}

#[test]
fn a_peer_that_sends_pings_and_reads_no_pong_is_disconnected() {
    let seen = events_with_pings(
        0,
        || {},
        |mut stream| {
            let mut pings = [0x89, 125].to_vec();
            pings.resize(127, 1);
            let pings = pings.repeat(100);
            // 210 MB of pongs: more than the operating system stores.
            let is_closed = (0..16_000).any(|_| stream.write_all(&pings).is_err());
            assert!(is_closed, "all pongs were queued");
        },
    );
    assert!(
        matches!(
            seen[..],
            [TransportEvent::Upgrade(_), TransportEvent::Open, TransportEvent::Closed]
        ),
        "{seen:?}"
    );
}

#[test]
fn each_ping_of_a_burst_is_answered() {
    /// More than may be missing, and so few that the system stores the pongs while the peer does not read.
    const PINGS: usize = 500;
    events_with_pings(
        0,
        || {},
        |mut stream| {
            stream.write_all(&[0x89, 0].repeat(PINGS)).unwrap();
            let mut pongs = vec![0; 6 * PINGS];
            stream.read_exact(&mut pongs).unwrap();
            assert!(pongs.chunks(6).all(|pong| pong[..2] == [0x8a, 0x80]));
        },
    );
}

#[test]
fn a_peer_that_reads_the_pongs_behind_many_messages_stays_connected() {
    const PINGS: usize = 150;
    const PART: usize = 16 * (MESSAGE + 8);
    let (pinged, pings) = channel();
    let on_ping = move || pinged.send(()).unwrap();
    events_with_pings(17 * PINGS, on_ping, move |mut stream| {
        let mut data = vec![0; PART];
        for _ in 0..PINGS {
            stream.write_all(&[0x89, 0]).unwrap();
            // The ping is handled while the connection cannot write.
            pings.recv_timeout(PATIENCE).unwrap();
            stream.read_exact(&mut data).unwrap();
        }
        data.resize(PINGS * (MESSAGE + 8 + 6), 0);
        stream.read_exact(&mut data).unwrap();
    });
}
