// A mock server with linked devices in this process, and programs in child processes that log in to it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as baileys from 'baileys';
import { trustTestRoot } from 'baileys-native/testing';
import { ROOT } from '../../../scripts/shared/root.mjs';
import { pair } from '../../support/baileys-client.mjs';
import { startServer } from '../../support/native-session.mjs';

const NATIVE = ['--import', 'baileys-native/register'];

/** Time limit of one child process, in milliseconds. */
const TIMEOUT = 150_000;

/**
 * @param {import('node:test').TestContext} t
 * @param {{ devices?: number }} [options]
 */
export async function startServerAndPrograms(t, { devices = 1 } = {}) {
  const server = await startServer(t, { preKeyCount: 100 });
  const restore = trustTestRoot(baileys, server.rootKey);
  const accounts = [];
  for (let i = 0; i < devices; i++) {
    const { creds } = await pair({ baileys, server, scan: qr => server.scanQr(qr) });
    accounts.push(JSON.stringify(creds, baileys.BufferJSON.replacer));
  }
  restore();
  const facts = { url: server.url, rootKey: server.rootKey.toString('hex'), accounts };
  return {
    server,

    /** Resolves with the connection of the next login of the device with this index. */
    async login(device = 0) {
      const { me } = JSON.parse(accounts[device]);
      for (;;) {
        const [connection] = await once(server, 'login');
        if (connection.device.jid === me.id) return connection;
      }
    },

    /**
     * Starts a program of this folder.
     *
     * @param {string} name
     * @param {{ native?: boolean, args?: string[] }} [options]
     */
    start(name, { native = true, args = [] } = {}) {
      const { NODE_OPTIONS: _, BAILEYS_NATIVE: __, ...env } = process.env;
      const file = fileURLToPath(new URL(name, import.meta.url));
      const child = spawn(process.execPath, [...(native ? NATIVE : []), file, ...args], {
        cwd: ROOT,
        env: { ...env, TEST_SERVER: JSON.stringify(facts) },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: TIMEOUT,
        killSignal: 'SIGKILL'
      });
      t.after(() => child.kill('SIGKILL'));
      const output = { stdout: '', stderr: '' };
      for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
        child[name].setEncoding('utf8').on('data', text => (output[name] += text));
      }
      const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...output }));
      return { child, ended };
    }
  };
}
