//! Metrics of a session. They serialize with the names that JavaScript sees (`SessionMetrics` in `index.d.ts`).
//!
//! `metrics!` has the only list of the values in Rust, so that no value is missing in the sum over sessions.

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
}

impl Absorb for Histogram {
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
}

impl Absorb for LoopStalls {
    fn absorb(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        self.longest = self.longest.max(other.longest);
    }
}

/// A value that can be added up over sessions.
trait Absorb {
    /// Adds the value of another session. Of greatest values, the greater one remains.
    fn absorb(&mut self, other: &Self);

    /// Removes the parts that a session does not have after its end.
    fn end(&mut self) {}
}

impl Absorb for u64 {
    fn absorb(&mut self, other: &Self) {
        *self += other;
    }
}

impl Absorb for usize {
    fn absorb(&mut self, other: &Self) {
        *self += other;
    }
}

impl<K: Copy + Ord, V: Absorb + Default> Absorb for BTreeMap<K, V> {
    fn absorb(&mut self, other: &Self) {
        for (key, more) in other {
            self.entry(*key).or_default().absorb(more);
        }
    }
}

impl Absorb for FrameTimes {
    fn absorb(&mut self, other: &Self) {
        self.opening += other.opening;
        self.inflating += other.inflating;
        self.parsing += other.parsing;
    }
}

/// Declares [`Metrics`]. Each value has a kind:
///
/// - A `counter` remains after the session has ended, without its current parts.
/// - A `current` value is 0 after the session has ended.
/// - A `latest` value belongs to one session. A sum does not have it.
macro_rules! metrics {
    (
        $(#[$outer:meta])*
        pub struct $Metrics:ident {
            $($(#[$inner:meta])* $kind:ident $name:ident: $type:ty,)+
        }
    ) => {
        $(#[$outer])*
        pub struct $Metrics {
            $($(#[$inner])* pub $name: $type,)+
        }

        impl $Metrics {
            /// Adds the metrics of another session. The greatest depths become the maximum of both. The latest
            /// handshake and keep-alive time are cleared, because they belong to one session.
            pub fn absorb(&mut self, other: &Self) {
                $(metrics!(@absorb $kind self.$name, other.$name);)+
            }

            /// The metrics that remain after a session has ended: its counters and greatest depths.
            #[must_use]
            pub fn ended(mut self) -> Self {
                $(metrics!(@end $kind self.$name);)+
                self
            }
        }
    };
    (@absorb latest $value:expr, $other:expr) => { $value = None };
    (@absorb $kind:ident $value:expr, $other:expr) => { $value.absorb(&$other) };
    (@end counter $value:expr) => { $value.end() };
    (@end current $value:expr) => { $value = Default::default() };
    (@end latest $value:expr) => {};
}

metrics! {
    /// Metrics of a session: counters since its creation, and current values. Durations are in milliseconds.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct Metrics {
        /// Connections started.
        counter connections: u64,
        /// Successful logins.
        counter logins: u64,
        /// Reconnections, by the code of the ended connection.
        counter reconnects: BTreeMap<u16, u64>,
        /// Bytes received from the transport.
        counter bytes_in: u64,
        /// Bytes given to the transport.
        counter bytes_out: u64,
        /// Frames received.
        counter frames_in: u64,
        /// Frames sent.
        counter frames_out: u64,
        /// Stanzas received.
        counter stanzas_in: u64,
        /// Stanzas sent.
        counter stanzas_out: u64,
        /// Received stanzas that matched a watched pattern or answered a query of the user.
        counter stanzas_delivered: u64,
        /// Payloads that were not stanzas.
        counter malformed: u64,
        /// Queries that the user sent.
        counter queries: u64,
        /// Queries that the server answered with an error.
        counter queries_refused: u64,
        /// Queries without an answer in time.
        counter queries_timed_out: u64,
        /// Queries that the user cancelled.
        counter queries_cancelled: u64,
        /// Queries that ended with their connection.
        counter queries_closed: u64,
        /// Times from a query to its answer.
        counter query_latency: Histogram,
        /// Queries that are pending now, including the session's own.
        current queries_pending: usize,
        /// Keep-alive queries sent.
        counter pings: u64,
        /// Times from a keep-alive query to its answer.
        counter ping_rtt: Histogram,
        /// The latest of these times.
        #[serde(rename = "lastPingRttMs", skip_serializing_if = "Option::is_none")]
        latest last_ping_rtt: Option<Millis>,
        /// The latest handshake.
        #[serde(skip_serializing_if = "Option::is_none")]
        latest handshake: Option<HandshakeTime>,
        /// Handshake times, by kind.
        counter handshakes: BTreeMap<HandshakeKind, Histogram>,
        /// Time spent on inbound frames. Zero without a [`Stopwatch`](super::Stopwatch).
        #[serde(flatten)]
        counter work: FrameTimes,
        /// The outgoing queue.
        counter outgoing: QueueMetrics,
        /// The incoming queue.
        counter incoming: QueueMetrics,
        /// Number of times that reading was stopped.
        counter stalls: u64,
        /// Stalls of the user's thread.
        counter loop_stalls: LoopStalls,
        /// Memory of buffers in bytes, without the queues.
        #[serde(rename = "bufferBytes")]
        current buffers: usize,
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

impl Absorb for QueueMetrics {
    fn absorb(&mut self, other: &Self) {
        self.stanzas += other.stanzas;
        self.bytes += other.bytes;
        self.most_stanzas = self.most_stanzas.max(other.most_stanzas);
        self.most_bytes = self.most_bytes.max(other.most_bytes);
    }

    fn end(&mut self) {
        (self.stanzas, self.bytes) = (0, 0);
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
