/** Minimal proxies on loopback that record their requests. */

import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';

/**
 * @typedef {object} Proxy
 * @property {number} port
 * @property {string[]} requests the requests of clients, in order
 * @property {Set<number>} ports local ports of its connections to targets
 * @property {() => number} bytes the number of bytes from and to targets
 * @property {() => void} close
 */

/** Starts `server` on a free port; closing it also closes its sockets and those in `targets`. */
async function start(server, host, requests, targets) {
  const sockets = new Set();
  for (const event of ['connection', 'secureConnection']) {
    server.on(event, socket => {
      sockets.add(socket);
      socket.on('error', () => {});
    });
  }
  server.on('tlsClientError', () => {});
  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: server.address().port,
    requests,
    ports: targets.ports,
    bytes: () => [...targets.sockets].reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0),
    close: () => {
      for (const socket of [...sockets, ...targets.sockets]) socket.destroy();
      server.close();
    }
  };
}

/** Connects to a target and then joins both sides. */
function join(client, { host, port }, targets, granted, refused) {
  const target = net.connect(port, host);
  targets.sockets.add(target);
  let isJoined = false;
  target.on('connect', () => {
    isJoined = true;
    targets.ports.add(target.localPort);
    granted(target);
    client.pipe(target).pipe(client);
  });
  target.on('error', error => (isJoined ? client.destroy() : refused(error)));
  client.on('close', () => target.destroy());
  target.on('close', () => isJoined && client.destroy());
}

/** A host name that only the proxies can resolve. */
export const PROXY_NAME = 'only.proxy.test';
const NAMES = new Map([
  [PROXY_NAME, '127.0.0.1'],
  ['localhost', '127.0.0.1']
]);
const addressOf = host => (net.isIP(host) ? host : NAMES.get(host));

/**
 * An HTTP proxy: `CONNECT`, and requests with an absolute URL. `requests` has the unchanged heads of requests.
 *
 * @param {object} [options]
 * @param {{ cert: string, key: string }} [options.tls] the proxy's certificate, for TLS to the proxy
 * @param {string} [options.credentials] the required `user:password`
 * @param {string} [options.host] address to listen at
 * @param {(socket: net.Socket) => void} [options.answer] answers every `CONNECT` instead
 * @returns {Promise<Proxy>}
 */
export function httpProxy({ tls, credentials, host = '127.0.0.1', answer } = {}) {
  const requests = [];
  const targets = { sockets: new Set(), ports: new Set() };
  const server = tls ? https.createServer(tls) : http.createServer();
  const note = request => {
    const { method, url, rawHeaders } = request;
    const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []));
    requests.push([`${method} ${url}`, ...lines].join('\n'));
  };
  const refusal = request => {
    const given = request.headers['proxy-authorization'];
    if (!credentials || given === `Basic ${Buffer.from(credentials).toString('base64')}`) return undefined;
    return 'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n';
  };
  server.on('connect', (request, client) => {
    note(request);
    if (answer) return answer(client);
    const refused = refusal(request);
    if (refused) return client.end(refused);
    const url = new URL(`http://${request.url}`);
    const address = addressOf(url.hostname.replace(/^\[|\]$/g, ''));
    if (!address) return client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
    join(
      client,
      { host: address, port: Number(url.port || 80) },
      targets,
      () => client.write('HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n'),
      () => client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nno\n')
    );
  });
  server.on('upgrade', (request, client, head) => {
    note(request);
    const refused = refusal(request);
    if (refused) return client.end(refused);
    const { hostname, port, pathname, search } = new URL(request.url);
    join(
      client,
      { host: addressOf(hostname), port: Number(port || 80) },
      targets,
      target => {
        const [first, ...lines] = requests.at(-1).split('\n');
        const forwarded = lines.filter(line => !/^proxy-/i.test(line));
        const path = `${first.split(' ')[0]} ${pathname}${search} HTTP/1.1`;
        target.write(`${[path, ...forwarded].join('\r\n')}\r\n\r\n${head}`);
      },
      () => client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')
    );
  });
  return start(server, host, requests, targets);
}

/** Reads exact numbers of bytes from a socket. */
function reader(socket) {
  let buffered = Buffer.alloc(0);
  const waiting = [];
  const serve = () => {
    while (waiting.length > 0 && buffered.length >= waiting[0].size) {
      const { size, resolve } = waiting.shift();
      resolve(buffered.subarray(0, size));
      buffered = buffered.subarray(size);
    }
  };
  const onData = data => {
    buffered = Buffer.concat([buffered, data]);
    serve();
  };
  socket.on('data', onData);
  const read = size =>
    new Promise(resolve => {
      waiting.push({ size, resolve });
      serve();
    });
  return {
    read,
    async readToZero() {
      let text = '';
      for (;;) {
        const [byte] = await read(1);
        if (byte === 0) return text;
        text += String.fromCharCode(byte);
      }
    },
    /** Ends reading. Unread bytes are put back into the socket. */
    release() {
      socket.off('data', onData);
      if (buffered.length > 0) socket.unshift(buffered);
    }
  };
}

/**
 * A SOCKS proxy, versions 4, 4a and 5. `requests` has lines such as `5 user:password@name:only.proxy.test:443`.
 *
 * @param {object} [options]
 * @param {string} [options.credentials] the required `user:password` of version 5, or user id of version 4
 * @param {number} [options.reply] the code that refuses every request
 * @param {Buffer} [options.greeting] the answer of version 5 to the greeting; then it ends the connection
 * @param {Buffer} [options.answer] the answer to every request; then it ends the connection
 * @param {'ipv4' | 'ipv6' | 'name'} [options.bound] the form of the bound address in answers of version 5
 * @param {boolean} [options.drip] sends every byte separately
 * @param {boolean} [options.silent] reads and never answers
 * @param {string} [options.host] address to listen at
 * @returns {Promise<Proxy>}
 */
export function socksProxy(options = {}) {
  const requests = [];
  const targets = { sockets: new Set(), ports: new Set() };
  const server = net.createServer(client => {
    client.on('error', () => {});
    if (options.silent) client.resume();
    else serveSocks(client, options, requests, targets).catch(() => client.destroy());
  });
  return start(server, options.host ?? '127.0.0.1', requests, targets);
}

async function serveSocks(client, options, requests, targets) {
  const input = reader(client);
  const [version] = await input.read(1);
  const write = bytes => {
    if (!options.drip) return client.write(bytes);
    client.setNoDelay(true);
    for (const byte of bytes) client.write(Buffer.of(byte));
  };
  const refuse = bytes => {
    write(bytes);
    client.end();
  };
  if (version === 4) await serveVersion4(client, input, write, refuse, options, requests, targets);
  else await serveVersion5(client, input, write, refuse, options, requests, targets);
}

async function serveVersion4(client, input, write, refuse, { credentials, reply, answer }, requests, targets) {
  const head = await input.read(7);
  const port = head.readUInt16BE(1);
  const address = head.subarray(3);
  const user = await input.readToZero();
  const isName = address.readUInt32BE() < 256 && address[3] !== 0;
  const host = isName ? await input.readToZero() : address.join('.');
  requests.push(`4 ${user}@${isName ? 'name' : 'address'}:${host}:${port}`);
  const result = code => Buffer.of(0, code, 0, 0, 0, 0, 0, 0);
  if (answer) return refuse(answer);
  if (reply !== undefined) return refuse(result(reply));
  if (credentials !== undefined && user !== credentials) return refuse(result(93));
  if (!addressOf(host)) return refuse(result(91));
  const granted = () => {
    input.release();
    write(result(90));
  };
  join(client, { host: addressOf(host), port }, targets, granted, () => refuse(result(91)));
}

async function serveVersion5(client, input, write, refuse, options, requests, targets) {
  const { credentials, reply, greeting, answer, bound = 'ipv4' } = options;
  const [count] = await input.read(1);
  const methods = await input.read(count);
  if (greeting) return refuse(greeting);
  let user = '';
  if (credentials === undefined) {
    write(Buffer.of(5, 0));
  } else if (!methods.includes(2)) {
    requests.push(`5 methods:${methods.join()}`);
    return refuse(Buffer.of(5, 255));
  } else {
    write(Buffer.of(5, 2));
    const [, length] = await input.read(2);
    const name = await input.read(length);
    const [size] = await input.read(1);
    user = `${name}:${size > 0 ? await input.read(size) : ''}`;
    if (user !== credentials) {
      requests.push(`5 refused ${user}`);
      return refuse(Buffer.of(1, 1));
    }
    write(Buffer.of(1, 0));
  }
  const [, , , type] = await input.read(4);
  const host = await readHost(input, type);
  const port = (await input.read(2)).readUInt16BE();
  requests.push(`5 ${user}@${type === 3 ? 'name' : 'address'}:${host}:${port}`);
  const at = { ipv4: [1, 0, 0, 0, 0], ipv6: [4, ...new Array(16).fill(0)], name: [3, 4, 98, 110, 100, 46] }[bound];
  const result = code => Buffer.of(5, code, 0, ...at, 0, 0);
  if (answer) return refuse(answer);
  if (reply !== undefined) return refuse(result(reply));
  if (!addressOf(host)) return refuse(result(4));
  const granted = () => {
    input.release();
    write(result(0));
  };
  join(client, { host: addressOf(host), port }, targets, granted, () => refuse(result(5)));
}

async function readHost(input, type) {
  if (type === 1) return (await input.read(4)).join('.');
  if (type === 3) return (await input.read((await input.read(1))[0])).toString();
  const bytes = await input.read(16);
  return Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16)).join(':');
}
