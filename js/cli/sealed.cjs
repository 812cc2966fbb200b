'use strict';

// Frames as they are on the wire: a length of 3 bytes, then a stanza sealed by AES-256-GCM. The 12 bytes of the nonce
// are 8 zero bytes and the number of the frame, 32 bits, big-endian (the Noise transport of WhatsApp).

const { createCipheriv, createDecipheriv } = require('node:crypto');

const LENGTH_BYTES = 3;
const TAG_BYTES = 16;
const MAX_COUNTER = 0xffff_ffff;

/** @param {number} counter */
function nonce(counter) {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(counter, 8);
  return iv;
}

/**
 * Splits bytes of a connection into frames.
 *
 * @param {Buffer} bytes
 * @returns {Buffer[]} The frames without their lengths.
 */
function splitFrames(bytes) {
  const frames = [];
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.length - at - LENGTH_BYTES;
    const length = rest < 0 ? -1 : bytes.readUIntBE(at, LENGTH_BYTES);
    if (rest < length || length < 0) {
      throw new Error(`frame ${frames.length + 1} is cut off: ${Math.max(rest, 0)} bytes of ${Math.max(length, 0)}`);
    }
    frames.push(bytes.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
    at += LENGTH_BYTES + length;
  }
  return frames;
}

/**
 * @param {Buffer} frame
 * @param {Buffer} key
 * @param {number} counter
 */
function openFrame(frame, key, counter) {
  if (frame.length < TAG_BYTES) throw new Error('the frame is shorter than its authentication tag');
  if (counter > MAX_COUNTER) throw new Error(`the counter must be at most ${MAX_COUNTER}`);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(counter), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(frame.subarray(frame.length - TAG_BYTES));
  const plaintext = decipher.update(frame.subarray(0, frame.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    throw new Error(`the frame was not sealed with this key and counter ${counter} (--counter)`);
  }
  return plaintext;
}

/**
 * @param {Buffer} plaintext
 * @param {Buffer} key
 * @param {number} counter
 * @returns {Buffer} The frame with its length.
 */
function sealFrame(plaintext, key, counter) {
  if (counter > MAX_COUNTER) throw new Error(`the counter must be at most ${MAX_COUNTER}`);
  const cipher = createCipheriv('aes-256-gcm', key, nonce(counter));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUIntBE(sealed.length, 0, LENGTH_BYTES);
  return Buffer.concat([length, sealed]);
}

module.exports = { openFrame, sealFrame, splitFrames };
