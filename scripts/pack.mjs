/**
 * Makes the tarballs that are published: the package itself, and one per platform whose binary was built here.
 *
 *     node scripts/pack.mjs [folder] [--release | --only <platform>]        (default: target/pack)
 *
 * `--release`: every published platform must be there, and no binary may need more than README.md says. The dependency on
 * the packages with the binaries exists only in what is published: in the repository it would make `npm ci` ask for a version
 * that is not out yet. Prints the paths of the tarballs, that of the package itself first.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { builtBinary, builtPlatforms, stageMain, stagePlatform, unfitReason } from './platforms/packages.mjs';
import { PUBLISHED } from './platforms/targets.mjs';
import { ROOT } from './platforms/tools.mjs';

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
  // Without a shell and by npm's own file where it is known: this also runs under `npm run`.
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
