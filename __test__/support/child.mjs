// Runs a module's text in a process of its own, where flags, crashes and memory are its own too.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { ROOT } from './baileys-lines.mjs';

const run = promisify(execFile);

/**
 * What an ES module prints, as JSON. Its working directory is the package's root. Rejects where it fails or crashes.
 *
 * @param {string[]} flags for Node
 * @param {string} source
 */
export async function runModule(flags, source) {
  const args = [...flags, '--no-warnings', '--input-type=module', '--eval', source];
  const { stdout } = await run(process.execPath, args, { cwd: ROOT, timeout: 120_000 });
  return JSON.parse(stdout);
}
