// Describes the machine and the versions of a measurement.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../scripts/shared/root.mjs';

const version = name => JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version;

/** The first line that a command prints; undefined if the command does not exist. */
function line(command, args) {
  try {
    const output = execFileSync(command, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return output.trim().split('\n')[0];
  } catch {
    return undefined;
  }
}

/** The commit, and whether a file was changed that is not a document; each run changes documents. */
function commit() {
  const changed = line('git', ['status', '--porcelain', '--untracked-files=no', '--', '.', ':!bench/report', ':!*.md']);
  const hash = line('git', ['rev-parse', '--short', 'HEAD']);
  return changed ? `${hash}-dirty` : hash;
}

export function describeMachine() {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? os.arch(),
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    openssl: process.versions.openssl,
    rustc: line('rustc', ['--version']),
    baileys: version('baileys'),
    ws: version('ws'),
    bridge: version('whatsapp-rust-bridge'),
    commit: commit(),
    load: loadAverage()
  };
}

/** The load average of the last minute. A value above 1 shows that other programs have used the machine. */
export const loadAverage = () => Number(os.loadavg()[0].toFixed(2));
