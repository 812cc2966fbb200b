//! What a session tells seldom, as JSON: fields by the names that JavaScript uses, bytes in base64.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::json::{Object, list, quoted};
use crate::driver::Handle;
use crate::session::{
    Account, CredentialsUpdate, EndReason, Event, Histogram, LoopStalls, Me, Metrics, QueryError, QueueMetrics,
    StateChange,
};

/// Numbers of sends and queries as JavaScript sees them have so many bits, so that their complements are integers as well.
const NUMBER_BITS: u32 = 30;

/// What JavaScript calls a send or a query.
pub(super) fn short(number: u64) -> i32 {
    (number & ((1 << NUMBER_BITS) - 1)) as i32
}

/// An event that is neither a stanza nor an answer. `type` says which.
pub(super) fn event_json(event: &Event) -> String {
    let object = Object::new();
    match event {
        Event::State(change) => state(object.text("type", "state"), change),
        Event::Reconnecting { attempt, at, reason } => object
            .text("type", "reconnecting")
            .raw("attempt", attempt)
            .raw("at", at)
            .raw("reason", reason_json(reason)),
        Event::Qr { text, expires_at } => object.text("type", "qr").text("qr", text).raw("expiresAt", expires_at),
        Event::PairingFailed(error) => object.text("type", "pairingFailed").text("message", &error.to_string()),
        Event::Paired(me) => object.text("type", "paired").raw("me", me_json(me)),
        Event::Credentials(update) => object.text("type", "creds").raw("update", update_json(update)),
        Event::Offline { count } => object.text("type", "offline").raw("count", count),
        Event::Drain => object.text("type", "drain"),
        Event::Unsent(sends) => object
            .text("type", "unsent")
            .raw("sends", list(sends.iter().map(|send| short(send.0)))),
        Event::Malformed(error) => object.text("type", "malformed").text("message", &error.to_string()),
        // These cross in records of their own.
        Event::Stanzas(_) | Event::Answer { .. } => object,
    }
    .end()
}

fn state(object: Object, change: &StateChange) -> Object {
    object
        .text("from", change.from.name())
        .text("to", change.to.name())
        .text("trigger", change.trigger.name())
        .raw("at", change.at)
        .maybe("reason", change.reason.as_ref().map(reason_json))
}

fn reason_json(reason: &EndReason) -> String {
    let attrs = match reason {
        EndReason::Failure { attrs, .. } => {
            let fields = attrs
                .iter()
                .fold(Object::new(), |object, (key, value)| object.text(key, value));
            Some(fields.end())
        }
        _ => None,
    };
    Object::new()
        .text("kind", reason.kind())
        .raw("code", reason.code())
        .text("message", &reason.to_string())
        .maybe("attrs", attrs)
        .end()
}

/// Why a query has no good answer.
pub(super) fn query_error_json(error: &QueryError) -> String {
    let object = Object::new();
    match error {
        QueryError::Refused { code, .. } => object.text("kind", "refused").maybe("statusCode", *code),
        QueryError::TimedOut => object.text("kind", "timedOut"),
        QueryError::Cancelled => object.text("kind", "cancelled"),
        QueryError::Closed { code } => object.text("kind", "closed").raw("statusCode", code),
    }
    .text("message", &error.to_string())
    .end()
}

fn bytes(bytes: &[u8]) -> String {
    quoted(&STANDARD.encode(bytes))
}

fn me_json(me: &Me) -> String {
    Object::new()
        .text("id", &me.id)
        .maybe("lid", me.lid.as_deref().map(quoted))
        .maybe("name", me.name.as_deref().map(quoted))
        .end()
}

fn account_json(account: &Account) -> String {
    Object::new()
        .raw("details", bytes(&account.details))
        .raw("accountSignatureKey", bytes(&account.account_signature_key))
        .raw("accountSignature", bytes(&account.account_signature))
        .raw("deviceSignature", bytes(&account.device_signature))
        .end()
}

fn update_json(update: &CredentialsUpdate) -> String {
    let identities = update.signal_identities.as_ref().map(|identities| {
        list(identities.iter().map(|identity| {
            Object::new()
                .maybe("name", identity.name.as_deref().map(quoted))
                .raw("deviceId", identity.device_id)
                .raw("identifierKey", bytes(&identity.identifier_key))
                .end()
        }))
    });
    Object::new()
        .maybe("me", update.me.as_ref().map(me_json))
        .maybe("account", update.account.as_ref().map(account_json))
        .maybe("signalIdentities", identities)
        .maybe("platform", update.platform.as_deref().map(quoted))
        .maybe("routingInfo", update.routing_info.as_deref().map(bytes))
        .maybe("pairingCode", update.pairing_code.as_deref().map(quoted))
        .maybe(
            "advSecretKey",
            update.adv_secret_key.as_ref().map(|secret| quoted(secret)),
        )
        .maybe("registered", update.registered)
        .end()
}

fn queue_json(queue: QueueMetrics) -> String {
    Object::new()
        .raw("stanzas", queue.stanzas)
        .raw("bytes", queue.bytes)
        .raw("mostStanzas", queue.most_stanzas)
        .raw("mostBytes", queue.most_bytes)
        .end()
}

fn histogram_json(histogram: Histogram) -> String {
    Object::new()
        .raw("buckets", list(histogram.buckets))
        .raw("count", histogram.count)
        .raw("sumMs", histogram.sum)
        .end()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The metrics of a session.
pub(super) fn metrics_json(handle: &Handle) -> String {
    let (state, metrics) = handle.inspect(|session| (session.state(), session.metrics()));
    let handshake = metrics
        .handshake
        .map(|(kind, duration)| Object::new().text("kind", kind.name()).raw("ms", duration).end());
    let object = Object::new()
        .text("state", state.name())
        .maybe("lastPingRttMs", metrics.last_ping_rtt)
        .maybe("handshake", handshake);
    figures(object, &metrics, handle.busy()).end()
}

/// What one session or many have done.
pub(super) fn figures(object: Object, metrics: &Metrics, busy: Duration) -> Object {
    let reconnects = metrics.reconnects.iter().fold(Object::new(), |object, (code, count)| {
        object.raw(&code.to_string(), count)
    });
    let handshakes = metrics.handshakes.iter().fold(Object::new(), |object, (kind, times)| {
        object.raw(kind.name(), histogram_json(*times))
    });
    let work = |nanos| milliseconds(Duration::from_nanos(nanos));
    object
        .raw("connections", metrics.connections)
        .raw("logins", metrics.logins)
        .raw("reconnects", reconnects.end())
        .raw("handshakes", handshakes.end())
        .raw("bytesIn", metrics.bytes_in)
        .raw("bytesOut", metrics.bytes_out)
        .raw("framesIn", metrics.frames_in)
        .raw("framesOut", metrics.frames_out)
        .raw("stanzasIn", metrics.stanzas_in)
        .raw("stanzasOut", metrics.stanzas_out)
        .raw("stanzasDelivered", metrics.stanzas_delivered)
        .raw("malformed", metrics.malformed)
        .raw("queries", metrics.queries)
        .raw("queriesRefused", metrics.queries_refused)
        .raw("queriesTimedOut", metrics.queries_timed_out)
        .raw("queriesCancelled", metrics.queries_cancelled)
        .raw("queriesClosed", metrics.queries_closed)
        .raw("queriesPending", metrics.queries_pending)
        .raw("queryLatency", histogram_json(metrics.query_latency))
        .raw("pings", metrics.pings)
        .raw("pingRtt", histogram_json(metrics.ping_rtt))
        .raw("outgoing", queue_json(metrics.outgoing))
        .raw("incoming", queue_json(metrics.incoming))
        .raw("stalls", metrics.stalls)
        .raw("loopStalls", stalls_json(metrics.loop_stalls))
        .raw("bufferBytes", metrics.buffers)
        .raw("inboundMs", milliseconds(busy))
        .raw("decryptMs", work(metrics.work.opening))
        .raw("inflateMs", work(metrics.work.inflating))
        .raw("parseMs", work(metrics.work.parsing))
}

fn stalls_json(stalls: LoopStalls) -> String {
    Object::new()
        .raw("count", stalls.count)
        .raw("sumMs", stalls.sum)
        .raw("longestMs", stalls.longest)
        .end()
}
