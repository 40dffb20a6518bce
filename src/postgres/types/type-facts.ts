/**
 * What the server says of each type (src/include/catalog/pg_type.dat), and which class its values compare in.
 *
 * Types of one class compare equal by their canonical bytes; undefined: equality is not byte equality.
 */
import type { LogicalTypeName } from '../plan.ts';

export type TypeFacts = {
  readonly oid: number;
  readonly arrayOid: number;
  readonly typlen: number;
  /** The name `format_type` prints. */
  readonly sqlName: string;
  readonly equality: string | undefined;
};

/** Types of the server; enums and arrays have facts of their own. */
export type BuiltinTypeName = Exclude<LogicalTypeName, 'enum' | 'array'>;

export const TYPES: Readonly<Record<BuiltinTypeName, TypeFacts>> = {
  text: { oid: 25, arrayOid: 1009, typlen: -1, sqlName: 'text', equality: 'text' },
  varchar: { oid: 1043, arrayOid: 1015, typlen: -1, sqlName: 'character varying', equality: 'text' },
  bpchar: { oid: 1042, arrayOid: 1014, typlen: -1, sqlName: 'character', equality: 'text' },
  int2: { oid: 21, arrayOid: 1005, typlen: 2, sqlName: 'smallint', equality: 'number' },
  int4: { oid: 23, arrayOid: 1007, typlen: 4, sqlName: 'integer', equality: 'number' },
  int8: { oid: 20, arrayOid: 1016, typlen: 8, sqlName: 'bigint', equality: 'number' },
  numeric: { oid: 1700, arrayOid: 1231, typlen: -1, sqlName: 'numeric', equality: 'number' },
  float4: { oid: 700, arrayOid: 1021, typlen: 4, sqlName: 'real', equality: undefined },
  float8: { oid: 701, arrayOid: 1022, typlen: 8, sqlName: 'double precision', equality: undefined },
  bool: { oid: 16, arrayOid: 1000, typlen: 1, sqlName: 'boolean', equality: 'bool' },
  bytea: { oid: 17, arrayOid: 1001, typlen: -1, sqlName: 'bytea', equality: 'bytea' },
  date: { oid: 1082, arrayOid: 1182, typlen: 4, sqlName: 'date', equality: 'date' },
  time: { oid: 1083, arrayOid: 1183, typlen: 8, sqlName: 'time without time zone', equality: 'time' },
  timetz: { oid: 1266, arrayOid: 1270, typlen: 12, sqlName: 'time with time zone', equality: 'timetz' },
  timestamp: { oid: 1114, arrayOid: 1115, typlen: 8, sqlName: 'timestamp without time zone', equality: 'timestamp' },
  timestamptz: { oid: 1184, arrayOid: 1185, typlen: 8, sqlName: 'timestamp with time zone', equality: 'timestamptz' },
  interval: { oid: 1186, arrayOid: 1187, typlen: 16, sqlName: 'interval', equality: undefined },
  uuid: { oid: 2950, arrayOid: 2951, typlen: 16, sqlName: 'uuid', equality: 'uuid' },
  inet: { oid: 869, arrayOid: 1041, typlen: -1, sqlName: 'inet', equality: 'inet' },
  cidr: { oid: 650, arrayOid: 651, typlen: -1, sqlName: 'cidr', equality: 'inet' },
  macaddr: { oid: 829, arrayOid: 1040, typlen: 6, sqlName: 'macaddr', equality: 'macaddr' },
  macaddr8: { oid: 774, arrayOid: 775, typlen: 8, sqlName: 'macaddr8', equality: 'macaddr8' },
  bit: { oid: 1560, arrayOid: 1561, typlen: -1, sqlName: 'bit', equality: 'bit' },
  varbit: { oid: 1562, arrayOid: 1563, typlen: -1, sqlName: 'bit varying', equality: 'bit' },
  json: { oid: 114, arrayOid: 199, typlen: -1, sqlName: 'json', equality: undefined },
  jsonb: { oid: 3802, arrayOid: 3807, typlen: -1, sqlName: 'jsonb', equality: undefined },
};

/** Other spellings PostgreSQL accepts. */
export const ALIASES: Readonly<Record<string, BuiltinTypeName>> = {
  'character varying': 'varchar',
  character: 'bpchar',
  char: 'bpchar',
  smallint: 'int2',
  int: 'int4',
  integer: 'int4',
  bigint: 'int8',
  decimal: 'numeric',
  real: 'float4',
  float: 'float8',
  'double precision': 'float8',
  boolean: 'bool',
  'time without time zone': 'time',
  'time with time zone': 'timetz',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
  'bit varying': 'varbit',
};

export function isBuiltinTypeName(name: string): name is BuiltinTypeName {
  return Object.hasOwn(TYPES, name);
}
