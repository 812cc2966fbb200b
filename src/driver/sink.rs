//! Passes the events of a transport to its session.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::time::{Sleep, sleep};

use super::shared_session::SharedSession;
use crate::{
    failure::Failure,
    session::ConnectionId,
    transport::{EventSink, TransportEvent},
};

/// Length of the part of a message that the session handles at once, in bytes (16 KiB). A message can have 100 MiB and a
/// thousand compressed frames, and each of them can take half a second (docs/security.md). The session is locked for one
/// part only.
const PART: usize = 16 * 1024;
/// If the parts since the last flush took this time or longer, the task pauses before the next one.
const PAUSE_AFTER: Duration = Duration::from_millis(10);
/// The pause. It is long enough for a thread that waits for the lock of the session.
const PAUSE: Duration = Duration::from_millis(1);

/// Maximum time for the rest of a message after the end of the connection. Usual messages take milliseconds.
const END_TIME: Duration = Duration::from_secs(1);

/// The event sink of a connection's transport.
#[derive(Debug)]
pub(super) struct SessionSink {
    session: Arc<SharedSession>,
    connection: ConnectionId,
    /// Whether the session wanted more data after the last message. Cleared by `poll_ready`.
    wants_more: bool,
    /// The time of the first event since the last flush. It is the time of the other ones too, because reading the
    /// clock takes a part of the time of a small stanza.
    began: Option<Instant>,
    /// The part of the last message that was not handled yet.
    rest: Bytes,
    /// Set until the next part of the message is handled.
    pause: Option<Pin<Box<Sleep>>>,
}

impl SessionSink {
    pub(super) fn new(session: Arc<SharedSession>, connection: ConnectionId) -> Self {
        Self {
            session,
            connection,
            wants_more: false,
            began: None,
            rest: Bytes::new(),
            pause: None,
        }
    }

    /// Handles the next part of the message.
    fn receive_part(&mut self, time: Instant) {
        let (shared, id) = (&self.session, self.connection);
        let part = self.rest.split_to(self.rest.len().min(PART));
        self.wants_more = shared.receive(time, |session, now| session.handle_data(now, id, &part));
        let is_slow = || self.began.is_some_and(|began| began.elapsed() >= PAUSE_AFTER);
        if !self.rest.is_empty() && is_slow() {
            self.pause = Some(Box::pin(sleep(PAUSE)));
        }
    }

    /// The connection has ended: handles the rest of the last message. What takes longer than [`END_TIME`] counts as not
    /// received.
    fn end(&mut self) {
        let start = Instant::now();
        while !self.rest.is_empty() && start.elapsed() < END_TIME {
            self.receive_part(Instant::now());
        }
        self.rest = Bytes::new();
        self.pause = None;
    }
}

impl EventSink for SessionSink {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            // This is called before each message. The stored result saves a lock. After a pause, one more message can be
            // delivered, which is harmless.
            if !mem::take(&mut self.wants_more) && !self.session.poll_wants_data(self.connection, cx) {
                return Poll::Pending;
            }
            if self.rest.is_empty() {
                return Poll::Ready(());
            }
            let time = Instant::now();
            self.began.get_or_insert(time);
            self.receive_part(time);
        }
    }

    fn before_write(&mut self) {
        self.session.check_lease();
    }

    fn event(&mut self, event: TransportEvent) {
        let began = *self.began.get_or_insert_with(Instant::now);
        if matches!(event, TransportEvent::Error(_) | TransportEvent::Closed) {
            self.end();
        }
        let (shared, id) = (&self.session, self.connection);
        match event {
            TransportEvent::Upgrade(_) => {}
            TransportEvent::CloseFrame { .. } => shared.answer_close(began, id),
            TransportEvent::UnexpectedResponse { head, .. } => {
                // Without this, the transport waits until someone reads the response.
                shared.forget(id);
                let failure = Failure::new(format!("Unexpected server response: {}", head.status));
                shared.receive(began, |session, now| {
                    session.handle_failed(now, id, failure, Some(head.status))
                });
            }
            TransportEvent::Open => {
                shared.receive(began, |session, now| session.handle_opened(now, id));
            }
            // As in Baileys, text and binary messages are handled alike.
            TransportEvent::Message { bytes, .. } => {
                self.rest = bytes;
                self.receive_part(began);
            }
            // As in Baileys, a server that sends only pings is silent: its front end can send them without it.
            TransportEvent::Ping(_) => {}
            TransportEvent::Pong(_) => {
                shared.receive(began, |session, now| session.handle_pong(now, id));
            }
            TransportEvent::Written(_) => shared.written(id),
            TransportEvent::Error(error) => {
                let failure = error.describe();
                shared.receive(began, |session, now| session.handle_failed(now, id, failure, None));
            }
            TransportEvent::Closed => {
                shared.forget(id);
                shared.receive(began, |session, now| session.handle_closed(now, id));
            }
        }
    }

    fn flush(&mut self) {
        self.session.execute_requests(self.began.take());
    }
}
