// The benches run, and their checks before measuring succeed. Times are not checked.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { goalRows } from '../../bench/goals.mjs';
import { openCodec } from '../../bench/lib/backends.mjs';
import { checkCodec } from '../../bench/lib/codec-check.mjs';
import { ENTRIES, makeStanza } from '../../bench/lib/corpus.mjs';
import { compare, geometricMean } from '../../bench/lib/statistics.mjs';
import { Turns } from '../../bench/lib/turns.mjs';
import { PLACES, withFigures } from '../../bench/writing/figures.mjs';
import { readTable } from '../../bench/suites/core.mjs';
import { ROOT } from '../../scripts/shared/root.mjs';
import { Sink } from '../../scripts/shared/sink.mjs';

const node = args => promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: 540_000 });

test('a quick run of one suite proves equality and writes a report', { timeout: 600_000 }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'baileys-native-bench-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { stdout } = await node(['bench/run.mjs', '--quick', '--only', 'codec', '--out', folder]);

  assert.match(stdout, /decode, synchronous, geometric mean/);
  assert.deepEqual(readdirSync(folder).sort(), ['corpus.svg', 'ratios.svg', 'report.json', 'report.md']);
  const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'));
  assert.equal(report.level, 'quick');
  assert.equal(report.machine.node, process.versions.node);
  assert.equal(report.results.codec.compared, 3 * ENTRIES.length);
  for (const against of ['baileys', 'bridge']) {
    for (const operation of ['decode', 'encode', 'seal', 'open']) {
      const { entries, mean } = report.results.codec[against][operation];
      assert.deepEqual(
        entries.map(({ name }) => name),
        ENTRIES
      );
      assert.ok(mean.median > 0 && entries.every(({ js, native }) => js.median > 0 && native.median > 0));
    }
  }
  const markdown = readFileSync(join(folder, 'report.md'), 'utf8');
  for (const { what } of report.goals) assert.ok(markdown.includes(what), `${what} is in the report`);
  assert.match(readFileSync(join(folder, 'ratios.svg'), 'utf8'), /^<svg [^>]*>[\s\S]*<\/svg>\n$/);
});

test('processes measure in turn, and do not wait for one that has ended', async () => {
  const turns = new Turns(['a', 'b', 'c']);
  const log = [];
  let measuring = 0;
  const run = async (name, count) => {
    const { turn, turnEnd } = turns.servicesOf(name);
    for (let round = 0; round < count; round++) {
      log.push(`${name} waits`);
      await turn();
      assert.equal(++measuring, 1, 'one at a time');
      log.push(`${name} measures`);
      await new Promise(resolve => setImmediate(resolve));
      measuring--;
      // A process that ends in its turn does not report the end of the turn.
      if (name === 'c') break;
      await turnEnd();
    }
    turns.leave(name);
  };
  await Promise.all([run('a', 3), run('b', 2), run('c', 1)]);

  const measured = log.filter(entry => entry.endsWith('measures')).map(entry => entry[0]);
  assert.deepEqual(measured, ['a', 'b', 'c', 'b', 'a', 'a'], 'the order is reversed in each round');
  const second = log.lastIndexOf('b waits');
  assert.ok(log.indexOf('c measures') < second, 'nobody prepares while another measures');
});

test('an unknown suite is refused', async () => {
  const failed = await node(['bench/run.mjs', '--only', 'nothing']).catch(error => error);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /there is no suite nothing/);
});

test('docs/performance.md and the figures of README.md and docs/scale.md are those of the reports', async () => {
  await node(['bench/run.mjs', '--check']);
});

test('figures are replaced in a text; a missing text or goal is an error', () => {
  const places = PLACES['docs/scale.md'];
  const row = { id: 'session-rss', value: 31.6 };
  assert.equal(
    withFigures('An idle `NativeSession` takes 26 KB.', places, [row]),
    'An idle `NativeSession` takes 32 KB.'
  );
  assert.throws(() => withFigures('An idle session takes 26 KB.', places, [row]), /the document has no text for/);
  assert.throws(() => withFigures('An idle `NativeSession` takes 26 KB.', places, []), /no goal session-rss/);
  const goals = [
    ['stanzas-per-second', 4.444, 'worst of 12: wss message by 1; geometric mean 6.5x'],
    ['outbound-rate-hundred', 7.04, 'worst of 8: wss message, 1 socket; geometric mean 10.4x'],
    ['rss-bots', 0.2336],
    ['bot-in', 0.832],
    ['bot-out', 0.7845]
  ].map(([id, value, note]) => ({ id, value, note }));
  const readme = withFigures(readFileSync(join(ROOT, 'README.md'), 'utf8'), PLACES['README.md'], goals);
  assert.match(readme, /\*\*4\.4x\*\* the stanzas .* in the worst of 12 cases, 6\.5x on average/);
  assert.match(readme, /\*\*7\.0x\*\* the stanzas .* in the worst of 8 cases, 10x on average/);
  assert.match(readme, /\*\*0\.23x\*\* the memory of an idle connection/);
  assert.match(readme, /0\.83x the CPU time for an incoming text, and 0\.78x for an\s+outgoing one/);
});

test('a codec that differs from Baileys is not measured', async () => {
  const codec = await openCodec('native');
  await checkCodec(codec, ['ack']);
  const other = {
    ...codec,
    encode: stanza => Buffer.concat([codec.encode(stanza), Buffer.from([0])])
  };
  await assert.rejects(checkCodec(other, ['ack']), /ack: encoding gives other bytes/);
  const wrong = { ...codec, decode: payload => ({ ...codec.decode(payload), tag: 'nack' }) };
  await assert.rejects(checkCodec(wrong, ['ack']), /ack: decoding/);
});

test('the corpus makes new stanzas each time, and equal stanzas for an equal seed', () => {
  for (const name of ENTRIES) {
    assert.deepStrictEqual(makeStanza(name, 7), makeStanza(name, 7));
    assert.notDeepStrictEqual(makeStanza(name, 7), makeStanza(name, 8));
  }
});

test('the core and the benches use the same corpus', async () => {
  await node(['bench/core/write-corpus.mjs', '--check']);
});

test('ratios are computed for each round; a ratio above 1 is better', () => {
  assert.equal(compare([10, 30], [5, 10], 'less').ratio.median, 2.5);
  assert.equal(compare([10, 30], [20, 90], 'more').ratio.median, 2.5);
  assert.ok(Math.abs(geometricMean([2, 8]) - 4) < 1e-9);
});

test("the table of the core's benches is parsed", () => {
  const table = [
    'codec         fastest       │ slowest       │ median        │ mean          │ samples │ iters',
    '├─ decode                   │               │               │               │         │',
    '│  ├─ ours                  │               │               │               │         │',
    '│  │  ├─ ack  116.8 ns      │ 3.778 µs      │ 118.8 ns      │ 157.3 ns      │ 100     │ 100',
    '│  │  ╰─ usync50  9.757 µs  │ 43.29 µs      │ 9.841 µs      │ 10.47 µs      │ 100     │ 1',
    '│  ╰─ wacore                │               │               │               │         │',
    '│     ╰─ ack  145.8 ns      │ 2.861 µs      │ 148.8 ns      │ 177.1 ns      │ 100     │ 100',
    '╰─ handshake                │               │               │               │         │',
    '   ╰─ ours    5.822 µs      │ 2.213 ms      │ 1.5 ms        │ 28.07 µs      │ 100     │ 1'
  ].join('\n');
  assert.deepEqual(readTable(table), [
    { path: ['decode', 'ours', 'ack'], median: 118.8 },
    { path: ['decode', 'ours', 'usync50'], median: 9841 },
    { path: ['decode', 'wacore', 'ack'], median: 148.8 },
    { path: ['handshake', 'ours'], median: 1_500_000 }
  ]);
});

test('a goal reports whether it is met', () => {
  const each = ratio => compare([ratio * 100], [100], 'less');
  const memory = {
    connections: { bare: 1000, bots: 1000 },
    messageBytes: 41_189,
    bare: each(4),
    bots: each(1.5),
    kept: each(5)
  };
  const rows = goalRows({ memory });
  assert.deepEqual(
    rows.map(({ id, met }) => [id, met]),
    [
      ['rss-bare', true],
      ['rss-bots', false],
      ['rss-kept', true]
    ]
  );
  assert.equal(rows[0].value, 0.25);
});

test('a quick run of the session counts and compares its stanzas', { timeout: 600_000 }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'baileys-native-bench-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { stdout } = await node(['bench/run.mjs', '--quick', '--only', 'session', '--out', folder]);
  assert.match(stdout, /NativeSession: KB of RSS per idle TLS session/);
  const { goals, results } = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'));
  assert.deepEqual(
    goals.map(({ id }) => id).filter(id => id !== 'session-thread' && id !== 'session-unasked'),
    ['session-ack', 'session-message', 'session-rtt', 'session-rss']
  );
  assert.deepEqual(
    results.session.cells.map(({ stanza, perMessage, asked }) => `${stanza} ${perMessage} ${asked}`).sort(),
    ['ack', 'message'].flatMap(stanza => ['1 false', '1 true', '10 false', '10 true'].map(rest => `${stanza} ${rest}`))
  );
  assert.match(readFileSync(join(folder, 'report.md'), 'utf8'), /## NativeSession/);
});

/** The bytes of a masked WebSocket message. */
function masked(length) {
  const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  header[0] = 0x82;
  if (length < 126) header[1] = 0x80 | length;
  else if (length < 65_536) header.writeUInt16BE(length, 2);
  else header.writeBigUInt64BE(BigInt(length), 2);
  if (length >= 126) header[1] = 0x80 | (length < 65_536 ? 126 : 127);
  return Buffer.concat([header, Buffer.alloc(4, 0xff), Buffer.alloc(length, 0xff)]);
}

test('the sink counts the payload of WebSocket messages for every chunking', async () => {
  const lengths = [0, 1, 125, 126, 300, 65_535, 65_536, 70_000];
  const bytes = Buffer.concat(lengths.map(masked));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  for (const size of [1, 2, 3, 7, 13, 4096, bytes.length]) {
    const socket = new EventEmitter();
    const sink = new Sink();
    sink.add([socket]);
    sink.add([socket]);
    sink.expect(total);
    for (let at = 0; at < bytes.length; at += size) socket.emit('data', bytes.subarray(at, at + size));
    await sink.arrived();
  }
  const socket = new EventEmitter();
  const sink = new Sink();
  sink.add([socket]);
  sink.expect(10);
  socket.emit('data', masked(11));
  await assert.rejects(sink.arrived(), /11 bytes have arrived, not 10/);
});
