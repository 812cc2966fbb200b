// The compared codecs with a common interface: Baileys' own, that of `baileys-native`, and that of
// `whatsapp-rust-bridge` (WebAssembly).

import { createCipheriv, hkdfSync } from 'node:crypto';
import * as baileys from 'baileys';
import { importFiles, PACKAGES } from '../../scripts/shared/baileys.mjs';
import { silentLogger } from '../../scripts/shared/bot.mjs';

const [constants] = await importFiles(PACKAGES[7], ['constants']);

const NOISE_HEADER = Buffer.from([0x57, 0x41, 6, 3]);
const KEY_PAIR = { public: Buffer.alloc(32, 1), private: Buffer.alloc(32, 2) };

/**
 * @typedef {object} BenchCodec
 * @property {(node: object) => Uint8Array} encode
 * @property {(payload: Uint8Array) => object} decode Decodes an uncompressed payload with its flags byte.
 * @property {() => Promise<NoiseSession>} openSession
 */

/**
 * @typedef {object} NoiseSession A Noise transport. All codecs use the same keys.
 * @property {(node: object) => Uint8Array} encodeFrame
 * @property {(bytes: Uint8Array, onFrame: (node: object) => void) => void | Promise<void>} decodeFrame
 */

/** Baileys' functions, or ours under the same names. */
function dropIn({ encodeBinaryNode, decodeDecompressedBinaryNode, makeNoiseHandler }) {
  return {
    encode: node => encodeBinaryNode(node),
    decode: payload => decodeDecompressedBinaryNode(payload, constants, { index: 1 }),
    async openSession() {
      const noise = makeNoiseHandler({ keyPair: KEY_PAIR, NOISE_HEADER, logger: silentLogger() });
      await noise.finishInit();
      return {
        encodeFrame: node => noise.encodeFrame(encodeBinaryNode(node)),
        decodeFrame: (bytes, onFrame) => noise.decodeFrame(bytes, onFrame)
      };
    }
  };
}

/** Converts a handle of the bridge into a plain object. Its getters copy from the WASM memory. */
function read(handle) {
  const { tag, attrs, content } = handle;
  const plain = { tag, attrs, content: Array.isArray(content) ? content.map(read) : asBuffer(content) };
  handle.free?.();
  return plain;
}

/** Returns a Buffer, as Baileys does. It shares the memory of the bridge. */
const asBuffer = content =>
  content instanceof Uint8Array ? Buffer.from(content.buffer, content.byteOffset, content.byteLength) : content;

async function bridge() {
  const { encodeNode, decodeNode, NoiseSession } = await import('whatsapp-rust-bridge');
  return {
    encode: node => encodeNode(node),
    decode: payload => read(decodeNode(payload)),
    async openSession() {
      const session = new NoiseSession(KEY_PAIR.public, NOISE_HEADER);
      session.finishInit();
      return {
        encodeFrame: node => session.encodeFrame(node),
        decodeFrame(bytes, onFrame) {
          for (const handle of session.decodeFrame(bytes)) onFrame(read(handle));
        }
      };
    }
  };
}

/**
 * @param {'js' | 'native' | 'bridge'} name
 * @returns {Promise<BenchCodec>}
 */
export async function openCodec(name) {
  if (name === 'js') return dropIn(baileys);
  if (name === 'bridge') return bridge();
  return dropIn(await import('baileys-native'));
}

/** The peer of a {@link NoiseSession}: seals and frames payloads in order. */
export class Peer {
  #key;
  #counter = 0;

  constructor() {
    // The salt of a handler is the protocol name. No secrets are mixed in here.
    const name = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0');
    this.#key = Buffer.from(hkdfSync('sha256', Buffer.alloc(0), name, Buffer.alloc(0), 64)).subarray(32);
  }

  /** @param {Uint8Array} payload */
  frame(payload) {
    const iv = Buffer.alloc(12);
    iv.writeUInt32BE(this.#counter++, 8);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    const length = Buffer.alloc(3);
    length.writeUIntBE(payload.length + 16, 0, 3);
    return Buffer.concat([length, cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  }
}
