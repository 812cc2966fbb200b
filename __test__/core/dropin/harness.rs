//! A connection in a test. The test acts as the JavaScript thread and as the network. Time only passes while all tasks
//! wait.

use std::collections::VecDeque;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};
use std::time::Duration;

use baileys_native::binary::{self, Dialect, Node};
use baileys_native::dropin::{ConnectionState, LoopCounters, LoopMonitor, keep_alive};
use baileys_native::noise::{Receiver, Sender};
use baileys_native::shared_sender::KeepAliveConfig;
use tokio::task::JoinHandle;

/// The keep-alive interval of the client, in milliseconds.
pub(super) const INTERVAL: u64 = 1_000;
pub(super) const ID_PREFIX: &str = "12345678901234567890.9876543210987654321-";
const KEY: [u8; 32] = [5; 32];

/// Runs `test` in virtual time.
pub(super) fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(test)
}

pub(super) async fn pass(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// The network and its queue of outgoing messages.
#[derive(Default)]
struct Network {
    /// Accepted messages that were not written yet: held until the end of the loop's turn, or waiting for the network.
    queue: VecDeque<Vec<u8>>,
    /// The received messages of the server, with times in milliseconds.
    received: Vec<(u64, Vec<u8>)>,
}

/// The sending interface of the I/O thread.
#[derive(Clone)]
struct Outbox {
    network: Arc<Mutex<Network>>,
    is_full: Arc<AtomicBool>,
    monitor: Arc<LoopMonitor>,
}

impl Outbox {
    fn write(&self) {
        let mut network = self.network.lock().unwrap();
        let queue = std::mem::take(&mut network.queue);
        let now = self.monitor.now();
        network.received.extend(queue.into_iter().map(|message| (now, message)));
    }
}

impl keep_alive::QuerySender for Outbox {
    fn send_with(&self, make: impl FnOnce() -> Option<Vec<u8>>) -> bool {
        if self.is_full.load(Ordering::Relaxed) {
            return false;
        }
        let Some(message) = make() else { return false };
        self.network.lock().unwrap().queue.push_back(message);
        self.write();
        true
    }
}

pub(super) struct World {
    pub(super) state: Arc<ConnectionState>,
    pub(super) monitor: Arc<LoopMonitor>,
    pub(super) counters: Arc<LoopCounters>,
    pub(super) task: JoinHandle<()>,
    outbox: Outbox,
    server: Receiver,
    opened: usize,
}

impl World {
    /// A connection after its handshake, with a running keep-alive task.
    pub(super) fn new() -> Self {
        let counters = Arc::<LoopCounters>::default();
        let monitor = Arc::new(LoopMonitor::new(Arc::clone(&counters)));
        let state = Arc::<ConnectionState>::default();
        let config = KeepAliveConfig {
            interval: INTERVAL,
            id_prefix: ID_PREFIX.to_owned(),
        };
        assert!(state.read_ahead.link());
        state.shared_sender().link(config);
        state
            .read_ahead
            .add_request(|read_ahead| read_ahead.open(Receiver::new(&KEY).unwrap(), 0, Dialect::V7));
        assert!(state.shared_sender().open(|| Sender::new(&KEY).ok(), Dialect::V7, 0));
        let outbox = Outbox {
            network: Arc::default(),
            is_full: Arc::default(),
            monitor: Arc::clone(&monitor),
        };
        let task = tokio::spawn(keep_alive::run(
            Arc::clone(&state),
            outbox.clone(),
            Arc::clone(&monitor),
        ));
        Self {
            state,
            monitor,
            counters,
            task,
            outbox,
            server: Receiver::new(&KEY).unwrap(),
            opened: 0,
        }
    }

    /// JavaScript seals a frame.
    pub(super) fn seal(&self, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        self.state
            .shared_sender()
            .seal_frame(payload, &mut frame)
            .unwrap()
            .unwrap();
        frame
    }

    /// JavaScript gives a frame to the socket. The socket holds it until [`end_turn`](Self::end_turn).
    pub(super) fn hold(&self, frame: Vec<u8>) {
        self.outbox.network.lock().unwrap().queue.push_back(frame.clone());
        self.state.shared_sender().sent(&frame, self.monitor.now());
    }

    /// Writes the held messages: the event loop's turn has ended, or its time limit has expired.
    pub(super) fn end_turn(&self) {
        self.outbox.write();
    }

    /// JavaScript sends a frame as the only one in its turn.
    pub(super) fn send(&self, payload: &[u8]) {
        self.hold(self.seal(payload));
        self.end_turn();
    }

    pub(super) fn set_full(&self, is_full: bool) {
        self.outbox.is_full.store(is_full, Ordering::Relaxed);
    }

    /// The times and payloads that the server has received since the last call. Fails if a frame is out of order.
    pub(super) fn received(&mut self) -> Vec<(u64, Vec<u8>)> {
        let network = self.outbox.network.lock().unwrap();
        let new = network.received[self.opened..].to_vec();
        self.opened = network.received.len();
        drop(network);
        new.into_iter()
            .map(|(time, frame)| {
                let mut payload = Vec::new();
                self.server.open(&frame[3..], &mut payload).expect("the next counter");
                (time, payload)
            })
            .collect()
    }

    /// As [`received`](Self::received), but only keep-alive queries: the time and the number in the id.
    pub(super) fn queries(&mut self) -> Vec<(u64, u32)> {
        let received = self.received();
        received
            .into_iter()
            .map(|(time, payload)| (time, query_number(&payload).expect("a keep-alive query")))
            .collect()
    }
}

/// The number in the id of a keep-alive query. `None` if the id has another prefix. Panics for other stanzas.
pub(super) fn query_number(payload: &[u8]) -> Option<u32> {
    let mut inflated = Vec::new();
    let node = Node::decode(binary::unpack(payload, &mut inflated).ok()?, Dialect::V7).ok()?;
    assert_eq!((&*node.tag, node.attr("xmlns")), ("iq", Some("w:p")));
    node.attr("id")?.strip_prefix(ID_PREFIX)?.parse().ok()
}
