/**
 * Runs the JavaScript tests: all, or those with one of the arguments in their path. If all were run, their results must
 * agree with docs/compatibility.md.
 *
 * `node --test` accepts folders on Node 20 and patterns on later versions. A list of files works on all.
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { ROOT } from './shared/root.mjs';

const FOLDERS = ['__test__/addon', '__test__/compat', '__test__/lifecycle'];

/** The file for the results of behaviours that the tests record. */
const RECORD = `${ROOT}target/compat.jsonl`;

/** The file for the failures. */
const FAILURES = `${ROOT}target/failures.txt`;

/** Time limit of one file, in milliseconds. It is much longer than a file takes on an idle machine. */
const TIMEOUT = process.env.COMPAT_COUNTS === 'full' ? 1_200_000 : 600_000;

const wanted = process.argv.slice(2);
const files = FOLDERS.filter(folder => existsSync(`${ROOT}${folder}`))
  .flatMap(folder => readdirSync(`${ROOT}${folder}`).map(name => `${folder}/${name}`))
  .filter(file => file.endsWith('.test.mjs'))
  .filter(file => wanted.length === 0 || wanted.some(part => file.includes(part)));

if (files.length === 0) {
  console.error(`No test file matches ${wanted.join(' ')}.`);
  process.exitCode = 1;
} else {
  const reporters = { spec: 'stdout', './scripts/failures-reporter.mjs': FAILURES };
  const flags = [
    '--test',
    ...Object.entries(reporters).flatMap(([to, where]) => [
      `--test-reporter=${to}`,
      `--test-reporter-destination=${where}`
    ]),
    '--test-concurrency=2',
    `--test-timeout=${TIMEOUT}`
  ];
  const env = { ...process.env };
  mkdirSync(`${ROOT}target`, { recursive: true });
  if (wanted.length === 0) {
    rmSync(RECORD, { force: true });
    env.COMPAT_RECORD = RECORD;
  }
  const child = spawn(process.execPath, [...flags, ...files], { cwd: ROOT, stdio: 'inherit', env });
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 1;
    if (wanted.length > 0 || process.exitCode !== 0) return;
    const { status } = spawnSync(process.execPath, ['scripts/compat.mjs', '--results', RECORD], {
      cwd: ROOT,
      stdio: 'inherit'
    });
    process.exitCode = status ?? 1;
  });
}
