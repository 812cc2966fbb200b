/**
 * Checks failures.json and reasons.mjs against the tests: `node scripts/runtimes/titles.mjs <file>`. The file has the
 * results of all tests, which scripts/test.mjs writes. If a test file or a title no longer exists, it was renamed or
 * deleted: then run `npm run test:runtimes -- --record`.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../shared/root.mjs';
import { knownOf } from './known.mjs';
import { REASONS } from './reasons.mjs';
import { nameOf, suiteFiles } from './suite.mjs';

/** Deno's report joins the titles of a test and its parents by this text. */
const SEPARATOR = ' > ';

const lines = readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean);
/** @type {Set<string>} */
const titles = new Set(lines.map(line => JSON.parse(line).title));
const files = new Set(suiteFiles([]).map(nameOf));
/** @type {Record<string, Record<string, import('./known.mjs').KnownFailures>>} */
const failures = JSON.parse(readFileSync(join(ROOT, 'scripts/runtimes/failures.json'), 'utf8'));

/** @param {string} title */
const isTitle = title => titles.has(title) || title.split(SEPARATOR).every(part => titles.has(part));

const faults = [
  ...Object.entries(REASONS).flatMap(([runtime, reasons]) =>
    Object.keys(reasons)
      .filter(file => !files.has(file))
      .map(file => `reasons.mjs, ${runtime}: ${file}`)
  ),
  ...Object.entries(failures).flatMap(([runtime, known]) =>
    Object.entries(known).flatMap(([file, failures]) =>
      Object.values(knownOf(failures))
        .flat()
        // The name of the file stands for a failure outside of a test.
        .filter(title => !files.has(file) || (title !== file && !isTitle(title)))
        .map(title => `failures.json, ${runtime}, ${file}: ${title}`)
    )
  )
];
if (faults.length > 0) {
  console.error(`These tests do not exist:\n${faults.join('\n')}\nRun npm run test:runtimes -- --record.`);
  process.exitCode = 1;
}
