//! The metrics of the process for JavaScript.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use napi_derive::napi;
use serde_json::{Map, Value, json};

use super::session_json::figures;
use crate::dropin::{LoopCounters, ProcessMetrics, ProcessSnapshot};

/// The metrics of this process. All environments use them.
pub(super) static METRICS: LazyLock<Arc<ProcessMetrics>> = LazyLock::new(Arc::default);

/// The metrics of the process as JSON.
#[napi(catch_unwind)]
pub(super) fn process_metrics() -> String {
    let snapshot = METRICS.snapshot();
    let states: Map<_, _> = snapshot
        .session_states
        .iter()
        .map(|(state, count)| ((*state).to_owned(), json!(count)))
        .collect();
    let mut fields = figures(&snapshot.session_metrics, snapshot.session_busy);
    fields.insert("sessions".to_owned(), json!(snapshot.sessions));
    fields.insert("states".to_owned(), states.into());
    fields.insert("sockets".to_owned(), sockets_value(&snapshot));
    Value::from(fields).to_string()
}

fn sockets_value(snapshot: &ProcessSnapshot) -> Value {
    let total = snapshot.sockets;
    json!({
        "connecting": snapshot.connecting,
        "open": snapshot.open,
        "closing": snapshot.closing,
        "connections": total.sockets,
        "bytesIn": total.bytes_in,
        "bytesOut": total.bytes_out,
        "messagesIn": total.messages_in,
        "messagesOut": total.messages_out,
        "framesOpened": total.frames_opened,
        "inboundMs": Duration::from_nanos(total.busy).as_secs_f64() * 1000.0,
        "waitingBytes": snapshot.waiting,
        "mostWaitingBytes": total.most_waiting,
        "keptAlive": kept_alive_value(METRICS.loop_counters()),
    })
}

/// The stalls of JavaScript during which connections were kept alive.
fn kept_alive_value(counters: &LoopCounters) -> Value {
    json!({
        "stalls": counters.kept_alive_stalls(),
        "blockedMs": counters.blocked_ms(),
        "keepAlives": counters.keep_alives(),
    })
}
