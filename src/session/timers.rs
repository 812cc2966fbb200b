//! The timers of a session. Timeouts of queries are in [`Queries`](super::queries::Queries).

use super::Millis;

/// A timer. At most one timer of each kind is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// The transport must be open by this time. Once it is open, the server's handshake message must be received by a
    /// new time.
    Connect,
    /// The next keep-alive query is due.
    KeepAlive,
    /// Data must have been received by this time.
    Silence,
    /// The outgoing queue is above its limit. The transport must have taken a stanza by this time.
    Backlog,
    /// The next WebSocket ping is due.
    SocketPing,
    /// The current QR code expires.
    Qr,
    /// The planned reconnection is due.
    Reconnect,
    /// A closing connection must be closed.
    Close,
}

const COUNT: usize = 8;

impl Timer {
    const ALL: [Self; COUNT] = [
        Self::Connect,
        Self::KeepAlive,
        Self::Silence,
        Self::Backlog,
        Self::SocketPing,
        Self::Qr,
        Self::Reconnect,
        Self::Close,
    ];
}

/// The deadlines of the running timers, by kind.
#[derive(Debug, Default)]
pub(super) struct Timers([Option<Millis>; COUNT]);

impl Timers {
    /// Starts or restarts a timer.
    pub(super) fn set(&mut self, timer: Timer, at: Millis) {
        if let Some(place) = self.0.get_mut(timer as usize) {
            *place = Some(at);
        }
    }

    /// Whether a timer is running.
    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.0.get(timer as usize).is_some_and(Option::is_some)
    }

    /// Stops a timer. Returns true if it was running.
    pub(super) fn stop(&mut self, timer: Timer) -> bool {
        self.0.get_mut(timer as usize).and_then(Option::take).is_some()
    }

    /// Stops all timers.
    pub(super) fn clear(&mut self) {
        self.0 = [None; COUNT];
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Millis> {
        self.0.iter().flatten().min().copied()
    }

    /// Removes and returns the earliest timer that has expired.
    pub(super) fn take_expired(&mut self, now: Millis) -> Option<Timer> {
        let at = self.next().filter(|at| *at <= now)?;
        let timer = Timer::ALL
            .into_iter()
            .find(|timer| self.0.get(*timer as usize) == Some(&Some(at)))?;
        self.stop(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_expire_in_order_and_once() {
        let mut timers = Timers::default();
        timers.set(Timer::Qr, 30);
        timers.set(Timer::Close, 10);
        timers.set(Timer::Connect, 20);
        timers.set(Timer::Connect, 25);
        timers.set(Timer::Silence, 5);
        timers.stop(Timer::Silence);
        assert_eq!(timers.next(), Some(10));
        assert_eq!(timers.take_expired(9), None);
        assert_eq!(timers.take_expired(25), Some(Timer::Close));
        assert_eq!(timers.take_expired(25), Some(Timer::Connect));
        assert_eq!(timers.take_expired(25), None);
        timers.clear();
        assert_eq!(timers.next(), None);
    }
}
