/** Creates the published packages: the main package, and one for each platform with its binary. */

import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import ts from 'typescript';
import { ROOT } from '../shared/root.mjs';
import { describeBinary } from './binary.mjs';
import { GLIBC, PUBLISHED, binaryName, binaryPath } from './targets.mjs';

/** Fields of package.json that are only for the repository. */
const REPOSITORY_FIELDS = ['devDependencies', 'overrides', 'scripts', 'napi', 'private'];

/** Files that npm packs even if `files` does not list them. */
const ALWAYS = ['README.md', 'LICENSE'];

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** @param {string} folder @param {object} manifest */
function writeManifest(folder, manifest) {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** @returns {string[]} Files of the package, by the rules of `files` in package.json: paths below the root, with `/`. */
export function packedFiles() {
  /** @type {{ files: string[] }} */
  const { files: rules } = readJson(join(ROOT, 'package.json'));
  const left = rules.filter(rule => rule.startsWith('!')).map(rule => toPattern(rule.slice(1)));
  const taken = rules.filter(rule => !rule.startsWith('!')).map(toPattern);
  const tops = [...new Set(rules.filter(rule => !rule.startsWith('!')).map(rule => rule.split('/')[0]))];
  const all = tops.flatMap(top => {
    if (!statSync(join(ROOT, top)).isDirectory()) return [top];
    const below = readdirSync(join(ROOT, top), { recursive: true, withFileTypes: true });
    return below
      .filter(entry => entry.isFile())
      .map(entry => relative(ROOT, join(entry.parentPath ?? entry.path, entry.name)).replaceAll(sep, '/'));
  });
  const wanted = all.filter(file => taken.some(rule => rule.test(file)) && !left.some(rule => rule.test(file)));
  return [...wanted, ...ALWAYS].sort();
}

/** @param {string} rule A path, or one with `*` for a name. @returns {RegExp} */
function toPattern(rule) {
  const source = rule.replace(/[.+]/g, '\\$&').replaceAll('*', '[^/]*');
  return new RegExp(`^${source}(?:/|$)`);
}

/**
 * Removes the comments of a source. Line numbers do not change, so that stack traces are valid for the repository.
 *
 * @param {string} source
 * @param {string} file
 */
function withoutComments(source, file) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  /** @type {string[]} */
  const parts = [];
  /** @param {ts.Node} node */
  const visit = node => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(tree);
    if (children.length > 0) {
      children.forEach(visit);
      return;
    }
    const start = node.getStart(tree);
    // The text between two tokens is only spaces and comments.
    const trivia = source
      .slice(node.pos, start)
      .replace(/\/\*[^]*?\*\/|\/\/.*/g, comment => comment.replace(/[^\n]+/g, ''));
    parts.push(trivia.replace(/[ \t]+(?=\n)/g, ''), source.slice(start, node.end));
  };
  visit(tree);
  return parts.join('');
}

/**
 * Changes links to files that are not packed: they then point to the repository.
 *
 * @param {string} text
 * @param {string} file
 * @param {Set<string>} packed
 */
function withAbsoluteLinks(text, file, packed) {
  const { repository } = readJson(join(ROOT, 'package.json'));
  const base = repository.url.replace(/^git\+|\.git$/g, '');
  return text.replace(/(!?)(\[[^\]]*\]\()((?!\w+:|#)[^)#\s]+)/g, (all, image, head, target) => {
    const path = posix.join(posix.dirname(file), target);
    return packed.has(path) ? all : `${image}${head}${base}/${image === '' ? 'blob' : 'raw'}/main/${path}`;
  });
}

/**
 * Removes the spaces that align the columns of tables.
 *
 * @param {string} text
 */
const withNarrowTables = text =>
  text.replace(/^\|.*$/gm, row => row.replace(/ {2,}\|/g, ' |').replace(/-{4,}/g, '---'));

/**
 * Writes the main package.
 *
 * @param {string} folder
 * @param {readonly string[]} [platforms] Platforms whose packages are published with it.
 */
export function stageMain(folder, platforms = []) {
  const manifest = readJson(join(ROOT, 'package.json'));
  for (const field of REPOSITORY_FIELDS) delete manifest[field];
  // The files that are left out are not in the folder.
  manifest.files = manifest.files.filter((/** @type {string} */ rule) => !rule.startsWith('!'));
  const files = packedFiles();
  const packed = new Set(files);
  for (const file of files) {
    const target = join(folder, file);
    mkdirSync(dirname(target), { recursive: true });
    const source = join(ROOT, file);
    if (/\.[cm]?js$/.test(file)) writeFileSync(target, withoutComments(readFileSync(source, 'utf8'), file));
    else if (file.endsWith('.md'))
      writeFileSync(target, withNarrowTables(withAbsoluteLinks(readFileSync(source, 'utf8'), file, packed)));
    else copyFileSync(source, target);
  }
  const optionalDependencies = Object.fromEntries(
    platforms.map(name => [`${manifest.name}-${name}`, manifest.version])
  );
  writeManifest(folder, { ...manifest, optionalDependencies });
}

/**
 * Writes the package of a platform.
 *
 * @param {string} name
 * @param {string} folder
 * @param {string} binary
 */
export function stagePlatform(name, folder, binary) {
  const source = join(ROOT, 'npm', name);
  mkdirSync(folder, { recursive: true });
  const manifest = readJson(join(source, 'package.json'));
  // The loader checks the size before it loads the binary.
  writeManifest(folder, { ...manifest, binarySize: statSync(binary).size });
  copyFileSync(join(source, 'README.md'), join(folder, 'README.md'));
  copyFileSync(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
  copyFileSync(binary, join(folder, binaryName(name)));
}

/**
 * @param {string} name
 * @returns {string | undefined} The newest binary of a platform that was built here, by `npm run build:all` or `npm run
 *   build`.
 */
export function builtBinary(name) {
  const places = [binaryPath(name), join(ROOT, 'js/addon', binaryName(name))].filter(path => existsSync(path));
  return places.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

/** @returns {string[]} Names of the published platforms whose binaries were built here. */
export function builtPlatforms() {
  return PUBLISHED.map(({ name }) => name).filter(name => builtBinary(name) !== undefined);
}

/**
 * The reason why a binary must not be published; undefined if it may be.
 *
 * @param {string} name
 * @param {string} file
 */
export function unfitReason(name, file) {
  const { platform, glibc } = describeBinary(file);
  if (!name.startsWith(platform)) return `${file} is for ${platform}`;
  if (name.endsWith('-musl') && glibc !== undefined) return `${file} needs glibc`;
  if (glibc !== undefined && glibc.localeCompare(GLIBC, 'en', { numeric: true }) > 0) {
    return `${file} needs glibc ${glibc}, and README.md says ${GLIBC}: build it with npm run build:all -- ${name}`;
  }
  return undefined;
}
