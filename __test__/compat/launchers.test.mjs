// Starts a bot by the lines and files of the documents, with launchers from npm. tsx, Vitest and worker threads are in
// examples.test.mjs; Bun and Deno in `npm run test:runtimes`.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { provideNpm } from '../../scripts/platforms/tools.mjs';
import { RUNTIMES } from '../../scripts/runtimes/runtimes.mjs';
import { ROOT } from '../../scripts/shared/root.mjs';
import { makeProject } from './support/project.mjs';

const run = promisify(execFile);
const options = { timeout: 600_000 };
const read = name => readFileSync(join(ROOT, name), 'utf8');

/** A bot that prints whether Baileys runs natively. */
const BOT = `const { replaced } = require('baileys-native');
import('baileys').then(({ makeWASocket }) => {
  console.log(typeof makeWASocket, replaced().length > 0 ? 'native' : 'JavaScript');
});`;
const NATIVE = 'function native\n';

/** The first line of a document with a command that matches. */
function lineOf(document, pattern) {
  const [, line] = Array.from(read(document).matchAll(/`([^`\n]+)`/g)).find(([, text]) => pattern.test(text)) ?? [];
  assert.ok(line, `${document} has no line for ${pattern}`);
  return line;
}

/** Runs a command line in the folder of a project, as a shell does. */
function shell(directory, line, more = {}) {
  const { NODE_OPTIONS: _, BAILEYS_NATIVE: __, ...env } = process.env;
  return run('sh', ['-c', line], { cwd: directory, env: { ...env, ...more }, timeout: options.timeout });
}

test('node: the lines of README.md, for ES modules and CommonJS', options, async t => {
  const project = makeProject(t);
  project.write('bot.js', BOT);
  project.write('bot.mjs', BOT.replace(/^.*\n/, "import { replaced } from 'baileys-native';\n"));
  project.write('first-line.cjs', `require('baileys-native/register');\n${BOT}`);
  for (const line of [
    lineOf('README.md', /^node .*bot\.mjs$/),
    lineOf('docs/launchers.md', /^node --import .* bot\.js$/),
    lineOf('docs/launchers.md', /^node --require .*bot\.cjs$/).replace('bot.cjs', 'bot.js'),
    'node first-line.cjs'
  ]) {
    const { stdout } = await shell(project.directory, line);
    assert.equal(stdout, NATIVE, line);
  }
});

test('ts-node: the line of README.md, for CommonJS', options, async t => {
  const project = makeProject(t);
  symlinkSync(provideNpm('ts-node@10.9.2'), join(project.directory, 'node_modules/ts-node'));
  // CommonJS loads the release of Baileys that is CommonJS on every version of Node.js.
  project.write(
    'bot.ts',
    `import { makeWASocket } from 'baileys-6.17.16';
    import { replaced } from 'baileys-native';
    const kind: string = typeof makeWASocket;
    console.log(kind, replaced().length > 0 ? 'native' : 'JavaScript');`
  );
  project.write(
    'tsconfig.json',
    '{ "compilerOptions": { "module": "commonjs", "target": "es2022", "esModuleInterop": true } }'
  );
  const line = lineOf('README.md', /ts-node\/register/);
  assert.equal(lineOf('docs/launchers.md', /ts-node\/register/), line);
  const { stdout } = await shell(project.directory, line, { TS_NODE_TRANSPILE_ONLY: 'true' });
  assert.equal(stdout, NATIVE);
});

test('Bun and Deno: the lines of the documents are those that `npm run test:runtimes` runs', () => {
  for (const { name, requirement, botArgs } of RUNTIMES) {
    if (requirement === undefined) continue;
    const line = [name, ...botArgs('bot.js')].join(' ');
    for (const document of ['README.md', 'docs/launchers.md']) {
      assert.equal(lineOf(document, new RegExp(`^${name} .*bot\\.js$`)), line, document);
    }
    assert.ok(read('docs/register.md').includes(`\n${line}\n`), line);
  }
});

test('systemd: the command of docs/launchers.md works in its working directory', options, async t => {
  const [, unit] = /```ini\n([\s\S]*?)```/.exec(read('docs/launchers.md'));
  const [, folder] = /^WorkingDirectory=(.*)$/m.exec(unit);
  const [, command] = /^ExecStart=\/usr\/bin\/(.*)$/m.exec(unit);
  assert.equal(folder, '/app');
  const project = makeProject(t);
  project.write('bot.js', BOT);
  const { stdout } = await shell(project.directory, command);
  assert.equal(stdout, NATIVE);
});

test('Docker: the CMD of each Dockerfile works in its working directory', options, async t => {
  const project = makeProject(t);
  project.write('bot.js', BOT);
  for (const name of ['Dockerfile.debian', 'Dockerfile.alpine']) {
    const text = read(`examples/docker/${name}`);
    assert.match(text, /^WORKDIR \/app$/m);
    const [command, ...args] = JSON.parse(/^CMD (\[.*\])$/m.exec(text)[1]);
    assert.ok(read('docs/launchers.md').includes(JSON.stringify([command, ...args]).replaceAll(',', ', ')));
    const { stdout } = await run(command, args, { cwd: project.directory });
    assert.equal(stdout, NATIVE, name);
  }
});

/** A bot that appends its result to a file and goes on, as a bot does. */
const LONG_BOT = `console.log = (...words) => require('node:fs').appendFileSync(__dirname + '/result', words.join(' ') + '\\n');
${BOT}
setInterval(() => {}, 1_000);`;

/** Waits until a file has a content: the daemon, the bot and Baileys start one after another. Resolves with false if not. */
async function appears(file) {
  const end = Date.now() + options.timeout / 2;
  while (Date.now() < end) {
    if (existsSync(file) && readFileSync(file, 'utf8') !== '') return true;
    await pause(100);
  }
  return false;
}

/** The ecosystem files of docs/launchers.md, by their mode. */
function ecosystems() {
  const blocks = Array.from(read('docs/launchers.md').matchAll(/```js\n(module\.exports = \{[\s\S]*?)```/g));
  return blocks.map(([, code]) => ({ code, mode: /exec_mode: '(\w+)'/.exec(code)?.[1] ?? 'fork' }));
}

test(
  'pm2: each ecosystem file of docs/launchers.md starts the bot natively',
  { timeout: 2 * options.timeout },
  async t => {
    const pm2 = join(provideNpm('pm2@7.0.4'), 'bin/pm2');
    assert.deepEqual(
      ecosystems().map(({ mode }) => mode),
      ['fork', 'cluster']
    );
    for (const { code, mode } of ecosystems()) {
      await t.test(mode, options, async t => {
        const project = makeProject(t);
        const directory = realpathSync(project.directory);
        project.write('bot.js', LONG_BOT);
        project.write('ecosystem.config.js', code.replaceAll('/app', directory));
        const { NODE_OPTIONS: _, BAILEYS_NATIVE: __, ...inherited } = process.env;
        const env = { ...inherited, PM2_HOME: join(directory, '.pm2') };
        // The daemon starts in another folder: register must not be resolved from there.
        const call = (...args) =>
          run(process.execPath, [pm2, ...args], { cwd: tmpdir(), env, timeout: options.timeout / 2 });
        t.after(() => call('kill'));
        await call('start', join(directory, 'ecosystem.config.js'));
        const file = join(directory, 'result');
        if (!(await appears(file))) assert.fail((await call('logs', '--nostream', '--lines', '50')).stdout);
        assert.equal(readFileSync(file, 'utf8'), NATIVE);
      });
    }
  }
);

const ESM_BOT = `import { replaced } from 'baileys-native';
import { makeWASocket } from 'baileys';
console.log(typeof makeWASocket, replaced().length > 0 ? 'native' : 'JavaScript');`;

test('bundlers: the options of docs/launchers.md keep both packages outside', options, async t => {
  const text = read('docs/launchers.md');
  const flag = ['--import', 'baileys-native/register'];
  const project = makeProject(t);
  project.write('bot.mjs', ESM_BOT);
  const esbuild = ['node_modules/esbuild/bin/esbuild', 'bot.mjs', '--bundle', '--platform=node', '--format=esm'];
  for (const external of ['--packages=external', '--external:baileys --external:baileys-native']) {
    assert.ok(text.includes(`\`${external}\``), external);
    await shell(project.directory, [...esbuild, '--outfile=dist.mjs', external].join(' '));
    assert.equal((await project.run([...flag, 'dist.mjs'])).stdout, NATIVE, external);
  }
  const [, externals] = /webpack: `(externals: \{.*?\})`/.exec(text);
  project.write(
    'build.cjs',
    `require(${JSON.stringify(provideNpm('webpack@5.113.0'))})(
      {
        mode: 'production',
        target: 'node',
        entry: './bot.mjs',
        experiments: { outputModule: true },
        output: { path: __dirname, filename: 'packed.mjs', module: true },
        externalsType: 'module',
        ${externals}
      },
      (error, stats) => {
        if (error || stats.hasErrors()) throw error ?? new Error(stats.toString());
      }
    );`
  );
  const built = await project.run(['build.cjs']);
  assert.equal(built.code, 0, built.stderr);
  assert.equal((await project.run([...flag, 'packed.mjs'])).stdout, NATIVE);
});

test('bundlers: the binary is copied beside a bundle of this package', options, async t => {
  const [, flags] = /`esbuild (--bundle [^`]*)`/.exec(read('docs/launchers.md'));
  const project = makeProject(t);
  project.write(
    'app.cjs',
    `const { encodeBinaryNode } = require('baileys-native');
    console.log(encodeBinaryNode({ tag: 'iq', attrs: {} }).length);`
  );
  await shell(
    project.directory,
    `node_modules/esbuild/bin/esbuild app.cjs ${flags} --outfile=dist/app.cjs --log-level=error`
  );
  const { stdout, stderr } = await project.run(['dist/app.cjs']);
  assert.equal(stdout, '4\n', stderr);
});

test('Vitest 4: the option of docs/launchers.md', options, async t => {
  const row = read('docs/launchers.md')
    .split('\n')
    .find(line => line.startsWith('| Vitest 4'));
  const [, option] = /`(execArgv: [^`]*)`/.exec(row);
  const project = makeProject(t);
  for (const name of ['echo.mjs', 'echo.test.mjs']) project.write(name, read(`examples/vitest/${name}`));
  project.write(
    'vitest.config.mjs',
    `export default { test: { pool: 'forks', ${option}, testTimeout: 60_000, hookTimeout: 60_000 } };`
  );
  rmSync(join(project.directory, 'node_modules/vitest'));
  symlinkSync(provideNpm('vitest@4.1.12'), join(project.directory, 'node_modules/vitest'));
  const { stdout, stderr, code } = await project.run(['node_modules/vitest/vitest.mjs', 'run'], { NO_COLOR: '1' });
  assert.match(stdout, /Tests +1 passed/, stdout + stderr);
  assert.equal(code, 0);
});
