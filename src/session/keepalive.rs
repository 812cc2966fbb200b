//! When a link counts as dead.

use super::{Config, Millis};

/// Watches for silence.
///
/// Silence counts only while something is read: as long as the session itself does not read, the server cannot be
/// blamed for it. What arrives then waits in the kernel.
#[derive(Debug, Default)]
pub(super) struct KeepAlive {
    last_received: Millis,
}

impl KeepAlive {
    /// Something came in, or silence begins to count.
    pub(super) const fn heard(&mut self, now: Millis) {
        self.last_received = now;
    }

    /// When the link counts as dead, unless something comes in.
    pub(super) const fn deadline(&self, config: &Config) -> Millis {
        let longest = config.keep_alive_interval.get().saturating_add(config.keep_alive_grace);
        self.last_received.saturating_add(longest)
    }

    /// Whether the link is dead.
    pub(super) const fn is_dead(&self, now: Millis, config: &Config) -> bool {
        now >= self.deadline(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_after_interval_and_grace() {
        let config = Config::default();
        let mut keepalive = KeepAlive::default();
        keepalive.heard(1_000);
        assert_eq!(keepalive.deadline(&config), 36_000);
        assert!(!keepalive.is_dead(35_999, &config) && keepalive.is_dead(36_000, &config));
        keepalive.heard(20_000);
        assert!(!keepalive.is_dead(36_000, &config));
    }
}
