'use strict';

// makeNoiseHandler as Baileys has it, over the addon: handshake state, transport ciphers and framing.

const { isUint8Array } = require('node:util/types');

const { core, scratch } = require('../addon/shared-memory.cjs');
const { createCodec, encoded, hydrated, refuseWhileFlattening, DIALECTS } = require('../codec/binary-node.cjs');
const { delivery } = require('../addon/event-pump.cjs');
const { boom } = require('../shared/boom.cjs');
const { failure, FRAME_ERROR } = require('./frame-error.cjs');
const keepAlive = require('../addon/keep-alive.cjs');
const observe = require('../observe/socket.cjs');
const { LIFE_SIGN, sentBy } = require('./connection-link.cjs');
const { slab, reserve, allocate } = require('../addon/slab.cjs');
const { takeTape } = require('../codec/tape/batch.cjs');
const {
  finishInit: { KEEPS_ALIVE, READS_AHEAD },
  limit: { FRAME_OVERHEAD },
  register: { BYTES: REG_BYTES },
  signal: { HIDDEN, NONE, PARTIAL, RAW }
} = require('../addon/abi.cjs');
const { trustedRoots } = require('../connect/trust.cjs');
const { unshared } = require('../shared/bytes.cjs');

/** What `decodeFrame` returns where nothing failed: one promise for all, since each costs what a small frame does. */
const DONE = Promise.resolve();

/** Message of the error of a frame that does not authenticate: that of Node's AES-GCM, see src/bindings/error.rs. */
const NOT_AUTHENTIC = 'Unsupported state or unable to authenticate data';

const released = new FinalizationRegistry(id => core.noiseRelease(id));

/**
 * The `makeNoiseHandler` of one line of Baileys.
 *
 * @param {object} options
 * @param {'7' | '6.7' | '6.17'} options.dialect
 * @param {() => { PUBLIC_KEY?: Uint8Array, SERIAL?: number } | undefined} options.certDetails what that Baileys trusts,
 *   asked at each handshake
 */
function createNoiseHandlerFactory({ dialect, certDetails }) {
  const { decodePayload, hydrate, hydrateTape } = createCodec(dialect);
  const isAsync = dialect !== '7';

  function makeNoiseHandler({ keyPair, NOISE_HEADER, logger, routingInfo, trustedRoot }) {
    logger = logger.child({ class: 'ns' });
    const introLength = NOISE_HEADER.length + (routingInfo ? 7 + routingInfo.length : 0);
    // Every method holds on to `handle`; when all of them are gone, the native state goes.
    const handle = {
      id: core.noiseNew(
        DIALECTS[dialect].id,
        unshared(NOISE_HEADER),
        unshared(keyPair.public),
        unshared(routingInfo) || undefined
      )
    };
    released.register(handle, handle.id, handle);
    /** Whether the addon opens our frames ahead of us; after an error it does not any more. */
    let linked = false;
    let inTransport = false;
    /** Transport frames delivered, of which so many were taken from tapes since the addon was last told. */
    let opened = 0;
    let ahead = 0;
    /** Whether the addon holds the beginning of a frame. */
    let partial = false;
    /** Tapes being delivered: those not yet taken, to be given up where `decodeFrame` is called meanwhile. */
    let taking;
    /** The number of the socket that sends our frames, once it is known, and its keep-alive interval. */
    let socket = 0;
    let interval = 0;
    /** Frames sealed in transport. */
    let sealed = 0;
    /** The `onFrame` given last. */
    let latest;

    function output(call, data) {
      data = asBytes(data);
      reserve(data.length + FRAME_OVERHEAD);
      return encoded(call(handle.id, data, slab.buffer, slab.position));
    }

    function decrypt(ciphertext) {
      // Consumes a counter that no tape knows of.
      linked = false;
      catchUp();
      return output(core.noiseDecrypt, ciphertext);
    }

    function processHandshake({ serverHello }, noiseKey) {
      const { ephemeral, static: encryptedStatic, payload } = serverHello;
      const details = certDetails();
      const roots = trustedRoots(trustedRoot ?? details?.PUBLIC_KEY);
      reserve(64);
      try {
        return encoded(
          core.noiseProcessHandshake(
            handle.id,
            unshared(keyPair.private),
            unshared(ephemeral),
            unshared(encryptedStatic),
            unshared(payload),
            unshared(noiseKey.private),
            unshared(noiseKey.public),
            roots,
            details?.SERIAL ?? 0,
            slab.buffer,
            slab.position
          )
        );
      } catch (error) {
        throw error.code === 'ERR_NOISE_CERTIFICATE' ? boom(error.message, 400) : error;
      }
    }

    function finishInit() {
      catchUp();
      const result = core.noiseFinishInit(handle.id);
      linked = (result & READS_AHEAD) !== 0;
      if ((result & KEEPS_ALIVE) !== 0) keepAlive.enter(socket, { interval, tell: tellAlive, sealed: () => sealed });
      inTransport = true;
      opened = 0;
      logger.trace('noise handler is in transport state');
    }

    function encodeFrame(data) {
      data = asBytes(data);
      const { id } = handle;
      if (inTransport && observe.wantsNodes()) publishSent(data);
      reserve(introLength + FRAME_OVERHEAD + data.length);
      const frame = encoded(core.seal(id, data, slab.buffer, slab.position));
      if (inTransport) sealed++;
      else sentBy(frame, link);
      return frame;
    }

    function link(number, keepAliveInterval) {
      socket = number;
      interval = keepAliveInterval;
      core.noiseLink(handle.id, socket, interval);
    }

    /** Lets whoever takes our frames know that the connection lives. */
    function tellAlive() {
      try {
        latest?.(LIFE_SIGN);
      } catch {
        // Who can take nothing but nodes does without.
      }
    }

    /** A payload is about to be sent, and somebody wants to know which stanza that is. */
    function publishSent(payload) {
      let node;
      try {
        node = decodePayload(payload);
      } catch {
        // What is no stanza is sent all the same.
        return;
      }
      observe.node(socket || undefined, 'out', node);
    }

    function deliver(frame, onFrame) {
      if (logger.level === 'trace') logger.trace({ msg: frame.attrs?.id }, 'recv frame');
      if (observe.wantsNodes() && frame.attrs !== undefined) observe.node(socket || undefined, 'in', frame);
      onFrame(frame);
    }

    /** Tells the addon of the frames that were taken from tapes. */
    function catchUp() {
      if (ahead === 0) return;
      core.noiseAdvance(handle.id, ahead);
      ahead = 0;
    }

    /** Delivers the frames of the message at hand, which the addon has opened already. */
    function takeTapes(message, onFrame) {
      const { words, wordAt, text, textAt, memory, bytesAt, frames } = delivery;
      // Taken once: the same Buffer again is the same bytes again.
      delivery.frames = 0;
      const mine = { message, left: frames, words, wordAt, text, textAt, memory, bytesAt };
      taking = mine;
      try {
        while (mine.left > 0) {
          const frame = takeTape(mine, hydrateTape);
          mine.left--;
          opened++;
          ahead++;
          if (frame !== undefined) deliver(frame, onFrame);
        }
      } finally {
        if (taking === mine) giveUp();
      }
    }

    /** What is left of the tapes being delivered goes the ordinary way, so that nothing overtakes it. */
    function giveUp() {
      const { message, left } = taking;
      taking.left = 0;
      taking = undefined;
      if (left === 0) return;
      catchUp();
      const starts = frameStarts(message);
      core.feed(handle.id, message.subarray(starts[starts.length - left]));
      partial = true;
    }

    function decodeFrame(newData, onFrame) {
      latest = onFrame;
      try {
        if (taking !== undefined) giveUp();
        if (linked && newData === delivery.buffer && delivery.frames > 0 && delivery.counter === opened && !partial) {
          takeTapes(newData, onFrame);
          return DONE;
        }
        newData = asBytes(newData);
        refuseWhileFlattening();
        const { id } = handle;
        catchUp();
        core.feed(id, newData);
        let result = openNext(id);
        while (result !== NONE && result !== PARTIAL) {
          if (result === RAW) {
            deliver(rawFrame(), onFrame);
          } else {
            opened++;
            if (result !== HIDDEN) deliver(hydrated(hydrate, result, slab.buffer, 0), onFrame);
          }
          result = openNext(id);
        }
        partial = result === PARTIAL;
        return DONE;
      } catch (error) {
        // Frames may be left, and one that failed has consumed a counter that no tape knows of.
        partial = true;
        if (error?.[FRAME_ERROR]) {
          linked = false;
          failure.latest = error;
          failure.promise = Promise.reject(error);
          return failure.promise;
        }
        return Promise.reject(error);
      }
    }

    /** The next frame. A stanza that does not decode is skipped if the connection is one of our sockets. */
    function openNext(id) {
      for (;;) {
        try {
          return open(id);
        } catch (error) {
          if (socket === 0 || !inTransport || !isOfPayload(error)) throw error;
          // The frame has used a counter value that no tape has.
          linked = false;
          opened++;
          logger.warn?.({ err: error }, 'a stanza that does not decode was skipped');
          observe.undecodable(socket, error);
        }
      }
    }

    /** Frees the keys. Every later call throws. */
    function destroy() {
      linked = false;
      released.unregister(handle);
      core.noiseRelease(handle.id);
    }

    const mixIntoKey = data => core.noiseMixIntoKey(handle.id, unshared(data));
    return {
      encrypt: plaintext => output(core.noiseEncrypt, plaintext),
      decrypt,
      authenticate: data => core.noiseAuthenticate(handle.id, unshared(data)),
      mixIntoKey: isAsync ? async data => mixIntoKey(data) : mixIntoKey,
      finishInit: async () => finishInit(),
      processHandshake: isAsync
        ? async (handshake, noiseKey) => processHandshake(handshake, noiseKey)
        : processHandshake,
      encodeFrame,
      decodeFrame,
      destroy
    };
  }

  return makeNoiseHandler;
}

/** Where the frames of a message of whole frames start. */
function frameStarts(message) {
  const starts = [];
  for (let at = 0; at < message.length; at += 3 + message.readUIntBE(at, 3)) starts.push(at);
  return starts;
}

/** Refuses what is not a Buffer or Uint8Array; copies shared memory. */
function asBytes(data) {
  if (!isUint8Array(data)) throw new TypeError('a Buffer or Uint8Array is required');
  return unshared(data);
}

/**
 * Whether an error of `open` is one of the payload: the frame is authentic, but its stanza does not decode.
 *
 * @param {{ code?: string, message: string }} error
 */
const isOfPayload = ({ code, message }) => code !== 'ERR_NOISE' && code !== 'ERR_FRAME' && message !== NOT_AUTHENTIC;

/** The next frame; an error of it is marked as such, to be told from one of the caller's own `onFrame`. */
function open(id) {
  try {
    return core.open(id);
  } catch (error) {
    error[FRAME_ERROR] = true;
    throw error;
  }
}

function rawFrame() {
  const frame = allocate(scratch.ops[REG_BYTES]);
  core.takeOutput(frame, 0);
  return frame;
}

module.exports = { createNoiseHandlerFactory };
