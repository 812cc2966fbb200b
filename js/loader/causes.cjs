'use strict';

/** Texts that explain why Baileys does not run natively. */

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
    return 'Node.js runs with --permission: allow addons by --allow-addons. ';
  }
  if (/failed to map segment|noexec/.test(text)) {
    return 'The file system with node_modules is mounted with noexec: mount it without, or install the package elsewhere. ';
  }
  return '';
}

/** The text for a test runner that does not use the module hooks of Node; undefined if none is running. */
function testRunner() {
  const { env } = process;
  if (env.JEST_WORKER_ID !== undefined) {
    return 'Jest loads modules by a registry of its own, which no hook of Node.js reaches: run such tests with node:test';
  }
  if (env.VITEST !== undefined) {
    return (
      'Vitest loads it by a loader of its own (vmThreads, vmForks, or a package in server.deps.inline): use the pool ' +
      '"forks" and keep Baileys external'
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
    'it was loaded before baileys-native/register: use node --import baileys-native/register, or import Baileys by import()';
  if (target !== undefined) return late;
  const external = 'mark baileys and baileys-native as external there';
  return file === undefined
    ? `${late}; or a bundler has put it into the program: ${external}`
    : `${file} contains it, perhaps by a bundler: ${external}`;
}

module.exports = { adviceFor, causeOfBypass };
