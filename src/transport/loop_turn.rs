//! Messages that the thread of an event loop sends in one turn of the loop are written together.
//!
//! The first message of a turn is written at once, because it can be the only one. Further messages are held in the
//! queues of their connections until the owner of the loop calls [`LoopTurn::end`]. If the loop is blocked and does not
//! call it, a task writes the messages after a few milliseconds.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::runtime::runtime;
use crate::sync::{Mutex, MutexGuard, Notify};

/// The period in which the task checks for turns that do not end. Messages are held for at most two periods.
const PERIOD: Duration = Duration::from_millis(2);

/// Number of periods without messages after which the task sleeps. While the task is not asleep, holding a message
/// wakes no other thread.
const IDLE_PERIODS: u32 = 4;

/// Maximum number of connections that the loop's thread writes at the end of a turn. If more connections have messages,
/// the task writes them.
const WRITTEN_BY_LOOP: usize = 4;

/// When a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// At once.
    Now,
    /// At the end of the loop's turn, unless it is the first message of the turn. For the thread of the loop only.
    EndOfTurn,
}

/// A connection that can hold messages.
pub(super) trait Held: Send + Sync {
    /// Writes the held messages.
    fn flush(&self);
}

/// The turns of one event loop. Dropping it ends the holding of messages.
#[derive(Debug)]
pub struct LoopTurn {
    shared: Arc<SharedTurn>,
    task: OnceLock<AbortHandle>,
}

/// A connection's side of a [`LoopTurn`].
#[derive(Debug, Clone)]
pub struct TurnSender(Arc<SharedTurn>);

/// The state of the turns. The loop, its connections and the task share it.
#[derive(Default)]
pub(super) struct SharedTurn {
    state: Mutex<TurnState>,
    /// Wakes the task.
    task: Notify,
}

#[derive(Default)]
struct TurnState {
    /// Number of ended turns.
    number: u64,
    /// A message was sent in this turn.
    has_sent: bool,
    /// The connections with held messages.
    held: Vec<Arc<dyn Held>>,
    /// Connections that the task has to write.
    handed_over: Vec<Arc<dyn Held>>,
    /// Whether the task is checking periodically.
    is_watched: bool,
}

/// What the task saw at its last check.
#[derive(Debug)]
struct Seen {
    /// Turns that had ended.
    turn: u64,
    /// Periods without messages.
    idle: u32,
}

impl fmt::Debug for SharedTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("SharedTurn")
            .field("number", &state.number)
            .field("held", &state.held.len())
            .finish_non_exhaustive()
    }
}

impl Default for LoopTurn {
    fn default() -> Self {
        Self::new()
    }
}

impl LoopTurn {
    /// The turns of a loop that has not sent a message yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::default(),
            task: OnceLock::new(),
        }
    }

    /// Creates the side of the connections.
    ///
    /// # Errors
    /// If the threads of the runtime cannot be started.
    pub fn sender(&self) -> io::Result<TurnSender> {
        if self.task.get().is_none() {
            let task = runtime()?.spawn(watch(Arc::clone(&self.shared))).abort_handle();
            if let Err(surplus) = self.task.set(task) {
                surplus.abort();
            }
        }
        Ok(TurnSender(Arc::clone(&self.shared)))
    }

    /// Ends the turn: writes the held messages now.
    pub fn end(&self) {
        let mut state = self.shared.lock();
        state.number += 1;
        state.has_sent = false;
        if state.held.is_empty() {
            return;
        }
        let mut held = std::mem::take(&mut state.held);
        if held.len() > WRITTEN_BY_LOOP {
            state.handed_over.append(&mut held);
            drop(state);
            self.shared.task.notify_one();
        } else {
            drop(state);
            for connection in held {
                connection.flush();
            }
        }
    }
}

impl Drop for LoopTurn {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
        let mut state = self.shared.lock();
        let mut held = std::mem::take(&mut state.held);
        held.append(&mut state.handed_over);
        drop(state);
        for connection in held {
            connection.flush();
        }
    }
}

impl TurnSender {
    /// Reports that a message will be sent. Returns true if it is the first one of its turn.
    pub(super) fn is_first(&self) -> bool {
        !std::mem::replace(&mut self.0.lock().has_sent, true)
    }

    /// Adds a connection that holds messages until the end of the turn.
    pub(super) fn hold(&self, connection: Arc<dyn Held>) {
        let mut state = self.0.lock();
        state.held.push(connection);
        if !std::mem::replace(&mut state.is_watched, true) {
            drop(state);
            self.0.task.notify_one();
        }
    }
}

impl SharedTurn {
    fn lock(&self) -> MutexGuard<'_, TurnState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of the turns when the task starts to watch.
    fn start_watch(&self) -> Seen {
        Seen {
            turn: self.lock().number,
            idle: 0,
        }
    }

    /// Called after each period. If the turn has not ended since the last period, its messages are passed to the task.
    /// Returns false if the task may sleep. The next held message then wakes it.
    fn end_period(&self, seen: &mut Seen) -> bool {
        let mut state = self.lock();
        if state.held.is_empty() {
            seen.idle += 1;
            state.is_watched = seen.idle < IDLE_PERIODS;
        } else {
            seen.idle = 0;
            if state.number == seen.turn {
                let mut held = std::mem::take(&mut state.held);
                state.handed_over.append(&mut held);
            }
        }
        seen.turn = state.number;
        state.is_watched
    }

    /// Writes the connections that the loop has passed to the task.
    fn flush_handed_over(&self) {
        let handed_over = std::mem::take(&mut self.lock().handed_over);
        for connection in handed_over {
            connection.flush();
        }
    }

    /// Waits for a wake of the task. Then writes the messages that the task has to write, until there were no messages
    /// for some periods. `wait` waits for a period or a wake, and returns true for a wake.
    pub(super) async fn watch_until_idle(&self, wait: impl AsyncFn(&Notify) -> bool) {
        self.task.notified().await;
        let mut seen = self.start_watch();
        loop {
            self.flush_handed_over();
            if !wait(&self.task).await && !self.end_period(&mut seen) {
                return;
            }
        }
    }
}

/// Runs the task that writes messages for the loop: those of connections that the loop has passed to it, and those of
/// turns that do not end.
async fn watch(shared: Arc<SharedTurn>) {
    let period = async |task: &Notify| tokio::time::timeout(PERIOD, task.notified()).await.is_ok();
    loop {
        shared.watch_until_idle(period).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    #[cfg(feature = "loom")]
    use super::SharedTurn;
    use super::{Held, LoopTurn, PERIOD, TurnSender, WRITTEN_BY_LOOP, watch};

    impl LoopTurn {
        /// Like [`sender`](Self::sender), but without the task that writes for a blocked loop.
        pub(in super::super) fn unwatched_sender(&self) -> TurnSender {
            TurnSender(Arc::clone(&self.shared))
        }

        /// The state, for a test that runs the task itself.
        #[cfg(feature = "loom")]
        pub(in super::super) fn shared(&self) -> Arc<SharedTurn> {
            Arc::clone(&self.shared)
        }

        /// The number of connections with held messages.
        pub(in super::super) fn held(&self) -> usize {
            self.shared.lock().held.len()
        }
    }

    #[derive(Default)]
    struct Flushes(AtomicU32);

    impl Held for Flushes {
        fn flush(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn count(flushes: &Flushes) -> u32 {
        flushes.0.load(Ordering::Relaxed)
    }

    fn in_virtual_time(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(test);
    }

    #[test]
    fn the_first_message_of_each_turn_is_not_held() {
        let turn = LoopTurn::new();
        let sender = turn.unwatched_sender();
        assert!(sender.is_first() && !sender.is_first());
        let connection = Arc::<Flushes>::default();
        sender.hold(connection.clone());
        assert_eq!(count(&connection), 0);
        turn.end();
        assert!(count(&connection) == 1 && sender.is_first());
        turn.end();
        assert_eq!(count(&connection), 1);
    }

    #[test]
    fn a_dropped_loop_leaves_no_connection_to_its_task() {
        let turn = LoopTurn::new();
        let sender = turn.unwatched_sender();
        let connections: Vec<_> = (0..=WRITTEN_BY_LOOP).map(|_| Arc::<Flushes>::default()).collect();
        for connection in &connections {
            sender.hold(connection.clone());
        }
        // The connections are passed to the task, which does not run any more.
        turn.end();
        drop(turn);
        for connection in &connections {
            assert_eq!((count(connection), Arc::strong_count(connection)), (1, 1));
        }
    }

    #[test]
    fn messages_of_an_endless_turn_are_written_within_two_periods() {
        in_virtual_time(async {
            let turn = LoopTurn::new();
            let sender = turn.unwatched_sender();
            tokio::spawn(watch(Arc::clone(&turn.shared)));
            // The waits end at different times within a period. At some of these times the task sleeps.
            for wait in 0..40 {
                tokio::time::sleep(Duration::from_millis(wait)).await;
                let connection = Arc::<Flushes>::default();
                sender.hold(connection.clone());
                tokio::time::sleep(2 * PERIOD + Duration::from_millis(1)).await;
                assert_eq!(count(&connection), 1);
            }
        });
    }

    #[test]
    fn messages_of_a_turn_that_ends_are_not_written_by_the_task() {
        in_virtual_time(async {
            let turn = LoopTurn::new();
            let sender = turn.unwatched_sender();
            tokio::spawn(watch(Arc::clone(&turn.shared)));
            for _ in 0..100 {
                let connection = Arc::<Flushes>::default();
                sender.hold(connection.clone());
                tokio::time::sleep(Duration::from_millis(1)).await;
                assert_eq!(count(&connection), 0);
                turn.end();
                assert_eq!(count(&connection), 1);
            }
        });
    }

    #[test]
    fn many_connections_are_written_by_the_task() {
        in_virtual_time(async {
            let turn = LoopTurn::new();
            let sender = turn.unwatched_sender();
            tokio::spawn(watch(Arc::clone(&turn.shared)));
            let connections: Vec<_> = (0..=WRITTEN_BY_LOOP).map(|_| Arc::<Flushes>::default()).collect();
            for connection in &connections {
                sender.hold(connection.clone());
            }
            turn.end();
            assert!(connections.iter().all(|connection| count(connection) == 0));
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            assert!(connections.iter().all(|connection| count(connection) == 1));
        });
    }
}
