'use strict';

// `doctor --connect`: connects to a server by TCP, TLS, upgrade and Noise, step by step, through the proxy of the
// environment. The same check also runs on loopback with the mock server.

const { lookup } = require('node:dns/promises');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { isIP } = require('node:net');
const tls = require('node:tls');
const { pathToFileURL } = require('node:url');
const { connectOnce } = require('./connection.cjs');
const { dial, hostOf, proxyOf, withoutCredentials } = require('./network.cjs');
const { fault, ok, skipped, warning } = require('./results.cjs');

const WHATSAPP_URL = 'wss://web.whatsapp.com/ws/chat';
const TIMEOUT_MS = 15_000;
/** A greater difference of the clock is a warning: certificates and logins depend on the clock. */
const CLOCK_TOLERANCE_MS = 60_000;

/** @param {number} ms */
const rounded = ms => `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;

/**
 * Checks a native handshake with the mock server in this process.
 *
 * @param {{ main: string } | undefined} baileys The copy of Baileys that the server uses.
 */
async function checkLoopback(baileys) {
  if (baileys === undefined) return skipped('handshake', 'The mock server needs a copy of Baileys');
  const { MockServer } = await import('../../testing/index.mjs');
  const { Agent } = require('node:https');
  let server;
  try {
    server = await MockServer.start({ baileys: baileys.main });
  } catch (error) {
    return skipped('handshake', `The mock server does not start: ${error.message}`);
  }
  try {
    const agent = new Agent({ ca: server.ca });
    const trustedRoot = server.rootKey;
    const { openMs, noiseMs } = await connectOnce({
      url: new URL(server.url),
      agent,
      trustedRoot,
      timeoutMs: TIMEOUT_MS
    });
    const times = `TCP, TLS and upgrade ${rounded(openMs)}, Noise ${rounded(noiseMs)}`;
    return ok('handshake', `A native handshake on loopback works: ${times}`, { data: { openMs, noiseMs } });
  } catch (error) {
    return fault('handshake', `A native handshake on loopback fails: ${error.message}`);
  } finally {
    await server.stop();
  }
}

/**
 * Creates the agent for the proxy of the environment, from a package that is installed in the directory.
 *
 * @param {string} directory
 * @param {URL | undefined} url
 */
async function agentFor(directory, url) {
  if (url === undefined) throw new Error('its value is not a URL');
  const socks = url.protocol.startsWith('socks');
  const name = socks ? 'socks-proxy-agent' : 'https-proxy-agent';
  let file;
  try {
    file = createRequire(join(directory, 'package.json')).resolve(name);
  } catch {
    throw new Error(`${name} is not installed here; Baileys needs it for this proxy: npm install ${name}`);
  }
  const namespace = await import(pathToFileURL(file).href);
  const Agent = socks ? namespace.SocksProxyAgent : (namespace.HttpsProxyAgent ?? namespace.default);
  return new Agent(url.href);
}

/**
 * Does a TLS handshake. Resolves with the certificate of the server and the time.
 *
 * @param {string} host
 * @param {number} port
 */
function handshake(host, port) {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host, port, servername: isIP(host) ? '' : host, timeout: TIMEOUT_MS });
    /** @param {() => void} action */
    const end = action => {
      socket.destroy();
      action();
    };
    socket.once('secureConnect', () => {
      const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
      const ms = performance.now() - start;
      end(() => resolve({ ms, protocol: socket.getProtocol(), from: Date.parse(from), to: Date.parse(to) }));
    });
    socket.once('timeout', () => end(() => reject(new Error(`no answer in ${TIMEOUT_MS} ms`))));
    socket.once('error', error => end(() => reject(error)));
  });
}

/**
 * Measures the time of one step. If it fails, the result is a fault.
 *
 * @param {string} check
 * @param {string} what
 * @param {() => Promise<{ text: string, data?: Record<string, unknown> }>} action
 */
async function timed(check, what, action) {
  try {
    const { text, data } = await action();
    return ok(check, `${what}: ${text}`, { data });
  } catch (error) {
    return fault(check, `${what} fails: ${error.message}${error.code ? ` (${error.code})` : ''}`);
  }
}

/**
 * @param {object} options
 * @param {string} options.directory
 * @param {string} [options.url]
 * @param {Uint8Array} [options.trustedRoot] Root key of the Noise certificates; default: WhatsApp's.
 * @param {(text: string) => void} options.step
 * @returns {Promise<import('./results.cjs').Result[]>}
 */
async function checkConnection({ directory, url = WHATSAPP_URL, trustedRoot, step }) {
  const target = new URL(url);
  const port = Number(target.port) || (target.protocol === 'ws:' ? 80 : 443);
  const proxy = proxyOf();
  const results = [];
  /** @type {import('node:http').Agent | undefined} */
  let agent;
  if (proxy !== undefined) {
    try {
      agent = await agentFor(directory, proxy.url);
      results.push(ok('connect', `Through ${proxy.name} (${withoutCredentials(/** @type {URL} */ (proxy.url))})`));
    } catch (error) {
      return [fault('connect', `Through ${proxy.name}: ${error.message}`)];
    }
  } else {
    results.push(...(await directSteps(target, port, step)));
    if (results.some(({ status }) => status === 'fault')) return results;
  }
  step(`connecting natively to ${target.host}`);
  let date;
  results.push(
    await timed('connect', 'Native connection', async () => {
      const connected = await connectOnce({ url: target, agent, trustedRoot, timeoutMs: TIMEOUT_MS });
      ({ date } = connected);
      const { openMs, noiseMs } = connected;
      const text = `TCP, TLS and upgrade ${rounded(openMs)}; Noise, certificates verified, ${rounded(noiseMs)}`;
      return { text, data: { openMs, noiseMs } };
    })
  );
  if (date !== undefined) results.push(judgeClock(Date.parse(date)));
  return results;
}

/** @param {URL} target @param {number} port @param {(text: string) => void} step */
async function directSteps(target, port, step) {
  const hostname = hostOf(target);
  const results = [];
  step(`resolving ${hostname}`);
  results.push(
    await timed('connect', 'Name', async () => {
      const start = performance.now();
      const { address } = await lookup(hostname);
      return { text: `${hostname} is ${address}, ${rounded(performance.now() - start)}` };
    })
  );
  if (results[0].status === 'fault') return results;
  step(`connecting to ${target.host}`);
  results.push(await timed('connect', 'TCP', async () => ({ text: rounded(await dial(port, hostname, TIMEOUT_MS)) })));
  if (target.protocol === 'ws:' || results[1].status === 'fault') return results;
  /** @type {any} */
  let certificate;
  results.push(
    await timed('connect', 'TLS', async () => {
      certificate = await handshake(hostname, port);
      return { text: `${certificate.protocol}, ${rounded(certificate.ms)} with TCP` };
    })
  );
  if (certificate !== undefined) {
    const now = Date.now();
    if (now < certificate.from || now > certificate.to) {
      results.push(fault('clock', "This machine's clock is outside the validity of the server's certificate"));
    } else results.push(ok('clock', "The clock is within the validity of the server's certificate"));
  }
  return results;
}

/** @param {number} server Milliseconds since 1970. */
function judgeClock(server) {
  const offset = Date.now() - server;
  const data = { offsetMs: offset };
  // The `Date` header has whole seconds.
  if (Math.abs(offset) <= CLOCK_TOLERANCE_MS) return ok('clock', "The clock agrees with the server's", { data });
  const direction = offset > 0 ? 'ahead of' : 'behind';
  return warning('clock', `The clock is ${Math.round(Math.abs(offset) / 1000)} s ${direction} the server's`, {
    advice: 'Set the clock, for example by NTP.',
    data
  });
}

module.exports = { checkConnection, checkLoopback };
