/**
 * Client values to canonical bytes and back, for any logical type: picks the codec, and follows the type the client declared
 * where that is another of the same comparison class.
 */
import type { LogicalType, LogicalTypeName } from '../plan.ts';
import { decodeBinaryArray } from './array-binary.ts';
import { parseArrayText } from './array-text.ts';
import { boolCodec } from './bool-codec.ts';
import { byteaCodec } from './bytea-codec.ts';
import type { TypeCodec, ValueContext, ValueFormat } from './codec.ts';
import { dateCodec } from './date-codec.ts';
import { unsupported, ValueError } from './errors.ts';
import { jsonbCodec } from './jsonb-codec.ts';
import { assignNumber, integerCodec, numericCodec } from './number-codec.ts';
import { formatLogicalType, logicalTypeByOid, logicalTypeOfArray } from './registry.ts';
import { applyLength, textCodec } from './text-codec.ts';
import { timestamptzCodec } from './timestamptz-codec.ts';
import { uuidCodec } from './uuid-codec.ts';

const CODECS = {
  text: textCodec,
  varchar: textCodec,
  int2: integerCodec,
  int4: integerCodec,
  int8: integerCodec,
  numeric: numericCodec,
  bool: boolCodec,
  date: dateCodec,
  timestamptz: timestamptzCodec,
  uuid: uuidCodec,
  jsonb: jsonbCodec,
  bytea: byteaCodec,
} as const satisfies Record<LogicalTypeName, TypeCodec>;

/** pg_type.oid of `unknown`: the type of an undecided literal. */
const UNKNOWN_OID = 705;

/**
 * @param declaredOid what the client declared for the parameter; 0, unknown or the column's own type: nothing to convert.
 *
 * Errors: ValueError.
 */
export function readValue(value: Uint8Array, format: ValueFormat, context: ValueContext, declaredOid = 0): Uint8Array {
  if (context.purpose === 'both') return readForBoth(value, format, context, declaredOid);
  requireUtf8(context);
  const declared = declaredType(declaredOid, context.type);
  if (declared === undefined) return readAs(value, format, context);
  return assign(readAs(value, format, { ...context, type: declared }), context);
}

/** What storing would change could not be found by the same bytes. */
function readForBoth(value: Uint8Array, format: ValueFormat, context: ValueContext, declaredOid: number): Uint8Array {
  const stored = readValue(value, format, { ...context, purpose: 'store' }, declaredOid);
  const compared = readValue(value, format, { ...context, purpose: 'compare' }, declaredOid);
  if (Buffer.compare(stored, compared) === 0) return stored;
  throw unsupported(
    `a value that is stored as ${formatLogicalType(context.type)} and compared in one statement would be changed by storing it`,
    'Pass it as two parameters.',
  );
}

function readAs(value: Uint8Array, format: ValueFormat, context: ValueContext): Uint8Array {
  const codec = CODECS[context.type.name];
  return format === 'text' ? codec.fromText(value, context) : codec.fromBinary(value, context);
}

/** Undefined: the column's own type. */
function declaredType(oid: number, column: LogicalType): LogicalType | undefined {
  if (oid === 0 || oid === UNKNOWN_OID || oid === column.oid) return undefined;
  const declared = logicalTypeByOid(oid);
  const convertible = declared !== undefined && conversionClass(declared) === conversionClass(column);
  if (!convertible) throw mismatch(column);
  return declared;
}

/** Types that the server assigns to each other without a cast, and that we convert alike. */
function conversionClass({ name }: LogicalType): string {
  if (name === 'varchar') return 'text';
  return name === 'int2' || name === 'int4' || name === 'int8' || name === 'numeric' ? 'number' : name;
}

function mismatch(column: LogicalType): ValueError {
  const message = `the parameter is declared with a type that a sealed column of type ${formatLogicalType(column)} does not take`;
  return new ValueError('ERR_POSTGRES_VALUE_UNSUPPORTED', '42804', message, 'Declare the column’s own type, or none.');
}

function assign(canonical: Uint8Array, context: ValueContext): Uint8Array {
  switch (conversionClass(context.type)) {
    case 'number':
      return assignNumber(canonical, context);
    case 'text':
      return applyLength(canonical, context);
    default:
      return canonical;
  }
}

/** The canonical bytes of each element; undefined is NULL. */
export function readArray(
  value: Uint8Array,
  format: ValueFormat,
  context: ValueContext,
  declaredOid = 0,
): readonly (Uint8Array | undefined)[] {
  requireUtf8(context);
  const { elementOid, elements } =
    format === 'text'
      ? { elementOid: elementOidOf(declaredOid), elements: parseArrayText(value) }
      : decodeBinaryArray(value);
  return elements.map((element) =>
    element === undefined ? undefined : readValue(element, format, context, elementOid),
  );
}

/** A declared array type names its elements; the element type itself, or none, may be given as well. */
function elementOidOf(declaredOid: number): number {
  return logicalTypeOfArray(declaredOid)?.oid ?? declaredOid;
}

/** Errors: ERR_POSTGRES_VALUE_DAMAGED, ERR_POSTGRES_VALUE_UNSUPPORTED. */
export function printValue(canonical: Uint8Array, format: ValueFormat, context: ValueContext): Uint8Array {
  requireUtf8(context);
  const codec = CODECS[context.type.name];
  return format === 'text' ? codec.toText(canonical, context) : codec.toBinary(canonical, context);
}

/** Text in another client encoding would be sealed as other bytes than it means. */
function requireUtf8({ settings }: ValueContext): void {
  if (settings.clientEncoding === 'UTF8') return;
  throw unsupported('sealed columns need client_encoding UTF8', "SET client_encoding = 'UTF8'.");
}
