// Converts values to text for corpora and reports, and compares values strictly.

import { inspect } from 'node:util';

const isPlain = value => Object.getPrototypeOf(value) === Object.prototype;

/** Converts a value to JSON. Values that JSON does not have are under a key that starts with `$`. */
export function toJson(value) {
  if (value === undefined) return { $undefined: true };
  if (typeof value === 'bigint') return { $bigint: String(value) };
  if (typeof value === 'number' && !Number.isFinite(value)) return { $number: String(value) };
  if (Buffer.isBuffer(value)) return { $buffer: value.toString('hex') };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(toJson);
  if (value === null || typeof value !== 'object') return value;
  // As entries: an object literal would lose an own `__proto__`, and a parsed object the order of numeric keys.
  if (isPlain(value)) return { $object: Object.entries(value).map(([key, entry]) => [key, toJson(entry)]) };
  throw new TypeError(`no JSON for ${inspect(value)}`);
}

/** Converts the result of {@link toJson} back to the value. */
export function fromJson(json) {
  if (Array.isArray(json)) return json.map(fromJson);
  if (json === null || typeof json !== 'object') return json;
  if ('$undefined' in json) return undefined;
  if ('$bigint' in json) return BigInt(json.$bigint);
  if ('$number' in json) return Number(json.$number);
  if ('$buffer' in json) return Buffer.from(json.$buffer, 'hex');
  if ('$bytes' in json) return Uint8Array.from(Buffer.from(json.$bytes, 'hex'));
  const object = {};
  for (const [key, value] of json.$object) {
    Object.defineProperty(object, key, {
      value: fromJson(value),
      writable: true,
      enumerable: true,
      configurable: true
    });
  }
  return object;
}

/** Whether two values are exactly the same: types, prototypes, order of keys, bytes. */
export function same(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (ArrayBuffer.isView(a)) return Buffer.compare(a, b) === 0;
  const [keys, others] = [Reflect.ownKeys(a), Reflect.ownKeys(b)];
  return keys.length === others.length && keys.every((key, i) => key === others[i] && same(a[key], b[key]));
}

/** The outcome of a call: `{ value }`, or `{ error }` with the fields by which callers distinguish errors. */
export async function outcomeOf(call) {
  try {
    return { value: await call() };
  } catch (error) {
    const { name, message, code, isBoom, output } = error;
    return { error: { name, message, code, isBoom, statusCode: output?.statusCode } };
  }
}

export const show = value =>
  inspect(value, { depth: 40, maxArrayLength: 400, maxStringLength: 4000, breakLength: 120, sorted: false });
