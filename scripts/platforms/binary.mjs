/** Reads facts about a binary from its headers. */

import { readFileSync } from 'node:fs';

/**
 * The processors of a format, by their numbers in its header.
 *
 * @type {Record<'linux' | 'win32' | 'darwin', Record<number, string>>}
 */
const PROCESSORS = {
  linux: { 0x3e: 'x64', 0xb7: 'arm64' },
  win32: { 0x8664: 'x64', 0xaa64: 'arm64' },
  darwin: { 0x1000007: 'x64', 0x100000c: 'arm64' }
};

/**
 * @typedef {object} BinaryFacts
 * @property {number} size
 * @property {string} platform The first part of a target's name, for example `linux-x64`.
 * @property {string} needs The needed system.
 * @property {string} [glibc] The latest version of glibc that a symbol needs.
 */

/** @param {string} file @returns {BinaryFacts} */
export function describeBinary(file) {
  const bytes = readFileSync(file);
  const size = bytes.length;
  if (bytes.readUInt32BE(0) === 0x7f454c46) {
    const processor = PROCESSORS.linux[bytes.readUInt16LE(18)];
    const text = bytes.toString('latin1');
    const versions = Array.from(text.matchAll(/\0GLIBC_(\d+(?:\.\d+)+)/g), ([, version]) => version);
    const glibc = versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
    const library = glibc === undefined ? 'no glibc' : `glibc ${glibc} or later`;
    return { size, platform: `linux-${processor}`, needs: `${processor}, ${library}`, glibc };
  }
  if (bytes.toString('latin1', 0, 2) === 'MZ') {
    const processor = PROCESSORS.win32[bytes.readUInt16LE(bytes.readUInt32LE(0x3c) + 4)];
    return { size, platform: `win32-${processor}`, needs: `${processor}, Windows` };
  }
  if (bytes.readUInt32LE(0) === 0xfeedfacf) {
    const processor = PROCESSORS.darwin[bytes.readUInt32LE(4)];
    return { size, platform: `darwin-${processor}`, needs: `${processor}, macOS` };
  }
  return { size, platform: 'unknown', needs: 'unknown' };
}
