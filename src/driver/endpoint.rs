//! The server that a session connects to.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::{sync::oneshot, time::timeout};

use super::connect_limiter::ConnectLimiter;
use crate::{failure::Failure, transport::ConnectOptions};

/// Where the options of one connection are sent to, or the reason why there is no connection. Any thread may send them.
pub type OptionsAnswer = oneshot::Sender<Result<ConnectOptions, Failure>>;

/// Where the options of the connections come from.
pub enum OptionsSource {
    /// All connections have the same options.
    Same(Box<ConnectOptions>),
    /// The user is asked for the options of each connection. The addresses of a name can change, and so can the proxy.
    Asked(Box<dyn Fn(OptionsAnswer) + Send + Sync>),
}

impl fmt::Debug for OptionsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same(options) => f.debug_tuple("Same").field(options).finish(),
            Self::Asked(_) => f.debug_tuple("Asked").finish_non_exhaustive(),
        }
    }
}

/// The server that a session connects to.
#[derive(Debug)]
pub struct Endpoint {
    /// The options of the connections.
    pub options: OptionsSource,
    /// Decides when a connection may be opened. `None` means at once.
    pub limiter: Option<Arc<ConnectLimiter>>,
}

/// Time limit for the answer of the user. The session has its own, shorter timeout and then ignores the answer. This
/// timeout only frees the memory of the attempt.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

impl Endpoint {
    /// The options for one connection. `routing` is added to the query of the request (source: Baileys 7.0.0-rc14,
    /// `socket`).
    pub(super) async fn connect_options(&self, routing: Option<&[u8]>) -> Result<ConnectOptions, Failure> {
        let mut options = match &self.options {
            OptionsSource::Same(options) => (**options).clone(),
            OptionsSource::Asked(ask) => {
                let (answer, answered) = oneshot::channel();
                ask(answer);
                match timeout(ANSWER_TIMEOUT, answered).await {
                    Ok(Ok(options)) => options?,
                    Ok(Err(_)) | Err(_) => return Err(Failure::new("the connection was not prepared")),
                }
            }
        };
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
