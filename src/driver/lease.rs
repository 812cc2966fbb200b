//! [`Lease`]: the time until which a session may hold a connection.

use std::time::{Duration, Instant, SystemTime};

/// The time until which a session may hold a connection, on two clocks. The lease has ended if it has ended on one of
/// them, because the monotonic clock stops while the machine is suspended, and the time of day can be set back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    instant: Instant,
    time: SystemTime,
}

impl Lease {
    /// A lease until a time of day. The time may be in the past.
    pub(super) fn until(time: SystemTime) -> Self {
        let left = time.duration_since(SystemTime::now()).unwrap_or_default();
        let now = Instant::now();
        Self {
            instant: now.checked_add(left).unwrap_or(now),
            time,
        }
    }

    /// The remaining time. `None` if the lease has ended.
    pub(super) fn left(&self) -> Option<Duration> {
        self.left_at(Instant::now(), SystemTime::now())
    }

    fn left_at(&self, instant: Instant, time: SystemTime) -> Option<Duration> {
        let monotonic = self.instant.checked_duration_since(instant)?;
        let of_day = self.time.duration_since(time).ok()?;
        Some(monotonic.min(of_day)).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_when_either_clock_says_so() {
        let (instant, time) = (Instant::now(), SystemTime::now());
        let second = Duration::from_secs(1);
        let lease = Lease {
            instant: instant + 2 * second,
            time: time + 2 * second,
        };
        assert_eq!(lease.left_at(instant, time), Some(2 * second));
        assert_eq!(lease.left_at(instant + second, time), Some(second));
        // Set back.
        assert_eq!(lease.left_at(instant + 2 * second, time - second), None);
        // Suspended.
        assert_eq!(lease.left_at(instant, time + 2 * second), None);
        assert_eq!(lease.left_at(instant, time + 3 * second), None);
    }

    #[test]
    fn a_time_that_is_past_has_ended() {
        assert_eq!(Lease::until(SystemTime::UNIX_EPOCH).left(), None);
        let hour = Duration::from_secs(3600);
        let left = Lease::until(SystemTime::now() + hour).left();
        assert!(left.is_some_and(|left| left <= hour && left > hour / 2), "{left:?}");
    }
}
