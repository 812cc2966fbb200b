//! When a connection counts as lost.

use super::{Config, Millis};

/// Detects silence of the server.
///
/// Silence only counts while the session reads. While it does not read, received data stays in the kernel.
#[derive(Debug, Default)]
pub(super) struct KeepAlive {
    last_received: Millis,
}

impl KeepAlive {
    /// Data was received, or reading has started again.
    pub(super) const fn heard(&mut self, now: Millis) {
        self.last_received = now;
    }

    /// The time at which the connection counts as lost if nothing is received.
    pub(super) const fn deadline(&self, config: &Config) -> Millis {
        Self::deadline_after(self.last_received, config)
    }

    /// As [`deadline`](Self::deadline), if nothing happens after `last`.
    pub(super) const fn deadline_after(last: Millis, config: &Config) -> Millis {
        let longest = config.keep_alive_interval.get().saturating_add(config.keep_alive_grace);
        last.saturating_add(longest)
    }

    /// Whether the connection counts as lost.
    pub(super) const fn is_dead(&self, now: Millis, config: &Config) -> bool {
        now >= self.deadline(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_dead_after_interval_and_grace() {
        let config = Config::default();
        let mut keepalive = KeepAlive::default();
        keepalive.heard(1_000);
        assert_eq!(keepalive.deadline(&config), 36_000);
        assert!(!keepalive.is_dead(35_999, &config) && keepalive.is_dead(36_000, &config));
        keepalive.heard(20_000);
        assert!(!keepalive.is_dead(36_000, &config));
    }
}
