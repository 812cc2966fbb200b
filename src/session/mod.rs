//! The session: everything between a WebSocket and a user who wants stanzas, without input or output.
//!
//! [`Session`] is a state machine in the manner of quinn-proto's `Connection`. Clock, randomness and transport are the
//! driver's; see there for the order of calls. States, events and policies are described in `docs/session.md`.

mod code_key;
mod commands;
mod config;
mod connection;
mod credentials;
mod dispatch;
mod end;
mod error;
mod event;
mod head_filter;
mod identified;
mod inbox;
mod input;
mod keepalive;
mod level;
mod lifecycle;
pub mod login;
mod metrics;
mod nodes;
mod outbox;
pub mod pairing;
mod patterns;
mod queries;
mod reconnect;
mod stanza;
mod stanzas;
mod state;
mod timers;
mod work;

use std::{collections::VecDeque, fmt};

use zeroize::Zeroizing;

pub use code_key::{CodeKey, KeyDerivation};
pub use commands::{Query, Sent};
pub use config::{Bounds, Config, ReconnectConfig};
pub use connection::KnownServer;
pub use credentials::{
    Account, CREDENTIALS_ENTROPY, Credentials, CredentialsUpdate, Me, SignalIdentity, SignedPreKey, signal_key,
};
pub use end::{EndReason, code};
pub use error::{LoginError, PairingError, QueryError, SendError};
pub use event::{ConnectionId, Event, Transmit};
pub use metrics::{HandshakeKind, Histogram, LoopStalls, Metrics, QueueMetrics};
pub use outbox::{Admission, SendId};
pub use patterns::{Pattern, PatternError, PatternId};
pub use queries::{QueryId, QueryOptions};
pub use reconnect::{Class, Plan};
pub use stanza::{Stanza, StanzaText};
pub use stanzas::Stanzas;
pub use state::{State, StateChange, Trigger, transition_table};
pub use work::{Stopwatch, Work};

pub use crate::wire::PayloadError;

use self::{
    connection::Connection,
    head_filter::Head,
    inbox::Inbox,
    keepalive::KeepAlive,
    outbox::Outbox,
    pairing::CodeAnswer,
    patterns::{Matched, Patterns},
    queries::{Ids, Queries},
    reconnect::Reconnect,
    timers::Timers,
    work::Sampler,
};
use crate::{tape::TapeWriter, wire::Opener};

/// Milliseconds; as a time, those since 1970.
pub type Millis = u64;

/// A source of random bytes that nobody can predict.
pub trait Entropy: Send {
    /// Fills `out`.
    fn fill(&mut self, out: &mut [u8]);
}

impl<F: FnMut(&mut [u8]) + Send> Entropy for F {
    fn fill(&mut self, out: &mut [u8]) {
        self(out);
    }
}

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
    config: Config,
    credentials: Credentials,
    entropy: Box<dyn Entropy>,
    now: Millis,
    state: State,
    connection: Option<Connection>,
    connections: u64,
    transmits: VecDeque<Transmit>,
    outbox: Outbox,
    inbox: Inbox,
    queries: Queries,
    ids: Ids,
    patterns: Patterns,
    timers: Timers,
    keepalive: KeepAlive,
    reconnect: Reconnect,
    /// Why the last connection ended, while the next one is waited for.
    last_end: Option<EndReason>,
    /// Why the connection is closing.
    closing: Option<EndReason>,
    /// QR references not shown yet.
    qr: VecDeque<String>,
    /// The driver has given the session up.
    is_defunct: bool,
    /// The phone's answer to the pairing code, while its key is being derived.
    code_answer: Option<CodeAnswer>,
    /// The derivation of it, until it is polled.
    derivation: Option<KeyDerivation>,
    /// How many answers to the present pairing code were worked on.
    code_answers: u32,
    server: Option<KnownServer>,
    server_time_offset: Option<i64>,
    offline_count: Option<u64>,
    metrics: Metrics,
    sampler: Sampler,
    scratch: Scratch,
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
struct Scratch {
    opener: Opener,
    head: Head,
    tape: TapeWriter,
    /// The patterns that the stanza matches.
    matched: Matched,
}

impl Scratch {
    /// The bytes of memory held.
    fn capacity(&self) -> usize {
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
            offline_count: None,
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

    /// How many stored stanzas the server has last said it delivered.
    #[must_use]
    pub const fn offline_count(&self) -> Option<u64> {
        self.offline_count
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
        let queue = |level: &level::Level| {
            let ((stanzas, bytes), (most_stanzas, most_bytes)) = (level.depth(), level.high_water());
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
            outgoing: queue(self.outbox.level()),
            incoming: queue(self.inbox.level()),
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
        [self.timers.next(), self.queries.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether nothing is read for now: the user does not take what came in, or the server not what it caused to be
    /// sent. The handshake, which causes neither, is always read.
    fn is_held_back(&self) -> bool {
        self.has_no_room() && self.connection.as_ref().is_some_and(Connection::is_open)
    }

    fn has_no_room(&self) -> bool {
        self.inbox.is_stalled() || self.outbox.level().exceeds(0)
    }

    fn tick(&mut self, now: Millis) {
        self.now = self.now.max(now);
    }

    fn tell(&mut self, event: Event) {
        self.inbox.push(event);
        self.suspend_where_full();
    }

    /// Tells the stanza on the tape.
    fn tell_stanza(&mut self) {
        self.inbox.push_stanza(self.scratch.matched.ids(), &self.scratch.tape);
        self.suspend_where_full();
    }

    fn suspend_where_full(&mut self) {
        if self.has_no_room() {
            self.suspend_reading();
        }
    }

    fn random<const N: usize>(&mut self) -> Zeroizing<[u8; N]> {
        let mut bytes = Zeroizing::new([0; N]);
        self.entropy.fill(bytes.as_mut_slice());
        bytes
    }

    fn forget_code_answer(&mut self) {
        self.code_answer = None;
        self.derivation = None;
    }

    fn update_credentials(&mut self, update: CredentialsUpdate) {
        self.credentials.apply(&update);
        self.tell(Event::Credentials(Box::new(update)));
    }
}
