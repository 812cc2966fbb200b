/** The parts of docs/platforms.md that commands write. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../shared/root.mjs';
import { run } from './tools.mjs';

const DOCUMENT = join(ROOT, 'docs/platforms.md');
const END = '<!-- end -->';

/** @param {string} command @param {string} document @returns {[number, number]} Where the part of a command is. */
function findSection(command, document) {
  const mark = `<!-- written by ${command} -->`;
  const from = document.indexOf(mark);
  const to = document.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error(`${DOCUMENT} has no part that is written by ${command}`);
  return [from + mark.length, to];
}

/** @param {string} command @returns {string} */
export function readSection(command) {
  const document = readFileSync(DOCUMENT, 'utf8');
  return document.slice(...findSection(command, document)).trim();
}

/**
 * @param {string} command The command in the mark.
 * @param {string} text
 */
export function writeSection(command, text) {
  const document = readFileSync(DOCUMENT, 'utf8');
  const [from, to] = findSection(command, document);
  writeFileSync(DOCUMENT, `${document.slice(0, from)}\n\n${text}\n\n${document.slice(to)}`);
  run('npx', ['prettier', '--write', DOCUMENT]);
}
