/** Type modifiers (pg_attribute.atttypmod): what varchar(20), numeric(10,2) and the others add to a type, as numbers and as text. */
import type { LogicalType } from '../plan.ts';
import type { BuiltinTypeName } from './type-facts.ts';

/** Lengths include the varlena header (src/include/c.h VARHDRSZ). */
const HEADER = 4;
/** MaxAttrSize in src/include/access/htup_details.h; of bits eight times that. */
const MAX_LENGTH = 10_485_760;
const MAX_BITS = MAX_LENGTH * 8;
const MAX_NUMERIC_PRECISION = 1000;
const MAX_NUMERIC_SCALE = 1000;
const MAX_TIME_PRECISION = 6;

/** INTERVAL_FULL_RANGE in src/include/utils/timestamp.h: all fields, which is what rules may have. */
const FULL_RANGE = 0x7fff;

/** Undefined: the server refuses such a modifier. */
export function typmodOf(name: BuiltinTypeName, first: number, second: number | undefined): number | undefined {
  const within = (least: number, most: number): boolean => second === undefined && first >= least && first <= most;
  switch (name) {
    case 'varchar':
    case 'bpchar':
      return within(1, MAX_LENGTH) ? first + HEADER : undefined;
    case 'bit':
    case 'varbit':
      return within(1, MAX_BITS) ? first : undefined;
    case 'time':
    case 'timetz':
    case 'timestamp':
    case 'timestamptz':
      return within(0, MAX_TIME_PRECISION) ? first : undefined;
    case 'interval':
      return within(0, MAX_TIME_PRECISION) ? (FULL_RANGE << 16) | first : undefined;
    case 'numeric': {
      const scale = second ?? 0;
      const fits = first >= 1 && first <= MAX_NUMERIC_PRECISION && Math.abs(scale) <= MAX_NUMERIC_SCALE;
      return fits ? ((first << 16) | (scale & 0x7ff)) + HEADER : undefined;
    }
    default:
      return undefined;
  }
}

/** Digits of a second's fraction that interval(p) keeps. */
export function intervalPrecision({ name, typmod }: LogicalType): number | undefined {
  return name === 'interval' && typmod >= 0 ? typmod & 0xffff : undefined;
}

/** Characters a varchar(n) holds; undefined: no limit, or another type. */
export function varcharLimit({ name, typmod }: LogicalType): number | undefined {
  return name === 'varchar' && typmod >= 0 ? typmod - HEADER : undefined;
}

/** Characters of char(n). */
export function charLimit({ name, typmod }: LogicalType): number | undefined {
  return name === 'bpchar' && typmod >= 0 ? typmod - HEADER : undefined;
}

/** Bits of bit(n), and of bit varying(n) at most. */
export function bitLimit({ name, typmod }: LogicalType): number | undefined {
  return (name === 'bit' || name === 'varbit') && typmod >= 0 ? typmod : undefined;
}

/** Digits of a second's fraction. */
export function timePrecision({ name, typmod }: LogicalType): number | undefined {
  return typmod >= 0 && name.startsWith('time') ? typmod : undefined;
}

/** Precision and scale of numeric(p,s): src/backend/utils/adt/numeric.c numeric_typmod_scale. */
export function numericModifier({ name, typmod }: LogicalType): { precision: number; scale: number } | undefined {
  if (name !== 'numeric' || typmod < 0) return undefined;
  const bits = typmod - HEADER;
  return { precision: (bits >> 16) & 0xffff, scale: ((bits & 0x7ff) ^ 0x400) - 0x400 };
}

/** What stands in parentheses, with them. */
export function modifierText(type: LogicalType): string {
  const numeric = numericModifier(type);
  if (numeric !== undefined) return `(${numeric.precision},${numeric.scale})`;
  const number =
    varcharLimit(type) ?? charLimit(type) ?? bitLimit(type) ?? timePrecision(type) ?? intervalPrecision(type);
  return number === undefined ? '' : `(${number})`;
}
