'use strict';

/** The `load` hook for ES modules: a pure function of the URL, so that it runs in any thread. */

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
  reasonToLeave,
  sourceOf
} = require('./targets.cjs');

const REPLACEMENT_URL = pathToFileURL(join(__dirname, 'replacement.cjs')).href;
const CJS_URL = pathToFileURL(join(__dirname, 'cjs.cjs')).href;

const HEAD = '// Made by baileys-native.\n';

/**
 * @param {string} url
 * @param {{ format?: string | null }} context
 * @returns {{ format: 'module', source: string, shortCircuit: true } | undefined} Undefined: load as without this hook.
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
  // Mock loaders mark the modules that they make by a query of their own; tsx marks a namespace of originals.
  if (query !== '' && !query.startsWith('tsx-namespace=')) return undefined;
  return format === 'module' ? answer(replacementSource(target, url)) : undefined;
}

/** @param {string} source */
function answer(source) {
  return { format: /** @type {const} */ ('module'), source, shortCircuit: /** @type {const} */ (true) };
}

/**
 * An ES module that stands for a target: ours under the replaced names, the original's under all others.
 *
 * @param {import('./targets.cjs').Target} target
 * @param {string} url Of the original, with the query it was asked for by.
 */
function replacementSource(target, url) {
  const { copy, file, names } = target;
  const original = JSON.stringify(`${url}${url.includes('?') ? '&' : '?'}${OFF_QUERY}`);
  const runtime = `import loader from ${JSON.stringify(REPLACEMENT_URL)};\n`;
  const rest = `export * from ${original};\n${defaultExport(target, original)}`;
  const reason = reasonToLeave(target);
  if (reason !== undefined) {
    const facts = [reason, copy.code, copy.root].map(fact => JSON.stringify(fact)).join(', ');
    return `${HEAD}${runtime}${rest}loader.warnLeftAlone(${facts});\n`;
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
 * The same without an import of the original, and so without the modules that it imports; undefined when the original has
 * exports of its own to keep.
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
 * `export *` leaves the default export out.
 *
 * @param {import('./targets.cjs').Target} target
 * @param {string} original Quoted specifier.
 */
function defaultExport(target, original) {
  return /\bexport default\b|\bas default\b/.test(sourceOf(target)) ? `export { default } from ${original};\n` : '';
}

/**
 * An ES module over the original of a CommonJS target, which Node would otherwise look up by its path alone.
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
