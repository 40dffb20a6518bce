/**
 * Client values to canonical bytes and back, for any logical type: picks the codec, and follows the type the client declared
 * where that is another of the same comparison class.
 */
import type { LogicalType, LogicalTypeName } from '../plan.ts';
import { decodeBinaryArray } from './array/binary.ts';
import { arrayCodec } from './array/codec.ts';
import { parseArrayLiteral } from './array/literal.ts';
import { type ArrayElements, listed } from './array/shape.ts';
import { bitCodec } from './bit-codec.ts';
import { boolCodec } from './bool-codec.ts';
import { bpcharCodec } from './bpchar-codec.ts';
import { byteaCodec } from './bytea-codec.ts';
import type { TypeCodec, ValueContext, ValueFormat } from './codec.ts';
import { dateCodec } from './datetime/date-codec.ts';
import { conversion } from './conversions.ts';
import { assignCast, castValue } from './explicit-cast.ts';
import { enumCodec } from './enum-codec.ts';
import { unsupported, ValueError } from './errors.ts';
import { floatCodec } from './float/codec.ts';
import { inetCodec } from './inet-codec.ts';
import { intervalCodec } from './interval/codec.ts';
import { jsonCodec } from './json-codec.ts';
import { jsonbCodec } from './jsonb-codec.ts';
import { macaddr8Codec, macaddrCodec } from './macaddr-codec.ts';
import { integerCodec, numericCodec } from './number-codec.ts';
import { logicalType, logicalTypeByOid, logicalTypeOfArray } from './registry.ts';
import { formatLogicalType } from './type-text.ts';
import { textCodec } from './text-codec.ts';
import { timeCodec } from './datetime/time-codec.ts';
import { timestampCodec } from './datetime/timestamp-codec.ts';
import { uuidCodec } from './uuid-codec.ts';

const CODECS: Readonly<Record<LogicalTypeName, TypeCodec>> = {
  text: textCodec,
  varchar: textCodec,
  bpchar: bpcharCodec,
  int2: integerCodec,
  int4: integerCodec,
  int8: integerCodec,
  numeric: numericCodec,
  float4: floatCodec,
  float8: floatCodec,
  bool: boolCodec,
  bytea: byteaCodec,
  date: dateCodec,
  time: timeCodec,
  timetz: timeCodec,
  timestamp: timestampCodec,
  timestamptz: timestampCodec,
  interval: intervalCodec,
  uuid: uuidCodec,
  inet: inetCodec,
  cidr: inetCodec,
  macaddr: macaddrCodec,
  macaddr8: macaddr8Codec,
  bit: bitCodec,
  varbit: bitCodec,
  json: jsonCodec,
  jsonb: jsonbCodec,
  enum: enumCodec,
  array: arrayCodec(({ name }) => CODECS[name]),
};

/** pg_type.oid of `unknown`: the type of an undecided literal. */
const UNKNOWN_OID = 705;

/** `declaredOid`: what the client declared for the parameter; 0, unknown or the column's own type: nothing to convert. `cast`: what a cast then makes of it. */
export type ReadOptions = { readonly declaredOid?: number; readonly cast?: LogicalType };

/** Errors: ValueError. */
export function readValue(
  value: Uint8Array,
  format: ValueFormat,
  context: ValueContext,
  options: ReadOptions = {},
): Uint8Array {
  if (context.purpose === 'both') return readForBoth(value, format, context, options);
  requireUtf8(context);
  const { type, purpose } = context;
  const { declaredOid = 0, cast } = options;
  if (cast !== undefined) {
    const from = declaredType(declaredOid, cast) ?? { ...cast, typmod: -1 };
    return assignCast(
      castValue(readAs(value, format, { ...context, type: from, purpose: 'compare' }), cast, context),
      cast,
      context,
    );
  }
  const declared = declaredOid === type.domain?.oid ? undefined : declaredType(declaredOid, type);
  if (declared === undefined)
    return isUndecidedNetwork(context, declaredOid)
      ? readUndecidedNetwork(value, format, context)
      : readAs(value, format, context);
  const convert = conversion(declared, type, purpose);
  if (convert === undefined) throw mismatch(type);
  return convert(readAs(value, format, { ...context, type: declared, purpose: 'compare' }), declared, context);
}

/** What storing would change could not be found by the same bytes. */
function readForBoth(value: Uint8Array, format: ValueFormat, context: ValueContext, options: ReadOptions): Uint8Array {
  const stored = readValue(value, format, { ...context, purpose: 'store' }, options);
  const compared = readValue(value, format, { ...context, purpose: 'compare' }, options);
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

function isUndecidedNetwork({ type, purpose }: ValueContext, declaredOid: number): boolean {
  return type.name === 'cidr' && purpose === 'compare' && declaredOid !== type.oid && declaredOid !== type.domain?.oid;
}

/**
 * cidr has no `=` of its own: what has no type beside it becomes an inet, in a list of several a cidr. Only what both read alike is read.
 */
function readUndecidedNetwork(value: Uint8Array, format: ValueFormat, context: ValueContext): Uint8Array {
  const asInet = readAs(value, format, { ...context, type: logicalType('inet') });
  const asCidr = attempt(() => readAs(value, format, context));
  if (asCidr !== undefined && Buffer.compare(asInet, asCidr) === 0) return asInet;
  throw unsupported('a value compared with a cidr column is no network in full', 'Cast it to cidr or to inet.');
}

function attempt(read: () => Uint8Array): Uint8Array | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ValueError) return undefined;
    throw error;
  }
}

/** Undefined: the column's own type. */
function declaredType(oid: number, column: LogicalType): LogicalType | undefined {
  if (oid === 0 || oid === UNKNOWN_OID || oid === column.oid) return undefined;
  const declared = logicalTypeByOid(oid);
  if (declared === undefined) throw mismatch(column);
  return declared;
}

function mismatch(column: LogicalType): ValueError {
  const message = `the parameter is declared with a type that a sealed column of type ${formatLogicalType(column)} does not take`;
  return new ValueError('ERR_POSTGRES_VALUE_UNSUPPORTED', '42804', message, 'Declare the column’s own type, or none.');
}

/** The canonical bytes of each element of a list. */
export function readList(
  value: Uint8Array,
  format: ValueFormat,
  context: ValueContext,
  declaredOid = 0,
): ArrayElements {
  requireUtf8(context);
  const { elementOid, ...array } =
    format === 'text'
      ? { elementOid: elementOidOf(declaredOid), ...parseArrayLiteral(value) }
      : decodeBinaryArray(value);
  return listed(array).map((element) => element && readValue(element, format, context, { declaredOid: elementOid }));
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
