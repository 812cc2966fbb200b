'use strict';

/**
 * The source of a target with its exports replaced, for Bun and Deno: their hooks cannot load one file
 * twice. The original declarations stay in it under their local names.
 */

const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const {
  DEFAULTS_SPECIFIER,
  NOISE_HANDLER,
  WEBSOCKET_CLIENT,
  factsOf,
  reasonNotReplaced,
  sourceOf
} = require('./targets.cjs');

const REPLACEMENT = join(__dirname, 'replacement.cjs');

/**
 * @param {import('./targets.cjs').Target} target
 * @returns {string}
 */
function inlineSource(target) {
  const text = sourceOf(target).replace(/\n\/\/# sourceMappingURL.*\s*$/, '\n');
  const reason = reasonNotReplaced(target);
  const { copy, file, names } = target;
  const load = copy.esm
    ? `import baileysNative from ${JSON.stringify(pathToFileURL(REPLACEMENT).href)};`
    : `const baileysNative = require(${JSON.stringify(REPLACEMENT)});`;
  if (reason !== undefined) {
    const facts = [reason, copy.code, copy.root].map(fact => JSON.stringify(fact)).join(', ');
    return `${text}\n${load}\nbaileysNative.warnNotReplaced(${facts});\n`;
  }
  /** @param {string} name */
  const original = name => (copy.esm ? name : `baileysNativeOriginals.${name}`);
  const isNoise = file === NOISE_HANDLER;
  const defaultsFile = JSON.stringify(DEFAULTS_SPECIFIER);
  // Required at the first use: requiring it now would change the order of Baileys' modules.
  const defaults = copy.esm ? 'baileysNativeDefaults' : `require(${defaultsFile})`;
  const needed = isNoise
    ? `{ certDetails: () => ${defaults}.WA_CERT_DETAILS }`
    : file === WEBSOCKET_CLIENT
      ? `{ webSocketClient: () => ${original('WebSocketClient')} }`
      : '{}';
  const originals = copy.esm ? '' : 'const baileysNativeOriginals = { ...exports };';
  const own = `{ ${names.map(name => `${name}: ${original(name)}`).join(', ')} }`;
  return [
    copy.esm ? withoutExports(text, names) : text,
    load,
    isNoise && copy.esm ? `import * as ${defaults} from ${defaultsFile};` : '',
    originals,
    `const baileysNativeDropIn = baileysNative.dropInFor(${factsOf(target)}, ${needed}) ?? ${own};`,
    ...names.map(name =>
      copy.esm
        ? `const baileysNative_${name} = baileysNativeDropIn.${name};\nexport { baileysNative_${name} as ${name} };`
        : `exports.${name} = baileysNativeDropIn.${name};`
    ),
    ''
  ].join('\n');
}

/**
 * Removes `export` from the declarations of some names.
 *
 * @param {string} text the text of a known release: its declarations start at the left margin
 * @param {readonly string[]} names
 */
function withoutExports(text, names) {
  return names.reduce(
    (result, name) => result.replace(new RegExp(`^export (?=(?:async )?(?:const|class|function) ${name}\\b)`, 'm'), ''),
    text
  );
}

module.exports = { inlineSource };
