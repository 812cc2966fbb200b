//! Passes the events of a transport to its session.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use super::shared_session::SharedSession;
use crate::{
    failure::Failure,
    session::ConnectionId,
    transport::{EventSink, TransportEvent},
};

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
}

impl SessionSink {
    pub(super) fn new(session: Arc<SharedSession>, connection: ConnectionId) -> Self {
        Self {
            session,
            connection,
            wants_more: false,
            began: None,
        }
    }
}

impl EventSink for SessionSink {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // This is called before each message. The stored result saves a lock. After a pause, one more message can be
        // delivered, which is harmless.
        if std::mem::take(&mut self.wants_more) || self.session.poll_wants_data(self.connection, cx) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn event(&mut self, event: TransportEvent) {
        let (shared, id) = (&self.session, self.connection);
        let began = *self.began.get_or_insert_with(Instant::now);
        match event {
            TransportEvent::Upgrade(_) => {}
            TransportEvent::CloseFrame { .. } => shared.answer_close(id),
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
                self.wants_more = shared.receive(began, |session, now| session.handle_data(now, id, &bytes));
            }
            TransportEvent::Ping(_) | TransportEvent::Pong(_) => {
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
