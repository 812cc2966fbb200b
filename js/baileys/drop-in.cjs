'use strict';

// What stands in for one copy of Baileys: the exports that `baileys-native/register` replaces, by that copy's rules.

const { createCodec } = require('../codec/binary-node.cjs');
const { createNoiseHandlerFactory } = require('./noise-handler.cjs');
const { createPromiseTimeout } = require('./waits.cjs');
const { createWebSocketClient } = require('./websocket-client.cjs');

/** Marks functions of ours, so that tests and users can tell which ones run. */
const NATIVE = Symbol.for('baileys-native');

/**
 * @param {object} [options]
 * @param {'7' | '6.7' | '6.17'} [options.dialect] the line of Baileys
 * @param {string} [options.version] of that copy
 * @param {() => { PUBLIC_KEY?: Uint8Array, SERIAL?: number } | undefined} [options.certDetails] its `WA_CERT_DETAILS`
 * @param {() => (new (url: URL | string, config: object) => object) | undefined} [options.webSocketClient] its own class,
 *   for agents that cannot be honoured natively
 * @param {import('./waits.cjs').Original} [options.waits] what its waits need; without it they are left out
 */
function createDropIn({
  dialect = '7',
  certDetails = () => undefined,
  webSocketClient = () => undefined,
  waits = undefined
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
    ...(waits && { promiseTimeout: createPromiseTimeout(waits) })
  };
  for (const value of Object.values(dropIn)) value[NATIVE] = true;
  return dropIn;
}

module.exports = { createDropIn };
