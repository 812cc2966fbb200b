/**
 * Runs the JavaScript tests on another version of Node: `npm run test:node -- 24 [parts of names]`. The version, or a range
 * of them, comes from the npm registry into target/node, once.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PACKAGE = `node-${process.platform}-${process.arch}`;

/** The path of a version's binary, which is fetched where it is not there. */
function binaryOf(version) {
  const folder = join(ROOT, 'target/node', version);
  const binary = join(folder, 'node_modules', PACKAGE, 'bin/node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    const flags = ['--prefix', folder, '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
    execFileSync('npm', ['install', ...flags, `${PACKAGE}@${version}`], { cwd: folder, stdio: 'inherit' });
  }
  return binary;
}

const [version, ...names] = process.argv.slice(2);
if (!/^\d+(\.\d+){0,2}$/.test(version ?? '')) {
  console.error('Which version of Node? For example: npm run test:node -- 24 websocket');
  process.exitCode = 1;
} else {
  const binary = binaryOf(version);
  console.log(`Node ${execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim()}`);
  // A test that starts `node` by name gets this one.
  const env = { ...process.env, PATH: `${dirname(binary)}${delimiter}${process.env.PATH}` };
  const { status } = spawnSync(binary, ['scripts/test.mjs', ...names], { cwd: ROOT, stdio: 'inherit', env });
  process.exitCode = status ?? 1;
}
