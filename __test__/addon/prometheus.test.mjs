// The collector for prom-client: checks a scrape after traffic.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { collectMetrics } from 'baileys-native/prometheus';
import { format, resolveConfig } from 'prettier';
import { Registry, register as defaultRegister } from 'prom-client';
import { iq, numbered, openSession } from '../support/native-session.mjs';
import { loggedInClient } from '../support/drop-in-client.mjs';

const options = { timeout: 60_000 };
const DOCUMENT = fileURLToPath(new URL('../../docs/observation.md', import.meta.url));

/** Parses a text exposition: samples by name and labels, and types by family. */
function parse(text) {
  const samples = new Map();
  const types = new Map();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (type) types.set(type[1], type[2]);
    if (line.startsWith('#')) continue;
    const sample = /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line);
    assert.ok(sample, `not a sample: ${line}`);
    assert.ok(!samples.has(sample[1]), `twice: ${line}`);
    samples.set(sample[1], Number(sample[2]));
  }
  return { samples, types };
}

async function scrape(register) {
  return parse(await register.metrics());
}

test('a scrape after traffic has the counted values', options, async t => {
  const register = new Registry();
  collectMetrics({ register });
  const before = await scrape(register);
  const { session, connection } = await openSession(t);
  const last = new Promise(resolve => session.onStanza('CB:message', ({ attrs }) => attrs.n === '99' && resolve()));
  await Promise.all([connection.prepareFlood(numbered, 100).start(), last, session.query(iq())]);
  await loggedInClient(t);
  const again = new Promise(resolve => session.once('reconnecting', resolve));
  await connection.streamError(503);
  await again;
  const { samples, types } = await scrape(register);

  const more = (name, least) => {
    const [now, then] = [samples, before.samples].map(all => all.get(`baileys_native_${name}`));
    assert.ok(now >= then + least, `${name}: ${then} and then ${now}`);
  };
  more('stanzas_total{direction="in"}', 100);
  more('stanzas_delivered_total', 101);
  more('frames_total{direction="out"}', 2);
  more('transport_bytes_total{direction="in"}', 1_000);
  more('queries_total', 1);
  more('query_latency_seconds_count', 1);
  more('query_latency_seconds_bucket{le="+Inf"}', 1);
  more('handshake_seconds_count{kind="XX"}', 1);
  more('handshake_seconds_bucket{kind="XX",le="65.536"}', 1);
  more('reconnects_total{code="503"}', 1);
  more('inbound_step_seconds_total{step="decrypt"}', 1e-9);
  more('socket_messages_total{direction="out"}', 1);
  assert.equal(samples.get('baileys_native_sockets{state="open"}'), 1);
  const states = ['connected', 'reconnecting', 'connecting', 'authenticating'];
  const living = states.map(state => samples.get(`baileys_native_sessions{state="${state}"}`));
  assert.equal(
    living.reduce((a, b) => a + b),
    1
  );

  const suffixes = { counter: /_total$/, gauge: /(?<!_total)$/, histogram: /_seconds$/ };
  for (const [name, type] of types) assert.match(name, suffixes[type], name);
  // Traffic adds no labels.
  assert.equal(samples.size, before.samples.size);
  assert.ok([...samples.values()].every(value => Number.isFinite(value) && value >= 0));
});

/** The labels of a family, each with its values. The bounds of buckets are left out. */
async function labelsOf(metric) {
  const found = new Map();
  for (const { labels } of (await metric.get()).values) {
    for (const [name, value] of Object.entries(labels)) found.set(name, (found.get(name) ?? new Set()).add(value));
  }
  found.delete('le');
  return [...found].map(([name, values]) => `\`${name}\`: ${[...values].map(value => `\`${value}\``).join(', ')}`);
}

test('docs/observation.md has the generated table of all metric families', options, async () => {
  const register = new Registry();
  collectMetrics({ register });
  const rows = [
    ['`baileys_native_…`', 'type', 'labels', 'help'],
    ['---', '---', '---', '---']
  ];
  for (const metric of register.getMetricsAsArray()) {
    const name = metric.name.replace(/^baileys_native_/, '');
    rows.push([`\`${name}\``, metric.type, (await labelsOf(metric)).join('; '), metric.help]);
  }
  const markdown = rows.map(cells => `| ${cells.join(' | ')} |`).join('\n');
  const table = await format(markdown, { ...(await resolveConfig(DOCUMENT)), parser: 'markdown' });
  const text = readFileSync(DOCUMENT, 'utf8');
  const current = text.slice(text.indexOf('| `baileys_native_…`')).split('\n\n', 1)[0];
  if (process.env.UPDATE)
    writeFileSync(
      DOCUMENT,
      text.replace(current, () => table.trimEnd())
    );
  else assert.equal(current, table.trimEnd(), 'run `UPDATE=1 node scripts/test.mjs prometheus`');
});

test('every metric family has its own help text', () => {
  const register = new Registry();
  collectMetrics({ register });
  const helps = register.getMetricsAsArray().map(({ help }) => help);
  assert.equal(new Set(helps).size, helps.length);
  for (const help of helps) assert.doesNotMatch(help, /^Their|^The (same|queries)\b|\b(of them|then)\b/);
});

test('histogram buckets are cumulative, in seconds, and the last equals the count', options, async t => {
  const register = new Registry();
  collectMetrics({ register });
  const { session } = await openSession(t);
  for (let i = 0; i < 5; i++) await session.query(iq());
  const { samples } = await scrape(register);
  const name = 'baileys_native_query_latency_seconds';
  const buckets = [...samples].filter(([sample]) => sample.startsWith(`${name}_bucket`));
  assert.deepEqual(
    buckets.slice(0, 3).map(([sample]) => sample),
    [0.001, 0.002, 0.004].map(le => `${name}_bucket{le="${le}"}`)
  );
  assert.equal(buckets.length, 18);
  const counts = buckets.map(([, count]) => count);
  assert.ok(
    counts.every((count, i) => i === 0 || count >= counts[i - 1]),
    `${counts}`
  );
  assert.equal(counts.at(-1), samples.get(`${name}_count`));
});

test(
  'collectors work with OpenMetrics, the default registry, a repeated registration, and a reset',
  options,
  async t => {
    const register = new Registry(Registry.OPENMETRICS_CONTENT_TYPE);
    collectMetrics({ register });
    const text = await register.metrics();
    assert.match(text, /# TYPE baileys_native_logins counter\nbaileys_native_logins_total \d+\n/);
    assert.throws(() => collectMetrics({ register }), /already been registered/);

    const { collectMetrics: required } = createRequire(import.meta.url)('baileys-native/prometheus');
    t.after(() => defaultRegister.clear());
    required();
    const { samples } = await scrape(defaultRegister);
    defaultRegister.resetMetrics();
    const { samples: after } = await scrape(defaultRegister);
    const bytes = 'baileys_native_transport_bytes_total{direction="in"}';
    assert.ok(after.get(bytes) >= samples.get(bytes) && samples.get(bytes) > 0);
  }
);
