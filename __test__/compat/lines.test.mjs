// Every line of Baileys, unmodified, in processes of its own: on its JavaScript and on the native layer it sees the same,
// and so does the server.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { addTrustedRoot } from 'baileys-native/testing';

const SESSION = fileURLToPath(new URL('support/line-session.mjs', import.meta.url));
const REGISTER = ['--import', 'baileys-native/register'];
const TIMEOUT = 60_000;

/**
 * @param {string[]} nodeFlags
 * @param {string[]} args
 */
async function session(nodeFlags, args) {
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeFlags, SESSION, ...args], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    timeout: TIMEOUT
  });
  return JSON.parse(stdout);
}

for (const line of ['baileys', 'baileys-6.7.24', 'baileys-6.17.16']) {
  test(`${line} pairs, logs in and exchanges traffic as it does on its JavaScript`, async () => {
    const javascript = await session([], [line]);
    const native = await session(REGISTER, [line]);
    assert.deepEqual([javascript.active, javascript.native, native.active, native.native], [false, false, true, true]);
    assert.equal(native.me, '15550001234:1@s.whatsapp.net');
    assert.deepEqual(native.seen, [
      ['registered', native.me],
      ['login', native.me]
    ]);
    assert.equal(native.received.length, 620);
    assert.deepEqual(
      native.presences,
      Array.from({ length: 100 }, (_, i) => String(i))
    );
    assert.equal(native.ending, 503);
    const { active: _, native: __, ...expected } = javascript;
    const { active: ___, native: ____, ...actual } = native;
    assert.deepEqual(actual, expected);
  });
}

describe('a Baileys without a root key of its own', () => {
  const line = 'baileys-6.17.16';

  test('is refused by the native layer without addTrustedRoot()', async () => {
    const { native, seen, statusCode, message } = await session(REGISTER, [line, '--untrusted']);
    assert.deepEqual([native, statusCode, seen], [true, 400, []]);
    assert.match(message, /certificate/);
  });

  test('is unaffected by addTrustedRoot() on its JavaScript', async () => {
    const { native, me } = await session([], [line]);
    assert.deepEqual([native, me], [false, '15550001234:1@s.whatsapp.net']);
  });
});

test('Baileys 7 goes by its own root key, whatever addTrustedRoot() adds', async () => {
  const { native, seen, statusCode } = await session(REGISTER, ['baileys', '--only-added']);
  assert.deepEqual([native, statusCode, seen], [true, 400, []]);
});

test('addTrustedRoot() takes keys of 32 bytes', () => {
  for (const key of [Buffer.alloc(31), Buffer.alloc(33), 'a'.repeat(32), undefined]) {
    assert.throws(() => addTrustedRoot(key), TypeError);
  }
  const remove = addTrustedRoot(new Uint8Array(32));
  remove();
  remove();
});
