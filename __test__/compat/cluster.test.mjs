// A short run of `npm run test:cluster` with each fault once. The limit for the time without a connection
// is longer here, because other tests keep the machine busy.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInstalled } from '../../examples/cluster/services.mjs';
import { runCluster } from '../../scripts/cluster/run.mjs';
import { verify } from '../../scripts/cluster/verify.mjs';

const TITLE = 'examples/cluster: nodes are killed, stopped and restarted, and nothing is lost';

/** Time limit for a reconnection on a busy machine, in milliseconds. */
const BUSY_MS = 60_000;

const short = /** @type {const} */ ({
  seconds: 1,
  sessions: 12,
  nodes: 3,
  perSecond: 10,
  leaseMs: 2_000,
  connectsPerSecond: 60,
  ownership: 'redis'
});

if (!isInstalled('redis-server')) {
  const skip = 'redis-server is not on PATH';
  test(`${TITLE} (skipped: ${skip})`, { skip }, () => {});
} else {
  test(TITLE, { timeout: 600_000 }, async t => {
    const lines = [];
    let isDone = false;
    t.after(() => isDone || t.diagnostic(lines.slice(-60).join('\n')));
    const faults = ['kill', 'freeze', 'restart'];
    const report = await runCluster({ ...short, faults, log: line => void lines.push(line) });
    const result = verify(report, BUSY_MS);
    assert.deepEqual(result.violations, []);
    assert.deepEqual(
      result.takeovers.map(({ fault, incidents }) => [fault, incidents]),
      faults.map(fault => [fault, 1])
    );
    assert.ok(result.takeovers.every(({ sessions }) => sessions > 0));
    assert.ok(result.texts.sent > 50, `${result.texts.sent} texts`);
    assert.ok(result.handshakes.known.IK > 0);
    isDone = true;
  });
}
