//! The native half of `makeNoiseHandler`: handshake state, transport ciphers and framing of each handler, by number.

use std::sync::Arc;

use super::core::{Inner, dialect, signal};
use super::link::Link;
use super::raw::{Failure, raw_function};
use crate::binary::Dialect;
use crate::frame::{FrameDecoder, Intro, encode_frame};
use crate::handshake::messages::ServerHello;
use crate::handshake::{NoiseKey, TrustedRoot, process_server_hello};
use crate::noise::{Channel, NoiseError, PROTOCOL_XX};
use crate::read_ahead::KeepAliveReplies;
use crate::shared_sender::{Millis, Policy};
use crate::wire::{KEEP_PER_THREAD, seal_frame};
use ring::rand::{SecureRandom, SystemRandom};

/// What one `makeNoiseHandler` made.
pub(super) struct Handler {
    channel: Channel,
    frames: FrameDecoder,
    intro: Intro,
    dialect: Dialect,
    /// Frames of the handshake taken so far.
    handshake_frames: u64,
    /// What it shares with its socket, where that is ours, and the socket's number.
    link: Option<(Arc<Link>, u32)>,
    /// Whether its frames are sealed there, so that the I/O side can seal between them.
    is_shared: bool,
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.unshare();
    }
}

/// Handlers by number; numbers are used again.
#[derive(Default)]
pub(super) struct Handlers(Vec<Option<Handler>>);

impl Handlers {
    fn add(&mut self, handler: Handler) -> usize {
        if let Some(free) = self.0.iter().position(Option::is_none) {
            if let Some(slot) = self.0.get_mut(free) {
                *slot = Some(handler);
            }
            return free;
        }
        self.0.push(Some(handler));
        self.0.len() - 1
    }

    fn by_number(&mut self, number: u32) -> Result<&mut Handler, Failure> {
        self.0
            .get_mut(number as usize)
            .and_then(Option::as_mut)
            .ok_or(Failure::Type("unknown noise handler"))
    }
}

raw_function! {
    /// `noiseNew(dialect, header, publicKey, routingInfo?)`: a handler's number.
    NoiseNew, "noiseNew", 4, |call, core| {
        let header = call.bytes(1)?;
        let routing_info = if call.is_undefined(3)? { None } else { Some(call.bytes(3)?) };
        let handler = Handler {
            channel: Channel::new(PROTOCOL_XX, header, call.bytes(2)?)?,
            frames: FrameDecoder::new(),
            intro: Intro::new(header, routing_info)?,
            dialect: dialect(call, 0)?,
            handshake_frames: 0,
            link: None,
            is_shared: false,
        };
        let number = core.inner()?.handlers.add(handler);
        call.int(number as i32)
    }
}

raw_function! {
    /// `noiseRelease(handler)`: forgets a handler; its keys are zeroized.
    NoiseRelease, "noiseRelease", 1, |call, core| {
        if let Some(slot) = core.inner()?.handlers.0.get_mut(call.u32(0)? as usize) {
            *slot = None;
        }
        call.undefined()
    }
}

raw_function! {
    /// `noiseEncrypt(handler, plaintext, out, offset)`: the ciphertext's length, as `encode` gives it.
    NoiseEncrypt, "noiseEncrypt", 4, |call, core| {
        let mut inner = core.inner()?;
        let Inner { handlers, output, .. } = &mut *inner;
        output.clear();
        handlers.by_number(call.u32(0)?)?.encrypt(call.bytes(1)?, output)?;
        inner.deliver_output(call, 2)
    }
}

raw_function! {
    /// `noiseDecrypt(handler, ciphertext, out, offset)`: the plaintext's length, as `encode` gives it.
    NoiseDecrypt, "noiseDecrypt", 4, |call, core| {
        let mut inner = core.inner()?;
        let Inner { handlers, output, .. } = &mut *inner;
        output.clear();
        handlers.by_number(call.u32(0)?)?.channel.decrypt(call.bytes(1)?, output)?;
        inner.deliver_output(call, 2)
    }
}

raw_function! {
    /// `noiseAuthenticate(handler, data)`
    NoiseAuthenticate, "noiseAuthenticate", 2, |call, core| {
        core.inner()?.handlers.by_number(call.u32(0)?)?.channel.authenticate(call.bytes(1)?);
        call.undefined()
    }
}

raw_function! {
    /// `noiseMixIntoKey(handler, data)`
    NoiseMixIntoKey, "noiseMixIntoKey", 2, |call, core| {
        core.inner()?.handlers.by_number(call.u32(0)?)?.channel.mix_into_key(call.bytes(1)?);
        call.undefined()
    }
}

raw_function! {
    /// `noiseFinishInit(handler)`: goes to transport; 1 where a stage opens frames ahead from now on, 3 where also the I/O
    /// side stands in for a JavaScript that does not run.
    NoiseFinishInit, "noiseFinishInit", 1, |call, core| {
        let mut inner = core.inner()?;
        let handler = inner.handlers.by_number(call.u32(0)?)?;
        let linked = handler.finish_init(core.hub.pulse.now())?;
        if let Some((_, socket)) = handler.link
            && handler.is_shared
        {
            core.hub.stand_by(socket);
        }
        call.int(i32::from(linked) | i32::from(handler.is_shared) << 1)
    }
}

impl Handler {
    fn finish_init(&mut self, now: Millis) -> Result<bool, Failure> {
        let first = !self.channel.is_transport();
        self.channel.finish_init()?;
        self.unshare();
        let Some((link, _)) = &self.link else {
            return Ok(false);
        };
        if first {
            let (_, receiver) = self.channel.derive_transport()?;
            link.read_ahead().open(receiver, self.handshake_frames, self.dialect);
            let channel = &mut self.channel;
            self.is_shared = link.shared_sender().open(|| channel.take_sender(), self.dialect, now);
        } else {
            link.read_ahead().close();
        }
        Ok(first)
    }

    /// The handler seals by itself, or not at all any more.
    fn unshare(&mut self) {
        if std::mem::take(&mut self.is_shared)
            && let Some((link, _)) = &self.link
        {
            link.shared_sender().close();
        }
    }

    /// Seals what is not a frame.
    fn encrypt(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), NoiseError> {
        let shared = self.link.as_ref().filter(|_| self.is_shared);
        shared
            .and_then(|(link, _)| link.shared_sender().seal_loose(data, output))
            .unwrap_or_else(|| self.channel.encrypt(data, output))
    }

    /// The replies to keep-alive queries that the I/O side sent, if it sent any.
    fn keep_alive_replies(&self) -> Option<KeepAliveReplies> {
        let (link, _) = self.link.as_ref().filter(|_| self.is_shared)?;
        let shared_sender = link.shared_sender();
        let id_prefix = shared_sender.id_prefix().filter(|_| shared_sender.own() > 0)?;
        Some(KeepAliveReplies::new(id_prefix.to_owned()))
    }
}

raw_function! {
    /// `noiseLink(handler, socket, interval)`: the handler's frames go through this socket; 1 where a stage can open them
    /// ahead. `interval`: milliseconds between the client's own keep-alive queries, 0 where nobody is to stand in.
    NoiseLink, "noiseLink", 3, |call, core| {
        let mut inner = core.inner()?;
        let handler = inner.handlers.by_number(call.u32(0)?)?;
        let fresh = !handler.channel.is_transport() && handler.handshake_frames == 0 && handler.frames.buffered() == 0;
        let socket = call.u32(1)?;
        if handler.link.is_none()
            && fresh
            && let Some(link) = core.hub.link(socket)
            && link.read_ahead().link()
        {
            let interval = call.u32(2)?.into();
            link.shared_sender().link(Policy { interval, id_prefix: id_prefix()? });
            handler.link = Some((link, socket));
        }
        call.int(i32::from(handler.link.is_some()))
    }
}

/// What no other id begins with: 128 random bits, in the form of Baileys' ids.
fn id_prefix() -> Result<String, Failure> {
    let mut random = [0; 16];
    let filled = SystemRandom::new().fill(&mut random);
    filled.map_err(|_| Failure::Type("the system has no randomness"))?;
    let random = u128::from_le_bytes(random);
    Ok(format!("{}.{}-", random >> 64, random & u128::from(u64::MAX)))
}

raw_function! {
    /// `noiseAdvance(handler, frames)`: so many frames were taken from tapes.
    NoiseAdvance, "noiseAdvance", 2, |call, core| {
        let mut inner = core.inner()?;
        let frames = u64::from(call.u32(1)?);
        if let Some(receiver) = inner.handlers.by_number(call.u32(0)?)?.channel.receiver_mut() {
            receiver.advance(frames);
        }
        call.undefined()
    }
}

raw_function! {
    /// `feed(handler, chunk)`: takes bytes of the stream, for `open` to find.
    Feed, "feed", 2, |call, core| {
        core.inner()?.handlers.by_number(call.u32(0)?)?.frames.feed(call.bytes(1)?);
        call.undefined()
    }
}

raw_function! {
    /// `noiseProcessHandshake(handler, ephemeralPrivate, ephemeral, static, payload, noisePrivate, noisePublic, roots,
    /// serial, out, offset)`: the length of the own static key sealed, as `encode` gives it. `roots` is one root key of 32
    /// bytes after another.
    NoiseProcessHandshake, "noiseProcessHandshake", 11, |call, core| {
        let serial = call.u32(8)?;
        let (keys, rest) = call.bytes(7)?.as_chunks();
        if keys.is_empty() || !rest.is_empty() {
            return Err(Failure::Type("a root key is 32 bytes"));
        }
        let roots: Vec<_> = keys.iter().map(|&public_key| TrustedRoot { public_key, serial }).collect();
        let hello = ServerHello { ephemeral: call.bytes(2)?, static_key: call.bytes(3)?, payload: call.bytes(4)? };
        let noise_key = NoiseKey { private: call.bytes(5)?, public: call.bytes(6)? };
        let mut inner = core.inner()?;
        let channel = &mut inner.handlers.by_number(call.u32(0)?)?.channel;
        let (sealed, _certificate) = process_server_hello(channel, call.bytes(1)?, &hello, noise_key, &roots)?;
        inner.output = sealed;
        inner.deliver_output(call, 9)
    }
}

raw_function! {
    /// `seal(handler, data, out, offset)`: data as a frame, sealed after the handshake, behind the intro the first time.
    Seal, "seal", 4, |call, core| {
        let mut inner = core.inner()?;
        let Inner { handlers, output, .. } = &mut *inner;
        let handler = handlers.by_number(call.u32(0)?)?;
        output.clear();
        handler.frame(call.bytes(1)?, output)?;
        inner.deliver_output(call, 2)
    }
}

impl Handler {
    fn frame(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), Failure> {
        let Self {
            channel, intro, link, ..
        } = self;
        let link = link.as_ref().filter(|_| self.is_shared).map(|(link, _)| link);
        intro.write_before(output, |output| {
            if !channel.is_transport() {
                return Ok(encode_frame(data, output)?);
            }
            let shared = link.and_then(|link| link.shared_sender().seal_frame(data, output));
            let sealed = match shared {
                Some(sealed) => sealed,
                None => seal_frame(channel.sender_mut().ok_or(NoiseError::SenderTaken)?, data, output),
            };
            Ok(sealed?)
        })
    }
}

raw_function! {
    /// `open(handler)`: the next frame: a tape's text or a signal.
    Open, "open", 1, |call, core| {
        let mut inner = core.inner()?;
        let inner = &mut *inner;
        let handler = inner.handlers.by_number(call.u32(0)?)?;
        let Some(frame) = handler.frames.next()? else {
            return call.int(if handler.frames.buffered() > 0 { signal::PARTIAL } else { signal::NONE });
        };
        let dialect = handler.dialect;
        if !handler.channel.is_transport() {
            handler.handshake_frames += 1;
            inner.output.clear();
            inner.output.extend_from_slice(frame);
            inner.tape.clear();
            inner.share_length()?;
            return call.int(signal::RAW);
        }
        let Some(receiver) = handler.channel.receiver_mut() else {
            return Err(NoiseError::SenderTaken.into());
        };
        inner.tape.trim(KEEP_PER_THREAD);
        let opened = inner.opener.open(frame, receiver, dialect, &mut inner.tape, |_| ()).map(drop);
        inner.opener.trim(KEEP_PER_THREAD);
        let replies = handler.keep_alive_replies();
        opened?;
        if replies.is_some_and(|replies| replies.contains(&inner.tape, dialect)) {
            return call.int(signal::PASSED);
        }
        inner.deliver(call)
    }
}
