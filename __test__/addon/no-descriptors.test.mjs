// The first connection of a process without free file descriptors. The addon cannot start its threads then.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/shared/root.mjs';

const run = promisify(execFile);
const options = { timeout: 60_000, skip: process.platform === 'win32' && 'Windows has no such limit' };

/** The shell lowers the limit; `exec` then replaces it by Node. */
const SCRIPT = 'ulimit -n 128; exec "$0" "$@"';

/** Prints the errors as JSON. Afterwards descriptors are free again, and the same calls succeed. */
const PROGRAM = `
import { closeSync, openSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { NativeSession, WebSocketClient } from 'baileys-native';
import { linkedCreds } from './scripts/shared/client-outcomes.mjs';

const taken = [];
try {
  for (;;) taken.push(openSync('/dev/null', 'r'));
} catch {}
const describe = ({ message, code, errno, syscall }) => ({ message, code, errno, syscall });
const connect = async () => {
  const client = new WebSocketClient(new URL('ws://127.0.0.1:1/'), { connectTimeoutMs: 3000 });
  client.connect();
  const [error] = await once(client, 'error');
  return describe(error);
};
const start = () => {
  try {
    new NativeSession({ url: 'ws://127.0.0.1:1/', auth: { creds: linkedCreds(15550001111) } });
    return 'started';
  } catch (error) {
    return describe(error);
  }
};
const without = [await connect(), start()];
taken.forEach(descriptor => closeSync(descriptor));
const later = [await connect(), start()];
writeSync(1, JSON.stringify({ without, later }));
process.exit();
`;

test('a connection without a free descriptor ends with EMFILE, and the next connection works', options, async () => {
  const args = ['-c', SCRIPT, process.execPath, '--no-warnings', '--input-type=module', '--eval', PROGRAM];
  const { stdout } = await run('/bin/sh', args, { cwd: ROOT, timeout: 50_000 });
  const { without, later } = JSON.parse(stdout);
  const expected = { message: 'connect EMFILE', code: 'EMFILE', errno: -24, syscall: 'connect' };
  assert.deepEqual(without, [expected, expected]);
  assert.deepEqual([later[0].code, later[1]], ['ECONNREFUSED', 'started']);
});
