/**
 * Installs the packages from a registry on loopback by npm, pnpm and Yarn, without a compiler in PATH, and runs a program
 * with the installed addon.
 */

import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeBinaryNode } from 'baileys';
import { stageMain, stagePlatform } from './packages.mjs';
import { startRegistry } from './registry.mjs';
import { PUBLISHED } from './targets.mjs';
import { provideNpm } from './tools.mjs';

const run = promisify(execFile);

/** Names of the published platforms. */
export const NAMES = PUBLISHED.map((/** @type {{ name: string }} */ { name }) => name);

const PROGRAM = `const { encodeBinaryNode } = require('baileys-native');
console.log(encodeBinaryNode({ tag: 'iq', attrs: { id: '1' } }).toString('hex'));`;
/** The result of Baileys' own encoder. */
const PRINTS = Buffer.from(encodeBinaryNode({ tag: 'iq', attrs: { id: '1' } })).toString('hex');

/** The only commands in PATH beside `node`. */
const COMMANDS = ['sh', 'tar'];

/** @param {string} staged @param {string} folder @returns {string} The path of the tarball. */
function pack(staged, folder) {
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: staged,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore']
  });
  const [{ filename }] = /** @type {{ filename: string }[]} */ (Object.values(JSON.parse(output)));
  return join(folder, filename);
}

/** The file of npm itself, which runs without its folder in PATH. */
function npmFile() {
  const root = execFileSync('npm', ['root', '--global'], { encoding: 'utf8' }).trim();
  return join(root, 'npm/bin/npm-cli.js');
}

/**
 * @typedef {object} Project
 * @property {string} project The folder.
 * @property {(...args: string[]) => Promise<{ stdout: string, stderr: string }>} node Runs Node.js in it.
 */

/**
 * Starts a registry with all packages of a release. Only the binary of one platform is real.
 *
 * @param {object} options
 * @param {string} options.platform
 * @param {string} options.binary
 * @param {{ command: string, args: string[] }} [options.runner] The Node.js that runs the package managers.
 * @param {number} options.timeout Time limit of one command, in milliseconds.
 */
export async function startRelease({ platform, binary, runner = { command: process.execPath, args: [] }, timeout }) {
  const folder = mkdtempSync(join(tmpdir(), 'baileys-native-managers-'));
  try {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, 'node'));
    for (const command of COMMANDS) {
      const path = execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim();
      symlinkSync(path, join(bin, command));
    }
    const empty = join(folder, 'empty.node');
    writeFileSync(empty, '');
    stageMain(join(folder, 'staged/main'), NAMES);
    for (const name of NAMES) stagePlatform(name, join(folder, 'staged', name), name === platform ? binary : empty);
    const registry = await startRegistry(['main', ...NAMES].map(name => pack(join(folder, 'staged', name), folder)));
    const env = {
      PATH: bin,
      npm_config_registry: registry.url,
      YARN_REGISTRY: registry.url,
      YARN_NPM_REGISTRY_SERVER: registry.url,
      YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
      YARN_ENABLE_TELEMETRY: '0',
      YARN_ENABLE_GLOBAL_CACHE: 'false',
      YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
      CI: 'true'
    };
    return {
      env,
      registry,
      /** @param {string} name @param {NodeJS.ProcessEnv} [more] @returns {Project} */
      makeProject(name, more = {}) {
        const project = join(folder, name);
        mkdirSync(project);
        writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'app', version: '1.0.0', private: true }));
        writeFileSync(join(project, 'app.cjs'), PROGRAM);
        // The caches of the managers are in the home folder. Each project has its own and downloads all of its packages.
        const home = `${project}.home`;
        mkdirSync(home);
        /** @param {string[]} args */
        const node = (...args) =>
          run(runner.command, [...runner.args, ...args], {
            cwd: project,
            // For root, Yarn 1 would use a folder of the system.
            env: { ...env, HOME: home, YARN_CACHE_FOLDER: join(home, 'yarn-cache'), ...more },
            timeout
          });
        return { project, node };
      },
      stop() {
        registry.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** @typedef {Awaited<ReturnType<typeof startRelease>>} PackedRelease */

/** @param {string} project @returns {string[]} Names of the installed packages with binaries. */
export const binariesIn = project =>
  readdirSync(join(project, 'node_modules')).filter(name => name.startsWith('baileys-native-'));

/**
 * @typedef {object} Manager A package manager.
 * @property {string} name
 * @property {() => string} file Installs it if it is missing. Returns its program for Node.js.
 * @property {string[]} add Arguments before the packages to install.
 * @property {NodeJS.ProcessEnv} [env]
 * @property {string[]} [flags] Flags of Node.js for programs in a project of this manager.
 */

const yarn4 = () => join(provideNpm('@yarnpkg/cli-dist@4.12.0'), 'bin/yarn.js');

/** @type {Manager[]} */
export const MANAGERS = [
  { name: 'npm', file: npmFile, add: ['install', '--no-audit', '--no-fund'] },
  { name: 'pnpm', file: () => join(provideNpm('pnpm@10.28.2'), 'bin/pnpm.cjs'), add: ['add'] },
  { name: 'Yarn 1', file: () => join(provideNpm('yarn@1.22.22'), 'bin/yarn.js'), add: ['add', '--non-interactive'] },
  { name: 'Yarn 4', file: yarn4, add: ['add'], env: { YARN_NODE_LINKER: 'node-modules' } },
  {
    name: "Yarn 4, Plug'n'Play",
    file: yarn4,
    add: ['add'],
    env: { YARN_NODE_LINKER: 'pnp' },
    // What `yarn node` adds. It would start a second Node.js, which is not possible under an emulator.
    flags: ['--require', './.pnp.cjs']
  }
];

/**
 * Runs the program in a project. Throws if it does not print the result of Baileys' own encoder.
 *
 * @param {Project} project
 * @param {Manager} manager
 */
export async function runProgram({ node }, { flags = [] }) {
  const { stdout } = await node(...flags, 'app.cjs');
  if (stdout.trim() !== PRINTS) throw new Error(`the program printed ${stdout.trim()} instead of ${PRINTS}`);
}

/**
 * Installs `baileys-native` into a new project and runs the program.
 *
 * @param {PackedRelease} release
 * @param {Manager} manager
 * @returns {Promise<{ project: string, served: string[] }>} `served`: the packages that the registry has sent.
 */
export async function installAndRun({ makeProject, registry }, manager) {
  const before = registry.served.length;
  const made = makeProject(manager.name.replaceAll(/\W+/g, '-'), manager.env);
  await made.node(manager.file(), ...manager.add, 'baileys-native');
  await runProgram(made, manager);
  return { project: made.project, served: registry.served.slice(before) };
}
