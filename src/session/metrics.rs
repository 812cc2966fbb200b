//! Counters of a session.

use std::collections::BTreeMap;

use super::{Millis, Work};

/// How a handshake went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

    fn absorb(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket += more;
        }
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
    }
}

/// Times in which events waited long for their user, whose thread was busy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoopStalls {
    /// How many.
    pub count: u64,
    /// Their sum, in milliseconds.
    pub sum: Millis,
    /// The longest.
    pub longest: Millis,
}

impl LoopStalls {
    /// How long events have to wait for that to count, in milliseconds.
    pub const LEAST: Millis = 1_000;

    /// Events have waited so long; says whether that counts.
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
    /// The times of all handshakes, by kind.
    pub handshakes: BTreeMap<HandshakeKind, Histogram>,
    /// Where the time for what came in went; nothing without a [`Stopwatch`](super::Stopwatch).
    pub work: Work,
    /// The outgoing queue.
    pub outgoing: QueueMetrics,
    /// The incoming queue.
    pub incoming: QueueMetrics,
    /// How often reading was suspended.
    pub stalls: u64,
    /// Times in which the user did not come for his events.
    pub loop_stalls: LoopStalls,
    /// Bytes of memory held by buffers, queues aside.
    pub buffers: usize,
}

impl Metrics {
    /// Adds what another session counted and holds; of greatest depths the greatest. The latest handshake and keep-alive
    /// are nobody's then.
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

    /// What is left of a session that has ended: its counters and greatest depths.
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
    fn sums_keep_counters_and_greatest_depths() {
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
            handshake: Some((HandshakeKind::Xx, 1)),
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
