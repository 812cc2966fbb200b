//! Metrics of a session. They serialize with the names that JavaScript sees (`SessionMetrics` in `index.d.ts`).

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::{FrameTimes, Millis};

/// The kind of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HandshakeKind {
    /// A full handshake.
    Xx,
    /// A resumed handshake.
    Ik,
    /// The server declined resumption, and the handshake was full.
    XxFallback,
}

impl HandshakeKind {
    /// The name in JavaScript.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xx => "XX",
            Self::Ik => "IK",
            Self::XxFallback => "XXfallback",
        }
    }
}

impl Serialize for HandshakeKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The duration of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HandshakeTime {
    /// The kind of the handshake.
    pub kind: HandshakeKind,
    /// The time from the opened transport to the end of the handshake.
    pub ms: Millis,
}

/// A histogram of durations. Bucket `i` counts durations below `2^i` ms that are in no lower bucket. The last bucket
/// counts all longer ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Histogram {
    /// The buckets.
    pub buckets: [u64; 18],
    /// The number of durations.
    pub count: u64,
    /// The sum of all durations in milliseconds.
    #[serde(rename = "sumMs")]
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

    fn absorb(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket += more;
        }
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
    }
}

/// Stalls of the user's thread: times in which events waited long to be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LoopStalls {
    /// The number of stalls.
    pub count: u64,
    /// The sum of all stalls in milliseconds.
    #[serde(rename = "sumMs")]
    pub sum: Millis,
    /// The longest stall in milliseconds.
    #[serde(rename = "longestMs")]
    pub longest: Millis,
}

impl LoopStalls {
    /// Shortest wait that counts as a stall, in milliseconds.
    pub const LEAST: Millis = 1_000;

    /// Records a wait in milliseconds. Returns true if it counts as a stall.
    pub fn record(&mut self, waited: Millis) -> bool {
        if waited < Self::LEAST {
            return false;
        }
        self.absorb(&Self {
            count: 1,
            sum: waited,
            longest: waited,
        });
        true
    }

    fn absorb(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        self.longest = self.longest.max(other.longest);
    }
}

/// Metrics of a session: counters since its creation, and current values. Durations are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Connections started.
    pub connections: u64,
    /// Successful logins.
    pub logins: u64,
    /// Reconnections, by the code of the ended connection.
    pub reconnects: BTreeMap<u16, u64>,
    /// Bytes received from the transport.
    pub bytes_in: u64,
    /// Bytes given to the transport.
    pub bytes_out: u64,
    /// Frames received.
    pub frames_in: u64,
    /// Frames sent.
    pub frames_out: u64,
    /// Stanzas received.
    pub stanzas_in: u64,
    /// Stanzas sent.
    pub stanzas_out: u64,
    /// Received stanzas that matched a watched pattern or answered a query of the user.
    pub stanzas_delivered: u64,
    /// Payloads that were not stanzas.
    pub malformed: u64,
    /// Queries that the user sent.
    pub queries: u64,
    /// Queries that the server answered with an error.
    pub queries_refused: u64,
    /// Queries without an answer in time.
    pub queries_timed_out: u64,
    /// Queries that the user cancelled.
    pub queries_cancelled: u64,
    /// Queries that ended with their connection.
    pub queries_closed: u64,
    /// Times from a query to its answer.
    pub query_latency: Histogram,
    /// Queries that are pending now, including the session's own.
    pub queries_pending: usize,
    /// Keep-alive queries sent.
    pub pings: u64,
    /// Times from a keep-alive query to its answer.
    pub ping_rtt: Histogram,
    /// The latest of these times.
    #[serde(rename = "lastPingRttMs", skip_serializing_if = "Option::is_none")]
    pub last_ping_rtt: Option<Millis>,
    /// The latest handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<HandshakeTime>,
    /// Handshake times, by kind.
    pub handshakes: BTreeMap<HandshakeKind, Histogram>,
    /// Time spent on inbound frames. Zero without a [`Stopwatch`](super::Stopwatch).
    #[serde(flatten)]
    pub work: FrameTimes,
    /// The outgoing queue.
    pub outgoing: QueueMetrics,
    /// The incoming queue.
    pub incoming: QueueMetrics,
    /// Number of times that reading was stopped.
    pub stalls: u64,
    /// Stalls of the user's thread.
    pub loop_stalls: LoopStalls,
    /// Memory of buffers in bytes, without the queues.
    #[serde(rename = "bufferBytes")]
    pub buffers: usize,
}

impl Metrics {
    /// Adds the metrics of another session. The greatest depths become the maximum of both. The latest handshake and
    /// keep-alive time are cleared, because they belong to one session.
    pub fn absorb(&mut self, other: &Self) {
        self.connections += other.connections;
        self.logins += other.logins;
        for (code, count) in &other.reconnects {
            *self.reconnects.entry(*code).or_default() += count;
        }
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.frames_in += other.frames_in;
        self.frames_out += other.frames_out;
        self.stanzas_in += other.stanzas_in;
        self.stanzas_out += other.stanzas_out;
        self.stanzas_delivered += other.stanzas_delivered;
        self.malformed += other.malformed;
        self.queries += other.queries;
        self.queries_refused += other.queries_refused;
        self.queries_timed_out += other.queries_timed_out;
        self.queries_cancelled += other.queries_cancelled;
        self.queries_closed += other.queries_closed;
        self.query_latency.absorb(&other.query_latency);
        self.queries_pending += other.queries_pending;
        self.pings += other.pings;
        self.ping_rtt.absorb(&other.ping_rtt);
        self.last_ping_rtt = None;
        self.handshake = None;
        for (kind, times) in &other.handshakes {
            self.handshakes.entry(*kind).or_default().absorb(times);
        }
        self.work.absorb(&other.work);
        self.outgoing.absorb(&other.outgoing);
        self.incoming.absorb(&other.incoming);
        self.stalls += other.stalls;
        self.loop_stalls.absorb(&other.loop_stalls);
        self.buffers += other.buffers;
    }

    /// The metrics that remain after a session has ended: its counters and greatest depths.
    #[must_use]
    pub fn ended(mut self) -> Self {
        self.queries_pending = 0;
        self.buffers = 0;
        for queue in [&mut self.outgoing, &mut self.incoming] {
            (queue.stanzas, queue.bytes) = (0, 0);
        }
        self
    }
}

/// The depth of a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueMetrics {
    /// Stanzas in the queue. The incoming queue also counts other events that the server causes.
    pub stanzas: usize,
    /// Bytes in the queue.
    pub bytes: usize,
    /// The greatest number of stanzas so far.
    pub most_stanzas: usize,
    /// The greatest number of bytes so far.
    pub most_bytes: usize,
}

impl QueueMetrics {
    fn absorb(&mut self, other: &Self) {
        self.stanzas += other.stanzas;
        self.bytes += other.bytes;
        self.most_stanzas = self.most_stanzas.max(other.most_stanzas);
        self.most_bytes = self.most_bytes.max(other.most_bytes);
    }
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

    #[test]
    fn sums_add_counters_and_keep_the_greatest_depths() {
        let depth = |now, most| QueueMetrics {
            stanzas: now,
            bytes: now,
            most_stanzas: most,
            most_bytes: most,
        };
        let session = |n: u64, most| Metrics {
            stanzas_in: n,
            queries_pending: 3,
            buffers: 7,
            handshake: Some(HandshakeTime {
                kind: HandshakeKind::Xx,
                ms: 1,
            }),
            handshakes: [(HandshakeKind::Xx, Histogram::default())].into(),
            reconnects: [(428, n)].into(),
            outgoing: depth(2, most),
            ..Metrics::default()
        };
        let mut total = session(1, 10).ended();
        assert_eq!(
            (total.queries_pending, total.buffers, total.outgoing),
            (0, 0, depth(0, 10))
        );
        total.absorb(&session(10, 5));
        assert_eq!((total.stanzas_in, total.queries_pending, total.buffers), (11, 3, 7));
        assert_eq!((total.outgoing, total.handshake), (depth(2, 10), None));
        assert_eq!(total.reconnects, [(428, 11)].into());
    }

    #[test]
    fn only_long_waits_are_stalls() {
        let mut stalls = LoopStalls::default();
        assert!(!stalls.record(LoopStalls::LEAST - 1));
        assert!(stalls.record(LoopStalls::LEAST) && stalls.record(5_000));
        assert_eq!((stalls.count, stalls.sum, stalls.longest), (2, 6_000, 5_000));
    }
}
