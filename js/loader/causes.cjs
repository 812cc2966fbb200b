'use strict';

/** Texts that explain why Baileys does not run natively. */

/** Hooks have no effect under Jest, because Jest replaces `node:module`. */
const JEST = 'Jest has its own module loader and ignores the module hooks of Node.js';

/**
 * Advice for an addon that cannot be loaded; empty if the error needs none.
 *
 * @param {unknown} error its causes are in `cause`
 */
function adviceFor(error) {
  const texts = [];
  for (let each = /** @type {any} */ (error); each; each = each.cause)
    texts.push(`${each.code} ${each.message ?? each}`);
  const text = texts.join('\n');
  if (/ERR_DLOPEN_DISABLED|loading addons is disabled/i.test(text)) {
    return 'Node.js runs with --permission: allow addons with --allow-addons. ';
  }
  if (/failed to map segment|noexec/.test(text)) {
    return 'The file system with node_modules is mounted with noexec: mount it without noexec, or install the package elsewhere. ';
  }
  return '';
}

/** The text for a test runner that does not use the module hooks of Node; undefined if none is running. */
function testRunner() {
  const { env } = process;
  if (env.JEST_WORKER_ID !== undefined) {
    return `${JEST}. Run such tests with node:test`;
  }
  if (env.VITEST !== undefined) {
    return (
      'Vitest loads it with its own loader (pool vmThreads or vmForks, or a package in server.deps.inline). Use the ' +
      'pool "forks" and keep Baileys external'
    );
  }
  return undefined;
}

/**
 * Why a connection was opened by JavaScript code.
 *
 * @param {string | undefined} file the file that opened the connection
 * @param {import('./targets.cjs').Target | undefined} target the same file as a file of Baileys, if it is one
 */
function causeOfBypass(file, target) {
  const runner = testRunner();
  if (runner !== undefined) return runner;
  const late =
    'Baileys was loaded before baileys-native/register. Use node --import baileys-native/register, or load Baileys with ' +
    'import() after register';
  if (target !== undefined) return late;
  const external = 'mark baileys and baileys-native as external in the bundler';
  return file === undefined
    ? `${late}. If Baileys is part of a bundle, ${external}`
    : `${file} contains Baileys, perhaps because of a bundler. If so, ${external}`;
}

module.exports = { JEST, adviceFor, causeOfBypass };
