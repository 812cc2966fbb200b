'use strict';

// The protocol on the socket of an inspected process. The process first sends one line of JSON with the kind `hello`.
// After the request STREAM it sends lines of the kinds `state`, `node`, `answer`, `figures` and `dropped`.

module.exports = { STREAM: 'stream\n' };
