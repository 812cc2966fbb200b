// The Rust core compared with wacore-binary and wacore-noise: reads the table of `cargo bench` in bench/core.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/shared/root.mjs';
import { compare } from '../lib/statistics.mjs';

const LEVELS = { full: { rounds: 9, seconds: '0.05' }, quick: { rounds: 1, seconds: '0.1' } };
const COMPILE_TIMEOUT_MS = 900_000;

const UNITS = { ps: 1e-3, ns: 1, µs: 1e3, ms: 1e6, s: 1e9 };

/** Converts a time that divan has printed into nanoseconds. */
function nanoseconds(text) {
  const [value, unit] = text.trim().split(' ');
  return Number(value) * UNITS[unit];
}

/**
 * Reads divan's table: the median of every benchmark.
 *
 * @param {string} output
 * @returns {{ path: string[], median: number }[]}
 */
export function readTable(output) {
  const path = [];
  const found = [];
  for (const line of output.split('\n')) {
    const match = /^((?:│ {2}| {3})*)[├╰]─ (\S+)(.*)$/.exec(line);
    if (!match) continue;
    const [, indent, name, rest] = match;
    path.length = indent.length / 3;
    path.push(name);
    const columns = rest.split('│').map(column => column.trim());
    if (columns[0] !== '') found.push({ path: [...path], median: nanoseconds(columns[2]) });
  }
  return found;
}

async function cargoBench(args, timeout) {
  const manifest = join(ROOT, 'bench/core/Cargo.toml');
  const command = ['bench', '--quiet', '--manifest-path', manifest, ...args];
  const { stdout } = await promisify(execFile)('cargo', command, {
    cwd: ROOT,
    timeout,
    maxBuffer: 16 * 1024 * 1024
  });
  return stdout;
}

/** Compares the results of this package (`ours`) with each of the others, for each group and entry. */
function pair(rounds) {
  const times = new Map();
  for (const round of rounds) {
    for (const { path, median } of round) {
      const [group, side, entry = ''] = path;
      const key = JSON.stringify([group, entry]);
      const sides = times.get(key) ?? {};
      (sides[side] ??= []).push(median);
      times.set(key, sides);
    }
  }
  return [...times].flatMap(([key, { ours, ...others }]) => {
    const [group, entry] = JSON.parse(key);
    return Object.entries(others).map(([side, theirs]) => {
      const { js, native, ratio } = compare(theirs, ours, 'less');
      return { group, entry, against: side, theirs: js, ours: native, ratio };
    });
  });
}

export default {
  name: 'core',
  title: 'Rust core against wacore-binary and wacore-noise',
  async run(level) {
    const { rounds, seconds } = LEVELS[level];
    await cargoBench(['--no-run'], COMPILE_TIMEOUT_MS);
    const results = [];
    for (let round = 0; round < rounds; round++) {
      const output = await cargoBench(['--benches', '--', '--max-time', seconds], COMPILE_TIMEOUT_MS);
      results.push(readTable(output));
    }
    if (results.some(found => found.length === 0))
      throw new Error('cargo bench has printed no table that could be read');
    return { rows: pair(results) };
  }
};
