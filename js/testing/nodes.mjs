// Functions to read stanzas and to create common answers.

/** @import { Stanza } from './types.d.ts' */

export const S_WHATSAPP_NET = 's.whatsapp.net';

/**
 * @param {Stanza | undefined} node
 * @param {string} tag
 * @returns {Stanza[]}
 */
export const children = (node, tag) =>
  Array.isArray(node?.content) ? node.content.filter(item => item.tag === tag) : [];
/**
 * @param {Stanza | undefined} node
 * @param {string} tag
 */
export const child = (node, tag) => children(node, tag)[0];
/**
 * @param {Stanza | undefined} node
 * @returns {Stanza | undefined}
 */
export const firstChild = node => (Array.isArray(node?.content) ? node.content[0] : undefined);

/** @param {Uint8Array} bytes */
export const number = bytes => Buffer.from(bytes).readUIntBE(0, bytes.length);
/**
 * @param {number} value
 * @param {number} length
 */
export function bigEndian(value, length) {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}

/** The current time in the form of stanzas: seconds since 1970. */
export const seconds = () => String(Math.floor(Date.now() / 1000));

/**
 * Removes the attributes that are undefined.
 *
 * @param {Record<string, string | undefined>} attrs
 * @returns {Record<string, any>}
 */
export const defined = attrs => Object.fromEntries(Object.entries(attrs).filter(([, value]) => value !== undefined));

/**
 * The `result` of an iq.
 *
 * @param {Stanza} request
 * @param {Stanza['content']} [content]
 * @returns {Stanza}
 */
export function result(request, content) {
  const attrs = { from: request.attrs.to ?? S_WHATSAPP_NET, type: 'result', id: request.attrs.id };
  return content === undefined ? { tag: 'iq', attrs } : { tag: 'iq', attrs, content };
}

/**
 * The `error` of an iq.
 *
 * @param {Stanza} request
 * @param {number | string} code
 * @param {string} text
 * @returns {Stanza}
 */
export function errorResult(request, code, text) {
  return {
    tag: 'iq',
    attrs: { from: request.attrs.to ?? S_WHATSAPP_NET, type: 'error', id: request.attrs.id },
    content: [{ tag: 'error', attrs: { code: String(code), text } }]
  };
}

/**
 * The `ack` of a message, receipt or call. With `error` it refuses the stanza.
 *
 * @param {Stanza} stanza
 * @param {number} [error]
 * @returns {Stanza}
 */
export function acknowledge({ tag, attrs }, error) {
  return {
    tag: 'ack',
    attrs: defined({
      class: tag,
      id: attrs.id,
      from: attrs.to,
      t: seconds(),
      participant: attrs.participant || undefined,
      type: tag === 'receipt' ? attrs.type || undefined : undefined,
      error: error ? String(error) : undefined
    })
  };
}
