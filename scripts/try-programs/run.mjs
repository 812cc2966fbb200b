// Installs a program together with the packed tarballs of this package, and runs it against a mock server.

import { execFile, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MockServer } from 'baileys-native/testing';
import { httpProxy, socksProxy } from '../../__test__/support/proxies.mjs';
import { binaryOf } from '../shared/node-binary.mjs';
import { ROOT } from '../shared/root.mjs';

const runFile = promisify(execFile);
const PROJECT = fileURLToPath(new URL('project', import.meta.url));

/** Time limits in milliseconds. */
const INSTALL_MS = 600_000;
const RUN_MS = 120_000;

/** @typedef {import('./programs.mjs').Program} Program */

/**
 * @typedef {'direct' | 'proxy' | 'off'} LayerRoute `off`: direct, with `BAILEYS_NATIVE=off`.
 *
 * @typedef {object} ProgramResult
 * @property {string} [failure] Why there is no QR code.
 * @property {string} [qr] The QR code that the program gives to its user: its text, or an image.
 * @property {boolean} [isActive]
 * @property {{ version: string }[]} [replaced] The copies of Baileys that run natively.
 * @property {number} [connections] The number of native connections.
 * @property {boolean} offersCompression Whether the WebSocket request offers it. Only Baileys' own client does.
 * @property {number} proxied Bytes through the proxy, in both directions.
 */

/**
 * Installs a program into a new folder below `parent`.
 *
 * @param {Program} program
 * @param {string[]} tarballs
 * @param {string} parent
 */
export async function install({ name, version, packages }, tarballs, parent) {
  const folder = join(parent, name.replaceAll(/\W+/g, '-'));
  mkdirSync(folder);
  // Git dependencies are replaced by npm packages, as in this repository.
  const { overrides } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const manifest = { private: true, overrides: { libsignal: overrides.libsignal } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  // The peer dependency of a plugin may need a newer Node than the one that runs npm.
  const args = ['install', ...flags, '--force', `${name}@${version}`, ...packages, ...tarballs];
  await runFile('npm', args, { cwd: folder, timeout: INSTALL_MS });
  for (const file of readdirSync(PROJECT)) copyFileSync(join(PROJECT, file), join(folder, file));
  return folder;
}

/**
 * Runs an installed program until it has a QR code.
 *
 * @param {Program} program
 * @param {string} folder
 * @param {LayerRoute} route
 * @returns {Promise<ProgramResult>}
 */
export async function runProgram(program, folder, route) {
  const server = await MockServer.start();
  const proxy = await (program.proxy === 'http' ? httpProxy() : socksProxy());
  const scheme = program.proxy === 'http' ? 'http' : 'socks5';
  const home = mkdtempSync(join(folder, 'home-'));
  const ca = join(home, 'ca.pem');
  writeFileSync(ca, server.ca ?? '');
  const env = {
    ...withoutProxies(process.env),
    HOME: home,
    NODE_EXTRA_CA_CERTS: ca,
    ...(route === 'off' && { BAILEYS_NATIVE: 'off' }),
    ...(route === 'proxy' && program.proxyEnv(`${scheme}://127.0.0.1:${proxy.port}`)),
    ...program.env,
    TRY_PACKAGE: program.name,
    TRY_BAILEYS: program.baileys,
    TRY_URL: server.url,
    TRY_ROOT: server.rootKey.toString('hex')
  };
  const node = program.node === undefined ? process.execPath : binaryOf(program.node);
  const args = ['--import', 'baileys-native/register', '--import', '../preload.mjs', `../${program.starter}`];
  // Programs write into their working directory.
  const child = spawn(node, args, { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', chunk => (output += chunk));
  try {
    /** @type {Promise<any>} */
    const reported = new Promise(resolve => {
      child.once('message', resolve);
      child.once('exit', (code, signal) => resolve({ failure: `it ended with ${signal ?? code}` }));
    });
    const late = delay(RUN_MS, { failure: `no QR code after ${RUN_MS / 1000} s` }, { ref: false });
    const message = await Promise.race([reported, late]);
    if (message.failure) message.failure += `\n${output.slice(-2000)}`;
    const request = server.connections[0]?.request;
    return {
      ...message,
      offersCompression: request?.headers['sec-websocket-extensions'] !== undefined,
      proxied: proxy.bytes()
    };
  } finally {
    child.kill('SIGKILL');
    proxy.close();
    await server.stop();
  }
}

/** @param {NodeJS.ProcessEnv} env */
const withoutProxies = env =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(?:.*_proxy|node_options|baileys_native.*|npm_.*)$/i.test(name))
  );
