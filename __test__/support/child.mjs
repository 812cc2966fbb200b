// Runs the source of a module in a child process, with its own flags, crashes and memory.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/shared/root.mjs';

const run = promisify(execFile);

/**
 * Runs an ES module and resolves with its output, parsed as JSON. Its working directory is the root of the package.
 * Rejects if it fails or crashes.
 *
 * @param {string[]} flags for Node
 * @param {string} source
 */
export async function runModule(flags, source) {
  const args = [...flags, '--no-warnings', '--input-type=module', '--eval', source];
  const { stdout } = await run(process.execPath, args, { cwd: ROOT, timeout: 540_000 });
  return JSON.parse(stdout);
}
