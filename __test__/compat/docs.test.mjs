// The documents: checks the code blocks of README.md and docs, that every code of a warning or error is explained, that
// named files exist, and the spelling.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import ts from 'typescript';
import { ROOT } from '../../scripts/shared/root.mjs';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const { judgeFlags } = require('../../js/cli/doctor/launch.cjs');

const options = { timeout: 600_000 };
const DOCUMENTS = ['.', 'docs', 'examples', 'examples/cluster']
  .flatMap(folder => readdirSync(join(ROOT, folder)).map(name => join(folder, name)))
  .filter(name => name.endsWith('.md'));
const read = name => readFileSync(join(ROOT, name), 'utf8');

/** @returns {{ document: string, line: number, language: string, code: string }[]} */
function blocks() {
  return DOCUMENTS.flatMap(document => {
    const text = read(document);
    return Array.from(text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm), ({ 1: language, 2: code, index }) => ({
      document,
      line: text.slice(0, index).split('\n').length + 1,
      language,
      code
    }));
  });
}

/** Languages of code blocks. JavaScript, TypeScript and shell are checked below, the others are no code to run. */
const LANGUAGES = ['js', 'ts', 'sh', 'ini', 'json', 'mermaid', 'text'];

test('each code block has a known language', () => {
  const fences = DOCUMENTS.flatMap(name => read(name).match(/^ *(?:```|~~~)/gm) ?? []);
  const found = blocks();
  assert.equal(fences.length, 2 * found.length);
  assert.deepEqual(
    found.filter(({ language }) => !LANGUAGES.includes(language)),
    []
  );
});

/** Names that a code block may use without declaring them. They are added if the block does not declare them. */
const SURROUNDINGS = {
  sock: value('sock', "import('baileys').WASocket"),
  state: value('state', "import('baileys').AuthenticationState"),
  server: value('server', "import('baileys-native/testing').MockServer"),
  session: value('session', "import('baileys-native').NativeSession"),
  connection: value('connection', "import('baileys-native/testing').Connection"),
  renewLock: value('renewLock', '(ms: number) => Promise<void>'),
  makeWASocket: "import { makeWASocket } from 'baileys';",
  MockServer: "import { MockServer } from 'baileys-native/testing';",
  NativeSession: "import { NativeSession } from 'baileys-native';"
};

/** The declaration of a value of a type, in JavaScript and TypeScript. */
function value(name, type) {
  return {
    mjs: `/** @type {${type}} */ const ${name} = /** @type {any} */ (undefined);`,
    mts: `declare const ${name}: ${type};`
  };
}

/** Names that a source declares anywhere. */
function declared(source) {
  const names = new Set();
  const visit = node => {
    if ((ts.isVariableDeclaration(node) || ts.isParameter(node)) && ts.isIdentifier(node.name))
      names.add(node.name.text);
    if (ts.isBindingElement(node) && ts.isIdentifier(node.name)) names.add(node.name.text);
    if (ts.isImportSpecifier(node) || ts.isImportClause(node) || ts.isNamespaceImport(node)) {
      if (node.name) names.add(node.name.text);
    }
    if (ts.isFunctionDeclaration(node) && node.name) names.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

test('each JavaScript and TypeScript block passes the type check', options, () => {
  const found = blocks().filter(({ language }) => ['js', 'ts'].includes(language));
  assert.ok(found.length >= 14, `${found.length} blocks`);
  const directory = join(ROOT, 'target/docs-blocks');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const places = new Map();
  for (const [index, { document, line, language, code }] of found.entries()) {
    const extension = language === 'ts' ? 'mts' : 'mjs';
    const source = ts.createSourceFile('block.mts', code, ts.ScriptTarget.Latest, true);
    const own = declared(source);
    const needed = Object.entries(SURROUNDINGS)
      .filter(([name]) => !own.has(name) && new RegExp(`\\b${name}\\b`).test(code))
      .map(([, text]) => (typeof text === 'string' ? text : text[extension]));
    const file = join(directory, `block-${index}.${extension}`);
    writeFileSync(file, `${needed.join(' ')}\n${code}\nexport {};\n`);
    places.set(file, `${document}:${line}`);
  }
  // TypeScript is checked strictly, JavaScript like in an editor: names, members and arguments.
  const diagnostics = ['mts', 'mjs'].flatMap(extension => {
    const files = [...places.keys()].filter(file => file.endsWith(extension));
    const program = ts.createProgram(files, {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts'],
      types: ['node'],
      strict: extension === 'mts',
      allowJs: true,
      checkJs: true,
      noEmit: true,
      skipLibCheck: true
    });
    return ts.getPreEmitDiagnostics(program);
  });
  const wrong = diagnostics
    .filter(({ file }) => file !== undefined && places.has(file.fileName))
    .map(({ file, start, messageText }) => {
      const { line } = file.getLineAndCharacterOfPosition(start);
      return `${places.get(file.fileName)} (line ${line} of the block): ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  assert.deepEqual(wrong, []);
});

/** The files of the commands of `npx baileys-native`. */
const CLI_FILES = Object.fromEntries(
  Array.from(read('js/cli/main.cjs').matchAll(/^ {2}(\w+): \(\) => require\('\.\/(.*)'\)/gm), ([, name, file]) => [
    name,
    file
  ])
);

/** Commands that a shell block may use, and how each is checked. */
const CHECKS = {
  node: words => {
    const [judged] = judgeFlags(['node', ...words].join(' '), 'the line');
    if (judged !== undefined) assert.equal(judged.status, 'ok', judged.message);
    const script = words.find(word => /^(?:examples|scripts|bench)\//.test(word));
    if (script !== undefined) assert.doesNotThrow(() => read(script), script);
  },
  npm: ([command, name]) => {
    if (command === 'run') assert.ok(require('../../package.json').scripts[name], `there is no script ${name}`);
    else assert.ok(['install', 'ci', 'test', 'pack'].includes(command), command);
  },
  npx: ([name, command]) => {
    assert.ok(['baileys-native', 'vitest', 'tsx'].includes(name), name);
    if (name === 'baileys-native') assert.doesNotThrow(() => read(`js/cli/${CLI_FILES[command]}`), command);
  },
  // Bots on these are run by `npm run test:runtimes`.
  bun: words => assert.match(words.join(' '), /^--preload baileys-native\/register \S+/),
  deno: words => assert.match(words.join(' '), /^run .*--preload=\S*js\/loader\/register\.mjs /),
  git: () => {},
  cargo: () => {},
  docker: () => {},
  'apt-get': () => {},
  kill: () => {},
  curl: () => {},
  cd: () => {}
};

test('each shell block parses, and its commands exist', options, async () => {
  const found = blocks().filter(({ language }) => language === 'sh');
  assert.ok(found.length >= 13, `${found.length} blocks`);
  assert.equal(Object.keys(CLI_FILES).length, 7);
  for (const { document, line, code } of found) {
    const where = `${document}:${line}`;
    await run('bash', ['-n', '-c', code]).catch(error => assert.fail(`${where}: ${error.stderr}`));
    const commands = code
      .replace(/\\\n/g, ' ')
      .split('\n')
      .map(text => text.replace(/\s#.*$|^#.*$/, '').trim())
      .filter(Boolean)
      .flatMap(text => text.split(/\s*(?:&&|\|\||[|;])\s*/));
    for (const command of commands) {
      const words = (command.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).filter(word => !/^[A-Z][A-Z_]*=/.test(word));
      if (words.length === 0) continue;
      assert.ok(Object.hasOwn(CHECKS, words[0]), `${where}: unknown command ${words[0]}`);
      try {
        CHECKS[words[0]](words.slice(1));
      } catch (error) {
        assert.fail(`${where}: ${command}: ${error.message}`);
      }
    }
  }
});

test('each script that a document names exists', () => {
  const { scripts } = require('../../package.json');
  let named = 0;
  for (const document of DOCUMENTS) {
    for (const [command, script, file] of read(document).matchAll(
      /npm run (?:--silent )?([\w:-]+)|(?:node|bash) ((?:scripts|bench|examples|\.ci)\/[\w./-]+)/g
    )) {
      named += 1;
      if (script !== undefined) assert.ok(Object.hasOwn(scripts, script), `${document}: ${command}`);
      else assert.doesNotThrow(() => read(file), `${document}: ${command}`);
    }
  }
  assert.ok(named >= 80, `${named} commands`);
});

test('each command of baileys-native in the documents works', options, async () => {
  const commands = blocks()
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) =>
      Array.from(code.matchAll(/npx baileys-native (decode [^\n|]*?)(?= *(?:\||\n|$))/g), match => match[1])
    );
  assert.ok(commands.length > 0);
  for (const command of commands) {
    const args = command.split(/\s+/);
    const { stdout } = await run(process.execPath, [join(ROOT, 'js/cli/main.cjs'), ...args]);
    assert.match(stdout, args.includes('--json') ? /"tag":"iq"/ : /^<iq /);
  }
});

/** Codes that this package never gives: codes of Node, and codes that it only compares with. */
const NOT_OURS = new Set(['ERR_ASSERTION']);

test('troubleshooting.md has every warning code and error code', () => {
  const text = read('docs/troubleshooting.md');
  const files = [];
  const collect = folder => {
    for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) collect(path);
      else if (/\.(?:[cm]js|rs)$/.test(entry.name) && !path.endsWith('addon/native.cjs')) files.push(path);
    }
  };
  collect('js');
  collect('src');
  const codes = new Set();
  for (const file of files) {
    const source = read(file);
    for (const [, code] of source.matchAll(/["']((?:WS_)?ERR_[A-Z_]+)\w*["']/g)) {
      codes.add(code.startsWith('WS_') ? 'WS_ERR_…' : code);
    }
    // All quoted names but environment variables.
    for (const [, code] of source.matchAll(/(?<!environmentSwitch\()["'](BAILEYS_NATIVE_[A-Z]+)["']/g)) codes.add(code);
  }
  assert.ok(codes.size > 25);
  assert.deepEqual(
    [...codes].filter(code => !NOT_OURS.has(code) && !text.includes(`\`${code}\``)),
    []
  );
  // And none that the source does not have.
  const explained = Array.from(text.matchAll(/^\| (`[^|]*) \|/gm), ([, cell]) => cell.match(/`[^`]+`/g) ?? []).flat();
  const ours = explained.map(code => code.slice(1, -1)).filter(code => /^(?:(?:WS_)?ERR_|BAILEYS_NATIVE_)/.test(code));
  assert.ok(ours.length >= codes.size - NOT_OURS.size);
  assert.deepEqual(
    ours.filter(code => !codes.has(code)),
    []
  );
});

test('README.md is short, and every link of it and of docs has a target', () => {
  assert.ok(read('README.md').split('\n').length <= 121);
  for (const document of DOCUMENTS) {
    const folder = join(ROOT, document, '..');
    for (const [, target] of read(document).matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)) {
      assert.doesNotThrow(() => readdirOrFile(join(folder, target)), `${document}: ${target}`);
    }
  }
  const index = read('docs/README.md');
  for (const name of readdirSync(join(ROOT, 'docs')).filter(name => name.endsWith('.md') && name !== 'README.md')) {
    assert.ok(index.includes(`(${name})`), `docs/README.md does not list ${name}`);
  }
});

function readdirOrFile(path) {
  try {
    return readdirSync(path);
  } catch (error) {
    if (error.code !== 'ENOTDIR') throw error;
    return readFileSync(path);
  }
}

/** Folders that are not tracked. */
const UNTRACKED = new Set(['node_modules', 'target', '.git']);

/** Paths of the files below a folder, with `/` on all systems. */
function filesBelow(folder) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap(entry => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return [path];
    return UNTRACKED.has(entry.name) ? [] : filesBelow(path);
  });
}

test('the files and folders that documents and comments name exist', () => {
  const files = filesBelow('');
  const roots = 'src|js|scripts|bench|__test__|docs|examples|npm|proto';
  const named = new RegExp(`(?<![\\w./@-])((?:${roots})/[\\w./-]*\\w)([-*{<]?)`, 'g');
  // A name with a pattern, such as `tokens/v*.rs`, must have a file that begins with the text before the pattern.
  const exists = (name, pattern) =>
    pattern === '' ? existsSync(join(ROOT, name)) : files.some(path => path.startsWith(name));
  const missing = files
    .filter(path => /\.(?:md|rs|[cm]?js|[cm]?ts)$/.test(path))
    .flatMap(path => {
      const lines = read(path).split('\n');
      const texts = path.endsWith('.md')
        ? lines.flatMap(line => line.match(/`[^`]+`/g) ?? [])
        : lines.filter(line => /^\s*(?:\/\/|\/?\*)/.test(line));
      return texts
        .flatMap(text => Array.from(text.matchAll(named)))
        .filter(([, name, pattern]) => !exists(name, pattern))
        .map(([, name]) => `${path} names ${name}`);
    });
  assert.deepEqual(missing, []);
});

test('architecture.md has every folder of the repository, and every part of js and src', () => {
  const text = read('docs/architecture.md');
  const parts = folder =>
    readdirSync(join(ROOT, folder), { withFileTypes: true })
      .filter(entry => entry.isDirectory() && !UNTRACKED.has(entry.name))
      .map(entry => entry.name);
  const folders = [...parts('.'), ...parts('js'), ...parts('src')];
  assert.ok(folders.length > 30);
  assert.deepEqual(
    folders.filter(name => !new RegExp(`(?<![\\w.])${name.replace('.', '\\.')}\\b`).test(text)),
    []
  );
});

test('every word passes the spelling check', options, async () => {
  const cspell = join(ROOT, 'node_modules/cspell/bin.mjs');
  await run(process.execPath, [cspell, '--no-progress', '--no-summary', '--unique'], { cwd: ROOT }).catch(error =>
    assert.fail(error.stdout || error.stderr)
  );
});

test('the API reference is generated from the declarations without a warning', options, async () => {
  const typedoc = join(ROOT, 'node_modules/typedoc/bin/typedoc');
  await run(process.execPath, [typedoc, '--emit', 'none'], { cwd: ROOT }).catch(error =>
    assert.fail(error.stdout || error.stderr)
  );
});
