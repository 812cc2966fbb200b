//! Converts events of a session to records for JavaScript.

use std::sync::Arc;

use super::session_json::{event_json, log_json, open_json, query_error_json, short};
use crate::abi::session_record;
use crate::binary::InflateError;
use crate::driver::{Handle, LogQueue, PendingConnections};
use crate::dropin::{Batch, RECORDS_AT_ONCE, RecordSource};
use crate::session::{QueryError, SessionEvent};

/// A session as a source of records.
pub(super) struct SessionEvents {
    pub(super) handle: Handle,
    pub(super) log: Arc<LogQueue>,
    pub(super) connections: Arc<PendingConnections>,
}

impl RecordSource for SessionEvents {
    fn take_records(&self, session: u32, batch: &mut Batch) -> usize {
        for entry in self.log.take() {
            batch.push(session_record::EVENT, session, 0, log_json(&entry).as_bytes());
        }
        for number in self.connections.take_unreported() {
            batch.push(session_record::EVENT, session, 0, open_json(number).as_bytes());
        }
        let mut events = Vec::new();
        let taken = self.handle.take_events(RECORDS_AT_ONCE, &mut events);
        for event in events {
            record(session, event, batch);
        }
        taken
    }

    fn write_all(&self) {
        self.handle.write_all();
    }
}

/// Adds the record of an event. If there is no memory for a stanza, a small record says so. If there is no memory even
/// for a small record, the record is lost.
fn record(session: u32, event: SessionEvent, batch: &mut Batch) {
    match event {
        SessionEvent::Stanzas(stanzas) => {
            if batch.stanzas(session_record::STANZAS, session, &stanzas).is_none() {
                let lost = event_json(&SessionEvent::Malformed(InflateError::OutOfMemory.into()));
                for _ in 0..stanzas.len() {
                    batch.push(session_record::EVENT, session, 0, lost.as_bytes());
                }
            }
        }
        SessionEvent::Answer { query, result } => {
            let number = short(query.0).cast_unsigned();
            let failure = match result {
                Ok(stanza) => match batch.stanza(session_record::ANSWER, session, number, &stanza) {
                    Some(_) => return,
                    None => QueryError::OutOfMemory,
                },
                Err(error) => error,
            };
            batch.push(
                session_record::FAILED,
                session,
                number,
                query_error_json(&failure).as_bytes(),
            );
        }
        SessionEvent::Own { is_answer, payload } => {
            batch.push(session_record::OWN, session, u32::from(is_answer), &payload);
        }
        other => {
            batch.push(session_record::EVENT, session, 0, event_json(&other).as_bytes());
        }
    }
}
