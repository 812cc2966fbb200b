//! The events of a session as records for JavaScript.

use std::sync::Arc;

use super::session_json::{event_json, query_error_json, short};
use super::session_log::LogQueue;
use crate::driver::Handle;
use crate::dropin::{Batch, RECORDS_AT_ONCE, RecordSource};
use crate::session::Event;

/// The kind of a session's record. `js/session/session.cjs` and `js/addon/event-pump.cjs` have the same numbers. The
/// first is none of a socket's.
#[derive(Clone, Copy)]
#[repr(u32)]
enum Kind {
    /// As many stanzas as the record has frames. Before the tape of each are the number of the patterns that it matches,
    /// and these patterns.
    Stanzas = 100,
    /// The answer to a query. Value: the number of the query.
    Answer = 1,
    /// A query without a good answer. Value: its number; payload: JSON, see [`query_error_json`].
    Failed = 2,
    /// Payload: JSON, see [`event_json`].
    Event = 3,
}

/// A session as a source of records.
pub(super) struct SessionEvents {
    pub(super) handle: Handle,
    pub(super) log: Arc<LogQueue>,
}

impl RecordSource for SessionEvents {
    fn take_records(&self, session: u32, batch: &mut Batch) -> usize {
        for entry in self.log.take() {
            batch.push(Kind::Event as u32, session, 0, entry.as_bytes());
        }
        let mut events = Vec::new();
        let taken = self.handle.take_events(RECORDS_AT_ONCE, &mut events);
        for event in events {
            record(session, event, batch);
        }
        taken
    }
}

fn record(session: u32, event: Event, batch: &mut Batch) {
    match event {
        Event::Stanzas(stanzas) => batch.stanzas(Kind::Stanzas as u32, session, &stanzas),
        Event::Answer {
            query,
            result: Ok(stanza),
        } => batch.stanza(Kind::Answer as u32, session, short(query.0).cast_unsigned(), &stanza),
        Event::Answer {
            query,
            result: Err(error),
        } => {
            let json = query_error_json(&error);
            batch.push(
                Kind::Failed as u32,
                session,
                short(query.0).cast_unsigned(),
                json.as_bytes(),
            );
        }
        other => {
            batch.push(Kind::Event as u32, session, 0, event_json(&other).as_bytes());
        }
    }
}
