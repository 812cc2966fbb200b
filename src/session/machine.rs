//! [`Session`]: the state machine's data, its getters, and the methods that say what to do next.

use std::{collections::VecDeque, fmt};

use zeroize::Zeroizing;

use super::{
    code_key::KeyDerivation,
    config::Config,
    connection::{Connection, KnownServer},
    credentials::{Credentials, CredentialsUpdate},
    end_reason::EndReason,
    entropy::Entropy,
    event::{ConnectionId, Event, Transmit},
    head_filter::Head,
    inbox::Inbox,
    keepalive::KeepAlive,
    metrics::{Metrics, QueueMetrics},
    outbox::Outbox,
    pairing::CodeAnswer,
    patterns::{Matched, Patterns},
    queries::{Ids, Queries},
    reconnect::Reconnect,
    state::State,
    time::Millis,
    timers::Timers,
    watermark::Watermark,
    work::{Sampler, Stopwatch},
};
use crate::{tape::TapeWriter, wire::Opener};

/// A session with WhatsApp: connection, login, pairing, stanzas, queries, heartbeat, reconnection.
///
/// Methods are of four kinds.
/// - **Getters** change nothing: [`state`](Self::state), [`credentials`](Self::credentials),
///   [`metrics`](Self::metrics), [`wants_data`](Self::wants_data) and so on.
/// - **Commands** are the user's: [`connect`](Self::connect), [`close`](Self::close), [`send`](Self::send),
///   [`query`](Self::query), [`cancel`](Self::cancel), [`pause`](Self::pause), [`resume`](Self::resume),
///   [`veto`](Self::veto), [`watch`](Self::watch) and so on.
/// - **`handle_*`** tell what happened: the transport [opened](Self::handle_opened), [received](Self::handle_data),
///   [answered a ping](Self::handle_pong), [was closed](Self::handle_closed) or [failed](Self::handle_failed); time
///   [has passed](Self::handle_timeout).
/// - **`poll_*`** tell what to do: with the transport ([`poll_transmit`](Self::poll_transmit)), with the user
///   ([`poll_event`](Self::poll_event)), with a pairing code ([`poll_derivation`](Self::poll_derivation)), and when to call
///   next if nothing else happens ([`poll_timeout`](Self::poll_timeout)).
///
/// After any command and any `handle_*`, in this order: `poll_transmit` until `None`, as far as the transport takes
/// more; `poll_event` until `None`, as far as the user takes more; `poll_transmit` again if there were events, since
/// taking them may set things going; then `poll_timeout` for the timer, and [`wants_data`](Self::wants_data) to see
/// whether to read. Whoever stops taking events stops, once the incoming queue is full, the reading.
///
/// A stanza is sealed when it is polled, never before: what is polled must be sent, in this order, or the connection be
/// reported as failed.
///
/// `now` may be any clock that roughly tells the time of day; going backwards is harmless, and treated as standing still.
pub struct Session {
    pub(super) config: Config,
    pub(super) credentials: Credentials,
    pub(super) entropy: Box<dyn Entropy>,
    pub(super) now: Millis,
    pub(super) state: State,
    pub(super) connection: Option<Connection>,
    pub(super) connections: u64,
    pub(super) transmits: VecDeque<Transmit>,
    pub(super) outbox: Outbox,
    pub(super) inbox: Inbox,
    pub(super) queries: Queries,
    pub(super) ids: Ids,
    pub(super) patterns: Patterns,
    pub(super) timers: Timers,
    /// Until when deadlines wait for what has come in during a standstill of the process.
    pub(super) catch_up: Option<Millis>,
    pub(super) keepalive: KeepAlive,
    pub(super) reconnect: Reconnect,
    /// Why the last connection ended, while the next one is waited for.
    pub(super) last_end: Option<EndReason>,
    /// Why the connection is closing.
    pub(super) closing: Option<EndReason>,
    /// QR references not shown yet.
    pub(super) qr: VecDeque<String>,
    /// The driver has given the session up.
    pub(super) is_defunct: bool,
    /// The phone's answer to the pairing code, while its key is being derived.
    pub(super) code_answer: Option<CodeAnswer>,
    /// The derivation of it, until it is polled.
    pub(super) derivation: Option<KeyDerivation>,
    /// How many answers to the present pairing code were worked on.
    pub(super) code_answers: u32,
    pub(super) server: Option<KnownServer>,
    pub(super) server_time_offset: Option<i64>,
    pub(super) metrics: Metrics,
    pub(super) sampler: Sampler,
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

/// Buffers that are reused for every inbound stanza.
pub(super) struct Scratch {
    pub(super) opener: Opener,
    pub(super) head: Head,
    pub(super) tape: TapeWriter,
    /// The patterns that the stanza matches.
    pub(super) matched: Matched,
}

impl Scratch {
    /// The bytes of memory held.
    pub(super) fn capacity(&self) -> usize {
        self.opener.capacity() + self.head.capacity() + self.tape.capacity()
    }
}

impl Session {
    /// A session that is disconnected.
    #[must_use]
    pub fn new(config: Config, credentials: Credentials, mut entropy: Box<dyn Entropy>) -> Self {
        let mut prefix = [0; 4];
        entropy.fill(&mut prefix);
        let scratch = Scratch {
            opener: Opener::default(),
            head: Head::new(config.dialect.dictionary()),
            tape: TapeWriter::new(),
            matched: Matched::default(),
        };
        Self {
            outbox: Outbox::new(config.outgoing),
            inbox: Inbox::new(config.incoming),
            config,
            credentials,
            entropy,
            now: 0,
            state: State::Disconnected,
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
            sampler: Sampler::default(),
            scratch,
        }
    }

    /// Measures from now on where the time goes, for [`Metrics::work`].
    pub fn set_stopwatch(&mut self, stopwatch: Box<dyn Stopwatch>) {
        self.sampler.set_stopwatch(stopwatch);
    }

    /// Events have waited so long for the user. Says whether that counts as one of [`Metrics::loop_stalls`].
    pub fn events_waited(&mut self, waited: Millis) -> bool {
        self.metrics.loop_stalls.record(waited)
    }

    /// The options.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The credentials as they are now.
    #[must_use]
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The server of the last handshake, for a later session to resume with.
    #[must_use]
    pub const fn known_server(&self) -> Option<&KnownServer> {
        self.server.as_ref()
    }

    /// By how much the server's clock is ahead of the driver's, in milliseconds, once it has told.
    #[must_use]
    pub const fn server_time_offset(&self) -> Option<i64> {
        self.server_time_offset
    }

    /// Whether the transport should be read from. While this is `false`, leaving what arrives to the kernel makes the
    /// server wait.
    #[must_use]
    pub fn wants_data(&self) -> bool {
        self.connection.is_some() && !self.is_held_back()
    }

    /// The present connection, from the wish to open its transport until it is given up.
    #[must_use]
    pub fn connection(&self) -> Option<ConnectionId> {
        self.connection.as_ref().map(|connection| connection.id)
    }

    /// Whether [`poll_event`](Self::poll_event) would give one.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Whether stanzas are accepted for sending.
    #[must_use]
    pub fn can_send(&self) -> bool {
        matches!(self.state, State::Authenticating | State::Connected)
            && self.connection.as_ref().is_some_and(Connection::is_open)
    }

    /// Counters and depths as they are now.
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
            outgoing: depths(self.outbox.watermark()),
            incoming: depths(self.inbox.watermark()),
            work: self.sampler.work(),
            buffers: self.scratch.capacity() + received,
            ..self.metrics.clone()
        }
    }

    /// What to do next with the transport; see the type for the order of calls.
    #[must_use]
    pub fn poll_transmit(&mut self, now: Millis) -> Option<Transmit> {
        self.tick(now);
        if let Some(transmit) = self.transmits.pop_front() {
            return Some(transmit);
        }
        let held_back = self.has_no_room();
        let message = self.next_message();
        if held_back && !self.has_no_room() {
            self.read_on();
        }
        if message.is_some() {
            return message;
        }
        self.finish_closing();
        self.transmits.pop_front()
    }

    /// What to tell the user next; see the type for the order of calls.
    #[must_use]
    pub fn poll_event(&mut self, now: Millis) -> Option<Event> {
        self.tick(now);
        let held_back = self.has_no_room();
        let event = self.inbox.pop();
        if held_back && !self.has_no_room() {
            self.read_on();
        }
        event
    }

    /// A key to be derived, for [`handle_code_key`](Self::handle_code_key); best where nobody waits, since it takes its time.
    #[must_use]
    pub fn poll_derivation(&mut self) -> Option<KeyDerivation> {
        self.derivation.take()
    }

    /// Whether [`poll_derivation`](Self::poll_derivation) would give one.
    #[must_use]
    pub const fn has_derivation(&self) -> bool {
        self.derivation.is_some()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing else happens.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Millis> {
        // Without a deadline nothing has to wait for what is read.
        self.next_deadline().map(|at| self.catch_up.unwrap_or(at))
    }

    /// The earliest deadline of the session and its queries.
    pub(super) fn next_deadline(&self) -> Option<Millis> {
        [self.timers.next(), self.queries.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether nothing is read for now: the user does not take what came in, or the server not what it caused to be
    /// sent. The handshake, which causes neither, is always read.
    pub(super) fn is_held_back(&self) -> bool {
        self.has_no_room() && self.connection.as_ref().is_some_and(Connection::is_open)
    }

    pub(super) fn has_no_room(&self) -> bool {
        self.inbox.is_stalled() || self.outbox.watermark().exceeds(0)
    }

    pub(super) fn tick(&mut self, now: Millis) {
        self.now = self.now.max(now);
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.inbox.push(event);
        self.suspend_where_full();
    }

    /// Tells the stanza on the tape.
    pub(super) fn tell_stanza(&mut self) {
        self.inbox.push_stanza(self.scratch.matched.ids(), &self.scratch.tape);
        self.suspend_where_full();
    }

    pub(super) fn suspend_where_full(&mut self) {
        if self.has_no_room() {
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
        self.tell(Event::Credentials(Box::new(update)));
    }
}
