// The deliberate differences between our socket and Baileys' socket on `ws`, each with the test that shows it.

export const SOCKET_DIFFERENCES = [
  {
    id: 'compression',
    reason: 'Ours does not offer `permessage-deflate`: tungstenite does not have it, and WhatsApp does not use it.',
    test: 'websocket.test.mjs, "the request is that of ws, without compression"'
  },
  {
    id: 'socket-of-the-client',
    reason:
      '`socket` of the client is not a WebSocket of the package `ws`. It has the same methods, states, properties ' +
      'and events, for both kinds of listeners. `close` ignores its arguments, `send` ignores all options except ' +
      '`binary`, and `binaryType` is always `nodebuffer`. TCP is read outside JavaScript: `_socket` has the ' +
      'addresses, `setKeepAlive`, `setNoDelay`, `setTimeout` and `destroy` of a `net.Socket`, but cannot read or ' +
      'write.',
    test: 'websocket-socket.test.mjs, "members of the socket"'
  },
  {
    id: 'unwritten-messages',
    reason:
      'The messages of one turn of the event loop are written together. So `bufferedAmount` also counts messages that ' +
      'wait for the end of the turn. The callback of `send` gets null when the message is queued, if at most 1 MiB is ' +
      'unwritten; above that, when it is written, as with `ws`. If the connection is lost, callbacks get ' +
      '`ERR_STREAM_DESTROYED`. With `ws` some get the code of the failed write (`ECONNRESET`, `EPIPE`).',
    test: 'websocket-socket.test.mjs, "bufferedAmount counts…"; loop-turn.test.mjs, "a short message is called back…"'
  },
  {
    id: 'out-of-memory',
    reason:
      'If there is no memory for a received message, the connection ends with an error that Baileys maps to 408. With ' +
      '`ws` the process ends.',
    test: '`npm run test:faults`, "no memory left for a message"; `__test__/memory`'
  },
  {
    id: 'invalid-frames',
    reason:
      'This needs our noise handler and our socket. A frame that fails authentication ends the connection: `error` ' +
      'is emitted with a code that Baileys maps to 408. A stanza that cannot be decoded is skipped, logged as a ' +
      'warning and published on `baileys-native:socket:undecodable`. In Baileys both are unhandled rejections, ' +
      'which end the process.',
    test: 'invalid-frames.test.mjs'
  },
  {
    id: 'replaced-socket',
    reason:
      'If a program sets its own WebSocket as `socket`, or replaces `connect`, the behaviour is that of Baileys: ' +
      'frames are sent on its socket, and received frames are not opened ahead.',
    test: 'invalid-frames.test.mjs, "a socket of the program\'s own…"'
  },
  {
    id: 'handler-destroy',
    reason: 'A noise handler has `destroy()`, which frees its keys. Later calls throw.',
    test: 'invalid-frames.test.mjs, "destroy() frees…"'
  },
  {
    id: 'close-after-close',
    reason: 'close() resolves after the server has closed, and connect() works again. In Baileys 7 it never resolves.',
    test: 'websocket.test.mjs, "close() after the server has closed…"'
  },
  {
    id: 'refused-upgrade',
    reason:
      'This is about an HTTP response with a status other than 101. If only Baileys listens to ' +
      '`unexpected-response`, ours emits `error` with the status at once. Baileys waits and reports "Opening ' +
      'handshake has timed out". Statuses that Baileys would treat as a decision about the account (401, 411, 440, ' +
      '500, 515, and all below 400) become 408. If the program has a listener, the events are those of Baileys, but ' +
      'the TCP connection is closed at once, and the timeout is also reported if the server has ended the ' +
      'connection.',
    test: 'websocket-refused.test.mjs; compat/endings.test.mjs; websocket.test.mjs, "status 403 from a server that then ends the connection"'
  },
  {
    id: 'silent-peer',
    reason:
      'close() ends a connection at once if its peer has been silent for the time that Baileys waits for it ' +
      '(`connectTimeoutMs` for the first message, later `keepAliveIntervalMs` and 5 s). `ws` waits another 30 s for ' +
      'a close frame, and Baileys 7 reports the end only then.',
    test: 'websocket-refused.test.mjs, "close() if the peer…"; compat/endings.test.mjs'
  },
  {
    id: 'errors-after-close',
    reason:
      'If the program itself has ended a connection, an error of it is not thrown if nobody listens. In Baileys ' +
      '6.17 `end()` while connecting causes an uncaught exception.',
    test: 'websocket-refused.test.mjs, "…causes no uncaught exception"; compat/endings.test.mjs'
  },
  {
    id: 'agents',
    reason:
      'Agents of Node and proxy agents of `https-proxy-agent`, `http-proxy-agent`, `socks-proxy-agent` and ' +
      "`proxy-agent` work natively. With any other agent or option, Baileys' own class is used under `register`, " +
      'after a warning (`BAILEYS_NATIVE_AGENT`). Without `register` it is an error (`ERR_AGENT_UNSUPPORTED`). A ' +
      'direct connection is never made.',
    test: 'websocket-tls.test.mjs and proxy-agents.test.mjs, "no connection is made for…"; register-agents.test.mjs'
  },
  {
    id: 'replaced-functions',
    reason:
      'If a program has replaced a function of Node that makes connections (`https.request`, `tls.connect`, ' +
      '`net.Socket.prototype.connect` and others), perhaps to use a proxy, the connection is made by the class of ' +
      'Baileys under `register`, after the warning `BAILEYS_NATIVE_AGENT`. Without `register` it is an error ' +
      '(`ERR_AGENT_UNSUPPORTED`). Wrappers of tracing libraries and the package `global-agent` are known and work ' +
      'natively.',
    test: 'register-intercepted.test.mjs; proxy-process.test.mjs'
  },
  {
    id: 'unix-sockets',
    reason:
      'A `ws+unix:` URL is left to the class of Baileys under `register`. Without `register` it is an error ' +
      '(`ERR_AGENT_UNSUPPORTED`).',
    test: 'websocket-refused.test.mjs, "a ws+unix: URL…"'
  },
  {
    id: 'max-listeners',
    reason:
      'If the config has `maxWebSocketListeners`, Node warns of more listeners on one event of `socket`. This option ' +
      'is proposed for Baileys. The releases above ignore it and have no limit.',
    test: 'websocket-socket.test.mjs, "maxWebSocketListeners…"'
  },
  {
    id: 'keep-alive-while-blocked',
    reason:
      "While the JavaScript thread is blocked, the addon sends Baileys' keep-alive query and hides the answer. " +
      'Baileys itself sends nothing then and loses the connection. Afterwards `onFrame` may be called once with an ' +
      "empty Buffer, which updates Baileys' clock and which our `emit` does not pass on. `keepAliveWhileBlocked: " +
      'false` or `BAILEYS_NATIVE_KEEP_ALIVE=off` turns this off.',
    test: 'keep-alive-while-blocked.test.mjs and compat/stall.test.mjs'
  },
  {
    id: 'proxy-failures',
    reason:
      'If a proxy does not answer or refuses, the connection ends after `connectTimeoutMs`. Some versions of the ' +
      'packages wait longer or forever, also if the proxy has ended the connection. On Node 26 the older versions ' +
      'fail if the target is an address. The whole list is in [proxies.md](proxies.md).',
    test: 'proxy-failures.test.mjs'
  },
  {
    id: 'certificates',
    reason:
      'Ours accepts and refuses the same certificates as Node, except those that it cannot verify: keys that ring ' +
      'does not have (RSA below 2048 or above 8192 bits, P-521, RSA only for PSS), signatures with SHA-1, version ' +
      '1, unknown critical extensions, and authorities that are used as a server. Under `register` such a ' +
      'connection is made by the class of Baileys, so Node verifies it. Without `register` it ends with ' +
      '`ERR_TLS_UNSUPPORTED`. With `rejectUnauthorized: false` all certificates are accepted.',
    test: 'websocket-certificates.test.mjs'
  },
  {
    id: 'unsupported-tls',
    reason:
      'This is about a server that has no TLS parameters in common with rustls (CBC, static RSA, DHE and CCM of TLS ' +
      '1.2; groups such as P-521, X448 and ffdhe). Under `register` the class of Baileys makes the connection, ' +
      "after the warning `BAILEYS_NATIVE_TLS`. Without `register` the error has Node's code of the alert and names " +
      'the reason.',
    test: 'websocket-incompatible.test.mjs'
  },
  {
    id: 'texts-of-tls-errors',
    reason:
      'TLS errors have the codes of Node (`CERT_HAS_EXPIRED` and so on), except that an issuer that is not an ' +
      'authority always gives `INVALID_CA`. Errors for alerts and invalid records have ' +
      "codes like `EPROTO`, but not the texts of OpenSSL. An error for a wrong name has no `cert`. Node 24's advice " +
      'about `--use-system-ca` is not in the text.',
    test: 'websocket-tls.test.mjs'
  },
  {
    id: 'exceptions-in-listeners',
    reason:
      'An exception in a listener is an uncaught exception, as with `ws`. Later events are emitted in the next turn ' +
      'of the event loop.',
    test: 'websocket-listeners.test.mjs, "an exception in a listener…"'
  },
  {
    id: 'delivery-of-frames',
    reason:
      '`decodeFrame` calls `onFrame` for every complete frame before it returns. Baileys lets some microtasks run ' +
      'between the frames of one chunk.',
    test: 'noise.differential.test.mjs'
  }
];
