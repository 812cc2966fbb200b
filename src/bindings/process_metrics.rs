//! The metrics of the whole process, for JavaScript.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use napi_derive::napi;

use super::json::Object;
use super::session_json::figures;
use crate::dropin::{LoopCounters, ProcessMetrics, ProcessSnapshot};

/// The metrics of this process: all environments add to them.
pub(super) static METRICS: LazyLock<Arc<ProcessMetrics>> = LazyLock::new(Arc::default);

/// The metrics of the process, as JSON.
#[napi(catch_unwind)]
pub(super) fn process_metrics() -> String {
    let snapshot = METRICS.snapshot();
    let states = snapshot
        .session_states
        .iter()
        .fold(Object::new(), |object, (state, count)| object.raw(state, count));
    let object = Object::new()
        .raw("sessions", snapshot.sessions)
        .raw("states", states.end());
    figures(object, &snapshot.session_metrics, snapshot.session_busy)
        .raw("sockets", sockets_json(&snapshot))
        .end()
}

fn sockets_json(snapshot: &ProcessSnapshot) -> String {
    let total = snapshot.sockets;
    Object::new()
        .raw("connecting", snapshot.connecting)
        .raw("open", snapshot.open)
        .raw("closing", snapshot.closing)
        .raw("connections", total.sockets)
        .raw("bytesIn", total.bytes_in)
        .raw("bytesOut", total.bytes_out)
        .raw("messagesIn", total.messages_in)
        .raw("messagesOut", total.messages_out)
        .raw("framesOpened", total.frames_opened)
        .raw("inboundMs", Duration::from_nanos(total.busy).as_secs_f64() * 1000.0)
        .raw("waitingBytes", snapshot.waiting)
        .raw("mostWaitingBytes", total.most_waiting)
        .raw("survived", survived_json(METRICS.loop_counters()))
        .end()
}

/// What connections have survived while JavaScript was blocked.
fn survived_json(counters: &LoopCounters) -> String {
    Object::new()
        .raw("stalls", counters.survived_stalls())
        .raw("blockedMs", counters.blocked_ms())
        .raw("keepAlives", counters.keep_alives())
        .end()
}
