// `npm run demo`: runs one scenario on Baileys' own socket layer and on the native one, measures both and compares
// them.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BufferJSON, initAuthCreds } from 'baileys';
import { RANDOM_FIELDS, excerpts, firstDifference } from './demo/log.mjs';
import { LABELS, explanations, figures, ratios, summary, table } from './demo/report.mjs';
import { runOnce } from './demo/run.mjs';
import { sessionDemo } from './demo/session.mjs';
import { stallDemo } from './demo/stall.mjs';
import { LOGINS, MIX, REPETITIONS, SEND_BATCH } from './demo/traffic.mjs';
import { wholeNumber } from './shared/options.mjs';

const USAGE = `Usage: npm run demo -- [options]

  --stanzas N   stanzas to receive (20000)
  --sends N     stanzas to send (10000)
  --pings N     round trips (500)
  --rounds N    runs of each backend; figures are medians (3)
  --json        print the result as JSON, progress goes to stderr

Or: npm run demo -- session [--help], a NativeSession from pairing to resumption;
    npm run demo -- stall [--help], Baileys with a blocked event loop.
`;

/**
 * @typedef {import('./shared/bot.mjs').Backend} Backend
 * @typedef {import('./demo/types.js').LogName} LogName
 * @typedef {import('./demo/types.js').DemoRun & { backend: Backend }} LabelledRun
 * @typedef {{ counts: import('./demo/types.js').TrafficCounts, rounds: number, json: boolean, help: boolean }} DemoOptions
 * @typedef {{ backend: Backend, log: LogName } & import('./demo/types.js').FirstDifference} LogDifference
 * @typedef {{ identical: true, lines: Record<LogName, number> } | { identical: false, difference: LogDifference }}
 *   Comparison
 */

/** @type {LogName[]} */
const LOGS = ['connection', 'inbound', 'outbound'];
const RUN_TIMEOUT_MS = 600_000;

/** @param {string[]} args */
function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      stanzas: { type: 'string', default: '20000' },
      sends: { type: 'string', default: '10000' },
      pings: { type: 'string', default: '500' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false }
    }
  });
  const counts = {
    stanzas: wholeNumber(values, 'stanzas', 2),
    sends: wholeNumber(values, 'sends', 1),
    pings: wholeNumber(values, 'pings', 1)
  };
  return { counts, rounds: wholeNumber(values, 'rounds', 1), json: values.json, help: values.help };
}

/** @param {unknown} error */
const messageOf = error => (error instanceof Error ? error.message : String(error));

function baileysVersion() {
  const manifest = join(createRequire(import.meta.url).resolve('baileys'), '../../package.json');
  return JSON.parse(readFileSync(manifest, 'utf8')).version;
}

/**
 * Credentials of a new device, as JSON. All runs use the same ones. The history is marked as synced, so that no run
 * waits for it.
 */
function newDevice() {
  return JSON.stringify({ ...initAuthCreds(), accountSyncCounter: 1 }, BufferJSON.replacer);
}

/**
 * The order of the runs: JavaScript and native alternate. The first one alternates from round to round.
 *
 * @param {number} rounds
 * @returns {Backend[]}
 */
function orderOfRuns(rounds) {
  /** @type {Backend[][]} */
  const order = Array.from({ length: rounds }, (_, round) => (round % 2 === 0 ? ['js', 'native'] : ['native', 'js']));
  return order.flat();
}

/** @param {import('./demo/types.js').Step} step */
function progressLine({ name, ms }) {
  const time = ms === undefined ? '' : `${Math.round(ms).toLocaleString('en-US')} ms`;
  return `  ${name.padEnd(30)}${time.padStart(9)}`.trimEnd();
}

/**
 * @param {DemoOptions} options
 * @param {string} directory
 * @param {(line: string) => void} print
 */
async function runAll({ counts, rounds }, directory, print) {
  const creds = newDevice();
  /** @type {LabelledRun[]} */
  const runs = [];
  for (const backend of orderOfRuns(rounds)) {
    print(`\n${LABELS[backend]}${rounds > 1 ? `, run ${Math.floor(runs.length / 2) + 1} of ${rounds}` : ''}`);
    /** @param {import('./demo/types.js').Step} step */
    const onProgress = step => print(progressLine(step));
    const options = { backend, counts, creds, directory: join(directory, String(runs.length)), onProgress };
    try {
      runs.push({ backend, ...(await runOnce({ ...options, timeoutMs: RUN_TIMEOUT_MS })) });
    } catch (error) {
      throw new Error(`${LABELS[backend]}: ${messageOf(error)}`, { cause: error });
    }
  }
  return runs;
}

/**
 * Compares the logs of every run with those of the first JavaScript run.
 *
 * @param {LabelledRun[]} runs
 * @returns {Comparison}
 */
function compareLogs(runs) {
  const reference = /** @type {LabelledRun} */ (runs.find(({ backend }) => backend === 'js'));
  for (const run of runs) {
    for (const log of LOGS) {
      const found = firstDifference(reference.logs[log], run.logs[log]);
      if (found) return { identical: false, difference: { backend: run.backend, log, ...found } };
    }
  }
  return { identical: true, lines: countLines(reference.logs) };
}

/**
 * @param {import('./demo/types.js').Logs} logs
 * @returns {Record<LogName, number>}
 */
function countLines({ connection, inbound, outbound }) {
  return { connection: connection.length, inbound: inbound.length, outbound: outbound.length };
}

/** @param {Comparison} comparison */
function logReport(comparison) {
  if (comparison.identical) {
    const counts = LOGS.map(log => `${comparison.lines[log].toLocaleString('en-US')} ${log}`).join(', ');
    return [
      `Logs identical, entry by entry: ${counts}.`,
      `Random fields left out: ${Object.keys(RANDOM_FIELDS).join(', ')}.`
    ];
  }
  const { backend, log, line, expected, actual } = comparison.difference;
  const [before, after] = excerpts(expected ?? '(ends here)', actual ?? '(ends here)');
  return [
    `Logs differ. First difference: ${log} log, entry ${line}.`,
    `  ${'first run on JavaScript'.padEnd(25)}${before}`,
    `  ${(backend === 'js' ? 'later run on JavaScript' : LABELS[backend]).padEnd(25)}${after}`
  ];
}

/** @param {DemoOptions} options */
function methodReport({ counts, rounds }) {
  /** @param {number} value */
  const number = value => value.toLocaleString('en-US');
  return [
    `Medians of ${rounds === 1 ? 'one run' : `${rounds} runs`} each, with ${LOGINS} logins and ${REPETITIONS} repetitions of the traffic. ${MIX}`,
    `Out: ${SEND_BATCH} messages at a time. During a measurement the server sends frames that it has encrypted in advance, and only counts the bytes that it reads.`,
    `Before the measurements, the same traffic was sent once in both directions (${number(counts.pings)} pings, ${number(counts.stanzas)} in, ${number(counts.sends)} out) and logged. These logs are compared.`,
    'A ratio above 1: native is better.'
  ];
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  /** @param {string} line */
  const print = line => (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  const versions = { baileys: baileysVersion(), node: process.versions.node };
  print(
    `Baileys ${versions.baileys}, unmodified, on Node ${versions.node}, ${availableParallelism()} CPUs; server on loopback, TLS.`
  );

  const directory = mkdtempSync(join(tmpdir(), 'baileys-native-demo-'));
  try {
    const runs = await runAll(options, directory, print);
    /** @param {Backend} backend */
    const of = backend =>
      runs.filter(run => run.backend === backend).map(({ measured }) => figures(measured, options.counts));
    const [js, native] = [summary(of('js')), summary(of('native'))];
    const logs = compareLogs(runs);
    if (options.json) {
      const { counts, rounds } = options;
      const result = { versions, counts, rounds, js, native, ratios: ratios(js, native), logs };
      process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    } else {
      const reasons = explanations(js, native);
      if (reasons.length > 0) reasons.unshift('Rows in which JavaScript is better:');
      const parts = [table(js, native), reasons, methodReport(options), logReport(logs)];
      print(parts.flatMap(lines => (lines.length > 0 ? ['', ...lines] : [])).join('\n'));
    }
    if (!logs.identical) process.exitCode = 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

try {
  const [first, ...rest] = process.argv.slice(2);
  if (first === 'session') await sessionDemo(rest);
  else if (first === 'stall') await stallDemo(rest);
  else await main();
} catch (error) {
  console.error(`\nThe demo failed. ${messageOf(error)}`);
  process.exitCode = 1;
}
