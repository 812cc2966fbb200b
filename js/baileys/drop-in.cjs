'use strict';

// The replacements for the exports of one copy of Baileys, for the dialect of that copy.

const { createCodec } = require('../codec/binary-node.cjs');
const { createNoiseHandlerFactory } = require('./noise-handler.cjs');
const { createPromiseTimeout } = require('./promise-timeout.cjs');
const { createWebSocketClient } = require('./websocket-client.cjs');

/** Marks our functions: tests and users can check which ones run. */
const NATIVE = Symbol.for('baileys-native');

/**
 * @param {object} [options]
 * @param {import('../shared/baileys-layout.cjs').Dialect} [options.dialect]
 * @param {() => { PUBLIC_KEY?: Uint8Array, SERIAL?: number } | undefined} [options.certDetails] returns the copy's
 *   `WA_CERT_DETAILS`
 * @param {() => import('./websocket-client.cjs').BaileysClientClass | undefined} [options.webSocketClient] the copy's
 *   own class, for agents that are not supported natively
 * @param {import('./promise-timeout.cjs').Original} [options.timeoutParts] the parts of the copy that `promiseTimeout`
 *   needs; without them `promiseTimeout` is not replaced
 */
function createDropIn({
  dialect = '7',
  certDetails = () => undefined,
  webSocketClient = () => undefined,
  timeoutParts = undefined
} = {}) {
  const { encodeBinaryNode, decodeBinaryNode, decodeDecompressedBinaryNode, decompressingIfRequired } =
    createCodec(dialect);
  const dropIn = {
    WebSocketClient: createWebSocketClient(dialect, webSocketClient),
    makeNoiseHandler: createNoiseHandlerFactory({ dialect, certDetails }),
    encodeBinaryNode,
    decodeBinaryNode,
    decodeDecompressedBinaryNode,
    decompressingIfRequired,
    ...(timeoutParts && { promiseTimeout: createPromiseTimeout(timeoutParts) })
  };
  for (const value of Object.values(dropIn)) Object.assign(value, { [NATIVE]: true });
  return dropIn;
}

module.exports = { createDropIn };
