/**
 * Runs the JavaScript tests: all of them, or those whose path contains one of the arguments.
 *
 * `node --test` takes folders on Node 20 and patterns on later versions; a list of files works on all.
 */

import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['__test__/addon', '__test__/compat', '__test__/lifecycle'];

/** Bound of a single test, in milliseconds. */
const TIMEOUT = 300_000;

const wanted = process.argv.slice(2);
const files = FOLDERS.filter(folder => existsSync(`${ROOT}${folder}`))
  .flatMap(folder => readdirSync(`${ROOT}${folder}`).map(name => `${folder}/${name}`))
  .filter(file => file.endsWith('.test.mjs'))
  .filter(file => wanted.length === 0 || wanted.some(part => file.includes(part)));

if (files.length === 0) {
  console.error(`No test file matches ${wanted.join(' ')}.`);
  process.exitCode = 1;
} else {
  const flags = ['--test', '--test-reporter=spec', '--test-concurrency=2', `--test-timeout=${TIMEOUT}`];
  const child = spawn(process.execPath, [...flags, ...files], { cwd: ROOT, stdio: 'inherit' });
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 1;
  });
}
