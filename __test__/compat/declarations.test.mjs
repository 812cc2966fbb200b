// Compares every export of index.d.ts with the declarations of each release line of Baileys, by tsc.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from '../../scripts/shared/root.mjs';
import { LINE_NAMES, packageOf } from '../support/baileys-lines.mjs';
import { CLAIMS, DECLARATION_DIFFERENCES, moduleOf, ONLY_OURS } from '../support/declarations.mjs';
import { record } from '../support/record.mjs';

const FOLDER = join(ROOT, '__test__/types');
const INDEX = join(ROOT, 'index.d.ts');

/** The compiled modules by path. They are not on disk. @type {Map<string, string>} */
const modules = new Map();
/** For each case: modules for the declaration of Baileys, for ours, and for a registered difference. */
const cases = [];

const add = (name, text) => {
  const path = join(FOLDER, `claim-${modules.size}-${name}.mts`);
  modules.set(path, text);
  return path;
};

for (const line of LINE_NAMES) {
  const packageName = packageOf(line);
  for (const [name, claim] of Object.entries(CLAIMS)) {
    const differs = claim.differs?.lines.includes(line) ? claim.differs : undefined;
    const ours = { packageName, subject: 'baileys-native' };
    cases.push({
      line,
      name,
      differs,
      theirs: add(name, moduleOf(claim, { packageName, subject: packageName })),
      ours: add(name, moduleOf(claim, ours)),
      instead: differs && add(name, moduleOf(claim, { ...ours, theirs: differs.theirs }))
    });
  }
}

const options = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: ['node']
};

let program;
before(() => {
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = path => modules.has(path) || fileExists(path);
  host.readFile = path => modules.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...rest) =>
    modules.has(path) ? ts.createSourceFile(path, modules.get(path), ...rest) : getSourceFile(path, ...rest);
  host.getCurrentDirectory = () => ROOT;
  program = ts.createProgram({ rootNames: [INDEX, ...modules.keys()], options, host });
});

/** The errors of tsc for a module. */
const faultsOf = path =>
  ts
    .getPreEmitDiagnostics(program, program.getSourceFile(path))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));

for (const line of LINE_NAMES) {
  describe(`our declarations compared with those of line ${line}`, () => {
    for (const { name, differs, theirs, ours, instead } of cases.filter(each => each.line === line)) {
      test(name, () => {
        let native = differs ? `as registered: ${differs.id}` : 'same';
        try {
          assert.deepEqual(faultsOf(theirs), [], 'the claim is wrong for the type of Baileys itself');
          if (differs === undefined) assert.deepEqual(faultsOf(ours), []);
          else {
            assert.ok(DECLARATION_DIFFERENCES.some(({ id }) => id === differs.id));
            assert.ok(faultsOf(ours).length > 0, `the known difference ${differs.id} does not occur`);
            assert.deepEqual(faultsOf(instead), []);
          }
        } catch (error) {
          native = 'DIFFERS';
          throw error;
        } finally {
          const behaviour = `declarations: ${name}`;
          record({ section: 'declarations', behaviour, line, javascript: 'assignable', native });
        }
      });
    }
  });
}

test("every export of index.d.ts is compared with Baileys' type or listed as our own", () => {
  const checker = program.getTypeChecker();
  const exports = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(INDEX)));
  assert.deepEqual(exports.map(({ name }) => name).sort(), [...Object.keys(CLAIMS), ...ONLY_OURS].sort());
});

test('an incompatible declaration is reported', () => {
  const path = join(FOLDER, 'claim-wrong.mts');
  const wrong = { ...CLAIMS.encodeBinaryNode, ours: 'typeof ours.decodeBinaryNode' };
  modules.set(path, moduleOf(wrong, { packageName: 'baileys', subject: 'baileys-native' }));
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = each => modules.has(each) || fileExists(each);
  host.getSourceFile = (each, ...rest) =>
    each === path ? ts.createSourceFile(each, modules.get(each), ...rest) : getSourceFile(each, ...rest);
  const second = ts.createProgram({ rootNames: [path], options, host, oldProgram: program });
  assert.match(
    JSON.stringify(second.getSemanticDiagnostics(second.getSourceFile(path))[0].messageText),
    /not assignable/
  );
});
