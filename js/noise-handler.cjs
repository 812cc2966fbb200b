'use strict';

// makeNoiseHandler as Baileys has it, over the addon: handshake state, transport ciphers and framing.

const { isUint8Array } = require('node:util/types');

const { core, scratch } = require('./core.cjs');
const { createCodec, encoded, hydrated, refuseWhileFlattening, DIALECTS } = require('./binary-node.cjs');
const { boom, FRAME_ERROR } = require('./errors.cjs');
const { slab, reserve, allocate } = require('./slab.cjs');
const { REG_BYTES } = require('./tape/layout.cjs');
const { trustedRoots } = require('./trust.cjs');

/** Results of `open` that are neither a text nor a request for room: no whole frame; a frame of the handshake. */
const NONE = 0;
const RAW = 2;

/** What a frame is longer than its payload: length, tag. */
const FRAME_OVERHEAD = 3 + 16;

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
  const { hydrate } = createCodec(dialect);
  const isAsync = dialect !== '7';

  function makeNoiseHandler({ keyPair, NOISE_HEADER, logger, routingInfo, trustedRoot }) {
    logger = logger.child({ class: 'ns' });
    const introLength = NOISE_HEADER.length + (routingInfo ? 7 + routingInfo.length : 0);
    // Every method holds on to `handle`; when all of them are gone, the native state goes.
    const handle = { id: core.noiseNew(DIALECTS[dialect].id, NOISE_HEADER, keyPair.public, routingInfo || undefined) };
    released.register(handle, handle.id);

    function output(call, data) {
      requireBytes(data);
      reserve(data.length + FRAME_OVERHEAD);
      return encoded(call(handle.id, data, slab.buffer, slab.position));
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
            keyPair.private,
            ephemeral,
            encryptedStatic,
            payload,
            noiseKey.private,
            noiseKey.public,
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
      core.noiseFinishInit(handle.id);
      logger.trace('noise handler is in transport state');
    }

    function encodeFrame(data) {
      requireBytes(data);
      const { id } = handle;
      reserve(introLength + FRAME_OVERHEAD + data.length);
      return encoded(core.seal(id, data, slab.buffer, slab.position));
    }

    function decodeFrame(newData, onFrame) {
      const { id } = handle;
      try {
        requireBytes(newData);
        refuseWhileFlattening();
        let result = open(id, newData);
        while (result !== NONE) {
          const frame = result === RAW ? rawFrame() : hydrated(hydrate, result, slab.buffer);
          if (logger.level === 'trace') logger.trace({ msg: frame.attrs?.id }, 'recv frame');
          onFrame(frame);
          result = open(id);
        }
        return Promise.resolve();
      } catch (error) {
        return Promise.reject(error);
      }
    }

    const mixIntoKey = data => core.noiseMixIntoKey(handle.id, data);
    return {
      encrypt: plaintext => output(core.noiseEncrypt, plaintext),
      decrypt: ciphertext => output(core.noiseDecrypt, ciphertext),
      authenticate: data => core.noiseAuthenticate(handle.id, data),
      mixIntoKey: isAsync ? async data => mixIntoKey(data) : mixIntoKey,
      finishInit: async () => finishInit(),
      processHandshake: isAsync
        ? async (handshake, noiseKey) => processHandshake(handshake, noiseKey)
        : processHandshake,
      encodeFrame,
      decodeFrame
    };
  }

  return makeNoiseHandler;
}

/** Refuses what has no length to make room by. */
function requireBytes(data) {
  if (!isUint8Array(data)) throw new TypeError('a Buffer or Uint8Array is required');
}

/** The next frame; an error of it is marked as such, to be told from one of the caller's own `onFrame`. */
function open(id, data) {
  try {
    return core.open(id, data);
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
