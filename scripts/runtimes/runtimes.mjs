/** Bun and Deno from the npm registry. */

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../shared/root.mjs';

export const FOLDER = join(ROOT, 'target/runtimes');

/** The names of processors in the package names of Bun. @type {Record<string, string>} */
const BUN_PROCESSORS = { x64: 'x64', arm64: 'aarch64' };

/**
 * @typedef {object} Runtime
 * @property {string} name
 * @property {string} [requirement] The npm package with the binary; without one, the running Node.js is used.
 * @property {string} [binary] Path in the package.
 * @property {(bot: string) => string[]} botArgs Arguments that run a program under register.
 * @property {(file: string, report: string) => string[]} [testArgs] Arguments that run a test file and write a JUnit
 *   report.
 */

/** @type {Runtime[]} */
export const RUNTIMES = [
  { name: 'node', botArgs: bot => ['--import', 'baileys-native/register', bot] },
  {
    name: 'bun',
    requirement: `@oven/bun-linux-${BUN_PROCESSORS[process.arch]}@1.4.5`,
    binary: 'bin/bun',
    botArgs: bot => ['--preload', 'baileys-native/register', bot],
    testArgs: (file, report) => [
      'test',
      '--timeout=600000',
      '--reporter=junit',
      `--reporter-outfile=${report}`,
      `./${file}`
    ]
  },
  {
    name: 'deno',
    requirement: `@deno/linux-${process.arch}-glibc@2.9.6`,
    binary: 'deno',
    // Deno needs a path here.
    botArgs: bot => ['run', '--allow-all', '--preload=./node_modules/baileys-native/js/loader/register.mjs', bot],
    testArgs: (file, report) => [
      'test',
      '--allow-all',
      '--no-check',
      '--node-modules-dir=manual',
      `--junit-path=${report}`,
      file
    ]
  }
];

/**
 * The binary of a runtime. It is installed if it is missing.
 *
 * @param {Runtime} runtime
 */
export function binaryOf({ requirement, binary = '' }) {
  if (requirement === undefined) return process.execPath;
  const at = requirement.lastIndexOf('@');
  const folder = join(FOLDER, requirement.replaceAll(/[@/]/g, '-'));
  const path = join(folder, 'node_modules', requirement.slice(0, at), binary);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    const flags = ['--prefix', folder, '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
    execFileSync('npm', ['install', ...flags, requirement], { cwd: folder, stdio: ['ignore', 2, 2] });
  }
  chmodSync(path, 0o755);
  return path;
}

/** @param {string} binary */
export function versionOf(binary) {
  return execFileSync(binary, ['--version'], { encoding: 'utf8' }).match(/\d+\.\d+\.\d+/)?.[0];
}
