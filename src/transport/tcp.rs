//! Makes TCP connections to addresses, and sets their options.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};

use super::options::{ConnectOptions, KeepAliveProbes};

/// Time for one address before the next one is tried. It is Node's default of
/// `net.getDefaultAutoSelectFamilyAttemptTimeout()`.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(250);

/// The time between two keep-alive probes. It is the value of libuv.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// The connection is closed after this number of unanswered keep-alive probes. It is the value of libuv.
const PROBES: u32 = 10;

/// The endpoints of a TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpEndpoints {
    /// The address of this machine.
    pub local: SocketAddr,
    /// The address of the peer, or of the proxy if there is one.
    pub peer: SocketAddr,
}

/// A failed connection attempt.
#[derive(Debug)]
pub struct FailedAttempt {
    /// The address and port.
    pub address: SocketAddr,
    /// The operating system's error.
    pub source: io::Error,
}

/// Tries the addresses in order.
///
/// # Errors
/// Fails with one entry per address if no address accepts the connection.
pub(super) async fn connect_tcp(options: &ConnectOptions) -> Result<TcpStream, Vec<FailedAttempt>> {
    let mut failed = Vec::new();
    let mut addresses = options.addresses.iter().copied().peekable();
    while let Some(address) = addresses.next() {
        let attempt = connect_address(address, options);
        let result = if addresses.peek().is_some() {
            let late = |_| Err(io::ErrorKind::TimedOut.into());
            tokio::time::timeout(ATTEMPT_TIMEOUT, attempt)
                .await
                .unwrap_or_else(late)
        } else {
            attempt.await
        };
        match result {
            Ok(stream) => {
                // Baileys sends small frames and waits for answers, so Nagle's algorithm would delay them. If the
                // option cannot be set, the connection is already lost, and the first write reports it.
                let _ = stream.set_nodelay(true);
                if options.probes.is_some() {
                    let _ = set_probes(&stream, options.probes);
                }
                return Ok(stream);
            }
            Err(source) => failed.push(FailedAttempt { address, source }),
        }
    }
    Err(failed)
}

async fn connect_address(address: SocketAddr, options: &ConnectOptions) -> io::Result<TcpStream> {
    let Some(local) = options.local_address else {
        return TcpStream::connect(address).await;
    };
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.bind(SocketAddr::new(local, 0))?;
    socket.connect(address).await
}

/// Starts the keep-alive probes of a connection, or stops them.
///
/// # Errors
/// If the operating system refuses.
pub(super) fn set_probes(stream: &TcpStream, probes: Option<KeepAliveProbes>) -> io::Result<()> {
    let socket = SockRef::from(stream);
    match probes {
        None => socket.set_keepalive(false),
        Some(KeepAliveProbes { idle }) if idle.is_zero() => socket.set_keepalive(true),
        Some(KeepAliveProbes { idle }) => {
            let settings = TcpKeepalive::new()
                .with_time(idle)
                .with_interval(PROBE_INTERVAL)
                .with_retries(PROBES);
            socket.set_tcp_keepalive(&settings)
        }
    }
}

/// The endpoints of a connection.
///
/// # Errors
/// If the operating system does not know them any more.
pub(super) fn endpoints(stream: &TcpStream) -> io::Result<TcpEndpoints> {
    Ok(TcpEndpoints {
        local: stream.local_addr()?,
        peer: stream.peer_addr()?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use socket2::SockRef;
    use tokio::net::{TcpListener, TcpStream};

    use super::{KeepAliveProbes, PROBE_INTERVAL, PROBES, endpoints, set_probes};

    #[test]
    fn keep_alive_probes_equal_those_of_libuv() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let stream = TcpStream::connect(address).await.unwrap();
            let socket = SockRef::from(&stream);
            assert!(!socket.keepalive().unwrap());
            let seven = KeepAliveProbes {
                idle: Duration::from_secs(7),
            };
            set_probes(&stream, Some(seven)).unwrap();
            assert!(socket.keepalive().unwrap());
            #[cfg(target_os = "linux")]
            {
                assert_eq!(socket.tcp_keepalive_time().unwrap(), seven.idle);
                assert_eq!(socket.tcp_keepalive_interval().unwrap(), PROBE_INTERVAL);
                assert_eq!(socket.tcp_keepalive_retries().unwrap(), PROBES);
            }
            set_probes(&stream, None).unwrap();
            assert!(!socket.keepalive().unwrap());
            let system = KeepAliveProbes { idle: Duration::ZERO };
            set_probes(&stream, Some(system)).unwrap();
            assert!(socket.keepalive().unwrap());
            let endpoints = endpoints(&stream).unwrap();
            assert_eq!((endpoints.peer, endpoints.local.ip()), (address, address.ip()));
        });
    }
}
