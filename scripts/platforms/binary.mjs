/** Reads facts about a binary from its headers. */

import { readFileSync } from 'node:fs';

/** @type {Record<'elf' | 'pe', Record<number, string>>} */
const MACHINES = { elf: { 0x3e: 'x64', 0xb7: 'arm64' }, pe: { 0x8664: 'x64', 0xaa64: 'arm64' } };

/**
 * @param {string} file
 * @returns {{ size: number, arch: string | undefined, glibc: string | undefined, needs: string }} `glibc`: the latest
 *   version that a symbol needs. `needs`: a description of the needed C library.
 */
export function describeBinary(file) {
  const bytes = readFileSync(file);
  const size = bytes.length;
  if (bytes.readUInt32BE(0) === 0x7f454c46) {
    const arch = MACHINES.elf[bytes.readUInt16LE(18)];
    const text = bytes.toString('latin1');
    const versions = Array.from(text.matchAll(/\0GLIBC_(\d+(?:\.\d+)+)/g), ([, version]) => version);
    const glibc = versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
    return { size, arch, glibc, needs: `${arch}, ${glibc === undefined ? 'no glibc' : `glibc ${glibc} or later`}` };
  }
  if (bytes.toString('latin1', 0, 2) === 'MZ') {
    const arch = MACHINES.pe[bytes.readUInt16LE(bytes.readUInt32LE(0x3c) + 4)];
    return { size, arch, glibc: undefined, needs: `${arch}, Windows` };
  }
  return { size, arch: undefined, glibc: undefined, needs: 'unknown format' };
}
