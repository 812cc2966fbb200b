//! The states of a session, and the function that defines all transitions.

use std::fmt;

use super::{EndReason, Millis};

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// There is no connection, and no reconnection is planned.
    Disconnected,
    /// The transport is opening.
    Connecting,
    /// The transport is open. The handshake, then login or registration are in progress. A registration waits for the
    /// phone.
    Authenticating,
    /// The server has accepted the login.
    Connected,
    /// The user has requested the end of the connection. Queued stanzas are still sent.
    Closing,
    /// The connection has ended, and a reconnection is planned.
    Reconnecting,
}

/// The cause of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The user requests a connection.
    Connect,
    /// The transport is open.
    Opened,
    /// The server sent `success`.
    LoggedIn,
    /// The user requests the end of the connection.
    Close,
    /// The connection ended, and a reconnection is planned.
    Lost,
    /// The time of the planned reconnection is reached.
    Due,
    /// The connection has ended without a reconnection, or the planned reconnection was cancelled.
    Ended,
}

/// A transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// The previous state.
    pub from: SessionState,
    /// The new state.
    pub to: SessionState,
    /// The cause.
    pub trigger: Trigger,
    /// The time, from the driver's clock.
    pub at: Millis,
    /// Why the connection ended. `None` if the transition does not end it.
    pub reason: Option<EndReason>,
}

impl SessionState {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::Disconnected,
        Self::Connecting,
        Self::Authenticating,
        Self::Connected,
        Self::Closing,
        Self::Reconnecting,
    ];

    /// The state after `trigger`. `None` if the trigger has no effect in this state.
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

    /// The name in JavaScript.
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

impl fmt::Display for SessionState {
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

    /// The name in JavaScript.
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

/// The transitions of [`SessionState::on`] as a Markdown table: one row per state, one column per trigger.
/// `docs/session.md` contains it.
#[must_use]
pub fn transition_table() -> String {
    let mut table = String::from("| |");
    for trigger in Trigger::ALL {
        table.push_str(&format!(" {} |", trigger.name()));
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(Trigger::ALL.len()));
    for state in SessionState::ALL {
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
