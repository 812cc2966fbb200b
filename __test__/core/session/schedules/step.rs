//! The steps of a schedule, and how often each is chosen.

use baileys_native::session::Millis;
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Connect,
    Close,
    HandOver,
    Veto,
    Send(u8),
    /// The transport accepts no more messages, and the user sends until the outgoing queue is full.
    Fill,
    Query {
        timeout: Option<Millis>,
        idempotent: bool,
    },
    Cancel(u8),
    Pause,
    Resume,
    /// The transport accepts no more messages.
    Block,
    Unblock,
    TakeEvents(u8),
    /// This number of messages arrives at the server.
    Up(u8),
    /// This number of bytes arrives at the client.
    Down(u16),
    /// The transport opens.
    Open,
    Fail,
    Break,
    /// The server sends a close frame.
    CloseFrame,
    /// The closing handshakes end.
    Closed,
    /// The lease ends. Until `NewLease`, nothing may be written.
    LeaseEnd,
    NewLease,
    LogIn,
    Answer {
        query: u8,
        times: u8,
        error: bool,
    },
    Stray,
    Stanzas(u8),
    StreamError(u16),
    Junk,
    Advance(Millis),
    ToTimeout,
    /// Nothing arrives at the client for longer than any connection may be silent, and the user takes all events.
    Silence,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Connect),
        1 => Just(Step::Close),
        1 => Just(Step::HandOver),
        1 => Just(Step::Veto),
        4 => (1..6_u8).prop_map(Step::Send),
        1 => Just(Step::Fill),
        6 => (prop::option::of(1..50_000_u64), any::<bool>())
            .prop_map(|(timeout, idempotent)| Step::Query { timeout, idempotent }),
        1 => any::<u8>().prop_map(Step::Cancel),
        1 => Just(Step::Block),
        3 => Just(Step::Unblock),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        4 => (1..20_u8).prop_map(Step::TakeEvents),
        8 => (1..8_u8).prop_map(Step::Up),
        8 => prop_oneof![1..20_u16, 20..2000_u16].prop_map(Step::Down),
        4 => Just(Step::Open),
        1 => Just(Step::Fail),
        1 => Just(Step::Break),
        1 => Just(Step::CloseFrame),
        4 => Just(Step::Closed),
        1 => Just(Step::LeaseEnd),
        4 => Just(Step::NewLease),
        4 => Just(Step::LogIn),
        6 => (any::<u8>(), 1..3_u8, any::<bool>()).prop_map(|(query, times, error)| Step::Answer { query, times, error }),
        1 => Just(Step::Stray),
        4 => (1..12_u8).prop_map(Step::Stanzas),
        1 => prop::sample::select(vec![515, 503, 401, 428]).prop_map(Step::StreamError),
        1 => Just(Step::Junk),
        3 => prop_oneof![0..100_u64, 100..40_000_u64].prop_map(Step::Advance),
        3 => Just(Step::ToTimeout),
        1 => Just(Step::Silence),
    ]
}
