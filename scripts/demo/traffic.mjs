// What travels in the demo: the same stanzas, index by index, for every run.

import { sampleStanzas } from 'baileys-native/testing';

/** The listeners that a library on top of Baileys would use to see the stanzas of the flood. */
export const INBOUND_EVENTS = ['CB:relay', 'CB:ack', 'CB:receipt'];

/** Mostly stanzas that Baileys only dispatches. It acknowledges a receipt, and all its layers take part in that. */
export const MIX = 'Of every 20 stanzas in, 13 look like messages, 6 are acks and 1 is a receipt.';

/** How many sends may await their callback at the same time. */
export const SEND_WINDOW = 64;

/** @param {number} index */
export function inboundStanza(index) {
  const place = index % 20;
  if (place < 13) return sampleStanzas.message(index);
  return place < 19 ? sampleStanzas.ack(index) : sampleStanzas.receipt(index);
}

/**
 * How many of the first `count` inbound stanzas Baileys acknowledges.
 *
 * @param {number} count
 */
export const acknowledged = count => Math.floor(count / 20);

/**
 * A text message to one device. The demo's server does not acknowledge it, so that each direction is seen by itself.
 *
 * @param {number} index
 */
export function outboundStanza(index) {
  return {
    tag: 'message',
    attrs: {
      id: `3EB1${index.toString(16).padStart(16, '0').toUpperCase()}`,
      to: '15550001111@s.whatsapp.net',
      type: 'text'
    },
    content: [{ tag: 'enc', attrs: { v: '2', type: 'msg' }, content: Buffer.alloc(160, index & 0xff) }]
  };
}

export const ping = () => ({
  tag: 'iq',
  attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' },
  content: [{ tag: 'ping', attrs: {} }]
});

/**
 * Unmeasured rounds ahead of the measured ones, equal for both backends; their stanzas are compared as well.
 *
 * @param {import('./types.js').Counts} counts
 * @returns {import('./types.js').Counts}
 */
export function warmUp({ pings, stanzas, sends }) {
  return { pings: Math.ceil(pings / 5), stanzas, sends: Math.ceil(sends / 5) };
}
