//! Log entries of a session that wait for the user.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::session::{Log, LogEntry, LogLevel};

/// The log entries of one session that wait for the user. It never has more than [`MOST`](Self::MOST) entries.
#[derive(Debug, Default)]
pub struct LogQueue(Mutex<WaitingEntries>);

#[derive(Debug, Default)]
struct WaitingEntries {
    entries: VecDeque<LogEntry>,
    dropped: u64,
}

impl LogQueue {
    /// Maximum number of entries that wait. Further entries are dropped and counted.
    pub const MOST: usize = 1024;

    fn lock(&self) -> MutexGuard<'_, WaitingEntries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a log that adds its entries to this queue. It calls `notify` if the queue was empty.
    #[must_use]
    pub fn log(self: &Arc<Self>, level: Option<LogLevel>, notify: impl Fn() + Send + Sync + 'static) -> Arc<Log> {
        let queue = Arc::clone(self);
        let write = move |entry| {
            if queue.push(entry) {
                notify();
            }
        };
        Arc::new(Log::new(level, Box::new(write)))
    }

    /// Adds an entry. Returns true if it is the only one in the queue.
    fn push(&self, entry: LogEntry) -> bool {
        let mut waiting = self.lock();
        if waiting.entries.len() == Self::MOST {
            waiting.dropped += 1;
            return false;
        }
        waiting.entries.push_back(entry);
        waiting.entries.len() == 1
    }

    /// Takes all waiting entries. If entries were dropped, the last entry has their number.
    pub fn take(&self) -> VecDeque<LogEntry> {
        let WaitingEntries { mut entries, dropped } = std::mem::take(&mut *self.lock());
        if dropped > 0 {
            entries.push_back(LogEntry {
                level: LogLevel::Warn,
                message: "log entries were dropped because too many were waiting".to_owned(),
                fields: vec![("count", dropped.into())],
            });
        }
        entries
    }
}
