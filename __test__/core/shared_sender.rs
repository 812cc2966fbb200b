//! Two senders share one counter: JavaScript and the I/O thread. The frames on the wire are always in order.

use std::collections::BTreeSet;

use baileys_native::binary::{self, Dialect, Node};
use baileys_native::frame::encode_frame;
use baileys_native::noise::{Receiver, Sender};
use baileys_native::shared_sender::{MIN_INTERVAL, Policy, SharedSender};
use proptest::prelude::*;

const KEY: [u8; 32] = [5; 32];
const INTERVAL: u64 = 1_000;
const PREFIX: &str = "12345678901234567890.9876543210987654321-";

fn opened(dialect: Dialect) -> SharedSender {
    let mut shared_sender = SharedSender::default();
    shared_sender.link(Policy {
        interval: INTERVAL,
        id_prefix: PREFIX.to_owned(),
    });
    assert!(shared_sender.open(|| Sender::new(&KEY).ok(), dialect, 0));
    shared_sender
}

/// The frame of an encrypted payload.
fn framed(sealed: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    encode_frame(sealed, &mut frame).unwrap();
    frame
}

fn seal(shared_sender: &mut SharedSender, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    shared_sender.seal_frame(payload, &mut frame).unwrap().unwrap();
    frame
}

/// The keep-alive query, if one is due. It counts as sent.
fn keep_alive(shared_sender: &mut SharedSender, now: u64, seen: u64) -> Option<Vec<u8>> {
    let mut frame = Vec::new();
    shared_sender.keep_alive(now, seen, &mut frame).then_some(frame)
}

/// Decrypts a frame with a counter value.
fn open(frame: &[u8], counter: u32) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut receiver = Receiver::resume(&KEY, counter).unwrap();
    receiver.open(&frame[3..], &mut plain).ok().map(|()| plain)
}

#[derive(Debug, Clone)]
enum Step {
    /// JavaScript seals a frame.
    Seal,
    /// JavaScript sends one of its sealed frames.
    Send(prop::sample::Index),
    /// JavaScript sends its oldest sealed frame, which is the correct order.
    SendNext,
    /// JavaScript sends its last message again.
    Repeat,
    /// JavaScript drops one of its sealed frames.
    Drop(prop::sample::Index),
    /// JavaScript encrypts data that is not a frame.
    Loose,
    /// JavaScript sends data that is not from this sender.
    Foreign,
    /// The event loop's turn ends: the accepted messages are written.
    EndTurn,
    /// JavaScript reports that it is running.
    Heartbeat,
    /// Time passes, and then the I/O thread checks whether a query is due.
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Seal),
        8 => Just(Step::SendNext),
        1 => any::<prop::sample::Index>().prop_map(Step::Send),
        1 => Just(Step::Repeat),
        1 => any::<prop::sample::Index>().prop_map(Step::Drop),
        1 => Just(Step::Loose),
        1 => Just(Step::Foreign),
        4 => Just(Step::EndTurn),
        4 => Just(Step::Heartbeat),
        12 => (0..3 * INTERVAL).prop_map(Step::Wait),
    ]
}

/// The state of the test.
#[derive(Default)]
struct World {
    now: u64,
    last_heartbeat: u64,
    last_sent: u64,
    /// Number of used counter values. It is also the next counter value.
    used: u32,
    /// Frames that were sealed but not sent, with their counter values.
    held: Vec<(u32, Vec<u8>)>,
    /// Counter values of the messages that the socket holds, in order. `None` for a message that is not from this
    /// sender.
    queue: Vec<Option<u32>>,
    /// Counter values in the order of the wire.
    wire: Vec<Option<u32>>,
    own: u32,
    /// The last message of JavaScript.
    last: Option<Vec<u8>>,
}

impl World {
    fn sent(&mut self, shared_sender: &mut SharedSender, counter: Option<u32>, message: &[u8]) {
        shared_sender.sent(message, self.now);
        self.queue.push(counter);
        self.last_sent = self.now;
        self.last = Some(message.to_vec());
    }

    fn apply(&mut self, shared_sender: &mut SharedSender, step: &Step) {
        match step {
            Step::Seal => {
                let payload = self.used.to_be_bytes();
                let frame = seal(shared_sender, &payload);
                // The counter value was not used before.
                assert_eq!(open(&frame, self.used).unwrap(), payload);
                self.held.push((self.used, frame));
                self.used += 1;
            }
            Step::Send(_) | Step::SendNext if self.held.is_empty() => {}
            Step::Send(index) => {
                let (counter, frame) = self.held.remove(index.index(self.held.len()));
                self.sent(shared_sender, Some(counter), &frame);
            }
            Step::SendNext => {
                let (counter, frame) = self.held.remove(0);
                self.sent(shared_sender, Some(counter), &frame);
            }
            Step::Repeat => {
                if let Some(message) = self.last.take() {
                    self.sent(shared_sender, None, &message);
                }
            }
            Step::Drop(index) => {
                if !self.held.is_empty() {
                    self.held.remove(index.index(self.held.len()));
                }
            }
            Step::Loose => {
                let mut sealed = Vec::new();
                shared_sender.seal_loose(b"loose", &mut sealed).unwrap().unwrap();
                assert_eq!(open(&framed(&sealed), self.used).unwrap(), b"loose");
                self.used += 1;
            }
            Step::Foreign => self.sent(shared_sender, None, b"hello"),
            Step::EndTurn => self.write(),
            Step::Heartbeat => self.last_heartbeat = self.now,
            Step::Wait(time) => {
                self.now += time;
                self.look(shared_sender);
            }
        }
    }

    fn write(&mut self) {
        self.wire.append(&mut self.queue);
    }

    fn look(&mut self, shared_sender: &mut SharedSender) {
        let due = shared_sender.due(self.now, self.last_heartbeat);
        let sent = keep_alive(shared_sender, self.now, self.last_heartbeat);
        assert!(sent.is_none() || due.is_some_and(|due| due <= self.now));
        let accepted = self.wire.iter().chain(&self.queue).copied();
        let in_order = accepted.eq((0..self.used).map(Some));
        let blocked = self.now - self.last_heartbeat >= INTERVAL / 4;
        let silent = self.now - self.last_sent >= INTERVAL;
        match sent {
            Some(frame) => {
                assert!(in_order, "{:?} of {}", self.wire, self.used);
                assert!(blocked && silent);
                let payload = open(&frame, self.used).expect("the next counter");
                self.own += 1;
                let node = Node::decode(&payload[1..], Dialect::V7).unwrap();
                assert_eq!(node.attr("id").unwrap(), format!("{PREFIX}{}", self.own));
                // The query wakes the task. The task first writes the held messages.
                self.queue.push(Some(self.used));
                self.write();
                assert!(self.wire.iter().copied().eq((0..=self.used).map(Some)));
                self.used += 1;
                self.last_sent = self.now;
            }
            None if in_order && self.used > 0 => {
                let late = self.now - self.last_sent >= INTERVAL + INTERVAL / 16;
                assert!(!(blocked && late), "nothing was in the way");
            }
            None => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_javascript_does_no_counter_is_used_twice_and_ours_come_in_their_turn(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let (mut shared_sender, mut world) = (opened(Dialect::V7), World::default());
        for step in &steps {
            world.apply(&mut shared_sender, step);
        }
        world.write();
        let counters: Vec<u32> = world.wire.iter().copied().flatten().collect();
        let distinct: BTreeSet<u32> = counters.iter().copied().collect();
        prop_assert_eq!(distinct.len(), counters.len());
        prop_assert_eq!(shared_sender.own_queries(), world.own);
    }
}

/// A sender after one frame. JavaScript is blocked since then.
fn blocked(dialect: Dialect) -> SharedSender {
    let mut shared_sender = opened(dialect);
    let frame = seal(&mut shared_sender, b"first");
    shared_sender.sent(&frame, 0);
    shared_sender
}

#[test]
fn the_query_is_the_clients_own_and_comes_every_interval() {
    for dialect in [Dialect::V7, Dialect::V6_7, Dialect::V6_17] {
        let mut shared_sender = blocked(dialect);
        assert_eq!(shared_sender.due(0, 0), Some(1_062));
        assert_eq!(keep_alive(&mut shared_sender, 1_061, 0), None);
        let frame = keep_alive(&mut shared_sender, 1_062, 0).unwrap();
        let payload = open(&frame, 1).unwrap();
        let mut inflated = Vec::new();
        let node = Node::decode(binary::unpack(&payload, &mut inflated).unwrap(), dialect).unwrap();
        let attrs: Vec<_> = node.attrs.iter().map(|(key, value)| (&key[..], &value[..])).collect();
        let id = format!("{PREFIX}1");
        assert_eq!(node.tag, "iq");
        assert_eq!(
            attrs,
            [
                ("id", &id[..]),
                ("to", "@s.whatsapp.net"),
                ("type", "get"),
                ("xmlns", "w:p")
            ]
        );
        assert_eq!(shared_sender.due(1_062, 0), Some(2_062));
        assert!(keep_alive(&mut shared_sender, 2_062, 0).is_some());
        // The client continues with the counter after the queries.
        assert_eq!(open(&seal(&mut shared_sender, b"next"), 3).unwrap(), b"next");
    }
}

#[test]
fn a_thread_that_runs_is_left_alone() {
    let mut shared_sender = blocked(Dialect::V7);
    assert_eq!(keep_alive(&mut shared_sender, 60_000, 59_751), None);
    assert_eq!(shared_sender.due(60_000, 59_751), Some(60_001));
    assert!(keep_alive(&mut shared_sender, 60_001, 59_751).is_some());
}

#[test]
fn nothing_is_sealed_before_the_first_frame_or_while_one_is_unsent() {
    let mut shared_sender = opened(Dialect::V7);
    assert_eq!(keep_alive(&mut shared_sender, 90_000, 0), None);
    let frame = seal(&mut shared_sender, b"first");
    assert_eq!(keep_alive(&mut shared_sender, 90_000, 0), None);
    shared_sender.sent(&frame, 90_000);
    let held = seal(&mut shared_sender, b"second");
    assert_eq!(keep_alive(&mut shared_sender, 180_000, 0), None);
    assert!(shared_sender.due(180_000, 0).is_some_and(|due| due > 180_000));
    shared_sender.sent(&held, 180_000);
    assert!(keep_alive(&mut shared_sender, 270_000, 0).is_some());
}

#[test]
fn too_many_unsent_frames_are_somebody_elses() {
    let mut shared_sender = blocked(Dialect::V7);
    for _ in 0..2_000 {
        seal(&mut shared_sender, b"elsewhere");
    }
    assert_eq!(shared_sender.due(0, 0), None);
}

#[test]
fn without_a_link_or_an_interval_the_sender_stays_where_it_is() {
    let mut shared_sender = SharedSender::default();
    assert!(!shared_sender.open(|| panic!("taken"), Dialect::V7, 0));
    shared_sender.link(Policy {
        interval: MIN_INTERVAL - 1,
        id_prefix: PREFIX.to_owned(),
    });
    assert!(!shared_sender.open(|| panic!("taken"), Dialect::V7, 0));
    assert!(shared_sender.seal_frame(b"x", &mut Vec::new()).is_none() && shared_sender.due(0, 0).is_none());
}

#[test]
fn a_closed_one_has_no_keys_any_more() {
    let mut shared_sender = blocked(Dialect::V7);
    shared_sender.close();
    assert!(shared_sender.seal_frame(b"x", &mut Vec::new()).is_none());
    assert_eq!(keep_alive(&mut shared_sender, 90_000, 0), None);
    // A second handler on this socket uses its own sender.
    assert!(!shared_sender.open(|| panic!("taken"), Dialect::V7, 0));
}
