// Other versions of Node, from the npm registry.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { ROOT } from './root.mjs';

const PACKAGE = `node-${process.platform}-${process.arch}`;

/**
 * Whether a text is a version or a range of versions: `24`, `24.1`, `24.1.0`.
 *
 * @param {string | undefined} version
 */
export const isVersion = version => /^\d+(\.\d+){0,2}$/.test(version ?? '');

/**
 * The path of the binary of a version. It is installed below target/node if it is missing.
 *
 * @param {string} version
 */
export function binaryOf(version) {
  const folder = join(ROOT, 'target/node', version);
  const binary = join(folder, 'node_modules', PACKAGE, 'bin/node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    const flags = ['--prefix', folder, '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
    execFileSync('npm', ['install', ...flags, `${PACKAGE}@${version}`], { cwd: folder, stdio: ['ignore', 2, 2] });
  }
  return binary;
}

/**
 * Runs a script of this repository on another version of Node. Processes that it starts as `node` use that version too.
 *
 * @param {string} version See {@link isVersion}.
 * @param {string[]} args The script and its arguments.
 * @returns {number} The exit code.
 */
export function runOnNode(version, args) {
  const binary = binaryOf(version);
  console.error(`Node ${execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim()}`);
  const env = { ...process.env, PATH: `${dirname(binary)}${delimiter}${process.env.PATH}` };
  const { status } = spawnSync(binary, args, { cwd: ROOT, stdio: 'inherit', env });
  return status ?? 1;
}
