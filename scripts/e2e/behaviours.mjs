// Observes what two clients do in addition to texts: groups, presence, pre-keys, retries and so on. Each result is a
// text.

import { jidOf } from './users.mjs';

/** @typedef {import('./run.mjs').Run} Run */

/** The pre-keys that the clients upload, and the bundles that they fetch. @param {Run} run */
function preKeys({ server }) {
  const queries = server.stanzas.filter(
    ({ direction, node }) => direction === 'in' && node.tag === 'iq' && node.attrs.xmlns === 'encrypt'
  );
  /** @param {string} type */
  const of = type => queries.filter(({ node }) => node.attrs.type === type).map(({ node }) => node.content);
  const uploaded = of('set').flatMap(content => (Array.isArray(content) ? content : []));
  const lists = uploaded.filter(({ tag }) => tag === 'list').map(({ content }) => content?.length);
  const fetched = of('get').some(content => Array.isArray(content) && content.some(({ tag }) => tag === 'key'));
  return `uploaded ${lists.join(' and ')}, bundles ${fetched ? 'fetched' : 'NOT fetched'}`;
}

/**
 * Whether a stanza is a usync query or answer that has a node with the given tag.
 *
 * @param {{ content?: unknown }} node
 * @param {string} list `query` for the requested protocols, `list` for the results of each user.
 * @param {string} wanted The tag.
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
  /** @type {(direction: string, list: string) => boolean} */
  const has = (direction, list) =>
    server.stanzas.some(stanza => stanza.direction === direction && usyncHas(stanza.node, list, 'lid'));
  if (!has('in', 'query')) return 'not requested';
  return has('out', 'list') ? 'requested and returned' : 'NOT returned';
}

/** Presence and chat states of `a`, as `b` sees them. @param {Run} run */
async function presences(run) {
  const jid = jidOf('a');
  await run.act('b', 'subscribeToPresence', jid);
  const seen = [];
  for (const [type, to] of [['composing', jidOf('b')], ['paused', jidOf('b')], ['unavailable'], ['available']]) {
    await run.act('a', 'sendPresence', type, to);
    // Baileys shows the chat state `paused` as `available`.
    const shown = type === 'paused' ? 'available' : type;
    await run.act('b', 'awaitPresence', `${jid} ${shown}`);
    seen.push(type);
  }
  return seen.join(', ');
}

/** A message that cannot be decrypted at first, and is requested again. @param {Run} run */
async function retry(run) {
  const before = run.retries;
  await run.act('b', 'forgetSessions');
  // The id is the text, so that a repeated message has the same text.
  await run.ask('a', 'send', { phase: 'retry', to: jidOf('b'), first: 0, count: 1 });
  const times = await run.act('b', 'awaitText', 'retry:a:0');
  return `${run.retries > before ? 'requested again' : 'NOT requested again'}, delivered ${times === 1 ? 'once' : `${times} times`}`;
}

/**
 * @param {Run} run
 * @returns {Promise<Record<string, import('./types.js').ActionResult>>} By behaviour.
 */
export async function observeBehaviours(run) {
  const inBoth = async (/** @type {string} */ name, /** @type {unknown[]} */ ...args) => [
    await run.act('a', name, ...args),
    await run.act('b', name, ...args)
  ];
  const groups = await inBoth('groupMetadata', run.groupId);
  await run.act('a', 'renameGroup', run.groupId, 'Renamed');
  groups.push(await run.act('b', 'groupMetadata', run.groupId), await run.act('b', 'unknownGroup'));
  return {
    'pre-keys and key bundles': preKeys(run),
    'usync: numbers and devices': await run.act('a', 'lookUpNumber', jidOf('b')),
    'usync: LIDs': lids(run),
    'group: created, queried by both, renamed, and one that does not exist': [...new Set(groups)].join('; '),
    'presence and chat states': await presences(run),
    'media connection': await run.act('b', 'mediaConnection'),
    'retry receipt for a message that cannot be decrypted': await retry(run)
  };
}
