//! [`Session`]: the data of the state machine, its getters, and its `poll_*` methods.

use std::{collections::VecDeque, fmt, sync::Arc};

use zeroize::Zeroizing;

use super::{
    code_key::KeyDerivation,
    config::Config,
    connection::{KnownServer, SessionConnection},
    credentials::{Credentials, CredentialsUpdate},
    end_reason::EndReason,
    entropy::Entropy,
    event::{ConnectionId, SessionEvent, Transmit},
    frame_times::{FrameTimer, Stopwatch},
    head_filter::Head,
    incoming::IncomingQueue,
    keepalive::KeepAlive,
    log::Log,
    metrics::{Metrics, QueueMetrics},
    outgoing::OutgoingQueue,
    pairing::CodeAnswer,
    patterns::{Matched, Patterns},
    queries::{Ids, Queries},
    reconnect::Reconnect,
    state::SessionState,
    time::Millis,
    timers::{Timer, Timers},
    watermark::Watermark,
};
use crate::{
    binary::InflateError,
    tape::Tapes,
    wire::{Opener, PayloadError},
};

/// A session with WhatsApp: connection, login, pairing, stanzas, queries, keep-alive and reconnection.
///
/// There are four kinds of methods.
/// - **Getters** change nothing: [`state`](Self::state), [`credentials`](Self::credentials),
///   [`metrics`](Self::metrics), [`wants_data`](Self::wants_data) and others.
/// - **Commands** are called by the user: [`connect`](Self::connect), [`close`](Self::close),
///   [`hand_over`](Self::hand_over), [`send`](Self::send),
///   [`query`](Self::query), [`cancel`](Self::cancel), [`pause_reading`](Self::pause_reading),
///   [`resume_reading`](Self::resume_reading), [`cancel_reconnect`](Self::cancel_reconnect), [`watch`](Self::watch)
///   and others.
/// - **`handle_*`** methods report what happened. The transport [opened](Self::handle_opened), [received
///   data](Self::handle_data), [received a pong](Self::handle_pong), [was closed](Self::handle_closed) or
///   [failed](Self::handle_failed). Time [has passed](Self::handle_timeout).
/// - **`poll_*`** methods return the next action. [`poll_transmit`](Self::poll_transmit) is for the transport,
///   [`poll_event`](Self::poll_event) for the user, [`poll_derivation`](Self::poll_derivation) for a pairing code.
///   [`poll_timeout`](Self::poll_timeout) is the time of the next call if nothing else happens.
///
/// After each command and each `handle_*` call, the driver makes these calls, in this order:
/// 1. `poll_transmit`, until it returns `None` or the transport accepts no more data.
/// 2. `poll_event`, until it returns `None` or the user accepts no more events.
/// 3. `poll_transmit` again if there were events, because taking an event can cause new requests.
/// 4. `poll_timeout`, to set the timer.
/// 5. [`wants_data`](Self::wants_data), to decide whether to read. If events are not taken, the incoming queue becomes
///    full and reading stops.
///
/// `poll_transmit` seals the stanza that it returns. The message must be sent, in this order. If it cannot be sent, the
/// driver must report the connection as failed.
///
/// `now` is the approximate time of day in milliseconds since 1970. If it goes backwards, the session uses the latest
/// earlier value.
pub struct Session {
    pub(super) config: Config,
    pub(super) credentials: Credentials,
    pub(super) entropy: Box<dyn Entropy>,
    pub(super) now: Millis,
    pub(super) state: SessionState,
    pub(super) connection: Option<SessionConnection>,
    pub(super) connections: u64,
    pub(super) transmits: VecDeque<Transmit>,
    pub(super) outgoing: OutgoingQueue,
    pub(super) incoming: IncomingQueue,
    pub(super) queries: Queries,
    pub(super) ids: Ids,
    pub(super) patterns: Patterns,
    pub(super) timers: Timers,
    /// Until this time, deadlines wait. The session reads data that arrived while the process was stopped.
    pub(super) catch_up: Option<Millis>,
    pub(super) keepalive: KeepAlive,
    pub(super) reconnect: Reconnect,
    /// Why the last connection ended. Set while a reconnection is planned.
    pub(super) last_end: Option<EndReason>,
    /// Why the connection is closing.
    pub(super) closing: Option<EndReason>,
    /// QR references that are not shown yet.
    pub(super) qr: VecDeque<String>,
    /// The driver has stopped the session.
    pub(super) is_defunct: bool,
    /// The phone's answer to the pairing code. Set until its key is derived.
    pub(super) code_answer: Option<CodeAnswer>,
    /// The derivation of that key, until it is polled.
    pub(super) derivation: Option<KeyDerivation>,
    /// Number of answers to the current pairing code that were processed.
    pub(super) code_answers: u32,
    pub(super) server: Option<KnownServer>,
    pub(super) server_time_offset: Option<i64>,
    pub(super) metrics: Metrics,
    pub(super) sampler: FrameTimer,
    pub(super) log: Option<Arc<Log>>,
    /// Whether [`SessionEvent::Own`] is emitted.
    pub(super) reports_own: bool,
    pub(super) scratch: Scratch,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("state", &self.state)
            .field("now", &self.now)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// Buffers that are reused for all inbound stanzas.
pub(super) struct Scratch {
    pub(super) opener: Opener,
    pub(super) head: Head,
    /// The tape of the stanza, if the stanza is wanted.
    pub(super) tapes: Tapes,
    /// The patterns that match the stanza.
    pub(super) matched: Matched,
}

impl Scratch {
    /// The allocated memory in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.opener.capacity() + self.head.capacity() + self.tapes.capacity()
    }
}

impl Session {
    /// Creates a disconnected session.
    #[must_use]
    pub fn new(config: Config, credentials: Credentials, mut entropy: Box<dyn Entropy>) -> Self {
        let mut prefix = [0; 4];
        entropy.fill(&mut prefix);
        let scratch = Scratch {
            opener: Opener::default(),
            head: Head::new(config.dialect.dictionary()),
            tapes: Tapes::default(),
            matched: Matched::default(),
        };
        Self {
            outgoing: OutgoingQueue::new(config.outgoing),
            incoming: IncomingQueue::new(config.incoming),
            config,
            credentials,
            entropy,
            now: 0,
            state: SessionState::Disconnected,
            connection: None,
            connections: 0,
            transmits: VecDeque::new(),
            queries: Queries::default(),
            ids: Ids::new(prefix),
            patterns: Patterns::default(),
            timers: Timers::default(),
            catch_up: None,
            keepalive: KeepAlive::default(),
            reconnect: Reconnect::default(),
            last_end: None,
            closing: None,
            qr: VecDeque::new(),
            is_defunct: false,
            code_answer: None,
            derivation: None,
            code_answers: 0,
            server: None,
            server_time_offset: None,
            metrics: Metrics::default(),
            sampler: FrameTimer::default(),
            log: None,
            reports_own: false,
            scratch,
        }
    }

    /// Sets the log. Without it, nothing is logged.
    pub fn set_log(&mut self, log: Arc<Log>) {
        self.log = Some(log);
    }

    /// Sets whether the stanzas that the session sends by itself, and their answers, are reported by
    /// [`SessionEvent::Own`]. By default they are not.
    pub const fn report_own_stanzas(&mut self, report: bool) {
        self.reports_own = report;
    }

    /// Sets the clock for [`Metrics::work`]. Without it, nothing is measured.
    pub fn set_stopwatch(&mut self, stopwatch: Box<dyn Stopwatch>) {
        self.sampler.set_stopwatch(stopwatch);
    }

    /// Reports that events have waited for the user, in milliseconds. Returns true if the wait counts in
    /// [`Metrics::loop_stalls`].
    pub fn events_waited(&mut self, waited: Millis) -> bool {
        self.metrics.loop_stalls.record(waited)
    }

    /// The options of the session.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The current state.
    #[must_use]
    pub const fn state(&self) -> SessionState {
        self.state
    }

    /// The current credentials.
    #[must_use]
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The server of the last handshake. A later session can resume with it.
    #[must_use]
    pub const fn known_server(&self) -> Option<&KnownServer> {
        self.server.as_ref()
    }

    /// The server's clock minus the driver's clock, in milliseconds. `None` until the server has sent its time.
    #[must_use]
    pub const fn server_time_offset(&self) -> Option<i64> {
        self.server_time_offset
    }

    /// Whether the driver should read from the transport. While this is `false`, received data should stay in the
    /// kernel, so that a full buffer makes the server wait.
    #[must_use]
    pub fn wants_data(&self) -> bool {
        self.connection.is_some() && !self.is_reading_stopped()
    }

    /// The current connection. It exists from the request to open its transport until it ends.
    #[must_use]
    pub fn connection(&self) -> Option<ConnectionId> {
        self.connection.as_ref().map(|connection| connection.id)
    }

    /// Whether [`poll_event`](Self::poll_event) would return an event.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Whether stanzas are accepted for sending.
    #[must_use]
    pub fn can_send(&self) -> bool {
        matches!(self.state, SessionState::Authenticating | SessionState::Connected)
            && self.connection.as_ref().is_some_and(SessionConnection::is_open)
    }

    /// The current metrics.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let depths = |queue: &Watermark| {
            let ((stanzas, bytes), (most_stanzas, most_bytes)) = (queue.depth(), queue.high_water());
            QueueMetrics {
                stanzas,
                bytes,
                most_stanzas,
                most_bytes,
            }
        };
        let received = self
            .connection
            .as_ref()
            .map_or(0, |connection| connection.frames.capacity());
        Metrics {
            queries_pending: self.queries.len(),
            outgoing: depths(self.outgoing.watermark()),
            incoming: depths(self.incoming.watermark()),
            work: self.sampler.work(),
            buffers: self.scratch.capacity() + received,
            ..self.metrics.clone()
        }
    }

    /// Returns the next request to the transport. The type's documentation gives the order of calls.
    #[must_use]
    pub fn poll_transmit(&mut self, now: Millis) -> Option<Transmit> {
        self.tick(now);
        if let Some(transmit) = self.transmits.pop_front() {
            return Some(transmit);
        }
        let held_back = self.is_over_limit();
        let message = self.next_message();
        if message.is_some() && self.timers.stop(Timer::Backlog) {
            self.watch_backlog();
        }
        if held_back && !self.is_over_limit() {
            self.read_on();
        }
        if message.is_some() {
            return message;
        }
        self.finish_closing();
        self.transmits.pop_front()
    }

    /// Returns the next event for the user. The type's documentation gives the order of calls.
    #[must_use]
    pub fn poll_event(&mut self, now: Millis) -> Option<SessionEvent> {
        self.tick(now);
        let held_back = self.is_over_limit();
        let event = self.incoming.pop();
        if held_back && !self.is_over_limit() {
            self.read_on();
        }
        event
    }

    /// Returns a key derivation to run. Give the key to [`handle_code_key`](Self::handle_code_key). The derivation
    /// blocks for tens of milliseconds, so it should run on another thread.
    #[must_use]
    pub fn poll_derivation(&mut self) -> Option<KeyDerivation> {
        self.derivation.take()
    }

    /// Whether [`poll_derivation`](Self::poll_derivation) would return a derivation.
    #[must_use]
    pub const fn has_derivation(&self) -> bool {
        self.derivation.is_some()
    }

    /// Returns the time for the next call of [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Millis> {
        // `catch_up` delays a deadline; it is not a deadline itself.
        self.next_deadline().map(|at| self.catch_up.unwrap_or(at))
    }

    /// The earliest deadline of the session and its queries.
    pub(super) fn next_deadline(&self) -> Option<Millis> {
        [self.timers.next(), self.queries.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether reading is stopped. It stops if the incoming queue is full or paused, or if the outgoing queue has
    /// reached its limit. The handshake is always read, because it fills neither queue.
    pub(super) fn is_reading_stopped(&self) -> bool {
        self.is_over_limit() && self.connection.as_ref().is_some_and(SessionConnection::is_open)
    }

    pub(super) fn is_over_limit(&self) -> bool {
        self.incoming.is_stalled() || self.outgoing.watermark().exceeds(0)
    }

    pub(super) fn tick(&mut self, now: Millis) {
        self.now = self.now.max(now);
    }

    pub(super) fn push_event(&mut self, event: SessionEvent) {
        self.incoming.push(event);
        self.suspend_where_full();
    }

    /// Queues the stanza on the tape for the user.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(super) fn push_stanza_event(&mut self) -> Result<(), PayloadError> {
        if let Some(tape) = self.scratch.tapes.first() {
            let pushed = self.incoming.push_stanza(self.scratch.matched.ids(), tape);
            pushed.map_err(|_| InflateError::OutOfMemory)?;
        }
        self.suspend_where_full();
        Ok(())
    }

    pub(super) fn suspend_where_full(&mut self) {
        if self.is_over_limit() {
            self.suspend_reading();
        }
    }

    pub(super) fn random<const N: usize>(&mut self) -> Zeroizing<[u8; N]> {
        let mut bytes = Zeroizing::new([0; N]);
        self.entropy.fill(bytes.as_mut_slice());
        bytes
    }

    pub(super) fn forget_code_answer(&mut self) {
        self.code_answer = None;
        self.derivation = None;
    }

    pub(super) fn update_credentials(&mut self, update: CredentialsUpdate) {
        self.credentials.apply(&update);
        self.push_event(SessionEvent::Credentials(Box::new(update)));
    }
}
