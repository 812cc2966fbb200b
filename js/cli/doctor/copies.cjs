'use strict';

// Finds the copies of Baileys below a directory and its parents, and checks that register replaces them.

const { execFile } = require('node:child_process');
const { existsSync, readFileSync, readdirSync, realpathSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname, join, sep } = require('node:path');
const { pathToFileURL } = require('node:url');
const { FILES, PACKAGE_NAMES } = require('../../shared/baileys-layout.cjs');
const { fault, ok, warning } = require('./results.cjs');

const REGISTER = pathToFileURL(join(__dirname, '../../loader/register.mjs')).href;
/** Root of this package. Copies of Baileys below a linked clone of it are skipped: they are for its tests. */
const OWN_ROOT = realpathSync(join(__dirname, '../../..'));
/** The deepest nesting of `node_modules` that is searched. */
const MAX_DEPTH = 5;
/** The longest time for loading one copy, in milliseconds. */
const PROBE_TIMEOUT_MS = 60_000;

/**
 * A copy of Baileys. `path` is where it was found, `root` is the same folder after all links are followed.
 *
 * @typedef {{ root: string, path: string, name: string, version: string, main: string }} FoundCopy
 */

/** @param {string} folder */
function entries(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter(each => each.isDirectory() || each.isSymbolicLink());
  } catch {
    return [];
  }
}

/**
 * The packages of one `node_modules` folder, with those of pnpm's store.
 *
 * @param {string} modules
 * @returns {string[]}
 */
function packagesIn(modules) {
  return entries(modules).flatMap(({ name }) => {
    const path = join(modules, name);
    if (name.startsWith('@')) return entries(path).map(scoped => join(path, scoped.name));
    if (name === '.pnpm') return entries(path).flatMap(each => packagesIn(join(path, each.name, 'node_modules')));
    return name.startsWith('.') ? [] : [path];
  });
}

/**
 * All copies in the `node_modules` of a directory and of its parents, and in packages there.
 *
 * @param {string} directory
 * @returns {FoundCopy[]}
 */
function findCopies(directory) {
  /** @type {Map<string, FoundCopy>} */
  const found = new Map();
  const seen = new Set();
  /**
   * @param {string} modules
   * @param {number} depth
   */
  const search = (modules, depth) => {
    for (const path of packagesIn(modules)) {
      let root;
      try {
        root = realpathSync(path);
      } catch {
        continue; // a broken link
      }
      if (seen.has(root) || root === OWN_ROOT) continue;
      seen.add(root);
      if (existsSync(join(root, FILES.webSocketClient))) {
        const copy = describe(root, path);
        if (copy !== undefined) found.set(root, copy);
      }
      if (depth < MAX_DEPTH) search(join(root, 'node_modules'), depth + 1);
    }
  };
  for (let folder = directory; ; folder = dirname(folder)) {
    search(join(folder, 'node_modules'), 0);
    if (dirname(folder) === folder) break;
  }
  return [...found.values()];
}

/**
 * @param {string} root
 * @param {string} path
 * @returns {FoundCopy | undefined}
 */
function describe(root, path) {
  try {
    const { name, version, main = FILES.main } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    return { root, path, name, version, main: join(root, main) };
  } catch {
    return undefined;
  }
}

/**
 * Loads a copy under register in a child process.
 *
 * @param {FoundCopy} copy
 * @param {string} directory
 * @returns {Promise<{ replaced: string[], warnings: { code: string, message: string }[], error?: string }>}
 */
function probe(copy, directory) {
  const source = `
    import { replaced } from ${JSON.stringify(REGISTER)};
    const warnings = [];
    process.on('warning', ({ name, code, message }) => {
      if (name === 'BaileysNativeWarning') warnings.push({ code, message });
    });
    let error;
    try { await import(${JSON.stringify(pathToFileURL(copy.main).href)}); } catch (cause) { error = cause.message; }
    await new Promise(resolve => setImmediate(resolve));
    process.stdout.write('\\n' + JSON.stringify({ replaced: replaced().map(({ root }) => root), warnings, error }));
    process.exit(0);`;
  const args = ['--no-warnings', '--import', REGISTER, '--input-type=module', '--eval', source];
  return new Promise(resolve => {
    const options = { cwd: directory, timeout: PROBE_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 };
    execFile(process.execPath, args, options, (failure, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1)));
      } catch {
        const reason = stderr.trim().split('\n').at(-1) || failure?.message || 'it printed nothing';
        resolve({ replaced: [], warnings: [], error: reason });
      }
    });
  });
}

/**
 * The root of the copy that `import 'baileys'` in the directory resolves to.
 *
 * @param {string} directory
 * @param {FoundCopy[]} copies
 */
function resolvedRoot(directory, copies) {
  const { resolve } = createRequire(join(directory, 'package.json'));
  for (const name of PACKAGE_NAMES) {
    try {
      const file = realpathSync(resolve(name));
      return copies.find(({ root }) => file.startsWith(root + sep))?.root;
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * Loads each copy under register and reports whether it is replaced.
 *
 * @param {string} directory
 * @param {{ canLoad: boolean, step: (text: string) => void }} options `canLoad`: whether the addon can be loaded. If
 *   not, no copy is loaded.
 * @returns {Promise<{ results: import('./results.cjs').Result[], copies: FoundCopy[] }>} The first copy is the one that an
 *   import in `directory` resolves to.
 */
async function checkCopies(directory, { canLoad, step }) {
  step('looking for copies of Baileys');
  const copies = findCopies(directory);
  if (copies.length === 0) {
    const advice = 'Run doctor in the folder of the bot, after npm install.';
    return { results: [fault('baileys', `No copy of Baileys is found from ${directory}`, { advice })], copies };
  }
  const first = resolvedRoot(directory, copies);
  copies.sort((a, b) => Number(b.root === first) - Number(a.root === first));
  const results = [];
  for (const copy of canLoad ? copies : []) {
    step(`loading ${copy.name} ${copy.version} under register`);
    results.push(verdict(copy, await probe(copy, directory), first));
  }
  if (copies.length > 1) {
    const list = copies.map(({ version, path }) => `${version} at ${path}`).join('; ');
    const advice = 'npm ls baileys shows who asks for which; a bot normally has one.';
    results.push(warning('baileys', `There are ${copies.length} copies of Baileys: ${list}`, { advice }));
  }
  return { results, copies };
}

/**
 * @param {FoundCopy} copy
 * @param {Awaited<ReturnType<typeof probe>>} probed
 * @param {string | undefined} first
 */
function verdict({ name, version, root, path }, { replaced, warnings, error }, first) {
  const where = `${name} ${version} at ${path}${path === root ? '' : ` (a link to ${root})`}`;
  const data = { name, version, root, path, resolved: root === first, warnings };
  const messages = warnings.map(({ code, message }) => `${message} (${code})`).join('; ');
  const reached = replaced.some(each => realpathSync(each) === root);
  if (error !== undefined && !reached) return fault('baileys', `${where} cannot be loaded: ${error}`, { data });
  if (!reached) {
    const make = root === first || first === undefined ? fault : warning;
    return make('baileys', `${where} is not replaced: ${messages || 'register does not recognise it'}`, { data });
  }
  if (messages !== '') return warning('baileys', `${where} runs on baileys-native in part: ${messages}`, { data });
  const used = root === first ? ', which is what this folder imports,' : '';
  return ok('baileys', `${where}${used} runs on baileys-native`, { data });
}

module.exports = { checkCopies, findCopies, resolvedRoot };
