/** Agents that are not supported: nothing is connected, neither to the target nor to a proxy. */

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
import { greeter, logOf } from '../support/proxy-scenarios.mjs';
import { NativeClient, outcomeOf } from '../support/socket-log.mjs';
import { sameResult } from '../support/socket-scenarios.mjs';

let target;
let proxy;
let connections = 0;
before(async () => {
  target = await greeter();
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
  'an instance with a connect of its own': address =>
    changed(new HttpsProxyAgent9(`http://${address}`), agent => (agent.connect = () => {})),
  'an instance with a callback of its own': address =>
    changed(httpsAgents['https-proxy-agent 5'](`http://${address}`), agent => (agent.callback = () => {})),
  'an instance with a createConnection of its own': address =>
    changed(new SocksProxyAgent10(`socks5://${address}`), agent => (agent.createConnection = () => {})),
  'a listener for what the proxy answers': address =>
    changed(new HttpsProxyAgent9(`http://${address}`), agent => agent.on('proxyConnect', () => {})),
  'a function that answers a proxy': address =>
    new HttpsProxyAgent9(`http://${address}`, { onProxyAuth: async () => ({ headers: {} }) }),
  'an option of TLS that is not supported': address => new HttpsProxyAgent9(`https://${address}`, { ciphers: 'x' }),
  'such an option for the target': address =>
    changed(new HttpsProxyAgent9(`http://${address}`), agent => (agent.options.checkServerIdentity = () => {})),
  'a socket option that is not supported': address =>
    new SocksProxyAgent10(`socks5://${address}`, { socketOptions: { onread: {} } }),
  'TLS options of an old SOCKS agent': address =>
    changed(socksAgents['socks-proxy-agent 7'](`socks5://${address}`), agent => {
      agent.tlsConnectionOptions = { minVersion: 'TLSv1.3' };
    }),
  'a SOCKS method of its own': address =>
    changed(new SocksProxyAgent10(`socks5://${address}`), agent => (agent.proxy.custom_auth_method = 0x80)),
  'a proxy by script': address => new ProxyAgent8({ getProxyForUrl: () => `pac+http://${address}/proxy.pac` }),
  'a choice that needs the request': address =>
    new ProxyAgent8({ getProxyForUrl: (url, request) => request && `http://${address}` }),
  'a choice that comes later': address => new ProxyAgent8({ getProxyForUrl: async () => `http://${address}` }),
  'a choice of an unknown kind': address => new ProxyAgent8({ getProxyForUrl: () => `quic://${address}` }),
  'no proxy, and a direct agent that is not supported': () =>
    new ProxyAgent8({ getProxyForUrl: () => '', httpAgent: new Lookalike() })
};

for (const [what, make] of Object.entries(CASES)) {
  test(`nothing connects for ${what}`, { timeout: 20_000 }, async () => {
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

sameResult(
  'an agent that is not understood, without register',
  async Client => {
    const own = await httpProxy({ answer: client => client.destroy() });
    const log = await logOf(Client, `ws://127.0.0.1:${target.port}/`, {
      agent: new Subclass(`http://127.0.0.1:${own.port}`)
    });
    own.close();
    return { events: outcomeOf(log), asked: own.asked.length, direct: target.ports.length };
  },
  {
    section: 'proxies',
    outcome: ({ events, asked }) => `${events}; ${asked} asked of the proxy`,
    differs: { id: 'agents', ours: () => ({ events: 'error ERR_AGENT_UNSUPPORTED, close 1006', asked: 0, direct: 0 }) }
  }
);

test('nothing that was meant for wss: goes to a proxy without encryption', { timeout: 20_000 }, async () => {
  const agent = new HttpProxyAgent9(`http://127.0.0.1:${proxy.port}`);
  const log = await logOf(NativeClient, `wss://127.0.0.1:${target.port}/`, { agent });
  assert.equal(log[0][1].code, 'ERR_AGENT_UNSUPPORTED');
  assert.deepEqual([target.ports, proxy.asked], [[], []]);
});

test('nothing connects directly under the package global-agent', { timeout: 20_000 }, async () => {
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
