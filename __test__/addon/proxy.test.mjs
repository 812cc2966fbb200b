/**
 * Proxies that work: every package, version and protocol sends the same requests as with Baileys' client, on the drop-in
 * and on NativeSession.
 */

import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { after, before } from 'node:test';
import { PROXY_NAME, httpProxy, socksProxy } from '../support/proxies.mjs';
import { ProxyAgent8, SocksProxyAgent10, httpAgents, httpsAgents, socksAgents } from '../support/proxy-agents.mjs';
import { closeAfter } from '../support/resources.mjs';
import { greetingServer, logOf, testThroughProxy } from '../support/proxy-scenarios.mjs';
import { LINES, NativeClient } from '../support/socket-log.mjs';
import { certificate } from '../support/tls.mjs';

const CREDENTIALS = 'user:p@ss w:rd';
const IN_URL = 'user:p%40ss%20w%3Ard@';

let authority;
let identity;
let plain;
let secure;

before(async () => {
  authority = await certificate({ isAuthority: true, names: [], addresses: [] });
  identity = await certificate({ issuer: authority, names: ['localhost', PROXY_NAME] });
  plain = await greetingServer();
  secure = await greetingServer(identity);
});
after(() => {
  plain.close();
  secure.close();
  http.globalAgent.destroy();
  https.globalAgent.destroy();
});

/** Checks the last events of a connection that worked. */
function assertOpened({ log }) {
  assert.deepEqual(
    log.map(([event]) => event),
    ['upgrade', 'open', 'message', 'message', 'close']
  );
}

/**
 * Runs with a target without TLS and one with TLS. The older agents take trusted certificates only from the
 * environment.
 */
async function eachTarget(run) {
  await run(plain, 'ws');
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    await run(secure, 'wss');
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  }
}

for (const [label, make] of Object.entries(httpsAgents)) {
  testThroughProxy(`CONNECT with ${label}`, async compare => {
    await eachTarget(async (target, scheme) => {
      const result = await compare({
        startProxy: () => httpProxy(),
        makeAgent: port => make(`http://127.0.0.1:${port}`),
        url: port => `${scheme}://${PROXY_NAME}:${port}/ws?a=b`,
        target
      });
      assertOpened(result);
      assert.match(result.requests[0], new RegExp(`^CONNECT ${PROXY_NAME}:${target.port}\n`));
    });
  });

  testThroughProxy(`CONNECT with credentials, headers and TLS to the proxy with ${label}`, async compare => {
    await eachTarget(async (target, scheme) => {
      const result = await compare({
        startProxy: () => httpProxy({ credentials: CREDENTIALS, tls: identity }),
        makeAgent: port =>
          make(`https://${IN_URL}localhost:${port}`, { headers: { 'X-Extra': 'yes' }, ca: authority.cert }),
        url: port => `${scheme}://127.0.0.1:${port}/`,
        target
      });
      assertOpened(result);
      assert.match(result.requests[0], /\nX-Extra: yes$/m);
      assert.match(result.requests[0], new RegExp(`Basic ${Buffer.from(CREDENTIALS).toString('base64')}`));
    });
  });
}

for (const label of ['https-proxy-agent 7', 'https-proxy-agent 9']) {
  testThroughProxy(`a function creates the headers for each connection, with ${label}`, async compare => {
    let count = 0;
    const agents = [];
    const { requests } = await compare({
      startProxy: () => httpProxy(),
      makeAgent: port => {
        count = 0;
        const headers = () => ({ 'X-Count': String(++count) });
        agents.push(httpsAgents[label](`http://127.0.0.1:${port}`, { headers, keepAlive: true }));
        return agents.at(-1);
      },
      url: port => `ws://127.0.0.1:${port}/`,
      target: plain,
      // A session calls the function also when it is created.
      sessionRequest: request => request.replace('X-Count: 2', 'X-Count: 1')
    });
    assert.match(requests[0], /Proxy-Connection: Keep-Alive\nX-Count: 1/);
    for (const agent of agents) agent.destroy();
  });
}

for (const [label, make] of Object.entries(httpAgents)) {
  for (const tls of [false, true]) {
    testThroughProxy(`requests by URL with ${label}${tls ? ' over TLS' : ''}`, async compare => {
      const result = await compare({
        startProxy: () => httpProxy({ credentials: CREDENTIALS, tls: tls ? identity : undefined }),
        makeAgent: port => make(`http${tls ? 's' : ''}://${IN_URL}localhost:${port}`, { ca: authority.cert }),
        url: port => `ws://${PROXY_NAME}:${port}/ws?a=b`,
        target: plain
      });
      assertOpened(result);
      assert.match(result.requests[0], new RegExp(`^GET http://${PROXY_NAME}:${plain.port}/ws\\?a=b\n`));
    });
  }
}

for (const [label, make] of Object.entries(socksAgents)) {
  for (const [scheme, names] of [
    ['socks4', { localhost: '4 @address:127.0.0.1', '127.0.0.1': '4 @address:127.0.0.1' }],
    ['socks4a', { [PROXY_NAME]: `4 @name:${PROXY_NAME}`, '127.0.0.1': '4 @address:127.0.0.1' }],
    ['socks5', { '127.0.0.1': '5 @address:127.0.0.1' }],
    ['socks5h', { [PROXY_NAME]: `5 @name:${PROXY_NAME}`, '127.0.0.1': '5 @address:127.0.0.1' }],
    ['socks', { [PROXY_NAME]: `5 @name:${PROXY_NAME}` }]
  ]) {
    testThroughProxy(`${scheme} with ${label}`, async compare => {
      await eachTarget(async (target, protocol) => {
        for (const [name, request] of Object.entries(names)) {
          const result = await compare({
            startProxy: () => socksProxy({ bound: name === PROXY_NAME ? 'name' : 'ipv6', drip: protocol === 'ws' }),
            makeAgent: port => make(`${scheme}://127.0.0.1:${port}`),
            url: port => `${protocol}://${name}:${port}/ws`,
            target
          });
          assertOpened(result);
          assert.deepEqual(result.requests, [`${request}:${target.port}`]);
        }
      });
    });
  }

  testThroughProxy(`SOCKS credentials with ${label}`, async compare => {
    for (const [scheme, credentials] of [
      ['socks5h', 'user:secret'],
      ['socks4a', 'user']
    ]) {
      const result = await compare({
        startProxy: () => socksProxy({ credentials }),
        makeAgent: port => make(`${scheme}://user:secret@127.0.0.1:${port}`),
        url: port => `ws://${PROXY_NAME}:${port}/`,
        target: plain
      });
      assertOpened(result);
      assert.deepEqual(result.requests, [`${scheme[5]} ${credentials}@name:${PROXY_NAME}:${plain.port}`]);
    }
  });
}

testThroughProxy('the certificate of the target is verified through a proxy', async compare => {
  const through = (makeAgent, startProxy, host) =>
    compare({ startProxy, makeAgent, url: port => `wss://${host}:${port}/`, target: secure });
  const agents = [
    [port => httpsAgents['https-proxy-agent 9'](`http://127.0.0.1:${port}`), httpProxy],
    [port => httpsAgents['proxy-agent 8'](`http://127.0.0.1:${port}`), httpProxy],
    [port => socksAgents['socks-proxy-agent 10'](`socks5h://127.0.0.1:${port}`), socksProxy]
  ];
  for (const [make, startProxy] of agents) {
    const { log } = await through(make, () => startProxy(), PROXY_NAME);
    assert.equal(log[0][1].code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    const trusting = options => port => {
      const agent = make(port);
      Object.assign(agent.options, { ca: authority.cert, ...options });
      return agent;
    };
    assertOpened(await through(trusting(), () => startProxy(), PROXY_NAME));
    const wrong = await through(trusting({ servername: 'other.test' }), () => startProxy(), PROXY_NAME);
    assert.equal(wrong.log[0][1].code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  }
});

testThroughProxy('localAddress, lookup and family for the connection to the proxy', async compare => {
  const lookups = [];
  const lookup = (host, options, done) => {
    lookups.push(host);
    done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4);
  };
  const options = { lookup, localAddress: '127.0.0.5' };
  for (const [startProxy, makeAgent] of [
    [httpProxy, port => httpsAgents['https-proxy-agent 9'](`http://some.proxy.test:${port}`, options)],
    [httpProxy, port => httpsAgents['https-proxy-agent 5'](`http://some.proxy.test:${port}`, options)],
    [
      socksProxy,
      port => new SocksProxyAgent10(`socks5h://some.proxy.test:${port}`, { socketOptions: { ...options, family: 4 } })
    ]
  ]) {
    lookups.length = 0;
    const url = port => `ws://${PROXY_NAME}:${port}/`;
    assertOpened(await compare({ startProxy: () => startProxy(), makeAgent, url, target: plain }));
    // Both clients of each release line, and a session.
    assert.deepEqual(lookups, Array(2 * LINES.length + 1).fill('some.proxy.test'));
  }
});

testThroughProxy('a proxy and a target with IPv6 addresses', async (compare, t) => {
  let target;
  try {
    target = closeAfter(t, await greetingServer(undefined, '::1'));
  } catch {
    return t.skip('no IPv6 on this machine');
  }
  const url = port => `ws://[::1]:${port}/`;
  for (const label of ['https-proxy-agent 7', 'https-proxy-agent 9']) {
    const startProxy = () => httpProxy({ host: '::1' });
    const makeAgent = port => httpsAgents[label](`http://[::1]:${port}`);
    assertOpened(await compare({ startProxy, makeAgent, url, target }));
  }
  // `new URL` keeps the brackets of the address. With them the SOCKS agents themselves do not find the proxy.
  const proxy = closeAfter(t, await socksProxy({ host: '::1' }));
  const agent = new SocksProxyAgent10(`socks5h://[::1]:${proxy.port}`);
  assertOpened({ log: await logOf(NativeClient, url(target.port), { agent }) });
  assert.deepEqual(proxy.requests, [`5 @address:0:0:0:0:0:0:0:1:${target.port}`]);
  assert.ok(target.ports.every((port, i) => i < target.ports.length - 1 || proxy.ports.has(port)));
});

testThroughProxy('proxy-agent with environment variables', async compare => {
  const names = ['WS_PROXY', 'ALL_PROXY', 'NO_PROXY'];
  const before = names.map(name => process.env[name]);
  try {
    const startProxy = () => httpProxy();
    const url = port => `ws://127.0.0.1:${port}/`;
    const proxied = await compare({
      startProxy,
      makeAgent: port => {
        process.env.WS_PROXY = `http://127.0.0.1:${port}`;
        return new ProxyAgent8();
      },
      url,
      target: plain
    });
    assert.equal(proxied.requests.length, 1);
    // NO_PROXY requests a direct connection.
    process.env.NO_PROXY = '127.0.0.1';
    const log = await logOf(NativeClient, url(plain.port), { agent: new ProxyAgent8() });
    assertOpened({ log });
  } finally {
    names.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    });
  }
});
