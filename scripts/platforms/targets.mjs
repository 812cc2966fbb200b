/** The targets of package.json's `napi.targets`, and how each is built and run on a Debian machine. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseTriple } from '@napi-rs/cli';
import platform from '../../js/addon/platform.cjs';
import { ROOT } from '../shared/root.mjs';

/** The glibc that the binaries need: that of CentOS 7. Node.js itself needs a later one. */
export const GLIBC = '2.17';

const { napi } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/**
 * @typedef {object} PlatformTarget
 * @property {string} triple The name in Rust.
 * @property {string} name The name in napi-rs, for example `linux-x64-gnu`.
 * @property {'own' | 'prebuilt' | 'source'} std Where the standard library of Rust comes from on a Debian machine: the
 *   toolchain of this checkout, a package of Debian, or a build from a package with its sources.
 * @property {'native' | 'qemu' | 'musl' | 'qemu-musl' | 'wine'} runner How Node.js for this target is run there.
 */

/** @type {Record<string, { std: PlatformTarget['std'], runner: PlatformTarget['runner'] }>} */
const ON_DEBIAN = {
  'x86_64-unknown-linux-gnu': { std: 'own', runner: 'native' },
  'aarch64-unknown-linux-gnu': { std: 'prebuilt', runner: 'qemu' },
  'x86_64-unknown-linux-musl': { std: 'source', runner: 'musl' },
  'aarch64-unknown-linux-musl': { std: 'source', runner: 'qemu-musl' },
  // Tested instead of x86_64-pc-windows-msvc, which needs Microsoft's SDK. It is not published.
  'x86_64-pc-windows-gnu': { std: 'source', runner: 'wine' }
};

/** @param {string} triple */
function nameOf(triple) {
  return parseTriple(triple).platformArchABI;
}

/** @type {readonly { triple: string, name: string }[]} Everything that is published. */
export const PUBLISHED = napi.targets.map((/** @type {string} */ triple) => ({ triple, name: nameOf(triple) }));

/** @type {readonly PlatformTarget[]} What a Debian machine can build. */
export const BUILDABLE = Object.entries(ON_DEBIAN).map(([triple, how]) => ({ triple, name: nameOf(triple), ...how }));

/**
 * @param {readonly string[]} wanted Names or triples; empty: all.
 * @returns {readonly PlatformTarget[]}
 */
export function selectTargets(wanted) {
  const unknown = wanted.find(each => !BUILDABLE.some(({ name, triple }) => each === name || each === triple));
  if (unknown !== undefined) {
    throw new Error(`No such target: ${unknown}. There are ${BUILDABLE.map(({ name }) => name).join(', ')}.`);
  }
  return BUILDABLE.filter(
    ({ name, triple }) => wanted.length === 0 || wanted.includes(name) || wanted.includes(triple)
  );
}

/** @returns {PlatformTarget} The published target of the Node.js that runs this script. */
export function ownTarget() {
  const name = platform.nameOf(platform.currentPlatform());
  const found = PUBLISHED.find(each => each.name === name);
  if (found === undefined) throw new Error(`${name} is not one of ${PUBLISHED.map(each => each.name).join(', ')}.`);
  return { ...found, std: 'own', runner: 'native' };
}

/** @param {string} name */
export function binaryName(name) {
  return `${napi.binaryName}.${name}.node`;
}

/** @param {string} name @returns {string} Where `npm run build:all` leaves a binary. */
export function binaryPath(name) {
  return join(ROOT, 'target/platforms/binaries', binaryName(name));
}

/**
 * @param {string} name
 * @returns {string} The published name of a target.
 */
export function publishedName(name) {
  return name === 'win32-x64-gnu' ? 'win32-x64-msvc' : name;
}
