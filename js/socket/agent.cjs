'use strict';

/** What `config.agent` asks for. An agent that cannot be understood is an error: it may be there to hide the caller. */

const http = require('node:http');
const https = require('node:https');

/** Agent options that govern pooling or HTTP and mean nothing to one WebSocket. */
const IRRELEVANT = new Set([
  'agentKeepAliveTimeoutBuffer',
  'keepAlive',
  'keepAliveInitialDelay',
  'keepAliveMsecs',
  'maxCachedSessions',
  'maxFreeSockets',
  'maxSockets',
  'maxTotalSockets',
  'noDelay',
  'scheduling',
  'timeout'
]);
/** Those that are honoured. */
const HONOURED = new Set(['ca', 'cert', 'family', 'key', 'localAddress', 'lookup', 'rejectUnauthorized', 'servername']);

/** The methods that make a connection; an agent with its own ones is not Node's. */
const METHODS = ['addRequest', 'createConnection', 'createSocket'];

let warnedOfUnchecked = false;

/**
 * @param {any} agent
 * @param {boolean} secure whether the URL is `wss:`
 * @param {string} host the URL's host
 * @param {string} [hostHeader] the `Host` header of the caller's
 * @returns {{ tls?: object, localAddress?: string, family?: number, lookup?: Function, error?: Error }}
 * @throws {TypeError} where Node's http client would
 */
function agentOptions(agent, secure, host, hostHeader) {
  if (agent === undefined || agent === null || agent === false) {
    return { tls: secure ? tlsOptions({}, host) : undefined };
  }
  if (typeof agent.addRequest !== 'function') {
    const message = 'The "options.agent" property must be one of Agent-like Object, undefined, or false.';
    throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  if (!isPlain(agent)) return { error: unsupported(`${agent.constructor?.name ?? 'agent'} makes its own connections`) };
  const expected = agent.protocol;
  const protocol = secure ? 'https:' : 'http:';
  if (expected && expected !== protocol) {
    const message = `Protocol "${protocol}" not supported. Expected "${expected}"`;
    throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_PROTOCOL' });
  }
  const options = agent.options ?? {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null || IRRELEVANT.has(name) || HONOURED.has(name)) continue;
    return { error: unsupported(`its option "${name}" is not supported`) };
  }
  const { localAddress, family, lookup } = options;
  try {
    // Node's https agent takes the server's name from the Host header.
    const name = hostHeader === undefined ? host : hostHeader.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');
    return { tls: secure ? tlsOptions(options, name) : undefined, localAddress, family, lookup };
  } catch (error) {
    return { error };
  }
}

/** Whether an agent connects exactly as Node's own do. */
function isPlain(agent) {
  const base = agent instanceof https.Agent ? https.Agent : http.Agent;
  return agent instanceof base && METHODS.every(method => agent[method] === base.prototype[method]);
}

function unsupported(reason) {
  const message = `The agent cannot be used for a native connection (${reason}); not connecting without it`;
  return Object.assign(new Error(message), { code: 'ERR_AGENT_UNSUPPORTED' });
}

/** Options of the native part for trust and identity, read when a connection starts, as Node reads them. */
function tlsOptions(options, host) {
  const { env } = process;
  const tls = {
    serverName: options.servername || host,
    rejectUnauthorized:
      'rejectUnauthorized' in options ? options.rejectUnauthorized !== false : !isUncheckedByEnvironment(env),
    systemCa: env.NODE_USE_SYSTEM_CA === '1' || hasFlag('--use-system-ca')
  };
  if (env.NODE_EXTRA_CA_CERTS) tls.extraCaFile = env.NODE_EXTRA_CA_CERTS;
  if (options.ca) tls.ca = [options.ca].flat().map(ca => pem(ca, 'ca'));
  if (options.cert || options.key) {
    tls.cert = pem(options.cert, 'cert');
    tls.key = pem(options.key, 'key');
  }
  return tls;
}

function pem(value, name) {
  if (typeof value === 'string') return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw unsupported(`its option "${name}" has a form that is not supported`);
}

function hasFlag(flag) {
  return process.execArgv.includes(flag) || (process.env.NODE_OPTIONS ?? '').split(/\s+/).includes(flag);
}

function isUncheckedByEnvironment(env) {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return false;
  if (!warnedOfUnchecked) {
    warnedOfUnchecked = true;
    process.emitWarning(
      "Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to '0' makes TLS connections and HTTPS requests " +
        'insecure by disabling certificate verification.'
    );
  }
  return true;
}

module.exports = { agentOptions, unsupported };
