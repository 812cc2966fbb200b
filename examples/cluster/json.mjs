// JSON with buffers, as Baileys stores it.

import { BufferJSON } from 'baileys';

/** @param {unknown} value */
export const toJson = value => JSON.stringify(value, BufferJSON.replacer);

/** @param {string} json */
export const fromJson = json => JSON.parse(json, BufferJSON.reviver);
