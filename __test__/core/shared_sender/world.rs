//! A shared sender with simulated JavaScript, socket and clock. Every step checks the invariants.

use std::collections::BTreeSet;

use arbitrary::Arbitrary;
use baileys_native::binary::{Dialect, Node};
use baileys_native::frame::encode_frame;
use baileys_native::noise::{Receiver, Sender};
use baileys_native::shared_sender::{KeepAliveConfig, SharedSender};

/// The key of the sender.
pub(crate) const KEY: [u8; 32] = [5; 32];
pub(crate) const INTERVAL: u64 = 1_000;
pub(crate) const PREFIX: &str = "12345678901234567890.9876543210987654321-";

pub(crate) fn opened(dialect: Dialect) -> SharedSender {
    let mut shared_sender = SharedSender::default();
    shared_sender.link(KeepAliveConfig {
        interval: INTERVAL,
        id_prefix: PREFIX.to_owned(),
    });
    assert!(shared_sender.open(|| Sender::new(&KEY).ok(), dialect, 0));
    shared_sender
}

/// The frame with a sealed message.
pub(crate) fn framed(sealed: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    encode_frame(sealed, &mut frame).unwrap();
    frame
}

pub(crate) fn seal(shared_sender: &mut SharedSender, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    shared_sender.seal_frame(payload, &mut frame).unwrap().unwrap();
    frame
}

/// The keep-alive query if one is due. It counts as sent.
pub(crate) fn keep_alive(shared_sender: &mut SharedSender, now: u64, seen: u64) -> Option<Vec<u8>> {
    let mut frame = Vec::new();
    shared_sender.keep_alive(now, seen, &mut frame).then_some(frame)
}

/// The plaintext of the frame with a counter.
pub(crate) fn open(frame: &[u8], counter: u32) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut receiver = Receiver::resume(&KEY, counter).unwrap();
    receiver.open(&frame[3..], &mut plain).ok().map(|()| plain)
}

/// A step of JavaScript, of the socket or of the clock.
#[derive(Arbitrary, Debug, Clone)]
pub(crate) enum Step {
    /// JavaScript seals a frame.
    Seal,
    /// JavaScript sends one of the frames that it holds.
    Send(u8),
    /// JavaScript sends the oldest frame that it holds. This is the correct order.
    SendNext,
    /// JavaScript sends its last message again.
    Repeat,
    /// JavaScript drops one of the frames that it holds.
    Drop(u8),
    /// JavaScript seals a message that is not sent as a frame.
    Loose,
    /// JavaScript sends other bytes.
    Foreign,
    /// The turn of the event loop ends: the accepted messages are written.
    EndTurn,
    /// The heartbeat of JavaScript.
    Heartbeat,
    /// Time passes, then the I/O thread checks whether a query is due.
    Wait(u16),
}

/// The simulation and its expected state.
#[derive(Default)]
pub(crate) struct World {
    now: u64,
    last_heartbeat: u64,
    last_sent: u64,
    /// The number of used counters, which is also the next counter.
    used: u32,
    /// Sealed frames that were not sent, with their counters.
    held: Vec<(u32, Vec<u8>)>,
    /// Counters of the accepted messages that were not written, in order. `None` for other bytes.
    queue: Vec<Option<u32>>,
    /// Counters of the written messages, in order.
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

    /// Runs a step and checks the reaction of the I/O thread.
    pub(crate) fn apply(&mut self, shared_sender: &mut SharedSender, step: &Step) {
        match step {
            Step::Seal => {
                let payload = self.used.to_be_bytes();
                let frame = seal(shared_sender, &payload);
                // No query has used this counter.
                assert_eq!(open(&frame, self.used).unwrap(), payload);
                self.held.push((self.used, frame));
                self.used += 1;
            }
            Step::Send(_) | Step::SendNext if self.held.is_empty() => {}
            Step::Send(index) => {
                let (counter, frame) = self.held.remove(usize::from(*index) % self.held.len());
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
                    self.held.remove(usize::from(*index) % self.held.len());
                }
            }
            Step::Loose => {
                let mut sealed = Vec::new();
                shared_sender.encrypt_unframed(b"loose", &mut sealed).unwrap().unwrap();
                assert_eq!(open(&framed(&sealed), self.used).unwrap(), b"loose");
                self.used += 1;
            }
            Step::Foreign => self.sent(shared_sender, None, b"hello"),
            Step::EndTurn => self.write(),
            Step::Heartbeat => self.last_heartbeat = self.now,
            Step::Wait(time) => {
                self.now += u64::from(*time);
                self.look(shared_sender);
            }
        }
    }

    /// Writes all messages and checks that no counter was used twice.
    pub(crate) fn finish(&mut self, shared_sender: &SharedSender) {
        self.write();
        let counters: Vec<u32> = self.wire.iter().copied().flatten().collect();
        let distinct: BTreeSet<u32> = counters.iter().copied().collect();
        assert_eq!(distinct.len(), counters.len());
        assert_eq!(shared_sender.sealed_queries(), self.own);
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
                // The query wakes the task, which first writes the accepted messages.
                self.queue.push(Some(self.used));
                self.write();
                assert!(self.wire.iter().copied().eq((0..=self.used).map(Some)));
                self.used += 1;
                self.last_sent = self.now;
            }
            None if in_order && self.used > 0 => {
                let late = self.now - self.last_sent >= INTERVAL + INTERVAL / 16;
                assert!(!(blocked && late), "a due query was not sent");
            }
            None => {}
        }
    }
}
