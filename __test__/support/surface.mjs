/**
 * The names that this package and Baileys both have, each with the tests that compare it: properties of the
 * differential tests, which must use it on both sides, or titles of tests in a file. `excuse` is the reason why a name
 * is not compared.
 *
 * The tests fail for a name of this package that is not listed here.
 */

/** The package's exports. */
export const EXPORTS = {
  encodeBinaryNode: { properties: ['encode', 'encode-append', 'round-trip'] },
  decodeBinaryNode: { properties: ['decode', 'decode-compressed', 'round-trip'] },
  decodeDecompressedBinaryNode: { properties: ['decode-at'] },
  decompressingIfRequired: { properties: ['decompress'] },
  makeNoiseHandler: { properties: ['noise-steps', 'noise-stream', 'noise-concurrent', 'noise-handshake'] },
  WebSocketClient: { file: 'websocket.test.mjs', titles: ['connect() opens the connection, and close() closes it'] },
  isActive: { excuse: 'Only in this package: whether register is active in this thread.' },
  replaced: { excuse: 'Only in this package: the copies of Baileys that register has replaced in this thread.' },
  NativeSession: { excuse: 'Only in this package: a session with its own API, tested by session.test.mjs.' },
  SessionError: { excuse: 'Only in this package: the errors of a NativeSession.' },
  StanzaError: { excuse: 'Only in this package: an error stanza as the answer to a query of a NativeSession.' },
  ConnectLimiter: { excuse: 'Only in this package: a limit on the connections of NativeSessions.' },
  Lease: { excuse: 'Only in this package: a time limit on the connections of NativeSessions.' },
  metrics: { excuse: 'Only in this package: counters of the addon.' },
  inspect: { excuse: 'Only in this package: the live view.' }
};

/** The methods of a noise handler. */
export const NOISE_HANDLER = {
  encrypt: { properties: ['noise-steps', 'noise-handshake'] },
  decrypt: { properties: ['noise-steps'] },
  authenticate: { properties: ['noise-steps'] },
  mixIntoKey: { properties: ['noise-steps'] },
  finishInit: { properties: ['noise-steps', 'noise-stream'] },
  processHandshake: { properties: ['noise-handshake'] },
  encodeFrame: { properties: ['noise-steps', 'noise-handshake'] },
  decodeFrame: { properties: ['noise-stream', 'noise-concurrent'] },
  destroy: { excuse: 'Only in this package: frees the keys.' }
};

/** The members of the prototype of `WebSocketClient`, and the properties that its constructor sets. */
export const WEB_SOCKET_CLIENT = {
  connect: { file: 'websocket-closing.test.mjs', titles: ['connect() twice at once', 'connect() in a listener of'] },
  close: { file: 'websocket-closing.test.mjs', titles: ['close() twice while open', 'close() in a listener of error'] },
  send: { file: 'websocket-messages.test.mjs', titles: ['send() with values of each type', 'send() in every state'] },
  isOpen: { file: 'websocket.test.mjs', titles: ['connect() opens the connection, and close() closes it'] },
  isClosed: { file: 'websocket.test.mjs', titles: ['connect() opens the connection, and close() closes it'] },
  isClosing: { file: 'websocket.test.mjs', titles: ['connect() opens the connection, and close() closes it'] },
  isConnecting: { file: 'websocket.test.mjs', titles: ['connect() opens the connection, and close() closes it'] },
  url: { file: 'surface.test.mjs', titles: ['a new client'] },
  config: { file: 'surface.test.mjs', titles: ['a new client'] },
  socket: {
    file: 'websocket-socket.test.mjs',
    titles: ['terminate() while open', 'properties of the socket', 'members of the socket']
  },
  emit: { file: 'websocket-listeners.test.mjs', titles: ['events without listeners'] },
  on: {
    file: 'websocket-listeners.test.mjs',
    titles: ['listeners that are added and removed during an event', '1,000 listeners']
  },
  addListener: { file: 'indexed-emitter.test.mjs', titles: ['addListener'] },
  prependListener: {
    file: 'websocket-listeners.test.mjs',
    titles: ['listeners that are added and removed during an event']
  },
  removeListener: { file: 'indexed-emitter.test.mjs', titles: ['removeListener'] },
  off: { file: 'websocket-listeners.test.mjs', titles: ['listeners that are added and removed during an event'] },
  removeAllListeners: { file: 'websocket-listeners.test.mjs', titles: ['a listener that removes all listeners'] }
};
