// What register leaves as it is in the modules of Baileys, and the options that it passes to the drop-in.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FILES, OFF_QUERY } from '../../scripts/shared/baileys.mjs';
import { makeProject } from './support/project.mjs';
import { LINES, OURS } from './support/replaced-probe.mjs';

describe('register does not change other properties of modules', () => {
  test('names and shape of every module', async t => {
    const project = makeProject(t);
    project.write(
      'app.mjs',
      `const shape = module => Object.entries(module).map(([name, value]) => [name, typeof value]);
      const shapes = [];
      for (const line of ${JSON.stringify(LINES)}) {
        shapes.push(shape(await import(line)));
        for (const file of ['Utils/noise-handler', 'Socket/Client/websocket', 'WABinary/encode', 'WABinary/decode', 'Utils/generics']) {
          shapes.push(shape(await import(line + '/lib/' + file + '.js')));
        }
      }
      console.log(JSON.stringify(shapes));`
    );
    const without = await project.run(['app.mjs']);
    const under = await project.run(['--import', 'baileys-native/register', 'app.mjs']);
    assert.equal(without.code, 0, without.stderr);
    assert.deepEqual(JSON.parse(under.stdout), JSON.parse(without.stdout), under.stderr);
  });

  test('exports that are not replaced, in both module kinds', async t => {
    const project = makeProject(t);
    const esm = project.copyPackage('baileys', 'node_modules/baileys');
    const cjs = project.copyPackage('baileys-6.17.16', 'node_modules/baileys-6.17.16');
    // In this file only `promiseTimeout` must be that of a release.
    const file = FILES.generics;
    append(join(esm, file), '\nexport const extra = { of: "esm" };\nexport default promiseTimeout;\n');
    append(join(cjs, file), '\nexports.extra = { of: "cjs" };\n');
    project.write(
      'app.mjs',
      `${OURS}
      const esm = await import('baileys/${file}');
      const original = await import('baileys/${file}?${OFF_QUERY}');
      const cjs = await import('baileys-6.17.16/${file}');
      console.log(JSON.stringify([
        ours(esm), esm.extra, esm.extra === original.extra, esm.default === original.promiseTimeout,
        ours(cjs.default), cjs.default.extra, cjs.extra
      ]));`
    );
    const { stdout, stderr } = await project.run(['--import', 'baileys-native/register', 'app.mjs']);
    const replaced = ['promiseTimeout'];
    const expected = [replaced, { of: 'esm' }, true, true, replaced, { of: 'cjs' }, { of: 'cjs' }];
    assert.deepEqual(JSON.parse(stdout), expected, stderr);
  });

  test('named imports through the index are the same functions as those of the files', async t => {
    const project = makeProject(t);
    project.write(
      'app.mjs',
      `import { makeNoiseHandler, encodeBinaryNode } from 'baileys';
      import * as star from 'baileys';
      import { makeNoiseHandler as direct } from 'baileys/${FILES.noiseHandler}';
      import { encodeBinaryNode as viaFolder } from 'baileys/${FILES.binary}';
      console.log(makeNoiseHandler === star.makeNoiseHandler, makeNoiseHandler === direct, encodeBinaryNode === viaFolder);`
    );
    const { stdout, stderr } = await project.run(['--import', 'baileys-native/register', 'app.mjs']);
    assert.equal(stdout, 'true true true\n', stderr);
  });

  test('original files can be loaded by their query', async t => {
    const project = makeProject(t);
    project.write(
      'app.mjs',
      `${OURS}
      import { createRequire } from 'node:module';
      const report = [];
      for (const line of ${JSON.stringify(LINES)}) {
        const replaced = await import(line + '/${FILES.encode}');
        const codec = await import(line + '/${FILES.encode}?${OFF_QUERY}');
        const noise = await import(line + '/${FILES.noiseHandler}?${OFF_QUERY}');
        const bytes = codec.encodeBinaryNode({ tag: 'iq', attrs: { id: '1' } });
        report.push([ours(replaced).length, ours(codec), ours(noise), Object.keys(noise).includes('makeNoiseHandler'), bytes.length]);
      }
      const required = createRequire(import.meta.url)('baileys-6.17.16/${FILES.noiseHandler}?${OFF_QUERY}');
      const imported = await import('baileys-6.17.16/${FILES.noiseHandler}?${OFF_QUERY}');
      report.push([ours(required), imported.default === required, imported.makeNoiseHandler === required.makeNoiseHandler]);
      console.log(JSON.stringify(report));`
    );
    const { stdout, stderr } = await project.run(['--import', 'baileys-native/register', 'app.mjs']);
    assert.ok(stdout, stderr);
    const [v7, v67, v617, cjs] = JSON.parse(stdout);
    for (const [replaced, codec, noise, named, length] of [v7, v67, v617]) {
      assert.deepEqual([replaced, codec, noise, named], [1, [], [], true]);
      assert.ok(length > 4);
    }
    assert.deepEqual(cjs, [[], true, true]);
  });

  test('a CommonJS original can be loaded before its replacement', async t => {
    const project = makeProject(t);
    project.write(
      'app.cjs',
      `${OURS}
      const file = 'baileys-6.17.16/${FILES.noiseHandler}';
      const original = require(file + '?${OFF_QUERY}');
      console.log(JSON.stringify([ours(original), ours(require(file)), require(file + '?${OFF_QUERY}') === original]));`
    );
    const { stdout, stderr } = await project.run(['--require', 'baileys-native/register', 'app.cjs']);
    assert.deepEqual(JSON.parse(stdout), [[], ['makeNoiseHandler'], true], stderr);
  });

  test('stack traces name the files and lines of Baileys', async t => {
    const project = makeProject(t);
    const program = load => `${load}
      try { new Client(); } catch (error) {
        console.log(error.stack.split('\\n').filter(line => line.includes('types.js')).join());
      }`;
    const esm = `import { AbstractSocketClient as Client } from 'baileys/${FILES.client}';
      Client.prototype.setMaxListeners = () => { throw new Error('traced'); };`;
    const cjs = `const { AbstractSocketClient: Client } = require('baileys-6.17.16/lib/Socket/Client');
      Client.prototype.setMaxListeners = () => { throw new Error('traced'); };`;
    project.write('app.mjs', program(esm));
    project.write('app.cjs', program(cjs));
    for (const app of ['app.mjs', 'app.cjs']) {
      const without = await project.run([app]);
      const under = await project.run(['--import', 'baileys-native/register', app]);
      assert.match(without.stdout, /types\.js:\d+:\d+/);
      assert.equal(under.stdout, without.stdout);
    }
  });
});

describe('options that register passes to the drop-in', () => {
  test('the dialect of the copy, once', async t => {
    const project = makeProject(t, { addon: 'double' });
    project.write(
      'app.mjs',
      `const facts = [];
      for (const line of ${JSON.stringify(LINES)}) {
        const { makeNoiseHandler, encodeBinaryNode } = await import(line);
        for (const { dialect } of [makeNoiseHandler(), encodeBinaryNode()]) facts.push(dialect);
      }
      console.log(facts.join());`
    );
    const { stdout, stderr } = await project.run(['--import', 'baileys-native/register', 'app.mjs']);
    assert.equal(stdout.trim(), '7,7,6.7,6.7,6.17,6.17', stderr);
  });

  test('the current WA_CERT_DETAILS of the same copy of Baileys', async t => {
    const project = makeProject(t, { addon: 'double' });
    const check = `
      const before = encodeBinaryNode().certDetails === WA_CERT_DETAILS;
      WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from('another');
      console.log(before, makeNoiseHandler().certDetails.PUBLIC_KEY.toString());`;
    const names = '{ encodeBinaryNode, makeNoiseHandler, WA_CERT_DETAILS }';
    const defaults = line => `${line}/${FILES.defaults}`;
    for (const line of LINES) {
      project.write(
        'app.mjs',
        `import { WA_CERT_DETAILS } from '${defaults(line)}'; import { encodeBinaryNode, makeNoiseHandler } from '${line}';${check}`
      );
      const { stdout, stderr } = await project.run(['--import', 'baileys-native/register', 'app.mjs']);
      assert.equal(stdout, 'true another\n', stderr);
      if (line !== 'baileys-6.17.16' && !process.features.require_module) continue;
      project.write('app.cjs', `const ${names} = { ...require('${defaults(line)}'), ...require('${line}') };${check}`);
      const required = await project.run(['--require', 'baileys-native/register', 'app.cjs']);
      assert.equal(required.stdout, 'true another\n', required.stderr);
    }
  });
});

/**
 * @param {string} file
 * @param {string} text
 */
function append(file, text) {
  writeFileSync(file, readFileSync(file, 'utf8').replace(/\n\/\/# sourceMappingURL.*$/, '') + text);
}
