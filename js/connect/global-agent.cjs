'use strict';

/** The package `global-agent`, versions 3 and 4: it puts agents of its own into every request of the process. */

const http = require('node:http');
const https = require('node:https');
const { basic, forward, tunnel } = require('./proxy-agent.cjs');
const { UnsupportedConnectionError } = require('./unsupported-connection-error.cjs');

/**
 * Whether a function is the replacement of `http.request` or `https.request` that the package installs.
 *
 * @param {unknown} value
 */
function isGlobalAgents(value) {
  if (typeof value !== 'function' || Object.hasOwn(value, 'prototype')) return false;
  const text = Function.prototype.toString.call(value);
  return text.includes('forceGlobalAgent') && text.includes('originalMethod(');
}

/**
 * The route of the package `global-agent`, if it is active.
 *
 * @param {any} given the agent of the connection
 * @param {import('./agent.cjs').ConnectionTarget} target
 * @param {{ routeOf: Function }} tools
 * @returns {import('./agent.cjs').Route | undefined}
 * @throws {UnsupportedConnectionError} if it is active but cannot be supported
 */
function globalAgentRoute(given, target, tools) {
  const module = target.secure ? https : http;
  const { GLOBAL_AGENT: controller } = /** @type {any} */ (globalThis);
  const isConfigured = Boolean(controller?.HTTP_PROXY || controller?.HTTPS_PROXY);
  if (!isGlobalAgents(module.request)) {
    if (isConfigured) {
      const name = target.secure ? 'https.request' : 'http.request';
      throw new UnsupportedConnectionError(
        `global-agent has a proxy, but ${name} is not the function of global-agent`,
        false
      );
    }
    return undefined;
  }
  /** @type {any} */
  const agent = module.globalAgent;
  if (!isUnchanged(agent, target.secure)) {
    throw new UnsupportedConnectionError(
      'global-agent is active, but it was modified or has an unknown version',
      false
    );
  }
  if (given && given !== agent) {
    throw new UnsupportedConnectionError(
      'global-agent is active and can replace the agent of this connection: remove one of the two',
      false
    );
  }
  const port = target.port === 80 || target.port === 443 ? '' : `:${target.port}`;
  const url = `${agent.protocol}//${target.host}${port}${target.path}`;
  if (!agent.isProxyConfigured() || !agent.mustUrlUseProxy(url)) return tools.routeOf(agent.fallbackAgent, target);
  const { hostname, port: proxyPort, authorization } = agent.getUrlProxy(url);
  const hop = { host: hostname, port: proxyPort };
  const name = target.secure ? 'Proxy-Authorization' : 'proxy-authorization';
  const credentials = authorization ? { [name]: basic(authorization) } : {};
  if (!target.secure) return forward(hop, false, credentials, target);
  const headers = { Host: `${target.host}:${target.port}`, ...credentials };
  return tunnel(hop, false, headers, agent.ca === undefined ? {} : { ca: agent.ca }, target.host, target);
}

/**
 * Whether an agent is one of the package, with its methods.
 *
 * @param {any} agent
 * @param {boolean} secure
 */
function isUnchanged(agent, secure) {
  const bound = Object.getPrototypeOf(agent ?? {});
  const proxied = Object.getPrototypeOf(bound ?? {});
  const base = Object.getPrototypeOf(proxied ?? {});
  /**
   * @param {any} owner
   * @param {string} name
   */
  const text = (owner, name) => {
    const value = Object.getOwnPropertyDescriptor(owner ?? {}, name)?.value;
    return typeof value === 'function' ? Function.prototype.toString.call(value) : '';
  };
  return (
    Object.getOwnPropertyNames(bound ?? {}).join() === 'constructor' &&
    !['addRequest', 'createConnection'].some(name => Object.hasOwn(agent, name)) &&
    text(proxied, 'createConnection').includes('.proxy.hostname') &&
    text(proxied, 'createConnection').includes("'CONNECT '") === secure &&
    text(base, 'addRequest').includes('GLOBAL_AGENT.HTTP_PROXY')
  );
}

module.exports = { globalAgentRoute, isGlobalAgents };
