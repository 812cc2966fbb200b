/** Creates the text of docs/compatibility.md from results, and checks such a text. */

import { existsSync } from 'node:fs';
import { LINE_NAMES } from '../../__test__/support/baileys-lines.mjs';
import { ROOT } from '../shared/root.mjs';
import { SECTIONS } from '../../__test__/support/record.mjs';
import { RELEASES } from '../shared/baileys.mjs';
import { differencesText } from './differences.mjs';
import { cell, table } from './markdown.mjs';
import { NOTES, REQUIRED } from './required.mjs';

/**
 * @typedef {{ section: string, behaviour: string, line: string, javascript: string, native: string, test: string,
 *   sinceNode?: number }} RecordedResult
 * @typedef {{ javascript: Set<string>, native: Set<string> }} Cells
 * @typedef {{ section: string, behaviour: string, test: string, lines: Map<string, Cells> }} ComparisonRow
 */

const NOT_RUN = 'not run';
const COLUMNS = RELEASES.flatMap(({ version }) => [`${version} JavaScript`, `${version} native`]);

/**
 * The rows of a section, file by file, in the order of the tests.
 *
 * @param {RecordedResult[]} results
 * @returns {ComparisonRow[]}
 */
export function rowsOf(results) {
  const rows = new Map();
  for (const { section, behaviour, line, javascript, native, test } of results) {
    const key = `${section}\n${test}\n${behaviour}`;
    if (!rows.has(key)) rows.set(key, { section, behaviour, test, lines: new Map() });
    const { lines } = rows.get(key);
    if (!lines.has(line)) lines.set(line, { javascript: new Set(), native: new Set() });
    lines.get(line).javascript.add(javascript);
    lines.get(line).native.add(native);
  }
  const sections = Object.keys(SECTIONS);
  const all = [...rows.values()];
  // Sorting is stable: results of one file keep their order.
  return all.sort(
    (a, b) =>
      sections.indexOf(a.section) - sections.indexOf(b.section) || (a.test < b.test ? -1 : a.test > b.test ? 1 : 0)
  );
}

/** @param {Set<string>} values */
const joined = values => [...values].join(' / ');

/** @param {Set<string>} values The values of one native cell. If several comparisons differ, `same` is left out. */
const nativeWords = values =>
  values.size > 1 && values.has('same')
    ? joined(new Set([...values].filter(value => value !== 'same')))
    : joined(values);

/**
 * The texts of the cells of a row, one for each release line and layer.
 *
 * @param {ComparisonRow} row
 */
const cellsOf = ({ lines }) =>
  LINE_NAMES.flatMap(name => {
    const cells = lines.get(name);
    return cells === undefined ? [NOT_RUN, NOT_RUN] : [joined(cells.javascript), nativeWords(cells.native)];
  });

/** @param {ComparisonRow[]} rows */
function summary(rows) {
  const counted = Object.entries(SECTIONS).map(([section, title], i) => {
    const natives = rows
      .filter(row => row.section === section)
      .flatMap(row => cellsOf(row).filter((_, at) => at % 2 === 1));
    /** @param {(text: string) => boolean} is */
    const count = is => String(natives.filter(is).length);
    return [
      `${i + 1}. ${title}`,
      String(natives.length / LINE_NAMES.length),
      count(text => text.startsWith('same')),
      count(text => text.startsWith('as registered')),
      count(text => text === NOT_RUN),
      count(text => !text.startsWith('same') && !text.startsWith('as registered') && text !== NOT_RUN)
    ];
  });
  return table(['section', 'behaviours', 'same', 'as registered', 'not run', 'different'], counted);
}

/**
 * @param {ComparisonRow[]} rows
 * @param {string[]} files
 */
const sectionTable = (rows, files) =>
  table(
    ['behaviour', ...COLUMNS],
    rows.map(row => {
      const reference = `t${files.indexOf(row.test) + 1}`;
      return [cell(row.behaviour), ...cellsOf(row).map(text => `[${cell(text)}][${reference}]`)];
    })
  );

/**
 * @param {ComparisonRow[]} rows
 * @returns {string}
 */
export function documentOf(rows) {
  const files = [...new Set(rows.map(({ test }) => test))].sort();
  const sections = Object.entries(SECTIONS).map(([section, title], i) => {
    const own = rows.filter(row => row.section === section);
    const note = NOTES[section] === undefined ? '' : `\n\n${NOTES[section]}`;
    return `## ${i + 1}. ${title}\n\n${own.length > 0 ? sectionTable(own, files) : 'Nothing was run.'}${note}`;
  });
  return `# Compatibility

<!-- Written by \`npm run compat\` from the results of the tests and the registries in __test__/support. -->

The reference is Baileys itself, installed from npm: ${RELEASES.map(({ version, packageName }) => `${version} (\`${packageName}\`)`).join(', ')}.
The tests give the same input to Baileys and to this package and compare bytes, values, errors, events, their order, arguments and
getters. A column "JavaScript" has the result of that release of Baileys. A column "native" tells whether the result of this package is
the same. Every cell was measured and links to its test. \`as registered\` names an intended difference; its reason is below. Any other
difference fails the tests. \`npm run compat\` measures all cells and writes this file. \`npm test\` fails if a native cell is different.

${summary(rows)}

\`npm test\` uses a limited number of random inputs. \`npm run test:differential -- --minutes 10\` tests more of them.

${sections.join('\n\n')}

${differencesText}
${files.map((file, i) => `[t${i + 1}]: ../${file}`).join('\n')}
`;
}

/**
 * The faults of the text of the document. Runs no test.
 *
 * @param {string} text
 * @returns {string[]}
 */
export function faultsOf(text) {
  const faults = [];
  if (!text.includes(differencesText)) faults.push('the known differences are not the same as in the registries');
  const bodies = text.split(/^## /m);
  for (const [i, [section, title]] of Object.entries(SECTIONS).entries()) {
    const heading = `${i + 1}. ${title}`;
    const rows = (bodies.find(each => each.startsWith(heading)) ?? '')
      .split('\n')
      .filter(line => / \[.*\]\[t\d+\] \|$/.test(line));
    for (const row of rows) {
      const cells = row.split(/(?<!\\)\|/).slice(1, -1);
      if (cells.length !== COLUMNS.length + 1) faults.push(`${heading}: a row of ${cells.length} cells: ${row}`);
      if (/\bDIFFERS\b/.test(row)) faults.push(`${heading}: a difference that is not registered: ${row}`);
      if (cells.some(cell => cell.includes(`[${NOT_RUN}]`)))
        faults.push(`${heading}: a cell that was not measured: ${row}`);
    }
    for (const [what, pattern] of REQUIRED[section] ?? []) {
      const names = rows.map(
        row =>
          row
            .split(/(?<!\\)\|/)[1]
            ?.replaceAll('\\', '')
            .trim() ?? ''
      );
      if (!names.some(name => pattern.test(name))) faults.push(`${heading}: no row for “${what}”`);
    }
  }
  for (const [, file] of text.matchAll(/^\[t\d+\]: \.\.\/(.*)$/gm)) {
    if (!existsSync(`${ROOT}${file}`)) faults.push(`the test ${file} does not exist`);
  }
  return faults;
}
