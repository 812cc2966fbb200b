//! The native half of `NativeSession`: the sessions of one environment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::{Env, Error, Result};
use napi_derive::napi;

use super::batch::Batch;
use super::raw::{Failure, raw_function};
use super::session_json::{event_json, metrics_json, query_error_json};
use super::session_log::{LogQueue, level_filter};
use super::session_options::{
    SessionOptions, SessionServer, StanzaPattern, config, credentials, endpoint, known_server, pattern,
};
use super::totals::{Enrolled, enrol_session};
use super::websocket::{Hub, SocketHub};
use crate::driver::{self, Handle, Log};
use crate::session::{
    Admission, Event, KeyDerivation, Millis, Pattern, PatternId, QueryId, QueryOptions, SendError, Session as Core,
    State,
};

/// Stanzas, and other events, of one session that are taken before another one has its turn.
pub(super) const EVENTS_AT_ONCE: usize = 256;

/// Numbers of sends and queries as JavaScript sees them have so many bits, so that their complements are integers as well.
const NUMBER_BITS: u32 = 30;

/// What a session's record tells. `js/session/session.cjs` and `js/addon/event-pump.cjs` have the same numbers, of which the first is
/// none of a socket's.
#[derive(Clone, Copy)]
#[repr(u32)]
enum Kind {
    /// Stanzas, as many as the record has frames. Before each one's tape are the number of the patterns that it matches, and
    /// theirs.
    Stanzas = 100,
    /// A query's answer. Value: the query's number.
    Answer = 1,
    /// A query without a good answer. Value: its number; payload: JSON, see [`query_error_json`].
    Failed = 2,
    /// Payload: JSON, see [`event_json`].
    Event = 3,
}

/// The sessions of an environment by number.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<u32, Entry>>);

struct Entry {
    handle: Handle,
    log: Arc<LogQueue>,
    /// Whether it keeps the loop alive.
    active: bool,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    pub(super) fn any_active(&self) -> bool {
        self.lock().values().any(|entry| entry.active)
    }

    fn handle(&self, session: u32) -> Option<Handle> {
        self.lock().get(&session).map(|entry| entry.handle.clone())
    }

    /// Takes the next events of a session, which reports again where there are more. Returns how many stanzas and other events
    /// they are.
    pub(super) fn take_events(&self, session: u32, batch: &mut Batch) -> usize {
        let entry = self
            .lock()
            .get(&session)
            .map(|entry| (entry.handle.clone(), Arc::clone(&entry.log)));
        let Some((handle, log)) = entry else { return 0 };
        for entry in log.take() {
            batch.push(Kind::Event as u32, session, 0, entry.as_bytes());
        }
        let mut events = Vec::new();
        let taken = handle.take_events(EVENTS_AT_ONCE, &mut events);
        for event in events {
            record(session, event, batch);
        }
        taken
    }
}

fn record(session: u32, event: Event, batch: &mut Batch) {
    match event {
        Event::Stanzas(stanzas) => batch.stanzas(Kind::Stanzas as u32, session, &stanzas),
        Event::Answer {
            query,
            result: Ok(stanza),
        } => batch.stanza(Kind::Answer as u32, session, short(query.0).cast_unsigned(), &stanza),
        Event::Answer {
            query,
            result: Err(error),
        } => {
            let json = query_error_json(&error);
            batch.push(
                Kind::Failed as u32,
                session,
                short(query.0).cast_unsigned(),
                json.as_bytes(),
            );
        }
        other => {
            batch.push(Kind::Event as u32, session, 0, event_json(&other).as_bytes());
        }
    }
}

/// What JavaScript calls a send or a query.
pub(super) fn short(number: u64) -> i32 {
    (number & ((1 << NUMBER_BITS) - 1)) as i32
}

/// A session; see `js/session/session.cjs`. It ends when this is garbage.
#[napi]
pub struct Session {
    hub: Arc<Hub>,
    number: u32,
    handle: Handle,
    log: Arc<Log>,
    _enrolled: Enrolled,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.hub.sessions.lock().remove(&self.number);
    }
}

#[napi]
impl Session {
    /// A session that is disconnected. It keeps the loop alive only where `keepAlive` says so.
    #[napi(constructor, catch_unwind)]
    pub fn new(hub: &SocketHub, options: SessionOptions) -> Result<Self> {
        let hub = Arc::clone(&hub.hub);
        let number = hub.next_number();
        let credentials = credentials(&options.credentials)?;
        let config = config(&options)?;
        let server = known_server(options.known_server.as_ref())?;
        let inbox = Arc::clone(&hub.inbox);
        let log_queue = Arc::<LogQueue>::default();
        let log = log_queue.log(level_filter(&options.log_level), {
            let inbox = Arc::clone(&inbox);
            move || inbox.ready(number)
        });
        let notify = Box::new(move || inbox.ready(number));
        let handle = driver::start(endpoint(options)?, config, credentials, notify, Some(Arc::clone(&log)))
            .map_err(|error| Error::from_reason(error.to_string()))?;
        if let Some(server) = server {
            handle.with(|session, _| session.remember_server(server));
        }
        let enrolled = enrol_session(&handle);
        let entry = Entry {
            handle: handle.clone(),
            log: log_queue,
            active: false,
        };
        hub.sessions.lock().insert(number, entry);
        Ok(Self {
            hub,
            number,
            handle,
            log,
            _enrolled: enrolled,
        })
    }

    /// The number under which the session's records come.
    #[napi(getter, catch_unwind)]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The least important level that the user's logger takes, as in the options.
    #[napi(catch_unwind)]
    pub fn set_log_level(&self, level: String) {
        self.log.set_level(level_filter(&level));
    }

    /// The server to resume with.
    #[napi(getter, catch_unwind)]
    pub fn known_server(&self) -> Option<SessionServer> {
        self.handle
            .inspect(|session| session.known_server().map(SessionServer::from))
    }

    /// By how many milliseconds the server's clock is ahead, where it has told.
    #[napi(getter, catch_unwind)]
    pub fn server_time_offset(&self) -> Option<f64> {
        self.handle
            .inspect(|session| session.server_time_offset().map(|offset| offset as f64))
    }

    /// Whether the session keeps the loop alive.
    #[napi(catch_unwind)]
    pub fn keep_alive(&self, env: &Env, active: bool) {
        if let Some(entry) = self.hub.sessions.lock().get_mut(&self.number) {
            entry.active = active;
        }
        self.hub.keep_alive(env);
    }

    /// Connects; says whether that meant anything.
    #[napi(catch_unwind)]
    pub fn connect(&self) -> bool {
        self.handle.with(Core::connect)
    }

    /// Cuts the wait for the next connection short; says whether there was one.
    #[napi(catch_unwind)]
    pub fn hurry(&self) -> bool {
        self.handle
            .with(|session, now| session.state() == State::Reconnecting && session.connect(now))
    }

    /// Closes; says whether that meant anything.
    #[napi(catch_unwind)]
    pub fn close(&self) -> bool {
        self.handle.with(Core::close)
    }

    /// Logs out and closes; says whether that meant anything.
    #[napi(catch_unwind)]
    pub fn log_out(&self) -> bool {
        self.handle.with(Core::log_out)
    }

    /// Keeps the next connection from being made; says whether one was due.
    #[napi(catch_unwind)]
    pub fn veto(&self) -> bool {
        self.handle.with(Core::veto)
    }

    /// Stops reading, or goes on.
    #[napi(catch_unwind)]
    pub fn set_paused(&self, paused: bool) {
        self.handle.with(if paused { Core::pause } else { Core::resume });
    }

    /// Watches for a pattern; returns its number.
    #[napi(catch_unwind)]
    pub fn watch(&self, text: String) -> Result<u32> {
        let alternatives = Pattern::parse(&text).map_err(|error| Error::from_reason(error.to_string()))?;
        Ok(self.watch_any(alternatives))
    }

    /// Watches for a pattern in its structured form; returns its number.
    #[napi(catch_unwind)]
    pub fn watch_pattern(&self, wanted: StanzaPattern) -> u32 {
        self.watch_any(vec![pattern(wanted)])
    }

    fn watch_any(&self, alternatives: Vec<Pattern>) -> u32 {
        self.handle.with(|session, _| session.watch(alternatives)).0
    }

    /// No longer watches for a pattern.
    #[napi(catch_unwind)]
    pub fn unwatch(&self, pattern: u32) -> bool {
        self.handle.with(|session, _| session.unwatch(PatternId(pattern)))
    }

    /// Settles a query as cancelled.
    #[napi(catch_unwind)]
    pub fn cancel(&self, query: u32) -> bool {
        self.handle
            .with(|session, now| session.cancel(now, QueryId(query.into())))
    }

    /// Asks for pairing by code; returns the code.
    #[napi(catch_unwind)]
    pub fn request_pairing_code(&self, phone_number: String, code: Option<String>) -> Result<String> {
        let prepare = |session: &mut Core, now: Millis| session.prepare_pairing_code(now, code.as_deref());
        let prepared = self.handle.with(prepare).map(KeyDerivation::run);
        prepared
            .and_then(|key| {
                self.handle
                    .with(|session, now| session.request_pairing_code(now, &phone_number, &key))
            })
            .map_err(|error| Error::from_reason(error.to_string()))
    }

    /// Counters and depths, as JSON.
    #[napi(catch_unwind)]
    pub fn metrics(&self) -> String {
        metrics_json(&self.handle)
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        let code = match &error {
            SendError::NotConnected => "ERR_NOT_CONNECTED",
            SendError::Full => "ERR_QUEUE_FULL",
            SendError::TooLarge(_) => "ERR_FRAME",
            SendError::DuplicateId(_) => "ERR_DUPLICATE_ID",
            SendError::TooManyQueries(_) => "ERR_TOO_MANY_QUERIES",
            _ => "ERR_INVALID_NODE",
        };
        Self::Error {
            message: error.to_string(),
            code,
        }
    }
}

/// A number with the advice to wait: its complement.
fn advised(number: u64, admission: Admission) -> i32 {
    match admission {
        Admission::Ready => short(number),
        Admission::Wait => !short(number),
    }
}

raw_function! {
    /// `sessionSend(session, text)`: sends the shared tape; its number, complemented where the sender
    /// should wait.
    SessionSend, "sessionSend", 2, |call, core| {
        let handle = core.hub.sessions.handle(call.u32(0)?).ok_or(SendError::NotConnected)?;
        let mut inner = core.inner()?;
        let (mut tape, _) = inner.shared_tape(call, 1)?;
        let sent = handle.with(|session, now| session.send(now, &mut tape))?;
        inner.release_text();
        call.int(advised(sent.id.0, sent.admission))
    }
}

raw_function! {
    /// `sessionQuery(session, text, timeout, idempotent)`: sends the shared tape as a query that waits so
    /// many milliseconds, or as long as the session says where 0; its number, complemented where the sender should wait.
    SessionQuery, "sessionQuery", 4, |call, core| {
        let handle = core.hub.sessions.handle(call.u32(0)?).ok_or(SendError::NotConnected)?;
        let options = QueryOptions {
            timeout: Some(call.u32(2)?.into()).filter(|&timeout: &Millis| timeout > 0),
            idempotent: call.u32(3)? != 0,
        };
        let mut inner = core.inner()?;
        let (mut tape, _) = inner.shared_tape(call, 1)?;
        let asked = handle.with(|session, now| session.query(now, &mut tape, options))?;
        inner.release_text();
        call.int(advised(asked.query.0, asked.admission))
    }
}
