'use strict';

/** The platform that this process runs on, and what is told where no binary can be loaded on it. */

const { closeSync, openSync, readSync } = require('node:fs');
const { GLIBC, PUBLISHED } = require('./targets.cjs');

const PUBLISHED_TEXT = `${PUBLISHED.join(', ')} (glibc ${GLIBC} or later)`;

/** Bytes of an ELF file that hold its headers and, in every build of Node.js, the name of its loader. */
const ELF_HEAD = 2048;

/**
 * @typedef {object} Platform
 * @property {string} platform As `process.platform` has it.
 * @property {string} arch As `process.arch` has it.
 * @property {boolean} musl
 * @property {string} [glibc] Version, where it was asked for and there is one.
 */

/** @returns {Platform} The one that this process runs on. */
function currentPlatform() {
  const { platform, arch } = process;
  return { platform, arch, musl: platform === 'linux' && usesMusl() };
}

/**
 * Whether the C library is musl. The name of the dynamic loader, in the executable, tells it in microseconds; a report, which
 * takes 10 ms, is the fallback for a Node.js that was started by way of its loader.
 */
function usesMusl() {
  const [, loader] = /\0\/[\w/.-]*\/(ld-(?:linux|musl)[\w.-]*)\0/.exec(headOf(process.execPath)) ?? [];
  if (loader !== undefined) return loader.startsWith('ld-musl');
  const objects = readReport()?.sharedObjects ?? [];
  return objects.some(file => /\b(?:libc\.|ld-)musl-/.test(file));
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
  // The types are those of the oldest supported version.
  const report = /** @type {any} */ (process.report);
  if (report === undefined) return undefined;
  // Otherwise it looks the names of all peers up.
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
 * @returns {string} As napi-rs names it.
 */
function nameOf({ platform, arch, musl }) {
  const libraries = { linux: musl ? '-musl' : '-gnu', win32: '-msvc' };
  return `${platform}-${arch}${libraries[platform] ?? ''}`;
}

/** @param {Platform} on */
function describePlatform({ platform, arch, glibc, musl }) {
  if (platform !== 'linux') return `${platform}-${arch}`;
  return `${platform}-${arch} with ${musl ? 'musl' : glibc ? `glibc ${glibc}` : 'an unknown C library'}`;
}

/** @param {Platform} on */
function fits(on) {
  if (!PUBLISHED.includes(nameOf(on))) return false;
  if (on.platform !== 'linux' || on.musl) return true;
  return on.glibc !== undefined && on.glibc.localeCompare(GLIBC, 'en', { numeric: true }) >= 0;
}

/**
 * @param {string} reason
 * @param {Platform} [on]
 */
function unavailableMessage(reason, on = { ...currentPlatform(), glibc: readReport()?.header?.glibcVersionRuntime }) {
  const advice = fits(on)
    ? `One of them fits: install the package baileys-native-${nameOf(on)}, an optional dependency, which is missing or ` +
      'damaged (npm leaves it out under --omit=optional, and where package-lock.json comes from another platform)'
    : 'None of them fits here. Other binaries are built from a clone of the repository, by `npm run build` with Rust and a ' +
      'C compiler; the installed package does not contain the sources';
  return (
    `There is no usable binary of baileys-native for ${describePlatform(on)}, Node.js ${process.version}. ` +
    `Prebuilt are ${PUBLISHED_TEXT}. ${advice}. Reason: ${reason}`
  );
}

module.exports = { PUBLISHED_TEXT, currentPlatform, nameOf, unavailableMessage };
