//! Encoding and decoding of SOCKS: version 4 with the extension 4a (Y. Lee's memoranda), and version 5 (RFC 1928) with
//! user name and password (RFC 1929). The only command is `CONNECT`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use zeroize::Zeroizing;

use super::super::secret::Secret;
use super::error::ProxyError;
use super::options::{Proxy, ProxyProtocol};

const VERSION_4: u8 = 4;
const VERSION_5: u8 = 5;
/// The version of the sub-negotiation for user name and password.
const AUTHENTICATION_VERSION: u8 = 1;
const CONNECT: u8 = 1;

const METHOD_NONE: u8 = 0;
const METHOD_PASSWORD: u8 = 2;
const METHOD_UNACCEPTABLE: u8 = 255;

const ADDRESS_IPV4: u8 = 1;
const ADDRESS_NAME: u8 = 3;
const ADDRESS_IPV6: u8 = 4;

const GRANTED_4: u8 = 90;
const GRANTED_5: u8 = 0;
/// SOCKS 4a: this invalid address says that a host name follows.
const NAME_FOLLOWS: Ipv4Addr = Ipv4Addr::new(0, 0, 0, 1);

/// Length of an answer of version 4 in bytes.
const ANSWER_4: usize = 8;
/// Length of the fixed part of a version 5 reply in bytes. The last byte is the first byte of the address, which is the
/// length if the address is a name.
const REPLY_HEAD: usize = 5;
const PORT: usize = 2;
/// Maximum of [`Handshake::wanted`]: the rest of a name.
pub(super) const MAX_ANSWER: usize = u8::MAX as usize + PORT;

/// The next expected answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExpectedAnswer {
    Version4,
    Greeting,
    Authentication,
    Reply,
    /// The rest of the proxy's bound address. The field is its length in bytes. The address is ignored.
    Bound(usize),
    Established,
}

/// A handshake. [`poll_transmit`](Self::poll_transmit) returns the bytes to send. [`wanted`](Self::wanted) is the
/// number of bytes to read after that and to give to [`handle_answer`](Self::handle_answer). It is 0 when the
/// connection is granted. An error ends the handshake.
pub(super) struct Handshake<'p> {
    proxy: &'p Proxy,
    credentials: Option<(&'p [u8], &'p [u8])>,
    state: ExpectedAnswer,
    outgoing: Option<Zeroizing<Vec<u8>>>,
}

impl<'p> Handshake<'p> {
    /// # Errors
    /// Fails if the credentials or the target are too long for the protocol.
    pub(super) fn new(proxy: &'p Proxy) -> Result<Self, ProxyError> {
        if proxy.host.is_empty() || proxy.host.len() > usize::from(u8::MAX) || proxy.host.contains('\0') {
            return Err(ProxyError::Destination);
        }
        let (state, outgoing, credentials) = match &proxy.protocol {
            ProxyProtocol::Socks4(user) => (ExpectedAnswer::Version4, request_4(proxy, user)?, None),
            ProxyProtocol::Socks5(None) => (ExpectedAnswer::Greeting, vec![VERSION_5, 1, METHOD_NONE].into(), None),
            ProxyProtocol::Socks5(Some((user, password))) => {
                let credentials = (user.expose().as_bytes(), password.expose().as_bytes());
                if credentials.0.len() > usize::from(u8::MAX) || credentials.1.len() > usize::from(u8::MAX) {
                    return Err(ProxyError::Credentials);
                }
                let greeting = vec![VERSION_5, 2, METHOD_NONE, METHOD_PASSWORD];
                (ExpectedAnswer::Greeting, greeting.into(), Some(credentials))
            }
            ProxyProtocol::Http(_) => return Err(ProxyError::Credentials),
        };
        Ok(Self {
            proxy,
            credentials,
            state,
            outgoing: Some(outgoing),
        })
    }

    /// Returns the bytes to send before the next read.
    pub(super) fn poll_transmit(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        self.outgoing.take()
    }

    /// The length of the next answer, or of its next part, in bytes. At most [`MAX_ANSWER`].
    pub(super) fn wanted(&self) -> usize {
        match self.state {
            ExpectedAnswer::Version4 => ANSWER_4,
            ExpectedAnswer::Greeting | ExpectedAnswer::Authentication => 2,
            ExpectedAnswer::Reply => REPLY_HEAD,
            ExpectedAnswer::Bound(rest) => rest,
            ExpectedAnswer::Established => 0,
        }
    }

    /// Handles the wanted bytes.
    ///
    /// # Errors
    /// Fails if the proxy refuses or violates the protocol.
    pub(super) fn handle_answer(&mut self, answer: &[u8]) -> Result<(), ProxyError> {
        let [first, second, ..] = *answer else {
            return Err(ProxyError::Closed);
        };
        match self.state {
            ExpectedAnswer::Version4 if second == GRANTED_4 => self.state = ExpectedAnswer::Established,
            ExpectedAnswer::Version4 => return Err(ProxyError::Socks4Rejected(second)),
            ExpectedAnswer::Greeting => self.handle_method(first, second)?,
            ExpectedAnswer::Authentication if second == 0 => self.ask(),
            ExpectedAnswer::Authentication => return Err(ProxyError::Socks5Authentication),
            ExpectedAnswer::Reply => self.state = ExpectedAnswer::Bound(bound_length(answer)?),
            ExpectedAnswer::Bound(_) | ExpectedAnswer::Established => self.state = ExpectedAnswer::Established,
        }
        Ok(())
    }

    fn handle_method(&mut self, version: u8, method: u8) -> Result<(), ProxyError> {
        if version != VERSION_5 {
            return Err(ProxyError::Socks5Version);
        }
        match (method, self.credentials) {
            (METHOD_NONE, _) => self.ask(),
            (METHOD_PASSWORD, Some((user, password))) => {
                let mut request = Zeroizing::new(Vec::with_capacity(3 + user.len() + password.len()));
                request.push(AUTHENTICATION_VERSION);
                for field in [user, password] {
                    push_field(&mut request, field);
                }
                self.outgoing = Some(request);
                self.state = ExpectedAnswer::Authentication;
            }
            (METHOD_UNACCEPTABLE, _) => return Err(ProxyError::Socks5NoMethod),
            _ => return Err(ProxyError::Socks5UnknownMethod),
        }
        Ok(())
    }

    /// Requests the connection.
    fn ask(&mut self) {
        let Proxy { host, port, .. } = self.proxy;
        let mut request = vec![VERSION_5, CONNECT, 0];
        match host.parse() {
            Ok(IpAddr::V4(address)) => {
                request.push(ADDRESS_IPV4);
                request.extend(address.octets());
            }
            Ok(IpAddr::V6(address)) => {
                request.push(ADDRESS_IPV6);
                request.extend(address.octets());
            }
            Err(_) => {
                request.push(ADDRESS_NAME);
                push_field(&mut request, host.as_bytes());
            }
        }
        request.extend(port.to_be_bytes());
        self.outgoing = Some(request.into());
        self.state = ExpectedAnswer::Reply;
    }
}

impl fmt::Debug for Handshake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The request of version 4.
fn request_4(proxy: &Proxy, user: &Secret) -> Result<Zeroizing<Vec<u8>>, ProxyError> {
    let user = user.expose().as_bytes();
    if user.contains(&0) || user.len() > usize::from(u8::MAX) {
        return Err(ProxyError::Credentials);
    }
    let address = proxy.host.parse::<Ipv4Addr>().ok();
    let mut request = Zeroizing::new(Vec::with_capacity(10 + user.len() + proxy.host.len()));
    request.extend([VERSION_4, CONNECT]);
    request.extend(proxy.port.to_be_bytes());
    request.extend(address.unwrap_or(NAME_FOLLOWS).octets());
    request.extend_from_slice(user);
    request.push(0);
    if address.is_none() {
        request.extend_from_slice(proxy.host.as_bytes());
        request.push(0);
    }
    Ok(request)
}

/// Writes a length byte and the field. Longer fields were already refused.
fn push_field(request: &mut Vec<u8>, field: &[u8]) {
    request.push(u8::try_from(field.len()).unwrap_or(u8::MAX));
    request.extend(field.iter().take(usize::from(u8::MAX)));
}

/// The number of bytes after the head of a version 5 reply.
fn bound_length(head: &[u8]) -> Result<usize, ProxyError> {
    let [version, code, _, kind, first] = *head else {
        return Err(ProxyError::Socks5Reply);
    };
    if version != VERSION_5 || code != GRANTED_5 {
        return Err(ProxyError::Socks5Rejected(code));
    }
    match kind {
        ADDRESS_IPV4 => Ok(4 - 1 + PORT),
        ADDRESS_IPV6 => Ok(16 - 1 + PORT),
        ADDRESS_NAME => Ok(usize::from(first) + PORT),
        _ => Err(ProxyError::Socks5Reply),
    }
}

#[cfg(test)]
mod tests;
