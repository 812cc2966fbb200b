/** Functions that create an agent for the URL of a proxy, for every supported package and version. */

import { createRequire } from 'node:module';
import { HttpProxyAgent as HttpProxyAgent9 } from 'http-proxy-agent';
import { HttpsProxyAgent as HttpsProxyAgent9 } from 'https-proxy-agent';
import { ProxyAgent as ProxyAgent8 } from 'proxy-agent';
import { SocksProxyAgent as SocksProxyAgent10 } from 'socks-proxy-agent';

const require = createRequire(import.meta.url);
const { HttpsProxyAgent: HttpsProxyAgent7 } = require('https-proxy-agent-7');
const { HttpProxyAgent: HttpProxyAgent7 } = require('http-proxy-agent-7');
const { SocksProxyAgent: SocksProxyAgent8 } = require('socks-proxy-agent-8');
const { SocksProxyAgent: SocksProxyAgent7 } = require('socks-proxy-agent-7');
const { SocksProxyAgent: SocksProxyAgent6 } = require('socks-proxy-agent-6');
const { ProxyAgent: ProxyAgent6 } = require('proxy-agent-6');
const { HttpsProxyAgent: HttpsProxyAgent5 } = require('https-proxy-agent-5');
const { HttpProxyAgent: HttpProxyAgent5 } = require('http-proxy-agent-5');

/** Options for version 5: the result of Node's former URL parser, and further options. */
const legacy = (url, options) => {
  const { protocol, hostname, port, username, password } = new URL(url);
  const auth = username || password ? `${decodeURIComponent(username)}:${decodeURIComponent(password)}` : undefined;
  // The default of version 5 is not a registered protocol name, and current servers refuse it.
  const ALPNProtocols = ['http/1.1'];
  return { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port, auth, ALPNProtocols, ...options };
};

export const httpsAgents = {
  'https-proxy-agent 5': (url, options) => new HttpsProxyAgent5(options ? legacy(url, options) : url),
  'https-proxy-agent 7': (url, options) => new HttpsProxyAgent7(url, options),
  'https-proxy-agent 9': (url, options) => new HttpsProxyAgent9(url, options),
  'proxy-agent 6': (url, options) => new ProxyAgent6({ ...options, getProxyForUrl: () => url }),
  'proxy-agent 8': (url, options) => new ProxyAgent8({ ...options, getProxyForUrl: () => url })
};

export const httpAgents = {
  'http-proxy-agent 5': (url, options) => new HttpProxyAgent5(options ? legacy(url, options) : url),
  'http-proxy-agent 7': (url, options) => new HttpProxyAgent7(url, options),
  'http-proxy-agent 9': (url, options) => new HttpProxyAgent9(url, options)
};

export const socksAgents = {
  'socks-proxy-agent 6': url => new SocksProxyAgent6(url),
  'socks-proxy-agent 7': url => new SocksProxyAgent7(url),
  'socks-proxy-agent 8': (url, options) => new SocksProxyAgent8(url, options),
  'socks-proxy-agent 10': (url, options) => new SocksProxyAgent10(url, options),
  'proxy-agent 6': (url, options) => new ProxyAgent6({ ...options, getProxyForUrl: () => url }),
  'proxy-agent 8': (url, options) => new ProxyAgent8({ ...options, getProxyForUrl: () => url })
};

export { HttpsProxyAgent9, HttpProxyAgent9, ProxyAgent8, SocksProxyAgent10 };
