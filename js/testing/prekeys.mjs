// The pre-keys that devices upload, and the bundles that other devices fetch to encrypt for them.

import { bigEndian, child, children, firstChild, number, result, seconds, S_WHATSAPP_NET } from './nodes.mjs';

/** @import { Device } from './index.cjs' */
/** @import { Context, DeviceKeys, Stanza } from './types.d.ts' */

/** The type byte of Curve25519 keys. */
const KEY_TYPE = Buffer.from([5]);
/** With fewer one-time pre-keys the server asks for more. Baileys uploads more below the same number. */
const FEW_PRE_KEYS = 5;

/**
 * @param {Stanza} node
 * @returns {[number, Buffer][]}
 */
function preKeysOf(node) {
  return children(child(node, 'list'), 'key').map(key => [
    number(child(key, 'id').content),
    Buffer.from(child(key, 'value').content)
  ]);
}

/** @param {Stanza} skey */
function signedPreKeyOf(skey) {
  return {
    id: number(child(skey, 'id').content),
    key: Buffer.from(child(skey, 'value').content),
    signature: Buffer.from(child(skey, 'signature').content)
  };
}

/** @param {NonNullable<DeviceKeys['signedPreKey']>} preKey */
const signedPreKeyNode = ({ id, key, signature }) => ({
  tag: 'skey',
  attrs: {},
  content: [
    { tag: 'id', attrs: {}, content: bigEndian(id, 3) },
    { tag: 'value', attrs: {}, content: key },
    { tag: 'signature', attrs: {}, content: signature }
  ]
});

/** @param {[number, Buffer]} preKey */
const preKeyNode = ([id, key]) => ({
  tag: 'key',
  attrs: {},
  content: [
    { tag: 'id', attrs: {}, content: bigEndian(id, 3) },
    { tag: 'value', attrs: {}, content: key }
  ]
});

/**
 * The first nodes of a digest and of a bundle.
 *
 * @param {DeviceKeys} device
 */
function identityNodes({ registrationId, identityKey }) {
  /** @type {Stanza[]} */
  const nodes = [];
  if (registrationId !== undefined) {
    nodes.push({ tag: 'registration', attrs: {}, content: bigEndian(registrationId, 4) });
  }
  nodes.push({ tag: 'type', attrs: {}, content: KEY_TYPE });
  if (identityKey) nodes.push({ tag: 'identity', attrs: {}, content: identityKey });
  return nodes;
}

/** @param {Device} device */
function digest(device) {
  const content = identityNodes(device);
  if (device.signedPreKey) content.push(signedPreKeyNode(device.signedPreKey));
  const ids = [...device.preKeys.keys()].map(id => ({ tag: 'id', attrs: {}, content: bigEndian(id, 3) }));
  content.push({ tag: 'list', attrs: {}, content: ids });
  return { tag: 'digest', attrs: {}, content };
}

/**
 * The stanza that tells a device that it has few one-time pre-keys left.
 *
 * @param {string} id
 * @param {number} count
 */
const fewPreKeys = (id, count) => ({
  tag: 'notification',
  attrs: { from: S_WHATSAPP_NET, id, type: 'encrypt', t: seconds() },
  content: [{ tag: 'count', attrs: { value: String(count) } }]
});

/**
 * The bundle of one device. Each one-time pre-key is given out once. If none is left, the bundle has none.
 *
 * @param {string} jid
 * @param {Context} context
 */
function bundle(jid, { registry, router }) {
  const keys = registry.keysOf(jid);
  if (!keys?.identityKey || !keys.signedPreKey) {
    return {
      tag: 'user',
      attrs: { jid },
      content: [{ tag: 'error', attrs: { code: '404', text: 'item-not-found' } }]
    };
  }
  const content = [...identityNodes(keys), signedPreKeyNode(keys.signedPreKey)];
  const [preKey] = keys.preKeys;
  if (preKey) {
    keys.preKeys.delete(preKey[0]);
    content.push(preKeyNode(preKey));
    if (keys.preKeys.size < FEW_PRE_KEYS)
      router.deliver(/** @type {Device} */ (keys), fewPreKeys(router.nextId(), keys.preKeys.size));
  }
  return { tag: 'user', attrs: { jid, t: seconds() }, content };
}

/**
 * @param {Stanza} request
 * @param {Device} device
 */
function upload(request, device) {
  device.registrationId = number(child(request, 'registration').content);
  device.identityKey = Buffer.from(child(request, 'identity').content);
  device.signedPreKey = signedPreKeyOf(child(request, 'skey'));
  for (const [id, key] of preKeysOf(request)) device.preKeys.set(id, key);
}

/**
 * `encrypt`: bundles, the pre-key count, the upload of pre-keys, the digest, the rotation of the signed pre-key.
 *
 * @param {Stanza} request
 * @param {Context} context
 */
export function encryption(request, context) {
  const { device, server } = context;
  const action = firstChild(request)?.tag;
  if (request.attrs.type === 'get' && action === 'count') {
    const value = server.options.preKeyCount ?? device.preKeys.size;
    return result(request, [{ tag: 'count', attrs: { value: String(value) } }]);
  }
  if (request.attrs.type === 'get' && action === 'digest') return result(request, [digest(device)]);
  if (request.attrs.type === 'get' && action === 'key') {
    const users = children(child(request, 'key'), 'user').map(({ attrs }) => bundle(attrs.jid, context));
    return result(request, [{ tag: 'list', attrs: {}, content: users }]);
  }
  if (action === 'rotate') device.signedPreKey = signedPreKeyOf(child(child(request, 'rotate'), 'skey'));
  else if (child(request, 'list')) upload(request, device);
  return result(request);
}
