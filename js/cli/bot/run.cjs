'use strict';

// Runs the bot of `bench` and `demo` on one layer against a mock server in this process.

const { fork } = require('node:child_process');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { findCopies, resolvedRoot } = require('../doctor/copies.cjs');

/** @import { Flood, MockServer } from '../../testing/index.cjs' */

const CLIENT = join(__dirname, 'client.mjs');
const REGISTER = pathToFileURL(join(__dirname, '../../loader/register.mjs')).href;
const TIMEOUT_MS = 120_000;
const END = { tag: 'bench', attrs: {} };

/** @typedef {'js' | 'native'} Backend */

/** Names of the layers in the output. */
const LABELS = { js: 'JavaScript', native: 'native' };

/**
 * The Baileys that the working directory imports.
 *
 * @returns {{ version: string, main: string }}
 */
function localBaileys() {
  const directory = process.cwd();
  const copies = findCopies(directory);
  const root = resolvedRoot(directory, copies);
  const copy = copies.find(each => each.root === root) ?? copies[0];
  if (copy === undefined) {
    throw new Error(`there is no Baileys in ${directory}: run this in the bot's folder, or first: npm install baileys`);
  }
  return copy;
}

/**
 * Answers the requests of one bot.
 *
 * @param {MockServer} server
 * @param {import('node:child_process').ChildProcess} child
 */
function serve(server, child) {
  /** @type {Flood | undefined} */
  let flood;
  let expected = Infinity;
  const connection = () => server.connections[server.connections.length - 1];
  server.on('stanza', ({ direction, node }) => {
    if (direction === 'in' && node.tag === 'ack' && --expected === 0) child.send({ kind: 'received' });
  });
  child.on('message', async (/** @type {any} */ { kind, qr, count }) => {
    if (kind === 'qr') await server.scanQr(qr, { jid: '15550000001:1@s.whatsapp.net' });
    if (kind === 'expect') {
      expected = count;
      child.send({ kind: 'expecting' });
    }
    if (kind === 'flood') await /** @type {Flood} */ (flood).start().then(() => connection().send(END));
    if (kind === 'prepare') {
      const { sampleStanzas } = await import('../../testing/index.mjs');
      flood = connection().prepareFlood(sampleStanzas.message, count);
      child.send({ kind: 'prepared' });
    }
  });
}

/**
 * @param {object} options
 * @param {'bench' | 'demo'} options.mode
 * @param {Backend} options.backend
 * @param {{ main: string }} options.baileys
 * @param {object} options.counts
 * @returns {Promise<{ result: any, stanzas: any[] }>} The measurements of the bot and the stanzas recorded by the
 *   server.
 */
async function runBot({ mode, backend, baileys, counts }) {
  const { MockServer } = await import('../../testing/index.mjs');
  const server = await MockServer.start({
    baileys: baileys.main,
    acceptUnknown: true,
    preKeyCount: 100,
    record: mode === 'demo'
  });
  const child = fork(CLIENT, {
    execArgv: backend === 'native' ? ['--no-warnings', '--import', REGISTER] : ['--no-warnings'],
    // The bot imports `baileys-native/register` on both layers; `off` disables its hooks.
    env: { ...process.env, NODE_OPTIONS: '', BAILEYS_NATIVE: backend === 'native' ? '1' : 'off' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  });
  try {
    const result = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the bot did not end in ${TIMEOUT_MS / 1_000} s`)), TIMEOUT_MS);
      const settings = {
        kind: 'settings',
        mode,
        backend,
        counts,
        baileys: pathToFileURL(baileys.main).href,
        url: server.url,
        ca: server.ca,
        rootKey: server.rootKey.toString('hex'),
        user: '15550100001'
      };
      /**
       * @param {(value: any) => void} settle
       * @param {unknown} value
       */
      const finish = (settle, value) => {
        clearTimeout(timer);
        settle(value);
      };
      server.on('failure', error => finish(reject, error));
      child.on('message', (/** @type {any} */ message) => {
        if (message.kind === 'ready') child.send(settings);
        if (message.kind === 'result') finish(resolve, message.result);
        if (message.kind === 'failed') finish(reject, new Error(`${LABELS[backend]}: ${message.message}`));
      });
      child.on('exit', code => finish(reject, new Error(`${LABELS[backend]}: the bot ended with ${code}`)));
      serve(server, child);
    });
    return { result, stanzas: server.stanzas };
  } finally {
    child.kill('SIGKILL');
    await server.stop();
  }
}

module.exports = { LABELS, localBaileys, runBot };
