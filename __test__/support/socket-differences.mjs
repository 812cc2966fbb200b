// The deliberate differences between our socket and Baileys' socket on `ws`, each with the test that shows it.

export const SOCKET_DIFFERENCES = [
  {
    id: 'compression',
    reason: '`permessage-deflate` is not offered: tungstenite has none, and WhatsApp does not use it.',
    test: 'websocket.test.mjs, "the request is that of ws, without compression"'
  },
  {
    id: 'socket-of-the-client',
    reason:
      '`socket` of the client is no `ws` WebSocket. It has the methods, the states, the properties and the events of one, for ' +
      'listeners of both kinds; `close` ignores its arguments, `send` all options but `binary`, and `binaryType` is always ' +
      '`nodebuffer`. TCP is read outside JavaScript: `_socket` has the addresses, `setKeepAlive`, `setNoDelay`, `setTimeout` ' +
      'and `destroy` of a `net.Socket`, but nothing to read or write with.',
    test: 'websocket-socket.test.mjs, "members of the socket"'
  },
  {
    id: 'frames-that-fail',
    reason:
      'With both our handler and our socket, a frame that does not authenticate ends the connection by an `error` event with ' +
      'a code that Baileys maps to 408. A stanza that authenticates but does not decode is skipped, logged as a warning and ' +
      'published on `baileys-native:socket:undecodable`. In Baileys both are unhandled rejections, which end the process.',
    test: 'frames-that-fail.test.mjs'
  },
  {
    id: 'own-socket',
    reason:
      'A program that puts a WebSocket of its own in the place of `socket`, or replaces `connect`, gets the same as in Baileys: ' +
      'frames go to its socket, and nothing is opened ahead.',
    test: 'frames-that-fail.test.mjs, "a socket of the program\'s own…"'
  },
  {
    id: 'handler-destroy',
    reason: 'A noise handler has `destroy()`, which frees its keys; Baileys is about to have it. Later calls throw.',
    test: 'frames-that-fail.test.mjs, "destroy() frees…"'
  },
  {
    id: 'close-after-close',
    reason: 'close() after the server has closed resolves, and connect() works again. In Baileys 7 it never resolves.',
    test: 'websocket.test.mjs, "close() after the server has closed…"'
  },
  {
    id: 'refused-upgrade',
    reason:
      'An answer other than 101: where nothing but Baileys listens to `unexpected-response`, an `error` gives Baileys the ' +
      'status at once; Baileys itself waits and says "Opening handshake has timed out". Statuses that Baileys would take for a ' +
      'verdict on the account (401, 411, 440, 500, 515, and those below 400) become 408. With a listener the events are those ' +
      'of Baileys, but the TCP connection is freed at once, and the timeout comes also where the server has hung up.',
    test: 'websocket-refused.test.mjs; compat/endings.test.mjs; websocket.test.mjs, "status 403, and the server hangs up"'
  },
  {
    id: 'silent-peer',
    reason:
      'close() ends a connection at once if its peer has been silent for as long as Baileys waits for it (`connectTimeoutMs` ' +
      'for the first message, later `keepAliveIntervalMs` and 5 s). `ws` waits 30 s more for a close frame, and Baileys 7 ' +
      'reports the end only then.',
    test: 'websocket-refused.test.mjs, "close() of a peer…"; compat/endings.test.mjs'
  },
  {
    id: 'unwanted-errors',
    reason:
      'An error of a connection that the program has ended itself is not thrown where nobody listens. In Baileys 6.17 `end()` ' +
      'while connecting is an uncaught exception.',
    test: 'websocket-refused.test.mjs, "…is no uncaught exception"; compat/endings.test.mjs'
  },
  {
    id: 'agents',
    reason:
      'Agents of Node and proxy agents of `https-proxy-agent`, `http-proxy-agent`, `socks-proxy-agent` and `proxy-agent` are ' +
      "honoured natively. Any other agent or option gets Baileys' own class under `register`, after a warning " +
      '(`BAILEYS_NATIVE_AGENT`), and is an error (`ERR_AGENT_UNSUPPORTED`) without it; never a direct connection.',
    test: 'websocket-tls.test.mjs and proxy-agents.test.mjs, "nothing connects for…"; register-agents.test.mjs'
  },
  {
    id: 'blocked-threads',
    reason:
      "While the JavaScript thread is blocked, the addon sends Baileys' keep-alive query in its place and keeps the answer from " +
      'it; Baileys sends nothing then and loses the connection. Afterwards `onFrame` may be called once with an empty Buffer, ' +
      "which updates Baileys' clock and which our `emit` keeps to itself. `keepAliveWhileBlocked: false` or " +
      '`BAILEYS_NATIVE_KEEP_ALIVE=off` takes it back.',
    test: 'standby.test.mjs and compat/stall.test.mjs'
  },
  {
    id: 'proxies-that-fail',
    reason:
      'A proxy that is silent, or that refuses, ends the connection after `connectTimeoutMs`; some versions of the packages ' +
      'wait longer or for ever, or wait where the proxy has hung up. On Node 26 the older ones fail for a target that is an ' +
      'address. The whole list is in [proxies.md](proxies.md).',
    test: 'proxy-failures.test.mjs'
  },
  {
    id: 'certificates',
    reason:
      'Certificates are judged as Node judges them, with one exception: those with a key that ring does not have (RSA below ' +
      '2048 or above 8192 bits, P-521, RSA for PSS alone), signatures by SHA-1, version 1, unknown critical extensions, and ' +
      'authorities that serve as a server cannot be judged. Under register such a connection is made by the class of Baileys, ' +
      'so that Node judges; elsewhere it ends with `ERR_TLS_UNSUPPORTED`. With `rejectUnauthorized: false` all are taken.',
    test: 'websocket-certificates.test.mjs'
  },
  {
    id: 'tls-incompatible',
    reason:
      'A server that speaks no TLS that rustls speaks (CBC, static RSA, DHE and CCM of TLS 1.2; groups such as P-521, X448 and ' +
      'ffdhe) is met by the class of Baileys under register, after the warning `BAILEYS_NATIVE_TLS`. Elsewhere the error has ' +
      "Node's code of the alert and names the reason.",
    test: 'websocket-incompatible.test.mjs'
  },
  {
    id: 'words-of-tls',
    reason:
      'TLS errors have the codes that Node gives (`CERT_HAS_EXPIRED` and so on); alerts and garbage have `EPROTO`-like codes ' +
      "but not OpenSSL's texts, a wrong-name error has no `cert`, and Node 24's hint at `--use-system-ca` is not in the text.",
    test: 'websocket-tls.test.mjs'
  },
  {
    id: 'listeners-that-throw',
    reason:
      'An exception of a listener is an uncaught exception, as with `ws`; events behind it still come, next turn.',
    test: 'websocket-listeners.test.mjs, "an exception of a listener…"'
  },
  {
    id: 'delivery-of-frames',
    reason:
      '`decodeFrame` calls `onFrame` before it returns, for every whole frame; Baileys lets some microtasks run between ' +
      'frames of one chunk. Nothing can run in between that would run before the next message.',
    test: 'noise.differential.test.mjs'
  }
];
