//! The commands of a session: methods that the user calls.

use super::{
    CodeKey, CredentialsUpdate, EndReason, KeyDerivation, KnownServer, Me, Millis, PairingError, Pattern, PatternId,
    QueryError, QueryId, QueryOptions, SendError, SendId, SendReadiness, Session, SessionEvent, SessionState, Trigger,
    nodes,
    outgoing::Origin,
    pairing::{companion_hello, is_pairing_code, pairing_code},
    queries::Purpose,
    timers::Timer,
    with_id::WithId,
};
use crate::{
    binary::{NodeSource, encode},
    frame::{FrameError, MAX_FRAME_LEN},
    wire::{MAX_PAYLOAD, SERVER},
};

/// A stanza that was accepted for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the caller must check whether the queue is full"]
pub struct Sent {
    /// The identifier of the stanza; [`SessionEvent::Unsent`] repeats it.
    pub id: SendId,
    /// Whether the caller should wait before it sends more.
    pub readiness: SendReadiness,
}

/// A query that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the answer is identified by this id"]
pub struct Query {
    /// The identifier of the query; [`SessionEvent::Answer`] repeats it.
    pub query: QueryId,
    /// The `id` attribute of the stanza.
    pub id: String,
    /// Whether the caller should wait before it sends more.
    pub readiness: SendReadiness,
}

impl Session {
    /// Connects now. A planned reconnection is started without its delay. Returns true if a connection was started.
    /// Returns false if the session is connected, connecting or closing, or has ended with [`EndReason::Defect`].
    pub fn connect(&mut self, now: Millis) -> bool {
        self.tick(now);
        if self.is_defunct {
            return false;
        }
        let wanted = self.state.on(Trigger::Connect).is_some();
        self.begin(Trigger::Connect);
        wanted
    }

    /// Starts a planned reconnection without its delay. Returns true if one was planned.
    pub fn reconnect_now(&mut self, now: Millis) -> bool {
        self.state == SessionState::Reconnecting && self.connect(now)
    }

    /// Closes the connection after all queued stanzas are sent. While a reconnection is planned, cancels it. Returns
    /// true if there was a connection to close or a reconnection to cancel.
    pub fn close(&mut self, now: Millis) -> bool {
        self.tick(now);
        self.close_with(EndReason::Requested)
    }

    /// Closes the connection like [`close`](Self::close), but without the user's stanzas that still wait in the queue.
    /// Returns those stanzas, encoded and in order, so that another session can send them. Stanzas that the
    /// transport has already taken are still sent.
    pub fn hand_over(&mut self, now: Millis) -> Vec<(SendId, Vec<u8>)> {
        self.tick(now);
        let (unsent, has_room_again) = self.outgoing.take_unsent();
        if has_room_again {
            self.push_event(SessionEvent::Drain);
        }
        self.close_with(EndReason::Requested);
        unsent
    }

    /// Logs the device out and closes the connection. The credentials cannot be used again. The server is told only if
    /// the connection is open. Returns the same as [`close`](Self::close).
    pub fn log_out(&mut self, now: Millis) -> bool {
        self.tick(now);
        if let Some(me) = self.credentials.me.as_ref().filter(|_| self.can_send()) {
            let stanza = nodes::remove_device(&self.ids.next(), &me.id);
            self.send_session_stanza(&stanza);
        }
        self.close_with(EndReason::LoggedOut)
    }

    fn close_with(&mut self, reason: EndReason) -> bool {
        if self.end_waiting() {
            return true;
        }
        if !self.step(Trigger::Close, Some(reason.clone())) {
            return false;
        }
        self.closing = Some(reason);
        self.timers.stop(Timer::Qr);
        self.timers
            .set(Timer::Close, self.now.saturating_add(self.config.close_timeout));
        true
    }

    /// Starts the reconnection that a [`SessionEvent::ReconnectDue`] has announced. Returns true if one was waiting.
    pub fn confirm_reconnect(&mut self, now: Millis) -> bool {
        self.tick(now);
        let is_due = self.state == SessionState::Reconnecting && !self.timers.is_set(Timer::Reconnect);
        if is_due {
            self.begin(Trigger::Due);
        }
        is_due
    }

    /// Cancels the planned reconnection. Returns true if one was planned.
    pub fn cancel_reconnect(&mut self, now: Millis) -> bool {
        self.tick(now);
        self.end_waiting()
    }

    /// Stops reading from the transport. Data from the server then stays in the kernel's buffer, and a full buffer
    /// makes the server wait.
    pub fn pause_reading(&mut self, now: Millis) {
        self.tick(now);
        self.incoming.set_paused(true);
        self.suspend_reading();
    }

    /// Continues reading after [`pause_reading`](Self::pause_reading).
    pub fn resume_reading(&mut self, now: Millis) {
        self.tick(now);
        let held_back = self.is_over_limit();
        self.incoming.set_paused(false);
        if held_back && !self.is_over_limit() {
            self.read_on();
        }
    }

    /// Queues a stanza for sending.
    ///
    /// # Errors
    /// Fails if there is no open connection, if the queue is full, or if the stanza cannot be encoded.
    pub fn send(&mut self, now: Millis, stanza: &mut impl NodeSource) -> Result<Sent, SendError> {
        self.tick(now);
        let payload = self.encode(stanza)?;
        let id = self.outgoing.next_send();
        let readiness = self.outgoing.push(Origin::User(id), payload);
        Ok(Sent { id, readiness })
    }

    /// Queues a stanza and waits for its answer. The answer is the next inbound stanza with the same `id` attribute. A
    /// stanza without an id gets a new one.
    ///
    /// # Errors
    /// Same errors as [`send`](Self::send). Also fails if a query with the same id is pending, or if the maximum number
    /// of the user's queries is pending.
    pub fn query(
        &mut self,
        now: Millis,
        stanza: &mut impl NodeSource,
        options: QueryOptions,
    ) -> Result<Query, SendError> {
        self.tick(now);
        let pending = self.queries.user_count();
        if pending >= self.config.max_queries {
            return Err(SendError::TooManyQueries(pending));
        }
        if !self.can_send() {
            return Err(SendError::NotConnected);
        }
        let ids = &mut self.ids;
        let (mut stanza, id) = WithId::new(stanza, self.config.dialect.dictionary(), || ids.next())?;
        if self.queries.contains(&id) {
            return Err(SendError::DuplicateId(id));
        }
        let payload = self.encode(&mut stanza)?;
        let resend = options.idempotent.then(|| payload.clone());
        let timeout = options.timeout.or(self.config.query_timeout);
        let query = self.queries.next_query();
        self.queries
            .insert(id.clone(), Purpose::User(query), self.now, timeout, resend);
        self.metrics.queries += 1;
        let readiness = self.outgoing.push(Origin::Query, payload);
        Ok(Query { query, id, readiness })
    }

    /// Settles a query with [`QueryError::Cancelled`]. Returns true if the query was pending.
    pub fn cancel(&mut self, now: Millis, query: QueryId) -> bool {
        self.tick(now);
        let cancelled = self.queries.cancel(query).is_some();
        if cancelled {
            self.metrics.queries_cancelled += 1;
            self.push_event(SessionEvent::Answer {
                query,
                result: Err(QueryError::Cancelled),
            });
        }
        cancelled
    }

    fn encode(&mut self, stanza: &mut impl NodeSource) -> Result<Vec<u8>, SendError> {
        if !self.can_send() {
            return Err(SendError::NotConnected);
        }
        // The flag byte 0 means that the payload is not compressed.
        let mut payload = vec![0];
        encode(stanza, self.config.dialect, &mut payload)?;
        if payload.len() > MAX_PAYLOAD {
            return Err(FrameError::TooLarge {
                length: payload.len(),
                limit: MAX_FRAME_LEN,
            }
            .into());
        }
        self.outgoing.check(payload.len())?;
        Ok(payload)
    }

    /// Watches for a pattern. Each matching stanza is delivered in [`SessionEvent::Stanzas`]. All alternatives get one
    /// id. [`Pattern::parse`] converts a text to alternatives.
    pub fn watch(&mut self, alternatives: Vec<Pattern>) -> PatternId {
        self.patterns.watch(alternatives)
    }

    /// Stops watching for a pattern. Returns true if it was watched.
    pub fn unwatch(&mut self, pattern: PatternId) -> bool {
        self.patterns.unwatch(pattern)
    }

    /// Sets the server of an earlier session. The next connection can resume with it.
    pub fn remember_server(&mut self, server: KnownServer) {
        self.server = Some(server);
    }

    /// Prepares pairing by code, with `code` or with a random code. The caller runs the returned derivation and gives
    /// the key to [`request_pairing_code`](Self::request_pairing_code). The derivation blocks for tens of milliseconds,
    /// so it should run on another thread.
    ///
    /// # Errors
    /// Fails with [`PairingError::InvalidCode`] or [`PairingError::NotRegistering`].
    pub fn prepare_pairing_code(&mut self, now: Millis, code: Option<&str>) -> Result<KeyDerivation, PairingError> {
        self.tick(now);
        self.check_registering()?;
        let code = match code {
            Some(code) if is_pairing_code(code) => code.to_owned(),
            Some(_) => return Err(PairingError::InvalidCode),
            None => pairing_code(&self.random::<5>()),
        };
        Ok(KeyDerivation::new(&code, *self.random::<32>()))
    }

    fn check_registering(&self) -> Result<(), PairingError> {
        if self.state != SessionState::Authenticating || !self.can_send() || self.credentials.account.is_some() {
            return Err(PairingError::NotRegistering);
        }
        Ok(())
    }

    /// Asks the server to pair this device with an account. `phone_number` has only digits. Returns the code that the
    /// user types on the phone.
    ///
    /// # Errors
    /// Fails with [`PairingError::NotRegistering`] or [`PairingError::Send`].
    pub fn request_pairing_code(
        &mut self,
        now: Millis,
        phone_number: &str,
        key: &CodeKey,
    ) -> Result<String, PairingError> {
        self.tick(now);
        self.check_registering()?;
        let code = key.code().to_owned();
        let id = self.ids.next();
        let jid = format!("{phone_number}{SERVER}");
        let stanza = companion_hello(&id, &jid, key, &self.credentials, &self.config, self.entropy.as_mut());
        let payload = self.encode(&mut stanza.source()).map_err(PairingError::Send)?;
        self.queries.insert(id, Purpose::CompanionHello, self.now, None, None);
        self.queue_session_stanza(payload);
        self.code_answers = 0;
        self.forget_code_answer();
        self.update_credentials(CredentialsUpdate {
            me: Some(Me {
                id: jid,
                lid: None,
                name: Some("~".to_owned()),
            }),
            pairing_code: Some(code.clone()),
            ..Default::default()
        });
        Ok(code)
    }
}
