//! Functions for `makeNoiseHandler`.

use ring::rand::{SecureRandom, SystemRandom};

use super::core::{Core, dialect};
use super::raw::{Exception, raw_function};
use crate::abi::{finish_init, signal};
use crate::dropin::{Frame, FrameOpenError, NoiseHandler};
use crate::handshake::messages::ServerHello;
use crate::handshake::{HandshakeError, NoiseKey, TrustedRoot, process_server_hello};
use crate::shared_sender::KeepAliveConfig;
use crate::wire::{KEEP_PER_THREAD, OpenError};

raw_function! {
    /// `noiseNew(dialect, header, publicKey, routingInfo?)`: creates a handler. Returns its number.
    NoiseNew, "noiseNew", 4, |call, core: Core| {
        let header = call.bytes(1)?;
        let routing_info = if call.is_undefined(3)? { None } else { Some(call.bytes(3)?) };
        let handler = NoiseHandler::new(dialect(call, 0)?, &header, &call.bytes(2)?, routing_info.as_deref())?;
        let number = core.handlers()?.add(handler);
        call.int(number as i32)
    }
}

raw_function! {
    /// `noiseRelease(handler)`: removes a handler and zeroizes its keys.
    NoiseRelease, "noiseRelease", 1, |call, core: Core| {
        core.handlers()?.remove(call.u32(0)?);
        call.undefined()
    }
}

raw_function! {
    /// `noiseEncrypt(handler, plaintext, out, offset)`: encrypts. The result is the length of the ciphertext, as for
    /// `encode`.
    NoiseEncrypt, "noiseEncrypt", 4, |call, core: Core| {
        let (mut inner, mut handlers) = (core.inner()?, core.handlers()?);
        let output = &mut inner.output;
        output.clear();
        handlers.by_number(call.u32(0)?)?.encrypt(&call.bytes(1)?, output)?;
        inner.deliver_output(call, 2)
    }
}

raw_function! {
    /// `noiseDecrypt(handler, ciphertext, out, offset)`: decrypts. The result is the length of the plaintext, as for
    /// `encode`.
    NoiseDecrypt, "noiseDecrypt", 4, |call, core: Core| {
        let (mut inner, mut handlers) = (core.inner()?, core.handlers()?);
        let output = &mut inner.output;
        output.clear();
        handlers.by_number(call.u32(0)?)?.channel.decrypt(&call.bytes(1)?, output)?;
        inner.deliver_output(call, 2)
    }
}

raw_function! {
    /// `noiseAuthenticate(handler, data)`: mixes data into the hash.
    NoiseAuthenticate, "noiseAuthenticate", 2, |call, core: Core| {
        core.handlers()?.by_number(call.u32(0)?)?.channel.authenticate(&call.bytes(1)?);
        call.undefined()
    }
}

raw_function! {
    /// `noiseMixIntoKey(handler, data)`: mixes data into the key.
    NoiseMixIntoKey, "noiseMixIntoKey", 2, |call, core: Core| {
        core.handlers()?.by_number(call.u32(0)?)?.channel.mix_into_key(&call.bytes(1)?);
        call.undefined()
    }
}

raw_function! {
    /// `noiseFinishInit(handler)`: ends the handshake. The result has the flags of `finish_init`.
    NoiseFinishInit, "noiseFinishInit", 1, |call, core: Core| {
        let mut handlers = core.handlers()?;
        let handler = handlers.by_number(call.u32(0)?)?;
        let can_read_ahead = handler.finish_init(core.environment.monitor().now())?;
        let shared_socket = handler.shared_socket();
        if let Some(socket) = shared_socket {
            core.environment.start_keep_alive(socket);
        }
        let reads_ahead = if can_read_ahead { finish_init::READS_AHEAD } else { 0 };
        let keeps_alive = if shared_socket.is_some() { finish_init::KEEPS_ALIVE } else { 0 };
        call.int(reads_ahead | keeps_alive)
    }
}

raw_function! {
    /// `noiseLink(handler, socket, interval)`: connects the handler with the socket that carries its frames. Returns 1
    /// if the read-ahead can open its frames, otherwise 0. `interval` is the time between the client's keep-alive
    /// queries in milliseconds. With 0, no keep-alive is sent for the client.
    NoiseLink, "noiseLink", 3, |call, core: Core| {
        let mut handlers = core.handlers()?;
        let handler = handlers.by_number(call.u32(0)?)?;
        let socket = call.u32(1)?;
        let interval = call.u32(2)?.into();
        let can_read_ahead = handler.link(socket, core.environment.connection_state(socket), || {
            Ok::<_, Exception>(KeepAliveConfig::new(interval, random_bits()?))
        })?;
        call.int(i32::from(can_read_ahead))
    }
}

/// 128 random bits from the operating system.
fn random_bits() -> Result<u128, Exception> {
    let mut random = [0; 16];
    let filled = SystemRandom::new().fill(&mut random);
    filled.map_err(|_| Exception::Type("the system's random number generator failed"))?;
    Ok(u128::from_le_bytes(random))
}

raw_function! {
    /// `noiseAdvance(handler, frames)`: advances the counter by a number of frames that were taken as tapes.
    NoiseAdvance, "noiseAdvance", 2, |call, core: Core| {
        let frames = u64::from(call.u32(1)?);
        if let Some(receiver) = core.handlers()?.by_number(call.u32(0)?)?.channel.receiver_mut() {
            receiver.advance(frames);
        }
        call.undefined()
    }
}

raw_function! {
    /// `feed(handler, chunk)`: adds bytes of the stream. `open` takes frames from them.
    Feed, "feed", 2, |call, core: Core| {
        core.handlers()?.by_number(call.u32(0)?)?.frames.feed(&call.bytes(1)?);
        call.undefined()
    }
}

raw_function! {
    /// `noiseProcessHandshake(handler, ephemeralPrivate, ephemeral, static, payload, noisePrivate, noisePublic, roots,
    /// serial, out, offset, seconds)`: processes the server's hello and writes the sealed static key of the client.
    /// Returns its length in the form of the result of `encode`. `roots` is a list of root keys of 32 bytes without
    /// separators. The certificates must be valid at the time `seconds` since 1970; 0 does not check their dates.
    NoiseProcessHandshake, "noiseProcessHandshake", 12, |call, core: Core| {
        let serial = call.u32(8)?;
        let roots = call.bytes(7)?;
        let (keys, rest) = roots.as_chunks();
        if keys.is_empty() || !rest.is_empty() {
            return Err(Exception::Type("a root key must have 32 bytes"));
        }
        let roots: Vec<_> = keys.iter().map(|&public_key| TrustedRoot { public_key, serial }).collect();
        let (ephemeral, static_key, payload) = (call.bytes(2)?, call.bytes(3)?, call.bytes(4)?);
        let hello = ServerHello { ephemeral: &ephemeral, static_key: &static_key, payload: &payload };
        let (private, public) = (call.bytes(5)?, call.bytes(6)?);
        let noise_key = NoiseKey { private: &private, public: &public };
        let (mut inner, mut handlers) = (core.inner()?, core.handlers()?);
        let channel = &mut handlers.by_number(call.u32(0)?)?.channel;
        let (sealed, certificate) = process_server_hello(channel, &call.bytes(1)?, &hello, noise_key, &roots)?;
        let seconds = call.u32(11)?;
        if seconds > 0 && !certificate.is_valid_near(seconds.into()) {
            return Err(HandshakeError::Validity.into());
        }
        inner.output = sealed;
        inner.deliver_output(call, 9)
    }
}

raw_function! {
    /// `seal(handler, data, out, offset)`: writes `data` as a frame to `out`. After the handshake, the frame is
    /// encrypted. The preamble is written before the first frame. The result is the length, as for `encode`.
    Seal, "seal", 4, |call, core: Core| {
        let (mut inner, mut handlers) = (core.inner()?, core.handlers()?);
        let handler = handlers.by_number(call.u32(0)?)?;
        let output = &mut inner.output;
        output.clear();
        handler.frame(&call.bytes(1)?, output)?;
        inner.deliver_output(call, 2)
    }
}

raw_function! {
    /// `open(handler)`: opens the next frame. Returns a tape's text or a signal. Throws if the frame cannot be opened.
    /// The register `UNDECODABLE` is then 1 if the frame is authentic but is not a stanza.
    Open, "open", 1, |call, core: Core| {
        let (mut inner, mut handlers) = (core.inner()?, core.handlers()?);
        let handler = handlers.by_number(call.u32(0)?)?;
        let inner = &mut *inner;
        inner.tapes.trim(KEEP_PER_THREAD);
        let opened = handler.open(&mut inner.opener, &mut inner.tapes, &mut inner.output);
        inner.opener.trim(KEEP_PER_THREAD);
        if matches!(opened, Err(FrameOpenError::Frame(OpenError::Payload(_)))) {
            inner.share_undecodable()?;
        }
        match opened? {
            Frame::None => call.int(signal::NONE),
            Frame::Partial => call.int(signal::PARTIAL),
            Frame::Hidden => call.int(signal::HIDDEN),
            Frame::Handshake => {
                inner.share_length()?;
                call.int(signal::RAW)
            }
            Frame::Stanza => inner.deliver(call),
        }
    }
}
