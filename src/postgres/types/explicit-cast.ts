/** A cast that names a modifier: what the server makes of a value that is cast to varchar(n), numeric(p,s) or timestamp(p), and then of that for a column. */
import type { LogicalType } from '../plan.ts';
import type { ValueContext } from './codec.ts';
import { conversion, storeTimestamp } from './conversions.ts';
import { timestampOf } from './datetime/timestamp-codec.ts';
import { unsupported } from './errors.ts';
import { assignNumber } from './number-codec.ts';
import { isNumber, isText } from './registry.ts';
import { cutText } from './text-codec.ts';
import { formatLogicalType } from './type-text.ts';

const TIMESTAMPS: ReadonlySet<string> = new Set(['timestamp', 'timestamptz']);

/** Whether values of the column's type come of such a cast as is known here. */
export function followsCast(cast: LogicalType, type: LogicalType): boolean {
  if (cast.name === 'varchar') return isText(type);
  if (cast.name === 'numeric') return isNumber(type);
  return TIMESTAMPS.has(cast.name) && cast.name === type.name;
}

/** @param canonical of the type below the cast, unrounded. Errors: ValueError where the number has too many digits. */
export function castValue(canonical: Uint8Array, cast: LogicalType, context: ValueContext): Uint8Array {
  if (cast.name === 'varchar') return cutText(canonical, cast);
  const rounding: ValueContext = { ...context, type: cast, purpose: 'store' };
  return cast.name === 'numeric' ? assignNumber(canonical, rounding) : storeTimestamp(timestampOf(canonical), rounding);
}

/** The value of the cast as one of the column's type. */
export function assignCast(canonical: Uint8Array, cast: LogicalType, context: ValueContext): Uint8Array {
  if (TIMESTAMPS.has(cast.name)) return storeTimestamp(timestampOf(canonical), context);
  const convert = conversion(cast, context.type, context.purpose);
  if (convert === undefined)
    throw unsupported(
      `a value cast to ${formatLogicalType(cast)} is no ${formatLogicalType(context.type)}`,
      'Leave the cast out.',
    );
  return convert(canonical, cast, context);
}
