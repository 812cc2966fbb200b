/**
 * Creates the tarballs that are published: the main package, and one for each platform with a binary that was built
 * here.
 *
 *     node scripts/pack.mjs [folder] [--release | --only <platform>]        (default: target/pack)
 *
 * With `--release`, every published platform must have a binary, and no binary may need more than README.md says. Only
 * the published package depends on the packages with binaries: in the repository `npm ci` would need an unpublished
 * version. Prints the paths of the tarballs, the main package first.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { builtBinary, builtPlatforms, stageMain, stagePlatform, unfitReason } from './platforms/packages.mjs';
import { PUBLISHED } from './platforms/targets.mjs';
import { ROOT } from './shared/root.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { release: { type: 'boolean' }, only: { type: 'string' } }
});
const destination = resolve(positionals[0] ?? join(ROOT, 'target/pack'));
const staging = join(destination, 'staging');

/**
 * @param {string} folder Staged package.
 * @returns {string} Path of its tarball.
 */
function pack(folder) {
  // Uses npm's own file if it is known (under `npm run`): this needs no shell.
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  const options = { cwd: folder, encoding: /** @type {const} */ ('utf8') };
  const output = execFileSync(command, [...args, 'pack', '--json', '--pack-destination', destination], options);
  const [{ filename }] = Object.values(JSON.parse(output));
  return join(destination, filename);
}

const platforms = builtPlatforms().filter(name => values.only === undefined || name === values.only);
if (platforms.length === 0) throw new Error('There is no binary to pack; run npm run build first.');
const missing = PUBLISHED.filter(({ name }) => !platforms.includes(name)).map(({ name }) => name);
if (values.release && missing.length > 0) throw new Error(`There are no binaries for ${missing.join(', ')}.`);
rmSync(staging, { recursive: true, force: true });
mkdirSync(staging, { recursive: true });
stageMain(join(staging, 'main'), platforms);
for (const name of platforms) {
  const binary = /** @type {string} */ (builtBinary(name));
  const unfit = unfitReason(name, binary);
  if (unfit !== undefined && values.release) throw new Error(unfit);
  if (unfit !== undefined) console.warn(`${unfit}; do not publish it`);
  stagePlatform(name, join(staging, name), binary);
}
for (const name of ['main', ...platforms]) console.log(pack(join(staging, name)));
rmSync(staging, { recursive: true, force: true });
