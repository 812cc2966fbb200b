//! What the user wants.

use super::{
    Admission, CodeKey, CredentialsUpdate, EndReason, Event, KeyDerivation, KnownServer, Me, Millis, PairingError,
    Pattern, PatternId, QueryError, QueryId, QueryOptions, SendError, SendId, Session, State, Trigger, nodes,
    outbox::Owner,
    pairing::{companion_hello, is_pairing_code, pairing_code},
    queries::Purpose,
    timers::Timer,
    with_id::WithId,
};
use crate::{
    binary::{NodeSource, encode},
    frame::{FrameError, MAX_FRAME_LEN},
    wire::MAX_PAYLOAD,
};

/// A stanza that was accepted for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the queue may be full"]
pub struct Sent {
    /// Its name, for [`Event::Unsent`].
    pub id: SendId,
    /// Whether to wait before sending more.
    pub admission: Admission,
}

/// A query that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the answer comes under this name"]
pub struct Query {
    /// Its name, for [`Event::Answer`].
    pub query: QueryId,
    /// The stanza's id.
    pub id: String,
    /// Whether to wait before sending more.
    pub admission: Admission,
}

impl Session {
    /// Connects, at once even where the next connection is due later. Says whether that meant anything: it does when
    /// disconnected or reconnecting, unless the session has ended in [`EndReason::Defect`].
    pub fn connect(&mut self, now: Millis) -> bool {
        self.tick(now);
        if self.is_defunct {
            return false;
        }
        let wanted = self.state.on(Trigger::Connect).is_some();
        self.begin(Trigger::Connect);
        wanted
    }

    /// Closes the connection after everything queued is sent, or ends the wait for the next one. Says whether that
    /// meant anything.
    pub fn close(&mut self, now: Millis) -> bool {
        self.tick(now);
        self.close_with(EndReason::Requested)
    }

    /// Logs the device out and closes the connection. The credentials are of no use afterwards. Where nothing is
    /// connected the server does not learn of it.
    pub fn log_out(&mut self, now: Millis) -> bool {
        self.tick(now);
        if let Some(me) = self.credentials.me.as_ref().filter(|_| self.can_send()) {
            let stanza = nodes::remove_device(&self.ids.next(), &me.id);
            self.send_own(&stanza);
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

    /// Keeps the next connection from being made. Says whether one was due.
    pub fn veto(&mut self, now: Millis) -> bool {
        self.tick(now);
        self.end_waiting()
    }

    /// Stops reading: what the server sends then waits in the kernel, and in the end with the server.
    pub fn pause(&mut self, now: Millis) {
        self.tick(now);
        self.inbox.set_paused(true);
        self.suspend_reading();
    }

    /// Reads again.
    pub fn resume(&mut self, now: Millis) {
        self.tick(now);
        let held_back = self.has_no_room();
        self.inbox.set_paused(false);
        if held_back && !self.has_no_room() {
            self.read_on();
        }
    }

    /// Sends a stanza.
    ///
    /// # Errors
    /// Where it is not sent: nothing is connected, the queue is full, or it has no encoding.
    pub fn send(&mut self, now: Millis, stanza: &mut impl NodeSource) -> Result<Sent, SendError> {
        self.tick(now);
        let payload = self.encode(stanza)?;
        let id = self.outbox.next_send();
        let admission = self.outbox.push(Owner::User(id), payload);
        Ok(Sent { id, admission })
    }

    /// Sends a stanza and waits for the one that answers it, which is the next with the same id. An id is given to it
    /// where it has none.
    ///
    /// # Errors
    /// As [`send`](Self::send); also where a query with the same id is unanswered, or too many are.
    pub fn query(
        &mut self,
        now: Millis,
        stanza: &mut impl NodeSource,
        options: QueryOptions,
    ) -> Result<Query, SendError> {
        self.tick(now);
        if self.queries.len() >= self.config.max_queries {
            return Err(SendError::TooManyQueries(self.queries.len()));
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
        let repeat = options.idempotent.then(|| payload.clone());
        let timeout = options.timeout.or(self.config.query_timeout);
        let query = self.queries.next_query();
        self.queries
            .insert(id.clone(), Purpose::User(query), self.now, timeout, repeat);
        self.metrics.queries += 1;
        let admission = self.outbox.push(Owner::Query, payload);
        Ok(Query { query, id, admission })
    }

    /// Settles a query as cancelled. Says whether it was unsettled.
    pub fn cancel(&mut self, now: Millis, query: QueryId) -> bool {
        self.tick(now);
        let cancelled = self.queries.cancel(query).is_some();
        if cancelled {
            self.metrics.queries_cancelled += 1;
            self.tell(Event::Answer {
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
        // The flag says that the payload is not compressed.
        let mut payload = vec![0];
        encode(stanza, self.config.dialect, &mut payload)?;
        if payload.len() > MAX_PAYLOAD {
            return Err(FrameError::TooLarge {
                length: payload.len(),
                limit: MAX_FRAME_LEN,
            }
            .into());
        }
        self.outbox.check(payload.len())?;
        Ok(payload)
    }

    /// Watches for a pattern: stanzas that match come as [`Event::Stanzas`] from now on. Alternatives count as one
    /// pattern; [`Pattern::parse`] gives them for a text.
    pub fn watch(&mut self, alternatives: Vec<Pattern>) -> PatternId {
        self.patterns.watch(alternatives)
    }

    /// No longer watches for a pattern. Says whether it was watched for.
    pub fn unwatch(&mut self, pattern: PatternId) -> bool {
        self.patterns.unwatch(pattern)
    }

    /// Makes a server known that an earlier session had a handshake with.
    pub fn remember_server(&mut self, server: KnownServer) {
        self.server = Some(server);
    }

    /// Begins to pair by code: `code`, or a random one. What it gives is to be run, best where nobody waits, and the key to
    /// be given to [`request_pairing_code`](Self::request_pairing_code).
    ///
    /// # Errors
    /// [`PairingError::InvalidCode`] and [`PairingError::NotRegistering`].
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
        if self.state != State::Authenticating || !self.can_send() || self.credentials.account.is_some() {
            return Err(PairingError::NotRegistering);
        }
        Ok(())
    }

    /// Asks for the device to be paired with the account of a phone number (digits alone), and gives the code to type on
    /// the phone.
    ///
    /// # Errors
    /// [`PairingError::NotRegistering`] and [`PairingError::Send`].
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
        let jid = format!("{phone_number}@s.whatsapp.net");
        let stanza = companion_hello(&id, &jid, key, &self.credentials, &self.config, self.entropy.as_mut());
        let payload = self.encode(&mut stanza.source()).map_err(PairingError::Send)?;
        self.queries.insert(id, Purpose::CompanionHello, self.now, None, None);
        self.outbox.push(Owner::Session, payload);
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
