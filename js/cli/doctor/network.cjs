'use strict';

// Checks TLS roots, proxy variables and agents.

const { X509Certificate } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const net = require('node:net');
const { dirname, join } = require('node:path');
const { fault, note, ok, warning } = require('./results.cjs');

const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy', 'HTTP_PROXY', 'http_proxy'];
const AGENTS = ['https-proxy-agent', 'http-proxy-agent', 'socks-proxy-agent', 'proxy-agent'];
const DEFAULT_PORTS = /** @type {Record<string, number>} */ ({ 'http:': 80, 'https:': 443 });
const SOCKS_PORT = 1080;
/** The longest time for a TCP connection to the proxy, in milliseconds. */
const PROXY_TIMEOUT_MS = 3_000;

/**
 * Reads the certificates of a PEM file.
 *
 * @param {string} path
 */
function readCertificates(path) {
  const blocks = readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map(block => new X509Certificate(block));
}

/** @param {NodeJS.ProcessEnv} [env] */
function checkTrust(env = process.env) {
  const results = [];
  const extra = env.NODE_EXTRA_CA_CERTS;
  if (extra) {
    try {
      const certificates = readCertificates(extra);
      const ended = certificates.filter(({ validTo }) => Date.parse(validTo) < Date.now());
      if (certificates.length === 0) {
        results.push(fault('tls', `NODE_EXTRA_CA_CERTS: ${extra} holds no certificate in PEM`));
      } else if (ended.length > 0) {
        results.push(warning('tls', `NODE_EXTRA_CA_CERTS: ${ended.length} of ${certificates.length} have expired`));
      } else {
        results.push(ok('tls', `NODE_EXTRA_CA_CERTS adds ${certificates.length} certificate(s)`));
      }
    } catch (error) {
      const advice = 'Correct the path or the file, or remove the variable.';
      results.push(fault('tls', `NODE_EXTRA_CA_CERTS: ${extra} cannot be read: ${error.message}`, { advice }));
    }
  }
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    results.push(warning('tls', 'NODE_TLS_REJECT_UNAUTHORIZED=0: TLS certificates are not verified'));
  }
  if (/--use-openssl-ca\b/.test(env.NODE_OPTIONS ?? '')) {
    results.push(warning('tls', '--use-openssl-ca is not honoured; use NODE_EXTRA_CA_CERTS or --use-system-ca'));
  }
  if (results.length === 0) results.push(ok('tls', "TLS trusts Mozilla's roots, which this package brings"));
  return results;
}

/**
 * The first proxy variable that is set, and its value as a URL. A value without a scheme is an HTTP proxy.
 *
 * @returns {{ name: string, url: URL | undefined } | undefined} `url` is undefined if the value is not a URL.
 */
function proxyOf(env = process.env) {
  const name = PROXY_VARIABLES.find(each => env[each]);
  if (name === undefined) return undefined;
  const value = String(env[name]);
  const text = value.includes('://') ? value : `http://${value}`;
  return { name, url: URL.canParse(text) ? new URL(text) : undefined };
}

/**
 * The host of a URL for `net` and `tls`: without the brackets of an IPv6 address.
 *
 * @param {URL} url
 */
function hostOf(url) {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

/**
 * The URL of a proxy without its credentials.
 *
 * @param {URL} url
 */
function withoutCredentials(url) {
  return `${url.protocol}//${url.username ? '***@' : ''}${url.host}`;
}

/**
 * Connects by TCP and resolves with the time in milliseconds.
 *
 * @param {number} port
 * @param {string} host
 * @param {number} timeout
 * @returns {Promise<number>}
 */
function dial(port, host, timeout) {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host, timeout });
    /** @param {() => void} action */
    const end = action => {
      socket.destroy();
      action();
    };
    socket.once('connect', () => end(() => resolve(performance.now() - start)));
    socket.once('timeout', () => end(() => reject(new Error(`no answer in ${timeout} ms`))));
    socket.once('error', error => end(() => reject(error)));
  });
}

/** @param {NodeJS.ProcessEnv} [env] */
async function checkProxy(env = process.env) {
  const proxy = proxyOf(env);
  if (proxy === undefined) return [ok('proxy', 'No proxy variable is set')];
  const { name, url } = proxy;
  if (url === undefined) return [fault('proxy', `${name} is not a URL`)];
  const shown = withoutCredentials(url);
  const port = Number(url.port) || DEFAULT_PORTS[url.protocol] || SOCKS_PORT;
  try {
    const ms = await dial(port, hostOf(url), PROXY_TIMEOUT_MS);
    return [
      note('proxy', `${name}=${shown} accepts connections (${ms.toFixed(0)} ms)`, {
        advice: 'Baileys uses a proxy only through its `agent` option (docs/proxies.md).'
      })
    ];
  } catch (error) {
    return [
      fault('proxy', `${name}=${shown} does not accept connections: ${error.message}`, {
        advice: 'Start the proxy, correct the variable, or remove it.'
      })
    ];
  }
}

/**
 * Lists the proxy agents that are installed in the directory, with their versions.
 *
 * @param {string} directory
 */
function checkAgents(directory) {
  const { resolve } = createRequire(join(directory, 'package.json'));
  const found = AGENTS.flatMap(name => {
    try {
      return [`${name} ${versionOf(resolve(name), name)}`];
    } catch {
      return [];
    }
  });
  return found.length === 0 ? [] : [note('proxy', `Proxy agents here: ${found.join(', ')}`)];
}

/**
 * The version of the package that a file belongs to.
 *
 * @param {string} file
 * @param {string} name
 */
function versionOf(file, name) {
  for (let folder = dirname(file); dirname(folder) !== folder; folder = dirname(folder)) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      if (manifest.name === name) return manifest.version;
    } catch {
      continue;
    }
  }
  return '?';
}

module.exports = { checkAgents, checkProxy, checkTrust, dial, hostOf, proxyOf, withoutCredentials };
