// `npm run test:cluster`: the cluster of examples/cluster under load, while its nodes are killed, frozen and restarted.
//
//   node scripts/test-cluster.mjs [--seconds 120] [--sessions 60] [--nodes 3] [--per-second 40] [--lease 3000]
//     [--ownership redis|postgres] [--seed 1] [--no-faults] [--json FILE] [--verbose]
//
// Exit code 1 where something that docs/scale.md promises did not hold.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { judge, table } from './cluster/judge.mjs';
import { runCluster } from './cluster/run.mjs';

const text = /** @type {const} */ ({ type: 'string' });
const { values } = parseArgs({
  options: {
    seconds: { ...text, default: '120' },
    sessions: { ...text, default: '60' },
    nodes: { ...text, default: '3' },
    'per-second': { ...text, default: '40' },
    lease: { ...text, default: '3000' },
    'connects-per-second': { ...text, default: '60' },
    ownership: { ...text, default: 'redis' },
    seed: { ...text, default: '1' },
    json: text,
    'no-faults': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false }
  }
});

const report = await runCluster({
  seconds: Number(values.seconds),
  sessions: Number(values.sessions),
  nodes: Number(values.nodes),
  perSecond: Number(values['per-second']),
  leaseMs: Number(values.lease),
  connectsPerSecond: Number(values['connects-per-second']),
  ownership: values.ownership === 'postgres' ? 'postgres' : 'redis',
  seed: Number(values.seed),
  faults: values['no-faults'] ? [] : ['kill', 'freeze', 'restart'],
  log: line => (values.verbose || /^\d+ sessions|^(kill|freeze|restart) /.test(line)) && console.log(line)
});
const verdict = judge(report);
console.log(table(verdict));
if (typeof values.json === 'string') writeFileSync(values.json, `${JSON.stringify(verdict, undefined, 2)}\n`);
process.exitCode = verdict.broken.length > 0 ? 1 : 0;
