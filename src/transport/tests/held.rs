//! Messages that are held until the end of an event loop's turn, with a server on loopback.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll};
use std::thread::{JoinHandle, yield_now};
use std::time::Instant;

use proptest::prelude::*;

use super::super::connection::SharedConnection;
use super::super::loop_turn::LoopTurn;
use super::super::{Accepted, Connection, EventSink, HIGH_WATER, Timing, TransportEvent, WeakSender, connect, runtime};
use super::{PATIENCE, Probe, next, options, serve};

/// An open connection of an event loop.
struct World {
    turn: LoopTurn,
    connection: Connection,
    queries: WeakSender,
    events: std::sync::mpsc::Receiver<TransportEvent>,
    server: JoinHandle<()>,
}

impl World {
    fn new(turn: LoopTurn, watched: bool, then: impl FnOnce(TcpStream) + Send + 'static) -> Self {
        let (address, server) = serve(then);
        let (sender, events) = channel();
        let mut options = options(address);
        options.turn = Some(if watched {
            turn.sender().unwrap()
        } else {
            turn.unwatched_sender()
        });
        let probe = Probe {
            events: sender,
            panic_at_open: false,
        };
        let connection = connect(options, probe).unwrap();
        assert!(matches!(next(&events), TransportEvent::Upgrade(_)));
        assert!(matches!(next(&events), TransportEvent::Open));
        Self {
            turn,
            queries: connection.weak_sender(),
            connection,
            events,
            server,
        }
    }
}

/// Reads one masked frame. Returns its opcode and payload.
fn read_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let length = match head[1] & 0x7f {
        126 => {
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            usize::from(u16::from_be_bytes(length))
        }
        127 => {
            let mut length = [0; 8];
            stream.read_exact(&mut length).unwrap();
            usize::try_from(u64::from_be_bytes(length)).unwrap()
        }
        length => usize::from(length),
    };
    let mut mask = [0; 4];
    stream.read_exact(&mut mask).unwrap();
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).unwrap();
    for (byte, mask) in payload.iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= mask;
    }
    (head[0] & 0xf, payload)
}

/// Waits until the only thread of the runtime has done what it is doing.
fn settle() {
    let (tell, told) = channel();
    drop(runtime().unwrap().spawn(async move { tell.send(()).unwrap() }));
    told.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn the_messages_of_a_turn_are_one_write_after_the_first() {
    let (sender, sizes) = channel();
    let mut world = World::new(LoopTurn::new(), false, move |mut stream| {
        let mut buffer = vec![0; 64 * 1024];
        for _ in 0..2 {
            sender.send(stream.read(&mut buffer).unwrap()).unwrap();
        }
        // The connection must not end before the client has checked its events.
        let _ = stream.read(&mut buffer);
    });
    // If the task were still running, it would write messages while they are held.
    settle();
    for _ in 0..100 {
        let _ = world.connection.send_binary(&[7; 14], Timing::EndOfTurn);
        if world.turn.held() == 0 {
            assert_eq!(sizes.recv_timeout(PATIENCE).unwrap(), 20);
        }
    }
    assert_eq!(world.turn.held(), 1);
    world.turn.end();
    assert_eq!(sizes.recv_timeout(PATIENCE).unwrap(), 99 * 20);
    world.events.try_recv().unwrap_err();
    drop(world.connection);
    world.server.join().unwrap();
    world.turn = LoopTurn::new();
}

#[test]
fn messages_held_by_a_blocked_loop_are_written_by_the_task() {
    let (sender, received) = channel();
    let world = World::new(LoopTurn::new(), true, move |mut stream| {
        for _ in 0..2 {
            sender.send(read_frame(&mut stream).1).unwrap();
        }
    });
    for payload in [b"first", b"later"] {
        let _ = world.connection.send_binary(payload, Timing::EndOfTurn);
    }
    for payload in [b"first", b"later"] {
        assert_eq!(received.recv_timeout(PATIENCE).unwrap(), payload);
    }
    world.server.join().unwrap();
}

/// A sink whose first message takes until the owner ends the connection or waits for the writer. Meanwhile the task has
/// the lock of the writer.
struct BusyProbe {
    shared: Arc<SharedConnection>,
    handling: Sender<()>,
    /// Number of messages that were handled while a thread waited for the writer.
    late: Arc<AtomicUsize>,
    is_first: bool,
}

impl EventSink for BusyProbe {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn event(&mut self, event: TransportEvent) {
        if !matches!(event, TransportEvent::Message { .. }) {
            return;
        }
        if !std::mem::replace(&mut self.is_first, false) {
            self.late
                .fetch_add(usize::from(self.shared.is_awaited()), Ordering::SeqCst);
            return;
        }
        self.handling.send(()).unwrap();
        let start = Instant::now();
        while !self.shared.is_aborted() && !self.shared.is_awaited() {
            assert!(start.elapsed() < PATIENCE, "the test has ended nothing");
            yield_now();
        }
    }

    fn flush(&mut self) {}
}

/// A connection whose server sends `messages` empty messages and then does `then`. The task is handling the first of
/// them, until the owner ends the connection or waits for the writer. The counter is [`BusyProbe::late`].
fn reading(
    turn: &LoopTurn,
    messages: usize,
    then: impl FnOnce(TcpStream) + Send + 'static,
) -> (Connection, Arc<AtomicUsize>, JoinHandle<()>) {
    let (address, server) = serve(move |mut stream| {
        stream.write_all(&[0x82, 0].repeat(messages)).unwrap();
        then(stream);
    });
    let shared = Arc::new(SharedConnection::new(Some(turn.unwatched_sender())));
    let (sender, handling) = channel();
    let late = Arc::<AtomicUsize>::default();
    let probe = BusyProbe {
        shared: Arc::clone(&shared),
        handling: sender,
        late: Arc::clone(&late),
        is_first: true,
    };
    let connection = Connection::new(Arc::clone(&shared));
    drop(
        runtime()
            .unwrap()
            .spawn(super::super::task::serve(options(address), shared, probe)),
    );
    handling.recv_timeout(PATIENCE).unwrap();
    (connection, late, server)
}

/// As [`reading`], for one message. The connection has three queued messages; the last two are held until the end of the
/// turn.
fn reading_with_queue(turn: &LoopTurn, then: impl FnOnce(TcpStream) + Send + 'static) -> (Connection, JoinHandle<()>) {
    let (connection, _, server) = reading(turn, 1, then);
    for number in 0..3 {
        let _ = connection.send_binary(&[number], Timing::EndOfTurn);
    }
    (connection, server)
}

#[test]
fn messages_are_written_if_the_connection_is_destroyed_while_it_is_read() {
    let turn = LoopTurn::new();
    let (connection, server) = reading_with_queue(&turn, |mut stream| {
        for number in 0..3 {
            assert_eq!(read_frame(&mut stream), (2, vec![number]));
        }
        assert!(!matches!(stream.read(&mut [0]), Ok(1)));
    });
    connection.destroy();
    drop(connection);
    server.join().unwrap();
}

#[test]
fn messages_and_the_close_frame_are_written_if_the_connection_is_closed_and_destroyed() {
    let world = World::new(LoopTurn::new(), false, |mut stream| {
        for number in 0..3 {
            assert_eq!(read_frame(&mut stream), (2, vec![number]));
        }
        assert_eq!(read_frame(&mut stream), (8, vec![]));
    });
    for number in 0..3 {
        let _ = world.connection.send_binary(&[number], Timing::EndOfTurn);
    }
    world.connection.close();
    world.connection.destroy();
    drop(world.connection);
    world.server.join().unwrap();
}

#[test]
fn the_close_frame_is_written_if_the_connection_is_closed_and_destroyed_while_it_is_read() {
    let (connection, _, server) = reading(&LoopTurn::new(), 1, |mut stream| {
        assert_eq!(read_frame(&mut stream), (8, vec![]));
    });
    connection.close();
    connection.destroy();
    drop(connection);
    server.join().unwrap();
}

#[test]
fn an_aborted_connection_writes_no_close_frame() {
    let turn = LoopTurn::new();
    let (connection, server) = reading_with_queue(&turn, |mut stream| {
        assert!(!matches!(stream.read(&mut [0]), Ok(1)));
    });
    connection.close();
    connection.abort();
    server.join().unwrap();
}

#[test]
fn the_end_of_the_process_does_not_wait_for_a_peer_that_sends_without_a_pause() {
    let (connection, late, server) = reading(&LoopTurn::new(), 200, |mut stream| {
        assert_eq!(read_frame(&mut stream), (2, vec![1]));
    });
    let _ = connection.send_binary(&[1], Timing::Now);
    connection.unwritten().write();
    assert_eq!(late.load(Ordering::SeqCst), 0);
    connection.destroy();
    server.join().unwrap();
}

#[test]
fn an_aborted_connection_writes_no_queued_messages() {
    let turn = LoopTurn::new();
    let (connection, server) = reading_with_queue(&turn, |mut stream| {
        assert!(!matches!(stream.read(&mut [0]), Ok(1)));
    });
    let unwritten = connection.unwritten();
    connection.abort();
    unwritten.write();
    turn.end();
    server.join().unwrap();
}

#[test]
fn the_end_of_the_process_waits_until_all_messages_are_written() {
    let turn = LoopTurn::new();
    let (written, is_written) = channel();
    let (connection, server) = reading_with_queue(&turn, move |mut stream| {
        is_written.recv_timeout(PATIENCE).unwrap();
        // Everything is in the buffer of the operating system already.
        stream.set_nonblocking(true).unwrap();
        for number in 0..3 {
            assert_eq!(read_frame(&mut stream), (2, vec![number]));
        }
        assert_eq!(read_frame(&mut stream), (8, vec![]));
    });
    connection.close();
    connection.unwritten().write();
    written.send(()).unwrap();
    server.join().unwrap();
}

#[test]
fn messages_that_are_written_at_the_end_of_the_process_are_reported_if_it_goes_on() {
    let world = World::new(LoopTurn::new(), false, |mut stream| {
        assert_eq!(read_frame(&mut stream).1.len(), HIGH_WATER + 1);
        assert_eq!(read_frame(&mut stream), (8, vec![]));
        stream.write_all(&[0x88, 0]).unwrap();
    });
    // The only thread of the runtime is busy, so that the task does not write.
    let (release, is_released) = channel();
    let (start, has_started) = channel();
    let busy = async move {
        start.send(()).unwrap();
        is_released.recv_timeout(PATIENCE).unwrap();
    };
    drop(runtime().unwrap().spawn(busy));
    has_started.recv_timeout(PATIENCE).unwrap();
    let message = vec![0; HIGH_WATER + 1];
    assert_eq!(world.connection.send_owned(message, Timing::EndOfTurn), Accepted::Later);
    world.connection.unwritten().write();
    release.send(()).unwrap();
    assert!(matches!(next(&world.events), TransportEvent::Written(1)));
    world.connection.close();
    while !matches!(next(&world.events), TransportEvent::Closed) {}
    world.server.join().unwrap();
}

#[derive(Debug, Clone)]
enum HeldStep {
    /// The loop sends a message of this length.
    Send(usize),
    /// The loop sends a message that is not held, like the session's own messages.
    SendNow(usize),
    /// The I/O thread sends a keep-alive query.
    Query,
    EndTurn,
    /// Everything is written, as at the end of the process.
    WriteAll,
}

fn step() -> impl Strategy<Value = HeldStep> {
    prop_oneof![
        8 => (4..400_usize).prop_map(HeldStep::Send),
        2 => (4..30_000_usize).prop_map(HeldStep::Send),
        1 => (4..400_usize).prop_map(HeldStep::SendNow),
        2 => Just(HeldStep::Query),
        4 => Just(HeldStep::EndTurn),
        1 => Just(HeldStep::WriteAll),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn messages_are_written_in_sending_order_with_the_close_frame_last(
        steps in prop::collection::vec(step(), 1..80),
        watched in any::<bool>(),
    ) {
        let (sender, received) = channel();
        let world = World::new(LoopTurn::new(), watched, move |mut stream| {
            loop {
                let (opcode, payload) = read_frame(&mut stream);
                if opcode == 8 {
                    stream.write_all(&[0x88, 0]).unwrap();
                    return;
                }
                sender.send(payload).unwrap();
            }
        });
        let mut sent = Vec::new();
        let mut message = |length: usize| {
            let mut message = vec![3; length];
            message[..4].copy_from_slice(&u32::try_from(sent.len()).unwrap().to_be_bytes());
            sent.push(message.clone());
            message
        };
        for step in steps {
            match step {
                HeldStep::Send(length) => {
                    let _ = world.connection.send_owned(message(length), Timing::EndOfTurn);
                }
                HeldStep::SendNow(length) => {
                    let _ = world.connection.send_owned(message(length), Timing::Now);
                }
                HeldStep::Query => prop_assert!(world.queries.send_with(|| Some(message(4)))),
                HeldStep::EndTurn => world.turn.end(),
                HeldStep::WriteAll => world.connection.unwritten().write(),
            }
        }
        world.connection.close();
        world.server.join().unwrap();
        while !matches!(next(&world.events), TransportEvent::Closed) {}
        prop_assert!(received.try_iter().eq(sent));
    }
}
