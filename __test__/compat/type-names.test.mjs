// One name per concept: each type of the JSDoc comments and declaration files has one definition.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { ROOT } from '../../scripts/shared/root.mjs';

const FOLDERS = ['js', 'scripts', 'bench', 'examples', '__test__'];
/** Generated from the Rust types of the addon. */
const GENERATED = 'js/addon/native.d.ts';

/** The sources in a folder, without installed packages. */
const sourcesIn = folder =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name))
    .map(entry => relative(ROOT, join(entry.parentPath ?? entry.path, entry.name)).replaceAll(sep, '/'))
    .filter(file => !file.includes('node_modules'));

/** The name that a type has where it is imported from. Undefined if the type is not an import. */
function importedName(type) {
  return type && ts.isImportTypeNode(type) && type.qualifier && !type.isTypeOf && ts.isIdentifier(type.qualifier)
    ? type.qualifier.text
    : undefined;
}

/** The types that a file defines, and the aliases of imported types with another name. */
function definitionsIn(file) {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const defined = new Set();
  const renamed = [];
  const visit = node => {
    for (const tag of (node.jsDoc ?? []).flatMap(({ tags }) => tags ?? [])) {
      if (!ts.isJSDocTypedefTag(tag) || !tag.name) continue;
      const type = tag.typeExpression && 'type' in tag.typeExpression ? tag.typeExpression.type : undefined;
      const imported = importedName(type);
      if (imported === undefined) defined.add(tag.name.text);
      else if (imported !== tag.name.text) renamed.push(`${file}: ${imported} as ${tag.name.text}`);
    }
    const isDeclared = source.isDeclarationFile && (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node));
    if (isDeclared) defined.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { defined, renamed };
}

test('each type name of JavaScript is defined in one file', () => {
  const files = ['index.d.ts', ...FOLDERS.flatMap(sourcesIn)].filter(file => file !== GENERATED);
  /** @type {Map<string, Set<string>>} */
  const places = new Map();
  const aliases = [];
  for (const file of files) {
    const { defined, renamed } = definitionsIn(file);
    aliases.push(...renamed);
    // A declaration file stands for the JavaScript file beside it.
    const place = file.replace(/(?:\.d)?\.[cm]?[jt]s$/, '');
    for (const name of defined) places.set(name, (places.get(name) ?? new Set()).add(place));
  }
  assert.ok(places.size > 150, `only ${places.size} types were found`);
  const repeated = [...places].filter(([, found]) => found.size > 1).map(([name, found]) => [name, ...found]);
  assert.deepEqual(repeated, []);
  assert.deepEqual(aliases, []);
});
