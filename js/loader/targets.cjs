'use strict';

/**
 * What this package knows about the layout of Baileys: which files hold the socket layer, which of their exports are
 * replaced, and which dialect of it a given copy speaks. Nothing else in the package names a path inside Baileys.
 */

const { readFileSync } = require('node:fs');
const { join } = require('node:path');

/** Query under which a target is loaded as Baileys wrote it. */
const OFF_QUERY = 'baileys-native=off';

/** A copy is recognised by the `name` in its package.json, so that aliases and nested or symlinked copies count. */
const PACKAGE_NAMES = new Set(['baileys', '@whiskeysockets/baileys']);

const DEFAULTS_FILE = 'lib/Defaults/index.js';

/** Path from the noise handler to the module that exports `WA_CERT_DETAILS`. */
const DEFAULTS_SPECIFIER = '../Defaults/index.js';

/** File below the package root, and the exports that are replaced. */
const TARGETS = {
  'lib/Socket/Client/websocket.js': ['WebSocketClient'],
  'lib/Utils/noise-handler.js': ['makeNoiseHandler'],
  'lib/WABinary/encode.js': ['encodeBinaryNode'],
  'lib/WABinary/decode.js': ['decompressingIfRequired', 'decodeDecompressedBinaryNode', 'decodeBinaryNode']
};

const NOISE_HANDLER = 'lib/Utils/noise-handler.js';
const WEBSOCKET_CLIENT = 'lib/Socket/Client/websocket.js';
const DECODER = 'lib/WABinary/decode.js';

const TARGET_PATTERN =
  /[\\/]lib[\\/](?:Socket[\\/]Client[\\/]websocket|Utils[\\/]noise-handler|WABinary[\\/](?:en|de)code)\.js$/;

/**
 * @typedef {object} Copy One installed copy of Baileys.
 * @property {string} root Directory of its package.json.
 * @property {string} version
 * @property {boolean} esm Whether its files are ES modules.
 * @property {'7' | '6.7' | '6.17' | undefined} dialect Undefined when no dialect of ours matches it.
 * @property {string} reason Why there is no dialect; empty otherwise.
 * @property {Map<string, { text: string, missing: string[] }>} files By target: source text, and exports it lacks.
 */

/**
 * @typedef {object} Target One replaceable file.
 * @property {string} file Key of `TARGETS`.
 * @property {string[]} names
 * @property {Copy} copy
 */

/** @type {Map<string, Copy | undefined>} */
const copies = new Map();

/**
 * Whether a path or URL without query ends like a target: the cheap test that comes before everything else.
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
  const root = path.slice(0, match.index);
  const copy = findCopy(root);
  if (copy === undefined) return undefined;
  const file = match[0].slice(1).replaceAll('\\', '/');
  return { file, names: TARGETS[/** @type {keyof typeof TARGETS} */ (file)], copy };
}

/**
 * All targets of the copy that a file belongs to; none for a file of another package.
 *
 * @param {string} path
 * @returns {Target[]}
 */
function targetsBeside(path) {
  const end = Math.max(path.lastIndexOf('/lib/'), path.lastIndexOf('\\lib\\'));
  const copy = end === -1 ? undefined : findCopy(path.slice(0, end));
  if (copy === undefined) return [];
  const present = Object.entries(TARGETS).filter(([file]) => copy.files.get(file)?.text !== '');
  return present.map(([file, names]) => ({ file, names, copy }));
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
  if (manifest === undefined || !PACKAGE_NAMES.has(manifest.name)) return undefined;
  /** @type {Copy['files']} */
  const files = new Map();
  for (const [file, names] of Object.entries(TARGETS)) {
    const text = readText(join(root, file));
    files.set(file, { text, missing: names.filter(name => !declares(text, name)) });
  }
  const version = String(manifest.version);
  const answer = chooseDialect(version, files, readText(join(root, DEFAULTS_FILE)));
  return { root, version, esm: manifest.type === 'module', files, ...answer };
}

/**
 * The callers inside Baileys differ in what they await, and the dictionaries have no token in common, so a copy that
 * fits no dialect exactly is refused.
 *
 * Facts, read in the published releases: dictionary 2 in 6.6.0 to 6.7.18 and 6.17.16, 3 in 6.7.19 and later and in all of 7;
 * a synchronous decoder in 6.6.0 and 6.7.5; a handshake that its callers await in 6.7.14 to 6.7.24, 6.17.16 and 7.0.0-rc.3
 * to rc.9 (where the synchronous one of dialect 7 serves as well), a synchronous one before and since rc11; dictionary 2
 * together with device JIDs of hosted domains in 6.7.17 and 6.7.18, which is no dialect of ours.
 *
 * @param {string} version
 * @param {Copy['files']} files
 * @param {string} defaults
 * @returns {Pick<Copy, 'dialect' | 'reason'>}
 */
function chooseDialect(version, files, defaults) {
  const dictionary = /\bDICT_VERSION = (\d+)/.exec(defaults)?.[1];
  const major = Number.parseInt(version, 10);
  const decoder = files.get(DECODER)?.text ?? '';
  const awaitsHandshake = /\bprocessHandshake: async\b/.test(files.get(NOISE_HANDLER)?.text ?? '');
  if (!/\bdecodeBinaryNode = async\b/.test(decoder)) return refuse('its node decoder is synchronous');
  if (dictionary === '3' && major === 7) return { dialect: '7', reason: '' };
  if (major !== 6) return refuse(`major version ${major} with dictionary ${dictionary ?? 'unknown'} is not supported`);
  if (!awaitsHandshake) return refuse('its handshake is synchronous');
  if (dictionary === '3') return { dialect: '6.7', reason: '' };
  if (dictionary === '2' && !/\bdomainType\b/.test(decoder)) return { dialect: '6.17', reason: '' };
  return refuse(`dictionary ${dictionary ?? 'unknown'} with this decoder is not supported`);
}

/** The published releases that are supported, in words; the documentation has them in the same. */
const SUPPORTED = '7.0.0-rc.1 to 7.0.0-rc14, 6.7.19 to 6.7.24, 6.17.16, 6.7.14 to 6.7.16';

/**
 * @param {string} reason
 * @returns {Pick<Copy, 'dialect' | 'reason'>}
 */
function refuse(reason) {
  return { dialect: undefined, reason };
}

/**
 * @param {string} text Source of an ES module or of what TypeScript makes of one for CommonJS.
 * @param {string} name
 */
function declares(text, name) {
  return new RegExp(
    `\\bexport (?:async )?(?:const|let|var|function|class) ${name}\\b|\\bexport \\{[^}]*\\b${name}\\b|\\bexports\\.${name} = (?!void 0)`
  ).test(text);
}

/**
 * Whether an ES module exports anything beside the given names.
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

/** @param {string} path */
function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Why a target is left as it is, or undefined when it is to be replaced.
 *
 * @param {Target} target
 */
function reasonToLeave({ file, copy }) {
  if (copy.dialect === undefined) {
    return `baileys ${copy.version} at ${copy.root} is left as it is: ${copy.reason} (supported: ${SUPPORTED})`;
  }
  const missing = copy.files.get(file)?.missing ?? [];
  if (missing.length === 0) return undefined;
  return `${join(copy.root, file)} is left as it is: it does not export ${missing.join(', ')}`;
}

module.exports = {
  DEFAULTS_SPECIFIER,
  NOISE_HANDLER,
  OFF_QUERY,
  SUPPORTED,
  WEBSOCKET_CLIENT,
  exportsMore,
  findTarget,
  looksLikeTarget,
  reasonToLeave,
  targetsBeside
};
