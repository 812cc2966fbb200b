'use strict';

// Checks Node.js, the binary and the environment variables of this package.

const { environmentSwitch } = require('../../shared/environment.cjs');
const { fault, note, ok, warning } = require('./results.cjs');

/** The oldest Node.js with the module hooks that register needs. */
const OLDEST_NODE = [20, 10];

/** @param {NodeJS.ProcessVersions} [versions] */
function checkNode(versions = process.versions) {
  const [major, minor] = versions.node.split('.').map(Number);
  for (const runtime of ['bun', 'deno']) {
    if (versions[runtime] !== undefined) {
      return fault('node', `doctor itself needs Node.js, and this is ${runtime} ${versions[runtime]}`, {
        advice: `Run doctor with node. docs/launchers.md has the line that starts a bot on ${runtime}.`
      });
    }
  }
  const [oldest, oldestMinor] = OLDEST_NODE;
  if (major < oldest || (major === oldest && minor < oldestMinor)) {
    return fault('node', `Node.js ${versions.node} is too old; ${OLDEST_NODE.join('.')} or later is needed`, {
      advice: 'Baileys uses its own JavaScript code until Node.js is updated.'
    });
  }
  return ok('node', `Node.js ${versions.node}`);
}

/** Checks that the binary can be loaded. */
function checkBinary() {
  const { loadBinding } = require('../../addon/binding.cjs');
  const on = `${process.platform}-${process.arch}`;
  try {
    loadBinding();
  } catch (error) {
    return fault('binary', error.message, { data: { platform: on } });
  }
  const file = Object.keys(require.cache).find(path => path.endsWith('.node'));
  return ok('binary', `The addon for ${on} is loaded`, { data: { platform: on, file } });
}

/** Checks the environment variables of this package. */
function checkSwitches(env = process.env) {
  const results = [];
  if (environmentSwitch('BAILEYS_NATIVE') === false) {
    results.push(
      fault('switches', `BAILEYS_NATIVE=${env.BAILEYS_NATIVE} turns this package off`, {
        advice: 'Remove the variable.'
      })
    );
  }
  if (environmentSwitch('BAILEYS_NATIVE_KEEP_ALIVE') === false) {
    results.push(
      warning('switches', 'BAILEYS_NATIVE_KEEP_ALIVE is off: no keep-alive is sent while the event loop is blocked')
    );
  }
  const others = Object.keys(env)
    .filter(name => name.startsWith('BAILEYS_NATIVE'))
    .filter(name => name !== 'BAILEYS_NATIVE' && name !== 'BAILEYS_NATIVE_KEEP_ALIVE');
  if (others.length > 0)
    results.push(note('switches', `Set: ${others.map(name => `${name}=${env[name]}`).join(', ')}`));
  return results;
}

module.exports = { checkBinary, checkNode, checkSwitches };
