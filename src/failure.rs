//! An error as JavaScript shows it: the transport describes its errors in this form, sockets and sessions hand it on.

use std::fmt;

use serde::Serialize;

/// The description of an error. Serialized, it is what `js/shared/transport-error.cjs` makes an `Error` of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The class in JavaScript.
    pub name: ErrorClass,
    /// The text. JavaScript writes its own for a system error, since it knows the names of the platform's codes.
    pub message: String,
    /// The error's `code`, except for a system error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The reason within `message`, where Node has it as a property.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// A system error.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemError>,
    /// The server's certificate is valid for other names.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub names: Option<CertificateNames>,
    /// The errors of several addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Failure>,
    /// Only the text of this one is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_of: Option<Box<Failure>>,
    /// Whether another attempt with the same options fails for the same reason: a certificate that is not trusted, or an
    /// option that cannot be used.
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
    /// The number as libuv has it: negative.
    pub errno: i32,
    /// The call that failed.
    pub syscall: &'static str,
    /// The peer's address, where the connection was being made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The peer's port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// The names of a certificate that is not valid for the expected one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateNames {
    /// The names that it is valid for, as Node writes them: `DNS:example.test`, `IP Address:127.0.0.1`.
    pub presented: Vec<String>,
    /// The name that it had to be valid for.
    pub expected: String,
}

impl Failure {
    /// An error with a text alone.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// The same with a code.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        Self {
            code: Some(code.into()),
            ..self
        }
    }

    /// The same as one that another attempt does not mend.
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
