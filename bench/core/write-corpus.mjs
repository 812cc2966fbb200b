// Writes the stanzas of the JavaScript benches, encoded by Baileys, for `cargo bench`: one file for each.
// With --check it only checks that the files are current.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeBinaryNode } from 'baileys';
import { ENTRIES, makeStanza } from '../lib/corpus.mjs';

const FOLDER = fileURLToPath(new URL('corpus', import.meta.url));

function isCurrent(path, bytes) {
  try {
    return readFileSync(path).equals(bytes);
  } catch {
    return false;
  }
}

mkdirSync(FOLDER, { recursive: true });
for (const name of ENTRIES) {
  const path = join(FOLDER, `${name}.bin`);
  const bytes = encodeBinaryNode(makeStanza(name));
  if (isCurrent(path, bytes)) continue;
  if (process.argv.includes('--check')) {
    console.error(`${path} is not current: run node bench/core/write-corpus.mjs`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, bytes);
  }
}
