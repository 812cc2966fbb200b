// decode, encode, replay, bench and demo of `npx baileys-native`.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as baileys from 'baileys';
import { ROOT } from '../../scripts/shared/root.mjs';
import { loadLine } from '../support/baileys-lines.mjs';

const { painter, progress, wrap } = createRequire(import.meta.url)('../../js/cli/terminal.cjs');

const CLI = join(ROOT, 'js/cli/main.cjs');
const TIMEOUT = 150_000;

/** Runs the command with an input; resolves with its exit code and outputs. */
function cli(args, input = '') {
  return new Promise(resolve => {
    const child = spawn(process.execPath, [CLI, ...args], { cwd: ROOT, timeout: TIMEOUT });
    const [out, err] = [[], []];
    child.stdout.on('data', data => out.push(data));
    child.stderr.on('data', data => err.push(data));
    child.stdin.on('error', () => {}); // a command that fails early does not read its input
    child.stdin.end(input);
    child.on('close', code =>
      resolve({
        code,
        bytes: Buffer.concat(out),
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString()
      })
    );
  });
}

const NODE = {
  tag: 'iq',
  attrs: { to: 's.whatsapp.net', type: 'get', id: '12.3-4' },
  content: [
    { tag: 'ping', attrs: {} },
    { tag: 'enc', attrs: { v: '2' }, content: Buffer.from([0, 1, 254, 255]) },
    { tag: 'text', attrs: {}, content: Buffer.from('plain') }
  ]
};
const TREE = `<iq to="s.whatsapp.net" type="get" id="12.3-4">
  <ping/>
  <enc v="2">[4 bytes] 0001feff</enc>
  <text>[5 bytes] 706c61696e</text>
</iq>
`;
const BYTES = baileys.encodeBinaryNode(NODE);

test('decode prints what Baileys has encoded, from hex, base64, a pipe and a file', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'baileys-native-cli-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'stanza.bin');
  writeFileSync(file, BYTES);
  const [hex, base64] = [BYTES.toString('hex'), BYTES.toString('base64')];
  for (const [args, input] of [[[hex]], [[base64]], [[file]], [[], BYTES], [['-'], `${hex}\n`], [[], base64]]) {
    const { code, stdout, stderr } = await cli(['decode', ...args], input);
    assert.deepEqual([code, stdout, stderr], [0, TREE, ''], args.join(' '));
  }
  const { stdout } = await cli(['decode'], `${hex}\n${hex}\n`);
  assert.equal(stdout, TREE + TREE);
});

test('encode prints the original bytes, in each format', async () => {
  const { stdout: json } = await cli(['decode', '--json'], BYTES);
  assert.deepEqual(JSON.parse(json, baileys.BufferJSON.reviver), NODE);
  assert.equal((await cli(['encode'], json)).stdout, `${BYTES.toString('hex')}\n`);
  assert.equal((await cli(['encode', '--format', 'base64'], json)).stdout, `${BYTES.toString('base64')}\n`);
  assert.deepEqual((await cli(['encode', '--format', 'binary'], json)).bytes, BYTES);
  assert.deepEqual(JSON.parse((await cli(['encode', '--json'], json + json)).stdout), [
    BYTES.toString('hex'),
    BYTES.toString('hex')
  ]);
});

test('decode and encode with --dictionary 2 and 3', async () => {
  const { theirs } = await loadLine('6.17');
  const bytes = theirs.encodeBinaryNode(NODE);
  assert.notDeepEqual(bytes, BYTES);
  const { stdout } = await cli(['decode', '--json', '--dictionary', '2'], bytes);
  assert.deepEqual(JSON.parse(stdout, baileys.BufferJSON.reviver), NODE);
  assert.deepEqual((await cli(['encode', '--dictionary', '2', '--format', 'binary'], stdout)).bytes, bytes);
  assert.equal((await cli(['decode', '--dictionary', '1'], bytes)).code, 2);
});

test('sealed frames are opened with a key from standard input only', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'baileys-native-cli-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const key = randomBytes(32);
  const [json, frames] = [join(directory, 'nodes.json'), join(directory, 'frames.bin')];
  writeFileSync(json, JSON.stringify([NODE, NODE]));
  const sealed = await cli(['encode', json, '--sealed', '--counter', '7', '--format', 'binary'], key.toString('hex'));
  writeFileSync(frames, sealed.bytes);
  for (const text of [key, key.toString('base64'), `${key.toString('hex')}\n`]) {
    const { code, stdout } = await cli(['decode', frames, '--sealed', '--counter', '7'], text);
    assert.deepEqual([code, stdout], [0, TREE + TREE]);
  }
  const wrong = await cli(['decode', frames, '--sealed'], key);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /was not sealed with this key and counter 0/);
  assert.ok(!wrong.stderr.includes(key.toString('hex')));
  assert.match((await cli(['decode', '--sealed'], key)).stderr, /INPUT must be a file or an argument/);
});

test('colours and an animated line are only for a terminal', () => {
  const terminal = { isTTY: true, hasColors: () => true };
  assert.equal(painter(terminal)('cyan', 'iq'), '\u001b[36miq\u001b[39m');
  for (const stream of [{ isTTY: false }, { isTTY: true, hasColors: () => false }]) {
    assert.equal(painter(stream)('cyan', 'iq'), 'iq');
  }
  process.env.NO_COLOR = '1';
  try {
    assert.equal(painter(terminal)('cyan', 'iq'), 'iq');
  } finally {
    delete process.env.NO_COLOR;
  }
  for (const isTTY of [true, false]) {
    const written = [];
    const indicator = progress({ isTTY, write: text => written.push(text) });
    indicator.step('first');
    indicator.step('first');
    indicator.step('second');
    indicator.end();
    const expected = isTTY ? ['\r\u001b[2K| first', '\r\u001b[2K/ second', '\r\u001b[2K'] : ['first\n', 'second\n'];
    assert.deepEqual(written, expected);
  }
});

test('long texts are broken at spaces to fit a terminal, and indented', () => {
  assert.equal(wrap('one two three four five six seven', 4, 26), 'one two three four\n    five six seven');
  assert.equal(wrap('a /very/long/path/without/any/spaces b', 2, 24), 'a\n  /very/long/path/without/any/spaces\n  b');
  const long = 'word '.repeat(50).trim();
  // A file or a pipe, and a terminal without room.
  assert.equal(wrap(long, 4, undefined), long);
  assert.equal(wrap(long, 70, 80), long);
});

test('control characters of a stanza are escaped', async () => {
  const bytes = baileys.encodeBinaryNode({ tag: 'a', attrs: { b: '\u001b[31m\u0007\u009b' }, content: undefined });
  const { stdout } = await cli(['decode'], bytes);
  assert.equal(stdout, '<a b="\\u001b[31m\\u0007\\u009b"/>\n');
});

test('an error message has exit code 1, or 2 for wrong usage', async () => {
  for (const [args, input, code, message] of [
    [['decode', 'f8'], '', 1, /end of/],
    [['decode', '!!'], '', 1, /no file, and neither hex nor base64/],
    [['decode'], '', 1, /the input is empty/],
    [['encode'], '{', 1, /not JSON/],
    [['encode'], '{"attrs":{}}', 1, /has no "tag"/],
    [['encode'], '{"tag":"a","attrs":{"b":1}}', 1, /attribute "b" of <a> is not a string/],
    [['encode', '--format', 'x'], '', 2, /hex, base64, binary/],
    [['decode', 'a', 'b'], '', 2, /unexpected argument/],
    [['decode', '--nothing'], '', 2, /Unknown option/],
    [['replay', 'nowhere'], '', 1, /there is no file nowhere/],
    [['replay'], '{', 1, /line 1 is not JSON/],
    [['bench'], '', 2, /--quick/],
    [['nothing'], '', 2, /there is no command/]
  ]) {
    const result = await cli(args, input);
    assert.equal(result.code, code, `${args}: ${result.stderr}`);
    assert.match(result.stderr, message, args.join(' '));
    assert.equal(result.stdout, '');
  }
});

test('each help fits a terminal of 24 lines and 80 columns', async () => {
  const commands = ['doctor', 'decode', 'encode', 'replay', 'bench', 'demo', 'inspect'];
  const { stdout: overview } = await cli(['--help']);
  assert.deepEqual(Array.from(overview.matchAll(/^ {2}([a-z]+) /gm), ([, name]) => name).sort(), [...commands].sort());
  for (const args of [[], ...commands.map(name => [name])]) {
    const { code, stdout } = await cli([...args, '--help']);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: baileys-native/);
    // The last line is the prompt of the shell.
    const lines = stdout.split('\n');
    assert.ok(lines.length <= 24, `${args} has ${lines.length} lines`);
    for (const line of lines) assert.ok(line.length <= 80, line);
    if (args.length > 0) assert.match(stdout, /^ {2}--json /m);
  }
});

test('replay times the stanzas of an export; redacted contents are zeros', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'baileys-native-cli-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'session.jsonl');
  const node = {
    tag: 'message',
    attrs: [
      ['id', '1'],
      ['token', { hidden: 12 }]
    ],
    children: [
      { tag: 'enc', attrs: [], bytes: 300 },
      { tag: 'b', attrs: [], text: 'x' }
    ]
  };
  const lines = [
    { kind: 'export', version: 1 },
    { kind: 'state', state: 'open' },
    { kind: 'node', node },
    { kind: 'node', node: { tag: 'ack', attrs: [] } }
  ];
  writeFileSync(file, lines.map(line => JSON.stringify(line)).join('\n'));
  const { code, stdout } = await cli(['replay', file, '--rounds', '5', '--json']);
  assert.equal(code, 0);
  const { total, tags } = JSON.parse(stdout);
  assert.equal(total.stanzas, 2);
  assert.deepEqual(Object.keys(tags).sort(), ['ack', 'message']);
  assert.ok(tags.message.bytes > 312 && tags.message.bytes < 360 && tags.message.ms > 0);
  const table = await cli(['replay', file, '--rounds', '5']);
  assert.match(table.stdout, /^tag +stanzas +bytes each +µs each$/m);
  assert.match(table.stdout, /^all +2 /m);
});

test('demo and bench run Baileys on both layers', { timeout: 2 * TIMEOUT }, async () => {
  const demo = await cli(['demo', '--stanzas', '1000', '--json']);
  assert.equal(demo.code, 0, demo.stdout + demo.stderr);
  assert.equal(demo.stderr, 'the bot on JavaScript\nthe bot on native\n');
  const { same, steps, sent } = JSON.parse(demo.stdout);
  assert.equal(same, true);
  assert.ok(sent > 1_000);
  for (const { name, js, native } of steps) assert.ok(js > 0 && native > 0, name);

  const bench = await cli(['bench', '--quick', '--rounds', '1', '--stanzas', '500', '--json']);
  assert.equal(bench.code, 0, bench.stderr);
  assert.equal(bench.stderr, 'JavaScript, run 1 of 1\nnative, run 1 of 1\n');
  const { figures } = JSON.parse(bench.stdout);
  for (const [name, { js, native, ratio }] of Object.entries(figures))
    assert.ok(js > 0 && native > 0 && ratio > 0, name);
});
