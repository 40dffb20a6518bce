/** Readers of a parsed policy's parts. Errors everywhere: ERR_KEYS_POLICY_MALFORMED. */
import type { JsonObject, JsonValue } from './json-text.ts';
import { malformed, shown } from './malformed.ts';

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

export function object(value: JsonValue | undefined, place: string): JsonObject {
  if (!isObject(value)) throw malformed(`${place}: expected an object`);
  return value;
}

export function text(value: JsonValue | undefined, place: string): string {
  if (typeof value !== 'string') throw malformed(`${place}: expected text`);
  return value;
}

/** A text, or a list of at least one. */
export function texts(value: JsonValue, place: string): readonly string[] {
  return list(value, place).map((each) => text(each, place));
}

/** Values of a condition: texts, numbers and booleans, one or a list. */
export function scalars(value: JsonValue, place: string): readonly string[] {
  return list(value, place).map((each) => {
    if (typeof each === 'string') return each;
    if (typeof each === 'boolean' || (typeof each === 'number' && Number.isFinite(each))) return String(each);
    throw malformed(`${place}: expected text, a number or a boolean`);
  });
}

function list(value: JsonValue, place: string): readonly JsonValue[] {
  // A Map is no array, and Array.isArray does not narrow readonly arrays.
  const all = Array.isArray(value) ? (value as readonly JsonValue[]) : [value];
  if (all.length === 0) throw malformed(`${place}: the list is empty`);
  return all;
}

/** A name that IAM does not know is never passed over: it may be a misspelt condition. */
export function onlyNames(value: JsonObject, known: readonly string[], place: string): void {
  for (const name of value.keys()) {
    if (!known.includes(name)) throw malformed(`${place}: unknown element ${shown(name)}`);
  }
}
