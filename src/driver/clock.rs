//! The system's clock and random numbers.

use std::{
    io,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ring::rand::{SecureRandom, SystemRandom};

use crate::session::{Entropy, Millis};

/// The time of day at creation plus the monotonic time since then. A later change of the system's clock does not move
/// deadlines.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    start_of_day: Duration,
}

impl Clock {
    pub(super) fn new() -> Self {
        let start_of_day = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            start: Instant::now(),
            start_of_day,
        }
    }

    /// The current time in milliseconds since 1970.
    pub(super) fn now(&self) -> Millis {
        self.at(Instant::now())
    }

    /// Converts an instant to milliseconds since 1970.
    pub(super) fn at(&self, instant: Instant) -> Millis {
        let time = self.start_of_day + instant.saturating_duration_since(self.start);
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A monotonic clock in nanoseconds. The origin is the time of this call.
pub(super) fn stopwatch() -> impl Fn() -> u64 + Send {
    let start = Instant::now();
    move || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Random bytes from the operating system.
pub(super) struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    pub(super) fn new() -> io::Result<Self> {
        let source = SystemRandom::new();
        source
            .fill(&mut [0; 1])
            .map_err(|_| io::Error::other("the system's random number generator failed"))?;
        Ok(Self(source))
    }
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, out: &mut [u8]) {
        // Retries, because a working generator is not expected to fail, and constant bytes would be insecure.
        while self.0.fill(out).is_err() {
            std::thread::yield_now();
        }
    }
}
