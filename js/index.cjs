'use strict';

// The drop-in surface of the latest line of Baileys, for programs that use the layer by itself. For an unmodified
// Baileys see `baileys-native/register`.

const { AddonUnavailableError } = require('./addon-unavailable.cjs');
const { isActive, replaced } = require('./loader/state.cjs');
const { SessionError, StanzaError } = require('./session/errors.cjs');
const { metrics } = require('./session/metrics.cjs');

/** @type {typeof import('./inspect/index.cjs').inspect} Loads the live view where somebody wants it. */
const inspect = options => require('./inspect/index.cjs').inspect(options);

/** What needs the addon. */
function load() {
  const { createDropIn } = require('./drop-in.cjs');
  const { NativeSession } = require('./session/session.cjs');
  return { ...createDropIn(), NativeSession };
}

/**
 * The same names where the addon cannot be loaded: a program that asks `isActive` still starts, and whoever uses one of
 * them learns why there is none.
 *
 * @param {AddonUnavailableError} error
 * @returns {ReturnType<typeof load>}
 */
function unavailable(error) {
  /** @type {any} */
  const refuse = function () {
    throw error;
  };
  return {
    WebSocketClient: refuse,
    makeNoiseHandler: refuse,
    encodeBinaryNode: refuse,
    decodeBinaryNode: refuse,
    decodeDecompressedBinaryNode: refuse,
    decompressingIfRequired: refuse,
    NativeSession: refuse
  };
}

function loadWherePossible() {
  try {
    return load();
  } catch (error) {
    if (error instanceof AddonUnavailableError) return unavailable(error);
    throw error;
  }
}

/** @type {typeof import('./inspect/index.cjs').inspect} Loads the live view where somebody wants it. */
const inspect = options => require('./inspect/index.cjs').inspect(options);

const {
  WebSocketClient,
  makeNoiseHandler,
  encodeBinaryNode,
  decodeBinaryNode,
  decodeDecompressedBinaryNode,
  decompressingIfRequired,
  NativeSession
} = loadWherePossible();

module.exports = {
  WebSocketClient,
  makeNoiseHandler,
  encodeBinaryNode,
  decodeBinaryNode,
  decodeDecompressedBinaryNode,
  decompressingIfRequired,
  isActive,
  replaced,
  NativeSession,
  SessionError,
  StanzaError,
  metrics,
  inspect
};
