//! The sockets of one Node.js environment, and the other sources of records for its JavaScript.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::str::Utf8Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use super::batch::{Batch, Records, Room};
use super::connection_state::ConnectionState;
use super::counters::SocketState;
use super::inbox::{Inbox, KEPT};
use super::keep_alive;
use super::loop_monitor::LoopMonitor;
use super::process_metrics::ProcessMetrics;
use super::socket_sink::{DescribeError, SocketSink};
use crate::shared_sender::MonotonicMillis;
use crate::transport::{
    self, Accepted, ConnectOptions, Connection, KeepAliveProbes, LoopTurn, TcpEndpoints, Timing, TurnSender, Unwritten,
};

/// Maximum number of records that are taken from one source before the next source, counted in stanzas and other
/// events.
pub const RECORDS_AT_ONCE: usize = 256;

/// A source of records that is not a socket: a session.
pub trait RecordSource {
    /// Appends records to `batch`. `number` is the number of the source. Returns the number of stanzas and other
    /// events. A source with more records reports that to the [`Inbox`].
    fn take_records(&self, number: u32, batch: &mut Batch) -> usize;

    /// As [`Environment::write_all`].
    fn write_all(&self);
}

/// The sockets and record sources of one environment. Each has a number that is not used again. All methods except
/// those of the [`Inbox`] are called on the environment's thread. The locks are only contended during its shutdown.
pub struct Environment<S> {
    sockets: Mutex<HashMap<u32, Socket>>,
    /// Messages of removed sockets that were not written yet.
    unwritten: Mutex<Vec<Unwritten>>,
    sources: Mutex<HashMap<u32, Source<S>>>,
    arrived: Mutex<Arrived>,
    inbox: Arc<Inbox>,
    monitor: Arc<LoopMonitor>,
    metrics: Arc<ProcessMetrics>,
    turn: LoopTurn,
    last_number: AtomicU32,
}

struct Source<S> {
    source: Arc<S>,
    is_active: bool,
}

/// Records taken from the inbox that JavaScript has not taken yet.
#[derive(Debug, Default)]
struct Arrived {
    batch: Batch,
    /// Sources that have records.
    ready: VecDeque<u32>,
}

struct Socket {
    connection: Connection,
    state: Arc<ConnectionState>,
    /// The task that keeps the connection alive while JavaScript is blocked.
    keep_alive: Option<AbortHandle>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(task) = &self.keep_alive {
            task.abort();
        }
    }
}

/// Records for JavaScript.
#[derive(Debug)]
pub struct Drained<'b> {
    /// The records.
    pub records: Records<'b>,
    /// Whether more records can be available before the next wake.
    pub has_more: bool,
    /// Duration of the last stall of the event loop in milliseconds. 0 if there was none.
    pub stalled: MonotonicMillis,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: RecordSource> Environment<S> {
    /// An environment without sockets. `wake` is called, on any thread, when there can be records to
    /// [drain](Self::drain).
    #[must_use]
    pub fn new(metrics: Arc<ProcessMetrics>, wake: impl Fn() + Send + Sync + 'static) -> Self {
        let monitor = Arc::new(LoopMonitor::new(Arc::clone(metrics.loop_counters())));
        Self {
            sockets: Mutex::default(),
            unwritten: Mutex::default(),
            sources: Mutex::default(),
            arrived: Mutex::default(),
            inbox: Arc::new(Inbox::new(Arc::clone(&monitor), wake)),
            monitor,
            metrics,
            turn: LoopTurn::new(),
            last_number: AtomicU32::new(0),
        }
    }

    /// The queue of the environment.
    #[must_use]
    pub const fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// The monitor of the event loop.
    #[must_use]
    pub const fn monitor(&self) -> &Arc<LoopMonitor> {
        &self.monitor
    }

    /// Returns a number for a new socket or source. Relaxed, because the number must only be unique.
    pub fn next_number(&self) -> u32 {
        self.last_number.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// The sender for connections that use the turns of this environment's event loop.
    ///
    /// # Errors
    /// If the threads of the runtime cannot be started.
    pub fn turn(&self) -> io::Result<TurnSender> {
        self.turn.sender()
    }

    /// Ends the turn of the event loop: writes the messages that were sent in it.
    pub fn end_turn(&self) {
        self.turn.end();
    }

    /// Writes all messages that were sent, as far as the operating system accepts data. It waits for the I/O thread while
    /// that reads one of the connections. It is for the end of the process or of the thread.
    pub fn write_all(&self) {
        for socket in lock(&self.sockets).values() {
            socket.connection.unwritten().write();
        }
        for messages in lock(&self.unwritten).drain(..) {
            messages.write();
        }
        let sources: Vec<_> = lock(&self.sources)
            .values()
            .map(|source| Arc::clone(&source.source))
            .collect();
        for source in sources {
            source.write_all();
        }
    }

    /// Drops all sockets and sources, after [`write_all`](Self::write_all).
    pub fn clear(&self) {
        self.write_all();
        lock(&self.sockets).clear();
        lock(&self.sources).clear();
    }

    /// Whether the event loop must be kept running: a socket exists, or a source is active.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !lock(&self.sockets).is_empty() || lock(&self.sources).values().any(|source| source.is_active)
    }

    /// Adds an inactive source.
    pub fn add_source(&self, number: u32, source: Arc<S>) {
        let source = Source {
            source,
            is_active: false,
        };
        lock(&self.sources).insert(number, source);
    }

    /// Sets whether a source must keep the event loop running.
    pub fn set_active(&self, number: u32, is_active: bool) {
        if let Some(source) = lock(&self.sources).get_mut(&number) {
            source.is_active = is_active;
        }
    }

    /// A source by its number.
    #[must_use]
    pub fn source(&self, number: u32) -> Option<Arc<S>> {
        lock(&self.sources)
            .get(&number)
            .map(|source| Arc::clone(&source.source))
    }

    /// Removes a source.
    pub fn remove_source(&self, number: u32) {
        lock(&self.sources).remove(&number);
    }

    /// Starts to connect. Returns the number of the socket.
    ///
    /// # Errors
    /// If the threads of the runtime cannot be started.
    pub fn connect(&self, mut options: ConnectOptions, describe_error: DescribeError) -> io::Result<u32> {
        options.turn = Some(self.turn()?);
        let number = self.next_number();
        let state = Arc::<ConnectionState>::default();
        self.metrics.enrol_socket(state.flow.counters());
        let sink = SocketSink::new(
            number,
            Arc::clone(&self.inbox),
            Arc::clone(&state),
            Arc::clone(&self.monitor),
            describe_error,
        );
        let socket = Socket {
            connection: transport::connect(options, sink)?,
            state,
            keep_alive: None,
        };
        lock(&self.sockets).insert(number, socket);
        Ok(number)
    }

    /// Queues a ping or pong on a socket. `payload` must have at most [`transport::MAX_CONTROL_PAYLOAD`] bytes.
    pub fn send_control(&self, socket: u32, payload: &[u8], is_pong: bool) -> Accepted {
        match lock(&self.sockets).get(&socket) {
            None => Accepted::No,
            Some(socket) if is_pong => socket.connection.pong(payload),
            Some(socket) => socket.connection.ping(payload),
        }
    }

    /// Number of accepted bytes of a socket that were not passed to the operating system yet. 0 if there is no such
    /// socket.
    pub fn buffered(&self, socket: u32) -> usize {
        lock(&self.sockets)
            .get(&socket)
            .map_or(0, |socket| socket.connection.buffered())
    }

    /// Stops or continues reading of a socket.
    pub fn set_paused(&self, socket: u32, is_paused: bool) {
        if let Some(socket) = lock(&self.sockets).get(&socket) {
            socket.state.flow.set_paused(is_paused);
        }
    }

    /// The ends of an open socket's TCP connection.
    pub fn endpoints(&self, socket: u32) -> Option<TcpEndpoints> {
        lock(&self.sockets).get(&socket)?.connection.endpoints()
    }

    /// Starts or stops TCP keep-alive on an open socket.
    pub fn set_probes(&self, socket: u32, probes: Option<KeepAliveProbes>) {
        if let Some(socket) = lock(&self.sockets).get(&socket) {
            socket.connection.set_probes(probes);
        }
    }

    /// Sets TCP_NODELAY of an open socket: small packets are sent at once.
    pub fn set_no_delay(&self, socket: u32, is_on: bool) {
        if let Some(socket) = lock(&self.sockets).get(&socket) {
            socket.connection.set_no_delay(is_on);
        }
    }

    /// Queues a message on a socket. It is written at the end of the loop's turn at the latest.
    ///
    /// # Errors
    /// If a text message is not UTF-8.
    pub fn send(&self, socket: u32, bytes: &[u8], is_text: bool) -> Result<Accepted, Utf8Error> {
        let sockets = lock(&self.sockets);
        let Some(socket) = sockets.get(&socket) else {
            return Ok(Accepted::No);
        };
        let accepted = if is_text {
            socket
                .connection
                .send_text(std::str::from_utf8(bytes)?, Timing::EndOfTurn)
        } else {
            socket.connection.send_binary(bytes, Timing::EndOfTurn)
        };
        if accepted != Accepted::No {
            socket.state.shared_sender().sent(bytes, self.monitor.now());
            let counters = socket.state.flow.counters();
            counters.messages_out.add(1);
            counters.bytes_out.add(bytes.len() as u64);
        }
        Ok(accepted)
    }

    /// Starts the closing handshake of a socket.
    pub fn close(&self, socket: u32) {
        if let Some(socket) = lock(&self.sockets).get(&socket) {
            socket.state.flow.counters().reach(SocketState::Closing);
            socket.connection.close();
        }
    }

    /// Removes a socket. If it is not closed yet, its connection is [destroyed](Connection::destroy). Its later records
    /// must be ignored. Returns true if the socket existed.
    pub fn release(&self, socket: u32) -> bool {
        let removed = lock(&self.sockets).remove(&socket);
        if let Some(socket) = &removed {
            let mut unwritten = lock(&self.unwritten);
            unwritten.retain(Unwritten::exist);
            unwritten.extend(socket.connection.destroy());
        }
        removed.is_some()
    }

    /// The state that a socket shares with its noise handler.
    #[must_use]
    pub fn connection_state(&self, socket: u32) -> Option<Arc<ConnectionState>> {
        lock(&self.sockets).get(&socket).map(|socket| Arc::clone(&socket.state))
    }

    /// Starts to keep the connection of a socket alive while JavaScript is blocked.
    pub fn start_keep_alive(&self, socket: u32) {
        if let Some(socket) = lock(&self.sockets).get_mut(&socket)
            && let Ok(runtime) = transport::runtime()
        {
            let task = keep_alive::run(
                Arc::clone(&socket.state),
                socket.connection.weak_sender(),
                Arc::clone(&self.monitor),
            );
            socket.keep_alive = Some(runtime.spawn(task).abort_handle());
        }
    }

    /// Calls `write` with the next records that fit in `room`.
    pub fn drain<R>(&self, room: Room, write: impl FnOnce(Drained<'_>) -> R) -> R {
        let stalled = self.inbox.answer();
        let mut arrived = lock(&self.arrived);
        self.refill(&mut arrived);
        // If the inbox was empty, no more records are available before the next wake.
        let has_more = !arrived.batch.is_empty();
        let sockets = lock(&self.sockets);
        let records = arrived.batch.take(room, |connection, cost| {
            if let Some(socket) = sockets.get(&connection) {
                socket.state.flow.taken(cost);
            }
        });
        write(Drained {
            records,
            has_more,
            stalled,
        })
    }

    /// Takes the next records from the inbox and the sources when all earlier ones were taken.
    fn refill(&self, arrived: &mut Arrived) {
        let Arrived { batch, ready } = arrived;
        while batch.is_empty() {
            if ready.is_empty() && !self.inbox.take(batch, ready) {
                return;
            }
            if batch.is_empty() {
                batch.clear(KEPT);
            }
            let mut taken = 0;
            while taken < RECORDS_AT_ONCE
                && let Some(number) = ready.pop_front()
            {
                taken += self
                    .source(number)
                    .map_or(0, |source| source.take_records(number, batch));
            }
        }
    }
}
