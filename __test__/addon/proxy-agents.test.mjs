/** Unsupported agents: no connection is made, neither to the target nor to a proxy. */

import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { after, before, test } from 'node:test';
import { httpProxy } from '../support/proxies.mjs';
import {
  HttpProxyAgent9,
  HttpsProxyAgent9,
  ProxyAgent8,
  SocksProxyAgent10,
  httpsAgents,
  socksAgents
} from '../support/proxy-agents.mjs';
import { greetingServer, logOf } from '../support/proxy-scenarios.mjs';
import { closeAfter } from '../support/resources.mjs';
import { NativeClient, summaryOf } from '../support/socket-log.mjs';
import { testSameResult } from '../support/socket-scenarios.mjs';

let target;
let proxy;
let connections = 0;
before(async () => {
  target = await greetingServer();
  proxy = await httpProxy({ answer: client => (connections++, client.destroy()) });
});
after(() => {
  target.close();
  proxy.close();
});

class Subclass extends HttpsProxyAgent9 {}
const Namesake = { HttpsProxyAgent: class HttpsProxyAgent extends HttpsProxyAgent9 {} }.HttpsProxyAgent;
class Lookalike extends http.Agent {
  static name = 'HttpsProxyAgent';
  createConnection() {}
}
const changed = (agent, change) => (change(agent), agent);

/** Each case has a function that creates the agent for the address of a proxy. */
const CASES = {
  'a subclass': address => new Subclass(`http://${address}`),
  'a subclass of the same name': address => new Namesake(`http://${address}`),
  'another class of the same name': () => new Lookalike(),
  'an instance with its own connect()': address =>
    changed(new HttpsProxyAgent9(`http://${address}`), agent => (agent.connect = () => {})),
  'an instance with its own callback()': address =>
    changed(httpsAgents['https-proxy-agent 5'](`http://${address}`), agent => (agent.callback = () => {})),
  'an instance with its own createConnection()': address =>
    changed(new SocksProxyAgent10(`socks5://${address}`), agent => (agent.createConnection = () => {})),
  'an agent with a listener for proxyConnect': address =>
    changed(new HttpsProxyAgent9(`http://${address}`), agent => agent.on('proxyConnect', () => {})),
  'an agent with the option onProxyAuth': address =>
    new HttpsProxyAgent9(`http://${address}`, { onProxyAuth: async () => ({ headers: {} }) }),
  'an unsupported TLS option': address => new HttpsProxyAgent9(`https://${address}`, { ciphers: 'x' }),
  'an unsupported TLS option for the target': address =>
    changed(new HttpsProxyAgent9(`http://${address}`), agent => (agent.options.checkServerIdentity = () => {})),
  'an unsupported socket option': address =>
    new SocksProxyAgent10(`socks5://${address}`, { socketOptions: { onread: {} } }),
  'TLS options of an old SOCKS agent': address =>
    changed(socksAgents['socks-proxy-agent 7'](`socks5://${address}`), agent => {
      agent.tlsConnectionOptions = { minVersion: 'TLSv1.3' };
    }),
  'a custom SOCKS authentication method': address =>
    changed(new SocksProxyAgent10(`socks5://${address}`), agent => (agent.proxy.custom_auth_method = 0x80)),
  'a PAC script': address => new ProxyAgent8({ getProxyForUrl: () => `pac+http://${address}/proxy.pac` }),
  'getProxyForUrl() that needs the request': address =>
    new ProxyAgent8({ getProxyForUrl: (url, request) => request && `http://${address}` }),
  'getProxyForUrl() that returns a promise': address =>
    new ProxyAgent8({ getProxyForUrl: async () => `http://${address}` }),
  'getProxyForUrl() with an unknown protocol': address =>
    new ProxyAgent8({ getProxyForUrl: () => `quic://${address}` }),
  'an agent of a class that has replaced http.Agent': () => {
    const { Agent } = http;
    http.Agent = class extends Agent {
      createConnection() {}
    };
    try {
      return new http.Agent();
    } finally {
      // The class stays in place until the connection was tried.
      setImmediate(() => (http.Agent = Agent));
    }
  },
  'no proxy, and an unsupported direct agent': () =>
    new ProxyAgent8({ getProxyForUrl: () => '', httpAgent: new Lookalike() })
};

for (const [what, make] of Object.entries(CASES)) {
  test(`no connection is made for ${what}`, { timeout: 60_000 }, async () => {
    const agent = make(`127.0.0.1:${proxy.port}`);
    const log = await logOf(NativeClient, `ws://127.0.0.1:${target.port}/`, { agent });
    assert.deepEqual(
      log.map(([event]) => event),
      ['error', 'close']
    );
    assert.equal(log[0][1].code, 'ERR_AGENT_UNSUPPORTED');
    assert.deepEqual([target.ports, connections], [[], 0]);
  });
}

test('no connection is made for the agent false after the global agent was replaced', { timeout: 60_000 }, async t => {
  const { globalAgent } = http;
  t.after(() => (http.globalAgent = globalAgent));
  http.globalAgent = new ProxyAgent8({ getProxyForUrl: () => `http://127.0.0.1:${proxy.port}` });
  const log = await logOf(NativeClient, `ws://127.0.0.1:${target.port}/`, { agent: false });
  assert.equal(log[0][1].code, 'ERR_AGENT_UNSUPPORTED');
  assert.deepEqual([target.ports, connections], [[], 0]);
});

testSameResult(
  'an unsupported agent without register',
  async (Client, line, t) => {
    const own = closeAfter(t, await httpProxy({ answer: client => client.destroy() }));
    const log = await logOf(Client, `ws://127.0.0.1:${target.port}/`, {
      agent: new Subclass(`http://127.0.0.1:${own.port}`)
    });
    return { events: summaryOf(log), requests: own.requests.length, direct: target.ports.length };
  },
  {
    section: 'proxies',
    outcome: ({ events, requests }) => `${events}; ${requests} requests to the proxy`,
    differs: {
      id: 'agents',
      ours: () => ({ events: 'error ERR_AGENT_UNSUPPORTED, close 1006', requests: 0, direct: 0 })
    }
  }
);

test('no wss: connection is made through an http-proxy-agent', { timeout: 60_000 }, async () => {
  const agent = new HttpProxyAgent9(`http://127.0.0.1:${proxy.port}`);
  const log = await logOf(NativeClient, `wss://127.0.0.1:${target.port}/`, { agent });
  assert.equal(log[0][1].code, 'ERR_AGENT_UNSUPPORTED');
  assert.deepEqual([target.ports, proxy.requests], [[], []]);
});

test('no direct connection is made with the package global-agent', { timeout: 60_000 }, async () => {
  globalThis.GLOBAL_AGENT = { HTTP_PROXY: 'http://127.0.0.1:1', HTTPS_PROXY: null, NO_PROXY: null };
  try {
    for (const agent of [undefined, new http.Agent()]) {
      const log = await logOf(NativeClient, `ws://127.0.0.1:${target.port}/`, { agent });
      assert.equal(log[0][1].code, 'ERR_AGENT_UNSUPPORTED');
    }
  } finally {
    delete globalThis.GLOBAL_AGENT;
  }
  assert.deepEqual(target.ports, []);
});

after(() => https.globalAgent.destroy());
