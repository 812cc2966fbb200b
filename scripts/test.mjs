/**
 * Runs the JavaScript tests: all, or those with one of the arguments in their path. If all were run, their results must
 * agree with docs/compatibility.md, and the tests that scripts/runtimes/failures.json names must exist.
 *
 * `node --test` accepts folders on Node 20 and patterns on later versions. A list of files works on all.
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { ROOT } from './shared/root.mjs';

const FOLDERS = ['__test__/addon', '__test__/compat', '__test__/lifecycle'];

/** The file for the results of behaviours that the tests record. */
const RECORD = `${ROOT}target/compat.jsonl`;

/** The file for the failures. */
const FAILURES = `${ROOT}target/failures.txt`;

/** The file for the results of all tests; see results-reporter.mjs. */
const RESULTS = `${ROOT}target/results.jsonl`;

/**
 * The run is stopped if no test ends for this time, in milliseconds. There is no limit for a file or for the run, because
 * all tests are slow on a busy machine.
 */
const IDLE_LIMIT = process.env.COMPAT_COUNTS === 'full' ? 1_200_000 : 600_000;

/** @returns {import('./results-reporter.mjs').TestResult[]} The results until now. */
function results() {
  // The last line is not complete if the run was killed.
  const complete = readFileSync(RESULTS, 'utf8').split('\n').slice(0, -1);
  return complete.map(line => JSON.parse(line));
}

const wanted = process.argv.slice(2);
const files = FOLDERS.filter(folder => existsSync(`${ROOT}${folder}`))
  .flatMap(folder => readdirSync(`${ROOT}${folder}`).map(name => `${folder}/${name}`))
  .filter(file => file.endsWith('.test.mjs'))
  .filter(file => wanted.length === 0 || wanted.some(part => file.includes(part)));

if (files.length === 0) {
  console.error(`No test file matches ${wanted.join(' ')}.`);
  process.exitCode = 1;
} else {
  const reporters = { spec: 'stdout', './scripts/results-reporter.mjs': RESULTS };
  const flags = [
    '--test',
    ...Object.entries(reporters).flatMap(([to, where]) => [
      `--test-reporter=${to}`,
      `--test-reporter-destination=${where}`
    ]),
    '--test-concurrency=2'
  ];
  const env = { ...process.env };
  mkdirSync(`${ROOT}target`, { recursive: true });
  if (wanted.length === 0) {
    rmSync(RECORD, { force: true });
    env.COMPAT_RECORD = RECORD;
  }
  writeFileSync(RESULTS, '');
  const child = spawn(process.execPath, [...flags, ...files], { cwd: ROOT, stdio: 'inherit', env });
  let isIdle = false;
  const timer = setTimeout(() => {
    isIdle = true;
    const last = results().at(-1)?.title ?? 'the start';
    console.error(`No test has ended for ${IDLE_LIMIT / 1000} s after "${last}". The run is stopped.`);
    // As Ctrl-C: the runner ends its processes and reports the tests that have not ended.
    child.kill('SIGINT');
  }, IDLE_LIMIT);
  const watcher = watch(RESULTS, () => timer.refresh());
  child.on('exit', (code, signal) => {
    clearTimeout(timer);
    watcher.close();
    writeFileSync(
      FAILURES,
      results()
        .map(({ failure = '' }) => failure)
        .join('')
    );
    process.exitCode = signal === null && !isIdle ? (code ?? 1) : 1;
    if (wanted.length > 0 || process.exitCode !== 0) return;
    for (const args of [
      ['scripts/compat.mjs', '--results', RECORD],
      ['scripts/runtimes/titles.mjs', RESULTS]
    ]) {
      const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
      if (status !== 0) process.exitCode = status ?? 1;
    }
  });
}
