// Counts the writes of a process by the library `writes.c` (Linux with a C compiler).

import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('writes.c', import.meta.url));
const FOLDER = fileURLToPath(new URL('../../target/bench-writes', import.meta.url));
const LIBRARY = join(FOLDER, 'writes.so');

let compiled;
/** The number of files with counters that this process has created. */
let files = 0;

function compile() {
  if (process.platform !== 'linux') return false;
  mkdirSync(FOLDER, { recursive: true });
  try {
    const args = ['-O2', '-Wall', '-Werror', '-shared', '-fPIC', '-o', LIBRARY, SOURCE, '-ldl'];
    execFileSync(process.env.CC ?? 'cc', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    return true;
  } catch (error) {
    console.error(`bench: writes are not counted: ${error.message}`);
    return false;
  }
}

/** The environment in which one child counts its writes; empty if they cannot be counted. */
export function countingEnvironment() {
  compiled ??= compile();
  if (!compiled) return {};
  const counters = join(FOLDER, `counters-${process.pid}-${files++}`);
  writeFileSync(counters, Buffer.alloc(16));
  return { LD_PRELOAD: LIBRARY, BENCH_WRITES: counters };
}

/**
 * Called in a child with that environment. Returns a function that reads the number of writes to TCP sockets and the
 * number of wakes of other threads. Both are NaN if they are not counted.
 *
 * @returns {() => { writes: number, wakes: number }}
 */
export function writeCounter() {
  const path = process.env.BENCH_WRITES;
  if (path === undefined) return () => ({ writes: NaN, wakes: NaN });
  const bytes = Buffer.alloc(16);
  return () => {
    const file = openSync(path, 'r');
    readSync(file, bytes, 0, bytes.length, 0);
    closeSync(file);
    return { writes: Number(bytes.readBigUInt64LE(0)), wakes: Number(bytes.readBigUInt64LE(8)) };
  };
}
