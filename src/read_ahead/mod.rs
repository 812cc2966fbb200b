//! What the I/O side does with a connection's messages ahead of JavaScript: split, open, inflate, walk.
//!
//! An [`ReadAhead`] follows the byte stream of one connection beside its noise handler, which stays in charge. For a
//! message of whole frames it makes the tapes that the handler would make, and says at which counter; a handler that
//! stands at that counter takes them and goes on behind them. Anything else (a frame across messages, a frame that does not
//! open, a message with too much in it, a handler that was given other bytes) is left to the handler, whose own state the
//! tapes never touch. The stage can thus save work but cannot change a result.

mod answers;

pub use answers::Answers;

use crate::binary::{self, Dialect};
use crate::frame::{FrameDecoder, split_frame};
use crate::noise::Receiver;
use crate::tape::{TapeWriter, Tapes};

/// Scratch memory, which the connections of a thread share.
#[derive(Debug, Default)]
pub struct Scratch {
    tape: TapeWriter,
    plain: Vec<u8>,
    inflated: Vec<u8>,
}

/// What of each part of a [`Scratch`] is kept between messages, in bytes.
const KEEP: usize = 128 * 1024;

/// The most bytes of tapes that one message is given, 8 MiB, unless one frame takes more. Frames that inflate to 64 MiB
/// each fit by the hundred into one message, and nothing else holds the peer back before the message is through.
const MAX_TAPES: usize = 8 * 1024 * 1024;

/// The tapes of one message.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The counter of its first frame.
    pub counter: u64,
    /// How many frames it had, at least one.
    pub frames: u32,
}

/// One connection's stage.
#[derive(Debug, Default)]
pub struct ReadAhead {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// Nothing has come and nobody is interested.
    #[default]
    Fresh,
    /// A handler sends its handshake here: frames are counted, so that their counters will be known.
    Counting { frames: FrameDecoder, seen: u64 },
    /// The handler's keys are known.
    Open(Box<Stream>),
    /// Too late, or given up: the handler does it all.
    Off,
}

#[derive(Debug)]
struct Stream {
    frames: FrameDecoder,
    receiver: Receiver,
    dialect: Dialect,
    /// What JavaScript is not to see.
    answers: Option<Answers>,
}

impl ReadAhead {
    /// Starts to follow the stream. `false` where it is too late, since something has come already.
    pub fn link(&mut self) -> bool {
        if matches!(self.state, State::Fresh) {
            self.state = State::Counting {
                frames: FrameDecoder::new(),
                seen: 0,
            };
        }
        matches!(self.state, State::Counting { .. })
    }

    /// Opens frames from now on. `receiver` stands at counter 0, `handshake` is the number of frames that came before it.
    pub fn open(&mut self, receiver: Receiver, handshake: u64, dialect: Dialect) {
        self.state = match std::mem::replace(&mut self.state, State::Off) {
            State::Counting { frames, seen } => match seen.checked_sub(handshake) {
                Some(skipped) => State::Open(Box::new(Stream {
                    frames,
                    receiver: receiver.skip(skipped),
                    dialect,
                    answers: None,
                })),
                None => State::Off,
            },
            _ => State::Off,
        };
    }

    /// Answers may come from now on that JavaScript is not to see.
    pub fn expect(&mut self, answers: Answers) {
        if let State::Open(stream) = &mut self.state
            && stream.answers.is_none()
        {
            stream.answers = Some(answers);
        }
    }

    /// Leaves everything to the handler from now on.
    pub fn close(&mut self) {
        self.state = State::Off;
    }

    /// A message has come. Its tapes are appended to `tapes` where there are any.
    pub fn message(&mut self, message: &[u8], scratch: &mut Scratch, tapes: &mut Tapes) -> Option<Opened> {
        match &mut self.state {
            State::Fresh => self.state = State::Off,
            State::Counting { frames, seen } => {
                frames.feed(message);
                loop {
                    match frames.next() {
                        Ok(Some(_)) => *seen += 1,
                        Ok(None) => break,
                        Err(_) => {
                            self.state = State::Off;
                            break;
                        }
                    }
                }
            }
            State::Open(stream) => {
                let start = tapes.len();
                let opened = stream.message(message, scratch, tapes);
                scratch.trim();
                match opened {
                    Some(opened) if opened.frames > 0 => return Some(opened),
                    Some(_) => tapes.truncate(start),
                    None => {
                        tapes.truncate(start);
                        self.state = State::Off;
                    }
                }
            }
            State::Off => {}
        }
        None
    }
}

impl Stream {
    /// The frames of this message; none where it is not one of whole frames or has too much in it, and is left to the
    /// handler. `None` where something is wrong.
    fn message(&mut self, mut message: &[u8], scratch: &mut Scratch, tapes: &mut Tapes) -> Option<Opened> {
        let counter = self.receiver.counter();
        let start = tapes.size();
        let mut count = 0;
        if self.frames.buffered() == 0 {
            while tapes.size() - start < MAX_TAPES
                && let Some((frame, rest)) = split_frame(message)
            {
                scratch.open(frame, &mut self.receiver, self.dialect, self.answers.as_ref(), tapes)?;
                count += 1;
                message = rest;
            }
        }
        let is_done = message.is_empty();
        self.pass_over(message)?;
        Some(Opened {
            counter,
            frames: if is_done { count } else { 0 },
        })
    }

    /// Counts the frames that end in these bytes, which the handler opens.
    fn pass_over(&mut self, mut bytes: &[u8]) -> Option<()> {
        if self.frames.buffered() == 0 {
            while let Some((_, rest)) = split_frame(bytes) {
                self.receiver.advance(1);
                bytes = rest;
            }
        }
        self.frames.feed(bytes);
        while self.frames.next().ok()?.is_some() {
            self.receiver.advance(1);
        }
        Some(())
    }
}

impl Scratch {
    fn open(
        &mut self,
        frame: &[u8],
        receiver: &mut Receiver,
        dialect: Dialect,
        answers: Option<&Answers>,
        tapes: &mut Tapes,
    ) -> Option<()> {
        self.plain.clear();
        receiver.open(frame, &mut self.plain).ok()?;
        let payload = binary::unpack(&self.plain, &mut self.inflated).ok()?;
        self.tape.clear();
        binary::decode(payload, dialect, &mut self.tape).ok()?;
        if answers.is_some_and(|answers| answers.has(&self.tape, payload, dialect)) {
            tapes.push_nothing();
        } else {
            tapes.push(&self.tape);
        }
        Some(())
    }

    fn trim(&mut self) {
        self.plain.clear();
        self.plain.shrink_to(KEEP);
        self.inflated.clear();
        self.inflated.shrink_to(KEEP);
        self.tape.trim(KEEP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::encode_frame;
    use crate::noise::Sender;

    #[test]
    fn what_a_large_message_took_is_given_back_whatever_it_was() {
        let key = [9; 32];
        let text = [&[0, 248, 2, 19, 254, 0, 16, 0, 0][..], &[b'x'; 1 << 20]].concat();
        let no_node = [&[0, 255][..], &[0; 1 << 20]].concat();
        for (payload, opens) in [(text, true), (no_node, false)] {
            let (mut sealed, mut message) = (Vec::new(), Vec::new());
            Sender::new(&key).unwrap().seal(&payload, &mut sealed).unwrap();
            encode_frame(&sealed, &mut message).unwrap();
            let (mut read_ahead, mut scratch) = (ReadAhead::default(), Scratch::default());
            assert!(read_ahead.link());
            read_ahead.open(Receiver::new(&key).unwrap(), 0, Dialect::V7);
            let opened = read_ahead.message(&message, &mut scratch, &mut Tapes::default());
            assert_eq!(opened.is_some(), opens);
            let Scratch { tape, plain, inflated } = &scratch;
            for held in [tape.capacity(), plain.capacity(), inflated.capacity()] {
                assert!(held <= 3 * KEEP, "{held}");
            }
        }
    }
}
