//! Input of a session: reports from the transport, and the passing of time.

use std::mem;

use super::{
    ConnectionId, EndReason, LogValue, Millis, QueryError, Scratch, Session, SessionEvent, SessionState, Transmit,
    Trigger,
    connection::{ConnectionPhase, SessionConnection},
    dispatch::Received,
    head_filter::{Head, HeadFilter},
    keepalive::KeepAlive,
    log,
    pairing::qr_text,
    queries::{AnswerTarget, Purpose},
    timers::Timer,
};
use crate::failure::Failure;
use crate::frame::FrameError;
use crate::wire::{KEEP_PER_CONNECTION, OpenError, OpenedFrame, keep_alive_query};

/// If a deadline is noticed this many milliseconds late, the process was stopped or suspended. The session then reads
/// for the same time before it checks deadlines.
const CATCH_UP: Millis = 1_000;
/// A keep-alive query that does not fit into the outgoing queue is tried again after this number of milliseconds.
const KEEP_ALIVE_RETRY: Millis = 1_000;

impl Session {
    /// The transport of a connection has opened.
    pub fn handle_opened(&mut self, now: Millis, connection: ConnectionId) {
        self.tick(now);
        if self
            .current(connection)
            .is_some_and(|connection| matches!(connection.phase, ConnectionPhase::Opening))
            && self.state == SessionState::Connecting
        {
            self.hello();
        }
    }

    /// The transport of a connection has received a binary message. Data that is given while
    /// [`wants_data`](Self::wants_data) is `false` is stored and handled later.
    pub fn handle_data(&mut self, now: Millis, connection: ConnectionId, data: &[u8]) {
        self.tick(now);
        let Some(connection) = self.current(connection) else {
            return;
        };
        if matches!(connection.phase, ConnectionPhase::Opening) {
            return;
        }
        self.metrics.bytes_in += data.len() as u64;
        self.keepalive.heard(self.now);
        self.process(data);
    }

    /// The transport of a connection has received a WebSocket pong.
    pub fn handle_pong(&mut self, now: Millis, connection: ConnectionId) {
        self.tick(now);
        if self.current(connection).is_some() {
            self.keepalive.heard(self.now);
        }
    }

    /// The transport of a connection was closed by either side. Stored data is handled first, even while the user has
    /// paused reading. At the limit of the incoming queue, only stanzas that end the connection are handled.
    pub fn handle_closed(&mut self, now: Millis, connection: ConnectionId) {
        self.lost(now, connection, EndReason::TransportClosed);
    }

    /// The transport of a connection could not be opened, or it failed. `status` is the HTTP status, if the server
    /// refused the WebSocket.
    pub fn handle_failed(&mut self, now: Millis, connection: ConnectionId, failure: Failure, status: Option<u16>) {
        let failure = Box::new(failure);
        self.lost(now, connection, EndReason::Transport { failure, status });
    }

    fn lost(&mut self, now: Millis, connection: ConnectionId, reason: EndReason) {
        self.tick(now);
        // A close request is not needed any more.
        self.transmits
            .retain(|transmit| *transmit != Transmit::Close(connection));
        if let Some(current) = self.current(connection) {
            current.gone = true;
            self.process_all_and_end(reason);
        }
    }

    /// Handles all stored data, which can already end the connection, and ends it.
    fn process_all_and_end(&mut self, reason: EndReason) {
        let id = self.connection();
        self.process_all();
        if self.connection() == id {
            self.end(reason, false);
        }
    }

    /// The driver cannot continue. The session ends and never connects again.
    pub fn handle_defect(&mut self, now: Millis) {
        self.tick(now);
        self.is_defunct = true;
        self.end_for_good(EndReason::Defect);
    }

    /// The user's lease has ended. The driver has dropped the transport already, so that nothing more is sent.
    pub fn handle_lease_end(&mut self, now: Millis) {
        self.tick(now);
        self.end_for_good(EndReason::LeaseEnded);
    }

    /// Ends the connection, or the wait for one. Its transport is gone.
    fn end_for_good(&mut self, reason: EndReason) {
        match self.state {
            SessionState::Disconnected => {}
            SessionState::Reconnecting => {
                self.last_end = Some(reason);
                self.end_waiting();
            }
            _ => self.end(reason, true),
        }
    }

    /// The driver opens the transport of a connection only after `delay`. The time for it to open starts then.
    pub fn handle_delayed(&mut self, now: Millis, connection: ConnectionId, delay: Millis) {
        self.tick(now);
        if self.current(connection).is_some() {
            log!(
                self.log.as_deref(),
                Debug,
                "the connection waits for the limiter",
                delay_ms = delay
            );
            let at = self.now.saturating_add(delay);
            self.timers
                .set(Timer::Connect, at.saturating_add(self.config.connect_timeout));
        }
    }

    /// Time has passed. Call this at the time that [`poll_timeout`](Self::poll_timeout) returned. A call before that
    /// time is harmless.
    pub fn handle_timeout(&mut self, now: Millis) {
        self.tick(now);
        if self.is_catching_up() {
            return;
        }
        while let Some(pending) = self.queries.take_expired(self.now) {
            log!(
                self.log.as_deref(),
                Debug,
                "a query was not answered in time",
                purpose = LogValue::text(format_args!("{:?}", pending.purpose)),
            );
            if let Purpose::User(query) = pending.purpose {
                self.metrics.queries_timed_out += 1;
                self.push_event(SessionEvent::Answer {
                    query,
                    result: Err(QueryError::TimedOut),
                });
            }
        }
        while let Some(timer) = self.timers.take_expired(self.now) {
            self.fire(timer);
        }
    }

    /// Whether deadlines have to wait. A call that is very late means that the process was stopped or suspended. The
    /// peer's data can then still be in the kernel, so it is read before deadlines are checked.
    fn is_catching_up(&mut self) -> bool {
        let is_late = self
            .next_deadline()
            .is_some_and(|at| self.now.saturating_sub(at) > CATCH_UP);
        match self.catch_up {
            None if is_late => self.catch_up = Some(self.now.saturating_add(CATCH_UP)),
            Some(until) if self.now < until => {}
            _ => {
                self.catch_up = None;
                return false;
            }
        }
        true
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Connect => self.end(EndReason::TimedOut, false),
            Timer::KeepAlive => {
                let interval = self.config.keep_alive_interval.get();
                let wait = if self.send_keep_alive() {
                    interval
                } else {
                    interval.min(KEEP_ALIVE_RETRY)
                };
                self.timers.set(Timer::KeepAlive, self.now.saturating_add(wait));
            }
            Timer::Silence if self.keepalive.is_dead(self.now, &self.config) => self.end(EndReason::Silence, false),
            Timer::Silence => self.timers.set(Timer::Silence, self.keepalive.deadline(&self.config)),
            Timer::SocketPing => {
                let connection = self.connection.as_ref().filter(|connection| !connection.close_sent);
                if let Some((connection, interval)) = connection.zip(self.config.socket_ping_interval) {
                    self.transmits.push_back(Transmit::Ping(connection.id));
                    self.timers
                        .set(Timer::SocketPing, self.now.saturating_add(interval.get()));
                }
            }
            Timer::Qr => self.show_qr(self.config.qr_timeout),
            Timer::Reconnect if self.config.confirm_reconnect => self.push_event(SessionEvent::ReconnectDue),
            Timer::Reconnect => self.begin(Trigger::Due),
            Timer::Backlog => self.process_all_and_end(EndReason::Silence),
            Timer::Close => self.process_all_and_end(EndReason::Requested),
        }
    }

    /// Sends a keep-alive query. Returns false if it does not fit into the outgoing queue: above the limit of that queue,
    /// the session does not read and does not count silence, and a lost connection would not be noticed.
    fn send_keep_alive(&mut self) -> bool {
        let id = self.ids.next();
        let mut payload = vec![0];
        let is_encoded = keep_alive_query(&id).encode(self.config.dialect, &mut payload).is_ok();
        if !is_encoded || (!self.outgoing.is_empty() && self.outgoing.check(payload.len()).is_err()) {
            return false;
        }
        self.metrics.pings += 1;
        log!(self.log.as_deref(), Debug, "keep-alive query");
        self.queries.insert(id, Purpose::KeepAlive, self.now, None, None);
        self.queue_session_stanza(payload);
        true
    }

    /// Shows the next QR code. Ends the connection if there is none.
    pub(super) fn show_qr(&mut self, lifetime: Millis) {
        let Some(reference) = self.qr.pop_front() else {
            return self.end(EndReason::QrEnded, false);
        };
        let expires_at = self.now.saturating_add(lifetime);
        self.timers.set(Timer::Qr, expires_at);
        let text = qr_text(&reference, &self.credentials, &self.config);
        self.push_event(SessionEvent::Qr { text, expires_at });
    }

    /// Handles stored frames, then the frames of `input`, until reading stops. The rest of `input` is stored.
    pub(super) fn process(&mut self, mut input: &[u8]) {
        let id = self.connection();
        // A stanza can end the connection, and another connection can begin at once.
        while !self.is_reading_stopped() && self.connection() == id && self.process_frame(&mut input) {}
        if self.connection() == id
            && let Some(connection) = &mut self.connection
        {
            connection.frames.feed(input);
        }
    }

    /// Handles all stored frames after the transport has closed. Inflated frames can be much larger than the queue
    /// allows. At the limit of the queue, only stanzas that end the connection are handled.
    fn process_all(&mut self) {
        let mut left_out = 0;
        loop {
            let limit_reached = self.incoming.is_overfull();
            if !self.process_frame(&mut [].as_slice()) {
                break;
            }
            left_out += u64::from(limit_reached);
        }
        if left_out > 0 {
            let message = "frames were ignored because the incoming queue is full";
            log!(self.log.as_deref(), Warn, message, frames = left_out);
        }
    }

    /// Handles the next frame of the stored data and `input`. Returns true if there was one.
    fn process_frame(&mut self, input: &mut &[u8]) -> bool {
        let Some(SessionConnection { frames, phase, .. }) = &mut self.connection else {
            return false;
        };
        let frame = match frames.next_of(input) {
            Ok(Some(frame)) => frame,
            Ok(None) => return false,
            Err(error) => {
                self.end(EndReason::Frame(error), false);
                return false;
            }
        };
        self.metrics.frames_in += 1;
        let ConnectionPhase::Open { receiver, .. } = phase else {
            let mut message = Vec::new();
            if message.try_reserve_exact(frame.len()).is_err() {
                self.end(EndReason::Frame(FrameError::OutOfMemory), false);
                return false;
            }
            message.extend_from_slice(frame);
            self.server_hello(&message);
            return true;
        };

        let Scratch {
            opener,
            head,
            tapes,
            matched,
            ..
        } = &mut self.scratch;
        let mut opener = mem::take(opener);
        let limit_reached = self.incoming.is_overfull();
        let (patterns, queries, sampler) = (&self.patterns, &self.queries, &mut self.sampler);
        matched.clear();
        let mut target = AnswerTarget::Nobody;
        let mut filter = HeadFilter::new(head, tapes, |head: &Head| {
            if limit_reached {
                return false;
            }
            target = queries.target(head.attr("id").unwrap_or_default());
            !target.is_session() && (patterns.find(head, matched) || target == AnswerTarget::User)
        });
        sampler.frame();
        let opened = opener.open(frame, receiver, self.config.dialect, &mut filter, |step| {
            sampler.done(step)
        });
        let is_written = opened.is_ok() && filter.finish().is_some();

        let taken = match opened {
            Ok(OpenedFrame { payload, .. }) => self.take_stanza(&Received {
                encoded: payload,
                target,
                is_written,
                limit_reached,
            }),
            Err(OpenError::Payload(error)) => Err(error),
            Err(OpenError::Noise(error)) => {
                self.end(EndReason::Noise(error), false);
                Ok(())
            }
        };
        if let Err(error) = taken {
            let error = error.redacted();
            self.metrics.malformed += 1;
            log!(
                self.log.as_deref(),
                Warn,
                "a payload is not a stanza",
                error = LogValue::text(&error),
                offset = error.offset().unwrap_or_default(),
            );
            if !self.incoming.is_overfull() {
                self.push_event(SessionEvent::Malformed(error));
            }
        }
        opener.trim(KEEP_PER_CONNECTION);
        self.scratch.opener = opener;
        self.scratch.head.trim(KEEP_PER_CONNECTION);
        self.scratch.tapes.trim(KEEP_PER_CONNECTION);
        true
    }

    /// Reading stops. The silence timer stops too, because the server is not responsible for this silence.
    pub(super) fn suspend_reading(&mut self) {
        if !self.connection.as_ref().is_some_and(SessionConnection::is_open) {
            return;
        }
        if self.timers.stop(Timer::Silence) {
            self.metrics.stalls += 1;
            let (stanzas, bytes) = self.incoming.watermark().depth();
            log!(
                self.log.as_deref(),
                Debug,
                "reading stopped",
                stanzas = stanzas,
                bytes = bytes
            );
        }
        if !self.timers.is_set(Timer::Backlog) {
            self.watch_backlog();
        }
    }

    /// Above the limit of the outgoing queue the session does not read, so silence does not count. Instead, the
    /// transport must take a stanza within the same time.
    pub(super) fn watch_backlog(&mut self) {
        if self.outgoing.watermark().exceeds(0) {
            self.timers
                .set(Timer::Backlog, KeepAlive::deadline_after(self.now, &self.config));
        }
    }

    /// Reading continues.
    pub(super) fn read_on(&mut self) {
        log!(self.log.as_deref(), Debug, "reading continues");
        if self.connection.as_ref().is_some_and(SessionConnection::is_open) {
            self.keepalive.heard(self.now);
            self.timers.set(Timer::Silence, self.keepalive.deadline(&self.config));
        }
        self.process(&[]);
    }

    fn current(&mut self, id: ConnectionId) -> Option<&mut SessionConnection> {
        self.connection.as_mut().filter(|connection| connection.id == id)
    }
}
