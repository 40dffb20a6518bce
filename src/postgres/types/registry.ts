/**
 * The logical types a column rule may name: what the client is told about them (OIDs, lengths: pg_type.dat), and which of them
 * may be sealed deterministically.
 */
import type { LogicalType, LogicalTypeName } from '../plan.ts';
import { ValueError } from './errors.ts';

type TypeFacts = {
  readonly oid: number;
  readonly arrayOid: number;
  readonly typlen: number;
  /** The name `format_type` prints. */
  readonly sqlName: string;
  /** Types of one class compare equal by their canonical bytes; undefined: equality is not byte equality. */
  readonly equality: ComparisonClass | undefined;
};

export type ComparisonClass = 'text' | 'number' | 'bool' | 'date' | 'timestamptz' | 'uuid' | 'bytea';

const TYPES = {
  text: { oid: 25, arrayOid: 1009, typlen: -1, sqlName: 'text', equality: 'text' },
  varchar: { oid: 1043, arrayOid: 1015, typlen: -1, sqlName: 'character varying', equality: 'text' },
  int2: { oid: 21, arrayOid: 1005, typlen: 2, sqlName: 'smallint', equality: 'number' },
  int4: { oid: 23, arrayOid: 1007, typlen: 4, sqlName: 'integer', equality: 'number' },
  int8: { oid: 20, arrayOid: 1016, typlen: 8, sqlName: 'bigint', equality: 'number' },
  numeric: { oid: 1700, arrayOid: 1231, typlen: -1, sqlName: 'numeric', equality: 'number' },
  bool: { oid: 16, arrayOid: 1000, typlen: 1, sqlName: 'boolean', equality: 'bool' },
  date: { oid: 1082, arrayOid: 1182, typlen: 4, sqlName: 'date', equality: 'date' },
  timestamptz: { oid: 1184, arrayOid: 1185, typlen: 8, sqlName: 'timestamp with time zone', equality: 'timestamptz' },
  uuid: { oid: 2950, arrayOid: 2951, typlen: 16, sqlName: 'uuid', equality: 'uuid' },
  jsonb: { oid: 3802, arrayOid: 3807, typlen: -1, sqlName: 'jsonb', equality: undefined },
  bytea: { oid: 17, arrayOid: 1001, typlen: -1, sqlName: 'bytea', equality: 'bytea' },
} as const satisfies Record<LogicalTypeName, TypeFacts>;

/** Other spellings PostgreSQL accepts. */
const ALIASES: Readonly<Record<string, LogicalTypeName>> = {
  'character varying': 'varchar',
  smallint: 'int2',
  int: 'int4',
  integer: 'int4',
  bigint: 'int8',
  decimal: 'numeric',
  boolean: 'bool',
  'timestamp with time zone': 'timestamptz',
};

/** pg_attribute.atttypmod adds the varlena header to what the declaration says (src/include/c.h VARHDRSZ). */
const TYPMOD_OFFSET = 4;
/** MaxAttrSize in src/include/access/htup_details.h. */
const MAX_VARCHAR = 10_485_760;
const MAX_NUMERIC_PRECISION = 1000;
const MAX_NUMERIC_SCALE = 1000;

export function isNumber({ name }: LogicalType): boolean {
  return name === 'int2' || name === 'int4' || name === 'int8' || name === 'numeric';
}

export function isText({ name }: LogicalType): boolean {
  return name === 'text' || name === 'varchar';
}

/** The facts of a type. @param typmod as in pg_attribute.atttypmod; -1 for none. */
export function logicalType(name: LogicalTypeName, typmod = -1): LogicalType {
  const { oid, arrayOid, typlen } = TYPES[name];
  return { name, oid, arrayOid, typmod, typlen };
}

export function isLogicalTypeName(name: string): name is LogicalTypeName {
  return Object.hasOwn(TYPES, name);
}

/**
 * A type as a rule writes it: `varchar(20)`, `numeric(10,2)`, `bigint`.
 *
 * Errors: ERR_POSTGRES_TYPE_UNKNOWN.
 */
export function parseLogicalType(text: string): LogicalType {
  const match = /^\s*([a-z0-9 ]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?\))?\s*$/.exec(text.toLowerCase());
  const base = match?.[1]?.replace(/\s+/g, ' ') ?? '';
  const name = isLogicalTypeName(base) ? base : ALIASES[base];
  if (match === null || name === undefined) throw unknownType(text);
  if (match[2] === undefined) return logicalType(name);
  return logicalType(
    name,
    typmodOf(text, name, Number(match[2]), match[3] === undefined ? undefined : Number(match[3])),
  );
}

function typmodOf(text: string, name: LogicalTypeName, first: number, second: number | undefined): number {
  if (name === 'varchar' && second === undefined && first >= 1 && first <= MAX_VARCHAR) return first + TYPMOD_OFFSET;
  const scale = second ?? 0;
  const fits = first >= 1 && first <= MAX_NUMERIC_PRECISION && Math.abs(scale) <= MAX_NUMERIC_SCALE;
  if (name === 'numeric' && fits) return ((first << 16) | (scale & 0x7ff)) + TYPMOD_OFFSET;
  throw unknownType(text);
}

function unknownType(text: string): ValueError {
  const known = Object.keys(TYPES).join(', ');
  return new ValueError('ERR_POSTGRES_TYPE_UNKNOWN', '42704', `no such logical type: ${text} (known: ${known})`);
}

/** The type as DDL writes it: `varchar(20)`. */
export function formatLogicalType(type: LogicalType): string {
  const { sqlName } = TYPES[type.name];
  if (type.typmod < 0) return sqlName;
  const modifier = numericModifier(type);
  return modifier === undefined
    ? `${sqlName}(${type.typmod - TYPMOD_OFFSET})`
    : `${sqlName}(${modifier.precision},${modifier.scale})`;
}

/** Characters a varchar(n) holds; undefined: no limit, or another type. */
export function varcharLimit(type: LogicalType): number | undefined {
  return type.name === 'varchar' && type.typmod >= 0 ? type.typmod - TYPMOD_OFFSET : undefined;
}

/** Precision and scale of numeric(p,s): src/backend/utils/adt/numeric.c numeric_typmod_scale. */
export function numericModifier(type: LogicalType): { precision: number; scale: number } | undefined {
  if (type.name !== 'numeric' || type.typmod < 0) return undefined;
  const bits = type.typmod - TYPMOD_OFFSET;
  return { precision: (bits >> 16) & 0xffff, scale: ((bits & 0x7ff) ^ 0x400) - 0x400 };
}

/**
 * The class within which canonical bytes are equal exactly when SQL says the values are; undefined for types where they are
 * not (jsonb and unconstrained numeric: 1.0 = 1.00, yet both print as they were written), which cannot be deterministic.
 */
export function comparisonClass(type: LogicalType): ComparisonClass | undefined {
  if (type.name === 'numeric' && type.typmod < 0) return undefined;
  return TYPES[type.name].equality;
}

const BY_OID: ReadonlyMap<number, LogicalTypeName> = new Map(
  Object.keys(TYPES)
    .filter(isLogicalTypeName)
    .map((name) => [TYPES[name].oid, name]),
);

/** The logical type of a pg_type.oid; undefined: none of ours. */
export function logicalTypeByOid(oid: number, typmod = -1): LogicalType | undefined {
  const name = BY_OID.get(oid);
  return name === undefined ? undefined : logicalType(name, typmod);
}

const BY_ARRAY_OID: ReadonlyMap<number, LogicalTypeName> = new Map(
  Object.keys(TYPES)
    .filter(isLogicalTypeName)
    .map((name) => [TYPES[name].arrayOid, name]),
);

/** The element type of a pg_type.oid that is an array of one of ours. */
export function logicalTypeOfArray(oid: number): LogicalType | undefined {
  const name = BY_ARRAY_OID.get(oid);
  return name === undefined ? undefined : logicalType(name);
}

/** Types whose sealed values can be read as one another: a rule may change its type within the class. */
export function storageClass(type: LogicalType): string {
  return comparisonClass(type) ?? type.name;
}
