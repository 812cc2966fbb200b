/**
 * Unpacks Debian packages into a folder. Nothing is installed, and no architecture is added to the system.
 *
 * apt uses its own lists and archive folder, and the mirrors and keys of the system.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, log, run } from './tools.mjs';

const FOLDER = join(CACHE, 'apt');

/** Has musl 1.2.5; musl 1.2.3 of Debian 12 crashes under Node.js 24. */
const NEWER_RELEASE = 'trixie';

/** From the package debian-archive-keyring, which every Debian has. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Age after which the package lists are downloaded again, in milliseconds. */
const LISTS_MAX_AGE = 12 * 60 * 60 * 1000;

/**
 * Environment of an apt that only reads and writes `FOLDER`. Created once per process.
 *
 * @type {NodeJS.ProcessEnv | undefined}
 */
let environment;

/** @returns {{ uri: string, release: string, components: Set<string> }[]} The Debian mirrors of this system. */
function systemMirrors() {
  const format = '$(SITE)\t$(REPO_URI)\t$(RELEASE)\t$(COMPONENT)\t$(ORIGIN)';
  const output = execFileSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
    encoding: 'utf8'
  });
  const mirrors = new Map();
  for (const line of output.split('\n')) {
    const [, uri, release, component, origin] = line.split('\t');
    if (origin !== 'Debian' && origin !== 'Debian-Security') continue;
    const key = `${uri} ${release}`;
    const mirror = mirrors.get(key) ?? { uri, release, components: new Set() };
    mirrors.set(key, mirror);
    mirror.components.add(component);
  }
  return [...mirrors.values()];
}

function prepare() {
  if (environment !== undefined) return environment;
  if (spawnSync('apt-get', ['--version']).error !== undefined)
    throw new Error('This needs Debian: there is no apt-get.');
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'sources']) {
    mkdirSync(join(FOLDER, name), { recursive: true });
  }
  let mirrors = systemMirrors();
  if (mirrors.length === 0) {
    run('apt-get', ['update', '-qq'], { step: 'fetching the lists of Debian packages of this system' });
    mirrors = systemMirrors();
  }
  if (mirrors.length === 0) throw new Error('This needs Debian 12 or later: apt knows no mirror of Debian.');
  const main = mirrors.find(({ release }) => !/[-/]/.test(release)) ?? mirrors[0];
  const releases = mirrors.map(mirror => ({ ...mirror, architectures: 'amd64 arm64' }));
  if (main.release !== NEWER_RELEASE) {
    releases.push({ ...main, release: NEWER_RELEASE, components: new Set(['main']), architectures: 'amd64 arm64' });
  }
  const sources = releases.map(({ uri, release, components, architectures }) =>
    [
      'Types: deb',
      `URIs: ${uri}`,
      `Suites: ${release}`,
      `Components: ${[...components].join(' ')}`,
      `Architectures: ${architectures}`,
      `Signed-By: ${KEYRING}`
    ].join('\n')
  );
  writeFileSync(join(FOLDER, 'sources/debian.sources'), `${sources.join('\n\n')}\n`);
  // The newer release is only used for packages with `/release`.
  const preferences = `Package: *\nPin: release n=${NEWER_RELEASE}\nPin-Priority: ${main.release === NEWER_RELEASE ? 500 : 100}\n`;
  writeFileSync(join(FOLDER, 'preferences'), preferences);
  const options = {
    'Dir::State': join(FOLDER, 'state'),
    'Dir::State::status': '/var/lib/dpkg/status',
    'Dir::Cache': join(FOLDER, 'cache'),
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(FOLDER, 'sources'),
    'Dir::Etc::preferences': join(FOLDER, 'preferences'),
    'Dir::Etc::preferencesparts': '/dev/null',
    'APT::Sandbox::User': '',
    'APT::Get::Assume-Yes': 'true',
    'APT::Install-Recommends': 'false',
    'Debug::NoLocking': 'true',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3'
  };
  const lines = Object.entries(options).map(([name, value]) => `${name} "${value}";`);
  lines.push('APT::Architectures { "amd64"; "arm64"; };');
  // Images of Debian for containers empty the archive folder after each call.
  lines.push('#clear DPkg::Post-Invoke;', '#clear APT::Update::Post-Invoke;', '#clear Acquire::IndexTargets;');
  lines.push(
    'Acquire::IndexTargets::deb::Packages { MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages"; flatMetaKey "Packages"; ' +
      'ShortDescription "Packages"; Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages"; };'
  );
  writeFileSync(join(FOLDER, 'apt.conf'), `${lines.join('\n')}\n`);
  environment = { ...process.env, APT_CONFIG: join(FOLDER, 'apt.conf'), DEBIAN_FRONTEND: 'noninteractive' };
  const stamp = join(FOLDER, 'updated');
  run(
    'sh',
    [
      '-c',
      `[ -n "$(find '${stamp}' -mmin -${LISTS_MAX_AGE / 60_000} 2>/dev/null)" ] || { apt-get update -qq && touch '${stamp}'; }`
    ],
    {
      step: 'reading the lists of Debian packages',
      env: environment
    }
  );
  return environment;
}

/**
 * Unpacks packages of Debian.
 *
 * @param {string} into The folder that replaces `/`.
 * @param {string[]} packages Names for apt: `name`, `name:arm64` or `name/release`.
 * @param {{ dependencies?: boolean }} [options] `dependencies`: also unpack dependencies that the system does not have.
 */
export function unpackPackages(into, packages, { dependencies = false } = {}) {
  const env = prepare();
  const archives = join(FOLDER, 'cache/archives', `${process.pid}`);
  mkdirSync(join(archives, 'partial'), { recursive: true });
  try {
    const fetch = dependencies
      ? ['install', '--download-only', '-qq', '-o', `Dir::Cache::archives=${archives}`, ...packages]
      : ['download', '-qq', ...packages];
    run('apt-get', fetch, { step: `fetching ${packages.join(', ')} from Debian`, env, cwd: archives });
    const files = readdirSync(archives).filter(name => name.endsWith('.deb'));
    for (const file of files) {
      log(`  unpacking ${file}`);
      mkdirSync(into, { recursive: true });
      run('dpkg-deb', ['--extract', join(archives, file), into]);
    }
    if (files.length < packages.length && !dependencies) throw new Error(`apt fetched ${files.length} of ${packages}`);
  } finally {
    if (existsSync(archives)) rmSync(archives, { recursive: true });
  }
}

export { NEWER_RELEASE };
