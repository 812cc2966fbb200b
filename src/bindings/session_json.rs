//! JSON for events and metrics of sessions. Field names are those of JavaScript; bytes are in base64.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::driver::Handle;
use crate::session::{
    Account, CredentialsUpdate, EndReason, LogEntry, LogValue, Me, Metrics, QueryError, SessionEvent, StateChange,
    duration_as_ms,
};

/// Number of bits of send and query numbers in JavaScript. With 30 bits, their complements are small integers too.
const NUMBER_BITS: u32 = 30;

/// The number of a send or query in JavaScript.
pub(super) fn short(number: u64) -> i32 {
    (number & ((1 << NUMBER_BITS) - 1)) as i32
}

/// An object without the fields that are null.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}

/// An event that is neither a stanza nor an answer. `type` is its kind.
pub(super) fn event_json(event: &SessionEvent) -> String {
    let value = match event {
        SessionEvent::State(change) => state(change),
        SessionEvent::Reconnecting { attempt, at, reason } => {
            json!({ "type": "reconnecting", "attempt": attempt, "at": at, "reason": reason_value(reason) })
        }
        SessionEvent::ReconnectDue => json!({ "type": "reconnectDue" }),
        SessionEvent::Qr { text, expires_at } => json!({ "type": "qr", "qr": text, "expiresAt": expires_at }),
        SessionEvent::PairingFailed(error) => json!({ "type": "pairingFailed", "message": error.to_string() }),
        SessionEvent::Paired(me) => json!({ "type": "paired", "me": me_value(me) }),
        SessionEvent::Credentials(update) => json!({ "type": "creds", "update": update_value(update) }),
        SessionEvent::Offline { count } => json!({ "type": "offline", "count": count }),
        SessionEvent::Drain => json!({ "type": "drain" }),
        SessionEvent::Unsent(sends) => {
            let sends: Vec<_> = sends.iter().map(|send| short(send.0)).collect();
            json!({ "type": "unsent", "sends": sends })
        }
        SessionEvent::Malformed(error) => json!({ "type": "malformed", "message": error.to_string() }),
        // Stanzas and answers have their own records.
        SessionEvent::Stanzas(_) | SessionEvent::Answer { .. } | SessionEvent::Own { .. } => json!({}),
    };
    value.to_string()
}

/// The event of a connection that needs its options.
pub(super) fn open_json(connection: u32) -> String {
    json!({ "type": "open", "connection": connection }).to_string()
}

/// A log entry as an event.
pub(super) fn log_json(entry: &LogEntry) -> String {
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
    json!({ "type": "log", "level": entry.level.name(), "message": entry.message, "fields": fields }).to_string()
}

fn state(change: &StateChange) -> Value {
    let fields = json!({
        "type": "state",
        "from": change.from.name(),
        "to": change.to.name(),
        "trigger": change.trigger.name(),
        "at": change.at,
        "reason": change.reason.as_ref().map(reason_value),
    });
    object(fields).into()
}

fn reason_value(reason: &EndReason) -> Value {
    let attrs: Option<Map<_, _>> = match reason {
        EndReason::Failure { attrs, .. } => {
            Some(attrs.iter().map(|(key, value)| (key.clone(), json!(value))).collect())
        }
        _ => None,
    };
    let failure = match reason {
        EndReason::Transport { failure, .. } => Some(failure),
        _ => None,
    };
    let fields = json!({
        "kind": reason.kind(),
        "code": reason.code(),
        "message": reason.to_string(),
        "attrs": attrs,
        "failure": failure,
    });
    object(fields).into()
}

/// The error of a query.
pub(super) fn query_error_json(error: &QueryError) -> String {
    let (kind, status) = match error {
        QueryError::Refused { code, .. } => ("refused", *code),
        QueryError::TimedOut => ("timedOut", None),
        QueryError::Cancelled => ("cancelled", None),
        QueryError::Closed { code } => ("closed", Some(u32::from(*code))),
        QueryError::OutOfMemory => ("outOfMemory", None),
    };
    let fields = json!({ "kind": kind, "statusCode": status, "message": error.to_string() });
    Value::from(object(fields)).to_string()
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn me_value(me: &Me) -> Value {
    object(json!({ "id": me.id, "lid": me.lid, "name": me.name })).into()
}

fn account_value(account: &Account) -> Value {
    json!({
        "details": base64(&account.details),
        "accountSignatureKey": base64(&account.account_signature_key),
        "accountSignature": base64(&account.account_signature),
        "deviceSignature": base64(&account.device_signature),
    })
}

fn update_value(update: &CredentialsUpdate) -> Value {
    let identities = update.signal_identities.as_ref().map(|identities| {
        let identities = identities.iter().map(|identity| {
            let fields = json!({
                "name": identity.name,
                "deviceId": identity.device_id,
                "identifierKey": base64(&identity.identifier_key),
            });
            Value::from(object(fields))
        });
        Value::Array(identities.collect())
    });
    let fields = json!({
        "me": update.me.as_ref().map(me_value),
        "account": update.account.as_ref().map(account_value),
        "signalIdentities": identities,
        "platform": update.platform,
        "routingInfo": update.routing_info.as_deref().map(base64),
        "pairingCode": update.pairing_code,
        "advSecretKey": update.adv_secret_key.as_ref().map(|secret| secret.as_str()),
        "registered": update.registered,
    });
    object(fields).into()
}

/// The metrics of a session. The names are those of `SessionMetrics` in `index.d.ts`.
#[derive(Serialize)]
struct SessionMetrics {
    state: &'static str,
    #[serde(flatten)]
    metrics: Metrics,
    /// The time that the session spent on received data.
    #[serde(rename = "inboundMs", serialize_with = "duration_as_ms")]
    busy: Duration,
}

/// The metrics of a session.
pub(super) fn metrics_json(handle: &Handle) -> napi::Result<String> {
    let (state, metrics) = handle.inspect(|session| (session.state(), session.metrics()));
    to_json(&SessionMetrics {
        state: state.name(),
        metrics,
        busy: handle.busy(),
    })
}

/// The JSON of a value.
pub(super) fn to_json(value: &impl Serialize) -> napi::Result<String> {
    serde_json::to_string(value).map_err(|error| napi::Error::from_reason(error.to_string()))
}
