//! The native part of `NativeSession`: the sessions of one environment.

use std::sync::{Arc, LazyLock};

use napi::bindgen_prelude::{Buffer, ClassInstance};
use napi::{Env, Error, Result};
use napi_derive::napi;

use super::core::Core;
use super::lease::{JsLease, time_of_day};
use super::plan_failure::PlanFailure;
use super::process_metrics::METRICS;
use super::raw::{Exception, raw_function};
use super::session_events::SessionEvents;
use super::session_json::{metrics_json, short};
use super::session_options::{
    SessionOptions, SessionServer, StanzaPattern, config, credentials, known_server, pattern,
};
use super::socket_options::{SocketOptions, connect_options};
use super::websocket::{NodeEnvironment, SharedEnvironment};
use crate::driver::{self, AskOptions, Endpoint, Handle, LogQueue, PendingConnections};
use crate::dropin::EnrolledSession;
use crate::session::{
    self, Log, LogLevel, Millis, Pattern, PatternId, QueryId, QueryOptions, SendError, SendId, SendReadiness,
};
use crate::transport::TurnSender;

/// A stanza that was accepted but not sent.
#[napi(object)]
pub struct UnsentStanza {
    /// The number that `sessionSend` returned.
    pub number: i32,
    /// The encoded stanza, with the flag byte in front.
    pub payload: Buffer,
}

/// A limit on the connections of the sessions that share it.
#[napi(js_name = "ConnectLimiter")]
pub struct JsConnectLimiter(Arc<driver::ConnectLimiter>);

#[napi]
impl JsConnectLimiter {
    /// `per_second` is the rate of connections. `burst` is how many may be opened at once after a pause.
    #[napi(constructor, catch_unwind)]
    pub fn new(per_second: f64, burst: u32) -> Self {
        Self(Arc::new(driver::ConnectLimiter::new(per_second, burst)))
    }

    /// Sets the rate for the following connections.
    #[napi(catch_unwind)]
    pub fn set_rate(&self, per_second: f64) {
        self.0.set_rate(per_second);
    }
}

/// A session for `js/session/session.cjs`. The session ends when this object is garbage-collected.
#[napi(js_name = "Session")]
pub struct JsSession {
    shared: Arc<SharedEnvironment>,
    number: u32,
    handle: Handle,
    log: Arc<Log>,
    connections: Arc<PendingConnections>,
    turn: TurnSender,
    _enrolled: EnrolledSession,
}

impl Drop for JsSession {
    fn drop(&mut self) {
        self.shared.environment.remove_source(self.number);
        self.connections.clear();
    }
}

#[napi]
impl JsSession {
    /// Creates a disconnected session. `setActive` decides whether it keeps the event loop running.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        environment: &NodeEnvironment,
        options: SessionOptions,
        limiter: Option<ClassInstance<'_, JsConnectLimiter>>,
    ) -> Result<Self> {
        let shared = Arc::clone(environment.shared());
        let number = shared.environment.next_number();
        let credentials = credentials(&options.credentials)?;
        let config = config(&options)?;
        let server = known_server(options.known_server.as_ref())?;
        let inbox = Arc::clone(shared.environment.inbox());
        let log_queue = Arc::<LogQueue>::default();
        let log = log_queue.log(LogLevel::from_name(&options.log_level), {
            let inbox = Arc::clone(&inbox);
            move || inbox.ready(number)
        });
        let connections = Arc::<PendingConnections>::default();
        let ask: AskOptions = {
            let (connections, inbox) = (Arc::clone(&connections), Arc::clone(&inbox));
            Box::new(move |answer| {
                connections.add(answer);
                inbox.ready(number);
            })
        };
        let endpoint = Endpoint {
            ask,
            limiter: limiter.map(|limiter| Arc::clone(&limiter.0)),
        };
        let notify = Box::new(move || inbox.ready(number));
        let turn = shared
            .environment
            .turn()
            .map_err(|error| Error::from_reason(error.to_string()))?;
        let handle = driver::start(endpoint, config, credentials, notify, Some(Arc::clone(&log)))
            .map_err(|error| Error::from_reason(error.to_string()))?;
        if let Some(server) = server {
            handle.with(|session, _| session.remember_server(server));
        }
        let enrolled = LazyLock::force(&METRICS).enrol_session(&handle);
        let source = SessionEvents {
            handle: handle.clone(),
            log: log_queue,
            connections: Arc::clone(&connections),
        };
        shared.environment.add_source(number, Arc::new(source));
        Ok(Self {
            shared,
            number,
            handle,
            log,
            connections,
            turn,
            _enrolled: enrolled,
        })
    }

    /// The number of the session in records.
    #[napi(getter, catch_unwind)]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Sets the lowest level that the user's logger accepts. The values are those of the option.
    #[napi(catch_unwind)]
    pub fn set_log_level(&self, level: String) {
        self.log.set_level(LogLevel::from_name(&level));
    }

    /// The server of the last handshake. A later session can resume with it.
    #[napi(getter, catch_unwind)]
    pub fn known_server(&self) -> Option<SessionServer> {
        self.handle
            .inspect(|session| session.known_server().map(SessionServer::from))
    }

    /// The server's clock minus the local clock, in milliseconds. `None` until the server has sent its time.
    #[napi(getter, catch_unwind)]
    pub fn server_time_offset(&self) -> Option<f64> {
        self.handle
            .inspect(|session| session.server_time_offset().map(|offset| offset as f64))
    }

    /// Sets whether the session keeps the event loop running.
    #[napi(catch_unwind)]
    pub fn set_active(&self, env: &Env, active: bool) {
        self.shared.environment.set_active(self.number, active);
        self.shared.update_loop(env);
    }

    /// Connects. Returns true if a connection was started.
    #[napi(catch_unwind)]
    pub fn connect(&self) -> bool {
        self.handle.with(session::Session::connect)
    }

    /// Opens the connection of an event `open`. It has no effect if the session has given up this connection.
    #[napi(catch_unwind)]
    pub fn open(&self, connection: u32, options: SocketOptions) -> Result<()> {
        let mut options = connect_options(options)?;
        options.turn = Some(self.turn.clone());
        if let Some(answer) = self.connections.take(connection) {
            // The session may give up the connection at any time.
            let _ = answer.send(Ok(options));
        }
        Ok(())
    }

    /// Ends the connection of an event `open`, because it has no options.
    #[napi(catch_unwind)]
    pub fn cannot_open(&self, connection: u32, failure: PlanFailure) {
        if let Some(answer) = self.connections.take(connection) {
            // The session may give up the connection at any time.
            let _ = answer.send(Err(failure.into()));
        }
    }

    /// Starts a planned reconnection now. Returns true if one was planned.
    #[napi(catch_unwind)]
    pub fn reconnect_now(&self) -> bool {
        self.handle.with(session::Session::reconnect_now)
    }

    /// Closes the connection, or cancels the planned reconnection. Returns true if there was one of them.
    #[napi(catch_unwind)]
    pub fn close(&self) -> bool {
        self.handle.with(session::Session::close)
    }

    /// Logs the device out and closes the connection, or cancels the planned reconnection. Returns true if there was
    /// one of them.
    #[napi(catch_unwind)]
    pub fn log_out(&self) -> bool {
        self.handle.with(session::Session::log_out)
    }

    /// Closes without the stanzas that still wait in the queue. Returns those stanzas.
    #[napi(catch_unwind)]
    pub fn hand_over(&self) -> Vec<UnsentStanza> {
        let unsent = self.handle.with(session::Session::hand_over);
        let stanza = |(id, payload): (SendId, Vec<u8>)| UnsentStanza {
            number: short(id.0),
            payload: payload.into(),
        };
        unsent.into_iter().map(stanza).collect()
    }

    /// Sets a lease that ends at this time, in milliseconds since 1970. Without it the session needs no lease.
    #[napi(catch_unwind)]
    pub fn set_lease(&self, until: Option<f64>) {
        let own = until.map(|until| Arc::new(driver::Lease::until(time_of_day(until))));
        self.handle.set_lease(own);
    }

    /// Sets a lease that the session shares with others.
    #[napi(catch_unwind)]
    pub fn share_lease(&self, lease: &JsLease) {
        self.handle.set_lease(Some(lease.shared()));
    }

    /// Starts the reconnection of the event `reconnectDue`. Returns true if one was waiting.
    #[napi(catch_unwind)]
    pub fn confirm_reconnect(&self) -> bool {
        self.handle.with(session::Session::confirm_reconnect)
    }

    /// Cancels a planned reconnection. Returns true if one was planned.
    #[napi(catch_unwind)]
    pub fn cancel_reconnect(&self) -> bool {
        self.handle.with(session::Session::cancel_reconnect)
    }

    /// Stops or continues reading.
    #[napi(catch_unwind)]
    pub fn set_paused(&self, paused: bool) {
        self.handle.with(if paused {
            session::Session::pause_reading
        } else {
            session::Session::resume_reading
        });
    }

    /// Watches for a pattern. Returns its number.
    #[napi(catch_unwind)]
    pub fn watch(&self, text: String) -> Result<u32> {
        let alternatives = Pattern::parse(&text).map_err(|error| Error::from_reason(error.to_string()))?;
        Ok(self.watch_any(alternatives))
    }

    /// Watches for a structured pattern. Returns its number.
    #[napi(catch_unwind)]
    pub fn watch_pattern(&self, wanted: StanzaPattern) -> u32 {
        self.watch_any(vec![pattern(wanted)])
    }

    fn watch_any(&self, alternatives: Vec<Pattern>) -> u32 {
        self.handle.with(|session, _| session.watch(alternatives)).0
    }

    /// Stops watching for a pattern. Returns true if it was watched.
    #[napi(catch_unwind)]
    pub fn unwatch(&self, pattern: u32) -> bool {
        self.handle.with(|session, _| session.unwatch(PatternId(pattern)))
    }

    /// Sets whether there are records of the stanzas that the session sends by itself, and of their answers.
    #[napi(catch_unwind)]
    pub fn report_own_stanzas(&self, report: bool) {
        self.handle.with(|session, _| session.report_own_stanzas(report));
    }

    /// Cancels a query. Returns true if it was pending.
    #[napi(catch_unwind)]
    pub fn cancel(&self, query: u32) -> bool {
        self.handle
            .with(|session, now| session.cancel(now, QueryId(query.into())))
    }

    /// Requests pairing by code. Returns the code.
    #[napi(catch_unwind)]
    pub fn request_pairing_code(&self, phone_number: String, code: Option<String>) -> Result<String> {
        self.handle
            .request_pairing_code(&phone_number, code.as_deref())
            .map_err(|error| Error::from_reason(error.to_string()))
    }

    /// The metrics of the session as JSON.
    #[napi(catch_unwind)]
    pub fn metrics(&self) -> Result<String> {
        metrics_json(&self.handle)
    }
}

impl From<SendError> for Exception {
    fn from(error: SendError) -> Self {
        let code = match &error {
            SendError::NotConnected => "ERR_NOT_CONNECTED",
            SendError::Full => "ERR_QUEUE_FULL",
            SendError::TooLarge(_) => "ERR_FRAME",
            SendError::DuplicateId(_) => "ERR_DUPLICATE_ID",
            SendError::TooManyQueries(_) => "ERR_TOO_MANY_QUERIES",
            SendError::Encode(_) => "ERR_INVALID_NODE",
        };
        Self::Error {
            message: error.to_string(),
            code,
        }
    }
}

/// The number of a stanza or query. Its bits are inverted (`!number`) if the caller should wait.
fn advised(number: u64, readiness: SendReadiness) -> i32 {
    match readiness {
        SendReadiness::Ready => short(number),
        SendReadiness::Wait => !short(number),
    }
}

raw_function! {
    /// `sessionSend(session, text)`: sends the shared tape. Returns the number of the stanza. Its bits are inverted
    /// (`~number`) if the caller should wait.
    SessionSend, "sessionSend", 2, |call, core: Core| {
        let source = core.environment.source(call.u32(0)?).ok_or(SendError::NotConnected)?;
        let mut inner = core.inner()?;
        let (mut tape, _) = inner.shared_tape(call, 1)?;
        let sent = source.handle.with_in_turn(|session, now| session.send(now, &mut tape))?;
        inner.release_text();
        call.int(advised(sent.id.0, sent.readiness))
    }
}

raw_function! {
    /// `sessionQuery(session, text, timeout, idempotent)`: sends the shared tape as a query. `timeout` is in
    /// milliseconds; 0 uses the timeout of the session. Returns the number of the query. Its bits are inverted
    /// (`~number`) if the caller should wait.
    SessionQuery, "sessionQuery", 4, |call, core: Core| {
        let source = core.environment.source(call.u32(0)?).ok_or(SendError::NotConnected)?;
        let options = QueryOptions {
            timeout: Some(call.u32(2)?.into()).filter(|&timeout: &Millis| timeout > 0),
            idempotent: call.u32(3)? != 0,
        };
        let mut inner = core.inner()?;
        let (mut tape, _) = inner.shared_tape(call, 1)?;
        let asked = source.handle.with_in_turn(|session, now| session.query(now, &mut tape, options))?;
        inner.release_text();
        call.int(advised(asked.query.0, asked.readiness))
    }
}
