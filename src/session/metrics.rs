//! Counters of a session.

use std::collections::BTreeMap;

use super::Millis;

/// How a handshake went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeKind {
    /// In full.
    Xx,
    /// Resumed.
    Ik,
    /// Resumption was declined.
    XxFallback,
}

impl HandshakeKind {
    /// The name that JavaScript sees.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xx => "XX",
            Self::Ik => "IK",
            Self::XxFallback => "XXfallback",
        }
    }
}

/// Durations in buckets: the bucket of index `i` counts those below `2^i` ms, the last one all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// The buckets.
    pub buckets: [u64; 18],
    /// The number of durations.
    pub count: u64,
    /// Their sum, in milliseconds.
    pub sum: u64,
}

impl Histogram {
    pub(super) fn record(&mut self, duration: Millis) {
        let bits = (u64::BITS - duration.leading_zeros()) as usize;
        let last = self.buckets.len() - 1;
        if let Some(bucket) = self.buckets.get_mut(bits.min(last)) {
            *bucket += 1;
        }
        self.count += 1;
        self.sum = self.sum.saturating_add(duration);
    }
}

/// A snapshot of what a session has done so far and holds now. Durations are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Connections begun.
    pub connections: u64,
    /// Logins that succeeded.
    pub logins: u64,
    /// Connections that ended and were followed by another one, by the code of their end.
    pub reconnects: BTreeMap<u16, u64>,
    /// Bytes in from the transport.
    pub bytes_in: u64,
    /// Bytes out to the transport.
    pub bytes_out: u64,
    /// Frames in.
    pub frames_in: u64,
    /// Frames out.
    pub frames_out: u64,
    /// Stanzas in.
    pub stanzas_in: u64,
    /// Stanzas out.
    pub stanzas_out: u64,
    /// Stanzas in for which a pattern was watched, or which answered a query of the user's.
    pub stanzas_delivered: u64,
    /// Payloads that were no stanza.
    pub malformed: u64,
    /// Queries of the user's asked.
    pub queries: u64,
    /// of which refused by an error stanza,
    pub queries_refused: u64,
    /// not answered in time,
    pub queries_timed_out: u64,
    /// cancelled,
    pub queries_cancelled: u64,
    /// ended with their connection.
    pub queries_closed: u64,
    /// Times between question and answer.
    pub query_latency: Histogram,
    /// Queries that wait now, the session's own included.
    pub queries_pending: usize,
    /// Keep-alive queries sent.
    pub pings: u64,
    /// Times between them and their answers.
    pub ping_rtt: Histogram,
    /// The latest of these.
    pub last_ping_rtt: Option<Millis>,
    /// The latest handshake: its kind, and the time from the open transport to its end.
    pub handshake: Option<(HandshakeKind, Millis)>,
    /// The outgoing queue.
    pub outgoing: QueueMetrics,
    /// The incoming queue.
    pub incoming: QueueMetrics,
    /// How often reading was suspended.
    pub stalls: u64,
    /// Bytes of memory held by buffers, queues aside.
    pub buffers: usize,
}

/// A queue's depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueMetrics {
    /// Stanzas in it; in the incoming queue also other events that the server causes.
    pub stanzas: usize,
    /// Bytes in it.
    pub bytes: usize,
    /// The most stanzas so far.
    pub most_stanzas: usize,
    /// The most bytes so far.
    pub most_bytes: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_powers_of_two() {
        let mut histogram = Histogram::default();
        for duration in [0, 1, 2, 3, 4, 1 << 16, 1 << 40] {
            histogram.record(duration);
        }
        assert_eq!(histogram.buckets[..4], [1, 1, 2, 1]);
        assert_eq!(histogram.buckets[17], 2);
        assert_eq!(histogram.count, 7);
    }
}
