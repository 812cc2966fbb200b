'use strict';

/** Detects the platform of this process and writes the error message for a platform without a usable binary. */

const { closeSync, openSync, readSync } = require('node:fs');
const { GLIBC, PUBLISHED } = require('./targets.cjs');

const PUBLISHED_TEXT = `${PUBLISHED.join(', ')} (glibc ${GLIBC} or later)`;

/** The first bytes of an ELF file. In every build of Node.js they contain the name of the dynamic loader. */
const ELF_HEAD = 2048;

/**
 * @typedef {object} Platform
 * @property {string} platform A value of `process.platform`.
 * @property {string} arch A value of `process.arch`.
 * @property {boolean} musl
 * @property {string} [glibc] Version of glibc, if it is known.
 */

/** @returns {Platform} */
function currentPlatform() {
  const { platform, arch } = process;
  return { platform, arch, musl: platform === 'linux' && usesMusl() };
}

/**
 * Whether the C library is musl. The executable contains the name of its dynamic loader; reading it takes microseconds.
 * If Node.js was started by its loader, the executable is the loader itself and has no such name. Then the libraries in
 * Node's diagnostic report are checked, which takes 10 ms.
 */
function usesMusl() {
  const [, loader] = /\0\/[\w/.-]*\/(ld-(?:linux|musl)[\w.-]*)\0/.exec(headOf(process.execPath)) ?? [];
  if (loader !== undefined) return loader.startsWith('ld-musl');
  const objects = readReport()?.sharedObjects ?? [];
  return objects.some((/** @type {string} */ file) => /\b(?:libc\.|ld-)musl-/.test(file));
}

/** @param {string} path */
function headOf(path) {
  const bytes = Buffer.alloc(ELF_HEAD);
  let file;
  try {
    file = openSync(path, 'r');
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, ELF_HEAD, 0));
  } catch {
    return '';
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** @returns {any} */
function readReport() {
  // `any`: the types of the oldest supported Node.js do not have `excludeNetwork`.
  const report = /** @type {any} */ (process.report);
  if (report === undefined) return undefined;
  // If `excludeNetwork` is false, `getReport()` does a DNS lookup for each open connection.
  const { excludeNetwork } = report;
  report.excludeNetwork = true;
  try {
    return report.getReport();
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

/**
 * @param {Platform} on
 * @returns {string} The name of the platform in napi-rs, for example `linux-x64-gnu`.
 */
function nameOf({ platform, arch, musl }) {
  /** @type {Record<string, string>} */
  const libraries = { linux: musl ? '-musl' : '-gnu', win32: '-msvc' };
  return `${platform}-${arch}${libraries[platform] ?? ''}`;
}

/** @param {Platform} on */
function describePlatform({ platform, arch, glibc, musl }) {
  if (platform !== 'linux') return `${platform}-${arch}`;
  return `${platform}-${arch} with ${musl ? 'musl' : glibc ? `glibc ${glibc}` : 'an unknown C library'}`;
}

/** @param {Platform} on */
function isSupported(on) {
  if (!PUBLISHED.includes(nameOf(on))) return false;
  if (on.platform !== 'linux' || on.musl) return true;
  return on.glibc !== undefined && on.glibc.localeCompare(GLIBC, 'en', { numeric: true }) >= 0;
}

/**
 * @param {string} reason
 * @param {Platform} [on]
 */
function unavailableMessage(reason, on = { ...currentPlatform(), glibc: readReport()?.header?.glibcVersionRuntime }) {
  const advice = isSupported(on)
    ? `The package baileys-native-${nameOf(on)} (an optional dependency) is missing, damaged or of another version: ` +
      'install it. npm omits it with --omit=optional, or if package-lock.json was written on another platform'
    : 'None of them works on this system. Build the binary in a clone of the repository: run `npm run build` (it needs ' +
      'Rust and a C compiler). The installed package does not contain the sources';
  return (
    `There is no usable binary of baileys-native for ${describePlatform(on)}, Node.js ${process.version}. ` +
    `Prebuilt binaries: ${PUBLISHED_TEXT}. ${advice}. Reason: ${reason}`
  );
}

module.exports = { PUBLISHED_TEXT, currentPlatform, nameOf, unavailableMessage };
