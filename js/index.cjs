'use strict';

// The drop-in surface of the latest line of Baileys, for programs that use the layer by itself. For an unmodified
// Baileys see `baileys-native/register`.

const { isActive, replaced } = require('./loader/state.cjs');
const { SessionError, StanzaError } = require('./session/errors.cjs');
const { metrics } = require('./session/metrics.cjs');
const { loadStandalone } = require('./baileys/standalone.cjs');

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
} = loadStandalone();

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
