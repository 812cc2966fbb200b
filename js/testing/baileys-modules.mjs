// Loads the parts of the installed Baileys that the mock server uses: the binary codec, the protobuf definitions, the
// curve and the `ws` package.
//
// The codec is always Baileys' own JavaScript (`OFF_QUERY`), also under `baileys-native/register`, so that the server
// does not share code with the native codec that it tests.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import layout from '../shared/baileys-layout.cjs';

const { FILES, OFF_QUERY, PACKAGE_NAMES } = layout;
const OWN_PATH = fileURLToPath(import.meta.url);

/**
 * An export of a namespace. Some exports of a CommonJS Baileys (6.17) are only on `default`: Node's lexer misses them.
 *
 * @param {any} namespace
 * @param {string} name
 */
const pick = (namespace, name) => namespace[name] ?? namespace.default?.[name];

/**
 * Resolves `name` from the working directory, then from this package.
 *
 * @param {string[]} anchors
 * @param {string} name
 */
function resolveFrom(anchors, name) {
  for (const anchor of anchors) {
    try {
      return createRequire(anchor).resolve(name);
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return undefined;
}

/** @param {string | URL | undefined} specifier */
function locateBaileys(specifier) {
  const anchors = [join(process.cwd(), 'package.json'), OWN_PATH];
  const names = specifier === undefined ? PACKAGE_NAMES : [String(specifier)];
  for (const name of names) {
    const main = name.startsWith('file:') ? fileURLToPath(name) : resolveFrom(anchors, name);
    if (main) return main;
  }
  throw new Error(
    `baileys-native/testing needs Baileys and found none under ${names.join(' or ')}: ` +
      'install `baileys` beside it, or pass the `baileys` option'
  );
}

/**
 * Loads the `ws` package by the path of its main file: Bun replaces the name `ws` by an implementation of its own.
 *
 * @param {string[]} anchors
 */
function loadWs(anchors) {
  const manifest = resolveFrom(anchors, 'ws/package.json');
  if (!manifest)
    throw new Error('baileys-native/testing needs the `ws` package, which Baileys depends on, and did not find it');
  const require = createRequire(manifest);
  return require(join(dirname(manifest), require(manifest).main));
}

/** @param {any} namespace */
async function fromNamespace(namespace) {
  return {
    /** @param {string} name */
    exported: name => pick(namespace, name),
    ws: loadWs([join(process.cwd(), 'package.json'), OWN_PATH])
  };
}

/** @param {string | URL | undefined} specifier */
async function fromSpecifier(specifier) {
  const main = locateBaileys(specifier);
  const root = join(main, ...FILES.main.split('/').map(() => '..'));
  /** @param {keyof typeof FILES} file */
  const load = (file, query = '') => import(pathToFileURL(join(root, FILES[file])).href + query);
  const modules = await Promise.all([
    load('encode', `?${OFF_QUERY}`),
    load('decode', `?${OFF_QUERY}`),
    load('proto'),
    load('crypto'),
    load('defaults')
  ]);
  return {
    /** @param {string} name */
    exported: name => modules.map(module => pick(module, name)).find(value => value !== undefined),
    ws: loadWs([main, join(process.cwd(), 'package.json'), OWN_PATH])
  };
}

/**
 * Loads the parts of Baileys that the server needs.
 *
 * @param {string | URL | object} [baileys] A module namespace, a package name, a path or file URL of Baileys' main
 *   module. Default: `baileys` or `@whiskeysockets/baileys`, resolved from the working directory.
 */
export async function loadBaileys(baileys) {
  const isNamespace = typeof baileys === 'object' && baileys !== null && !(baileys instanceof URL);
  const { exported, ws } = isNamespace ? await fromNamespace(baileys) : await fromSpecifier(baileys);

  /** @type {Record<string, any>} */
  const required = {};
  for (const name of ['encodeBinaryNode', 'decodeBinaryNode', 'proto', 'Curve', 'DICT_VERSION']) {
    required[name] = exported(name);
    if (required[name] === undefined) throw new Error(`this Baileys has no export named ${name}`);
  }
  return {
    encode: required.encodeBinaryNode,
    decode: required.decodeBinaryNode,
    proto: required.proto,
    curve: required.Curve,
    dictionaryVersion: required.DICT_VERSION,
    WebSocketServer: ws.WebSocketServer
  };
}
