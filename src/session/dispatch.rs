//! How the session handles inbound stanzas, and which stanzas it delivers to the user.

use super::{
    CodeKey, CredentialsUpdate, EndReason, Millis, PayloadError, QueryError, Session, SessionEvent, SessionState,
    Stanza,
    head_filter::Head,
    log,
    nodes::{acknowledgement, child, content_bytes, offline_batch, result},
    pairing::{CodeAnswer, accept_pair_success, companion_finish, qr_references},
    queries::{AnswerTarget, PendingQuery, Purpose},
};
use crate::binary::{Node, NodeContent};

/// Maximum size of routing info, 4 KiB. Real routing info has about ten bytes. It is stored and sent with each
/// connection.
const MAX_ROUTING_INFO: usize = 4 * 1024;
/// Maximum number of answers that are processed for one pairing code. Each answer costs a key derivation of tens of
/// milliseconds. More than one is allowed because a user may mistype the code.
const MAX_CODE_ANSWERS: u32 = 5;

/// Maximum length of a reported answer to a query of the session, in bytes (16 KiB). Real answers have less than 100
/// bytes.
const MAX_OWN_ANSWER: usize = 16 << 10;

/// Maximum memory for the nodes of a stanza that the session reads itself, in bytes (1 MiB). Nodes that do not fit are
/// ignored. These stanzas (login, pairing, stream error, refusal) have a few kilobytes.
const MAX_REACTION: usize = 1 << 20;

/// The action of the session on a stanza.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reaction {
    LoggedIn,
    Failure,
    StreamError,
    StreamEnd,
    NotMultiDevice,
    EdgeRouting,
    Offline,
    OfflinePreview,
    PairDevice,
    PairSuccess,
    CodeAccepted,
}

impl Reaction {
    fn on(head: &Head, pairing_by_code: bool) -> Option<Self> {
        Some(match (head.tag(), head.first_child()) {
            ("success", _) => Self::LoggedIn,
            ("failure", _) => Self::Failure,
            ("stream:error", _) => Self::StreamError,
            ("xmlstreamend", _) => Self::StreamEnd,
            ("ib", "downgrade_webclient") => Self::NotMultiDevice,
            ("ib", "edge_routing") => Self::EdgeRouting,
            ("ib", "offline") => Self::Offline,
            ("ib", "offline_preview") => Self::OfflinePreview,
            ("iq", "pair-device") if head.attr("type") == Some("set") => Self::PairDevice,
            ("iq", "pair-success") => Self::PairSuccess,
            ("notification", _) if pairing_by_code && head.attr("type") == Some("link_code_companion_reg") => {
                Self::CodeAccepted
            }
            _ => return None,
        })
    }

    /// Whether the reaction ends the connection.
    const fn ends(self) -> bool {
        matches!(
            self,
            Self::Failure | Self::StreamError | Self::StreamEnd | Self::NotMultiDevice
        )
    }
}

/// A stanza that has passed the head filter.
pub(super) struct Received<'a> {
    /// The decompressed payload.
    pub(super) encoded: &'a [u8],
    /// Who waits for the stanza.
    pub(super) target: AnswerTarget,
    /// Whether the stanza is on the tape.
    pub(super) is_written: bool,
    /// Whether the incoming queue has reached its limit. The stanza is then not delivered.
    pub(super) limit_reached: bool,
}

impl Session {
    /// Handles the stanza of the current head in [`Scratch`](super::Scratch).
    pub(super) fn take_stanza(&mut self, stanza: &Received<'_>) -> Result<(), PayloadError> {
        let &Received {
            encoded,
            target,
            is_written: written,
            limit_reached,
        } = stanza;
        self.metrics.stanzas_in += 1;
        self.metrics.stanzas_delivered += u64::from(written);
        log!(
            self.log.as_deref(),
            Trace,
            "stanza received",
            tag = self.scratch.head.tag(),
            bytes = encoded.len(),
            delivered = written,
        );

        let head = &self.scratch.head;
        let pairing_by_code = self.credentials.pairing_code.is_some() && self.credentials.account.is_none();
        let reaction = Reaction::on(head, pairing_by_code).filter(|reaction| !limit_reached || reaction.ends());
        let refused = head.first_child() == "error" || head.attr("type") == Some("error");
        let pending = match target {
            AnswerTarget::User | AnswerTarget::Session => head.attr("id").and_then(|id| self.queries.remove(id)),
            AnswerTarget::Nobody | AnswerTarget::SessionSettled => None,
        };

        // The session reads only a few kinds of stanzas as nodes.
        let node = match reaction.is_some() || (refused && pending.is_some()) {
            true => Some(Node::decode_within(encoded, self.config.dialect, MAX_REACTION)?),
            false => None,
        };
        if self.reports_own && target.is_session() && encoded.len() < MAX_OWN_ANSWER {
            let payload = [&[0], encoded].concat();
            self.push_event(SessionEvent::Own {
                is_answer: true,
                payload,
            });
        }
        if let Some(pending) = pending {
            let error = node.as_ref().filter(|_| refused).and_then(refusal);
            self.settle(&pending, error);
        }
        if written && !self.scratch.matched.ids().is_empty() && reaction != Some(Reaction::CodeAccepted) {
            self.push_stanza_event()?;
        }
        if let Some((reaction, node)) = reaction.zip(node) {
            self.react(reaction, &node);
        }
        Ok(())
    }

    /// Settles a query. The answer is the stanza on the tape, or `error`.
    fn settle(&mut self, pending: &PendingQuery, error: Option<QueryError>) {
        let waited = self.now.saturating_sub(pending.asked_at);
        match pending.purpose {
            Purpose::User(query) => {
                self.metrics.query_latency.record(waited);
                self.metrics.queries_refused += u64::from(error.is_some());
                let result = match error {
                    None => Stanza::received(self.scratch.tapes.first().unwrap_or_default())
                        .map_err(|_| QueryError::OutOfMemory),
                    Some(error) => Err(error),
                };
                self.push_event(SessionEvent::Answer { query, result });
            }
            Purpose::KeepAlive => {
                log!(self.log.as_deref(), Debug, "keep-alive answered", ms = waited);
                self.metrics.ping_rtt.record(waited);
                self.metrics.last_ping_rtt = Some(waited);
            }
            Purpose::CompanionFinish if error.is_none() => {
                self.update_credentials(CredentialsUpdate {
                    registered: Some(true),
                    ..Default::default()
                });
            }
            Purpose::Activate | Purpose::CompanionHello | Purpose::CompanionFinish => {}
        }
    }

    fn react(&mut self, reaction: Reaction, stanza: &Node) {
        match reaction {
            Reaction::LoggedIn => {
                self.note_server_time(stanza);
                self.logged_in(stanza);
            }
            Reaction::Failure => self.end(EndReason::from_failure(stanza), false),
            Reaction::StreamError => self.end(EndReason::from_stream_error(stanza), false),
            Reaction::StreamEnd => self.end(EndReason::StreamEnd, false),
            Reaction::NotMultiDevice => self.end(EndReason::NotMultiDevice, false),
            Reaction::EdgeRouting => self.note_routing(stanza),
            Reaction::Offline => {
                let count = child(stanza, "offline").and_then(|offline| offline.attr("count")?.parse().ok());
                let count = count.unwrap_or_default();
                self.push_event(SessionEvent::Offline { count });
            }
            Reaction::OfflinePreview => {
                if let Some(count) = self.config.offline_batch {
                    self.send_session_stanza(&offline_batch(count));
                }
            }
            Reaction::PairDevice => self.offer_qr(stanza),
            Reaction::PairSuccess => self.paired(stanza),
            Reaction::CodeAccepted => self.code_accepted(stanza),
        }
    }

    fn note_server_time(&mut self, stanza: &Node) {
        let seconds = stanza
            .attr("t")
            .and_then(|t| t.parse::<i64>().ok())
            .filter(|seconds| *seconds > 0);
        if let Some((seconds, now)) = seconds.zip(i64::try_from(self.now).ok()) {
            self.server_time_offset = Some(seconds.saturating_mul(1000).saturating_sub(now));
        }
    }

    fn note_routing(&mut self, stanza: &Node) {
        let info = child(stanza, "edge_routing").and_then(|routing| child(routing, "routing_info"));
        if let Some(info) = info.and_then(content_bytes) {
            if info.len() > MAX_ROUTING_INFO {
                log!(
                    self.log.as_deref(),
                    Warn,
                    "routing info is too long and is ignored",
                    bytes = info.len()
                );
                return;
            }
            let routing_info = Some(info.to_vec());
            log!(
                self.log.as_deref(),
                Debug,
                "routing info has changed",
                bytes = info.len()
            );
            self.update_credentials(CredentialsUpdate {
                routing_info,
                ..Default::default()
            });
        }
    }

    fn offer_qr(&mut self, stanza: &Node) {
        if self.state != SessionState::Authenticating {
            return;
        }
        self.send_session_stanza(&result(stanza.attr("id").unwrap_or_default()));
        log!(self.log.as_deref(), Debug, "the server offers pairing");
        self.qr = qr_references(stanza, self.log.as_deref()).into();
        self.show_qr(self.config.first_qr_timeout);
    }

    fn paired(&mut self, stanza: &Node) {
        if self.state != SessionState::Authenticating {
            return;
        }
        self.note_server_time(stanza);
        let random = self.random::<64>();
        match accept_pair_success(stanza, &self.credentials, &random) {
            Ok(paired) => {
                self.timers.stop(super::timers::Timer::Qr);
                self.qr.clear();
                let me = paired.update.me.clone().unwrap_or_default();
                self.update_credentials(paired.update);
                self.push_event(SessionEvent::Paired(me));
                self.send_session_stanza(&paired.reply);
            }
            Err(error) => self.end(EndReason::Pairing(error), false),
        }
    }

    /// Stores the phone's answer and requests the derivation of its key.
    fn code_accepted(&mut self, stanza: &Node) {
        // As in Baileys, a rejected answer is acknowledged, and the session still waits for a usable one.
        if self.code_answer.is_some() || self.code_answers >= MAX_CODE_ANSWERS {
            return self.send_session_stanza(&acknowledgement(stanza));
        }
        match CodeAnswer::read(stanza) {
            Ok(answer) => {
                self.code_answers += 1;
                let code = self.credentials.pairing_code.as_deref().unwrap_or_default();
                self.derivation = Some(answer.derivation(code));
                self.code_answer = Some(answer);
            }
            Err(error) => {
                self.push_event(SessionEvent::PairingFailed(error));
                self.send_session_stanza(&acknowledgement(stanza));
            }
        }
    }

    /// Handles a key that [`poll_derivation`](Self::poll_derivation) requested. A key for another answer is ignored.
    pub fn handle_code_key(&mut self, now: Millis, key: &CodeKey) {
        self.tick(now);
        let code = self.credentials.pairing_code.as_deref().unwrap_or_default();
        let Some(answer) = self.code_answer.take_if(|answer| answer.is_for(key, code)) else {
            return;
        };
        let id = self.ids.next();
        match companion_finish(&id, &answer, key, &self.credentials, self.entropy.as_mut()) {
            Ok(accepted) => {
                self.queries.insert(id, Purpose::CompanionFinish, self.now, None, None);
                self.update_credentials(accepted.update);
                self.send_session_stanza(&accepted.query);
            }
            Err(error) => self.push_event(SessionEvent::PairingFailed(error)),
        }
        self.send_session_stanza(&answer.acknowledgement);
    }
}

/// Reads the `error` child of a stanza. Returns `None` without such a child, as Baileys does.
fn refusal(stanza: &Node) -> Option<QueryError> {
    let NodeContent::List(children) = &stanza.content else {
        return None;
    };
    let error = children.iter().find(|child| child.tag == "error")?;
    let text = error
        .attr("text")
        .filter(|text| !text.is_empty())
        .unwrap_or("Unknown error")
        .to_owned();
    Some(QueryError::Refused {
        code: error.attr("code").and_then(|code| code.parse().ok()),
        text,
    })
}
