/** Finds the installed releases of Baileys and loads their modules. */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import layout from '../../js/shared/baileys-layout.cjs';

const require = createRequire(import.meta.url);

export const { FILES, OFF_QUERY, RELEASES } = layout;

/**
 * @typedef {import('../../js/shared/baileys-layout.cjs').Release} Release
 * @typedef {keyof typeof FILES} File
 */

/** The package names that the releases are installed under, by dialect. @type {Record<string, string>} */
export const PACKAGES = Object.fromEntries(RELEASES.map(release => [release.dialect, release.packageName]));

/**
 * The root directory of an installed package.
 *
 * @param {string} packageName
 */
export const rootOf = packageName => dirname(require.resolve(`${packageName}/package.json`));

/**
 * The URL of a file of an installed Baileys.
 *
 * @param {string} packageName
 * @param {File} file
 */
export const urlOf = (packageName, file) => pathToFileURL(join(rootOf(packageName), FILES[file])).href;

/**
 * The exports of a module. Node may have the names of a CommonJS module only on `default`.
 *
 * @param {any} namespace
 */
const exportsOf = namespace => ({ ...namespace.default, ...namespace });

/**
 * Imports an installed Baileys by its name, as a program does.
 *
 * @param {string} packageName
 * @returns {Promise<typeof import('baileys')>}
 */
export const importPackage = async packageName => exportsOf(await import(packageName));

/**
 * Loads modules of an installed Baileys.
 *
 * @param {string} packageName
 * @param {File[]} files
 * @returns {Promise<any[]>} Their exports.
 */
export async function importFiles(packageName, files) {
  // The modules of version 6 have circular imports: only the main module can be loaded first.
  await import(urlOf(packageName, 'main'));
  const namespaces = await Promise.all(files.map(file => import(urlOf(packageName, file))));
  return namespaces.map(exportsOf);
}

/**
 * Whether a package is Baileys 7. Baileys 6 loses a stanza that arrives directly after the handshake, before its
 * finishInit has ended, and messages that are in flight when a connection is cut.
 *
 * @param {string} packageName
 */
export const isVersion7 = packageName => /^7\./.test(require(join(rootOf(packageName), 'package.json')).version);
