//! Decides whether and when to reconnect.

use super::{EndReason, Millis, ReconnectClass, ReconnectConfig};

/// The action after a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconnectPlan {
    /// Reconnect after a delay.
    Retry {
        /// Number of this attempt since the last login; the first is 1.
        attempt: u32,
        /// The delay in milliseconds.
        delay: Millis,
    },
    /// Do not reconnect.
    Stop,
}

/// Counts attempts and plans the next attempt.
#[derive(Debug, Default)]
pub(super) struct Reconnect {
    attempts: u32,
}

impl Reconnect {
    /// Resets the number of attempts, for example after a login.
    pub(super) fn succeeded(&mut self) {
        self.attempts = 0;
    }

    /// Plans the action after an end. `random` must be uniformly distributed.
    pub(super) fn plan(&mut self, config: Option<&ReconnectConfig>, reason: &EndReason, random: u64) -> ReconnectPlan {
        let Some(config) = config.filter(|_| !reason.is_intended()) else {
            return ReconnectPlan::Stop;
        };
        let code = reason.code();
        let chosen = config.classes.iter().find(|(of, _)| *of == code);
        let class = chosen.map_or_else(|| ReconnectClass::of(code), |(_, class)| *class);
        if class == ReconnectClass::Final || config.attempts.is_some_and(|most| self.attempts >= most) {
            return ReconnectPlan::Stop;
        }
        // The server can request one immediate restart. If it requests a restart again before a login, the delay
        // applies.
        let immediate = class == ReconnectClass::Immediate && self.attempts == 0;
        let delay = if immediate {
            0
        } else {
            full_jitter(config, self.attempts, random)
        };
        self.attempts = self.attempts.saturating_add(1);
        ReconnectPlan::Retry {
            attempt: self.attempts,
            delay,
        }
    }

    /// Plans an immediate attempt. It is used if the cause of the failure is removed.
    pub(super) fn retry_now(&mut self) -> ReconnectPlan {
        self.attempts = self.attempts.saturating_add(1);
        ReconnectPlan::Retry {
            attempt: self.attempts,
            delay: 0,
        }
    }
}

/// A random delay between 0 and a bound ("full jitter"). The bound doubles with each attempt. The randomness avoids
/// that many clients reconnect at the same time.
fn full_jitter(config: &ReconnectConfig, attempts: u32, random: u64) -> Millis {
    let factor = 1_u64.checked_shl(attempts).unwrap_or(u64::MAX);
    let bound = config.base.saturating_mul(factor).min(config.max);
    let scaled = (u128::from(random) * (u128::from(bound) + 1)) >> 64;
    u64::try_from(scaled).unwrap_or(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        for code in [401, 403, 440, 500, 411, 400, 402, 405] {
            assert_eq!(ReconnectClass::of(code), ReconnectClass::Final, "{code}");
        }
        for code in [408, 428, 503, 429, 502] {
            assert_eq!(ReconnectClass::of(code), ReconnectClass::Backoff, "{code}");
        }
        assert_eq!(ReconnectClass::of(515), ReconnectClass::Immediate);
    }

    #[test]
    fn delays_double_up_to_the_bound_and_start_over_after_a_login() {
        let config = ReconnectConfig {
            attempts: Some(9),
            ..Default::default()
        };
        let mut reconnect = Reconnect::default();
        let mut longest = || match reconnect.plan(Some(&config), &EndReason::Silence, u64::MAX) {
            ReconnectPlan::Retry { delay, .. } => Some(delay),
            ReconnectPlan::Stop => None,
        };
        let delays: Vec<_> = std::iter::from_fn(&mut longest).take(20).collect();
        assert_eq!(delays, [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000]);
        reconnect.succeeded();
        assert_eq!(
            reconnect.plan(Some(&config), &EndReason::Silence, 1 << 63),
            ReconnectPlan::Retry { attempt: 1, delay: 500 }
        );
        assert_eq!(
            reconnect.plan(Some(&config), &EndReason::Silence, 0),
            ReconnectPlan::Retry { attempt: 2, delay: 0 }
        );
    }

    #[test]
    fn restarts_at_once_but_not_forever() {
        let config = ReconnectConfig::default();
        let restart = EndReason::Stream {
            reason: "restart required".into(),
            code: 515,
        };
        let mut reconnect = Reconnect::default();
        assert_eq!(
            reconnect.plan(Some(&config), &restart, u64::MAX),
            ReconnectPlan::Retry { attempt: 1, delay: 0 }
        );
        assert_eq!(
            reconnect.plan(Some(&config), &restart, u64::MAX),
            ReconnectPlan::Retry {
                attempt: 2,
                delay: 2000
            }
        );
    }

    #[test]
    fn requested_ends_and_a_missing_policy_stop_reconnection() {
        let config = ReconnectConfig {
            classes: vec![(428, ReconnectClass::Immediate), (408, ReconnectClass::Final)],
            ..Default::default()
        };
        let mut reconnect = Reconnect::default();
        assert_eq!(
            reconnect.plan(Some(&config), &EndReason::Requested, 0),
            ReconnectPlan::Stop
        );
        assert_eq!(reconnect.plan(None, &EndReason::Silence, 0), ReconnectPlan::Stop);
        assert_eq!(
            reconnect.plan(Some(&config), &EndReason::Silence, 0),
            ReconnectPlan::Stop
        );
        assert_eq!(
            reconnect.plan(Some(&config), &EndReason::StreamEnd, u64::MAX),
            ReconnectPlan::Retry { attempt: 1, delay: 0 }
        );
    }
}
