//! Where a session's transport reports to.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use super::core::Core;
use crate::{
    session::ConnectionId,
    transport::{Event, EventSink},
};

/// The sink of one connection's transport.
#[derive(Debug)]
pub(super) struct SessionSink {
    core: Arc<Core>,
    connection: ConnectionId,
    /// Whether the session wanted more after what it was given last, and nobody has looked since.
    wants_more: bool,
}

impl SessionSink {
    pub(super) fn new(core: Arc<Core>, connection: ConnectionId) -> Self {
        Self {
            core,
            connection,
            wants_more: false,
        }
    }
}

impl EventSink for SessionSink {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Asked for every message; one more than a user who has just paused wants does no harm.
        if std::mem::take(&mut self.wants_more) || self.core.poll_wants_data(self.connection, cx) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn event(&mut self, event: Event) {
        let (core, id) = (&self.core, self.connection);
        match event {
            Event::Upgrade(_) => {}
            Event::CloseFrame { .. } => core.answer_close(id),
            Event::UnexpectedResponse { head, .. } => {
                // The transport would wait for somebody to read the response.
                core.forget(id);
                let message = format!("Unexpected server response: {}", head.status);
                core.receive(|session, now| session.handle_failed(now, id, &message, Some(head.status)));
            }
            Event::Open => drop(core.receive(|session, now| session.handle_opened(now, id))),
            // As in Baileys it makes no difference whether a message calls itself text.
            Event::Message { bytes, .. } => {
                self.wants_more = core.receive(|session, now| session.handle_data(now, id, &bytes));
            }
            Event::Ping(_) | Event::Pong(_) => drop(core.receive(|session, now| session.handle_pong(now, id))),
            Event::Written(_) => core.written(id),
            Event::Error(error) => {
                let message = error.to_string();
                core.receive(|session, now| session.handle_failed(now, id, &message, None));
            }
            Event::Closed => {
                core.forget(id);
                core.receive(|session, now| session.handle_closed(now, id));
            }
        }
    }

    fn flush(&mut self) {
        self.core.settle();
    }
}
