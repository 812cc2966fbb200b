// Two unmodified Baileys clients of each release line write to each other through the mock server, on all pairs of
// layers. `npm run compat` and `npm run compat:e2e` do the same with larger numbers.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runPair } from '../../scripts/e2e/run.mjs';
import { compareStanzas } from '../../scripts/e2e/stanzas.mjs';
import { compare, problems } from '../../scripts/e2e/verify.mjs';
import { LINE_NAMES, packageOf } from '../support/baileys-lines.mjs';
import { record } from '../support/record.mjs';

const FULL = process.env.COMPAT_COUNTS === 'full';
const COUNTS = FULL ? { texts: 500, group: 100, away: 50 } : { texts: 40, group: 20, away: 10 };
const EXCEPT = 'except messages in flight at a cut';

/** The results of a run by behaviour, as texts. They are the same in every correct run. */
function behavioursOf({ flows, logins, undecrypted, inFlight, stanzas, behaviours }, mayLoseInFlight) {
  const rows = {};
  for (const { phase, from, sent, lost, inOrder } of flows) {
    const name = phase === 'away' ? 'away: texts through the offline queue' : `${phase} from ${from}`;
    const isLenient = mayLoseInFlight && phase === 'texts';
    const missing = lost.filter(item => !isLenient || !inFlight.includes(item));
    const words = `${sent - missing.length} of ${sent}, ${inOrder ? 'in order' : 'OUT OF ORDER'}`;
    rows[name] = isLenient ? `${words}, ${EXCEPT}` : words;
  }
  const isRead = flows.every(({ read, received }) => read === received);
  const silent = flows.flatMap(({ undelivered }) => undelivered);
  const isSaid = silent.every(item => mayLoseInFlight && inFlight.includes(item));
  rows['delivery receipts and read receipts'] =
    isRead && isSaid ? `all${mayLoseInFlight ? `, ${EXCEPT}` : ''}` : 'NOT ALL';
  rows['decrypted, except messages in flight at a cut'] = undecrypted <= inFlight.length ? 'all' : 'NOT ALL';
  rows['the connection of b is cut twice, and b logs in with saved credentials'] = `${logins.a} and ${logins.b} logins`;
  const faults = Object.values(stanzas).flatMap(({ lost, unexpected }) => [...lost, ...unexpected]);
  const connections = stanzas.a.connections + stanzas.b.connections;
  rows['stanzas of all connections: delivered once, in the order in which they were sent'] =
    faults.length === 0 ? `all of ${connections} connections` : `NOT ${faults.length}`;
  return { ...rows, ...behaviours };
}

/** Records the results of a run for docs/compatibility.md, compared with those of the run on JavaScript. */
function recordBehaviours(line, javascript, native) {
  for (const [behaviour, words] of Object.entries(javascript)) {
    const same = native[behaviour] === words ? 'same' : 'DIFFERS';
    record({ section: 'clients', behaviour, line, javascript: words, native: same });
  }
}

/** Tests two clients of a release line on JavaScript, then on every pair with the native layer. */
const clientsOf = line =>
  describe(`two clients of line ${line}`, { concurrency: 1 }, () => {
    const leniency = { mayLoseInFlight: line !== '7' };
    const run = backends => runPair({ packageName: packageOf(line), backends, counts: COUNTS });
    let baseline;

    test("with Baileys' own JavaScript every message is decrypted, in order, with its receipts", async () => {
      baseline = await run({ a: 'js', b: 'js' });
      assert.deepEqual(problems(baseline, leniency), []);
      const { texts, group, away } = COUNTS;
      assert.deepEqual(
        baseline.flows.map(({ phase, from, sent }) => `${sent} ${phase} from ${from}`),
        [
          `${texts} texts from a`,
          `${texts} texts from b`,
          `${group / 2} group from a`,
          `${group / 2} group from b`,
          `${away} away from a`
        ]
      );
      assert.ok(baseline.inFlight.length > 0, 'no message was in flight when the connection was cut');
      assert.ok(baseline.stanzas.a.sent > texts && baseline.stanzas.b.sent > texts, 'no stanzas were compared');
    });

    for (const backends of [
      { a: 'native', b: 'js' },
      { a: 'js', b: 'native' }
    ]) {
      test(`${backends.a} with ${backends.b}: same results as with Baileys' own JavaScript`, async () => {
        const result = await run(backends);
        const [javascript, native] = [baseline, result].map(each => behavioursOf(each, leniency.mayLoseInFlight));
        recordBehaviours(line, javascript, native);
        assert.deepEqual([...problems(result, leniency), ...compare(baseline, result, leniency)], []);
        assert.deepEqual(native, javascript);
        assert.deepEqual(new Set(result.layers.a), new Set([backends.a]));
        assert.deepEqual(new Set(result.layers.b), new Set([backends.b]));
      });
    }
  });

// Concurrently, because a run mostly waits for events that Baileys delays.
describe('two clients', { concurrency: true }, () => LINE_NAMES.forEach(clientsOf));

describe('problems that the check of a run reports', () => {
  const flow = {
    phase: 'texts',
    from: 'a',
    sent: 3,
    received: 3,
    lost: [],
    duplicated: [],
    inOrder: true,
    delivered: 3,
    read: 3,
    undelivered: []
  };
  const stanzas = { connections: 2, sent: 10, lost: [], unexpected: [] };
  const good = {
    backends: { a: 'js', b: 'native' },
    flows: [flow],
    histories: { 'texts:a:2': 'in message, out message' },
    inFlight: ['texts:a:1'],
    resent: [],
    stanzas: { a: stanzas, b: stanzas },
    behaviours: { media: 'refused' },
    undecrypted: 1,
    retries: 1,
    logins: { a: 1, b: 4 },
    layers: { a: ['js'], b: ['native'] },
    ms: 1
  };
  const withFlow = change => ({ ...good, flows: [{ ...flow, ...change }] });

  test('a correct run has no problems, also if in-flight messages are repeated', () => {
    assert.deepEqual(problems(good), []);
    assert.deepEqual(problems(withFlow({ duplicated: ['texts:a:1'] })), []);
  });

  test('every kind of damage is reported', () => {
    const bad = [
      withFlow({ lost: ['texts:a:2'] }),
      withFlow({ duplicated: ['texts:a:2'] }),
      withFlow({ inOrder: false }),
      withFlow({ undelivered: ['texts:a:2'] }),
      withFlow({ read: 2 }),
      { ...good, undecrypted: 2 },
      { ...good, retries: 2 },
      { ...good, logins: { a: 1, b: 3 } },
      { ...good, layers: { a: ['js'], b: ['native', 'js'] } },
      { ...good, stanzas: { a: stanzas, b: { ...stanzas, lost: ['ack 1'] } } },
      { ...good, stanzas: { a: { ...stanzas, unexpected: ['ack 1'] }, b: stanzas } }
    ];
    for (const result of bad) assert.equal(problems(result).length, 1, JSON.stringify(result));
    assert.deepEqual(problems(bad[0]), ['js with native: texts from a: lost texts:a:2 (in message, out message)']);
    assert.equal(compare(good, bad[0]).length, 1);
    assert.equal(compare(good, { ...good, behaviours: { media: 'granted' } }).length, 1);
    assert.deepEqual(compare(good, good), []);
  });

  test('only in-flight messages of a cut connection may be lost, and only with releases in which Baileys loses them', () => {
    const lost = withFlow({ lost: ['texts:a:1'], undelivered: ['texts:a:1'] });
    assert.equal(problems(lost).length, 2);
    assert.equal(compare(good, lost).length, 1);
    assert.deepEqual(problems(lost, { mayLoseInFlight: true }), []);
    assert.deepEqual(compare(good, lost, { mayLoseInFlight: true }), []);
    assert.equal(problems(withFlow({ lost: ['texts:a:2'] }), { mayLoseInFlight: true }).length, 1);
  });

  test('stanzas are delivered once, in order, and none is missing', () => {
    const sent = ['a', 'b', 'c', 'b'];
    assert.deepEqual(compareStanzas(sent, sent, 4), { lost: [], unexpected: [] });
    assert.deepEqual(compareStanzas(sent, ['a', 'b'], 0), { lost: [], unexpected: [] });
    assert.deepEqual(compareStanzas(sent, ['a', 'b', 'c'], 2), { lost: [], unexpected: [] });
    assert.deepEqual(compareStanzas(sent, ['a', 'b'], 4), { lost: ['c', 'b'], unexpected: [] });
    assert.deepEqual(compareStanzas(sent, ['a', 'c'], 0), { lost: ['b'], unexpected: [] });
    assert.deepEqual(compareStanzas(sent, ['a', 'a', 'b', 'x'], 0), { lost: [], unexpected: ['a', 'x'] });
    assert.deepEqual(compareStanzas(['a', 'c'], ['c', 'a'], 0), { lost: ['a'], unexpected: ['a'] });
  });
});
