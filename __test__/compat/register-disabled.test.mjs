// register is disabled, or it cannot replace a file of Baileys.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FILES } from '../../scripts/shared/baileys.mjs';
import targets from '../../js/loader/targets.cjs';
import { makeProject } from './support/project.mjs';
import { LINES, OURS, assertOurs, cjsProbe, esmProbe } from './support/replaced-probe.mjs';

const { SUPPORTED } = targets;

/** @param {{ stderr: string }} result */
function warnings({ stderr }) {
  return stderr.match(/\[BAILEYS_NATIVE_\w+\]/g) ?? [];
}

describe('register is disabled or cannot work', () => {
  test('BAILEYS_NATIVE=off disables register without a message', async t => {
    const project = makeProject(t);
    project.write('app.mjs', esmProbe('baileys'));
    project.write('app.cjs', cjsProbe('baileys-6.17.16'));
    for (const app of ['app.mjs', 'app.cjs']) {
      const result = await project.run(['--import', 'baileys-native/register', app], { BAILEYS_NATIVE: 'off' });
      assertOurs(result, []);
      assert.equal(result.stderr, '');
    }
  });

  test('isActive() reports whether register is active', async t => {
    const app = `import { isActive } from 'baileys-native/register'; console.log(isActive());`;
    const project = makeProject(t);
    project.write('app.mjs', app);
    assert.equal((await project.run(['app.mjs'])).stdout, 'true\n');
    for (const [value, expected] of [
      ...['off', '0', 'false', 'no', 'Off'].map(value => [value, false]),
      ...['', 'on', '1'].map(value => [value, true])
    ]) {
      const { stdout } = await project.run(['app.mjs'], { BAILEYS_NATIVE: value });
      assert.equal(stdout, `${expected}\n`, value);
    }
    const bare = makeProject(t, { addon: 'none' });
    bare.write('app.mjs', app);
    assert.equal((await bare.run(['app.mjs'])).stdout, 'false\n');
  });

  test('without an addon there is one warning for all threads, and Baileys runs', async t => {
    const project = makeProject(t, { addon: 'none' });
    project.write(
      'app.mjs',
      `${OURS}
      import 'baileys-native/register';
      import { once } from 'node:events';
      import { Worker, isMainThread } from 'node:worker_threads';
      import * as baileys from 'baileys';
      if (isMainThread) {
        await once(new Worker(new URL(import.meta.url)), 'exit');
        const node = { tag: 'iq', attrs: { id: '1' }, content: undefined };
        const decoded = await baileys.decodeBinaryNode(baileys.encodeBinaryNode(node));
        console.log(JSON.stringify([ours(baileys), decoded.tag]));
      }`
    );
    const result = await project.run(['--import', 'baileys-native/register', 'app.mjs']);
    assert.deepEqual(JSON.parse(result.stdout), [[], 'iq'], result.stderr);
    assert.deepEqual(warnings(result), ['[BAILEYS_NATIVE_UNAVAILABLE]']);
  });

  test('a file without the expected export is not replaced and causes one warning', async t => {
    const project = makeProject(t);
    for (const name of ['baileys', 'baileys-6.17.16']) {
      const root = project.copyPackage(name, `node_modules/${name}`);
      const file = join(root, FILES.encode);
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('encodeBinaryNode', 'renamedEncoder'));
      project.write(
        'app.mjs',
        `${OURS}
        const encode = await import('${name}/${FILES.encode}');
        const decode = await import('${name}/${FILES.decode}');
        console.log(JSON.stringify([Object.keys(encode).includes('renamedEncoder'), ours(encode), ours(decode).length]));`
      );
      const result = await project.run(['--import', 'baileys-native/register', 'app.mjs']);
      assert.deepEqual(JSON.parse(result.stdout), [true, [], 3], result.stderr);
      assert.deepEqual(warnings(result), ['[BAILEYS_NATIVE_PATCHED]']);
    }
  });

  test('Baileys with an unknown dialect is not replaced and causes one warning', async t => {
    const project = makeProject(t);
    for (const [name, edit] of [
      ['baileys', text => text.replace('DICT_VERSION = 3', 'DICT_VERSION = 4')],
      ['baileys-6.17.16', text => text.replace('DICT_VERSION = 2', 'DICT_VERSION = 9')]
    ]) {
      const root = project.copyPackage(name, `node_modules/${name}`);
      const file = join(root, FILES.defaults);
      writeFileSync(file, edit(readFileSync(file, 'utf8')));
      project.write('app.mjs', esmProbe(name));
      const result = await project.run(['--import', 'baileys-native/register', 'app.mjs']);
      assertOurs(result, []);
      assert.deepEqual(warnings(result), ['[BAILEYS_NATIVE_UNSUPPORTED]']);
      assert.ok(result.stderr.includes(`Supported: ${SUPPORTED}`), result.stderr);
    }
  });

  test('README.md lists the supported releases as the warning does, and the tested versions', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').replace(/\s+/g, ' ');
    assert.ok(readme.includes(`Baileys ${SUPPORTED}. Compared`));
    for (const line of LINES) assert.ok(SUPPORTED.includes(installedVersion(line)), line);
  });
});

/** @param {string} name */
function installedVersion(name) {
  return JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;
}
