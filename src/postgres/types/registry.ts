/** The logical types a column rule may name: what the client is told about them, and which of them may be sealed deterministically. */
import type { LogicalType } from '../plan.ts';
import { type BuiltinTypeName, isBuiltinTypeName, TYPES } from './type-facts.ts';

export function isNumber({ name }: LogicalType): boolean {
  return name === 'int2' || name === 'int4' || name === 'int8' || name === 'numeric';
}

/** Not char(n), whose blanks do not count. */
export function isText({ name }: LogicalType): boolean {
  return name === 'text' || name === 'varchar';
}

export function isFloat({ name }: LogicalType): boolean {
  return name === 'float4' || name === 'float8';
}

/** The facts of a type. @param typmod as in pg_attribute.atttypmod; -1 for none. */
export function logicalType(name: BuiltinTypeName, typmod = -1): LogicalType {
  const { oid, arrayOid, typlen } = TYPES[name];
  return { name, oid, arrayOid, typmod, typlen };
}

/** The array type of an element's type; a modifier is the elements'. */
export function arrayOf(element: LogicalType): LogicalType {
  return { name: 'array', oid: element.arrayOid, arrayOid: 0, typmod: element.typmod, typlen: -1, element };
}

/** The same type with another modifier. */
export function withTypmod(type: LogicalType, typmod: number): LogicalType {
  if (type.typmod === typmod) return type;
  return { ...type, typmod, ...(type.element !== undefined && { element: withTypmod(type.element, typmod) }) };
}

/** pg_type.typlen of an enum. */
const ENUM_BYTES = 4;

/** An enum of the database. */
export function enumType(oid: number, arrayOid: number, user: NonNullable<LogicalType['user']>): LogicalType {
  return { name: 'enum', oid, arrayOid, typmod: -1, typlen: ENUM_BYTES, user };
}

/**
 * The class within which canonical bytes are equal exactly when SQL says the values are; undefined for types where they are
 * not (jsonb and unconstrained numeric: 1.0 = 1.00, yet both print as they were written), which cannot be deterministic.
 */
export function comparisonClass({ name, typmod, user }: LogicalType): string | undefined {
  if (name === 'array' || (name === 'numeric' && typmod < 0)) return undefined;
  if (name === 'enum') return `enum ${JSON.stringify([user?.schema, user?.name])}`;
  return TYPES[name].equality;
}

const BUILTINS: readonly BuiltinTypeName[] = Object.keys(TYPES).filter(isBuiltinTypeName);
const BY_OID: ReadonlyMap<number, BuiltinTypeName> = new Map(BUILTINS.map((name) => [TYPES[name].oid, name]));
const BY_ARRAY_OID: ReadonlyMap<number, BuiltinTypeName> = new Map(
  BUILTINS.map((name) => [TYPES[name].arrayOid, name]),
);

/** The logical type of a pg_type.oid; undefined: none of the server's that we know. */
export function logicalTypeByOid(oid: number, typmod = -1): LogicalType | undefined {
  const name = BY_OID.get(oid);
  if (name !== undefined) return logicalType(name, typmod);
  const element = BY_ARRAY_OID.get(oid);
  return element === undefined ? undefined : arrayOf(logicalType(element, typmod));
}

/** As `logicalTypeByOid`, also where it is the type of a column, which may be the database's own. */
export function typeLike(column: LogicalType, oid: number, typmod = -1): LogicalType | undefined {
  return oid === column.oid ? withTypmod(column, typmod) : logicalTypeByOid(oid, typmod);
}

/** The element type of a pg_type.oid that is an array of one of ours. */
export function logicalTypeOfArray(oid: number): LogicalType | undefined {
  const name = BY_ARRAY_OID.get(oid);
  return name === undefined ? undefined : logicalType(name);
}

/** Types whose sealed values can be read as one another: a rule may change its type within the class. */
export function storageClass(type: LogicalType): string {
  if (type.element !== undefined) return `array of ${storageClass(type.element)}`;
  // They print otherwise than the rest of their class.
  if (type.name === 'bpchar' || type.name === 'cidr') return type.name;
  return comparisonClass(type) ?? type.name;
}

/** Whether text of the type depends on the session's TimeZone. */
export function usesTimeZone({ name, element }: LogicalType): boolean {
  return name === 'timestamptz' || (element !== undefined && usesTimeZone(element));
}
