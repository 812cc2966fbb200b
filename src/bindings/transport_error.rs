//! Errors of the transport as JavaScript knows them from Node and `ws`: class, message and properties.

use std::io;

use super::json::quoted;
use crate::transport::{FailedAttempt, ProxyError, ResponseError, TransportError, TrustFailure, Violation};

/// An error as JSON: `name` (the class), `message`, `props`, and, for several failed addresses, `errors`; `textOf` has an
/// error of which only the text is told.
///
/// System errors carry `errno` and `syscall`; JavaScript, which knows the platform's names, adds `code` and message.
pub(super) fn to_json(error: &TransportError) -> String {
    match error {
        TransportError::Connect(attempts) => attempts_json(attempts),
        TransportError::Proxy(fault) => proxy_json(fault),
        TransportError::HandshakeTimeout => plain("Error", "Opening handshake has timed out", None),
        TransportError::HangUp => plain("Error", "socket hang up", Some("ECONNRESET")),
        TransportError::TlsHangUp => plain(
            "Error",
            "Client network socket disconnected before secure TLS connection was established",
            Some("ECONNRESET"),
        ),
        TransportError::Io { syscall, source } => system(syscall, source, ""),
        TransportError::Trust(failure) => trust_json(failure),
        TransportError::Tls(fault) => tls_json(fault),
        TransportError::TlsOption(_) => plain("Error", &error.to_string(), Some("ERR_TLS_OPTION")),
        TransportError::Response(fault) => response_json(*fault),
        TransportError::Frame(violation) => violation_json(*violation),
        TransportError::Internal(_) => plain("Error", &error.to_string(), Some("ERR_INTERNAL")),
        // Their texts are `ws`' own.
        other => plain("Error", &other.to_string(), None),
    }
}

fn attempts_json(attempts: &[FailedAttempt]) -> String {
    if let [attempt] = attempts {
        return attempt_json(attempt);
    }
    let errors: Vec<_> = attempts.iter().map(attempt_json).collect();
    format!(
        r#"{{"name":"AggregateError","message":"","errors":[{}]}}"#,
        errors.join(",")
    )
}

/// The errors of `https-proxy-agent` and of `socks`, which takes over nothing but the text of a system error.
fn proxy_json(fault: &ProxyError) -> String {
    let source = match fault {
        ProxyError::Unreachable(attempts) => attempts_json(attempts),
        ProxyError::Io { syscall, source } => system(syscall, source, ""),
        other => return plain("Error", &other.to_string(), None),
    };
    format!(r#"{{"name":"Error","textOf":{source}}}"#)
}

fn attempt_json(attempt: &FailedAttempt) -> String {
    let place = format!(
        r#","address":{},"port":{}"#,
        quoted(&attempt.address.ip().to_string()),
        attempt.address.port()
    );
    system("connect", &attempt.source, &place)
}

fn system(syscall: &str, source: &io::Error, more: &str) -> String {
    /// Linux' ETIMEDOUT: an attempt that was given up in favour of the next address has no error of the system's.
    const TIMED_OUT: i32 = 110;
    let errno = source.raw_os_error().unwrap_or(match source.kind() {
        io::ErrorKind::TimedOut => TIMED_OUT,
        _ => 0,
    });
    if errno == 0 {
        return plain("Error", &source.to_string(), None);
    }
    format!(r#"{{"name":"Error","message":"","props":{{"errno":-{errno},"syscall":"{syscall}"{more}}}}}"#)
}

fn plain(class: &str, message: &str, code: Option<&str>) -> String {
    let props = code
        .map(|code| format!(r#","props":{{"code":{}}}"#, quoted(code)))
        .unwrap_or_default();
    format!(r#"{{"name":"{class}","message":{}{props}}}"#, quoted(message))
}

/// OpenSSL's names for what is wrong with a certificate.
fn trust_json(failure: &TrustFailure) -> String {
    let code = match failure {
        TrustFailure::SelfSigned => "DEPTH_ZERO_SELF_SIGNED_CERT",
        TrustFailure::SelfSignedInChain => "SELF_SIGNED_CERT_IN_CHAIN",
        TrustFailure::UnverifiedLeaf => "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        TrustFailure::UnknownIssuer => "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        TrustFailure::Expired => "CERT_HAS_EXPIRED",
        TrustFailure::NotYetValid => "CERT_NOT_YET_VALID",
        TrustFailure::Revoked => "CERT_REVOKED",
        TrustFailure::BadSignature => "CERT_SIGNATURE_FAILURE",
        TrustFailure::WrongName { presented, expected } => {
            let names: Vec<_> = presented.iter().map(|name| quoted(name)).collect();
            return format!(
                r#"{{"name":"Error","message":"","presented":[{}],"expected":{},"props":{{"code":"ERR_TLS_CERT_ALTNAME_INVALID"}}}}"#,
                names.join(","),
                quoted(expected)
            );
        }
        _ => "CERT_REJECTED",
    };
    plain("Error", &failure.to_string(), Some(code))
}

fn tls_json(fault: &rustls::Error) -> String {
    match fault {
        rustls::Error::AlertReceived(alert) => {
            // HandshakeFailure -> HANDSHAKE_FAILURE, the end of OpenSSL's name for it.
            let mut name = String::new();
            for letter in format!("{alert:?}").chars() {
                if letter.is_ascii_uppercase() && !name.is_empty() {
                    name.push('_');
                }
                name.push(letter.to_ascii_uppercase());
            }
            let text = name.to_ascii_lowercase().replace('_', " ");
            plain(
                "Error",
                &format!("SSL routines: alert {text}"),
                Some(&format!("ERR_SSL_SSLV3_ALERT_{name}")),
            )
        }
        // What is not TLS at all: OpenSSL says EPROTO.
        rustls::Error::InvalidMessage(_) => plain(
            "Error",
            "write EPROTO SSL routines: wrong version number",
            Some("EPROTO"),
        ),
        other => plain("Error", &format!("SSL routines: {other}"), Some("EPROTO")),
    }
}

/// The messages and codes of Node's HTTP parser.
fn response_json(fault: ResponseError) -> String {
    let (message, code) = match fault {
        ResponseError::NotHttp => ("Expected HTTP/, RTSP/ or ICE/", "HPE_INVALID_CONSTANT"),
        ResponseError::Status => ("Invalid status code", "HPE_INVALID_STATUS"),
        ResponseError::Version => ("Invalid HTTP version", "HPE_INVALID_VERSION"),
        ResponseError::HeaderName => ("Invalid header token", "HPE_INVALID_HEADER_TOKEN"),
        ResponseError::HeaderValue => ("Invalid header value char", "HPE_INVALID_HEADER_TOKEN"),
        _ => ("Header overflow", "HPE_HEADER_OVERFLOW"),
    };
    format!(r#"{{"name":"Error","message":"Parse Error: {message}","props":{{"code":"{code}","reason":"{message}"}}}}"#)
}

/// `ws`' messages, classes and codes.
fn violation_json(violation: Violation) -> String {
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
        _ => ("WS_ERR_INVALID_UTF8", true),
    };
    let class = if violation == Violation::Utf8 {
        "Error"
    } else {
        "RangeError"
    };
    let prefix = if prefixed { "Invalid WebSocket frame: " } else { "" };
    plain(class, &format!("{prefix}{violation}"), Some(code))
}
