/** Opened values in the order that the server's btree operators would have them, by their binary forms. */
import type { LogicalType, ValueSort } from '../plan.ts';
import { viewOf } from '../types/bytes.ts';
import { encodeDecimal } from '../types/decimal.ts';
import { numericModifier } from '../types/modifiers.ts';
import { decodeNumericBinary } from '../types/numeric-binary.ts';
import { logicalType } from '../types/registry.ts';
import { orderOf } from '../types/order.ts';

type Order = (a: Uint8Array, b: Uint8Array) => number;

/** Not floats (0 and -0 are equal) nor numeric without a scale (1.0 and 1.00): which of the two comes first could not be told. */
export function sortsByValue(type: LogicalType): boolean {
  return binaryOrder(type) !== undefined;
}

function binaryOrder(type: LogicalType): Order | undefined {
  switch (type.name) {
    case 'int2':
      return (a, b) => viewOf(a).getInt16(0) - viewOf(b).getInt16(0);
    case 'int4':
    case 'date':
      return (a, b) => viewOf(a).getInt32(0) - viewOf(b).getInt32(0);
    case 'int8':
    case 'timestamp':
    case 'timestamptz':
      return (a, b) => bySize(viewOf(a).getBigInt64(0), viewOf(b).getBigInt64(0));
    case 'numeric':
      return numericModifier(type) === undefined ? undefined : byNumber;
    case 'bool':
    case 'uuid':
    case 'bytea':
      return (a, b) => Buffer.compare(a, b);
    default:
      return undefined;
  }
}

const bySize = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

const byNumber: Order = (a, b) => {
  const order = orderOf(logicalType('numeric'));
  if (order === undefined) throw new TypeError('numbers have no order');
  return order.compare(encodeDecimal(decodeNumericBinary(a)), encodeDecimal(decodeNumericBinary(b)));
};

/** `key`: the value in its binary form; undefined: NULL. */
export type Sortable = { readonly key: Uint8Array | undefined };

/** Stops after each step, for there may be a million. */
export function* inOrder<T extends Sortable>(
  items: readonly T[],
  type: LogicalType,
  { descending, nullsFirst }: ValueSort,
): Generator<void, readonly T[]> {
  const order = binaryOrder(type);
  if (order === undefined) throw new TypeError(`values of type ${type.name} are not put in an order`);
  const compare = (a: T, b: T): number => {
    if (a.key === undefined || b.key === undefined) {
      const nulls = Number(a.key === undefined) - Number(b.key === undefined);
      return nullsFirst ? -nulls : nulls;
    }
    return descending ? order(b.key, a.key) : order(a.key, b.key);
  };
  let runs: readonly (readonly T[])[] = items.map((item) => [item]);
  while (runs.length > 1) runs = yield* merged(runs, compare);
  return runs[0] ?? [];
}

/** Half as many, each of two. */
function* merged<T>(
  runs: readonly (readonly T[])[],
  compare: (a: T, b: T) => number,
): Generator<void, readonly (readonly T[])[]> {
  const halves: (readonly T[])[] = [];
  for (let at = 0; at < runs.length; at += 2)
    halves.push(yield* mergedTwo(runs[at] ?? [], runs[at + 1] ?? [], compare));
  return halves;
}

function* mergedTwo<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
): Generator<void, readonly T[]> {
  const all: T[] = [];
  let [atLeft, atRight] = [0, 0];
  for (;;) {
    const [one, other] = [left[atLeft], right[atRight]];
    if (one === undefined && other === undefined) return all;
    const takesLeft = other === undefined || (one !== undefined && compare(one, other) <= 0);
    const next = takesLeft ? one : other;
    if (next !== undefined) all.push(next);
    if (takesLeft) atLeft += 1;
    else atRight += 1;
    yield;
  }
}
