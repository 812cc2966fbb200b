//! Maximum memory and CPU time of one received frame or message, per layer.
//! `cargo test --release --no-default-features --features seams --test memory -- --nocapture` prints the table.
//!
//! There is only one test in the process, because the allocator counts for the whole process.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and clippy.toml's exception reaches only the functions marked as tests"
)]

#[path = "../core/session/harness.rs"]
#[allow(dead_code, reason = "shared with the tests of the session")]
mod harness;
mod hostile;
#[path = "../core/session/noise_server.rs"]
#[allow(dead_code, reason = "shared with the tests of the session")]
mod noise_server;
#[path = "../core/session/server.rs"]
#[allow(dead_code, reason = "shared with the tests of the session")]
mod server;

#[cfg(feature = "seams")]
mod transport;

use std::alloc::{GlobalAlloc, Layout};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use baileys_native::binary::{self, DecodeErrorKind, Dialect, InflateError, Node};
#[cfg(feature = "transport")]
use baileys_native::dropin::{FrameOpenError, NoiseHandler};
use baileys_native::frame::{FrameDecoder, FrameError, encode_frame};
use baileys_native::handshake::HandshakeError;
use baileys_native::noise::{Receiver, Sender};
use baileys_native::proto::{HandshakeMessage, handshake_message::ServerHello};
use baileys_native::read_ahead::{ReadAhead, ThreadBuffers};
use baileys_native::session::{EndReason, QueryError, SessionEvent, SessionState};
use baileys_native::tape::{TapeWriter, Tapes};
use baileys_native::wire::{KEEP_PER_THREAD, OpenError, Opener, PayloadError, seal_frame};
use cap::Cap;
use harness::World;
use hostile::{Payload, payloads};
use peak_alloc::PeakAlloc;
use prost::Message;
use server::bytes_node;

#[global_allocator]
static ALLOCATOR: Moving = Moving {
    inner: Cap::new(PeakAlloc, usize::MAX),
    moves: AtomicBool::new(false),
};

/// An allocator with a limit. As those of operating systems, it may have to move memory that grows. It then needs both
/// sizes at the same time.
struct Moving {
    inner: Cap<PeakAlloc>,
    /// Whether growing memory is moved.
    moves: AtomicBool,
}

impl Deref for Moving {
    type Target = Cap<PeakAlloc>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

// SAFETY: the methods pass the duties of their callers on to the inner allocator.
#[expect(unsafe_code, reason = "allocators are unsafe")]
unsafe impl GlobalAlloc for Moving {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.inner.alloc(layout) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { self.inner.dealloc(old, layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size <= layout.size() || !self.moves.load(Ordering::Relaxed) {
            // SAFETY: as above.
            return unsafe { self.inner.realloc(old, layout, size) };
        }
        // SAFETY: as above. The new memory is larger than the old one, and they do not overlap.
        unsafe {
            let new = self
                .inner
                .alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                new.copy_from_nonoverlapping(old, layout.size());
                self.inner.dealloc(old, layout);
            }
            new
        }
    }
}

const KEY: [u8; 32] = [7; 32];
const MIB: usize = 1 << 20;

/// The documented limits (docs/security.md): peak memory in MiB that one frame can use in a layer, without the frame
/// itself.
const OPENER_BOUND: usize = 110;
const READ_AHEAD_BOUND: usize = 110;
const SESSION_BOUND: usize = 160;

/// The documented limit of the CPU time for one frame or message. Without optimization the code is about ten times
/// slower.
const CPU_BOUND: Duration = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 3 });

/// The cost of handling one frame or message.
#[derive(Clone, Copy)]
struct Cost {
    /// Peak memory in bytes.
    peak: usize,
    cpu: Duration,
}

/// The CPU time of this thread. Other programs do not change it. On systems other than Linux it is the time of a clock.
fn cpu_time(start: Instant) -> Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = statistics.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

fn measure<R>(layer: impl FnOnce() -> R) -> (Cost, R) {
    let peak = PeakAlloc;
    let before = peak.current_usage();
    peak.reset_peak_usage();
    let start = Instant::now();
    let cpu_before = cpu_time(start);
    let result = layer();
    let cost = Cost {
        cpu: cpu_time(start).saturating_sub(cpu_before),
        peak: peak.peak_usage() - before,
    };
    (cost, result)
}

/// Prints a cost, and fails if it is above the bound. `received`: the bytes of the peer.
fn report(layer: &str, name: &str, received: usize, Cost { peak, cpu }: Cost, bound: usize) {
    println!(
        "{layer:>10}  {name:<34} {received:>9} B  {:>5} MiB  {:>6} B/B  {:>6} ms  {:>7} ns/B",
        peak / MIB,
        peak / received,
        cpu.as_millis(),
        cpu.as_nanos() / received as u128
    );
    assert!(peak <= bound * MIB, "{layer}, {name}: {} MiB", peak / MIB);
    assert!(cpu <= CPU_BOUND, "{layer}, {name}: {cpu:?}");
}

fn sealed(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    seal_frame(&mut Sender::new(&KEY).unwrap(), payload, &mut frame).unwrap();
    frame
}

fn open_frame(frame: &[u8], opener: &mut Opener, tapes: &mut Tapes) -> Result<(), OpenError> {
    let mut receiver = Receiver::new(&KEY).unwrap();
    tapes.clear();
    let mut tape = TapeWriter::new(tapes);
    opener
        .open(&frame[3..], &mut receiver, Dialect::V7, &mut tape, |_| ())
        .map(|_| {
            tape.finish();
        })
}

fn one_opener(Payload { name, bytes, fits, .. }: &Payload) {
    let frame = sealed(bytes);
    let (mut opener, mut tapes) = (Opener::default(), Tapes::default());
    let (cost, opened) = measure(|| open_frame(&frame, &mut opener, &mut tapes));
    assert_eq!(opened.is_ok(), *fits, "{name}: {opened:?}");
    report("opener", name, frame.len(), cost, OPENER_BOUND);
    opener.trim(KEEP_PER_THREAD);
    tapes.trim(KEEP_PER_THREAD);
    assert!(opener.capacity() + tapes.capacity() <= 8 * KEEP_PER_THREAD);
}

fn one_read_ahead(Payload { name, bytes, fits, .. }: &Payload) {
    let frame = sealed(bytes);
    let (mut read_ahead, mut buffers, mut tapes) = (ReadAhead::default(), ThreadBuffers::default(), Tapes::default());
    assert!(read_ahead.link());
    read_ahead.open(Receiver::new(&KEY).unwrap(), 0, Dialect::V7);
    let (cost, opened) = measure(|| read_ahead.message(&frame, &mut buffers, &mut tapes));
    assert_eq!(opened.is_some(), *fits, "{name}");
    report("read-ahead", name, frame.len(), cost, READ_AHEAD_BOUND);
}

/// Runs a session that reacts to the stanza, and with `watched` one that delivers it.
fn one_session(Payload { name, bytes, fits, .. }: &Payload, watched: bool) {
    let mut world = World::connected();
    if watched {
        world.watch("frame");
    }
    world.server().send_payload(bytes);
    let (cost, ()) = measure(|| world.pump());
    let layer = if watched { "delivered" } else { "session" };
    report(layer, name, bytes.len(), cost, SESSION_BOUND);
    let malformed = world
        .events
        .iter()
        .any(|event| matches!(event, SessionEvent::Malformed(_)));
    assert_eq!(malformed, !fits, "{name}: {:?}", world.session.state());
    // The session reacts to the part of a `success` that fits, and continues.
    assert_eq!(world.session.state(), SessionState::Connected);
}

/// If a session has memory to open a stanza but not to queue it, it reports the stanza as malformed and stays
/// connected.
fn session_without_memory(payload: &[u8]) {
    let mut world = World::connected();
    world.watch("frame");
    // Some of these limits are between the memory of the opener and the memory of the queue.
    for spare in (16..112).step_by(16) {
        world.events.clear();
        world.server().send_payload(payload);
        ALLOCATOR.set_limit(ALLOCATOR.allocated() + spare * MIB).unwrap();
        world.pump();
        ALLOCATOR.set_limit(usize::MAX).unwrap();
        assert_eq!(world.session.state(), SessionState::Connected);
        let delivered = world.events.iter().find_map(|event| match event {
            SessionEvent::Stanzas(stanzas) => Some(stanzas),
            _ => None,
        });
        // JavaScript then takes them in a batch.
        #[cfg(feature = "transport")]
        if let Some(stanzas) = delivered {
            batch_without_memory(|batch| batch.stanzas(1, 1, stanzas));
        }
        let is_delivered = delivered.is_some();
        let malformed = world
            .events
            .iter()
            .filter(|event| matches!(event, SessionEvent::Malformed(_)));
        assert_eq!(malformed.count(), usize::from(!is_delivered), "{spare} MiB");
    }
}

/// If a session has memory to open an answer but not to keep it, the query fails and the session stays connected.
fn query_without_memory() {
    let mut world = World::connected();
    let mut failed = 0;
    for spare in (8..112).step_by(8) {
        world.events.clear();
        let (query, id) = world.query(&harness::question(), harness::query_options(None, false));
        let mut answer = bytes_node("iq", &vec![0; 15 * MIB]);
        answer.attrs = [("id", id.as_str()), ("type", "result")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        let mut encoded = Vec::new();
        answer.encode(Dialect::V7, &mut encoded).unwrap();
        world.server().send_payload(&hostile::compressed(&encoded));
        drop((answer, encoded));
        ALLOCATOR.set_limit(ALLOCATOR.allocated() + spare * MIB).unwrap();
        world.pump();
        ALLOCATOR.set_limit(usize::MAX).unwrap();
        assert_eq!(world.session.state(), SessionState::Connected);
        match world.events.as_slice() {
            [SessionEvent::Answer { result, .. }] if *result == Err(QueryError::OutOfMemory) => failed += 1,
            [SessionEvent::Answer { result: Ok(stanza), .. }] => {
                // JavaScript then takes it in a batch.
                #[cfg(feature = "transport")]
                batch_without_memory(|batch| batch.stanza(1, 1, 0, stanza));
                assert!(stanza.footprint() > 15 * MIB);
            }
            // There was no memory to open it.
            [SessionEvent::Malformed(_)] => assert!(world.session.cancel(world.now, query)),
            events => panic!("{spare} MiB: {} events", events.len()),
        }
        world.pump();
    }
    assert!(failed > 0);
}

/// A record that does not fit into the memory is not added, and the batch stays usable.
#[cfg(feature = "transport")]
fn batch_without_memory(add: impl Fn(&mut baileys_native::dropin::Batch) -> Option<usize>) {
    let mut batch = baileys_native::dropin::Batch::default();
    ALLOCATOR.set_limit(ALLOCATOR.allocated() + 4 * MIB).unwrap();
    let added = add(&mut batch);
    let small = batch.push(1, 1, 0, b"small");
    ALLOCATOR.set_limit(usize::MAX).unwrap();
    assert_eq!(added, None);
    assert!(small.is_some());
    assert!(add(&mut batch).is_some());
}

/// A session without memory for the server's handshake message ends.
fn handshake_without_memory(frame: &[u8]) {
    let mut world = World::paired();
    world.opens = false;
    world.connect();
    world.open();
    let id = world.link.as_ref().unwrap().id;
    ALLOCATOR.set_limit(ALLOCATOR.allocated() + 4 * MIB).unwrap();
    world.session.handle_data(world.now, id, frame);
    ALLOCATOR.set_limit(usize::MAX).unwrap();
    world.pump();
    assert_eq!(world.last_reason(), EndReason::Frame(FrameError::OutOfMemory));
}

/// A session without memory for the fields of a ServerHello ends.
fn server_hello_without_memory() {
    let hello = ServerHello {
        payload: Some(vec![0; 8 * MIB]),
        ..Default::default()
    };
    let message = HandshakeMessage {
        server_hello: Some(hello),
        ..Default::default()
    };
    let mut frame = Vec::new();
    encode_frame(&message.encode_to_vec(), &mut frame).unwrap();
    let mut reasons = Vec::new();
    for spare in 1..64 {
        let mut world = World::paired();
        world.opens = false;
        world.connect();
        world.open();
        let id = world.link.as_ref().unwrap().id;
        let now = world.now;
        within(spare * MIB, || world.session.handle_data(now, id, &frame));
        world.pump();
        reasons.push(world.last_reason());
    }
    assert!(
        reasons.contains(&EndReason::Handshake(HandshakeError::OutOfMemory)),
        "{reasons:?}"
    );
}

/// Calls a function with so many bytes of free memory.
fn within<R>(spare: usize, call: impl FnOnce() -> R) -> R {
    ALLOCATOR.set_limit(ALLOCATOR.allocated() + spare).unwrap();
    let result = call();
    ALLOCATOR.set_limit(usize::MAX).unwrap();
    result
}

/// Each step that allocates memory for a peer's data must report an out-of-memory error instead of aborting.
fn without_memory() {
    let nodes = hostile::most_nodes(binary::MAX_ELEMENTS - 20);
    let text = hostile::long_text(15 * MIB);
    let (large_frame, mut chunk) = (sealed(&vec![0; 15 * MIB]), vec![0; 15 * MIB]);
    chunk[0] = 255;
    let frames = [
        sealed(&hostile::compressed(&nodes)),
        sealed(&hostile::compressed(&text)),
    ];

    let failures = std::cell::RefCell::new(Vec::with_capacity(16));
    within(4 * MIB, || {
        let (mut opener, mut tapes) = (Opener::default(), Tapes::default());
        let fail = |error| failures.borrow_mut().push(error);
        fail(
            open_frame(&large_frame, &mut opener, &mut tapes)
                .unwrap_err()
                .to_string(),
        );
        fail(open_frame(&frames[1], &mut opener, &mut tapes).unwrap_err().to_string());
        let mut decoder = FrameDecoder::new();
        decoder.feed(&chunk);
        fail(decoder.next().unwrap_err().to_string());
        for payload in [&nodes, &text] {
            let mut tapes = Tapes::default();
            let error = binary::decode(payload, Dialect::V7, &mut TapeWriter::new(&mut tapes)).unwrap_err();
            assert_eq!(error.kind, DecodeErrorKind::OutOfMemory);
            fail(error.to_string());
        }
    });
    // A record for JavaScript.
    #[cfg(feature = "transport")]
    batch_without_memory(|batch| batch.push(1, 1, 0, &chunk));
    // A frame of the handshake, in the drop-in and in a session.
    #[cfg(feature = "transport")]
    {
        let mut handler = NoiseHandler::new(Dialect::V7, b"WA\x06\x03", &[9; 32], None).unwrap();
        handler.frames.feed(&large_frame);
        let handler = std::cell::RefCell::new(handler);
        within(4 * MIB, || {
            let (mut opener, mut tapes, mut raw) = (Opener::default(), Tapes::default(), Vec::new());
            let opened = handler.borrow_mut().open(&mut opener, &mut tapes, &mut raw);
            assert!(matches!(opened, Err(FrameOpenError::Stream(FrameError::OutOfMemory))));
        });
    }
    session_without_memory(&hostile::compressed(&text));
    query_without_memory();
    handshake_without_memory(&large_frame);
    server_hello_without_memory();
    #[cfg(feature = "seams")]
    transport::without_memory();

    let failures = failures.into_inner();
    let memory = "out of memory".to_owned();
    let received = "out of memory for received bytes".to_owned();
    assert_eq!(
        failures,
        [memory.clone(), memory.clone(), received, memory.clone(), memory]
    );
    // With memory, the same frames can be opened.
    for frame in &frames {
        open_frame(frame, &mut Opener::default(), &mut Tapes::default()).unwrap();
    }
}

#[test]
fn one_frame_takes_no_more_than_the_documented_memory() {
    println!();
    #[cfg(feature = "seams")]
    transport::measure_all();
    let payloads = payloads();
    for payload in &payloads {
        one_opener(payload);
    }
    // The upper layers add to the memory of the opener. They add most with these payloads.
    for payload in payloads.iter().filter(|payload| payload.is_worst) {
        one_read_ahead(payload);
        one_session(payload, false);
        one_session(payload, true);
    }

    // An owned node uses at most its budget, for any stanza.
    let nodes = hostile::most_nodes(binary::MAX_ELEMENTS - 20);
    let (Cost { peak, .. }, node) = measure(|| Node::decode_within(&nodes, Dialect::V7, MIB).unwrap());
    assert_eq!(node.tag, "success");
    assert!(peak <= 2 * MIB, "{peak}");

    let bomb = hostile::compressed(&vec![0; binary::MAX_INFLATED + 1]);
    let refused = open_frame(&sealed(&bomb), &mut Opener::default(), &mut Tapes::default());
    let limit = binary::MAX_INFLATED;
    assert_eq!(
        refused,
        Err(PayloadError::Inflate(InflateError::TooLarge { limit }).into())
    );

    without_memory();
}
