// Two unmodified Baileys clients write to each other through the mock server, each on its own socket layer.
// `npm run compat:e2e` does the same with larger numbers.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { compare, problems } from '../../scripts/e2e/judge.mjs';
import { runPair } from '../../scripts/e2e/run.mjs';
import { packageOf } from '../support/baileys-lines.mjs';
import { record } from '../support/record.mjs';

const COUNTS = { texts: 60, group: 20, away: 10 };
const TIMEOUT_MS = 60_000;

const run = backends => runPair({ backends, counts: COUNTS, timeoutMs: TIMEOUT_MS });

/** What happened in a run, by behaviour: in words that are the same in every run that is as good. */
function behaviours({ flows, logins, undecrypted, inFlight }) {
  const rows = {};
  for (const { phase, from, sent, received, inOrder } of flows.filter(({ sent }) => sent > 0)) {
    const name = phase === 'away' ? 'away: texts through the offline queue' : `${phase} from ${from}`;
    rows[name] = `${received} of ${sent}, ${inOrder ? 'in order' : 'OUT OF ORDER'}`;
  }
  const hasAll = flows.every(flow => flow.delivered === flow.sent && flow.read === flow.received);
  rows['receipts of delivery and of reading'] = hasAll ? 'all' : 'NOT ALL';
  rows['decrypted, but for what was on its way at a cut'] = undecrypted <= inFlight.length ? 'all' : 'NOT ALL';
  if (logins.b > 1) rows['the connection of one is cut, saved credentials'] = `${logins.a} and ${logins.b} logins`;
  return rows;
}

/** Keeps what a run was like, beside the one on JavaScript, for docs/compatibility.md. */
function keep(line, baseline, result) {
  const [javascript, native] = [behaviours(baseline), behaviours(result)];
  for (const [behaviour, words] of Object.entries(javascript)) {
    const same = native[behaviour] === words ? 'same' : 'DIFFERS';
    record({ section: 'clients', behaviour, line, javascript: words, native: same });
  }
}

describe('two clients', { timeout: 4 * TIMEOUT_MS }, () => {
  let baseline;
  before(async () => {
    baseline = await run({ a: 'js', b: 'js' });
  });

  test('on JavaScript: everything is decrypted, in order, with its receipts', () => {
    assert.deepEqual(problems(baseline), []);
    assert.deepEqual(
      baseline.flows.map(({ phase, from, received }) => `${received} ${phase} from ${from}`),
      ['60 texts from a', '60 texts from b', '10 group from a', '10 group from b', '10 away from a']
    );
    assert.ok(baseline.inFlight.length > 0, 'the connection was cut with messages on their way');
  });

  for (const backends of [
    { a: 'native', b: 'js' },
    { a: 'js', b: 'native' }
  ]) {
    test(`${backends.a} with ${backends.b}: the same`, async () => {
      const result = await run(backends);
      keep('7', baseline, result);
      assert.deepEqual([...problems(result), ...compare(baseline, result)], []);
      assert.deepEqual(new Set(result.layers.a), new Set([backends.a]));
      assert.deepEqual(new Set(result.layers.b), new Set([backends.b]));
    });
  }
});

// Of 6.x no connection ends in between: on its JavaScript it then hands out, repeats and rejects at random.
for (const line of ['6.7', '6.17']) {
  test(`two clients of line ${line}: natively as on JavaScript`, { timeout: 4 * TIMEOUT_MS }, async () => {
    const options = { line: packageOf(line), counts: { ...COUNTS, away: 0, cuts: false }, timeoutMs: TIMEOUT_MS };
    const baseline = await runPair({ ...options, backends: { a: 'js', b: 'js' } });
    for (const backends of [
      { a: 'native', b: 'js' },
      { a: 'js', b: 'native' }
    ]) {
      const result = await runPair({ ...options, backends });
      keep(line, baseline, result);
      assert.deepEqual(behaviours(result), behaviours(baseline));
      assert.deepEqual(
        result.flows.filter(flow => flow.received !== flow.sent),
        []
      );
      assert.deepEqual(new Set(result.layers.a), new Set([backends.a]));
      assert.deepEqual(new Set(result.layers.b), new Set([backends.b]));
    }
  });
}

describe('what counts as wrong', () => {
  const flow = {
    phase: 'texts',
    from: 'a',
    sent: 3,
    received: 3,
    lost: [],
    duplicated: [],
    inOrder: true,
    delivered: 3,
    read: 3
  };
  const good = {
    backends: { a: 'js', b: 'native' },
    flows: [flow],
    inFlight: ['texts:a:1'],
    resent: [],
    undecrypted: 1,
    retries: 1,
    logins: { a: 1, b: 4 },
    layers: { a: ['js'], b: ['native'] },
    ms: 1
  };
  const withFlow = change => ({ ...good, flows: [{ ...flow, ...change }] });

  test('a good run has no problems, and one that repeats what was in flight neither', () => {
    assert.deepEqual(problems(good), []);
    assert.deepEqual(problems(withFlow({ duplicated: ['texts:a:1'] })), []);
  });

  test('every kind of damage is told', () => {
    const bad = [
      withFlow({ lost: ['texts:a:2'] }),
      withFlow({ duplicated: ['texts:a:2'] }),
      withFlow({ inOrder: false }),
      withFlow({ delivered: 2 }),
      withFlow({ read: 2 }),
      { ...good, undecrypted: 2 },
      { ...good, retries: 2 },
      { ...good, logins: { a: 1, b: 3 } },
      { ...good, layers: { a: ['js'], b: ['native', 'js'] } }
    ];
    for (const result of bad) assert.equal(problems(result).length, 1, JSON.stringify(result));
    assert.equal(compare(good, bad[0]).length, 1);
    assert.deepEqual(compare(good, good), []);
  });
});
