/** How values of a type are ordered, by their canonical bytes, as the server's btree operators have it. */
import type { LogicalType } from '../plan.ts';
import { viewOf } from './bytes.ts';
import { type Decimal, decodeDecimal } from './decimal.ts';

/** Negative, 0 or positive. */
export type CanonicalOrder = (a: Uint8Array, b: Uint8Array) => number;

type TypeOrder = {
  readonly compare: CanonicalOrder;
  /** Which comes first is the collation's. */ readonly equalityOnly: boolean;
};

const byBytes: CanonicalOrder = (a, b) => Buffer.compare(a, b);
const total = (compare: CanonicalOrder): TypeOrder => ({ compare, equalityOnly: false });
const bySize = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/** Undefined: values of the type are not compared here. */
export function orderOf({ name }: LogicalType): TypeOrder | undefined {
  switch (name) {
    case 'text':
    case 'varchar':
      return { compare: byBytes, equalityOnly: true };
    case 'int2':
    case 'int4':
    case 'int8':
    case 'numeric':
      return total(compareNumbers);
    case 'date':
      return total((a, b) => viewOf(a).getInt32(0) - viewOf(b).getInt32(0));
    case 'timestamptz':
      return total((a, b) => bySize(viewOf(a).getBigInt64(0), viewOf(b).getBigInt64(0)));
    case 'bool':
    case 'uuid':
    case 'bytea':
      return total(byBytes);
    default:
      return undefined;
  }
}

function compareNumbers(a: Uint8Array, b: Uint8Array): number {
  const [left, right] = [decodeDecimal(a), decodeDecimal(b)];
  if (left === undefined || right === undefined) throw new TypeError('these bytes are no canonical number');
  const rank = rankOf(left) - rankOf(right);
  if (rank !== 0 || left.type !== 'finite' || right.type !== 'finite') return rank;
  const scale = Math.max(left.scale, right.scale);
  const scaled = (value: { unscaled: bigint; scale: number }): bigint =>
    value.unscaled * 10n ** BigInt(scale - value.scale);
  return bySize(scaled(left), scaled(right));
}

/** NaN is greater than all. */
function rankOf(value: Decimal): number {
  if (value.type === 'nan') return 2;
  return value.type === 'finite' ? 0 : value.negative ? -1 : 1;
}
