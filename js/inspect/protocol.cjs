'use strict';

// What is spoken on the socket of a process: it greets with one line, `hello`; whoever answers with this request gets
// lines of JSON from then on: `state`, `node`, `answer`, `figures`, `dropped`.

module.exports = { STREAM: 'stream\n' };
