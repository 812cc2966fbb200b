'use strict';

// Baileys' `makeNoiseHandler`. The addon has the handshake state, the transport ciphers and the framing.

const { isUint8Array } = require('node:util/types');

const { core, scratch } = require('../addon/shared-memory.cjs');
const { createCodec, encoded, hydrated, refuseWhileFlattening, DIALECTS } = require('../codec/binary-node.cjs');
const { tapeCursor } = require('../addon/event-pump.cjs');
const { boom } = require('../shared/boom.cjs');
const { lastFrameError, FRAME_ERROR } = require('./frame-error.cjs');
const keepAlive = require('../addon/keep-alive.cjs');
const observe = require('../observe/socket.cjs');
const { ALIVE_FRAME, registerHandshakeFrame } = require('./connection-link.cjs');
const { slab, reserve, allocate } = require('../addon/slab.cjs');
const { takeTape } = require('../codec/tape/batch.cjs');
const {
  finishInit: { KEEPS_ALIVE, READS_AHEAD },
  limit: { FRAME_OVERHEAD },
  register: { BYTES: REG_BYTES, UNDECODABLE: REG_UNDECODABLE },
  signal: { HIDDEN, NONE, PARTIAL, RAW }
} = require('../addon/abi.cjs');
const { trustedRoots } = require('../connect/trust.cjs');
const { environmentSwitch } = require('../shared/environment.cjs');
const { unshared } = require('../shared/bytes.cjs');

/** @import { BinaryNode, KeyPair, NoiseHandlerOptions, NoiseLogger, ServerHandshake } from '../../index' */
/** @import { Dialect } from '../shared/baileys-layout.cjs' */
/** @typedef {BinaryNode | (Uint8Array & { attrs?: undefined })} Frame A stanza; in the handshake phase bytes. */
/** @typedef {(frame: Uint8Array | BinaryNode) => void} OnFrame */
/** @typedef {NoiseLogger & { warn?(data: unknown, message?: string): void }} Logger */
/** @typedef {Parameters<typeof takeTape>[0] & { message: Buffer, left: number }} Tapes */

/**
 * The result of every successful `decodeFrame`. It is shared, because creating a promise takes as long as decoding a
 * small frame.
 */
const DONE = Promise.resolve();

const released = new FinalizationRegistry(id => core.noiseRelease(id));

/**
 * Creates the function `makeNoiseHandler` of one dialect.
 *
 * @param {object} options
 * @param {Dialect} options.dialect
 * @param {() => { PUBLIC_KEY?: Uint8Array, SERIAL?: number } | undefined} options.certDetails the certificate issuer
 *   that this Baileys trusts; called at each handshake
 */
function createNoiseHandlerFactory({ dialect, certDetails }) {
  const { decodePayload, hydrate, hydrateTape } = createCodec(dialect);
  const isAsync = dialect !== '7';

  /** @param {NoiseHandlerOptions & { logger: Logger }} options */
  function makeNoiseHandler({ keyPair, NOISE_HEADER, logger, routingInfo, trustedRoot, checkCertificateDates }) {
    logger = /** @type {Logger} */ (logger.child({ class: 'ns' }));
    /** The most bytes before the first frame: routing info with its prefix of 7 bytes, and the header. */
    const preambleLength = NOISE_HEADER.length + (routingInfo ? 7 + routingInfo.length : 0);
    // All methods refer to `handle`. When the last method is garbage-collected, the native state is freed.
    const handle = {
      id: core.noiseNew(
        DIALECTS[dialect].id,
        unshared(NOISE_HEADER),
        unshared(keyPair.public),
        unshared(routingInfo) || undefined
      )
    };
    released.register(handle, handle.id, handle);
    /** Whether the read-ahead opens the frames of this handler. False after an error. */
    let usesReadAhead = false;
    let inTransport = false;
    /** The number of opened transport frames. */
    let opened = 0;
    /** The number of frames that were taken from tapes and that the native handler does not count yet. */
    let pendingAdvance = 0;
    /** Whether the native handler has bytes that were not delivered, such as the beginning of a frame. */
    let hasUnread = false;
    /**
     * The tapes that are being delivered. A nested call of `decodeFrame` drops those that are left.
     *
     * @type {Tapes | undefined}
     */
    let delivering;
    /** The number of the linked socket (0: none) and its keep-alive interval in milliseconds. */
    let socketId = 0;
    let interval = 0;
    /** The number of sealed transport frames. */
    let sealed = 0;
    /**
     * The `onFrame` of the latest `decodeFrame`.
     *
     * @type {OnFrame | undefined}
     */
    let latestOnFrame;

    /**
     * @param {(id: number, data: Uint8Array, out: Buffer, at: number) => number} call
     * @param {Uint8Array} data
     */
    function output(call, data) {
      data = asBytes(data);
      reserve(data.length + FRAME_OVERHEAD);
      return encoded(call(handle.id, data, slab.buffer, slab.position));
    }

    /** @param {Uint8Array} ciphertext */
    function decrypt(ciphertext) {
      // This uses a counter value, which the read-ahead does not notice.
      usesReadAhead = false;
      advanceNative();
      return output(core.noiseDecrypt, ciphertext);
    }

    /**
     * @param {ServerHandshake} handshake
     * @param {KeyPair} noiseKey
     */
    function processHandshake({ serverHello }, noiseKey) {
      const {
        ephemeral,
        static: encryptedStatic,
        payload
      } = /** @type {NonNullable<typeof serverHello>} */ (serverHello);
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
            slab.position,
            checksDates(checkCertificateDates) ? Math.floor(Date.now() / 1000) : 0
          )
        );
      } catch (error) {
        throw error.code === 'ERR_NOISE_CERTIFICATE' ? boom(error.message, 400) : error;
      }
    }

    function finishInit() {
      advanceNative();
      const result = core.noiseFinishInit(handle.id);
      usesReadAhead = (result & READS_AHEAD) !== 0;
      if ((result & KEEPS_ALIVE) !== 0)
        keepAlive.startKeepAlive(socketId, { interval, reportAlive, sealed: () => sealed });
      inTransport = true;
      opened = 0;
      logger.trace('noise handler is in transport state');
    }

    /** @param {Uint8Array} data */
    function encodeFrame(data) {
      data = asBytes(data);
      const { id } = handle;
      if (inTransport && observe.wantsNodes()) publishSent(data);
      reserve(preambleLength + FRAME_OVERHEAD + data.length);
      const frame = encoded(core.seal(id, data, slab.buffer, slab.position));
      if (inTransport) sealed++;
      else registerHandshakeFrame(frame, link);
      return frame;
    }

    /**
     * @param {number} number
     * @param {number} keepAliveInterval
     */
    function link(number, keepAliveInterval) {
      socketId = number;
      interval = keepAliveInterval;
      core.noiseLink(handle.id, socketId, interval);
    }

    /** Reports to the latest `onFrame` that the connection is alive. */
    function reportAlive() {
      try {
        latestOnFrame?.(ALIVE_FRAME);
      } catch {
        // An `onFrame` that throws for a Buffer that is not a node is ignored.
      }
    }

    /**
     * Publishes the stanza of a payload that is about to be sealed.
     *
     * @param {Uint8Array} payload
     */
    function publishSent(payload) {
      let node;
      try {
        node = decodePayload(payload);
      } catch {
        // A payload that is not a stanza is sent, but not published.
        return;
      }
      observe.node(socketId || undefined, 'out', node);
    }

    /**
     * @param {Frame} frame
     * @param {OnFrame} onFrame
     */
    function deliver(frame, onFrame) {
      if (logger.level === 'trace') logger.trace({ msg: frame.attrs?.id }, 'recv frame');
      if (observe.wantsNodes() && frame.attrs !== undefined) observe.node(socketId || undefined, 'in', frame);
      onFrame(frame);
    }

    /** Advances the native handler by the frames that were taken from tapes. */
    function advanceNative() {
      if (pendingAdvance === 0) return;
      core.noiseAdvance(handle.id, pendingAdvance);
      pendingAdvance = 0;
    }

    /**
     * Delivers the frames of a message from the tapes of the read-ahead.
     *
     * @param {Buffer} message
     * @param {OnFrame} onFrame
     */
    function takeTapes(message, onFrame) {
      const { words, wordAt, text, textAt, textEnd, batch, memory, bytesAt, frames } = tapeCursor;
      // The tapes are used once. If the same Buffer is decoded again, its bytes are decoded again.
      tapeCursor.frames = 0;
      const tapes = { message, left: frames, words, wordAt, text, textAt, textEnd, batch, memory, bytesAt };
      delivering = tapes;
      try {
        while (tapes.left > 0) {
          const frame = takeTape(tapes, hydrateTape);
          tapes.left--;
          opened++;
          pendingAdvance++;
          if (frame !== undefined) deliver(frame, onFrame);
        }
      } finally {
        if (delivering === tapes) dropTapes(tapes);
      }
    }

    /**
     * Drops the tapes that are left and feeds their frames to the native handler, so that the order is kept.
     *
     * @param {Tapes} tapes
     */
    function dropTapes(tapes) {
      const { message, left } = tapes;
      tapes.left = 0;
      delivering = undefined;
      if (left === 0) return;
      advanceNative();
      const starts = frameStarts(message);
      core.feed(handle.id, message.subarray(starts[starts.length - left]));
      hasUnread = true;
    }

    /**
     * @param {Uint8Array} newData
     * @param {OnFrame} onFrame
     */
    function decodeFrame(newData, onFrame) {
      latestOnFrame = onFrame;
      try {
        if (delivering !== undefined) dropTapes(delivering);
        if (
          usesReadAhead &&
          newData === tapeCursor.buffer &&
          tapeCursor.frames > 0 &&
          tapeCursor.counter === opened &&
          !hasUnread
        ) {
          takeTapes(/** @type {Buffer} */ (newData), onFrame);
          return DONE;
        }
        newData = asBytes(newData);
        refuseWhileFlattening();
        const { id } = handle;
        advanceNative();
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
        hasUnread = result === PARTIAL;
        return DONE;
      } catch (error) {
        // Frames may be left. A frame that failed has used a counter value, which the read-ahead does not notice.
        hasUnread = true;
        if (error?.[FRAME_ERROR]) {
          usesReadAhead = false;
          lastFrameError.error = error;
          lastFrameError.promise = Promise.reject(error);
          return lastFrameError.promise;
        }
        return Promise.reject(error);
      }
    }

    /**
     * Opens the next frame. On a linked socket, a frame with a stanza that cannot be decoded is skipped.
     *
     * @param {number} id
     */
    function openNext(id) {
      for (;;) {
        try {
          return open(id);
        } catch (error) {
          if (socketId === 0 || !inTransport || !error[UNDECODABLE]) throw error;
          opened++;
          logger.warn?.({ err: error }, 'a stanza that does not decode was skipped');
          observe.undecodable(socketId, error);
        }
      }
    }

    /** Frees the native state and its keys. Every later call throws. */
    function destroy() {
      usesReadAhead = false;
      released.unregister(handle);
      core.noiseRelease(handle.id);
    }

    /** @param {Uint8Array} data */
    const mixIntoKey = data => core.noiseMixIntoKey(handle.id, unshared(data));
    return {
      /** @param {Uint8Array} plaintext */
      encrypt: plaintext => output(core.noiseEncrypt, plaintext),
      decrypt,
      /** @param {Uint8Array} data */
      authenticate: data => core.noiseAuthenticate(handle.id, unshared(data)),
      mixIntoKey: isAsync ? async (/** @type {Uint8Array} */ data) => mixIntoKey(data) : mixIntoKey,
      finishInit: async () => finishInit(),
      processHandshake: isAsync
        ? async (/** @type {ServerHandshake} */ handshake, /** @type {KeyPair} */ noiseKey) =>
            processHandshake(handshake, noiseKey)
        : processHandshake,
      encodeFrame,
      decodeFrame,
      destroy
    };
  }

  return makeNoiseHandler;
}

/**
 * Whether the dates of the server's certificates are checked. Baileys does not check them.
 *
 * @param {boolean | undefined} wanted
 */
const checksDates = wanted => wanted ?? environmentSwitch('BAILEYS_NATIVE_CERTIFICATE_DATES') === true;

/**
 * The positions of the frames in a message that consists of whole frames.
 *
 * @param {Buffer} message
 */
function frameStarts(message) {
  const starts = [];
  for (let at = 0; at < message.length; at += 3 + message.readUIntBE(at, 3)) starts.push(at);
  return starts;
}

/**
 * Throws if `data` is not a Uint8Array; copies shared memory.
 *
 * @param {Uint8Array} data
 */
function asBytes(data) {
  if (!isUint8Array(data)) throw new TypeError('a Buffer or Uint8Array is required');
  return unshared(data);
}

/** Marks an error of a frame that is authentic but is not a stanza. */
const UNDECODABLE = Symbol('undecodable');

/**
 * Opens the next frame. Its errors are marked, to distinguish them from errors of the caller's `onFrame`.
 *
 * @param {number} id
 */
function open(id) {
  try {
    return core.open(id);
  } catch (error) {
    error[FRAME_ERROR] = true;
    error[UNDECODABLE] = scratch.ops[REG_UNDECODABLE] === 1;
    scratch.ops[REG_UNDECODABLE] = 0;
    throw error;
  }
}

function rawFrame() {
  const frame = allocate(scratch.ops[REG_BYTES]);
  core.takeOutput(frame, 0);
  return frame;
}

module.exports = { createNoiseHandlerFactory };
