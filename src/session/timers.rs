//! What a session waits for, and until when. (Queries have deadlines of their own.)

use super::Millis;

/// A deadline of a session. At most one of each kind runs at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// The transport must be open, then the server's part of the handshake be there.
    Connect,
    /// The next keep-alive query is due.
    KeepAlive,
    /// By now something must have come in.
    Silence,
    /// The next WebSocket ping is due.
    SocketPing,
    /// The QR code that is shown expires.
    Qr,
    /// The next connection is due.
    Reconnect,
    /// A connection that is closing must be closed.
    Close,
}

const COUNT: usize = 7;

impl Timer {
    const ALL: [Self; COUNT] = [
        Self::Connect,
        Self::KeepAlive,
        Self::Silence,
        Self::SocketPing,
        Self::Qr,
        Self::Reconnect,
        Self::Close,
    ];
}

/// The deadlines that run.
#[derive(Debug, Default)]
pub(super) struct Timers([Option<Millis>; COUNT]);

impl Timers {
    /// Starts a timer, or starts it anew.
    pub(super) fn set(&mut self, timer: Timer, at: Millis) {
        if let Some(place) = self.0.get_mut(timer as usize) {
            *place = Some(at);
        }
    }

    /// Stops a timer; says whether it ran.
    pub(super) fn stop(&mut self, timer: Timer) -> bool {
        self.0.get_mut(timer as usize).and_then(Option::take).is_some()
    }

    /// Stops all.
    pub(super) fn clear(&mut self) {
        self.0 = [None; COUNT];
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Millis> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes the earliest timer that has expired.
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
    fn expire_in_order_and_once() {
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
