/** Patched copies of Baileys, and forks. Files that differ are not replaced, and there is one warning. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FILES } from '../../scripts/shared/baileys.mjs';
import { makeProject } from './support/project.mjs';
import { REPLACED } from './support/replaced-names.mjs';

const FLAG = ['--import', 'baileys-native/register'];
const without = (...names) => REPLACED.filter(name => !names.includes(name));

/** Prints which exports of a package are ours, the exports `patched` of its modules, and the result of `replaced()`. */
const probe = name => `
  import { replaced } from 'baileys-native';
  import * as index from '${name}';
  import * as client from '${name}/${FILES.client}';
  const all = { ...client, ...index };
  const ours = Object.keys(all).filter(name => all[name]?.[Symbol.for('baileys-native')] === true).sort();
  console.log(JSON.stringify([ours, replaced().flatMap(({ exports }) => exports), globalThis.patched ?? 0]));`;

const PATCH = '\nglobalThis.patched = (globalThis.patched ?? 0) + 1;\n';

/**
 * Runs the probe. Checks that `replaced()` lists exactly our exports, and that the patches ran.
 *
 * @param {ReturnType<typeof makeProject>} project
 * @param {string} name
 * @param {Record<string, string>} [env]
 */
async function run(project, name, env) {
  project.write('app.mjs', probe(name));
  const { code, stdout, stderr } = await project.run([...FLAG, 'app.mjs'], env);
  assert.equal(code, 0, stderr);
  const [ours, said, patched] = JSON.parse(stdout);
  assert.deepEqual(said, ours);
  return { ours, patched, warnings: stderr.match(/\[BAILEYS_NATIVE_\w+\][^\n]*/g) ?? [] };
}

/** @param {string} path @param {(text: string) => string} edit */
function edit(path, edit) {
  const text = readFileSync(path, 'utf8');
  assert.notEqual(edit(text), text, path);
  writeFileSync(path, edit(text));
}

const append = text => text.replace(/\n\/\/# sourceMappingURL.*$/, '') + PATCH;

describe('a patched Baileys package', () => {
  const CODEC = ['decodeBinaryNode', 'decodeDecompressedBinaryNode', 'decompressingIfRequired'];
  const CASES = [
    [FILES.webSocketClient, append, ['WebSocketClient']],
    [FILES.noiseHandler, append, ['makeNoiseHandler']],
    [FILES.encode, append, ['encodeBinaryNode']],
    // Baileys' noise handler calls the decoder. If the decoder is patched, the noise handler is not replaced either.
    [FILES.decode, append, [...CODEC, 'makeNoiseHandler']],
    [FILES.constants, append, [...CODEC, 'encodeBinaryNode', 'makeNoiseHandler']],
    [FILES.jidUtils, text => append(text.replace("'@'", "('@')")), ['encodeBinaryNode']],
    [
      FILES.defaults,
      text => append(text.replace('https://web.whatsapp.com', 'https://web.example.com')),
      ['WebSocketClient']
    ],
    [FILES.generics, text => append(text.replace("'Timed Out'", "'Out of time'")), ['promiseTimeout']],
    // Of these files only a few declarations are ours.
    [FILES.generics, append, []],
    [FILES.defaults, append, []],
    [FILES.generics, text => append(text.replaceAll('\n', '\r\n')), []]
  ];
  for (const name of ['baileys', 'baileys-6.17.16']) {
    for (const [file, change, left] of CASES) {
      const kind = left.length === 0 ? 'with nothing of ours changed' : 'changed';
      test(`${name}: ${file} ${kind}${change === append ? '' : ', in one place'}`, async t => {
        const project = makeProject(t);
        const root = project.copyPackage(name, `node_modules/${name}`);
        edit(join(root, file), change);
        const { ours, patched, warnings } = await run(project, name);
        assert.deepEqual([ours, patched], [without(...left), 1]);
        assert.equal(warnings.length, left.length > 0 ? 1 : 0, warnings.join('\n'));
        if (left.length === 0) return;
        assert.match(
          warnings[0],
          /^\[BAILEYS_NATIVE_PATCHED\] \w+: In baileys \S+ at .*, baileys-native does not replace /
        );
        for (const each of [root, file, ...left]) assert.ok(warnings[0].includes(each), `${each}: ${warnings[0]}`);
      });
    }
  }

  test('without a patch there is no warning, and an environment variable can exclude the waits', async t => {
    const project = makeProject(t);
    assert.deepEqual(await run(project, 'baileys'), { ours: REPLACED, patched: 0, warnings: [] });
    for (const name of ['baileys', 'baileys-6.17.16']) {
      const expected = { ours: without('promiseTimeout'), patched: 0, warnings: [] };
      assert.deepEqual(await run(project, name, { BAILEYS_NATIVE_PROMISE_TIMEOUT: 'off' }), expected);
    }
  });
});

describe('a fork of Baileys', () => {
  test('a fork with the files of a known release is replaced; its name and version do not matter', async t => {
    const project = makeProject(t);
    for (const name of ['baileys', 'baileys-6.7.24', 'baileys-6.17.16']) {
      const root = project.copyPackage(name, 'node_modules/fork', { name: 'fork', version: '9.1.0' });
      edit(join(root, FILES.defaults), append);
      assert.deepEqual(await run(project, 'fork'), { ours: REPLACED, patched: 1, warnings: [] });
    }
  });

  test('a fork with changed files is not replaced and causes one notice, unless it is named', async t => {
    const project = makeProject(t);
    for (const name of ['baileys', 'baileys-6.17.16']) {
      const root = project.copyPackage(name, 'node_modules/@some/fork', { name: '@some/fork', version: '9.1.0' });
      edit(join(root, FILES.encode), append);
      const found = await run(project, '@some/fork');
      assert.deepEqual([found.ours, found.patched, found.warnings.length], [[], 1, 1]);
      assert.match(
        found.warnings[0],
        /^\[BAILEYS_NATIVE_FORK\] \w+: @some\/fork 9\.1\.0 at .* is a fork of Baileys and is not replaced/
      );
      assert.ok(found.warnings[0].endsWith(`these parts were changed: ${FILES.encode}`), found.warnings[0]);
      const named = await run(project, '@some/fork', { BAILEYS_NATIVE_PACKAGES: 'other, @some/fork' });
      assert.deepEqual([named.ours, named.patched], [without('encodeBinaryNode'), 1]);
      assert.equal(named.warnings.length, 1);
      assert.match(
        named.warnings[0],
        /^\[BAILEYS_NATIVE_PATCHED\] \w+: In @some\/fork 9\.1\.0 .* does not replace encodeBinaryNode,/
      );
    }
  });

  test('another package that has one file of the same path is not replaced', async t => {
    const project = makeProject(t);
    project.write('node_modules/other/package.json', '{ "name": "other", "type": "module" }');
    project.write(`node_modules/other/${FILES.encode}`, 'export const encodeBinaryNode = () => "own";');
    project.write(
      'app.mjs',
      `import { encodeBinaryNode } from 'other/${FILES.encode}'; console.log(encodeBinaryNode());`
    );
    const { stdout, stderr } = await project.run([...FLAG, 'app.mjs']);
    assert.deepEqual([stdout, stderr], ['own\n', '']);
  });
});
