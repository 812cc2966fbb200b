//! What happens to a session: the transport's news, and the passing of time.

use std::mem;

use super::{
    ConnectionId, EndReason, Event, Millis, QueryError, Scratch, Session, State, Transmit, Trigger,
    connection::{Connection, Phase},
    dispatch::Received,
    head_filter::{Head, HeadFilter},
    nodes,
    pairing::qr_text,
    queries::{Asker, Purpose},
    timers::Timer,
};
use crate::failure::Failure;
use crate::wire::{KEEP_PER_CONNECTION, OpenError, Opened};

/// How late a deadline must be noticed to count as a standstill of the process, and how long reading may take after it.
const CATCH_UP: Millis = 1_000;

impl Session {
    /// The transport of a connection has opened.
    pub fn handle_opened(&mut self, now: Millis, connection: ConnectionId) {
        self.tick(now);
        if self
            .current(connection)
            .is_some_and(|connection| matches!(connection.phase, Phase::Opening))
            && self.state == State::Connecting
        {
            self.hello();
        }
    }

    /// The transport of a connection has received a binary message. Anything that is fed while
    /// [`wants_data`](Self::wants_data) is `false` is kept until it can be looked at.
    pub fn handle_data(&mut self, now: Millis, connection: ConnectionId, data: &[u8]) {
        self.tick(now);
        let Some(connection) = self.current(connection) else {
            return;
        };
        if matches!(connection.phase, Phase::Opening) {
            return;
        }
        self.metrics.bytes_in += data.len() as u64;
        self.keepalive.heard(self.now);
        self.process(data);
    }

    /// The transport of a connection has received a WebSocket ping or pong.
    pub fn handle_pong(&mut self, now: Millis, connection: ConnectionId) {
        self.tick(now);
        if self.current(connection).is_some() {
            self.keepalive.heard(self.now);
        }
    }

    /// The transport of a connection was closed, by whom ever. What it had received before is looked at first, up to the
    /// limit of the incoming queue, whether or not there is room for it.
    pub fn handle_closed(&mut self, now: Millis, connection: ConnectionId) {
        self.lost(now, connection, EndReason::TransportClosed);
    }

    /// The transport of a connection could not be opened, or broke. `status` is the HTTP status where a server gave one
    /// instead of opening a WebSocket.
    pub fn handle_failed(&mut self, now: Millis, connection: ConnectionId, failure: Failure, status: Option<u16>) {
        let failure = Box::new(failure);
        self.lost(now, connection, EndReason::Transport { failure, status });
    }

    fn lost(&mut self, now: Millis, connection: ConnectionId, reason: EndReason) {
        self.tick(now);
        // Closing it is no longer to be done.
        self.transmits
            .retain(|transmit| *transmit != Transmit::Close(connection));
        if let Some(current) = self.current(connection) {
            current.gone = true;
            self.process_all();
            // Unless what it had received has ended it already.
            if self.current(connection).is_some() {
                self.end(reason, true);
            }
        }
    }

    /// The driver cannot go on: the session ends for good.
    pub fn handle_defect(&mut self, now: Millis) {
        self.tick(now);
        self.is_defunct = true;
        match self.state {
            State::Disconnected => {}
            State::Reconnecting => {
                self.last_end = Some(EndReason::Defect);
                self.end_waiting();
            }
            _ => self.end(EndReason::Defect, true),
        }
    }

    /// Time has passed, at least until what [`poll_timeout`](Self::poll_timeout) said. Calling it early is harmless.
    pub fn handle_timeout(&mut self, now: Millis) {
        self.tick(now);
        if self.is_catching_up() {
            return;
        }
        while let Some(pending) = self.queries.take_expired(self.now) {
            tracing::debug!(purpose = ?pending.purpose, "a query was not answered in time");
            if let Purpose::User(query) = pending.purpose {
                self.metrics.queries_timed_out += 1;
                self.tell(Event::Answer {
                    query,
                    result: Err(QueryError::TimedOut),
                });
            }
        }
        while let Some(timer) = self.timers.take_expired(self.now) {
            self.fire(timer);
        }
    }

    /// Whether deadlines wait. A call that comes much later than it was due means that the process stood still, stopped or
    /// suspended. What the peer has sent meanwhile may lie in the kernel: it is read before any deadline is judged.
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
                self.metrics.pings += 1;
                tracing::debug!("keep-alive");
                self.ask_own(Purpose::KeepAlive, nodes::ping);
                self.timers.set(
                    Timer::KeepAlive,
                    self.now.saturating_add(self.config.keep_alive_interval.get()),
                );
            }
            Timer::Silence if self.keepalive.is_dead(self.now, &self.config) => self.end(EndReason::Silence, false),
            Timer::Silence => self.timers.set(Timer::Silence, self.keepalive.deadline(&self.config)),
            Timer::SocketPing => {
                if let Some((connection, interval)) = self.connection.as_ref().zip(self.config.socket_ping_interval) {
                    self.transmits.push_back(Transmit::Ping(connection.id));
                    self.timers
                        .set(Timer::SocketPing, self.now.saturating_add(interval.get()));
                }
            }
            Timer::Qr => self.show_qr(self.config.qr_timeout),
            Timer::Reconnect => self.begin(Trigger::Due),
            Timer::Close => {
                self.process_all();
                self.end(EndReason::Requested, false);
            }
        }
    }

    /// Shows the next QR code, or ends the connection where there is none.
    pub(super) fn show_qr(&mut self, lifetime: Millis) {
        let Some(reference) = self.qr.pop_front() else {
            return self.end(EndReason::QrEnded, false);
        };
        let expires_at = self.now.saturating_add(lifetime);
        self.timers.set(Timer::Qr, expires_at);
        let text = qr_text(&reference, &self.credentials, &self.config);
        self.tell(Event::Qr { text, expires_at });
    }

    /// Handles received frames, and then those of `input`, until the session is held back. The rest of `input` is kept.
    pub(super) fn process(&mut self, mut input: &[u8]) {
        let id = self.connection();
        // A stanza can end the connection, and another connection can begin at once.
        while !self.is_held_back() && self.connection() == id && self.process_frame(&mut input) {}
        if self.connection() == id
            && let Some(connection) = &mut self.connection
        {
            connection.frames.feed(input);
        }
    }

    /// Handles all received frames: they are in memory already, and no more will come. They can inflate to far more than
    /// the queue may hold; of what exceeds it, only stanzas that end the connection are handled.
    fn process_all(&mut self) {
        let mut left_out = 0;
        loop {
            let overfull = self.inbox.is_overfull();
            if !self.process_frame(&mut [].as_slice()) {
                break;
            }
            left_out += u64::from(overfull);
        }
        if left_out > 0 {
            tracing::warn!(
                frames = left_out,
                "frames were ignored because the incoming queue is full"
            );
        }
    }

    /// Handles the next frame, which is received already or in `input`. Returns `true` if there was one.
    fn process_frame(&mut self, input: &mut &[u8]) -> bool {
        let Some(Connection { frames, phase, .. }) = &mut self.connection else {
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
        let Phase::Open { receiver, .. } = phase else {
            let message = frame.to_vec();
            self.server_hello(&message);
            return true;
        };

        let Scratch {
            opener,
            head,
            tape,
            matched,
            ..
        } = &mut self.scratch;
        let mut opener = mem::take(opener);
        let overfull = self.inbox.is_overfull();
        let (patterns, queries, sampler) = (&self.patterns, &self.queries, &mut self.sampler);
        matched.clear();
        let mut asker = Asker::Nobody;
        let mut filter = HeadFilter::new(head, tape, |head: &Head| {
            if overfull {
                return false;
            }
            asker = queries.asker(head.attr("id").unwrap_or_default());
            !asker.is_session() && (patterns.find(head, matched) || asker == Asker::User)
        });
        sampler.frame();
        let opened = opener.open(frame, receiver, self.config.dialect, &mut filter, |step| {
            sampler.done(step)
        });
        let is_written = filter.is_written();

        let taken = match opened {
            Ok(Opened { payload, .. }) => self.take_stanza(&Received {
                encoded: payload,
                asker,
                is_written,
                overfull,
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
            tracing::warn!(%error, offset = error.offset(), "a payload is not a stanza");
            if !self.inbox.is_overfull() {
                self.tell(Event::Malformed(error));
            }
        }
        opener.trim(KEEP_PER_CONNECTION);
        self.scratch.opener = opener;
        self.scratch.head.trim(KEEP_PER_CONNECTION);
        self.scratch.tape.trim(KEEP_PER_CONNECTION);
        true
    }

    /// Reading stops: silence is no longer the server's.
    pub(super) fn suspend_reading(&mut self) {
        if self.connection.as_ref().is_some_and(Connection::is_open) && self.timers.stop(Timer::Silence) {
            self.metrics.stalls += 1;
            let (stanzas, bytes) = self.inbox.watermark().depth();
            tracing::debug!(stanzas, bytes, "reading is suspended");
        }
    }

    /// Reading goes on.
    pub(super) fn read_on(&mut self) {
        tracing::debug!("reading goes on");
        if self.connection.as_ref().is_some_and(Connection::is_open) {
            self.keepalive.heard(self.now);
            self.timers.set(Timer::Silence, self.keepalive.deadline(&self.config));
        }
        self.process(&[]);
    }

    fn current(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connection.as_mut().filter(|connection| connection.id == id)
    }
}
