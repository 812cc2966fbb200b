// The default answers of the server. With them clients can log in, run their first queries, stay connected and exchange
// messages.

import { acknowledge, child, children, errorResult, firstChild, result, seconds, S_WHATSAPP_NET } from './nodes.mjs';
import { encryption } from './prekeys.mjs';
import { usync } from './usync.mjs';

/** @import { Device } from './index.cjs' */
/** @import { Context, Stanza } from './types.d.ts' */

/** The privacy settings of a new account. */
const PRIVACY = {
  last: 'all',
  online: 'all',
  profile: 'all',
  status: 'all',
  readreceipts: 'all',
  groupadd: 'all',
  calladd: 'all',
  messages: 'all'
};

/**
 * The stanza that completes a login.
 *
 * @param {Device} device
 * @param {Record<string, string> | undefined} attrs
 */
export function success(device, attrs) {
  return {
    tag: 'success',
    attrs: {
      t: seconds(),
      props: '0',
      lid: device.lid,
      display_name: device.pushName,
      location: 'mock',
      ...attrs
    }
  };
}

/**
 * The stanzas that follow `active` after a login: the offline queue, with `ib` stanzas before and after it.
 *
 * @param {import('./index.mjs').LoginOptions} login The server's option.
 * @param {{ nodes: Stanza[], counts: Record<string, number> }} waiting
 */
function afterLogin({ offline, offlinePreview, edgeRouting, dirty = [] }, { nodes: waiting, counts }) {
  /** @param {Stanza} content */
  const ib = content => ({ tag: 'ib', attrs: { from: S_WHATSAPP_NET }, content: [content] });
  /** @param {Record<string, string | number>} attrs */
  const strings = attrs => Object.fromEntries(Object.entries(attrs).map(([key, value]) => [key, String(value)]));
  const nodes = [];
  if (edgeRouting) {
    const info = { tag: 'routing_info', attrs: {}, content: Buffer.from(edgeRouting) };
    nodes.push(ib({ tag: 'edge_routing', attrs: {}, content: [info] }));
  }
  for (const bit of dirty) nodes.push(ib({ tag: 'dirty', attrs: strings(bit) }));
  const preview = offlinePreview ?? (waiting.length > 0 && counts);
  if (preview) nodes.push(ib({ tag: 'offline_preview', attrs: strings(preview) }));
  nodes.push(...waiting);
  if (offline !== false) nodes.push(ib({ tag: 'offline', attrs: strings(offline ?? { count: waiting.length }) }));
  return nodes;
}

/**
 * @param {Stanza} request
 * @param {Context} context
 */
function passive(request, { connection, server, router }) {
  if (firstChild(request)?.tag !== 'active' || connection.state !== 'login') return result(request);
  connection.state = 'open';
  return [result(request), ...afterLogin(server.options.login ?? {}, router.open(connection))];
}

/** @param {Stanza} request */
function appState(request) {
  const collections = children(child(request, 'sync'), 'collection').map(({ attrs }) => ({
    tag: 'collection',
    attrs: { name: attrs.name, version: attrs.version ?? '0', has_more_patches: 'false' }
  }));
  return result(request, [{ tag: 'sync', attrs: {}, content: collections }]);
}

/**
 * @param {Stanza} request
 * @param {Context} context
 */
function multiDevice(request, { device, server }) {
  if (firstChild(request)?.tag === 'remove-companion-device') server.forget(device);
  return result(request);
}

/**
 * @param {Stanza} request
 * @param {Context} context
 */
function groups(request, { device, groups: all, server }) {
  return all.answer(request, device, server.options.groupAddressing);
}

/**
 * Answers by namespace. Other namespaces get an empty `result`.
 *
 * @type {Record<string, (request: Stanza, context: Context) => Stanza | Stanza[]>}
 */
const QUERIES = {
  'w:p': request => result(request),
  encrypt: encryption,
  passive,
  abt: request =>
    result(request, [{ tag: 'props', attrs: { protocol: '1', hash: 'mock', refresh: '86400' }, content: [] }]),
  blocklist: request => result(request, [{ tag: 'list', attrs: { dhash: 'mock' }, content: [] }]),
  privacy: request => {
    const categories = Object.entries(PRIVACY).map(([name, value]) => ({ tag: 'category', attrs: { name, value } }));
    return result(request, [{ tag: 'privacy', attrs: {}, content: categories }]);
  },
  usync,
  'w:sync:app:state': appState,
  'w:g2': groups,
  'w:m': request => errorResult(request, 503, 'service-unavailable'),
  'w:mex': request => result(request, [{ tag: 'result', attrs: {}, content: Buffer.from('{"data":{}}') }]),
  'w:profile:picture': request => errorResult(request, 404, 'item-not-found'),
  md: multiDevice
};

/**
 * Functions for stanzas that are sent on to other clients. They return the answer to the sender.
 *
 * @type {Record<string, (node: Stanza, context: Context) => Stanza | void>}
 */
const ROUTES = {
  message: (node, { router, device }) => router.message(node, device),
  receipt: (node, { router, device }) => router.receipt(node, device),
  ack: (node, { router, device }) => router.ack(node, device),
  chatstate: (node, { router, device }) => router.presence.chatState(node, device),
  presence: (node, { router, connection }) => router.presence.receive(node, connection)
};

/**
 * The default answer to a stanza: one stanza, several, or none.
 *
 * @param {Stanza} node
 * @param {Context} context
 * @returns {Stanza | Stanza[] | undefined | void}
 */
export function defaultAnswer(node, context) {
  if (node.tag === 'iq') {
    // Baileys omits the type in some requests (`w:stats`), so only the types of answers are checked.
    if (node.attrs.type === 'result' || node.attrs.type === 'error') return undefined;
    return Object.hasOwn(QUERIES, node.attrs.xmlns) ? QUERIES[node.attrs.xmlns](node, context) : result(node);
  }
  if (['message', 'receipt', 'call'].includes(node.tag) && !(node.attrs.id && node.attrs.to)) return undefined;
  if (context.server.options.routing && Object.hasOwn(ROUTES, node.tag)) return ROUTES[node.tag](node, context);
  return ['message', 'receipt', 'call'].includes(node.tag) ? acknowledge(node) : undefined;
}
