'use strict';

const { statusCode } = require('../addon/abi.cjs');

/** @import { DurationHistogram, ProcessMetrics, QueueMetrics, SessionState } from '../../index' */

// The metric families for Prometheus, each with a function that reads it from a snapshot of `metrics()`. Labels have
// few values: states, kinds, and codes of Baileys' `DisconnectReason`; all other codes have the label `other`.

/** Codes of the end of a connection that have their own label. 429 is not a code of Baileys: too many requests. */
const CODES = new Set([...Object.values(statusCode), 429].map(String));
/** The states of a session. The type check fails if one is missing. @type {Record<SessionState, 0>} */
const STATES = { disconnected: 0, connecting: 0, authenticating: 0, connected: 0, closing: 0, reconnecting: 0 };
const SOCKET_STATES = /** @type {const} */ (['connecting', 'open', 'closing']);
const KINDS = /** @type {const} */ (['XX', 'IK', 'XXfallback']);

/** @param {number} ms */
const seconds = ms => ms / 1000;
/** @param {number} value */
const one = value => [{ labels: {}, value }];

/**
 * The values for both directions.
 *
 * @param {number} received
 * @param {number} sent
 */
const inAndOut = (received, sent) => [
  { labels: { direction: 'in' }, value: received },
  { labels: { direction: 'out' }, value: sent }
];

/**
 * The values for both queues.
 *
 * @param {ProcessMetrics} figures
 * @param {keyof QueueMetrics} name
 */
const queues = ({ incoming, outgoing }, name) => [
  { labels: { queue: 'incoming' }, value: incoming[name] },
  { labels: { queue: 'outgoing' }, value: outgoing[name] }
];

/**
 * Reconnects by code. Codes that are not in CODES are added up as `other`.
 *
 * @param {ProcessMetrics} figures
 */
function reconnects({ reconnects }) {
  const counts = Object.fromEntries([...CODES, 'other'].map(code => [code, 0]));
  for (const [code, count] of Object.entries(reconnects)) counts[CODES.has(code) ? code : 'other'] += count;
  return Object.entries(counts).map(([code, value]) => ({ labels: { code }, value }));
}

/**
 * The Prometheus series of a `DurationHistogram`: its bucket `i` counts durations below `2 ** i` ms.
 *
 * @param {string} name
 * @param {Record<string, string | number>} labels
 * @param {DurationHistogram} durations
 */
function histogram(name, labels, { buckets, count, sumMs }) {
  const series = [];
  let below = 0;
  buckets.forEach((more, i) => {
    below += more;
    const le = i === buckets.length - 1 ? '+Inf' : seconds(2 ** i);
    series.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: below });
  });
  series.push({ metricName: `${name}_sum`, labels, value: seconds(sumMs) });
  series.push({ metricName: `${name}_count`, labels, value: count });
  return series;
}

/**
 * A histogram with the same buckets and no values.
 *
 * @param {DurationHistogram} durations
 */
const emptied = ({ buckets }) => ({ buckets: buckets.map(() => 0), count: 0, sumMs: 0 });

/** @typedef {{ labels: Record<string, string | number>, value: number, metricName?: string }} Sample */

/**
 * @typedef {object} Family
 * @property {string} name
 * @property {'counter' | 'gauge' | 'histogram'} type
 * @property {string} help
 * @property {'sum' | 'max'} [aggregator] how values of the processes of a cluster are combined
 * @property {(figures: ProcessMetrics, name: string) => Sample[]} read
 */

/** @returns {Family[]} */
const families = () => [
  {
    name: 'sessions',
    type: 'gauge',
    help: 'Sessions by state.',
    read: ({ states }) =>
      Object.entries({ ...STATES, ...states }).map(([state, value]) => ({ labels: { state }, value }))
  },
  {
    name: 'connections_total',
    type: 'counter',
    help: 'Connections that sessions have begun.',
    read: figures => one(figures.connections)
  },
  { name: 'logins_total', type: 'counter', help: 'Logins that have succeeded.', read: figures => one(figures.logins) },
  {
    name: 'reconnects_total',
    type: 'counter',
    help: 'Connections that were followed by another one, by the code of their end.',
    read: reconnects
  },
  {
    name: 'transport_bytes_total',
    type: 'counter',
    help: 'Bytes of sessions to and from the transport.',
    read: figures => inAndOut(figures.bytesIn, figures.bytesOut)
  },
  {
    name: 'frames_total',
    type: 'counter',
    help: 'Frames of sessions.',
    read: figures => inAndOut(figures.framesIn, figures.framesOut)
  },
  {
    name: 'stanzas_total',
    type: 'counter',
    help: 'Stanzas of sessions.',
    read: figures => inAndOut(figures.stanzasIn, figures.stanzasOut)
  },
  {
    name: 'stanzas_delivered_total',
    type: 'counter',
    help: 'Stanzas that were delivered to JavaScript.',
    read: figures => one(figures.stanzasDelivered)
  },
  {
    name: 'stanzas_malformed_total',
    type: 'counter',
    help: 'Payloads that could not be decoded as a stanza.',
    read: figures => one(figures.malformed)
  },
  { name: 'queries_total', type: 'counter', help: 'Queries asked.', read: figures => one(figures.queries) },
  {
    name: 'queries_failed_total',
    type: 'counter',
    help: 'Queries without a good answer, by outcome.',
    read: figures => [
      { labels: { outcome: 'refused' }, value: figures.queriesRefused },
      { labels: { outcome: 'timed_out' }, value: figures.queriesTimedOut },
      { labels: { outcome: 'cancelled' }, value: figures.queriesCancelled },
      { labels: { outcome: 'closed' }, value: figures.queriesClosed }
    ]
  },
  {
    name: 'queries_pending',
    type: 'gauge',
    help: 'Queries that wait for their answer.',
    read: figures => one(figures.queriesPending)
  },
  {
    name: 'query_latency_seconds',
    type: 'histogram',
    help: 'Time from a query to its answer.',
    read: (figures, name) => histogram(name, {}, figures.queryLatency)
  },
  {
    name: 'keep_alives_total',
    type: 'counter',
    help: 'Keep-alive queries that sessions have sent.',
    read: figures => one(figures.pings)
  },
  {
    name: 'keep_alive_rtt_seconds',
    type: 'histogram',
    help: 'Time from a keep-alive query to its answer.',
    read: (figures, name) => histogram(name, {}, figures.pingRtt)
  },
  {
    name: 'handshake_seconds',
    type: 'histogram',
    help: 'Time from the open transport to the end of the handshake, by kind.',
    read: ({ handshakes, queryLatency }, name) =>
      KINDS.flatMap(kind => histogram(name, { kind }, handshakes[kind] ?? emptied(queryLatency)))
  },
  { name: 'queue_stanzas', type: 'gauge', help: 'Stanzas in queues.', read: figures => queues(figures, 'stanzas') },
  { name: 'queue_bytes', type: 'gauge', help: 'Bytes in queues.', read: figures => queues(figures, 'bytes') },
  {
    name: 'queue_stanzas_max',
    type: 'gauge',
    help: 'The most stanzas that one queue has held.',
    aggregator: 'max',
    read: figures => queues(figures, 'mostStanzas')
  },
  {
    name: 'queue_bytes_max',
    type: 'gauge',
    help: 'The most bytes that one queue has held.',
    aggregator: 'max',
    read: figures => queues(figures, 'mostBytes')
  },
  {
    name: 'buffer_bytes',
    type: 'gauge',
    help: 'Memory of buffers without the queues.',
    read: figures => one(figures.bufferBytes)
  },
  {
    name: 'read_suspensions_total',
    type: 'counter',
    help: 'How often reading was suspended.',
    read: figures => one(figures.stalls)
  },
  {
    name: 'loop_stalls_total',
    type: 'counter',
    help: 'Event-loop stalls of a second or more during which connections stayed open.',
    read: ({ loopStalls }) => one(loopStalls.count)
  },
  {
    name: 'loop_stall_seconds_total',
    type: 'counter',
    help: 'Time of event-loop stalls of a second or more during which connections stayed open.',
    read: ({ loopStalls }) => one(seconds(loopStalls.sumMs))
  },
  {
    name: 'loop_stall_seconds_max',
    type: 'gauge',
    help: 'The longest event-loop stall during which connections stayed open.',
    aggregator: 'max',
    read: ({ loopStalls }) => one(seconds(loopStalls.longestMs))
  },
  {
    name: 'inbound_seconds_total',
    type: 'counter',
    help: 'Time spent on incoming data of sessions outside the JavaScript thread.',
    read: figures => one(seconds(figures.inboundMs))
  },
  {
    name: 'inbound_step_seconds_total',
    type: 'counter',
    help: 'Time spent on incoming data of sessions outside the JavaScript thread, by step: an estimate from samples.',
    read: ({ decryptMs, inflateMs, parseMs }) => [
      { labels: { step: 'decrypt' }, value: seconds(decryptMs) },
      { labels: { step: 'inflate' }, value: seconds(inflateMs) },
      { labels: { step: 'parse' }, value: seconds(parseMs) }
    ]
  },
  {
    name: 'sockets',
    type: 'gauge',
    help: 'Sockets of the drop-in by state.',
    read: ({ sockets }) => SOCKET_STATES.map(state => ({ labels: { state }, value: sockets[state] }))
  },
  {
    name: 'socket_connections_total',
    type: 'counter',
    help: 'Sockets of the drop-in since the start of the process.',
    read: ({ sockets }) => one(sockets.connections)
  },
  {
    name: 'socket_bytes_total',
    type: 'counter',
    help: 'Bytes of messages of the drop-in.',
    read: ({ sockets }) => inAndOut(sockets.bytesIn, sockets.bytesOut)
  },
  {
    name: 'socket_messages_total',
    type: 'counter',
    help: 'WebSocket messages of the drop-in.',
    read: ({ sockets }) => inAndOut(sockets.messagesIn, sockets.messagesOut)
  },
  {
    name: 'socket_frames_opened_total',
    type: 'counter',
    help: 'Frames of the drop-in that were decrypted and decoded outside the JavaScript thread.',
    read: ({ sockets }) => one(sockets.framesOpened)
  },
  {
    name: 'socket_stanzas_malformed_total',
    type: 'counter',
    help: 'Stanzas of the drop-in that could not be decoded and were skipped.',
    read: ({ sockets }) => one(sockets.malformed)
  },
  {
    name: 'socket_inbound_seconds_total',
    type: 'counter',
    help: 'Time spent on incoming data of the drop-in outside the JavaScript thread.',
    read: ({ sockets }) => one(seconds(sockets.inboundMs))
  },
  {
    name: 'socket_waiting_bytes',
    type: 'gauge',
    help: 'Bytes of the drop-in that wait for JavaScript.',
    read: ({ sockets }) => one(sockets.waitingBytes)
  },
  {
    name: 'socket_waiting_bytes_max',
    type: 'gauge',
    help: 'The most bytes of one socket that waited for JavaScript.',
    aggregator: 'max',
    read: ({ sockets }) => one(sockets.mostWaitingBytes)
  },
  {
    name: 'socket_kept_alive_stalls_total',
    type: 'counter',
    help: 'Times that the JavaScript thread was blocked and keep-alive queries of the drop-in were sent in its place.',
    read: ({ sockets }) => one(sockets.keptAlive.stalls)
  },
  {
    name: 'socket_kept_alive_stall_seconds_total',
    type: 'counter',
    help: 'How long the JavaScript thread was blocked while keep-alive queries of the drop-in were sent in its place.',
    read: ({ sockets }) => one(seconds(sockets.keptAlive.blockedMs))
  },
  {
    name: 'socket_keep_alives_total',
    type: 'counter',
    help: 'Keep-alive queries of the drop-in that were sent in place of a blocked JavaScript thread.',
    read: ({ sockets }) => one(sockets.keptAlive.keepAlives)
  }
];

module.exports = { families };
