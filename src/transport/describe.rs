//! Describes errors of the transport for JavaScript, with the class, message and properties that Node.js and `ws` use.

use std::io;

use super::error::TransportError;
use super::frame_check::Violation;
use super::http::ResponseError;
use super::proxy::ProxyError;
use super::tcp::FailedAttempt;
use super::verify::TrustFailure;
use crate::failure::{CertificateNames, ErrorClass, Failure, SystemError};

/// A hint for a failed handshake: OpenSSL supports more than rustls with ring.
const SUPPORTED_TLS: &str = "perhaps the server needs TLS features that baileys-native does not support. Supported: TLS 1.3, \
                             and TLS 1.2 with ECDHE; AES-GCM and ChaCha20; the groups X25519, P-256 and P-384";

impl TransportError {
    /// The description of the error for JavaScript.
    #[must_use]
    pub fn describe(&self) -> Failure {
        match self {
            Self::Start(source) => system("connect", source, None),
            Self::Connect(attempts) => attempts_failure(attempts),
            Self::Proxy(fault) => proxy_failure(fault),
            Self::HandshakeTimeout => Failure::new("Opening handshake has timed out"),
            Self::HangUp => Failure::new("socket hang up").with_code("ECONNRESET"),
            Self::TlsHangUp => {
                Failure::new("Client network socket disconnected before secure TLS connection was established")
                    .with_code("ECONNRESET")
            }
            Self::Io { syscall, source } => system(syscall, source, None),
            Self::Trust(failure) => trust_failure(failure),
            Self::Tls(fault) => tls_failure(fault),
            Self::TlsIncompatible(fault) => {
                let described = tls_failure(fault);
                let message = format!("{}; {SUPPORTED_TLS}", described.message);
                Failure {
                    is_incompatible: true,
                    message,
                    ..described
                }
            }
            Self::TlsOption(fault) => Failure::new(fault.to_string()).with_code("ERR_TLS_OPTION").permanent(),
            Self::Response(fault) => response_failure(*fault),
            // The texts are those of `ws`.
            Self::Upgrade(fault) => Failure::new(fault.to_string()),
            Self::Frame(violation) => violation_failure(*violation),
            Self::OutOfMemory => {
                Failure::new("Out of memory for received messages").with_code("ERR_MEMORY_ALLOCATION_FAILED")
            }
            Self::Internal(_) => Failure::new(self.to_string()).with_code("ERR_INTERNAL"),
        }
    }
}

fn attempts_failure(attempts: &[FailedAttempt]) -> Failure {
    let one = |attempt: &FailedAttempt| system("connect", &attempt.source, Some(attempt));
    if let [attempt] = attempts {
        return one(attempt);
    }
    let errors: Vec<_> = attempts.iter().map(one).collect();
    let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
    Failure {
        name: ErrorClass::AggregateError,
        message: texts.join("; "),
        errors,
        ..Failure::default()
    }
}

/// The errors of `https-proxy-agent` and `socks`. `socks` only keeps the text of a system error.
fn proxy_failure(fault: &ProxyError) -> Failure {
    let source = match fault {
        ProxyError::Unreachable(attempts) => attempts_failure(attempts),
        ProxyError::Io { syscall, source } => system(syscall, source, None),
        ProxyError::Credentials | ProxyError::Destination => return Failure::new(fault.to_string()).permanent(),
        other => return Failure::new(other.to_string()),
    };
    Failure {
        message: source.to_string(),
        text_of: Some(Box::new(source)),
        ..Failure::default()
    }
}

fn system(syscall: &'static str, source: &io::Error, attempt: Option<&FailedAttempt>) -> Failure {
    /// ETIMEDOUT of the operating system. An attempt that was stopped in favour of the next address has no system error.
    const TIMED_OUT: i32 = if cfg!(windows) {
        10_060
    } else if cfg!(target_vendor = "apple") {
        60
    } else {
        110
    };
    // A record that cannot be read, once the TLS handshake is done.
    if let Some(fault) = source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls_failure(fault);
    }
    let errno = source.raw_os_error().or(match source.kind() {
        io::ErrorKind::TimedOut => Some(TIMED_OUT),
        _ => None,
    });
    let system = errno.filter(|errno| *errno != 0).map(|errno| SystemError {
        errno: errno.saturating_neg(),
        syscall,
        address: attempt.map(|attempt| attempt.address.ip().to_string()),
        port: attempt.map(|attempt| attempt.address.port()),
    });
    let failure = Failure {
        message: source.to_string(),
        system,
        ..Failure::default()
    };
    // Baileys takes an error without a code for a bad session, on which many programs delete their credentials.
    match failure.system {
        Some(_) => failure,
        None => failure.with_code("EIO"),
    }
}

/// OpenSSL's codes for untrusted certificates.
fn trust_failure(failure: &TrustFailure) -> Failure {
    let code = match failure {
        TrustFailure::SelfSigned => "DEPTH_ZERO_SELF_SIGNED_CERT",
        TrustFailure::SelfSignedInChain => "SELF_SIGNED_CERT_IN_CHAIN",
        TrustFailure::UnverifiedLeaf => "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        TrustFailure::UnknownIssuer => "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        TrustFailure::Expired => "CERT_HAS_EXPIRED",
        TrustFailure::NotYetValid => "CERT_NOT_YET_VALID",
        TrustFailure::Revoked => "CERT_REVOKED",
        TrustFailure::BadSignature => "CERT_SIGNATURE_FAILURE",
        TrustFailure::UnknownRoot => "UNABLE_TO_GET_ISSUER_CERT",
        TrustFailure::InvalidAuthority => "INVALID_CA",
        TrustFailure::PathTooLong => "PATH_LENGTH_EXCEEDED",
        TrustFailure::WrongPurpose => "INVALID_PURPOSE",
        TrustFailure::WrongName { .. } => "ERR_TLS_CERT_ALTNAME_INVALID",
        TrustFailure::Rejected(_) => "CERT_REJECTED",
        TrustFailure::Unsupported(_) => "ERR_TLS_UNSUPPORTED",
    };
    let names = match failure {
        TrustFailure::WrongName {
            presented,
            common_names,
            expected,
        } => Some(CertificateNames {
            presented: presented.clone(),
            common_names: common_names.clone(),
            expected: expected.clone(),
        }),
        _ => None,
    };
    let described = Failure::new(failure.to_string()).with_code(code).permanent();
    Failure {
        names,
        is_incompatible: matches!(failure, TrustFailure::Unsupported(_)),
        ..described
    }
}

fn tls_failure(fault: &rustls::Error) -> Failure {
    match fault {
        rustls::Error::AlertReceived(alert) => {
            // Converts `HandshakeFailure` to `HANDSHAKE_FAILURE`, the last part of OpenSSL's name.
            let mut name = String::new();
            for letter in format!("{alert:?}").chars() {
                if letter.is_ascii_uppercase() && !name.is_empty() {
                    name.push('_');
                }
                name.push(letter.to_ascii_uppercase());
            }
            if name.contains('(') {
                // An alert that has no name.
                return Failure::new(format!("SSL routines: {fault}")).with_code("EPROTO");
            }
            let text = name.to_ascii_lowercase().replace('_', " ");
            Failure::new(format!("SSL routines: alert {text}")).with_code(format!("ERR_SSL_SSLV3_ALERT_{name}"))
        }
        // The received bytes are not TLS.
        rustls::Error::InvalidMessage(_) => {
            Failure::new("write EPROTO SSL routines: wrong version number").with_code("EPROTO")
        }
        other => Failure::new(format!("SSL routines: {other}")).with_code("EPROTO"),
    }
}

/// The messages and codes of Node's HTTP parser.
fn response_failure(fault: ResponseError) -> Failure {
    let (reason, code) = match fault {
        ResponseError::NotHttp => ("Expected HTTP/, RTSP/ or ICE/", "HPE_INVALID_CONSTANT"),
        ResponseError::Status => ("Invalid status code", "HPE_INVALID_STATUS"),
        ResponseError::Version => ("Invalid HTTP version", "HPE_INVALID_VERSION"),
        ResponseError::HeaderName => ("Invalid header token", "HPE_INVALID_HEADER_TOKEN"),
        ResponseError::HeaderValue => ("Invalid header value char", "HPE_INVALID_HEADER_TOKEN"),
        ResponseError::BareLineFeedInStatus => ("Missing expected CR after response line", "HPE_CR_EXPECTED"),
        ResponseError::BareLineFeed => ("Missing expected CR after header value", "HPE_CR_EXPECTED"),
        ResponseError::TooLong => ("Header overflow", "HPE_HEADER_OVERFLOW"),
    };
    let described = Failure::new(format!("Parse Error: {reason}")).with_code(code);
    Failure {
        reason: Some(reason),
        ..described
    }
}

/// The messages, classes and codes of `ws`.
fn violation_failure(violation: Violation) -> Failure {
    let (code, prefixed) = match violation {
        Violation::ReservedBits23 => ("WS_ERR_UNEXPECTED_RSV_2_3", true),
        Violation::ReservedBit1 => ("WS_ERR_UNEXPECTED_RSV_1", true),
        Violation::Opcode(_) => ("WS_ERR_INVALID_OPCODE", true),
        Violation::FragmentedControl => ("WS_ERR_EXPECTED_FIN", true),
        Violation::ControlLength(_) => ("WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH", true),
        Violation::Masked => ("WS_ERR_UNEXPECTED_MASK", true),
        Violation::LengthOverflow => ("WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH", false),
        Violation::MessageTooLong => ("WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", false),
        Violation::TooManyFragments => ("WS_ERR_TOO_MANY_BUFFERED_PARTS", false),
        Violation::CloseCode(_) => ("WS_ERR_INVALID_CLOSE_CODE", true),
        Violation::Utf8 => ("WS_ERR_INVALID_UTF8", true),
    };
    let prefix = if prefixed { "Invalid WebSocket frame: " } else { "" };
    Failure {
        name: if violation == Violation::Utf8 {
            ErrorClass::Error
        } else {
            ErrorClass::RangeError
        },
        ..Failure::new(format!("{prefix}{violation}")).with_code(code)
    }
}
