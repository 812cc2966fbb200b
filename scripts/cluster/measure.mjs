// Measures the figures for docs/scale.md: clusters of several sizes without faults, and a cut of all connections with
// and without a limit of connections per second. Fits a model to the figures and applies it to 100,000 sessions on 20
// machines.
//
//   node scripts/cluster/measure.mjs [--seconds 30] [--sizes 50,100,200] [--rates 10,40] [--json FILE]

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { median } from '../shared/statistics.mjs';
import { runCluster } from './run.mjs';
import { usage } from './verify.mjs';

const NODES = 3;
const LEASE_MS = 10_000;
const text = /** @type {const} */ ({ type: 'string' });
const { values } = parseArgs({
  options: {
    seconds: { ...text, default: '30' },
    sizes: { ...text, default: '50,100,200' },
    rates: { ...text, default: '10,40' },
    json: text
  }
});
/** @param {string | undefined} list */
const numbers = list => String(list).split(',').map(Number);
const common = {
  seconds: Number(values.seconds),
  nodes: NODES,
  leaseMs: LEASE_MS,
  faults: /** @type {never[]} */ ([]),
  ownership: /** @type {const} */ ('redis'),
  log: () => {}
};
/** @param {number[]} list */
const sum = list => list.reduce((/** @type {number} */ total, /** @type {number} */ value) => total + value, 0);

/**
 * Fits a linear model by least squares (normal equations).
 *
 * @param {number[][]} rows
 * @param {number[]} results
 */
function fit(rows, results) {
  const size = rows[0].length;
  const matrix = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (_, j) => sum(rows.map((/** @type {number[]} */ row) => row[i] * row[j]))),
    sum(rows.map((/** @type {number[]} */ row, /** @type {number} */ k) => row[i] * results[k]))
  ]);
  for (let i = 0; i < size; i++) {
    const pivot = matrix.slice(i).reduce((best, row) => (Math.abs(row[i]) > Math.abs(best[i]) ? row : best));
    matrix.splice(matrix.indexOf(pivot), 1, matrix[i]);
    matrix[i] = pivot;
    for (let k = 0; k < size; k++) {
      if (k === i) continue;
      const factor = matrix[k][i] / pivot[i];
      for (let j = i; j <= size; j++) matrix[k][j] -= factor * pivot[j];
    }
  }
  return matrix.map((row, i) => row[size] / row[i]);
}

/**
 * Measures the resources of a cluster of three nodes with one size and rate.
 *
 * @param {number} sessions
 * @param {number} perSecond
 */
async function steady(sessions, perSecond) {
  const report = await runCluster({ ...common, sessions, perSecond, connectsPerSecond: 100, warmUp: true });
  const { nodes, redis, seconds } = usage(report.figures);
  const used = nodes.filter((/** @type {any} */ node) => node !== undefined);
  const row = {
    sessions,
    textsPerSecond: report.accepted.length / seconds,
    nodeCpuPercent: sum(used.map((/** @type {any} */ node) => node.cpuPercent)),
    nodeMemoryMB: sum(used.map((/** @type {any} */ node) => node.rssMB)),
    redisCpuPercent: redis.cpuPercent,
    redisCommandsPerSecond: redis.commandsPerSecond,
    redisMemoryMB: redis.memoryMB
  };
  console.log(
    `${sessions} sessions, ${row.textsPerSecond.toFixed(0)} texts a second: nodes ${row.nodeCpuPercent.toFixed(0)} % CPU, ` +
      `${row.nodeMemoryMB.toFixed(0)} MB; Redis ${row.redisCpuPercent.toFixed(1)} % CPU, ${row.redisCommandsPerSecond.toFixed(0)} commands a second, ${row.redisMemoryMB.toFixed(1)} MB`
  );
  return row;
}

/**
 * Cuts all connections at once. Measures the most logins in a tenth of a second, and the time of the last login.
 *
 * @param {number} sessions
 * @param {number} connectsPerSecond
 */
async function cut(sessions, connectsPerSecond) {
  const report = await runCluster({ ...common, seconds: 1, sessions, perSecond: 1, connectsPerSecond, cut: true });
  const times = report.cutLogins;
  const busiest = Math.max(...times.map(time => times.filter(other => other >= time && other < time + 100).length));
  const row = {
    sessions,
    connectsPerSecond,
    busiestTenth: busiest,
    medianMs: median(times),
    lastMs: Math.max(...times)
  };
  console.log(
    `cut, at most ${connectsPerSecond} connections a second: ${busiest} logins in the busiest tenth of a second, half of them after ${(row.medianMs / 1000).toFixed(1)} s, the last after ${(row.lastMs / 1000).toFixed(1)} s`
  );
  return row;
}

/**
 * Like {@link fit}, without negative parts: costs are never negative. A part that would be negative is too small to be
 * measured; it becomes 0.
 *
 * @param {number[][]} rows
 * @param {number[]} results
 */
function fitCosts(rows, results) {
  const parts = rows[0].map(() => 0);
  let used = [...parts.keys()];
  while (used.length > 0) {
    const fitted = fit(
      rows.map(row => used.map(part => row[part])),
      results
    );
    const least = Math.min(...fitted);
    if (least >= 0) {
      used.forEach((part, i) => (parts[part] = fitted[i]));
      break;
    }
    used = used.filter((_, i) => fitted[i] !== least);
  }
  return parts;
}

/** @type {Awaited<ReturnType<typeof steady>>[]} */
const rows = [];
for (const sessions of numbers(values.sizes))
  for (const rate of numbers(values.rates)) rows.push(await steady(sessions, rate));
const size = Math.max(...numbers(values.sizes));
const cuts = [await cut(size, 100_000), await cut(size, 50)];

const inputs = rows.map(({ sessions, textsPerSecond }) => [1, sessions, textsPerSecond]);
/** Each quantity is the sum of a constant, an amount for each session, and an amount for each text a second. */
const model = Object.fromEntries(
  /** @type {const} */ ([
    'nodeCpuPercent',
    'nodeMemoryMB',
    'redisCpuPercent',
    'redisCommandsPerSecond',
    'redisMemoryMB'
  ]).map(name => [
    name,
    fitCosts(
      inputs,
      rows.map(row => row[name])
    )
  ])
);
console.log(`\nmodel: constant for ${NODES} nodes, for each session, for each text per second`);
for (const [name, parts] of Object.entries(model))
  console.log(`${name.padEnd(24)}${parts.map(part => part.toPrecision(3).padStart(12)).join('')}`);

/** The cluster that the model is applied to. Each session sends a text every 100 s. */
const LARGE = { machines: 20, nodes: 40, sessions: 100_000, textsPerSecond: 1_000 };

/**
 * A quantity of the large cluster. The constant of the nodes is multiplied by their number, that of Redis is not.
 *
 * @param {string} name
 */
function large(name) {
  const [constant, perSession, perText] = model[name];
  const times = name.startsWith('node') ? LARGE.nodes / NODES : 1;
  return constant * times + perSession * LARGE.sessions + perText * LARGE.textsPerSecond;
}

const projected = {
  ...LARGE,
  cpuPercentOfMachine: large('nodeCpuPercent') / LARGE.machines,
  memoryMBOfMachine: large('nodeMemoryMB') / LARGE.machines,
  redisCpuPercent: large('redisCpuPercent'),
  redisCommandsPerSecond: large('redisCommandsPerSecond'),
  redisMemoryMB: large('redisMemoryMB')
};
console.log(
  `\n${LARGE.sessions.toLocaleString('en')} sessions on ${LARGE.machines} machines, ${LARGE.textsPerSecond} texts a second, by the model:\n` +
    `a machine: ${LARGE.sessions / LARGE.machines} connections, ${projected.cpuPercentOfMachine.toFixed(0)} % of a core, ` +
    `${(projected.memoryMBOfMachine / 1024).toFixed(1)} GB; Redis: ${projected.redisCpuPercent.toFixed(0)} % of a core, ` +
    `${projected.redisCommandsPerSecond.toFixed(0)} commands a second, ${(projected.redisMemoryMB / 1024).toFixed(1)} GB`
);
if (typeof values.json === 'string')
  writeFileSync(values.json, `${JSON.stringify({ rows, cuts, model, projected }, undefined, 2)}\n`);
