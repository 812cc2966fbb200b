'use strict';

// Checks how the bot is started: NODE_OPTIONS, scripts of package.json, process managers, containers, bundlers, test
// runners.

const { existsSync, readFileSync, readdirSync, statSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname, extname, join, relative, resolve } = require('node:path');
const { fault, note, ok, skipped, warning } = require('./results.cjs');

const REGISTER_FILE = join(__dirname, '../../loader/register.mjs');
const RIGHT_LINE = 'node --import baileys-native/register bot.js';
/** The largest file that is searched, in bytes. */
const MAX_SOURCE = 32 * 1024 * 1024;

/** Matches a flag that loads a module of this package, in a command line or in NODE_OPTIONS. */
const FLAG = /(?:^|\s)(--import|--require|-r|--loader|--experimental-loader)[ =]["']?([^\s"']*baileys-native[^\s"']*)/g;
/** The module that the flag must name. */
const REGISTER = /baileys-native\/(?:register|js\/loader\/register\.(?:mjs|cjs))$/;

/** @param {string} path */
function readText(path) {
  try {
    return statSync(path).size > MAX_SOURCE ? '' : readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** @param {string} text */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/**
 * Checks the flags in one command line.
 *
 * @param {string} text
 * @param {string} where Name of the place, for the message.
 * @returns {import('./results.cjs').Result[]} Empty if no flag of the line names this package.
 */
function judgeFlags(text, where) {
  return Array.from(text.matchAll(FLAG), ({ 1: flag, 2: target, index }) => {
    const advice = `Use: ${RIGHT_LINE}`;
    if (!REGISTER.test(target)) {
      return fault('flag', `${where} has ${flag} ${target}, which installs no hooks`, { advice });
    }
    if (flag.includes('loader')) {
      return fault('flag', `${where} has ${flag}; register installs its own hooks and is no loader`, { advice });
    }
    // Node passes flags after the program to the program.
    const program = /\bnode(?:\.exe)?\s+(?:-{1,2}[\w-]+(?:[= ]\S+)?\s+)*([^\s-]\S*\.[cm]?[jt]sx?)\b/.exec(text);
    if (program !== null && program.index + program[0].length <= index) {
      return fault('flag', `${where} has ${flag} behind ${program[1]}, where Node.js does not read it`, { advice });
    }
    return ok('flag', `${where} has ${flag} ${target}`);
  });
}

/** Files of process managers and containers. */
const LAUNCH_FILES = /^(?:ecosystem\.config\.[cm]?js|Dockerfile.*|.*\.service|(?:docker-)?compose\.ya?ml)$/;

/**
 * Checks the flags in a file of a process manager or container.
 *
 * @param {string} text
 * @param {string} name
 */
function judgeFile(text, name) {
  const results = judgeFlags(text.replace(/[",[\]]+\s*/g, ' '), name);
  // pm2 starts the processes of a cluster in the folder of its daemon.
  const isCluster = name.startsWith('ecosystem.') && /\bexec_mode\b\W+cluster|\binstances\b\W+(?!1\b)\w/.test(text);
  if (!isCluster || !/baileys-native\/register\b/.test(text)) return results;
  return [
    fault('flag', `${name} has baileys-native/register in cluster mode, where pm2 does not resolve it from cwd`, {
      advice: `Use node_args: '--import ${REGISTER_FILE}'`
    })
  ];
}

/** @param {string} directory @param {NodeJS.ProcessEnv} [env] */
function checkFlags(directory, env = process.env) {
  const manifest = parseJson(readText(join(directory, 'package.json')));
  const scripts = Object.entries(manifest.scripts ?? {}).filter(([, text]) => typeof text === 'string');
  const results = [
    ...judgeFlags(env.NODE_OPTIONS ?? '', 'NODE_OPTIONS'),
    ...scripts.flatMap(([name, text]) => judgeFlags(text, `The script "${name}"`)),
    ...filesNamed(directory, LAUNCH_FILES).flatMap(name => judgeFile(readText(join(directory, name)), name))
  ];
  if (results.length > 0) return results;
  const advice = `Start the bot with: ${RIGHT_LINE}`;
  return [note('flag', 'Nothing here starts a program with baileys-native/register', { advice })];
}

/** @param {string} directory @param {RegExp} pattern */
function filesNamed(directory, pattern) {
  try {
    return readdirSync(directory).filter(name => pattern.test(name));
  } catch {
    return [];
  }
}

/**
 * Checks that `--import baileys-native/register` resolves: Node resolves it from the working directory.
 *
 * @param {string} directory
 */
function checkResolution(directory) {
  try {
    const file = createRequire(join(directory, 'package.json')).resolve('baileys-native/register');
    return ok('resolve', `baileys-native/register is found from ${directory}`, { data: { file } });
  } catch {
    return fault('resolve', `--import baileys-native/register is not found from ${directory}, the working directory`, {
      advice: `Start in the bot's folder, or name the file: NODE_OPTIONS="--import ${REGISTER_FILE}"`
    });
  }
}

/**
 * The path of the program: the given file, or the one that package.json starts.
 *
 * @param {string} directory
 * @param {string | undefined} file
 */
function programOf(directory, file) {
  if (file !== undefined) return resolve(directory, file);
  const { scripts, main } = parseJson(readText(join(directory, 'package.json')));
  const started = /(\S+\.[cm]?[jt]sx?)(?:\s|$)/.exec(scripts?.start ?? '')?.[1];
  const found = [started, main, 'bot.js', 'index.js', 'bot.mjs', 'index.mjs'].find(
    name => typeof name === 'string' && existsSync(join(directory, name))
  );
  return found === undefined ? undefined : join(directory, found);
}

/** @param {string} path */
function isModule(path) {
  const extension = extname(path);
  if (extension === '.mjs' || extension === '.mts') return true;
  if (extension === '.cjs' || extension === '.cts') return false;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const text = readText(join(folder, 'package.json'));
    if (text !== '') return parseJson(text).type === 'module';
    if (dirname(folder) === folder) return false;
  }
}

const BAILEYS = '(?:@whiskeysockets/)?baileys';

/**
 * Checks the program for bundled copies of Baileys and for imports of register that are too late.
 *
 * @param {string} directory
 * @param {string | undefined} file
 */
function checkProgram(directory, file) {
  const path = programOf(directory, file);
  if (path === undefined) {
    return [skipped('program', 'No program is known here; name it: baileys-native doctor bot.js')];
  }
  const name = relative(directory, path) || path;
  if (!existsSync(path)) return [fault('program', `${name} does not exist`)];
  const text = readText(path);
  const results = [];
  if (/Noise_XX_25519_AESGCM_SHA256/.test(text) && /makeNoiseHandler/.test(text)) {
    results.push(
      fault('program', `${name} contains Baileys, probably from a bundler. Hooks cannot replace it there`, {
        advice: 'Mark both packages as external, for example esbuild --external:baileys --external:baileys-native'
      })
    );
  }
  const module = isModule(path);
  const register = module
    ? /^\s*import\s+(?:[^'"]*\sfrom\s+)?['"]baileys-native\/register['"]/m.exec(text)
    : /\brequire\(\s*['"]baileys-native\/register['"]\s*\)/.exec(text);
  const baileys = module
    ? new RegExp(`^\\s*import\\s+(?!type\\b)(?:[^'"]*?\\sfrom\\s+)?['"]${BAILEYS}['"]`, 'm').exec(text)
    : new RegExp(`\\brequire\\(\\s*['"]${BAILEYS}['"]\\s*\\)`).exec(text);
  if (register !== null && baileys !== null && (module || baileys.index < register.index)) {
    const reason = module
      ? 'Node.js links all static imports before it runs the first'
      : 'Baileys is loaded before it, a few lines above';
    const advice = module
      ? `Use the flag: node --import baileys-native/register ${name}`
      : "Make require('baileys-native/register') the first line.";
    results.push(fault('program', `${name} loads baileys-native/register too late: ${reason}`, { advice }));
  }
  return results.length > 0 ? results : [ok('program', `${name} has nothing that keeps register from working`)];
}

/**
 * Tools that start programs or load modules in their own way, each with a hint. A project uses a tool if it has the file
 * or the dependency.
 */
const TOOLS = [
  {
    tool: 'Jest',
    dependency: 'jest',
    files: /^jest\.config\./,
    hint: 'has a module registry of its own: tests run on JavaScript'
  },
  {
    tool: 'Vitest',
    dependency: 'vitest',
    files: /^vitest\.config\./,
    hint: 'needs execArgv: ["--import", "baileys-native/register"] for its pool forks, and no deps.inline of baileys (docs/launchers.md)'
  },
  {
    tool: 'pm2',
    dependency: 'pm2',
    files: /^ecosystem\.config\.[cm]?js$/,
    hint: 'in fork mode takes the flag as node_args: "--import baileys-native/register", with cwd set to the bot\'s folder (docs/launchers.md)'
  },
  {
    tool: 'A bundler',
    dependency: 'esbuild',
    files: /^(?:webpack|rollup|tsup|vite|rspack)\.config\./,
    hint: 'must leave baileys and baileys-native external'
  },
  {
    tool: 'patch-package',
    dependency: 'patch-package',
    files: /^patches$/,
    hint: 'changes files of packages: a changed file of Baileys is not replaced'
  }
];

/** @param {string} directory */
function checkTools(directory) {
  const { dependencies, devDependencies } = parseJson(readText(join(directory, 'package.json')));
  const installed = { ...dependencies, ...devDependencies };
  return TOOLS.filter(
    ({ dependency, files }) => Object.hasOwn(installed, dependency) || filesNamed(directory, files).length > 0
  ).map(({ tool, hint }) => note('tools', `${tool} ${hint}`));
}

/** Checks NODE_OPTIONS for flags that prevent addons from being loaded. */
function checkPermissions(env = process.env) {
  const options = env.NODE_OPTIONS ?? '';
  if (/--(?:experimental-)?permission\b/.test(options) && !options.includes('--allow-addons')) {
    return [fault('flag', 'NODE_OPTIONS has --permission without --allow-addons', { advice: 'Add --allow-addons.' })];
  }
  if (/--no-addons\b/.test(options)) return [warning('flag', 'NODE_OPTIONS has --no-addons: the binary is not loaded')];
  return [];
}

module.exports = { checkFlags, checkPermissions, checkProgram, checkResolution, checkTools, judgeFlags };
