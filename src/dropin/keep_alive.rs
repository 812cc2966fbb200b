//! Keep-alive queries from the I/O thread while JavaScript is blocked.

use std::sync::Arc;
use std::time::Duration;

use super::connection_state::ConnectionState;
use super::loop_monitor::LoopMonitor;
use crate::read_ahead::KeepAliveReplies;
use crate::transport::WeakSender;

/// Delay before another attempt if the connection had no room for a query.
pub const RETRY: Duration = Duration::from_millis(250);

/// The connection that carries the queries.
pub trait QuerySender {
    /// Queues the message that `make` returns. `make` is not called if the connection accepts no message now. Returns
    /// true if a message was queued.
    fn send_with(&self, make: impl FnOnce() -> Option<Vec<u8>>) -> bool;
}

impl QuerySender for WeakSender {
    fn send_with(&self, make: impl FnOnce() -> Option<Vec<u8>>) -> bool {
        Self::send_with(self, make)
    }
}

/// Sends a keep-alive query each time one is due. Returns when the shared sender will send no more queries.
pub async fn run(state: Arc<ConnectionState>, sender: impl QuerySender, monitor: Arc<LoopMonitor>) {
    loop {
        let now = monitor.now();
        let due = state.shared_sender().due(now, monitor.last_heartbeat());
        let wait = match due {
            None => return,
            Some(due) if due > now => Duration::from_millis(due - now),
            Some(_) if send_query(&state, &sender, &monitor) => continue,
            Some(_) => RETRY,
        };
        tokio::time::sleep(wait).await;
    }
}

/// Sends a query if one is due. Returns true if it was sent.
pub(super) fn send_query(state: &ConnectionState, sender: &impl QuerySender, monitor: &LoopMonitor) -> bool {
    let mut shared_sender = state.shared_sender();
    sender.send_with(|| {
        let mut message = Vec::new();
        if !shared_sender.keep_alive(monitor.now(), monitor.last_heartbeat(), &mut message) {
            return None;
        }
        // Before the first query is queued, so that its reply is recognized.
        if shared_sender.sealed_queries() == 1
            && let Some(id_prefix) = shared_sender.id_prefix()
        {
            let replies = KeepAliveReplies::new(id_prefix.to_owned());
            state.read_ahead.add_request(|read_ahead| read_ahead.hide(replies));
        }
        monitor.sent_keep_alive();
        Some(message)
    })
}
