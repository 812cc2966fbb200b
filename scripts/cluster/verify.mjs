// Checks a run of a cluster: what the server has recorded must agree with what docs/scale.md promises.

import { median } from '../shared/statistics.mjs';
import { overlaps } from './server-record.mjs';

/** @import { Incident, MeasuredNode } from './run.mjs' */
/** @import { ConnectionRecord } from './server-record.mjs' */

/**
 * How long sessions may be without a connection in addition to the lease, in milliseconds: the time to renew a lease,
 * to read the store and to connect.
 */
const RECONNECT_MS = 10_000;

/** The time that a process may need to run again after SIGCONT on a busy machine, in milliseconds. */
const RESUME_MS = 2_000;
/** The key of a server is in the store when a login is older than this part of the time for a reconnection. */
const SAVED_PART = 0.1;

/** @param {number} value */
const milliseconds = value => `${Math.round(value).toLocaleString('en')} ms`;

/**
 * How long each session of an incident was without a connection, in milliseconds: the time until its next login.
 *
 * @param {Incident} incident
 * @param {Map<string, ConnectionRecord[]>} byUser
 */
function gaps({ at, sessions }, byUser) {
  return sessions.map((/** @type {string} */ user) => {
    const next = (byUser.get(user) ?? []).find((/** @type {any} */ { loginAt }) => loginAt > at);
    return next === undefined ? Infinity : next.loginAt - at;
  });
}

/**
 * Checks a run. `violations` describes each promise that did not hold.
 *
 * @param {Awaited<ReturnType<typeof import('./run.mjs').runCluster>>} report
 * @param {number} [reconnectMs] How long sessions may be without a connection in addition to the lease.
 */
export function verify(report, reconnectMs = RECONNECT_MS) {
  const { accepted, codes, events, incidents, nodes, options, record, stopMs, figures } = report;
  const byUser = record.byUser();
  const violations = [];
  /**
   * @param {boolean} holds
   * @param {string} what
   */
  const check = (holds, what) => void (holds || violations.push(what));

  // A connection of a frozen node stays open until the node runs again, or until the server closes it. At the new login
  // the server sends the stream error `conflict` on the old connection.
  const frozen = new Map(nodes.map(node => [node.name, node.frozen]));
  /**
   * @param {string} name
   * @param {number} time
   */
  const wasFrozen = (name, time) => frozen.get(name)?.some(({ from, to }) => from <= time && time <= to + RESUME_MS);
  const pairs = overlaps(record);
  const ofFrozen = pairs.filter(({ earlier, later }) => wasFrozen(earlier.node, later.loginAt));
  const lateStanzas = ofFrozen.filter(({ earlier, later }) => earlier.lastAt > later.loginAt).length;
  const notRefused = ofFrozen.filter(({ earlier }) => earlier.refusedAt === Infinity).length;
  for (const { earlier, later } of pairs.filter(pair => !ofFrozen.includes(pair))) {
    const overlap = milliseconds(Math.min(earlier.closedAt, later.closedAt) - later.loginAt);
    const [first, second] = [earlier, later].map(({ node, loginAt }) => `${node}, ${new Date(loginAt).toISOString()}`);
    const before = incidents.filter(({ node, at }) => node === earlier.node && at < later.loginAt).at(-1);
    const after = before ? `, ${milliseconds(later.loginAt - before.at)} after ${before.fault} of ${before.node}` : '';
    violations.push(`${later.user} had two connections at a time for ${overlap} (${first}; ${second}${after})`);
  }
  check(lateStanzas === 0, `${lateStanzas} connections of frozen nodes sent stanzas after another node had logged in`);
  check(notRefused === 0, `${notRefused} connections of frozen nodes were not refused by the server`);

  const afterLease = options.leaseMs + reconnectMs;
  /** @type {Record<string, number>} */
  const bound = { kill: afterLease, freeze: afterLease, restart: reconnectMs };
  const takeovers = [...new Set(incidents.map(({ fault }) => fault))].map(fault => {
    const of = incidents.filter(incident => incident.fault === fault);
    const times = of.flatMap(incident => gaps(incident, byUser));
    const longest = Math.max(0, ...times);
    check(longest <= bound[fault], `after ${fault}, a session was without a connection for ${milliseconds(longest)}`);
    return {
      fault,
      incidents: of.length,
      sessions: times.length,
      medianMs: median(times),
      longestMs: longest,
      boundMs: bound[fault]
    };
  });

  /** @type {Record<'known' | 'unknown', Record<string, number>>} */
  const handshakes = { known: { XX: 0, IK: 0, XXfallback: 0 }, unknown: { XX: 0, IK: 0, XXfallback: 0 } };
  for (const connections of byUser.values()) {
    connections.forEach((/** @type {any} */ { handshake, loginAt }, /** @type {number} */ i) => {
      const isKnown = connections
        .slice(0, i)
        .some(
          (/** @type {ConnectionRecord} */ earlier) =>
            Math.min(earlier.closedAt, loginAt) - earlier.loginAt > SAVED_PART * reconnectMs
        );
      handshakes[isKnown ? 'known' : 'unknown'][handshake] += 1;
    });
  }
  const notResumed = handshakes.known.XX + handshakes.known.XXfallback;
  check(notResumed === 0, `${notResumed} logins to a known server were not resumed`);

  const sent = accepted.filter(id => events.of(id).has('sent'));
  const lost = sent.filter(id => !record.messages.has(id));
  const twice = accepted.filter(id => record.messages.get(id) > 1);
  const arrived = accepted.filter(id => events.of(id).has('message'));
  const unreadable = accepted.filter(id => events.of(id).has('unreadable') && !events.of(id).has('message'));
  check(lost.length === 0, `${lost.length} texts were reported as sent but never reached the server`);
  check(sent.length === accepted.length, `${accepted.length - sent.length} texts were not sent`);
  check(
    arrived.length + unreadable.length === accepted.length,
    `${accepted.length - arrived.length - unreadable.length} messages did not arrive`
  );
  const errors = unreadable.map(id => `${id}: ${events.of(id).get('unreadable').error}`);
  check(unreadable.length === 0, `${unreadable.length} messages could not be decrypted (${errors.join('; ')})`);
  check(
    codes.every(code => code === 0),
    `nodes ended with ${codes.join(', ')}`
  );

  return {
    options: { ...options, log: undefined },
    violations,
    connections: [...byUser.values()].reduce((sum, connections) => sum + connections.length, 0),
    overlaps: { ofFrozen: ofFrozen.length, others: pairs.length - ofFrozen.length, lateStanzas },
    takeovers,
    handshakes,
    texts: {
      accepted: accepted.length,
      sent: sent.length,
      lost: lost.length,
      twice: twice.length,
      arrived: arrived.length,
      unreadable: unreadable.length
    },
    stopMs,
    figures: usage(figures)
  };
}

/**
 * CPU, memory and traffic between two measurements. Nodes that were restarted in the meantime are left out.
 *
 * @param {{ before: MeasuredNode, after: MeasuredNode }} figures
 */
export function usage({ before, after }) {
  const seconds = (after.at - before.at) / 1000;
  const nodes = after.nodes.map((/** @type {any} */ node, /** @type {number} */ i) => {
    const earlier = before.nodes[i];
    return node && earlier && node.cpu >= earlier.cpu
      ? { cpuPercent: ((node.cpu - earlier.cpu) / seconds) * 100, rssMB: node.rss / 2 ** 20, threads: node.threads }
      : undefined;
  });
  return {
    seconds,
    nodes,
    stanzasPerSecond: (after.stanzas - before.stanzas) / seconds,
    redis: {
      commandsPerSecond: (after.redis.commands - before.redis.commands) / seconds,
      cpuPercent: ((after.redis.cpu - before.redis.cpu) / seconds) * 100,
      memoryMB: after.redis.memory / 2 ** 20
    }
  };
}

/**
 * The result as a table for a terminal.
 *
 * @param {ReturnType<typeof verify>} result
 */
export function table(result) {
  const { options, takeovers, overlaps: pairs, handshakes, texts, figures } = result;
  const rows = [
    ['', ''],
    [
      `${options.sessions} sessions, ${options.nodes} nodes, ownership in ${options.ownership}`,
      `${options.seconds} s of load, lease ${options.leaseMs} ms`
    ],
    ...takeovers.map(({ fault, incidents, sessions, medianMs, longestMs, boundMs }) => [
      `${fault}: ${incidents} times, ${sessions} sessions connected again`,
      `median ${milliseconds(medianMs)}, longest ${milliseconds(longestMs)} (bound ${milliseconds(boundMs)})`
    ]),
    ['connections', String(result.connections)],
    [
      'two connections of one session at a time',
      `${pairs.others}; of frozen nodes, closed by the server: ${pairs.ofFrozen}`
    ],
    ['frozen nodes that sent a stanza after the other login', String(pairs.lateStanzas)],
    [
      'logins to a known server',
      `IK ${handshakes.known.IK}, XX ${handshakes.known.XX}, XXfallback ${handshakes.known.XXfallback}`
    ],
    ['texts accepted, reported as sent', `${texts.accepted}, ${texts.sent}`],
    ['reported as sent but lost', String(texts.lost)],
    ['sent more than once, with the same id', String(texts.twice)],
    ['arrived and decrypted, not decrypted', `${texts.arrived}, ${texts.unreadable}`],
    ['stanzas a second, in and out', figures.stanzasPerSecond.toFixed(0)],
    [
      'Redis',
      `${figures.redis.commandsPerSecond.toFixed(0)} commands a second, ${figures.redis.cpuPercent.toFixed(1)} % CPU, ${figures.redis.memoryMB.toFixed(0)} MB`
    ],
    ...figures.nodes.flatMap((/** @type {any} */ node, /** @type {number} */ i) =>
      node
        ? [
            [
              `node ${i + 1}`,
              `${node.cpuPercent.toFixed(1)} % CPU, ${node.rssMB.toFixed(0)} MB, ${node.threads} threads`
            ]
          ]
        : []
    ),
    ['all sessions handed over at the end', milliseconds(result.stopMs)],
    ['promises that did not hold', result.violations.length === 0 ? 'none' : result.violations.join('; ')]
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join('\n');
}
