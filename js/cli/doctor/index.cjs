'use strict';

// `baileys-native doctor`: checks a machine and a project, and prints the problems.

const { resolve } = require('node:path');
const { UsageError, readArguments } = require('../arguments.cjs');
const { painter, progress, wrap } = require('../terminal.cjs');
const { packageVersion } = require('../version.cjs');

const USAGE = `Usage: baileys-native doctor [FILE] [options]

Run it in the folder that the bot is started in. FILE is the bot's program; by
default it is what package.json starts. Prints a line for each check, and what
to do. For a bug report: npx baileys-native doctor --json

  --connect      also connects to WhatsApp: TCP, TLS, upgrade and Noise, each
                 timed, through the proxy of HTTPS_PROXY or ALL_PROXY. It does
                 not log in
  --url URL      with --connect: another server, such as a MockServer
  --root HEX     with --url: the root key of its Noise certificates
  --json         the results as JSON

Exit code: 0 healthy, 1 not healthy.
`;

/** @typedef {import('./results.cjs').Result} Result */

/** @type {Record<Result['status'], [string, import('../terminal.cjs').Style]>} */
const MARKS = {
  ok: ['ok     ', 'green'],
  note: ['note   ', 'blue'],
  warning: ['warning', 'yellow'],
  fault: ['FAULT  ', 'red'],
  skipped: ['skipped', 'dim']
};

/**
 * Runs the checks.
 *
 * @param {{ directory: string, file?: string, connect?: boolean, url?: string, trustedRoot?: Buffer, step: (text:
 *   string) => void }} options
 * @returns {Promise<Result[]>}
 */
async function examine({ directory, file, connect = false, url, trustedRoot, step }) {
  const { checkBinary, checkNode, checkSwitches } = require('./runtime.cjs');
  const { checkFlags, checkPermissions, checkProgram, checkResolution, checkTools } = require('./launch.cjs');
  const { checkAgents, checkProxy, checkTrust } = require('./network.cjs');
  const node = checkNode();
  if (node.status === 'fault') return [node];
  const binary = checkBinary();
  const canLoad = binary.status === 'ok';
  const { checkCopies } = require('./copies.cjs');
  const { results: baileys, copies } = await checkCopies(directory, { canLoad, step });
  const results = [
    node,
    binary,
    ...checkSwitches(),
    ...baileys,
    checkResolution(directory),
    ...checkFlags(directory),
    ...checkPermissions(),
    ...checkProgram(directory, file),
    ...checkTools(directory),
    ...checkTrust(),
    ...(await checkProxy()),
    ...checkAgents(directory)
  ];
  if (!canLoad) return results;
  const { checkConnection, checkLoopback } = require('./connect.cjs');
  step('a handshake with the mock server on loopback');
  const reached = baileys.find(({ status }) => status === 'ok' || status === 'warning');
  results.push(await checkLoopback(copies.find(({ root }) => root === reached?.data?.root)));
  if (connect) results.push(...(await checkConnection({ directory, url, trustedRoot, step })));
  return results;
}

/** @param {string[]} args */
async function run(args) {
  const parsed = readArguments(
    args,
    USAGE,
    { connect: { type: 'boolean' }, url: { type: 'string' }, root: { type: 'string' } },
    1
  );
  if (parsed === undefined) return;
  const { values, positionals } = parsed;
  if (values.root !== undefined && !/^[0-9a-f]{64}$/i.test(values.root)) {
    throw new UsageError('--root must be a key of 32 bytes in hex', USAGE);
  }
  if (values.url !== undefined && !/^wss?:\/\//.test(values.url))
    throw new UsageError('--url must be a ws: or wss: URL', USAGE);
  const indicator = progress();
  let results;
  try {
    results = await examine({
      directory: resolve('.'),
      file: positionals[0],
      connect: values.connect,
      url: values.url,
      trustedRoot: values.root && Buffer.from(values.root, 'hex'),
      step: text => indicator.step(text)
    });
  } finally {
    indicator.end();
  }
  const faults = results.filter(({ status }) => status === 'fault').length;
  const version = packageVersion();
  if (values.json) {
    const { platform, arch, version: node } = process;
    console.log(JSON.stringify({ healthy: faults === 0, version, node, platform, arch, results }, null, 2));
  } else {
    print(results, version);
    const paint = painter();
    console.log(faults === 0 ? paint('green', '\nHealthy.') : paint('red', `\nNot healthy: ${faults} fault(s).`));
  }
  return faults === 0 ? 0 : 1;
}

/** @param {Result[]} results @param {string} version */
function print(results, version) {
  const paint = painter();
  console.log(`${paint('bold', `baileys-native ${version}`)} doctor\n`);
  const width = Math.max(...results.map(({ check }) => check.length));
  for (const { status, check, message, advice } of results) {
    const [mark, style] = MARKS[status];
    const indent = mark.length + width + 4;
    console.log(`${paint(style, mark)}  ${paint('bold', check.padEnd(width))}  ${wrap(message, indent)}`);
    if (advice !== undefined) {
      console.log(`${' '.repeat(indent)}${paint('dim', `→ ${wrap(advice, indent + 2)}`)}`);
    }
  }
}

module.exports = { examine, run };
