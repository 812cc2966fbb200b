//! Random schedules of network, server, user and clock. In thousands of schedules, some properties must always hold. A
//! failure prints the shrunk steps and the seed.

mod checks;
mod run;
mod step;

use std::num::NonZero;

use baileys_native::session::{QueueLimits, SessionState};
use proptest::prelude::*;

use super::{harness::config, server::OnResume};
use run::Run;
use step::{Step, step};

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_repeated_or_out_of_order(
        resumes in prop::option::of(prop::sample::select(vec![
            OnResume::Accept,
            OnResume::Decline,
            OnResume::Garbage,
            OnResume::HangUp,
        ])),
        start in 0..4_usize,
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut config = config();
        config.resume = resumes.is_some();
        config.incoming = QueueLimits { stanzas: 6, bytes: 1 << 20, limit: 1 << 20 };
        config.outgoing = QueueLimits { stanzas: 8, bytes: 2_000, limit: 4_000 };
        config.max_queries = 6;
        config.socket_ping_interval = NonZero::new(25_000);
        let mut run = Run::new(config, resumes.unwrap_or(OnResume::Accept));
        // Most schedules start after the handshake, or after a login, some of them with an outgoing queue above its limit.
        let handshake = [Step::Connect, Step::Open, Step::Up(9), Step::Down(9999), Step::Up(9)];
        let login = [Step::LogIn, Step::Down(9999)];
        let (first, state): (Vec<&[Step]>, _) = match start {
            0 => (vec![], SessionState::Disconnected),
            1 => (vec![&handshake], SessionState::Authenticating),
            2 => (vec![&handshake, &login], SessionState::Connected),
            _ => (vec![&handshake, &[Step::Fill], &login], SessionState::Connected),
        };
        for step in first.concat() {
            run.step(&step);
        }
        assert_eq!(run.session.state(), state);
        for step in &steps {
            run.step(step);
        }
        run.finish();
    }
}
