// A short run of `npm run test:cluster`: each fault once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInstalled } from '../../examples/cluster/services.mjs';
import { judge } from '../../scripts/cluster/judge.mjs';
import { runCluster } from '../../scripts/cluster/run.mjs';

const short = /** @type {const} */ ({
  sessions: 12,
  nodes: 3,
  perSecond: 20,
  leaseMs: 2_000,
  connectsPerSecond: 60,
  faults: ['kill', 'freeze', 'restart']
});

for (const [ownership, program] of /** @type {const} */ ([
  ['redis', 'redis-server'],
  ['postgres', 'postgres']
])) {
  const missing = ['redis-server', program].find(name => !isInstalled(name));
  const title = `examples/cluster with owners in ${ownership}: nodes are killed, frozen and restarted, and nothing is lost`;
  if (missing !== undefined) {
    test(`${title} (skipped: ${missing} is not on PATH)`, { skip: `${missing} is not on PATH` }, () => {});
    continue;
  }
  test(title, { timeout: 180_000 }, async t => {
    const lines = [];
    t.after(() => t.diagnostic(lines.slice(-40).join('\n')));
    const report = await runCluster({ ...short, ownership, seconds: 10, log: line => void lines.push(line) });
    const verdict = judge(report, 60_000);
    assert.deepEqual(verdict.broken, []);
    assert.deepEqual(new Set(verdict.takeovers.map(({ incidents }) => incidents > 0)), new Set([true]));
    assert.ok(verdict.texts.sent > 50, `${verdict.texts.sent} texts`);
    if (lines.length > 0) lines.length = 0;
  });
}
