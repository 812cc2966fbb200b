// `npm run test:cluster`: runs the cluster of examples/cluster under load, while its nodes are killed, frozen and
// restarted.
//
//   node scripts/test-cluster.mjs [--seconds 120] [--sessions 60] [--nodes 3] [--per-second 40] [--lease 3000]
//     [--ownership redis|postgres] [--seed 1] [--no-faults] [--json FILE] [--verbose]
//
// The exit code is 1 if a promise of docs/scale.md did not hold.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runCluster } from './cluster/run.mjs';
import { table, verify } from './cluster/verify.mjs';
import { positiveNumber, wholeNumber } from './shared/options.mjs';

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

const { ownership } = values;
if (ownership !== 'redis' && ownership !== 'postgres') throw new TypeError('--ownership takes redis or postgres');

const report = await runCluster({
  seconds: positiveNumber(values, 'seconds'),
  sessions: wholeNumber(values, 'sessions', 1),
  nodes: wholeNumber(values, 'nodes', 1),
  perSecond: positiveNumber(values, 'per-second'),
  leaseMs: wholeNumber(values, 'lease', 1),
  connectsPerSecond: positiveNumber(values, 'connects-per-second'),
  ownership,
  seed: wholeNumber(values, 'seed', 0),
  faults: values['no-faults'] ? [] : ['kill', 'freeze', 'restart'],
  log: line => (values.verbose || /^\d+ sessions|^(kill|freeze|restart) /.test(line)) && console.log(line)
});
const result = verify(report);
console.log(table(result));
if (typeof values.json === 'string') writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`);
process.exitCode = result.violations.length > 0 ? 1 : 0;
