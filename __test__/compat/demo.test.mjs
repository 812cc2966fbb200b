// The demo with small numbers: both backends run, and receive and send identical stanzas.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { describeQr, describeStanza, excerpts, firstDifference } from '../../scripts/demo/log.mjs';
import { ROOT } from '../../scripts/shared/root.mjs';

const COUNTS = { stanzas: 400, sends: 100, pings: 10 };

async function demo(args, env = process.env) {
  const options = { cwd: ROOT, env, timeout: 540_000, maxBuffer: 16 * 1024 * 1024 };
  try {
    return await promisify(execFile)(process.execPath, ['scripts/demo.mjs', ...args], options);
  } catch (error) {
    error.message += `\n${error.stdout}`; // has the difference of the logs
    throw error;
  }
}

const small = [...Object.entries(COUNTS).flatMap(([name, count]) => [`--${name}`, String(count)]), '--rounds', '1'];

test('the demo runs both backends and finds their logs identical', { timeout: 600_000 }, async () => {
  const { stdout } = await demo([...small, '--json']);
  const result = JSON.parse(stdout);

  const { version } = JSON.parse(readFileSync(`${ROOT}/node_modules/baileys/package.json`, 'utf8'));
  assert.equal(result.versions.baileys, version);
  assert.deepEqual(result.counts, COUNTS);
  assert.equal(result.logs.identical, true);
  assert.ok(result.logs.lines.outbound > COUNTS.sends + COUNTS.pings + COUNTS.stanzas / 20);
  assert.ok(result.logs.lines.inbound > COUNTS.stanzas);
  assert.ok(result.logs.lines.connection > 10);
  for (const backend of ['js', 'native']) {
    for (const [name, value] of Object.entries(result[backend])) {
      assert.ok(Number.isFinite(value) && value > 0, `${backend}.${name} is ${value}`);
    }
  }
  assert.deepEqual(Object.keys(result.js), Object.keys(result.native));
});

test('the demo prints a table with both columns', { timeout: 600_000 }, async () => {
  const { stdout } = await demo(small);
  assert.match(stdout, /^ +JavaScript +native +ratio$/m);
  assert.match(stdout, /^messages\/s in +[\d,]+ +[\d,]+ +[\d.]+x$/m);
  assert.match(stdout, /^peak RSS +\d+ MB +\d+ MB +[\d.]+x$/m);
  assert.match(stdout, /^Logs identical/m);
});

test('the demo fails where the native layer is not active', { timeout: 600_000 }, async () => {
  const failed = await demo(small, { ...process.env, BAILEYS_NATIVE: 'off' }).catch(error => error);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /native socket layer was asked for/);
  assert.match(failed.stderr, /The demo failed\. native: /);
  assert.doesNotMatch(failed.stdout, /ratio/);
});

test('an invalid number is refused', async () => {
  const failed = await demo(['--stanzas', 'many']).catch(error => error);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /--stanzas takes a whole number/);
});

const keyList = (list, value) => ({
  tag: 'iq',
  attrs: { id: '12.34-5', t: String(Math.floor(Date.now() / 1000)) },
  content: [
    {
      tag: list,
      attrs: {},
      content: [{ tag: 'key', attrs: {}, content: [{ tag: 'value', attrs: {}, content: value }] }]
    }
  ]
});

test('a log entry omits only the random fields', () => {
  const entry = describeStanza(keyList('list', Buffer.alloc(32, 1)));
  assert.equal(entry, '<iq id=<query prefix>-5 t=<now>>[<list>[<key>[<value>(Buffer <pre-key>)]]]');
  assert.equal(describeStanza(keyList('list', Buffer.alloc(32, 2))), entry);
  const other = describeStanza(keyList('skey', Buffer.alloc(3, 1)));
  assert.equal(other, '<iq id=<query prefix>-5 t=<now>>[<skey>[<key>[<value>(Buffer 010101)]]]');

  const message = { tag: 'relay', attrs: { id: '3EB0', t: '1700000000' }, content: Buffer.alloc(160) };
  const changes = [
    { ...message, tag: 'message' },
    { ...message, attrs: { t: '1700000000', id: '3EB0' } },
    { ...message, attrs: { ...message.attrs, t: '1700000001' } },
    { ...message, content: Buffer.alloc(161) },
    { ...message, content: new Uint8Array(160) },
    { ...message, content: undefined }
  ];
  assert.equal(new Set([message, ...changes].map(node => describeStanza(node))).size, changes.length + 1);

  assert.equal(describeQr('https://a/b#ref,key,identity,secret,1'), 'https://a/b#<pairing ref>,key,identity,secret,1');
  assert.equal(describeQr('ref,key,identity,secret'), '<pairing ref>,key,identity,secret');
});

test('the first difference between two logs is reported', () => {
  assert.equal(firstDifference(['a', 'b'], ['a', 'b']), undefined);
  assert.deepEqual(firstDifference(['a', 'b'], ['a', 'c']), { line: 2, expected: 'b', actual: 'c' });
  assert.deepEqual(firstDifference(['a'], ['a', 'b']), { line: 2, expected: undefined, actual: 'b' });
  assert.deepEqual(excerpts('same', 'same!'), ['same', 'same!']);
  const [before, after] = excerpts(`${'x'.repeat(500)}1${'y'.repeat(500)}`, `${'x'.repeat(500)}2${'y'.repeat(500)}`);
  assert.match(before, /^\.{3}x+1y+\.{3}$/);
  assert.match(after, /^\.{3}x+2y+\.{3}$/);
});

test('the demo of the session goes through all its steps', { timeout: 600_000 }, async () => {
  const { stdout } = await demo([
    'session',
    '--stanzas',
    '500',
    '--blocked',
    '6',
    // The server closes a connection that is silent for 1.5 intervals: longer than a busy machine pauses a process.
    '--interval',
    '2000',
    '--queries',
    '20'
  ]);
  for (const step of ['pair', 'query', 'stall, Baileys on JavaScript', 'stall, NativeSession', 'drop', 'resume']) {
    assert.match(stdout, new RegExp(`^${step} .* ms  `, 'm'));
  }
  assert.match(stdout, /alive; 500 of 500 stanzas/);
  assert.match(stdout, /handshakes XX, IK, XXfallback, IK; ends by code 428: 2, 515: 1/);
});
