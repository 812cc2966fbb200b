// npm, pnpm and Yarn install the packages from a registry: no compiler, no scripts, and one binary, the correct one.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import platform from '../../js/addon/platform.cjs';
import {
  MANAGERS,
  NAMES,
  binariesIn,
  installAndRun,
  runProgram,
  startRelease
} from '../../scripts/platforms/install.mjs';
import { builtBinary } from '../../scripts/platforms/packages.mjs';
import { startRegistry } from '../../scripts/platforms/registry.mjs';
import { ROOT } from '../../scripts/shared/root.mjs';

const NAME = platform.nameOf(platform.currentPlatform());

/** Time limit of one installation, in milliseconds. */
const TIMEOUT = 600_000;
const options = { timeout: TIMEOUT };

let release;
after(() => release?.stop());

before(async () => {
  const binary = builtBinary(NAME);
  assert.ok(binary, 'the addon has been built');
  release = await startRelease({ platform: NAME, binary, timeout: TIMEOUT });
}, options);

test('the environment has no compiler', async () => {
  for (const command of ['cargo', 'rustc', 'cc', 'gcc', 'make']) {
    await assert.rejects(
      promisify(execFile)(command, ['--version'], { env: release.env }),
      { code: 'ENOENT' },
      command
    );
  }
});

/** Managers that ignore `libc`: they install both packages for Linux, and the loader chooses the correct one. */
const IGNORE_LIBC = ['Yarn 1'];

for (const manager of MANAGERS) {
  test(`${manager.name} installs a package that works`, options, async () => {
    const { project, served } = await installAndRun(release, manager);
    const expected = ['baileys-native', `baileys-native-${NAME}`];
    if (IGNORE_LIBC.includes(manager.name)) assert.ok(binariesIn(project).includes(expected[1]));
    else assert.deepEqual(served.sort(), expected);
  });
}

test('npm installs the binary package of the requested platform', options, async () => {
  for (const name of NAMES) {
    const [os, cpu, abi] = name.split('-');
    const made = release.makeProject(`for-${name}`);
    const libc = os === 'linux' ? [`--libc=${abi === 'gnu' ? 'glibc' : 'musl'}`] : [];
    const [npm] = MANAGERS;
    await made.node(npm.file(), ...npm.add, `--os=${os}`, `--cpu=${cpu}`, ...libc, 'baileys-native');
    assert.deepEqual(binariesIn(made.project), [`baileys-native-${name}`]);
  }
});

test(
  'each manager installs the tarballs of a clone as docs/faq.md says, without the packages in the registry',
  { timeout: 5 * TIMEOUT },
  async t => {
    const registry = await startRegistry([]);
    t.after(registry.stop);
    const env = {
      npm_config_registry: registry.url,
      YARN_REGISTRY: registry.url,
      YARN_NPM_REGISTRY_SERVER: registry.url
    };
    const { project: folder } = release.makeProject('tarballs');
    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/pack.mjs', folder, '--only', NAME], {
      cwd: ROOT
    });
    const tarballs = stdout.trim().split('\n');
    const [, recipe] = /```json\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'docs/faq.md'), 'utf8'));
    const manifest = recipe
      .replaceAll('linux-x64-gnu', NAME)
      .replaceAll(/file:\.\/([^"]+)/g, (_, name) => `file:${tarballs.find(path => basename(path) === name)}`);
    assert.ok(!manifest.includes('undefined'), manifest);
    for (const manager of MANAGERS) {
      const made = release.makeProject(`tarballs-${manager.name.replaceAll(/\W+/g, '-')}`, { ...env, ...manager.env });
      if (manager.name.startsWith('Yarn')) {
        writeFileSync(join(made.project, 'package.json'), manifest);
        await made.node(manager.file(), 'install');
      } else await made.node(manager.file(), ...manager.add, ...tarballs);
      await runProgram(made, manager);
    }
  }
);
