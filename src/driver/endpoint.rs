//! The server that a session connects to.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::{sync::oneshot, time::timeout};

use super::connect_limiter::ConnectLimiter;
use crate::{failure::Failure, transport::ConnectOptions};

/// Where the options of one connection are sent to, or the reason why there is no connection. Any thread may send them.
pub type OptionsAnswer = oneshot::Sender<Result<ConnectOptions, Failure>>;

/// Asks the user for the options of one connection. The addresses of a name can change, and so can the proxy.
pub type AskOptions = Box<dyn Fn(OptionsAnswer) + Send + Sync>;

/// The server that a session connects to.
pub struct Endpoint {
    /// Called for each connection.
    pub ask: AskOptions,
    /// Decides when a connection may be opened. `None` means at once.
    pub limiter: Option<Arc<ConnectLimiter>>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("limiter", &self.limiter)
            .finish_non_exhaustive()
    }
}

/// Time limit for the answer of the user. The session has its own, shorter timeout and then ignores the answer. This
/// timeout only frees the memory of the attempt.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

impl Endpoint {
    /// The options for one connection. `routing` is added to the query of the request (source: Baileys 7.0.0-rc14,
    /// `socket`).
    pub(super) async fn connect_options(&self, routing: Option<&[u8]>) -> Result<ConnectOptions, Failure> {
        let (answer, answered) = oneshot::channel();
        (self.ask)(answer);
        let Ok(Ok(answer)) = timeout(ANSWER_TIMEOUT, answered).await else {
            return Err(Failure::new("the connection was not prepared"));
        };
        let mut options = answer?;
        if let Some(info) = routing.filter(|_| options.tls.is_some()) {
            add_routing(&mut options.target, info);
        }
        Ok(options)
    }
}

fn add_routing(target: &mut String, info: &[u8]) {
    target.push(if target.contains('?') { '&' } else { '?' });
    target.push_str("ED=");
    target.push_str(&URL_SAFE_NO_PAD.encode(info));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routing_is_added_to_an_existing_query() {
        let routed = |target: &str| {
            let mut target = target.to_owned();
            add_routing(&mut target, &[251, 255, 1]);
            target
        };
        assert_eq!(routed("/ws/chat"), "/ws/chat?ED=-_8B");
        assert_eq!(routed("/ws/chat?a=b"), "/ws/chat?a=b&ED=-_8B");
    }
}
