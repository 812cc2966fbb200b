// Shared functions of the tests of `baileys-native inspect`: a directory, a mock server, inspected processes, and the
// page.

import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EVENT_TIMEOUT_MS } from './native-session.mjs';

const BOT = fileURLToPath(new URL('inspected-bot.mjs', import.meta.url));
const CLI = fileURLToPath(new URL('../../js/cli/main.cjs', import.meta.url));

/** A directory that is removed with the test. */
export function temporaryDirectory(t) {
  const directory = mkdtempSync(join(tmpdir(), 'bn-inspect-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/**
 * Starts an inspected process that is connected to the server. `ask(act, node)` makes it `query`, `send` or `close`.
 *
 * @param {'baileys' | 'session'} mode
 */
export async function startBot(t, { server, directory, mode, name = 'test bot' }) {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const env = {
    ...inherited,
    MODE: mode,
    SERVER_URL: server.url,
    ROOT_KEY: server.rootKey.toString('hex'),
    BAILEYS_NATIVE_INSPECT: name,
    BAILEYS_NATIVE_INSPECT_DIR: directory
  };
  const execArgv = mode === 'baileys' ? ['--import', 'baileys-native/register'] : [];
  const child = fork(BOT, { env, execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  t.after(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const first = await Promise.race([once(child, 'message'), exited]);
  if (first[0] !== 'ready') throw new Error(`the bot ended with ${first[0]}`);
  const waiting = new Map();
  child.on('message', ({ id, answer }) => waiting.get(id)?.(answer));
  let last = 0;
  const ask = (act, node) =>
    new Promise(resolve => {
      const id = ++last;
      waiting.set(id, resolve);
      child.send({ id, act, node });
    });
  return { pid: child.pid, ask, exited };
}

/** Starts the command like a user. Resolves with the URL that it prints. */
export async function startInspect(t, directory) {
  const env = { ...process.env, BAILEYS_NATIVE_INSPECT_DIR: directory };
  const child = spawn(process.execPath, [CLI, 'inspect', '--port', '0'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for await (const chunk of child.stdout) {
    output += chunk;
    const url = /http:\/\/\S+/.exec(output);
    if (url) {
      child.stdout.resume();
      return { url: url[0], child };
    }
  }
  throw new Error(`it prints no URL: ${output}`);
}

/** Sends a request with any headers. */
export function request(url, { method = 'GET', headers = {}, path } = {}) {
  return new Promise((resolve, reject) => {
    const { hostname, port, pathname } = new URL(url);
    const options = {
      hostname,
      port,
      path: path ?? pathname,
      method,
      headers,
      timeout: EVENT_TIMEOUT_MS,
      agent: false
    };
    const sent = get(options, async response => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() });
    });
    sent.on('error', reject);
  });
}
