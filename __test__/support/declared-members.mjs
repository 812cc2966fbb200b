// The callables that index.d.ts declares, read by TypeScript's parser.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const FILE = fileURLToPath(new URL('../../index.d.ts', import.meta.url));

/** Interfaces of objects that the user creates and whose methods the package calls. */
const OF_USER = new Set(['NoiseLogger', 'SessionLogger', 'SessionStore']);

/**
 * All callables by name (`metrics`, `NativeSession` for its constructor, `NativeSession.query`), each with the greatest
 * number of parameters of its overloads.
 *
 * @returns {Map<string, number>}
 */
export function declaredCallables() {
  const source = ts.createSourceFile(FILE, readFileSync(FILE, 'utf8'), ts.ScriptTarget.Latest, true);
  const found = new Map();
  const add = (name, parameters) => found.set(name, Math.max(found.get(name) ?? 0, parameters.length));
  for (const statement of source.statements) {
    if (ts.isFunctionDeclaration(statement)) add(statement.name.text, statement.parameters);
    const isObject = ts.isInterfaceDeclaration(statement) && !OF_USER.has(statement.name.text);
    if (!ts.isClassDeclaration(statement) && !isObject) continue;
    const owner = statement.name.text;
    for (const member of statement.members) {
      if (ts.isConstructorDeclaration(member)) add(owner, member.parameters);
      const isMethod = ts.isMethodDeclaration(member) || ts.isMethodSignature(member);
      if (isMethod) add(`${owner}.${member.name.getText(source)}`, member.parameters);
    }
  }
  return found;
}

/**
 * The properties of all classes and objects with methods, by owner: names, and whether they can be set. Errors are left
 * out.
 *
 * @returns {Map<string, { name: string, isWritable: boolean }[]>}
 */
export function declaredProperties() {
  const source = ts.createSourceFile(FILE, readFileSync(FILE, 'utf8'), ts.ScriptTarget.Latest, true);
  const owners = new Set(Array.from(declaredCallables().keys(), name => name.split('.')[0]));
  const found = new Map();
  for (const statement of source.statements) {
    if (!ts.isClassDeclaration(statement) && !ts.isInterfaceDeclaration(statement)) continue;
    if (!owners.has(statement.name.text)) continue;
    const properties = statement.members.flatMap(member => {
      const isProperty = ts.isPropertyDeclaration(member) || ts.isPropertySignature(member);
      if (!isProperty && !ts.isGetAccessor(member)) return [];
      const isReadonly = member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ReadonlyKeyword) ?? false;
      return [{ name: member.name.getText(source), isWritable: isProperty && !isReadonly }];
    });
    if (properties.length > 0) found.set(statement.name.text, properties);
  }
  return found;
}

/**
 * The names of an interface's members.
 *
 * @param {string} name
 * @returns {string[]}
 */
export function declaredMembers(name) {
  const source = ts.createSourceFile(FILE, readFileSync(FILE, 'utf8'), ts.ScriptTarget.Latest, true);
  const declaration = source.statements.find(each => ts.isInterfaceDeclaration(each) && each.name.text === name);
  if (declaration === undefined) throw new Error(`index.d.ts has no interface ${name}`);
  return /** @type {ts.InterfaceDeclaration} */ (declaration).members.map(member => member.name.getText(source));
}
