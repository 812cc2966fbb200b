//! Passes the events of a connection's transport to its session.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use super::shared_session::SharedSession;
use crate::{
    failure::Failure,
    session::ConnectionId,
    transport::{Event, EventSink},
};

/// The sink of one connection's transport.
#[derive(Debug)]
pub(super) struct SessionSink {
    session: Arc<SharedSession>,
    connection: ConnectionId,
    /// Whether the session wanted more after the last message; cleared when the transport asks.
    wants_more: bool,
}

impl SessionSink {
    pub(super) fn new(session: Arc<SharedSession>, connection: ConnectionId) -> Self {
        Self {
            session,
            connection,
            wants_more: false,
        }
    }
}

impl EventSink for SessionSink {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Asked for every message; one more than a user who has just paused wants does no harm.
        if std::mem::take(&mut self.wants_more) || self.session.poll_wants_data(self.connection, cx) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn event(&mut self, event: Event) {
        let (shared, id) = (&self.session, self.connection);
        match event {
            Event::Upgrade(_) => {}
            Event::CloseFrame { .. } => shared.answer_close(id),
            Event::UnexpectedResponse { head, .. } => {
                // The transport would wait for somebody to read the response.
                shared.forget(id);
                let failure = Failure::new(format!("Unexpected server response: {}", head.status));
                shared.receive(|session, now| session.handle_failed(now, id, failure, Some(head.status)));
            }
            Event::Open => drop(shared.receive(|session, now| session.handle_opened(now, id))),
            // As in Baileys it makes no difference whether a message calls itself text.
            Event::Message { bytes, .. } => {
                self.wants_more = shared.receive(|session, now| session.handle_data(now, id, &bytes));
            }
            Event::Ping(_) | Event::Pong(_) => drop(shared.receive(|session, now| session.handle_pong(now, id))),
            Event::Written(_) => shared.written(id),
            Event::Error(error) => {
                let failure = error.describe();
                shared.receive(|session, now| session.handle_failed(now, id, failure, None));
            }
            Event::Closed => {
                shared.forget(id);
                shared.receive(|session, now| session.handle_closed(now, id));
            }
        }
    }

    fn flush(&mut self) {
        self.session.settle();
    }
}
