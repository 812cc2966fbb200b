// register replaces every release line of Baileys, wherever it is installed and however it is loaded.

import assert from 'node:assert/strict';
import { rmSync, symlinkSync } from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FILES } from '../../scripts/shared/baileys.mjs';
import { makeProject } from './support/project.mjs';
import { ALL, FROM_INDEX, LINES, OURS, assertOurs, cjsProbe, esmProbe } from './support/replaced-probe.mjs';

/** The flags of Node.js that load register before the program. */
const FLAGS = ['--import', '--require'];

/** Our exports in required ES modules: without synchronous hooks a file with other exports is not replaced. */
const REQUIRED = Module.registerHooks === undefined ? ALL.filter(name => name !== 'promiseTimeout') : ALL;

describe('register replaces every release line, however it is loaded', () => {
  for (const flag of FLAGS) {
    test(`an ES module under ${flag}`, async t => {
      const project = makeProject(t);
      for (const line of LINES) {
        project.write('app.mjs', esmProbe(line));
        const result = await project.run([flag, 'baileys-native/register', 'app.mjs']);
        assertOurs(result, ALL);
        assert.equal(result.stderr, '');
      }
    });

    test(`a CommonJS module under ${flag}`, async t => {
      const project = makeProject(t);
      project.write('app.cjs', cjsProbe('baileys-6.17.16'));
      const result = await project.run([flag, 'baileys-native/register', 'app.cjs']);
      assertOurs(result, ALL);
      assert.equal(result.stderr, '');
    });

    test(`require() of ES modules under ${flag}`, { skip: !process.features.require_module }, async t => {
      const project = makeProject(t);
      for (const line of ['baileys', 'baileys-6.7.24']) {
        project.write('app.cjs', cjsProbe(line));
        assertOurs(await project.run([flag, 'baileys-native/register', 'app.cjs']), REQUIRED);
        // Requires the socket class first: its imports then load the rest of the package.
        project.write('app.cjs', `require('${line}/${FILES.webSocketClient}');${cjsProbe(line)}`);
        assertOurs(await project.run([flag, 'baileys-native/register', 'app.cjs']), REQUIRED);
      }
    });
  }

  test('the first require of a program', async t => {
    const project = makeProject(t);
    project.write('app.cjs', `require('baileys-native/register');${cjsProbe('baileys-6.17.16')}`);
    assertOurs(await project.run(['app.cjs']), ALL);
  });

  test('the first import of a program that imports Baileys afterwards', async t => {
    const project = makeProject(t);
    project.write('probe.mjs', esmProbe('baileys'));
    project.write('app.mjs', `import 'baileys-native/register'; await import('./probe.mjs');`);
    assertOurs(await project.run(['app.mjs']), ALL);
  });

  test('a CommonJS Baileys right after the import of register', async t => {
    const project = makeProject(t);
    project.write('app.mjs', `import 'baileys-native/register';${esmProbe('baileys-6.17.16')}`);
    assertOurs(await project.run(['app.mjs']), ALL);
  });

  test('several release lines in one process', async t => {
    const project = makeProject(t);
    project.write(
      'app.mjs',
      `${OURS}
      const all = await Promise.all(${JSON.stringify(LINES)}.map(name => import(name)));
      console.log(JSON.stringify([all.map(ours), new Set(all.map(module => module.makeNoiseHandler)).size]));`
    );
    const { stdout, stderr } = await project.run(['--import', 'baileys-native/register', 'app.mjs']);
    assert.deepEqual(JSON.parse(stdout), [[FROM_INDEX, FROM_INDEX, FROM_INDEX], 3], stderr);
  });
});

describe('every place in node_modules', () => {
  test('@whiskeysockets/baileys, by require and by import', async t => {
    const project = makeProject(t);
    for (const name of ['baileys', 'baileys-6.17.16']) {
      rmSync(join(project.directory, 'node_modules/@whiskeysockets'), { recursive: true, force: true });
      project.copyPackage(name, 'node_modules/@whiskeysockets/baileys', { name: '@whiskeysockets/baileys' });
      project.write('app.mjs', esmProbe('@whiskeysockets/baileys'));
      assertOurs(await project.run(['--import', 'baileys-native/register', 'app.mjs']), ALL);
    }
    project.write('app.cjs', cjsProbe('@whiskeysockets/baileys'));
    assertOurs(await project.run(['--require', 'baileys-native/register', 'app.cjs']), ALL);
  });

  test('a copy below another package, and another below that', async t => {
    const project = makeProject(t);
    const outer = 'node_modules/bot/node_modules';
    project.copyPackage('baileys', `${outer}/baileys`);
    project.copyPackage('baileys-6.17.16', `${outer}/baileys/node_modules/wa`);
    project.write('node_modules/bot/index.mjs', esmProbe('baileys'));
    project.write(`${outer}/baileys/deep.cjs`, cjsProbe('wa'));
    const flag = ['--import', 'baileys-native/register'];
    assertOurs(await project.run([...flag, 'node_modules/bot/index.mjs']), ALL);
    assertOurs(await project.run([...flag, `${outer}/baileys/deep.cjs`]), ALL);
  });

  test('a pnpm layout, also with --preserve-symlinks', async t => {
    const project = makeProject(t);
    const store = 'node_modules/.pnpm/baileys@7/node_modules';
    rmSync(join(project.directory, 'node_modules/baileys'));
    const real = project.copyPackage('baileys', `${store}/baileys`);
    symlinkSync(real, join(project.directory, 'node_modules/baileys'));
    project.write('app.mjs', esmProbe('baileys'));
    const flag = ['--import', 'baileys-native/register'];
    assertOurs(await project.run([...flag, 'app.mjs']), ALL);
    assertOurs(await project.run(['--preserve-symlinks', ...flag, 'app.mjs']), ALL);
  });

  test('a path with spaces and characters that URLs escape', async t => {
    const project = makeProject(t);
    const place = 'a b%20#c/node_modules';
    project.copyPackage('baileys', `${place}/baileys`);
    project.copyPackage('baileys-6.17.16', `${place}/baileys-6.17.16`);
    for (const name of ['baileys', 'baileys-6.17.16']) {
      project.write('a b%20#c/app.mjs', esmProbe(name));
      assertOurs(await project.run(['--import', 'baileys-native/register', 'a b%20#c/app.mjs']), ALL);
    }
  });
});
