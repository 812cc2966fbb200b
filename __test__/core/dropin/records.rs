//! Records for JavaScript: back-pressure, wakes and batches.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use baileys_native::abi::{record, socket_event};
use baileys_native::binary::{Dialect, Node};
use baileys_native::dropin::{
    Batch, ConnectionState, Environment, Flow, HIGH_WATER, Inbox, LOW_WATER, LoopMonitor, ProcessMetrics,
    RECORDS_AT_ONCE, RecordSource, Room, SocketSink, SocketState,
};
use baileys_native::noise::{Receiver, Sender};
use baileys_native::transport::{EventSink as _, TransportError, TransportEvent};
use baileys_native::wire::seal_frame;

use super::harness::{in_virtual_time, pass};

const KEY: [u8; 32] = [5; 32];
pub(super) const ROOM: Room = Room {
    words: 10_000,
    text: 10_000,
    bytes: 10_000,
};

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wakes {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn reading_stops_at_the_high_water_mark_and_resumes_at_the_low_water_mark() {
    let (flow, wakes) = (Flow::default(), Arc::<Wakes>::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    flow.add(HIGH_WATER);
    assert!(flow.poll_ready(&mut cx).is_ready());
    flow.add(1);
    assert!(flow.poll_ready(&mut cx).is_pending() && flow.is_waiting());
    flow.taken(HIGH_WATER - LOW_WATER);
    assert_eq!((wakes.count(), flow.poll_ready(&mut cx)), (0, Poll::Ready(())));
    flow.add(HIGH_WATER - LOW_WATER);
    assert!(flow.poll_ready(&mut cx).is_pending());
    flow.taken(HIGH_WATER - LOW_WATER + 1);
    assert_eq!(wakes.count(), 1);
    flow.taken(LOW_WATER);
    assert!(!flow.is_waiting());
}

/// A queue, and a counter of its wakes of JavaScript.
fn inbox(monitor: LoopMonitor) -> (Inbox, Arc<Wakes>) {
    let wakes = Arc::<Wakes>::default();
    let woken = Arc::clone(&wakes);
    (Inbox::new(Arc::new(monitor), move || Wake::wake_by_ref(&woken)), wakes)
}

#[test]
fn javascript_is_woken_once_until_it_finds_the_queue_empty() {
    let (inbox, wakes) = inbox(LoopMonitor::new(Arc::default()));
    let (mut batch, mut into, mut ready) = (Batch::default(), Batch::default(), Default::default());
    inbox.push(&mut batch).unwrap();
    assert_eq!(wakes.count(), 0);
    for _ in 0..3 {
        batch.push(0, 1, 0, b"x").unwrap();
        inbox.push(&mut batch).unwrap();
    }
    inbox.ready(7);
    assert_eq!(wakes.count(), 1);
    assert!(inbox.take(&mut into, &mut ready));
    assert_eq!((into.take(ROOM, |_, _| ()).count, ready.pop_front()), (3, Some(7)));
    // JavaScript takes records again before it sleeps, so there is no second wake.
    inbox.ready(7);
    assert_eq!(wakes.count(), 1);
    assert!(inbox.take(&mut into, &mut ready));
    ready.clear();
    assert!(!inbox.take(&mut into, &mut ready));
    inbox.ready(8);
    assert_eq!(wakes.count(), 2);
}

#[test]
fn a_late_answer_to_a_wake_is_a_stall() {
    in_virtual_time(async {
        let counters = Arc::default();
        let (inbox, _) = inbox(LoopMonitor::new(Arc::clone(&counters)));
        inbox.ready(1);
        pass(999).await;
        assert_eq!(inbox.answer(), 0);
        inbox.take(&mut Batch::default(), &mut Default::default());
        inbox.take(&mut Batch::default(), &mut Default::default());
        inbox.ready(1);
        pass(1_500).await;
        assert_eq!(inbox.answer(), 1_500);
        assert_eq!(inbox.answer(), 0);
        let stalls = counters.stalls();
        assert_eq!((stalls.count, stalls.sum, stalls.longest), (1, 1_500, 1_500));
        assert_eq!(counters.record_wait(Duration::from_millis(999)), 0);
    });
}

#[test]
fn a_batch_returns_the_records_that_fit_and_the_size_of_the_next() {
    let mut batch = Batch::default();
    let mut costs = 0;
    for (connection, payload) in [(1, &b"a"[..]), (1, b"bc"), (2, &[7; 100])] {
        costs += batch.push(0, connection, 9, payload).unwrap();
    }
    let room = Room { bytes: 50, ..ROOM };
    let mut taken = Vec::new();
    let records = batch.take(room, |connection, cost| taken.push((connection, cost)));
    assert_eq!((records.count, records.bytes), (2, &b"abc"[..]));
    assert_eq!(records.words.len(), 2 * record::WORDS);
    let fields = [record::SOURCE, record::VALUE, record::LENGTH];
    assert_eq!(fields.map(|field| records.words[field]), [1, 9, 1]);
    assert_eq!(
        records.needed,
        Room {
            words: record::WORDS,
            text: 0,
            bytes: 100
        }
    );
    let records = batch.take(ROOM, |connection, cost| taken.push((connection, cost)));
    assert_eq!((records.count, records.needed), (1, Room::default()));
    assert_eq!(records.bytes, [7; 100]);
    assert!(batch.is_empty());
    // The records of one connection are reported together.
    assert_eq!(
        taken.iter().map(|&(connection, _)| connection).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(taken.iter().map(|&(_, cost)| cost).sum::<usize>(), costs);
}

fn describe(error: &TransportError) -> String {
    format!("<{error}>")
}

/// The kind, value, payload length and number of opened frames of each record.
fn heads(words: &[i32]) -> Vec<[i32; 4]> {
    let mut heads = Vec::new();
    let mut rest = words;
    while !rest.is_empty() {
        let fields = [record::KIND, record::VALUE, record::LENGTH, record::FRAMES];
        heads.push(fields.map(|field| rest[field]));
        rest = &rest[record::WORDS + rest[record::TAPE_WORDS] as usize..];
    }
    heads
}

#[test]
fn a_noise_handler_is_linked_before_the_first_message_or_not_at_all() {
    let (inbox, _) = inbox(LoopMonitor::new(Arc::default()));
    let (inbox, state) = (Arc::new(inbox), Arc::<ConnectionState>::default());
    let monitor = Arc::new(LoopMonitor::new(Arc::default()));
    let mut sink = SocketSink::new(3, inbox, Arc::clone(&state), monitor, describe);
    let mut receive = |bytes: &'static [u8], is_binary| {
        sink.event(TransportEvent::Message {
            bytes: bytes.into(),
            is_binary,
        });
    };
    // Only binary messages belong to the stream of frames.
    receive(b"text", false);
    assert!(state.read_ahead.link());
    assert!(state.read_ahead.link());
    receive(b"\0\0\x05hello", true);
    assert!(!state.read_ahead.link());
}

#[test]
fn the_events_of_a_socket_become_records_with_opened_frames() {
    let (inbox, _) = inbox(LoopMonitor::new(Arc::default()));
    let (inbox, state) = (Arc::new(inbox), Arc::<ConnectionState>::default());
    let monitor = Arc::new(LoopMonitor::new(Arc::default()));
    let mut sink = SocketSink::new(3, Arc::clone(&inbox), Arc::clone(&state), monitor, describe);
    assert!(state.read_ahead.link());
    state
        .read_ahead
        .add_request(|read_ahead| read_ahead.open(Receiver::new(&KEY).unwrap(), 0, Dialect::V7));
    let mut payload = vec![0];
    let node = Node {
        tag: "ack".to_owned(),
        ..Node::default()
    };
    node.encode(Dialect::V7, &mut payload).unwrap();
    let (mut sender, mut message) = (Sender::new(&KEY).unwrap(), Vec::new());
    for _ in 0..2 {
        seal_frame(&mut sender, &payload, &mut message).unwrap();
    }
    let length = message.len() as i32;
    let counters = Arc::clone(state.flow.counters());
    sink.event(TransportEvent::Open);
    assert_eq!(counters.state(), SocketState::Open);
    sink.event(TransportEvent::Message {
        bytes: message.into(),
        is_binary: true,
    });
    sink.event(TransportEvent::Written(4));
    sink.event(TransportEvent::CloseFrame {
        code: 1000,
        reason: b"bye".to_vec(),
    });
    sink.event(TransportEvent::Error(TransportError::HangUp));
    sink.event(TransportEvent::Closed);
    let mut batch = Batch::default();
    // The events of one turn are passed on together.
    assert!(!inbox.take(&mut batch, &mut Default::default()));
    sink.flush();
    assert_eq!(counters.state(), SocketState::Closed);
    assert_eq!((counters.messages_in.get(), counters.frames_opened.get()), (1, 2));
    assert!(inbox.take(&mut batch, &mut Default::default()));
    let waiting = counters.waiting();
    let records = batch.take(ROOM, |connection, cost| {
        assert_eq!((connection, cost), (3, waiting));
        state.flow.taken(cost);
    });
    let text = describe(&TransportError::HangUp);
    let expected = [
        (socket_event::OPEN, 0, 0, 0),
        (socket_event::BINARY, 0, length, 2),
        (socket_event::WRITTEN, 4, 0, 0),
        (socket_event::CLOSE_FRAME, 1000, 3, 0),
        (socket_event::ERROR, 0, text.len() as i32, 0),
        (socket_event::CLOSED, 0, 0, 0),
    ];
    assert_eq!(
        heads(records.words),
        expected.map(|(kind, value, length, frames)| [kind.cast_signed(), value, length, frames])
    );
    assert!(records.bytes.ends_with(text.as_bytes()) && !state.flow.is_waiting());
}

/// A source with this number of records. It returns at most [`RECORDS_AT_ONCE`] at a time.
#[derive(Default)]
pub(super) struct Source {
    left: AtomicUsize,
    /// How often everything was written.
    writes: AtomicUsize,
}

impl RecordSource for Source {
    fn take_records(&self, number: u32, batch: &mut Batch) -> usize {
        let left = self.left.load(Ordering::Relaxed);
        let count = left.min(RECORDS_AT_ONCE);
        for _ in 0..count {
            batch.push(100, number, 0, b"").unwrap();
        }
        self.left.store(left - count, Ordering::Relaxed);
        count
    }

    fn write_all(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn everything_is_written_before_the_sources_are_dropped() {
    let environment = Environment::new(Arc::<ProcessMetrics>::default(), || ());
    let source = Arc::<Source>::default();
    environment.add_source(1, Arc::clone(&source));
    environment.clear();
    assert_eq!(source.writes.load(Ordering::Relaxed), 1);
    assert!(environment.source(1).is_none());
}

#[test]
fn sources_are_served_in_turns() {
    let environment = Environment::new(Arc::<ProcessMetrics>::default(), || ());
    let [many, few] = [1, 2];
    for (number, records) in [(many, 2 * RECORDS_AT_ONCE), (few, 1)] {
        let source = Source {
            left: AtomicUsize::new(records),
            ..Source::default()
        };
        environment.add_source(number, Arc::new(source));
        environment.inbox().ready(number);
    }
    assert!(!environment.is_active());
    environment.set_active(few, true);
    assert!(environment.is_active());
    let next = || environment.drain(ROOM, |drained| (drained.records.count, drained.has_more));
    let full = i32::try_from(RECORDS_AT_ONCE).unwrap();
    assert_eq!(next(), (full, true));
    environment.inbox().ready(many);
    assert_eq!(next(), (1, true));
    assert_eq!(next(), (full, true));
    assert_eq!(next(), (0, false));
    environment.clear();
    assert!(!environment.is_active() && environment.source(many).is_none());
}
