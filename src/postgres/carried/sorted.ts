/** Opened values in the order that the server's btree operators would have them, by their binary forms. */
import type { LogicalType, ValueSort } from '../plan.ts';
import { viewOf } from '../types/bytes.ts';
import { encodeDecimal } from '../types/decimal.ts';
import { numericModifier } from '../types/modifiers.ts';
import { decodeNumericBinary } from '../types/numeric-binary.ts';
import { orderOf, type CanonicalOrder } from '../types/order.ts';

type Order = {
  /** What is compared, of a value's binary form. */
  readonly read: (binary: Uint8Array) => Uint8Array;
  readonly compare: CanonicalOrder;
};

/** Not floats (0 and -0 are equal) nor numeric without a scale (1.0 and 1.00): which of the two comes first could not be told. */
export function sortsByValue(type: LogicalType): boolean {
  return binaryOrder(type) !== undefined;
}

function binaryOrder(type: LogicalType): Order | undefined {
  switch (type.name) {
    case 'int2':
      return asItIs((a, b) => viewOf(a).getInt16(0) - viewOf(b).getInt16(0));
    case 'int4':
      return asItIs((a, b) => viewOf(a).getInt32(0) - viewOf(b).getInt32(0));
    case 'int8':
    case 'timestamp':
      return asItIs((a, b) => bySize(viewOf(a).getBigInt64(0), viewOf(b).getBigInt64(0)));
    case 'numeric':
      return numericModifier(type) === undefined
        ? undefined
        : { read: (binary) => encodeDecimal(decodeNumericBinary(binary)), compare: canonicalOrder(type) };
    // Their binary form is the canonical one.
    case 'date':
    case 'timestamptz':
    case 'bool':
    case 'uuid':
    case 'bytea':
      return asItIs(canonicalOrder(type));
    default:
      return undefined;
  }
}

const asItIs = (compare: CanonicalOrder): Order => ({ read: (binary) => binary, compare });

const bySize = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

function canonicalOrder(type: LogicalType): CanonicalOrder {
  const order = orderOf(type);
  if (order === undefined) throw new TypeError(`values of type ${type.name} have no order`);
  return order.compare;
}

/** `key`: the value in its binary form; undefined: NULL. */
export type Sortable = { readonly key: Uint8Array | undefined };

type Read<T> = { readonly item: T; readonly key: Uint8Array | undefined };

/** Stops after each step, for there may be a million. */
export function* inOrder<T extends Sortable>(
  items: readonly T[],
  type: LogicalType,
  { descending, nullsFirst }: ValueSort,
): Generator<void, readonly T[]> {
  const order = binaryOrder(type);
  if (order === undefined) throw new TypeError(`values of type ${type.name} are not put in an order`);
  const compare = ({ key: a }: Read<T>, { key: b }: Read<T>): number => {
    if (a === undefined || b === undefined) {
      const nulls = Number(a === undefined) - Number(b === undefined);
      return nullsFirst ? -nulls : nulls;
    }
    return descending ? order.compare(b, a) : order.compare(a, b);
  };
  let runs: readonly (readonly Read<T>[])[] = yield* readEach(items, order);
  while (runs.length > 1) runs = yield* merged(runs, compare);
  return (runs[0] ?? []).map(({ item }) => item);
}

/** Once for each, however often it is compared; each a run of its own. */
function* readEach<T extends Sortable>(
  items: readonly T[],
  { read }: Order,
): Generator<void, readonly (readonly Read<T>[])[]> {
  const runs: (readonly Read<T>[])[] = [];
  for (const item of items) {
    runs.push([{ item, key: item.key === undefined ? undefined : read(item.key) }]);
    yield;
  }
  return runs;
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
