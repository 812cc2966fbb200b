//! [`Lease`]: the time until which sessions may be connected. [`Leases`]: the leases of a process by their ids.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant, SystemTime},
};

/// The time until which the sessions that share it may be connected. Any thread can renew it.
///
/// A lease that has ended cannot be renewed, so every session sees the end, also one that was not running at that time.
#[derive(Debug)]
pub struct Lease(Mutex<Option<End>>);

/// A point in time on two clocks. It is reached if it is reached on one of them, because the monotonic clock stops
/// while the machine is suspended, and the time of day can be set back.
#[derive(Clone, Copy, Debug)]
struct End {
    instant: Instant,
    time: SystemTime,
}

impl Lease {
    /// A lease until a time of day. The time may be in the past.
    #[must_use]
    pub fn until(time: SystemTime) -> Self {
        Self(Mutex::new(Some(End::at(time))))
    }

    /// Moves the end to `time`, unless it is later already. Returns false if the lease has ended.
    pub fn renew(&self, time: SystemTime) -> bool {
        let mut end = self.current();
        let Some(current) = end.as_mut() else { return false };
        if time > current.time {
            *current = End::at(time);
        }
        true
    }

    /// The end. `None` if the lease has ended.
    pub fn end(&self) -> Option<SystemTime> {
        self.current().map(|end| end.time)
    }

    /// The remaining time. `None` if the lease has ended.
    pub(super) fn left(&self) -> Option<Duration> {
        self.current()
            .and_then(|end| end.left_at(Instant::now(), SystemTime::now()))
    }

    /// The end, which is `None` from the first call on that finds it reached.
    fn current(&self) -> MutexGuard<'_, Option<End>> {
        let mut end = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        end.take_if(|end| end.left_at(Instant::now(), SystemTime::now()).is_none());
        end
    }
}

impl End {
    fn at(time: SystemTime) -> Self {
        let left = time.duration_since(SystemTime::now()).unwrap_or_default();
        let now = Instant::now();
        Self {
            instant: now.checked_add(left).unwrap_or(now),
            time,
        }
    }

    fn left_at(&self, instant: Instant, time: SystemTime) -> Option<Duration> {
        let monotonic = self.instant.checked_duration_since(instant)?;
        let of_day = self.time.duration_since(time).ok()?;
        Some(monotonic.min(of_day)).filter(|left| !left.is_zero())
    }
}

/// The leases of a process by their ids. It does not keep them alive.
#[derive(Debug)]
pub struct Leases(Mutex<LeasesById>);

#[derive(Debug)]
struct LeasesById {
    /// The last id. Ids are not used again.
    last: u32,
    leases: BTreeMap<u32, Weak<Lease>>,
}

impl Leases {
    /// No leases.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(LeasesById {
            last: 0,
            leases: BTreeMap::new(),
        }))
    }

    /// Adds a lease and returns its id. Removes the ids of leases that no longer exist.
    pub fn add(&self, lease: &Arc<Lease>) -> u32 {
        let mut by_id = self.lock();
        by_id.last = by_id.last.wrapping_add(1);
        let id = by_id.last;
        by_id.leases.retain(|_, lease| lease.strong_count() > 0);
        by_id.leases.insert(id, Arc::downgrade(lease));
        id
    }

    /// The lease with this id. `None` if there is none, or if it no longer exists.
    pub fn with_id(&self, id: u32) -> Option<Arc<Lease>> {
        self.lock().leases.get(&id)?.upgrade()
    }

    fn lock(&self) -> MutexGuard<'_, LeasesById> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Leases {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_lease_ends_by_the_earlier_of_two_clocks() {
        let (instant, time) = (Instant::now(), SystemTime::now());
        let second = Duration::from_secs(1);
        let end = End {
            instant: instant + 2 * second,
            time: time + 2 * second,
        };
        assert_eq!(end.left_at(instant, time), Some(2 * second));
        assert_eq!(end.left_at(instant + second, time), Some(second));
        // Set back.
        assert_eq!(end.left_at(instant + 2 * second, time - second), None);
        // Suspended.
        assert_eq!(end.left_at(instant, time + 2 * second), None);
        assert_eq!(end.left_at(instant, time + 3 * second), None);
    }

    #[test]
    fn a_lease_that_has_ended_stays_ended() {
        let lease = Lease::until(SystemTime::UNIX_EPOCH);
        assert!(!lease.renew(SystemTime::now() + HOUR));
        assert_eq!((lease.left(), lease.end()), (None, None));
    }

    #[test]
    fn a_lease_has_its_id_as_long_as_it_exists() {
        let leases = Leases::new();
        let [first, second] = [(); 2].map(|()| Arc::new(Lease::until(SystemTime::now() + HOUR)));
        let [first_id, second_id] = [&first, &second].map(|lease| leases.add(lease));
        assert!(Arc::ptr_eq(&leases.with_id(first_id).unwrap(), &first));
        assert!(Arc::ptr_eq(&leases.with_id(second_id).unwrap(), &second));
        drop(first);
        assert!(leases.with_id(first_id).is_none());
        let third_id = leases.add(&second);
        assert!(![first_id, second_id].contains(&third_id));
        assert_eq!(leases.lock().leases.len(), 2);
    }

    #[test]
    fn a_renewal_moves_the_end_only_to_a_later_time() {
        let now = SystemTime::now();
        let lease = Lease::until(now + HOUR);
        assert!(lease.renew(now + HOUR / 2));
        assert_eq!(lease.end(), Some(now + HOUR));
        assert!(lease.renew(now + 2 * HOUR));
        assert_eq!(lease.end(), Some(now + 2 * HOUR));
        assert!(lease.left().is_some_and(|left| left <= 2 * HOUR && left > HOUR));
    }
}
