/**
 * Checks the dependencies: `npm run lint:dependencies [-- --advisories]`.
 *
 * docs/dependencies.md must have a reason for each direct dependency. cargo-deny checks the licences and sources of all
 * crates, and duplicates among those of the addon, by deny.toml. With `--advisories`, cargo-deny and `npm audit` also
 * check for known faults, by the public databases.
 */

import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { provideCrate, run } from './platforms/tools.mjs';
import { ROOT } from './shared/root.mjs';

const CARGO_DENY = '0.20.2';

/** @param {string} path */
const read = path => readFileSync(join(ROOT, path), 'utf8');

/** All Cargo manifests: the addon, and the workspaces of the fuzz targets and of the Rust benches. */
const MANIFESTS = ['Cargo.toml', '__test__/fuzz/Cargo.toml', 'bench/core/Cargo.toml'];

/**
 * @returns {string[]} Direct dependencies that are missing in docs/dependencies.md, and names there that are not
 * dependencies.
 */
export function undocumented() {
  const manifest = JSON.parse(read('package.json'));
  const crates = MANIFESTS.flatMap(path =>
    Array.from(read(path).matchAll(/^\[.*\bdependencies\]\n((?:(?!^\[).*\n?)*)/gm), ([, body]) =>
      Array.from(body.matchAll(/^([\w-]+) = /gm), ([, name]) => name)
    ).flat()
  ).filter(name => name !== manifest.name);
  const used = new Set([
    ...crates,
    ...['dependencies', 'optionalDependencies', 'devDependencies', 'peerDependencies'].flatMap(kind =>
      Object.keys(manifest[kind] ?? {})
    )
  ]);
  const rows = Array.from(read('docs/dependencies.md').matchAll(/^\| ((?:`[^`]+`(?:, )?)+) +\| *\S/gm), ([, names]) =>
    Array.from(names.matchAll(/`([^`]+)`/g), ([, name]) => name)
  ).flat();
  return [
    ...[...used].filter(name => !rows.includes(name)).map(name => `docs/dependencies.md has no reason for ${name}`),
    ...rows.filter(name => !used.has(name)).map(name => `docs/dependencies.md names ${name}, which nothing depends on`)
  ];
}

if (process.argv[1] === join(ROOT, 'scripts/dependencies.mjs')) {
  const faults = undocumented();
  if (faults.length > 0) throw new Error(faults.join('\n'));
  const advisories = process.argv.includes('--advisories');
  const env = { ...process.env, PATH: `${provideCrate('cargo-deny', CARGO_DENY)}${delimiter}${process.env.PATH}` };
  const checks = ['licenses', 'sources', ...(advisories ? ['advisories'] : [])];
  for (const manifest of MANIFESTS) {
    // Duplicates only matter in what is shipped.
    const bans = manifest === MANIFESTS[0] ? ['bans'] : [];
    const flags = ['--manifest-path', manifest, '--config', 'deny.toml', '--all-features'];
    run('cargo', ['deny', ...flags, 'check', ...bans, ...checks], { env });
  }
  if (advisories) run('npm', ['audit', '--audit-level=high']);
}
