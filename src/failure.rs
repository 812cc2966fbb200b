//! The description of an error for JavaScript. The transport makes it; sockets and sessions pass it on.

use std::fmt;

use serde::Serialize;

/// The description of an error. `js/shared/transport-error.cjs` makes an `Error` from its JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The class in JavaScript.
    pub name: ErrorClass,
    /// The message. For a system error, JavaScript makes its own message, because it knows the names of the platform's
    /// error codes.
    pub message: String,
    /// The `code` of the error. `None` for a system error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The `reason` property, if Node.js has one for the error. It is also part of `message`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The data of a system error.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemError>,
    /// The name that could not be resolved.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<FailedLookup>,
    /// The names, if the server's certificate is for other names.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub names: Option<CertificateNames>,
    /// The errors of the single addresses, if several failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Failure>,
    /// Another error. JavaScript makes the message of this error from the text of that error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_of: Option<Box<Failure>>,
    /// Whether Node's own TLS may do what this library cannot.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_incompatible: bool,
    /// Whether another attempt with the same options would fail for the same reason. This is true for an untrusted
    /// certificate and for an invalid option.
    #[serde(skip)]
    pub is_permanent: bool,
}

/// The class of an error in JavaScript.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum ErrorClass {
    /// `Error`
    #[default]
    Error,
    /// `RangeError`
    RangeError,
    /// `AggregateError`
    AggregateError,
}

/// An error of the operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SystemError {
    /// The error number of the operating system, made negative. JavaScript makes libuv's number from it.
    pub errno: i32,
    /// The system call that failed.
    pub syscall: &'static str,
    /// The address of the peer, if connecting failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The port of the peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// A name that could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedLookup {
    /// The error number of libuv, which is negative.
    pub errno: i32,
    /// The name.
    pub hostname: String,
}

/// The names in a certificate that is not valid for the expected name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateNames {
    /// The names in the certificate, in the notation of Node.js: `DNS:example.test`, `IP Address:127.0.0.1`.
    pub presented: Vec<String>,
    /// The common names of its subject.
    pub common_names: Vec<String>,
    /// The expected name.
    pub expected: String,
}

impl Failure {
    /// An error with only a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// Sets the code.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        Self {
            code: Some(code.into()),
            ..self
        }
    }

    /// Marks the error as permanent.
    #[must_use]
    pub fn permanent(self) -> Self {
        Self {
            is_permanent: true,
            ..self
        }
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(system) = &self.system {
            write!(f, "{}: ", system.syscall)?;
        }
        f.write_str(&self.message)?;
        if let Some(SystemError {
            address: Some(address),
            port: Some(port),
            ..
        }) = &self.system
        {
            write!(f, " ({address}, port {port})")?;
        }
        Ok(())
    }
}
