'use strict';

// Makes a native connection up to the server's Noise message. It does not log in.

const { generateX25519 } = require('../../shared/x25519.cjs');

/** `WA`, protocol 6, dictionary 3. */
const NOISE_HEADER = Buffer.from([87, 65, 6, 3]);
const quiet = { level: 'silent', child: () => quiet, trace() {} };

/** Field numbers of WhatsApp's HandshakeMessage in Protocol Buffers. */
const FIELD = { clientHello: 2, serverHello: 3, ephemeral: 1, static: 2, payload: 3 };
const LENGTH_DELIMITED = 2;

/** @param {number} field @param {Buffer} bytes At most 127 bytes: the length must fit into one byte. */
const encodeField = (field, bytes) =>
  Buffer.concat([Buffer.from([(field << 3) | LENGTH_DELIMITED, bytes.length]), bytes]);

/**
 * The length-delimited fields of a message, by number.
 *
 * @param {Buffer} bytes
 */
function decodeFields(bytes) {
  /** @type {Record<number, Buffer>} */
  const fields = {};
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error("the server's handshake message is malformed");
  };
  while (at < bytes.length) {
    const key = varint();
    if ((key & 7) !== LENGTH_DELIMITED) throw new Error("the server's handshake message is malformed");
    const length = varint();
    fields[key >>> 3] = bytes.subarray(at, at + length);
    at += length;
  }
  return fields;
}

/**
 * @param {object} options
 * @param {URL} options.url
 * @param {any} [options.agent]
 * @param {Uint8Array} [options.trustedRoot]
 * @param {number} options.timeoutMs
 * @returns {Promise<{ openMs: number, noiseMs: number, date: string | undefined }>} Time until the upgrade was
 *   accepted, time from then until the server's certificates were verified, and the `Date` of its answer.
 */
function connectOnce({ url, agent, trustedRoot, timeoutMs }) {
  const { WebSocketClient, makeNoiseHandler } = require('../../index.cjs');
  const [ephemeral, identity] = [generateX25519(), generateX25519()];
  const noise = makeNoiseHandler({ keyPair: ephemeral, NOISE_HEADER, logger: quiet, trustedRoot });
  const client = new WebSocketClient(url, { agent, connectTimeoutMs: timeoutMs });
  const start = performance.now();
  /** @type {string | undefined} */
  let date;
  let opened = 0;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      finish(reject, new Error(`no ${opened > 0 ? 'Noise answer' : 'connection'} in ${timeoutMs} ms`));
    }, timeoutMs);
    /**
     * @param {(value: any) => void} settle
     * @param {unknown} value
     */
    const finish = (settle, value) => {
      clearTimeout(timer);
      settle(value);
      client.socket?.terminate();
    };
    client.on('upgrade', (/** @type {import('node:http').IncomingMessage} */ { headers }) => (date = headers.date));
    client.on('error', (/** @type {Error} */ error) => finish(reject, error));
    client.on('close', (/** @type {number} */ code) =>
      finish(reject, new Error(`the server closed the connection (${code})`))
    );
    client.on('open', () => {
      opened = performance.now();
      const hello = encodeField(FIELD.clientHello, encodeField(FIELD.ephemeral, ephemeral.public));
      client.send(noise.encodeFrame(hello));
    });
    client.on('message', (/** @type {Buffer} */ data) => {
      noise
        .decodeFrame(data, (/** @type {unknown} */ frame) => {
          const hello = decodeFields(decodeFields(/** @type {Buffer} */ (frame))[FIELD.serverHello] ?? Buffer.alloc(0));
          const serverHello = {
            ephemeral: hello[FIELD.ephemeral],
            static: hello[FIELD.static],
            payload: hello[FIELD.payload]
          };
          noise.processHandshake({ serverHello }, identity);
          finish(resolve, { openMs: opened - start, noiseMs: performance.now() - opened, date });
        })
        .catch((/** @type {Error} */ error) => finish(reject, error));
    });
    client.connect();
  });
}

module.exports = { connectOnce };
