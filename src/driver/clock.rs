//! The real clock and real randomness.

use std::{
    io,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ring::rand::{SecureRandom, SystemRandom};

use crate::session::{Entropy, Millis};

/// Tells the time of day as it was when the clock was made, and from there on as it passes: setting the system's clock
/// does not move deadlines.
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

    /// Milliseconds since 1970.
    pub(super) fn now(&self) -> Millis {
        self.at(Instant::now())
    }

    /// An instant in milliseconds since 1970.
    pub(super) fn at(&self, instant: Instant) -> Millis {
        let time = self.start_of_day + instant.saturating_duration_since(self.start);
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A clock for durations, in nanoseconds.
pub(super) fn stopwatch() -> impl Fn() -> u64 + Send {
    let start = Instant::now();
    move || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The system's random bytes.
pub(super) struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    pub(super) fn new() -> io::Result<Self> {
        let source = SystemRandom::new();
        source
            .fill(&mut [0; 1])
            .map_err(|_| io::Error::other("no randomness"))?;
        Ok(Self(source))
    }
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, out: &mut [u8]) {
        // A system that once had randomness does not run out of it; going on with known bytes is no option.
        while self.0.fill(out).is_err() {
            std::thread::yield_now();
        }
    }
}
