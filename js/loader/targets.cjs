'use strict';

/** Finds the copies of Baileys and decides which of their exports are replaced. */

const { readFileSync } = require('node:fs');
const { join, posix } = require('node:path');
const { pathToFileURL } = require('node:url');
const { OFF_QUERY, PACKAGE_NAMES, RELEASES } = require('../shared/baileys-layout.cjs');
const { environmentSwitch } = require('../shared/environment.cjs');
const known = require('./known-texts.json');
const {
  DECODER,
  DEFAULTS,
  ESSENTIAL,
  NOISE_HANDLER,
  TARGETS,
  GENERICS,
  WEBSOCKET_CLIENT,
  fingerprint,
  readText
} = require('./parts.cjs');

/** Path from the noise handler to the module that exports `WA_CERT_DETAILS`. */
const DEFAULTS_SPECIFIER = posix.relative(posix.dirname(NOISE_HANDLER), DEFAULTS);

/** The end of the path or URL of a target. */
const TARGET_PATTERN = new RegExp(
  `[\\\\/](?:${Object.keys(TARGETS)
    .map(file => file.replaceAll('.', '\\.').replaceAll('/', '[\\\\/]'))
    .join('|')})$`
);

/** @import { Dialect } from '../shared/baileys-layout.cjs' */

/**
 * @typedef {object} Copy One installed copy of Baileys.
 * @property {string} root Directory of its package.json.
 * @property {string} name
 * @property {string} version
 * @property {boolean} esm Whether its files are ES modules.
 * @property {Dialect | undefined} dialect Undefined if nothing of the copy is replaced.
 * @property {Map<string, string>} notReplaced The files that are not replaced, each with the reason.
 * @property {string} code Code of the warning for these files.
 */

/**
 * @typedef {object} Target One file that can be replaced.
 * @property {string} file Key of `TARGETS`.
 * @property {readonly string[]} names
 * @property {Copy} copy
 */

/** @type {Map<string, Copy | undefined>} */
const copies = new Map();

/**
 * Whether a path or URL without query ends like a target. This cheap test comes first.
 *
 * @param {string} path
 */
function looksLikeTarget(path) {
  return TARGET_PATTERN.test(path);
}

/**
 * The target at a file path, or undefined for every other file.
 *
 * @param {string} path
 * @returns {Target | undefined}
 */
function findTarget(path) {
  const match = TARGET_PATTERN.exec(path);
  if (match === null) return undefined;
  const file = match[0].slice(1).replaceAll('\\', '/');
  if (file === GENERICS && environmentSwitch('BAILEYS_NATIVE_PROMISE_TIMEOUT') === false) return undefined;
  const copy = findCopy(path.slice(0, match.index));
  return copy && { file, names: TARGETS[file].names, copy };
}

/**
 * All targets of the copy that a file belongs to; none for a file of another package.
 *
 * @param {string} path
 * @returns {Target[]}
 */
function targetsBeside(path) {
  const end = Math.max(path.lastIndexOf('/lib/'), path.lastIndexOf('\\lib\\'));
  const root = end === -1 ? undefined : path.slice(0, end);
  if (root === undefined || findCopy(root) === undefined) return [];
  const targets = Object.keys(TARGETS).map(file => findTarget(join(root, file)));
  return targets.filter(target => target !== undefined).filter(target => sourceOf(target) !== '');
}

/** @param {string} root */
function findCopy(root) {
  if (!copies.has(root)) copies.set(root, inspect(root));
  return copies.get(root);
}

/**
 * @param {string} root
 * @returns {Copy | undefined}
 */
function inspect(root) {
  const manifest = readManifest(root);
  if (manifest === undefined) return undefined;
  const { name, version, type } = manifest;
  const facts = { root, name: String(name), version: String(version), esm: type === 'module' };
  const hashes = fingerprint(root);
  if (PACKAGE_NAMES.includes(name)) return inspectRelease(facts, hashes);
  if (namedPackages().includes(name)) return inspectNamed(facts, hashes);
  // Another package may have a file with one of these paths, but not with all of them.
  return ESSENTIAL.every(file => hashes.has(file)) ? inspectFork(facts, hashes) : undefined;
}

/** @typedef {Pick<Copy, 'root' | 'name' | 'version' | 'esm'>} CopyFacts */

/**
 * Baileys itself: its version decides the dialect. A file is replaced only if its text is the text of a known release.
 *
 * @param {CopyFacts} facts
 * @param {Map<string, string>} hashes
 * @returns {Copy}
 */
function inspectRelease(facts, hashes) {
  const { root, version } = facts;
  const { dialect, reason } = chooseDialect(version, root);
  if (dialect !== undefined) return withPatches(facts, hashes, dialect);
  const text =
    `baileys ${version} at ${root} is not replaced, because this release is not supported (${reason}). ` +
    `Supported: ${SUPPORTED}`;
  return notReplaced(facts, text, 'BAILEYS_NATIVE_UNSUPPORTED');
}

/**
 * A package that `BAILEYS_NATIVE_PACKAGES` names. Its texts decide the dialect, because its version is not one of
 * Baileys.
 *
 * @param {CopyFacts} facts
 * @param {Map<string, string>} hashes
 * @returns {Copy}
 */
function inspectNamed(facts, hashes) {
  const files = ESSENTIAL.filter(file => unknownParts(file, hashes).length === 0);
  const dialect = files.length > 0 ? commonDialect(files, hashes, facts.version) : undefined;
  if (dialect !== undefined) return withPatches(facts, hashes, dialect);
  const { name, version, root } = facts;
  const text = `${name} ${version} at ${root} is not replaced: none of its files is from a supported release of Baileys`;
  return notReplaced(facts, text, 'BAILEYS_NATIVE_UNSUPPORTED');
}

/**
 * A package with another name and the files of Baileys. It is replaced if all of them are those of a known release.
 *
 * @param {CopyFacts} facts
 * @param {Map<string, string>} hashes
 * @returns {Copy}
 */
function inspectFork(facts, hashes) {
  const { name, version, root } = facts;
  const changed = [...new Set(ESSENTIAL.flatMap(file => unknownParts(file, hashes)))];
  const dialect = changed.length === 0 ? commonDialect(ESSENTIAL, hashes, version) : undefined;
  if (dialect !== undefined) return withPatches(facts, hashes, dialect);
  const why =
    changed.length > 0 ? `these parts were changed: ${changed.join(', ')}` : 'its files are from different releases';
  const text = `${name} ${version} at ${root} is a fork of Baileys and is not replaced, because ${why}`;
  return notReplaced(facts, text, 'BAILEYS_NATIVE_FORK');
}

/**
 * @param {CopyFacts} facts
 * @param {string} reason
 * @param {string} code
 * @returns {Copy}
 */
function notReplaced(facts, reason, code) {
  return { ...facts, dialect: undefined, notReplaced: new Map(Object.keys(TARGETS).map(file => [file, reason])), code };
}

/**
 * @param {CopyFacts} facts
 * @param {Map<string, string>} hashes
 * @param {Dialect} dialect
 * @returns {Copy}
 */
function withPatches(facts, hashes, dialect) {
  const { name, version, root } = facts;
  const files = Object.keys(TARGETS).filter(file => unknownParts(file, hashes, dialect).length > 0);
  const names = files.flatMap(file => TARGETS[file].names);
  const changed = [...new Set(files.flatMap(file => unknownParts(file, hashes, dialect)))];
  const cause = known.versions.includes(version)
    ? 'these parts were patched'
    : 'this release is newer than baileys-native and changes these parts';
  const reason =
    `In ${name} ${version} at ${root}, baileys-native does not replace ${names.join(', ')}, because ${cause}: ` +
    changed.join(', ');
  return { ...facts, dialect, notReplaced: new Map(files.map(file => [file, reason])), code: 'BAILEYS_NATIVE_PATCHED' };
}

/**
 * The parts of a target that are missing, or that differ from all supported releases (of the dialect, if given).
 *
 * @param {string} file
 * @param {Map<string, string>} hashes
 * @param {Dialect} [dialect]
 */
function unknownParts(file, hashes, dialect) {
  return TARGETS[file].parts.filter(part => {
    const dialects = dialectsOf(part, hashes);
    return dialect === undefined ? dialects.length === 0 : !dialects.includes(dialect);
  });
}

/**
 * @param {string} part
 * @param {Map<string, string>} hashes
 * @returns {string[]}
 */
function dialectsOf(part, hashes) {
  const texts = /** @type {Record<string, Record<string, string[]>>} */ (known.texts)[part];
  return texts[hashes.get(part) ?? ''] ?? [];
}

/**
 * The dialect of all parts of some targets. Releases of two dialects can have the same texts. Then the version decides.
 *
 * @param {readonly string[]} files
 * @param {Map<string, string>} hashes
 * @param {string} version
 * @returns {Dialect | undefined}
 */
function commonDialect(files, hashes, version) {
  const parts = files.flatMap(file => TARGETS[file].parts);
  const dialects = RELEASES.map(({ dialect }) => dialect);
  const common = dialects.filter(dialect => parts.every(part => dialectsOf(part, hashes).includes(dialect)));
  return version.startsWith('7.') ? common.at(0) : common.at(-1);
}

/** The names in `BAILEYS_NATIVE_PACKAGES`, separated by commas. */
function namedPackages() {
  return (process.env.BAILEYS_NATIVE_PACKAGES ?? '').split(',').map(name => name.trim());
}

/**
 * Chooses the dialect of a copy, or gives the reason why there is none. Releases differ in their dictionary and in the
 * functions that they await.
 *
 * Facts, read in the published releases:
 * - Dictionary 2: 6.6.0 to 6.7.18, and 6.17.16. Dictionary 3: 6.7.19 and later, and all of 7.
 * - The decoder is synchronous in 6.6.0 and 6.7.5.
 * - The handshake is awaited in 6.7.14 to 6.7.24, in 6.17.16, and in 7.0.0-rc.3 to rc.9. It is synchronous before that
 *   and since rc11. A caller that awaits it also works with the synchronous one of dialect 7.
 * - 6.7.17 and 6.7.18 have dictionary 2 together with device JIDs of hosted domains. This is no supported dialect.
 *
 * @param {string} version
 * @param {string} root
 * @returns {{ dialect: Dialect, reason: '' } | { dialect: undefined, reason: string }}
 */
function chooseDialect(version, root) {
  const dictionary = /\bDICT_VERSION = (\d+)/.exec(readText(join(root, DEFAULTS)))?.[1];
  const major = Number.parseInt(version, 10);
  const decoder = readText(join(root, DECODER));
  const awaitsHandshake = /\bprocessHandshake: async\b/.test(readText(join(root, NOISE_HANDLER)));
  if (!/\bdecodeBinaryNode = async\b/.test(decoder)) return refuse('its node decoder is synchronous');
  if (dictionary === '3' && major === 7) return { dialect: '7', reason: '' };
  if (major !== 6) return refuse(`major version ${major} with dictionary ${dictionary ?? 'unknown'} is not supported`);
  if (!awaitsHandshake) return refuse('its handshake is synchronous');
  if (dictionary === '3') return { dialect: '6.7', reason: '' };
  if (dictionary === '2' && !/\bdomainType\b/.test(decoder)) return { dialect: '6.17', reason: '' };
  return refuse(`dictionary ${dictionary ?? 'unknown'} with this decoder is not supported`);
}

/** The supported releases, as the documentation names them. */
const SUPPORTED = RELEASES.map(release => release.supported).join(', ');

/** @param {string} reason */
function refuse(reason) {
  return { dialect: undefined, reason };
}

/**
 * Whether an ES module exports more than the given names.
 *
 * @param {string} text
 * @param {readonly string[]} names
 */
function exportsMore(text, names) {
  const exported = text.matchAll(/^export (?:(?:async )?(?:const|let|var|function|class) ([\w$]+))?/gm);
  return Array.from(exported).some(match => match[1] === undefined || !names.includes(match[1]));
}

/** @param {string} root */
function readManifest(root) {
  try {
    return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * The text of a target's file.
 *
 * @param {Target} target
 */
function sourceOf({ copy, file }) {
  return readText(join(copy.root, file));
}

/**
 * The reason why a target is not replaced; undefined if it is replaced.
 *
 * @param {Target} target
 */
function reasonNotReplaced({ file, copy }) {
  return copy.notReplaced.get(file);
}

/**
 * The facts about a replaced module as JSON.
 *
 * @param {Target} target
 */
function factsOf({ names, copy: { root, name, version, dialect } }) {
  return JSON.stringify({ root, name, version, dialect, names });
}

/**
 * File, line and column where Baileys' `promiseTimeout` captures its stack, as in a stack frame.
 *
 * @param {string} root
 */
function locationOfTimeout(root) {
  const path = join(root, GENERICS);
  const text = readText(path);
  const start = text.search(/\basync function promiseTimeout\b/);
  const before = text.slice(0, text.indexOf('new Error()', start));
  const file = findCopy(root)?.esm ? pathToFileURL(path).href : path;
  return `${file}:${before.split('\n').length}:${before.length - before.lastIndexOf('\n')}`;
}

module.exports = {
  DEFAULTS_SPECIFIER,
  NOISE_HANDLER,
  OFF_QUERY,
  SUPPORTED,
  TARGET_PATTERN,
  WEBSOCKET_CLIENT,
  chooseDialect,
  exportsMore,
  factsOf,
  findTarget,
  locationOfTimeout,
  looksLikeTarget,
  reasonNotReplaced,
  sourceOf,
  targetsBeside
};
