//! The states of a session and the one function that leads from one to the next.

use std::fmt;

use super::{EndReason, Millis};

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// There is no connection, and none is wanted.
    Disconnected,
    /// A transport is being opened.
    Connecting,
    /// The transport is open: handshake, then login, or registration with its wait for a phone.
    Authenticating,
    /// The server has accepted the login.
    Connected,
    /// The connection is ending at the user's wish; what is queued still goes out.
    Closing,
    /// The connection has ended, and the next one is due at a known time.
    Reconnecting,
}

/// What leads from one state to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The user wants a connection.
    Connect,
    /// The transport is open.
    Opened,
    /// The server sent `success`.
    LoggedIn,
    /// The user wants no connection any longer.
    Close,
    /// The connection ended, and the policy wants another one.
    Lost,
    /// The time for the next connection has come.
    Due,
    /// The connection, or the wait for one, has ended for good.
    Ended,
}

/// One step from state to state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// The state that was left.
    pub from: State,
    /// The state that was entered.
    pub to: State,
    /// What happened.
    pub trigger: Trigger,
    /// When, as the driver's clock has it.
    pub at: Millis,
    /// Why the connection ended, where it did.
    pub reason: Option<EndReason>,
}

impl State {
    /// All states, in the order of a session's life.
    pub const ALL: [Self; 6] = [
        Self::Disconnected,
        Self::Connecting,
        Self::Authenticating,
        Self::Connected,
        Self::Closing,
        Self::Reconnecting,
    ];

    /// The state that follows on `trigger`; `None` where the trigger means nothing in this state.
    #[must_use]
    pub const fn on(self, trigger: Trigger) -> Option<Self> {
        Some(match (self, trigger) {
            (Self::Disconnected | Self::Reconnecting, Trigger::Connect) | (Self::Reconnecting, Trigger::Due) => {
                Self::Connecting
            }
            (Self::Connecting, Trigger::Opened) => Self::Authenticating,
            (Self::Authenticating, Trigger::LoggedIn) => Self::Connected,
            (Self::Connecting | Self::Authenticating | Self::Connected, Trigger::Close) => Self::Closing,
            (Self::Connecting | Self::Authenticating | Self::Connected, Trigger::Lost) => Self::Reconnecting,
            (
                Self::Connecting | Self::Authenticating | Self::Connected | Self::Closing | Self::Reconnecting,
                Trigger::Ended,
            ) => Self::Disconnected,
            _ => return None,
        })
    }

    /// The name that JavaScript sees.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Authenticating => "authenticating",
            Self::Connected => "connected",
            Self::Closing => "closing",
            Self::Reconnecting => "reconnecting",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Trigger {
    /// All triggers.
    pub const ALL: [Self; 7] = [
        Self::Connect,
        Self::Opened,
        Self::LoggedIn,
        Self::Close,
        Self::Lost,
        Self::Due,
        Self::Ended,
    ];

    /// The name that JavaScript sees.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Opened => "opened",
            Self::LoggedIn => "loggedIn",
            Self::Close => "close",
            Self::Lost => "lost",
            Self::Due => "due",
            Self::Ended => "ended",
        }
    }
}

/// [`State::on`] as a table in Markdown: a row per state, a column per trigger. `docs/session.md` holds it.
#[must_use]
pub fn transition_table() -> String {
    let mut table = String::from("| |");
    for trigger in Trigger::ALL {
        table.push_str(&format!(" {} |", trigger.name()));
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(Trigger::ALL.len()));
    for state in State::ALL {
        table.push_str(&format!("\n| **{state}** |"));
        for trigger in Trigger::ALL {
            match state.on(trigger) {
                Some(next) => table.push_str(&format!(" {next} |")),
                None => table.push_str(" |"),
            }
        }
    }
    table.push('\n');
    table
}
