// The processes of a cluster. They can be killed, stopped and started again.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const ROOT = new URL('../..', import.meta.url);

/** One node. It can be started again after it has ended. */
export class Node {
  #env;
  #log;
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  /** @type {Promise<any[]> | undefined} */
  #exited;

  /**
   * The periods in which it was stopped (SIGSTOP), in milliseconds since 1970.
   *
   * @type {{ from: number, to: number }[]}
   */
  frozen = [];
  /** Why it has ended, if that was not requested. */
  failure = '';
  #isEnding = false;
  /** Whether it has taken slots since it was started. */
  hasSlots = false;

  /**
   * @param {string} name
   * @param {Record<string, string>} env
   * @param {(line: string) => void} log
   */
  constructor(name, env, log) {
    this.name = name;
    this.#env = { ...process.env, ...env, NODE_NAME: name };
    this.#log = log;
  }

  start() {
    const child = spawn(process.execPath, ['--no-warnings', 'examples/cluster/node.mjs'], {
      cwd: ROOT,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe']
    });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', line => {
        this.hasSlots ||= line.includes('has taken');
        this.#log(line.startsWith(this.name) ? line : `${this.name}: ${line}`);
      });
    }
    this.hasSlots = false;
    this.#child = child;
    this.#isEnding = false;
    this.#exited = once(child, 'exit');
    child.once('exit', (code, signal) => {
      if (!this.#isEnding) this.failure = `${this.name} has ended unexpectedly: ${signal ?? code}`;
    });
  }

  get pid() {
    return this.#child?.pid;
  }

  get isRunning() {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @param {NodeJS.Signals} signal */
  kill(signal) {
    this.#child?.kill(signal);
  }

  /**
   * Ends the node. Resolves with its exit code.
   *
   * @param {NodeJS.Signals} signal
   */
  async end(signal) {
    if (!this.isRunning) return this.#child?.exitCode;
    this.#isEnding = true;
    // A stopped process handles other signals only after SIGCONT.
    if (signal !== 'SIGKILL') this.kill('SIGCONT');
    this.kill(signal);
    const [code] = (await this.#exited) ?? [];
    return code;
  }

  /** CPU time in seconds, resident memory in bytes, and threads; on Linux. */
  usage() {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    /** @param {string} name */
    const kilobytes = name => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    // CPU times are in ticks of 10 ms.
    return {
      cpu: (Number(fields[11]) + Number(fields[12])) / 100,
      rss: kilobytes('VmRSS') * 1024,
      threads: kilobytes('Threads')
    };
  }
}
