//! Passes log entries of a session to the user's logger.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use crate::session::{Log, LogEntry, LogLevel, LogValue};

/// Maximum number of entries that wait for JavaScript. Further entries are dropped and counted.
const MOST: usize = 1024;

/// The log entries of one session that wait for JavaScript, as JSON.
#[derive(Default)]
pub(super) struct LogQueue(Mutex<WaitingEntries>);

#[derive(Default)]
struct WaitingEntries {
    entries: VecDeque<String>,
    left_out: u64,
}

impl LogQueue {
    fn lock(&self) -> MutexGuard<'_, WaitingEntries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a log that adds its entries to this queue. It calls `notify` if the queue was empty.
    pub(super) fn log(
        self: &Arc<Self>,
        level: Option<LogLevel>,
        notify: impl Fn() + Send + Sync + 'static,
    ) -> Arc<Log> {
        let queue = Arc::clone(self);
        let write = move |entry| {
            if queue.push(&entry) {
                notify();
            }
        };
        Arc::new(Log::new(level, Box::new(write)))
    }

    /// Adds an entry. Returns true if it is the only one in the queue.
    fn push(&self, entry: &LogEntry) -> bool {
        let mut waiting = self.lock();
        if waiting.entries.len() < MOST {
            waiting.entries.push_back(entry_json(entry));
        } else {
            waiting.left_out += 1;
        }
        waiting.entries.len() == 1
    }

    /// Takes all waiting entries.
    pub(super) fn take(&self) -> VecDeque<String> {
        let WaitingEntries { mut entries, left_out } = std::mem::take(&mut *self.lock());
        if left_out > 0 {
            entries.push_back(entry_json(&LogEntry {
                level: LogLevel::Warn,
                message: "log entries were dropped because too many were waiting".to_owned(),
                fields: vec![("count", LogValue::Number(left_out.try_into().unwrap_or(i64::MAX)))],
            }));
        }
        entries
    }
}

fn entry_json(entry: &LogEntry) -> String {
    let fields: Map<String, Value> = entry
        .fields
        .iter()
        .map(|(name, value)| {
            let value = match value {
                LogValue::Number(number) => json!(number),
                LogValue::Flag(flag) => json!(flag),
                LogValue::Text(text) => json!(text),
            };
            ((*name).to_owned(), value)
        })
        .collect();
    let level = entry.level.name();
    json!({ "type": "log", "level": level, "message": entry.message, "fields": fields }).to_string()
}
