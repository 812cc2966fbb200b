import assert from 'node:assert/strict';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FILES, OFF_QUERY, RELEASES } from '../../scripts/shared/baileys.mjs';
import targets from '../../js/loader/targets.cjs';
import { makeProject } from './support/project.mjs';
import { REPLACED } from './support/replaced-names.mjs';

const { SUPPORTED } = targets;

/** The index does not export the socket class. */
const FROM_INDEX = REPLACED.filter(name => name !== 'WebSocketClient');
const LINES = RELEASES.map(release => release.packageName);
const FLAGS = ['--import', '--require'];

/** Source of a function that names the replaced exports among those of a module. */
const OURS = `const ours = module => Object.keys(module).filter(name => module[name]?.[Symbol.for('baileys-native')] === true).sort();
`;

/**
 * Prints which exports of a package are ours: of its index, and the socket class, which the index does not export.
 *
 * @param {string} name
 */
const esmProbe = name => `${OURS}
import * as index from '${name}';
import * as client from '${name}/${FILES.client}';
console.log(JSON.stringify([...ours(index), ...ours(client)]));
`;

/** @param {string} name */
const cjsProbe = name => `${OURS}
console.log(JSON.stringify([...ours(require('${name}')), ...ours(require('${name}/${FILES.client}'))]));
`;

const ALL = [...FROM_INDEX, 'WebSocketClient'];

/** Our exports in required ES modules: without synchronous hooks a file with other exports is not replaced. */
const REQUIRED = Module.registerHooks === undefined ? ALL.filter(name => name !== 'promiseTimeout') : ALL;

/**
 * @param {{ code: unknown, stdout: string, stderr: string }} result
 * @param {string[]} expected
 */
function assertOurs(result, expected) {
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(JSON.parse(result.stdout), expected, result.stderr);
}

/** @param {{ stderr: string }} result */
function warnings({ stderr }) {
  return stderr.match(/\[BAILEYS_NATIVE_\w+\]/g) ?? [];
}

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

describe('register together with other loaders', () => {
  test('register works with tsx loaded before and after it, for both module kinds of TypeScript', async t => {
    const project = makeProject(t);
    project.write('esm/package.json', '{ "type": "module" }');
    const source = name => `${OURS.replace('module =>', '(module: any) =>')}
      import * as index from '${name}';
      import * as client from '${name}/${FILES.client}';
      console.log(JSON.stringify([...ours(index), ...ours(client)] as string[]));`;
    // CommonJS by --require: from a file that --import tsx has made CommonJS, Node 20 can load neither JSON nor ES
    // modules.
    const runs = [
      ['--import', 'tsx', 'esm/app.ts', 'baileys'],
      ['--import', 'tsx', 'esm/app.ts', 'baileys-6.17.16'],
      ['--require', 'tsx/cjs', 'app.cts', 'baileys-6.17.16'],
      ['--require', 'tsx/cjs', 'app.cts', 'baileys-6.7.24']
    ];
    for (const [flag, tsx, app, line] of runs) {
      project.write(app, source(line));
      const ours = [flag, 'baileys-native/register'];
      assertOurs(await project.run([flag, tsx, ...ours, app]), ALL);
      assertOurs(await project.run([...ours, flag, tsx, app]), ALL);
    }
  });

  test('register works with the tsx command and the flag in NODE_OPTIONS', async t => {
    const project = makeProject(t);
    const options = { NODE_OPTIONS: '--import baileys-native/register' };
    for (const [app, line] of [
      ['app.mts', 'baileys'],
      ['app.ts', 'baileys-6.7.24'],
      ['app.ts', 'baileys-6.17.16']
    ]) {
      project.write(app, esmProbe(line).replace('module =>', '(module: any) =>'));
      assertOurs(await project.run(['node_modules/tsx/dist/cli.mjs', app], options), ALL);
    }
  });

  test('module mocks of other loaders have priority', async t => {
    const project = makeProject(t);
    // Like mock loaders: the mocked file gets a query and another source.
    project.write(
      'mocks.mjs',
      `export async function resolve(specifier, context, nextResolve) {
        const resolved = await nextResolve(specifier, context);
        return resolved.url.endsWith('/noise-handler.js') ? { ...resolved, url: resolved.url + '?mock=1' } : resolved;
      }
      export async function load(url, context, nextLoad) {
        if (!url.endsWith('?mock=1')) return nextLoad(url, context);
        return { format: 'module', source: 'export const makeNoiseHandler = "mock";', shortCircuit: true };
      }`
    );
    project.write('mock.mjs', `import { register } from 'node:module'; register('./mocks.mjs', import.meta.url);`);
    project.write(
      'app.mjs',
      `${OURS} import * as baileys from 'baileys'; console.log(baileys.makeNoiseHandler, ours(baileys).length);`
    );
    const ours = ['--import', 'baileys-native/register'];
    const mocks = ['--import', './mock.mjs'];
    for (const flags of [
      [...ours, ...mocks],
      [...mocks, ...ours]
    ]) {
      const { stdout, stderr } = await project.run([...flags, 'app.mjs']);
      assert.equal(stdout, 'mock 5\n', stderr);
    }
  });

  test('a mock in the require cache has priority', async t => {
    const project = makeProject(t);
    project.write(
      'app.cjs',
      `${OURS}
      const filename = require.resolve('baileys-6.17.16/${FILES.noiseHandler}');
      require.cache[filename] = { id: filename, filename, loaded: true, exports: { makeNoiseHandler: 'mock' } };
      const baileys = require('baileys-6.17.16');
      console.log(baileys.makeNoiseHandler, ours(baileys).length);`
    );
    const { stdout, stderr } = await project.run(['--require', 'baileys-native/register', 'app.cjs']);
    assert.equal(stdout, 'mock 5\n', stderr);
  });

  test('register can be loaded several times: by import, require() and both flags', async t => {
    const project = makeProject(t);
    project.write(
      'app.mjs',
      `import { createRequire } from 'node:module';
      import Module from 'node:module';
      const compile = Module.prototype._compile;
      const first = await import('baileys-native/register');
      const second = createRequire(import.meta.url)('baileys-native/register');
      if (!first.isActive() || !second.isActive() || compile !== Module.prototype._compile) process.exitCode = 1;
      await import('./probe.mjs');`
    );
    project.write('probe.mjs', esmProbe('baileys'));
    const flags = ['--require', 'baileys-native/register', '--import', 'baileys-native/register'];
    const result = await project.run([...flags, 'app.mjs']);
    assertOurs(result, ALL);
    assert.equal(result.stderr, '');
  });

  test('register works in worker threads, which inherit the flags', async t => {
    const project = makeProject(t);
    project.write('esm.mjs', esmProbe('baileys'));
    project.write('cjs.cjs', cjsProbe('baileys-6.17.16'));
    for (const flag of FLAGS) {
      for (const file of ['esm.mjs', 'cjs.cjs']) {
        project.write(
          'app.mjs',
          `import { once } from 'node:events';
          import { Worker } from 'node:worker_threads';
          const [code] = await once(new Worker(new URL('./${file}', import.meta.url)), 'exit');
          process.exitCode = code;`
        );
        assertOurs(await project.run([flag, 'baileys-native/register', 'app.mjs']), ALL);
      }
    }
  });
});

/** @param {string} name */
function installedVersion(name) {
  return JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;
}

/**
 * @param {string} file
 * @param {string} text
 */
function append(file, text) {
  writeFileSync(file, readFileSync(file, 'utf8').replace(/\n\/\/# sourceMappingURL.*$/, '') + text);
}
