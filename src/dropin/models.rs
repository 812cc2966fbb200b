//! Tests of the state that the JavaScript thread and the I/O thread share, in every possible order of their steps:
//! `npm run test:loom`.

use std::collections::{BTreeSet, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use loom::future::block_on;
use loom::sync::{Mutex, Notify};
use loom::thread::spawn;

use super::batch::{Batch, Room};
use super::connection_state::ConnectionState;
use super::flow::{Flow, HIGH_WATER, LOW_WATER};
use super::inbox::Inbox;
use super::keep_alive::{QuerySender, send_query};
use super::loop_monitor::{LoopCounters, LoopMonitor};
use super::read_ahead_requests::ReadAheadRequests;
use crate::binary::Dialect;
use crate::frame::{encode_frame, split_frame};
use crate::noise::{Receiver, Sender};
use crate::read_ahead::{ReadAhead, ThreadBuffers};
use crate::shared_sender::{KeepAliveConfig, MIN_INTERVAL};
use crate::tape::Tapes;
use crate::wire::seal_frame;

const KEY: [u8; 32] = [7; 32];
const ROOM: Room = Room {
    words: 1024,
    text: 1024,
    bytes: 1024,
};

fn monitor() -> Arc<LoopMonitor> {
    Arc::new(LoopMonitor::started(
        Duration::from_mins(1),
        Arc::new(LoopCounters::default()),
    ))
}

#[test]
fn every_waiting_record_has_a_wake() {
    loom::model(|| {
        let wake = Arc::new(Notify::new());
        let on_wake = Arc::clone(&wake);
        let inbox = Arc::new(Inbox::new(monitor(), move || on_wake.notify()));
        let task = {
            let inbox = Arc::clone(&inbox);
            spawn(move || {
                for number in 0..2 {
                    let mut batch = Batch::default();
                    batch.push(1, number, 0, b"x").unwrap();
                    inbox.push(&mut batch).unwrap();
                }
                inbox.ready(7);
            })
        };
        // JavaScript takes everything at each wake.
        let (mut records, mut sources) = (0, 0);
        while records < 2 || sources < 1 {
            wake.wait();
            let _ = inbox.answer();
            let (mut batch, mut ready) = (Batch::default(), VecDeque::new());
            while inbox.take(&mut batch, &mut ready) {
                records += batch.take(ROOM, |_, _| ()).count;
                sources += std::mem::take(&mut ready).len();
            }
        }
        assert_eq!((records, sources), (2, 1));
        task.join().unwrap();
    });
}

#[test]
fn a_stopped_reader_resumes() {
    loom::model(|| {
        let flow = Arc::new(Flow::default());
        flow.add(HIGH_WATER);
        flow.add(2);
        let reader = {
            let flow = Arc::clone(&flow);
            spawn(move || block_on(poll_fn(|cx| flow.poll_ready(cx))))
        };
        flow.taken(LOW_WATER);
        flow.taken(2);
        reader.join().unwrap();
        assert_eq!(flow.counters().waiting(), HIGH_WATER - LOW_WATER);
    });
}

#[test]
fn a_paused_reader_resumes() {
    loom::model(|| {
        let flow = Arc::new(Flow::default());
        flow.set_paused(true);
        flow.add(HIGH_WATER);
        let reader = {
            let flow = Arc::clone(&flow);
            spawn(move || block_on(poll_fn(|cx| flow.poll_ready(cx))))
        };
        flow.taken(LOW_WATER);
        flow.set_paused(false);
        reader.join().unwrap();
    });
}

/// A connection that stores the messages that are sent.
#[derive(Default)]
struct Wire(Mutex<Vec<Vec<u8>>>);

impl Wire {
    fn push(&self, message: Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    }
}

impl QuerySender for Arc<Wire> {
    fn send_with(&self, make: impl FnOnce() -> Option<Vec<u8>>) -> bool {
        // As in a connection, the queue is locked while the message is made.
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let message = make();
        let is_made = message.is_some();
        queue.extend(message);
        is_made
    }
}

#[test]
fn frames_sealed_by_two_threads_are_written_in_counter_order() {
    loom::model(|| {
        let (state, monitor, wire) = (
            Arc::new(ConnectionState::default()),
            monitor(),
            Arc::new(Wire::default()),
        );
        {
            let mut sender = state.shared_sender();
            sender.link(KeepAliveConfig {
                interval: MIN_INTERVAL,
                id_prefix: "prefix-".to_owned(),
            });
            assert!(sender.open(|| Sender::new(&KEY).ok(), Dialect::V7, 0));
        }
        let io_side = {
            let (state, monitor, wire) = (Arc::clone(&state), Arc::clone(&monitor), Arc::clone(&wire));
            spawn(move || send_query(&state, &wire, &monitor))
        };
        // JavaScript, as in NoiseHandler and Environment::send.
        for payload in [b"first", b"other"] {
            let mut frame = Vec::new();
            state.shared_sender().seal_frame(payload, &mut frame).unwrap().unwrap();
            wire.push(frame.clone());
            state.shared_sender().sent(&frame, 0);
        }
        let is_sent = io_side.join().unwrap();
        let messages = std::mem::take(&mut *wire.0.lock().unwrap());
        assert_eq!(messages.len(), 2 + usize::from(is_sent));
        let mut receiver = Receiver::new(&KEY).unwrap();
        for message in messages {
            let (frame, rest) = split_frame(&message).unwrap();
            assert!(rest.is_empty());
            receiver
                .open(frame, &mut Vec::new())
                .expect("in the order of the counters");
        }
    });
}

#[test]
fn a_read_ahead_opens_frames_at_the_counter_of_the_noise_handler_or_not_at_all() {
    /// A payload that is not compressed: a node with a token as its tag, and nothing else.
    const STANZA: [u8; 4] = [0, 248, 1, 46];
    type Counters = [Option<u64>; 3];
    let mut handshake = Vec::new();
    encode_frame(b"handshake", &mut handshake).unwrap();
    let mut sender = Sender::new(&KEY).unwrap();
    let stanzas = [(); 2].map(|()| {
        let mut message = Vec::new();
        seal_frame(&mut sender, &STANZA, &mut message).unwrap();
        message
    });
    let outcomes = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let found = Arc::clone(&outcomes);
    loom::model(move || {
        let requests = Arc::new(ReadAheadRequests::default());
        let io_side = {
            let messages = [handshake.clone(), stanzas[0].clone(), stanzas[1].clone()];
            let requests = Arc::clone(&requests);
            spawn(move || {
                let mut read_ahead = ReadAhead::default();
                messages.map(|message| {
                    requests.apply(&mut read_ahead);
                    let opened = read_ahead.message(&message, &mut ThreadBuffers::default(), &mut Tapes::default());
                    opened.map(|opened| opened.counter)
                })
            })
        };
        // JavaScript, as in NoiseHandler.
        let is_linked = requests.link();
        if is_linked {
            let receiver = Receiver::new(&KEY).unwrap();
            requests.add_request(|read_ahead| read_ahead.open(receiver, 1, Dialect::V7));
        }
        let counters: Counters = io_side.join().unwrap();
        outcomes.lock().unwrap().insert((is_linked, counters));
    });
    let expected: [(bool, Counters); 4] = [
        // Linked after the first message.
        (false, [None, None, None]),
        // Opened before the handshake frame, or after the last message.
        (true, [None, None, None]),
        // Opened after the first stanza.
        (true, [None, None, Some(1)]),
        // Opened between the handshake frame and the first stanza.
        (true, [None, Some(0), Some(1)]),
    ];
    assert_eq!(*found.lock().unwrap(), BTreeSet::from(expected));
}
