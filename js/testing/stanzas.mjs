// What the server answers on its own: enough of WhatsApp for a client to log in, run its start-up queries and stay.

export const S_WHATSAPP_NET = 's.whatsapp.net';

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

export const child = (node, tag) =>
  Array.isArray(node?.content) ? node.content.find(item => item.tag === tag) : undefined;
export const children = (node, tag) =>
  Array.isArray(node?.content) ? node.content.filter(item => item.tag === tag) : [];
const firstChild = node => (Array.isArray(node.content) ? node.content[0] : undefined);
const number = bytes => Buffer.from(bytes).readUIntBE(0, bytes.length);
const bigEndian = (value, length) => {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
};

/** The empty or filled `result` of an iq. */
export function result(request, content) {
  const attrs = { from: request.attrs.to ?? S_WHATSAPP_NET, type: 'result', id: request.attrs.id };
  return content === undefined ? { tag: 'iq', attrs } : { tag: 'iq', attrs, content };
}

/** The `error` of an iq. */
export function errorResult(request, code, text) {
  return {
    tag: 'iq',
    attrs: { from: request.attrs.to ?? S_WHATSAPP_NET, type: 'error', id: request.attrs.id },
    content: [{ tag: 'error', attrs: { code: String(code), text } }]
  };
}

/** The stanza that completes a login. */
export function success(device, attrs) {
  return {
    tag: 'success',
    attrs: {
      t: String(Math.floor(Date.now() / 1000)),
      props: '0',
      lid: device.lid,
      display_name: device.pushName,
      location: 'mock',
      ...attrs
    }
  };
}

/**
 * What follows a login once the client has gone active.
 *
 * @param {import('./index.mjs').LoginOptions} [options]
 */
export function afterLogin({ offline = { count: 0 }, offlinePreview, edgeRouting, dirty = [] } = {}) {
  const ib = content => ({ tag: 'ib', attrs: { from: S_WHATSAPP_NET }, content: [content] });
  const strings = attrs => Object.fromEntries(Object.entries(attrs).map(([key, value]) => [key, String(value)]));
  const nodes = [];
  if (edgeRouting) {
    const info = { tag: 'routing_info', attrs: {}, content: Buffer.from(edgeRouting) };
    nodes.push(ib({ tag: 'edge_routing', attrs: {}, content: [info] }));
  }
  for (const bit of dirty) nodes.push(ib({ tag: 'dirty', attrs: strings(bit) }));
  if (offlinePreview) nodes.push(ib({ tag: 'offline_preview', attrs: strings(offlinePreview) }));
  if (offline) nodes.push(ib({ tag: 'offline', attrs: strings(offline) }));
  return nodes;
}

function preKeysOf(node) {
  return children(child(node, 'list'), 'key').map(key => [
    number(child(key, 'id').content),
    Buffer.from(child(key, 'value').content)
  ]);
}

function signedPreKeyOf(skey) {
  return {
    id: number(child(skey, 'id').content),
    key: Buffer.from(child(skey, 'value').content),
    signature: Buffer.from(child(skey, 'signature').content)
  };
}

const signedPreKeyNode = ({ id, key, signature }) => ({
  tag: 'skey',
  attrs: {},
  content: [
    { tag: 'id', attrs: {}, content: bigEndian(id, 3) },
    { tag: 'value', attrs: {}, content: key },
    { tag: 'signature', attrs: {}, content: signature }
  ]
});

function digest(device) {
  const content = [];
  if (device.registrationId !== undefined) {
    content.push({ tag: 'registration', attrs: {}, content: bigEndian(device.registrationId, 4) });
  }
  content.push({ tag: 'type', attrs: {}, content: Buffer.from([5]) });
  if (device.identityKey) content.push({ tag: 'identity', attrs: {}, content: device.identityKey });
  if (device.signedPreKey) content.push(signedPreKeyNode(device.signedPreKey));
  const ids = [...device.preKeys.keys()].map(id => ({ tag: 'id', attrs: {}, content: bigEndian(id, 3) }));
  content.push({ tag: 'list', attrs: {}, content: ids });
  return { tag: 'digest', attrs: {}, content };
}

/** `encrypt`: the pre-key count, their upload, the digest, the rotation of the signed pre-key. */
function encryption(request, { device, server }) {
  const action = firstChild(request)?.tag;
  if (request.attrs.type === 'get' && action === 'count') {
    const value = server.options.preKeyCount ?? device.preKeys.size;
    return result(request, [{ tag: 'count', attrs: { value: String(value) } }]);
  }
  if (request.attrs.type === 'get' && action === 'digest') return result(request, [digest(device)]);
  if (action === 'rotate') {
    device.signedPreKey = signedPreKeyOf(child(child(request, 'rotate'), 'skey'));
  } else if (child(request, 'list')) {
    device.registrationId = number(child(request, 'registration').content);
    device.identityKey = Buffer.from(child(request, 'identity').content);
    device.signedPreKey = signedPreKeyOf(child(request, 'skey'));
    for (const [id, key] of preKeysOf(request)) device.preKeys.set(id, key);
  }
  return result(request);
}

/** `usync`: devices, LIDs and contacts of the users that this server has linked; everybody else has one phone. */
function usync(request, { server }) {
  const query = child(request, 'usync');
  const protocols = (child(query, 'query')?.content ?? []).map(item => item.tag);
  const users = children(child(query, 'list'), 'user').map(user => {
    const phone = child(user, 'contact')?.content?.toString().replace('+', '');
    const jid = user.attrs.jid ?? `${phone}@${S_WHATSAPP_NET}`;
    const devices = server.devicesOf(jid);
    const known = { lid: { val: devices[0]?.lid.replace(/:\d+/, '') }, contact: { type: 'in' }, status: {} };
    const content = protocols.flatMap(protocol => {
      if (protocol === 'devices') {
        const ids = [0, ...devices.map(item => item.device)];
        const list = ids.map(id => ({ tag: 'device', attrs: { id: String(id), 'key-index': String(id) } }));
        return [{ tag: 'devices', attrs: {}, content: [{ tag: 'device-list', attrs: {}, content: list }] }];
      }
      if (protocol === 'lid' && devices.length === 0) return [];
      return known[protocol] ? [{ tag: protocol, attrs: known[protocol] }] : [];
    });
    return { tag: 'user', attrs: { jid }, content };
  });
  const answer = [
    { tag: 'result', attrs: {} },
    { tag: 'list', attrs: {}, content: users }
  ];
  return result(request, [{ tag: 'usync', attrs: { ...query.attrs }, content: answer }]);
}

function passive(request, { connection, server }) {
  const wentActive = firstChild(request)?.tag === 'active' && connection.state === 'login';
  if (wentActive) connection.state = 'open';
  return [result(request), ...(wentActive ? afterLogin(server.options.login) : [])];
}

function appState(request) {
  const collections = children(child(request, 'sync'), 'collection').map(({ attrs }) => ({
    tag: 'collection',
    attrs: { name: attrs.name, version: attrs.version ?? '0', has_more_patches: 'false' }
  }));
  return result(request, [{ tag: 'sync', attrs: {}, content: collections }]);
}

function multiDevice(request, { device, server }) {
  if (firstChild(request)?.tag === 'remove-companion-device') server.forget(device);
  return result(request);
}

function groups(request) {
  if (firstChild(request)?.tag === 'participating') return result(request, [{ tag: 'groups', attrs: {}, content: [] }]);
  return errorResult(request, 404, 'item-not-found');
}

/** Answers by namespace. What is not listed gets an empty `result`. */
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

function acknowledge(node) {
  const attrs = { class: node.tag, id: node.attrs.id, from: node.attrs.to, t: String(Math.floor(Date.now() / 1000)) };
  if (node.attrs.participant) attrs.participant = node.attrs.participant;
  if (node.tag === 'receipt' && node.attrs.type) attrs.type = node.attrs.type;
  return { tag: 'ack', attrs };
}

/**
 * The server's own answer to a stanza: one, several, or none.
 *
 * @param {object} node
 * @param {{ connection: object, device: object, server: object }} context
 */
export function defaultAnswer(node, context) {
  if (node.tag === 'iq') {
    // Baileys leaves the type out of some requests (`w:stats`); only an answer names itself.
    if (node.attrs.type === 'result' || node.attrs.type === 'error') return undefined;
    return Object.hasOwn(QUERIES, node.attrs.xmlns) ? QUERIES[node.attrs.xmlns](node, context) : result(node);
  }
  if ((node.tag === 'message' || node.tag === 'receipt' || node.tag === 'call') && node.attrs.id && node.attrs.to) {
    return acknowledge(node);
  }
  return undefined;
}
