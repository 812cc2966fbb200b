// Starts Redis and PostgreSQL for trying the cluster on one machine. Each has its data and a Unix socket in a folder,
// and uses no port. Delete the folder to delete the data.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Whether a program is in a folder of PATH.
 *
 * @param {string} program
 */
export const isInstalled = program =>
  (process.env.PATH ?? '').split(delimiter).some(folder => folder !== '' && existsSync(join(folder, program)));

/**
 * Starts a server. Resolves when a line of its output matches `isReady`. Rejects if the server ends before.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ isReady: RegExp, cwd?: string, uid?: number, gid?: number }} options
 */
async function start(program, args, { isReady, ...options }) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '';
  const ready = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', line => {
        output = `${output}${line}\n`.slice(-4_000);
        if (isReady.test(line)) resolve(undefined);
      });
    }
    child.once('error', reject);
    child.once('exit', code => reject(new Error(`${program} has ended with ${code}:\n${output}`)));
  });
  await ready;
  /** @param {NodeJS.Signals} signal */
  const stop = async signal => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  return { child, stop };
}

/**
 * Starts Redis. It stores nothing on the disk.
 *
 * @param {string} directory An empty folder.
 */
export async function startRedis(directory) {
  const url = join(directory, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', url, '--dir', directory, '--save', '', '--appendonly', 'no'];
  const { child, stop } = await start('redis-server', args, { isReady: /Ready to accept connections/i });
  return { url, pid: child.pid, stop: () => stop('SIGTERM') };
}

/**
 * Starts PostgreSQL.
 *
 * @param {string} directory An empty folder. If this process runs as root, the user `nobody` must have access to it.
 */
export async function startPostgres(directory) {
  // PostgreSQL refuses to run as root, so it then runs as `nobody`.
  /** @param {string} flag */
  const id = flag => Number(execFileSync('id', [flag, 'nobody']));
  const user = process.getuid?.() === 0 ? { uid: id('-u'), gid: id('-g') } : {};
  const home = join(directory, 'postgres');
  mkdirSync(home);
  if (user.uid !== undefined) chownSync(home, user.uid, user.gid);
  const data = join(home, 'data');
  const options = { cwd: home, ...user };
  execFileSync('initdb', ['-D', data, '-U', 'cluster', '-A', 'trust', '--no-sync'], { ...options, stdio: 'ignore' });
  const args = ['-D', data, '-k', home, '-c', 'listen_addresses=', '-c', 'fsync=off'];
  const { child, stop } = await start('postgres', args, { isReady: /ready to accept connections/, ...options });
  // SIGINT is a fast shutdown: PostgreSQL does not wait for its clients to disconnect.
  return { url: `socket:${home}?db=postgres&user=cluster`, pid: child.pid, stop: () => stop('SIGINT') };
}
