'use strict';

/**
 * The `load` hook for ES modules. It keeps no state of a thread: on some versions of Node it runs in a hooks thread.
 */

const { fileURLToPath, pathToFileURL } = require('node:url');
const { join } = require('node:path');
const {
  DEFAULTS_SPECIFIER,
  NOISE_HANDLER,
  OFF_QUERY,
  WEBSOCKET_CLIENT,
  exportsMore,
  factsOf,
  findTarget,
  looksLikeTarget,
  reasonNotReplaced,
  sourceOf
} = require('./targets.cjs');

const REPLACEMENT_URL = pathToFileURL(join(__dirname, 'replacement.cjs')).href;
const CJS_URL = pathToFileURL(join(__dirname, 'cjs.cjs')).href;

const HEAD = '// Made by baileys-native.\n';

/**
 * @param {string} url
 * @param {{ format?: string | null }} context
 * @returns {{ format: 'module', source: string, shortCircuit: true } | undefined} Undefined: the file is not replaced.
 */
function loadTarget(url, context) {
  if (!url.startsWith('file:')) return undefined;
  const end = url.search(/[?#]/);
  if (!looksLikeTarget(end === -1 ? url : url.slice(0, end))) return undefined;
  const target = findTarget(fileURLToPath(url));
  if (target === undefined) return undefined;
  const format = context.format ?? (target.copy.esm ? 'module' : 'commonjs');
  const query = end === -1 ? '' : url.slice(end + 1);
  if (query.split('&').includes(OFF_QUERY)) {
    return format === 'module' ? undefined : answer(originalOfCommonJs(target, fileURLToPath(url)));
  }
  // Mock loaders mark their modules by a query. tsx uses the query `tsx-namespace` for originals.
  if (query !== '' && !query.startsWith('tsx-namespace=')) return undefined;
  return format === 'module' ? answer(replacementSource(target, url)) : undefined;
}

/** @param {string} source */
function answer(source) {
  return { format: /** @type {const} */ ('module'), source, shortCircuit: /** @type {const} */ (true) };
}

/**
 * The source of an ES module that replaces a target. It exports our functions under the replaced names, and the
 * original's exports under all other names.
 *
 * @param {import('./targets.cjs').Target} target
 * @param {string} url URL of the target with its query.
 */
function replacementSource(target, url) {
  const { copy, file, names } = target;
  const original = JSON.stringify(`${url}${url.includes('?') ? '&' : '?'}${OFF_QUERY}`);
  const runtime = `import loader from ${JSON.stringify(REPLACEMENT_URL)};\n`;
  const rest = `export * from ${original};\n${defaultExport(target, original)}`;
  const reason = reasonNotReplaced(target);
  if (reason !== undefined) {
    const facts = [reason, copy.code, copy.root].map(fact => JSON.stringify(fact)).join(', ');
    return `${HEAD}${runtime}${rest}loader.warnNotReplaced(${facts});\n`;
  }
  const facts = factsOf(target);
  const isNoise = file === NOISE_HANDLER;
  const originals = isNoise
    ? ', { certDetails: () => defaults.WA_CERT_DETAILS }'
    : file === WEBSOCKET_CLIENT
      ? ', { webSocketClient: () => original.WebSocketClient }'
      : '';
  return [
    `${HEAD}${runtime}import * as original from ${original};`,
    isNoise ? `import * as defaults from ${JSON.stringify(DEFAULTS_SPECIFIER)};` : '',
    rest,
    `const dropIn = loader.dropInFor(${facts}${originals}) ?? original;`,
    ...names.map(name => `export const ${name} = dropIn.${name};`),
    ''
  ].join('\n');
}

/**
 * The same source without an import of the original; undefined if the original has other exports.
 *
 * @param {import('./targets.cjs').Target} target
 */
function standaloneSource(target) {
  if (exportsMore(sourceOf(target), target.names)) return undefined;
  return [
    `${HEAD}import loader from ${JSON.stringify(REPLACEMENT_URL)};`,
    `const dropIn = loader.dropInFor(${factsOf(target)});`,
    ...target.names.map(name => `export const ${name} = dropIn.${name};`),
    ''
  ].join('\n');
}

/**
 * Exports the default export of the original, which `export *` omits.
 *
 * @param {import('./targets.cjs').Target} target
 * @param {string} original Specifier of the original, in quotes.
 */
function defaultExport(target, original) {
  return /\bexport default\b|\bas default\b/.test(sourceOf(target)) ? `export { default } from ${original};\n` : '';
}

/**
 * The source of an ES module that exports the original of a CommonJS target. Node ignores the query of a CommonJS
 * module.
 *
 * @param {import('./targets.cjs').Target} target
 * @param {string} path
 */
function originalOfCommonJs(target, path) {
  const names = new Set(Array.from(sourceOf(target).matchAll(/\bexports\.([A-Za-z_$][\w$]*) = /g), match => match[1]));
  return [
    `${HEAD}import loader from ${JSON.stringify(CJS_URL)};`,
    `const original = loader.originalExports(${JSON.stringify(path)});`,
    'export default original;',
    ...Array.from(names, name => `export const ${name} = original.${name};`),
    ''
  ].join('\n');
}

module.exports = { loadTarget, standaloneSource };
