//! The server that a session connects to.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{connect_limiter::ConnectLimiter, lookup::lookup};
use crate::{
    failure::Failure,
    transport::{ConnectOptions, TransportError},
};

/// The server that a session connects to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The host name or address of the server, or of the proxy if `options` has one.
    pub host: String,
    /// The port of the server or the proxy.
    pub port: u16,
    /// All other options. `addresses` is ignored, because the name is resolved for each connection.
    pub options: ConnectOptions,
    /// Decides when a connection may be opened. `None` means at once.
    pub limiter: Option<Arc<ConnectLimiter>>,
}

/// Time limit for a name lookup.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(30);

impl Endpoint {
    /// The options for one connection. The host name is resolved again, because its addresses can change. `routing` is
    /// added to the query of the request (source: Baileys 7.0.0-rc14, `socket`).
    pub(super) async fn resolve(&self, routing: Option<&[u8]>) -> Result<ConnectOptions, Failure> {
        let mut options = self.options.clone();
        options.addresses = self
            .addresses()
            .await
            .map_err(|error| lookup_failure(&self.host, &error))?;
        if let Some(proxy) = options.proxy.as_mut().filter(|proxy| proxy.lookup_target) {
            let found = lookup(&proxy.host, proxy.port).await;
            let found = found.map_err(|error| lookup_failure(&proxy.host, &error))?;
            if let Some(address) = found.first() {
                proxy.host = address.ip().to_string();
            }
        }
        if let Some(info) = routing.filter(|_| options.tls.is_some()) {
            add_routing(&mut options.target, info);
        }
        Ok(options)
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, Arc<io::Error>> {
        // The session has its own, shorter timeout and then ignores this lookup. This timeout only frees the memory of
        // the attempt.
        tokio::time::timeout(LOOKUP_TIMEOUT, lookup(&self.host, self.port))
            .await
            .map_err(|_| Arc::new(io::Error::from(io::ErrorKind::TimedOut)))?
    }
}

/// The error of Node's `dns.lookup`.
fn lookup_failure(host: &str, error: &io::Error) -> Failure {
    /// The errors of `getaddrinfo`: the code of Node.js, and the number of libuv.
    const TRY_AGAIN: (&str, i32) = ("EAI_AGAIN", -3001);
    const NO_NAME: (&str, i32) = ("ENOTFOUND", -3008);
    if error.kind() == io::ErrorKind::TimedOut {
        return Failure::lookup(host, TRY_AGAIN);
    }
    // The standard library keeps only the text of the resolver's errors.
    let text = error.to_string();
    if text.starts_with("failed to lookup address information") {
        return Failure::lookup(host, if text.contains("emporary") { TRY_AGAIN } else { NO_NAME });
    }
    let source = match error.raw_os_error() {
        Some(errno) => io::Error::from_raw_os_error(errno),
        None => io::Error::new(error.kind(), text),
    };
    let syscall = "getaddrinfo";
    TransportError::Io { syscall, source }.describe()
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
