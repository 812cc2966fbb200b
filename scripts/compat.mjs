/**
 * Measures every behaviour of the compatibility suite on every release line of Baileys and both layers, and writes
 * docs/compatibility.md.
 *
 * `--check` runs no tests. It fails if the document lacks a required row, has a cell that was not measured or that
 * differs, or does not have the current texts of the registries. `--results FILE` reads the results of a test run and
 * fails if a native cell of the document is different.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { documentOf, faultsOf, rowsOf } from './compat/document.mjs';

const FILE = new URL('../docs/compatibility.md', import.meta.url);
const RECORD = fileURLToPath(new URL('../target/compat.jsonl', import.meta.url));
const TEST = fileURLToPath(new URL('test.mjs', import.meta.url));

/** Parts of the names of the test files that record results. */
const SUITES = [
  'websocket',
  'surface',
  'differential',
  'proxy',
  'agents',
  'register-loading',
  'lines.test',
  'two-clients',
  'declarations'
];

/**
 * @param {string} file
 * @returns {import('./compat/document.mjs').RecordedResult[]}
 */
const read = file =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line));

/** @param {string[]} faults */
function report(faults) {
  for (const fault of faults) console.error(`docs/compatibility.md: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}

function measure() {
  mkdirSync(new URL('../target', import.meta.url), { recursive: true });
  rmSync(RECORD, { force: true });
  const { status } = spawnSync(process.execPath, [TEST, ...SUITES], {
    stdio: 'inherit',
    env: { ...process.env, COMPAT_RECORD: RECORD, COMPAT_COUNTS: 'full' }
  });
  const text = documentOf(rowsOf(read(RECORD)));
  writeFileSync(FILE, text);
  report([...faultsOf(text), ...(status === 0 ? [] : ['tests failed'])]);
}

/**
 * The document may have been measured on another version of Node. So a registered difference of some versions counts as
 * the same.
 *
 * @param {string} file
 */
function compare(file) {
  const text = readFileSync(FILE, 'utf8');
  const results = read(file).map(result =>
    result.sinceNode !== undefined && result.native.startsWith('as registered') ? { ...result, native: 'same' } : result
  );
  const measured = documentOf(rowsOf(results)).split('\n');
  const written = new Set(text.split('\n').map(withoutJavaScript));
  const missing = measured.filter(line => line.startsWith('| ') && !written.has(withoutJavaScript(line)));
  report([...faultsOf(text), ...missing.map(line => `a result is different; run \`npm run compat\`: ${line}`)]);
}

/**
 * A row of results without the cells of Baileys' own layer: their texts may differ between versions of Node.
 *
 * @param {string} row
 */
function withoutJavaScript(row) {
  const cells = row.split(/(?<!\\)\|/);
  return cells.filter((_, at) => at < 2 || at % 2 === 1).join('|');
}

const { values } = parseArgs({ options: { check: { type: 'boolean' }, results: { type: 'string' } } });
if (values.results !== undefined) compare(values.results);
else if (values.check) report(faultsOf(readFileSync(FILE, 'utf8')));
else measure();
