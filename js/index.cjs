'use strict';

/**
 * The public exports: the drop-in for dialect 7, `NativeSession`, metrics and inspection. Programs that use Baileys
 * load `baileys-native/register` instead.
 */

const { UNAVAILABLE } = require('./addon/binding.cjs');
const { isActive, replaced } = require('./loader/state.cjs');
const { SessionError, StanzaError } = require('./session/errors.cjs');
const { metrics } = require('./session/metrics.cjs');
const { environmentSwitch } = require('./shared/environment.cjs');

/** Exports that need the addon. */
const NAMES = /** @type {const} */ ([
  'WebSocketClient',
  'makeNoiseHandler',
  'encodeBinaryNode',
  'decodeBinaryNode',
  'decodeDecompressedBinaryNode',
  'decompressingIfRequired',
  'NativeSession',
  'ConnectLimiter',
  'Lease'
]);

/**
 * Loads the exports that need the addon. If the addon cannot be loaded, each of them is a function that throws: a
 * program that only calls `isActive` still runs.
 */
function loadNative() {
  try {
    const { createDropIn } = require('./baileys/drop-in.cjs');
    const { NativeSession } = require('./session/session.cjs');
    const { ConnectLimiter } = require('./session/connect-limiter.cjs');
    const { Lease } = require('./session/lease.cjs');
    if (environmentSwitch('BAILEYS_NATIVE_INSPECT')) require('./inspect/index.cjs').inspectFromEnvironment();
    return { ...createDropIn(), NativeSession, ConnectLimiter, Lease };
  } catch (error) {
    if (error.code !== UNAVAILABLE) throw error;
    return unavailableExports(error);
  }
}

/**
 * @param {Error} error
 * @returns {Record<typeof NAMES[number], any>}
 */
function unavailableExports({ message, cause }) {
  const throwing = (/** @type {string} */ name) => {
    function unavailable() {
      throw Object.assign(new Error(`${name} needs the addon. ${message}`, { cause }), { code: UNAVAILABLE });
    }
    return Object.defineProperty(unavailable, 'name', { value: name });
  };
  return /** @type {any} */ (Object.fromEntries(NAMES.map(name => [name, throwing(name)])));
}

/** @type {typeof import('./inspect/index.cjs').inspect} */
const inspect = options => require('./inspect/index.cjs').inspect(options);

const {
  WebSocketClient,
  makeNoiseHandler,
  encodeBinaryNode,
  decodeBinaryNode,
  decodeDecompressedBinaryNode,
  decompressingIfRequired,
  NativeSession,
  ConnectLimiter,
  Lease
} = loadNative();

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
  ConnectLimiter,
  Lease,
  SessionError,
  StanzaError,
  metrics,
  inspect
};
