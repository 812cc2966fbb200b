// Redis and PostgreSQL for trying the cluster on one machine: they run in a folder and listen on a Unix socket there, so
// that they need no port. What they keep is gone with the folder.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

/**
 * Whether a program is found on PATH.
 *
 * @param {string} program
 */
export const isInstalled = program =>
  (process.env.PATH ?? '').split(delimiter).some(folder => folder !== '' && existsSync(join(folder, program)));

/**
 * Starts a server; resolves when its output has a line that matches.
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

/** @param {string} directory An empty folder. */
export async function startRedis(directory) {
  const url = join(directory, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', url, '--dir', directory, '--save', '', '--appendonly', 'no'];
  const { child, stop } = await start('redis-server', args, { isReady: /Ready to accept connections/i });
  return { url, pid: child.pid, stop: () => stop('SIGTERM') };
}

/** @param {string} directory An empty folder that other users may enter. */
export async function startPostgres(directory) {
  // PostgreSQL refuses to run as root.
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
  // A fast shutdown: it does not wait for its clients.
  return { url: `socket:${home}?db=postgres&user=cluster`, pid: child.pid, stop: () => stop('SIGINT') };
}
