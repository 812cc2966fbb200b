import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { test } from 'node:test';
import { TARGETS } from '../../js/loader/parts.cjs';
import { FILES, importFiles, RELEASES, rootOf } from '../../scripts/shared/baileys.mjs';
import layout from '../../js/shared/baileys-layout.cjs';
import { ROOT } from '../../scripts/shared/root.mjs';

const manifestOf = root => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

for (const { packageName, version, dictionary } of RELEASES) {
  test(`${version}: the installed package has the listed version, files, exports and dictionary`, async () => {
    const manifest = manifestOf(rootOf(packageName));
    assert.equal(manifest.version, version);
    assert.ok(layout.PACKAGE_NAMES.includes(manifest.name), manifest.name);
    assert.ok(manifestOf(ROOT).devDependencies[packageName].endsWith(version));
    const absent = Object.entries(FILES).filter(([, file]) => {
      try {
        return readFileSync(join(rootOf(packageName), file)) === undefined;
      } catch {
        return true;
      }
    });
    // Version 6 has no module of its own for the codes of companion devices.
    assert.deepEqual(
      absent.map(([name]) => name),
      version.startsWith('7') ? [] : ['companion']
    );
    for (const [file, { names }] of Object.entries(TARGETS)) {
      const key = Object.keys(FILES).find(each => FILES[each] === file);
      const [exported] = await importFiles(packageName, [key]);
      for (const name of names) assert.equal(typeof exported[name], 'function', `${file}: ${name}`);
    }
    const [defaults] = await importFiles(packageName, ['defaults']);
    assert.equal(defaults.DICT_VERSION, dictionary);
  });
}

test('in js/, only the loader and baileys-layout.cjs have paths of files of Baileys', () => {
  const files = readdirSync(join(ROOT, 'js'), { recursive: true })
    .map(name => name.replaceAll(sep, '/'))
    .filter(name => /\.[cm]js$/.test(name));
  const path = /['"`/](?:lib\/(?:index|Defaults|Signal|Socket|Types|Utils|WABinary)\b|WAProto\/)/;
  const found = files.filter(name => path.test(readFileSync(join(ROOT, 'js', name), 'utf8')));
  assert.ok(found.includes('shared/baileys-layout.cjs'), `${found}`);
  assert.deepEqual(
    found.filter(name => name !== 'shared/baileys-layout.cjs' && !name.startsWith('loader/')),
    []
  );
});
