// Behaviours of two clients other than texts: groups, presence, pre-keys, retries and so on.

import { jidOf } from './users.mjs';

/** @typedef {import('./run.mjs').Run} Run */

/** The pre-keys that the clients upload, and the bundles that they fetch. @param {Run} run */
function preKeys({ server }) {
  const asked = server.stanzas.filter(
    ({ direction, node }) => direction === 'in' && node.tag === 'iq' && node.attrs.xmlns === 'encrypt'
  );
  /** @param {string} type */
  const of = type => asked.filter(({ node }) => node.attrs.type === type).map(({ node }) => node.content);
  const uploaded = of('set').flatMap(content => (Array.isArray(content) ? content : []));
  const lists = uploaded.filter(({ tag }) => tag === 'list').map(({ content }) => content?.length);
  const fetched = of('get').some(content => Array.isArray(content) && content.some(({ tag }) => tag === 'key'));
  return `uploaded ${lists.join(' and ')}, bundles ${fetched ? 'fetched' : 'NOT fetched'}`;
}

/**
 * Whether a stanza is a usync query with a wanted node in one of its lists.
 *
 * @param {{ content?: unknown }} node
 * @param {string} list
 * @param {string} wanted
 */
function usyncHas({ content }, list, wanted) {
  /** @type {(nodes: unknown, tag: string) => { content?: unknown }[]} */
  const of = (nodes, tag) => (Array.isArray(nodes) ? nodes.filter(node => node.tag === tag) : []);
  const lists = of(content, 'usync').flatMap(usync => of(usync.content, list));
  const users = list === 'list' ? lists.flatMap(({ content }) => of(content, 'user')) : lists;
  return users.some(user => of(user.content, wanted).length > 0);
}

/** Whether the clients ask for LIDs and get them. @param {Run} run */
function lids({ server }) {
  /** @type {(wanted: string, list: string) => boolean} */
  const has = (wanted, list) =>
    server.stanzas.some(({ direction, node }) => direction === wanted && usyncHas(node, list, 'lid'));
  if (!has('in', 'query')) return 'not asked for';
  return has('out', 'list') ? 'asked for and told' : 'NOT told';
}

/** Presence and chat states of `a`, as `b` sees them. @param {Run} run */
async function presences(run) {
  const jid = jidOf('a');
  await run.service('b', 'subscribe', jid);
  const seen = [];
  for (const [type, to] of [['composing', jidOf('b')], ['paused', jidOf('b')], ['unavailable'], ['available']]) {
    await run.service('a', 'presence', type, to);
    // Baileys shows the chat state `paused` as `available`.
    const shown = type === 'paused' ? 'available' : type;
    await run.service('b', 'sees', `${jid} ${shown}`);
    seen.push(type);
  }
  return seen.join(', ');
}

/** A message that cannot be decrypted. @param {Run} run */
async function retry(run) {
  const before = run.retries;
  await run.service('b', 'forgetSessions');
  // The id is the text, so that a repeated message has the same text.
  await run.ask('a', 'send', { phase: 'retry', to: jidOf('b'), first: 0, count: 1 });
  const times = await run.service('b', 'has', 'retry:a:0');
  return `${run.retries > before ? 'asked for again' : 'NOT asked for'}, handed out ${times === 1 ? 'once' : `${times} times`}`;
}

/**
 * @param {Run} run
 * @returns {Promise<Record<string, import('./types.js').Answer>>}
 */
export async function answersOf(run) {
  const bothLookUp = async (/** @type {string} */ name, /** @type {unknown[]} */ ...args) => [
    await run.service('a', name, ...args),
    await run.service('b', name, ...args)
  ];
  const groups = await bothLookUp('groupMetadata', run.groupId);
  await run.service('a', 'renameGroup', run.groupId, 'Renamed');
  groups.push(await run.service('b', 'groupMetadata', run.groupId), await run.service('b', 'strangeGroup'));
  return {
    'pre-keys and key bundles': preKeys(run),
    'usync: numbers and devices': await run.service('a', 'lookUp', jidOf('b')),
    'usync: LIDs': lids(run),
    'group: created, looked up by both, renamed, one that does not exist': [...new Set(groups)].join('; '),
    'presence and chat states': await presences(run),
    'media connection': await run.service('b', 'media'),
    'retry receipt for what cannot be decrypted': await retry(run)
  };
}
