//! Connecting, the handshake, login, and the end of a connection.

use super::{
    Config, Credentials, CredentialsUpdate, EndReason, HandshakeKind, HandshakeTime, KnownServer, LogValue, QueryError,
    ReconnectPlan, Session, SessionEvent, SessionState, StateChange, Transmit, Trigger,
    connection::{ConnectionPhase, Established, SessionConnection},
    event::ConnectionId,
    log,
    login::client_payload,
    nodes,
    outgoing::Origin,
    queries::{PendingQuery, Purpose},
    timers::Timer,
};
use crate::{
    binary::Node,
    frame::Preamble,
    handshake::{HandshakeError, Start, resume},
    noise::{KeyPair, PrivateKey},
    wire::SealError,
};

impl Session {
    /// Moves to the state that follows on `trigger`. Returns false and does nothing if no state follows.
    pub(super) fn step(&mut self, trigger: Trigger, reason: Option<EndReason>) -> bool {
        let Some(to) = self.state.on(trigger) else { return false };
        let change = StateChange {
            from: self.state,
            to,
            trigger,
            at: self.now,
            reason,
        };
        self.state = to;
        self.push_event(SessionEvent::State(change));
        true
    }

    /// Starts a connection.
    pub(super) fn begin(&mut self, trigger: Trigger) {
        if !self.step(trigger, None) {
            return;
        }
        self.connections += 1;
        self.metrics.connections += 1;
        let id = ConnectionId(self.connections);
        let routing_info = self.credentials.routing_info.as_deref();
        let header = self.config.header();
        let preamble = Preamble::new(&header, routing_info).or_else(|_| Preamble::new(&header, None));
        self.timers.clear();
        self.timers
            .set(Timer::Connect, self.now.saturating_add(self.config.connect_timeout));
        match preamble {
            Ok(preamble) => {
                log!(
                    self.log.as_deref(),
                    Debug,
                    "opening a connection",
                    connection = id.0,
                    routed = routing_info.is_some(),
                );
                self.connection = Some(SessionConnection::new(id, preamble));
                self.transmits.push_back(Transmit::Open(id));
            }
            Err(error) => self.end(EndReason::Frame(error), true),
        }
    }

    /// Sends ClientHello on an open transport.
    pub(super) fn hello(&mut self) {
        if !self.step(Trigger::Opened, None) {
            return;
        }
        self.timers
            .set(Timer::Connect, self.now.saturating_add(self.config.connect_timeout));
        let ephemeral = self.random::<32>();
        let hello = self.client_hello(PrivateKey::from(*ephemeral));
        let now = self.now;
        let Some(connection) = &mut self.connection else { return };
        let (id, framed) = match hello {
            Ok((message, phase)) => {
                let resuming = matches!(phase, ConnectionPhase::Resuming(_));
                log!(self.log.as_deref(), Debug, "sending ClientHello", resuming = resuming);
                connection.phase = phase;
                connection.opened_at = now;
                (connection.id, connection.frame(&message))
            }
            Err(reason) => return self.end(reason, false),
        };
        match framed {
            Ok(message) => self.queue_message(id, message),
            Err(error) => self.end(EndReason::Frame(error), false),
        }
    }

    fn client_hello(&self, ephemeral: PrivateKey) -> Result<(Vec<u8>, ConnectionPhase), EndReason> {
        let ephemeral = KeyPair::from_private(ephemeral)?;
        let header = self.config.header();
        if let Some(server) = self.resumable() {
            let payload = client_payload(&self.credentials, &self.config)?;
            let key = &self.credentials.noise_key;
            // If the server's key cannot be used for IK, the handshake is XX.
            let hello = resume::client_hello(&header, ephemeral.clone(), key, server.report.server_static, &payload);
            if let Ok((message, state)) = hello {
                return Ok((message, ConnectionPhase::Resuming(state)));
            }
        }
        let (message, state) = Start::new(&header, ephemeral)?.client_hello();
        Ok((message, ConnectionPhase::Hello(state)))
    }

    /// The server to resume with. It requires that resumption is enabled, the credentials are paired, and the server's
    /// certificates are valid now.
    fn resumable(&self) -> Option<KnownServer> {
        let wanted = self.config.resume && !self.credentials.wants_registration();
        self.server
            .filter(|server| wanted && server.report.is_valid_at(self.now / 1000))
    }

    /// Handles the ServerHello message.
    pub(super) fn server_hello(&mut self, message: &[u8]) {
        let Some(connection) = &mut self.connection else { return };
        let phase = connection.take_phase();
        let resuming = matches!(phase, ConnectionPhase::Resuming(_));
        let opened_at = connection.opened_at;
        let established = match establish(phase, message, &self.credentials, &self.config) {
            Ok(established) => established,
            Err(reason) => return self.end_handshake(reason, resuming),
        };
        let seconds = self.now / 1000;
        if established.report.is_some_and(|report| !report.is_valid_near(seconds)) {
            return self.end_handshake(HandshakeError::Validity.into(), resuming);
        }
        let finish = established
            .finish
            .as_deref()
            .map(|finish| connection.frame(finish))
            .transpose();
        connection.phase = ConnectionPhase::Open {
            sender: established.sender,
            receiver: established.receiver,
        };
        let (id, close_sent) = (connection.id, connection.close_sent);
        match finish {
            // Nothing is sent after the request to close the transport.
            Ok(Some(message)) if !close_sent => self.queue_message(id, message),
            Ok(_) => {}
            Err(error) => return self.end(EndReason::Frame(error), false),
        }
        self.server = established.report.map(|report| KnownServer { report }).or(self.server);
        let (kind, took) = (established.kind, self.now.saturating_sub(opened_at));
        self.metrics.handshake = Some(HandshakeTime { kind, ms: took });
        self.metrics.handshakes.entry(kind).or_default().record(took);
        log!(
            self.log.as_deref(),
            Debug,
            "handshake complete",
            kind = kind.name(),
            ms = took
        );
        self.timers.stop(Timer::Connect);
        self.timers.set(
            Timer::KeepAlive,
            self.now.saturating_add(self.config.keep_alive_interval.get()),
        );
        if let Some(interval) = self.config.socket_ping_interval {
            self.timers
                .set(Timer::SocketPing, self.now.saturating_add(interval.get()));
        }
        self.keepalive.heard(self.now);
        if !self.is_over_limit() {
            self.timers.set(Timer::Silence, self.keepalive.deadline(&self.config));
        }
    }

    /// Ends a connection after a failed handshake. After a failed resumption, the session connects again with a full
    /// handshake.
    fn end_handshake(&mut self, reason: EndReason, resuming: bool) {
        if let (true, Some(connection)) = (resuming, &mut self.connection) {
            connection.phase = ConnectionPhase::Broken;
            self.server = None;
            log!(
                self.log.as_deref(),
                Debug,
                "resumption failed; the stored server key is discarded",
                reason = LogValue::text(&reason),
            );
            return self.end_with(reason, false, true);
        }
        self.end(reason, false);
    }

    pub(super) fn queue_message(&mut self, id: ConnectionId, message: Vec<u8>) {
        self.metrics.frames_out += 1;
        self.metrics.bytes_out += message.len() as u64;
        self.transmits.push_back(Transmit::Message(id, message));
    }

    /// Takes the next stanza of the outgoing queue and seals it. There is none after the request to close the transport.
    pub(super) fn next_message(&mut self) -> Option<Transmit> {
        let connection = self.connection.as_mut();
        let connection = connection.filter(|connection| connection.is_open() && !connection.close_sent)?;
        let id = connection.id;
        let (payload, has_room_again) = self.outgoing.pop()?;
        let sealed = connection.seal(&payload)?;
        if has_room_again {
            self.push_event(SessionEvent::Drain);
        }
        match sealed {
            Ok(message) => {
                log!(self.log.as_deref(), Trace, "stanza sent", bytes = message.len());
                self.metrics.frames_out += 1;
                self.metrics.stanzas_out += 1;
                self.metrics.bytes_out += message.len() as u64;
                Some(Transmit::Message(id, message))
            }
            Err(SealError::Noise(error)) => {
                self.end(EndReason::Noise(error), false);
                self.transmits.pop_front()
            }
            Err(SealError::Frame(error)) => {
                self.end(EndReason::Frame(error), false);
                self.transmits.pop_front()
            }
        }
    }

    /// Queues a stanza of the session.
    pub(super) fn send_session_stanza(&mut self, stanza: &Node) {
        // The session's own stanzas can always be encoded.
        let mut payload = vec![0];
        if stanza.encode(self.config.dialect, &mut payload).is_ok() {
            self.queue_session_stanza(payload);
            self.suspend_where_full();
        }
    }

    /// Queues an encoded stanza of the session.
    pub(super) fn queue_session_stanza(&mut self, payload: Vec<u8>) {
        if self.reports_own {
            self.push_event(SessionEvent::Own {
                is_answer: false,
                payload: payload.clone(),
            });
        }
        self.outgoing.push(Origin::Session, payload);
    }

    /// Sends a query of the session. The default timeout does not apply.
    pub(super) fn send_session_query(&mut self, purpose: Purpose, stanza: impl FnOnce(&str) -> Node) {
        let id = self.ids.next();
        let stanza = stanza(&id);
        self.queries.insert(id, purpose, self.now, None, None);
        self.send_session_stanza(&stanza);
    }

    /// The login succeeded.
    pub(super) fn logged_in(&mut self, success: &Node) {
        if !self.step(Trigger::LoggedIn, None) {
            return;
        }
        self.metrics.logins += 1;
        self.reconnect.succeeded();
        self.timers.stop(Timer::Qr);
        self.qr.clear();
        if let (Some(lid), Some(me)) = (success.attr("lid"), &self.credentials.me) {
            let me = super::Me {
                lid: Some(lid.to_owned()),
                ..me.clone()
            };
            self.update_credentials(CredentialsUpdate {
                me: Some(me),
                ..Default::default()
            });
        }
        if self.config.activate {
            self.send_session_query(Purpose::Activate, nodes::activate);
        }
        for payload in self.queries.repeats() {
            log!(
                self.log.as_deref(),
                Debug,
                "sending a query again",
                bytes = payload.len()
            );
            self.outgoing.push(Origin::Query, payload);
        }
        self.suspend_where_full();
    }

    /// Requests to close the transport when a closing session has nothing more to send.
    pub(super) fn finish_closing(&mut self) {
        let nothing_left = self.outgoing.is_empty();
        let Some(connection) = &mut self.connection else { return };
        if self.state == SessionState::Closing && !connection.close_sent && (nothing_left || !connection.is_open()) {
            connection.close_sent = true;
            self.transmits.push_back(Transmit::Close(connection.id));
        }
    }

    /// Ends the connection. `gone` is true if the transport is already closed.
    pub(super) fn end(&mut self, reason: EndReason, gone: bool) {
        // The server may have closed the connection because it does not support resumption. This is not assumed if the
        // user has ended the connection.
        let resuming = self.connection.as_ref().is_some_and(SessionConnection::is_resuming);
        if resuming && !reason.is_intended() && self.closing.is_none() {
            self.server = None;
        }
        self.end_with(reason, gone, false);
    }

    fn end_with(&mut self, reason: EndReason, gone: bool, retry_now: bool) {
        if let Some(connection) = self.connection.take() {
            self.abandon(&connection, gone);
        }
        self.timers.clear();
        self.qr.clear();
        self.forget_code_answer();
        let reason = match self.closing.take() {
            Some(wish) => wish,
            None => reason,
        };
        let plan = if reason.is_intended() || self.is_defunct || self.state == SessionState::Closing {
            ReconnectPlan::Stop
        } else if retry_now && self.config.reconnect.is_some() {
            self.reconnect.retry_now()
        } else {
            let random = u64::from_le_bytes(*self.random::<8>());
            self.reconnect.plan(self.config.reconnect.as_ref(), &reason, random)
        };
        let code = reason.code();
        let again = matches!(plan, ReconnectPlan::Retry { .. });
        log!(
            self.log.as_deref(),
            Debug,
            "connection ended",
            code = code,
            reason = LogValue::text(&reason),
            again = again,
        );
        let ended = self.queries.take_ended(again);
        self.reject(ended, code);
        let (unsent, has_room_again) = self.outgoing.clear();
        if !unsent.is_empty() {
            self.push_event(SessionEvent::Unsent(unsent));
        }
        if has_room_again {
            self.push_event(SessionEvent::Drain);
        }
        match plan {
            ReconnectPlan::Retry { attempt, delay } => {
                *self.metrics.reconnects.entry(code).or_default() += 1;
                let at = self.now.saturating_add(delay);
                log!(
                    self.log.as_deref(),
                    Debug,
                    "reconnection planned",
                    attempt = attempt,
                    delay_ms = delay
                );
                self.step(Trigger::Lost, Some(reason.clone()));
                self.last_end = Some(reason.clone());
                self.timers.set(Timer::Reconnect, at);
                self.push_event(SessionEvent::Reconnecting { attempt, at, reason });
            }
            ReconnectPlan::Stop => {
                self.reconnect.succeeded();
                self.step(Trigger::Ended, Some(reason));
            }
        }
    }

    /// Removes all requests to the transport of a connection, and closes the transport if it is still open.
    fn abandon(&mut self, connection: &SessionConnection, gone: bool) {
        let id = connection.id;
        let never_opened = self.transmits.contains(&Transmit::Open(id));
        let closing = self.transmits.contains(&Transmit::Close(id));
        self.transmits.retain(|transmit| !transmit.is_of(id));
        if !(gone || connection.gone || never_opened || (connection.close_sent && !closing)) {
            self.transmits.push_back(Transmit::Close(id));
        }
    }

    /// Cancels a planned reconnection. Returns true if one was planned.
    pub(super) fn end_waiting(&mut self) -> bool {
        if self.state != SessionState::Reconnecting {
            return false;
        }
        let reason = self.last_end.take();
        let code = reason.as_ref().map_or(super::code::CONNECTION_CLOSED, EndReason::code);
        self.timers.clear();
        self.reconnect.succeeded();
        let ended = self.queries.take_ended(false);
        self.reject(ended, code);
        self.step(Trigger::Ended, reason)
    }

    fn reject(&mut self, ended: Vec<PendingQuery>, code: u16) {
        for pending in ended {
            if let Purpose::User(query) = pending.purpose {
                self.metrics.queries_closed += 1;
                self.push_event(SessionEvent::Answer {
                    query,
                    result: Err(QueryError::Closed { code }),
                });
            }
        }
    }
}

/// Finishes a handshake with the server's message.
fn establish(
    phase: ConnectionPhase,
    message: &[u8],
    credentials: &Credentials,
    config: &Config,
) -> Result<Established, EndReason> {
    let key = &credentials.noise_key;
    let (finish, report, kind) = match phase {
        ConnectionPhase::Hello(state) => {
            let (finish, report) = state.server_hello(message, key, &config.roots)?;
            (finish, report, HandshakeKind::Xx)
        }
        ConnectionPhase::Resuming(state) => match state.server_hello(message, key, &config.roots)? {
            resume::Resumption::Declined { finish, report } => (finish, report, HandshakeKind::XxFallback),
            resume::Resumption::Resumed {
                sender,
                receiver,
                report,
            } => {
                return Ok(Established {
                    sender,
                    receiver,
                    kind: HandshakeKind::Ik,
                    report,
                    finish: None,
                });
            }
        },
        ConnectionPhase::Opening | ConnectionPhase::Open { .. } | ConnectionPhase::Broken => {
            return Err(HandshakeError::MissingField {
                message: "handshake",
                field: "clientHello",
            }
            .into());
        }
    };
    let (finish, sender, receiver) = finish.client_finish(&client_payload(credentials, config)?)?;
    Ok(Established {
        sender,
        receiver,
        kind,
        report: Some(report),
        finish: Some(finish),
    })
}
