/** Copies of plain data, maps and sets included: catalogs and plans. */

const LEFT_OUT = Symbol('left out');

/** Where plans or catalogs are sent or compared: a function is the same as no other, whatever it does. */
export function withoutFunctions(value: unknown): unknown {
  return deepCopy(value, (part) => (typeof part === 'function' ? LEFT_OUT : undefined));
}

/** A deep copy of plain data; what `replace` gives stands for a value, and the same value is copied once. */
export function deepCopy(
  value: unknown,
  replace: (value: unknown) => unknown,
  known = new Map<object, unknown>(),
): unknown {
  const replaced = replace(value);
  if (replaced === undefined && (typeof value !== 'object' || value === null)) return value;
  if (typeof value !== 'object' || value === null) return replaced;
  const before = known.get(value);
  if (before !== undefined) return before;
  const copy = replaced ?? copyOf(value, (part) => deepCopy(part, replace, known));
  known.set(value, copy);
  return copy;
}

function copyOf(value: object, copy: (part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Map) return new Map([...value].map(([key, part]) => [key, copy(part)]));
  if (value instanceof Set) return new Set(value);
  const parts = Object.entries(value).map(([name, part]) => [name, copy(part)] as const);
  return Object.fromEntries(parts.filter(([, part]) => part !== LEFT_OUT));
}
