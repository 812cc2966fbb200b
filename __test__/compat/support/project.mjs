import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../../scripts/shared/root.mjs';

const DOUBLE = fileURLToPath(new URL('drop-in-double.cjs', import.meta.url));
const INSTALLED = join(ROOT, 'node_modules');

/** Time limit of one child process, in milliseconds. */
const TIMEOUT = 120_000;

/**
 * Creates a project in a temporary directory. Its node_modules has links to all installed packages of this repository
 * and to `baileys-native`.
 *
 * @param {import('node:test').TestContext} t
 * @param {{ addon?: 'real' | 'double' | 'none' }} [options] `double` is
 *   drop-in-double.cjs instead of the drop-in; `none` is a package without a binary.
 */
export function makeProject(t, { addon = existsSync(join(ROOT, 'js/baileys/drop-in.cjs')) ? 'real' : 'double' } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'baileys-native-register-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const modules = join(directory, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(INSTALLED)) {
    if (!name.startsWith('.') && name !== 'baileys-native') symlinkSync(join(INSTALLED, name), join(modules, name));
  }
  linkPackage(join(modules, 'baileys-native'), addon);
  return {
    directory,

    /**
     * @param {string} path
     * @param {string} content
     */
    write(path, content) {
      const target = join(directory, path);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, content);
      return target;
    },

    /**
     * Copies an installed package, without linking it, to a path of the project.
     *
     * @param {string} name
     * @param {string} path
     * @param {Record<string, unknown>} [manifest] Fields of its package.json to change.
     */
    copyPackage(name, path, manifest = {}) {
      const target = join(directory, path);
      rmSync(target, { recursive: true, force: true });
      cpSync(join(INSTALLED, name), target, { recursive: true, dereference: true });
      const file = join(target, 'package.json');
      writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...manifest }));
      return target;
    },

    /**
     * Runs Node in the project.
     *
     * @param {string[]} args
     * @param {Record<string, string>} [env]
     */
    run(args, env = {}) {
      const { NODE_OPTIONS: _, BAILEYS_NATIVE: __, ...inherited } = process.env;
      return new Promise(resolve => {
        execFile(
          process.execPath,
          args,
          { cwd: directory, env: { ...inherited, ...env }, timeout: TIMEOUT },
          (error, stdout, stderr) =>
            resolve({ code: error === null ? 0 : (error.code ?? error.signal), stdout, stderr })
        );
      });
    }
  };
}

/**
 * @param {string} path
 * @param {'real' | 'double' | 'none'} addon
 */
function linkPackage(path, addon) {
  if (addon === 'real') {
    symlinkSync(ROOT.replace(/[\\/]$/, ''), path);
    return;
  }
  mkdirSync(path);
  cpSync(join(ROOT, 'package.json'), join(path, 'package.json'));
  cpSync(join(ROOT, 'js'), join(path, 'js'), { recursive: true, filter: source => !source.endsWith('.node') });
  if (addon === 'double') cpSync(DOUBLE, join(path, 'js/baileys/drop-in.cjs'));
}
