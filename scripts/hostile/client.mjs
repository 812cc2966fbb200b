// The client of the hostile peers: a child process, so that its memory can be measured. It runs on one layer.

import { readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import * as baileys from 'baileys';
import { NativeSession } from 'baileys-native';
import { trustTestRoot } from 'baileys-native/testing';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { checkBackend, checkSocket, memoryKeys, pingQuery, silentLogger, statusCode } from '../shared/bot.mjs';
import { openChannel } from '../shared/channel.mjs';
import { linkedCreds, outcomesOfSession, outcomesOfSocket, plainText } from '../shared/client-outcomes.mjs';

const QUERY_MS = 10_000;
/** The keep-alive interval. A client closes a connection that receives nothing for this time plus 5 s. */
const KEEP_ALIVE_MS = 1000;

/** Shortens {@link plainText}. @param {unknown} text */
const plain = text => plainText(text).slice(0, 160);

/** @param {{ ca?: string, proxy?: string }} settings */
function agentOf({ ca, proxy }) {
  if (proxy?.startsWith('socks')) return new SocksProxyAgent(proxy);
  if (proxy) return new HttpsProxyAgent(proxy);
  return ca ? new Agent({ ca }) : undefined;
}

/**
 * @typedef {object} HostileSettings
 * @property {import('../shared/child.mjs').Layer} layer
 * @property {string} url
 * @property {number} user
 * @property {number} connectTimeoutMs
 * @property {string} [ca]
 * @property {string} [proxy]
 * @property {string} [rootKey]
 * @property {boolean} [staysOpen] See `Row`.
 * @property {boolean} [endsAtLogin] See `Row`.
 *
 * @typedef {object} HostileClient
 * @property {Promise<unknown>} opened Never resolves if the connection does not open.
 * @property {Promise<string>} ended Resolves with the events and the code of the end.
 * @property {() => Promise<any>} query
 * @property {() => Promise<unknown>} close
 */

/** @param {HostileSettings} settings @returns {HostileClient} */
function baileysClient({ url, user, layer, connectTimeoutMs, ...settings }) {
  const sock = baileys.makeWASocket({
    waWebSocketUrl: url,
    auth: { creds: linkedCreds(user), keys: memoryKeys() },
    logger: silentLogger(),
    agent: agentOf(settings),
    connectTimeoutMs,
    keepAliveIntervalMs: KEEP_ALIVE_MS,
    defaultQueryTimeoutMs: QUERY_MS
  });
  checkSocket(sock.ws, /** @type {import('../shared/bot.mjs').Backend} */ (layer));
  /** @type {string[]} */
  const events = [];
  sock.ws.on('open', () => events.push('open'));
  sock.ws.on('unexpected-response', (_request, response) => events.push(`response ${response.statusCode}`));
  sock.ws.on('error', error => events.push(`error ${error.code ?? plain(error.message)}`));
  sock.ws.on('close', code => events.push(`close ${code}`));
  return {
    ...outcomesOfSocket(sock, error => `${events.join(', ')}; ${statusCode(error)} ${plain(error?.message)}`),
    query: () => sock.query(pingQuery()),
    close: () => Promise.resolve(sock.end(undefined))
  };
}

/** @param {HostileSettings} settings @returns {HostileClient} */
function sessionClient({ url, user, rootKey, connectTimeoutMs, ...settings }) {
  const session = new NativeSession({
    url,
    agent: agentOf(settings),
    trustedRoot: rootKey ? Buffer.from(rootKey, 'hex') : undefined,
    auth: { creds: linkedCreds(user) },
    connectTimeoutMs,
    keepAliveIntervalMs: KEEP_ALIVE_MS,
    reconnect: false
  });
  return {
    ...outcomesOfSession(session, plain),
    query: () => session.query(pingQuery(), { timeoutMs: QUERY_MS }),
    close: () => session.close()
  };
}

/** A field of /proc/self/status in MiB. Undefined if the system does not have it. @param {'VmRSS' | 'VmHWM'} name */
function memory(name) {
  try {
    const kilobytes = new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}

/** Collects garbage and resets VmHWM, the peak memory of the process. Returns the current VmRSS. Linux only. */
function resetPeakMemory() {
  globalThis.gc?.();
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {}
  return memory('VmRSS');
}

/** @param {HostileSettings} settings @param {HostileClient} client @param {(what: string) => Promise<unknown>} ask */
async function outcomeOf(settings, client, ask) {
  const opened = client.opened.then(() => 'opened');
  const first = await Promise.race([client.ended, opened]);
  if (first !== 'opened') return first;
  if (settings.endsAtLogin) return 'logged in';
  await ask('afterLogin');
  const answered = settings.staysOpen && client.query().then(({ attrs }) => `alive: ${attrs.type}`, plain);
  const ended = client.ended.then(outcome => `logged in, ${outcome}`);
  return Promise.race(answered ? [ended, answered] : [ended]);
}

const channel = openChannel(process, {
  prepare: async ({ layer, rootKey }) => {
    if (layer !== 'session') await checkBackend(layer);
    trustTestRoot(baileys, Buffer.from(rootKey, 'hex'));
  },
  run: async settings => {
    const before = resetPeakMemory();
    const start = performance.now();
    const client = settings.layer === 'session' ? sessionClient(settings) : baileysClient(settings);
    const outcome = await outcomeOf(settings, client, (/** @type {string} */ what) => channel.ask(what));
    const ms = performance.now() - start;
    const peak = memory('VmHWM');
    Promise.resolve(client.close()).catch(() => {});
    return { outcome, ms, mib: peak === undefined || before === undefined ? undefined : peak - before };
  }
});

process.on('unhandledRejection', () => {}); // Baileys causes some when a connection ends during the login
process.on('disconnect', () => process.exit(0));
