// replaced() and isActive(): how a program finds out which layer is used.

import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeProject } from './support/project.mjs';
import { REPLACED } from './support/replaced-names.mjs';

const FLAG = ['--import', 'baileys-native/register'];

/** @param {{ stderr: string }} result */
const warnings = ({ stderr }) => stderr.match(/\[BAILEYS_NATIVE_\w+\][^\n]*/g) ?? [];

test('replaced() lists the replaced copies, with both entries', async t => {
  const project = makeProject(t);
  project.write(
    'app.mjs',
    `import { replaced } from 'baileys-native';
    import * as register from 'baileys-native/register';
    const before = replaced();
    for (const line of ['baileys', 'baileys-6.17.16']) await import(line);
    console.log(JSON.stringify([before, replaced(), register.replaced()]));`
  );
  const { stdout, stderr } = await project.run([...FLAG, 'app.mjs']);
  const modules = realpathSync(new URL('../../node_modules', import.meta.url));
  const copies = [
    { root: join(modules, 'baileys'), version: '7.0.0-rc14', exports: REPLACED },
    { root: join(modules, 'baileys-6.17.16'), version: '6.17.16', exports: REPLACED }
  ];
  assert.deepEqual(JSON.parse(stdout), [[], copies, copies], stderr);
  assert.equal(stderr, '');
});

test('replaced() is empty after a late import and for an unknown release, although isActive() is true', async t => {
  const project = makeProject(t);
  project.copyPackage('baileys', 'node_modules/old', { version: '5.0.0' });
  const report = `console.log(JSON.stringify([isActive(), replaced()]));`;
  project.write('late.mjs', `import { isActive, replaced } from 'baileys-native/register'; import 'baileys';${report}`);
  const named = name => `import { isActive, replaced } from 'baileys-native'; import '${name}';${report}`;
  project.write('old.mjs', named('old'));
  for (const args of [['late.mjs'], [...FLAG, 'old.mjs']]) {
    const { stdout, stderr } = await project.run(args);
    assert.deepEqual(JSON.parse(stdout), [true, []], stderr);
  }
});

test('Baileys that was required before register is not replaced and causes one warning', async t => {
  const project = makeProject(t);
  project.write(
    'app.cjs',
    `require('baileys-6.17.16');
    const { isActive, replaced } = require('baileys-native/register');
    console.log(JSON.stringify([isActive(), replaced()]));`
  );
  const result = await project.run(['app.cjs']);
  assert.deepEqual(JSON.parse(result.stdout), [true, []], result.stderr);
  assert.equal(warnings(result).length, 1);
  assert.match(warnings(result)[0], /^\[BAILEYS_NATIVE_LATE\] .*baileys 6\.17\.16 at .* was loaded before/);
});

test('Bun or Deno without the needed hooks causes one warning, and nothing is replaced', async t => {
  const project = makeProject(t);
  project.write('app.mjs', `import { isActive } from 'baileys-native'; import 'baileys'; console.log(isActive());`);
  for (const runtime of ['bun', 'deno']) {
    const versions = `{ ...process.versions, ${runtime}: '1' }`;
    project.write(
      'runtime.cjs',
      `Object.defineProperty(process, 'versions', { value: ${versions} });
      globalThis.addEventListener ??= () => {}; // both runtimes have it
      require('node:module').registerHooks = undefined;`
    );
    const result = await project.run(['--require', './runtime.cjs', ...FLAG, 'app.mjs']);
    assert.equal(result.stdout, 'false\n', result.stderr);
    assert.equal(warnings(result).length, 1);
    assert.match(warnings(result)[0], /^\[BAILEYS_NATIVE_UNAVAILABLE\]/);
  }
});

test('register works from another working directory, loaded by its path', async t => {
  const project = makeProject(t);
  project.write(
    'bot/app.mjs',
    `import { replaced } from 'baileys-native'; import 'baileys'; console.log(replaced().length);`
  );
  const path = join(project.directory, 'node_modules/baileys-native/js/loader/register');
  for (const flag of [`--import=${path}.mjs`, `--require=${path}.cjs`]) {
    const program = `process.chdir('/'); const { stdout } = require('node:child_process').spawnSync(process.execPath,
      [${JSON.stringify(flag)}, ${JSON.stringify(join(project.directory, 'bot/app.mjs'))}]); console.log(String(stdout).trim());`;
    assert.equal((await project.run(['-e', program])).stdout, '1\n');
  }
});
