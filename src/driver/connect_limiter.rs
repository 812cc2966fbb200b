//! [`ConnectLimiter`]: how often sessions may open a connection.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Limits the rate at which sessions that share it open connections. After a pause, a burst can connect at once.
///
/// A token bucket in the form of GCRA: each request gets its waiting time at once. Therefore requests keep their order,
/// and no polling is needed.
#[derive(Debug)]
pub struct ConnectLimiter(Mutex<Bucket>);

#[derive(Debug)]
struct Bucket {
    /// The time between two connections.
    interval: Duration,
    /// The number of connections that can be opened at once.
    burst: u32,
    /// The time of the next connection without a burst. `None` before the first request.
    next: Option<Instant>,
}

/// The lowest rate, in connections per second.
const SLOWEST: f64 = 1e-6;

fn interval(per_second: f64) -> Duration {
    // The maximum replaces zero and NaN, so the result is finite.
    Duration::from_secs_f64(1.0 / per_second.max(SLOWEST))
}

impl ConnectLimiter {
    /// `per_second` is the rate in connections per second. `burst` is the number of connections at once, at least 1.
    #[must_use]
    pub fn new(per_second: f64, burst: u32) -> Self {
        Self(Mutex::new(Bucket {
            interval: interval(per_second),
            burst: burst.max(1),
            next: None,
        }))
    }

    /// Changes the rate for later requests.
    pub fn set_rate(&self, per_second: f64) {
        self.lock().interval = interval(per_second);
    }

    /// Requests a connection. Returns the time to wait before it is opened.
    pub(super) fn reserve(&self) -> Duration {
        self.lock().reserve(Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn reserve(&mut self, now: Instant) -> Duration {
        let next = self.next.map_or(now, |next| next.max(now));
        self.next = next.checked_add(self.interval);
        let ahead = self.interval.saturating_mul(self.burst - 1);
        next.saturating_duration_since(now).saturating_sub(ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(100);

    fn bucket(burst: u32) -> Bucket {
        Bucket {
            interval: INTERVAL,
            burst,
            next: None,
        }
    }

    #[test]
    fn connections_after_a_burst_have_the_rate() {
        let (mut bucket, now) = (bucket(3), Instant::now());
        let waits: Vec<_> = (0..6).map(|_| bucket.reserve(now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200, 300]);
        // 500 ms later: the sixth connection is due now, so two of the burst of three are free.
        let later = now + 5 * INTERVAL;
        assert_eq!(bucket.reserve(later).as_millis(), 0);
        assert_eq!(bucket.reserve(later).as_millis(), 0);
        assert_eq!(bucket.reserve(later).as_millis(), 100);
    }

    #[test]
    fn a_pause_allows_one_burst_only() {
        let (mut bucket, now) = (bucket(2), Instant::now());
        let later = now + 1000 * INTERVAL;
        let waits: Vec<_> = (0..4).map(|_| bucket.reserve(later).as_millis()).collect();
        assert_eq!(waits, [0, 0, 100, 200]);
    }

    #[test]
    fn a_new_rate_applies_to_later_connections() {
        let limiter = ConnectLimiter::new(10.0, 0);
        assert_eq!(limiter.lock().burst, 1);
        limiter.set_rate(1000.0);
        let now = Instant::now();
        let mut bucket = limiter.lock();
        assert_eq!(
            [bucket.reserve(now), bucket.reserve(now)].map(|wait| wait.as_millis()),
            [0, 1]
        );
        assert!(interval(f64::NAN) > Duration::from_secs(1000) && interval(0.0) < Duration::MAX);
    }
}
