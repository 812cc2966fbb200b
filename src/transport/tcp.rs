//! TCP connections.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

use super::options::ConnectOptions;

/// Time for one address before the next one is tried. It is Node's default of
/// `net.getDefaultAutoSelectFamilyAttemptTimeout()`.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(250);

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
