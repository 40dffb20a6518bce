/** What a sealed column's values are to the server. */
import type { Carried, SealedColumn } from '../plan.ts';

/** `name`: of a type in pg_catalog. */
export type StoredType = { readonly oid: number; readonly arrayOid: number; readonly name: string };

const SEALED: StoredType = { oid: 17, arrayOid: 1001, name: 'bytea' };
/** Of text and varchar alike: the server assigns one to the other. */
const TEXT: StoredType = { oid: 25, arrayOid: 1009, name: 'text' };
const VARCHAR_OID = 1043;

export function storedType({ format }: Pick<SealedColumn, 'format'>): StoredType {
  return format === undefined ? SEALED : TEXT;
}

/** FirstNormalObjectId (access/transam.h): types of the database itself, as the array type of the guard's domain is. */
const FIRST_OWN_OID = 16_384;
const VARCHAR_ARRAY_OID = 1015;

/** pg_type.oid of record and record[]. The row of a table is of a type of its own. */
const RECORD = 2249;
const RECORD_ARRAY = 2287;

/** Whether the value's type is the server's to say: of a row, or rows. */
export function isRowTyped({ carries }: Pick<SealedColumn, 'carries'>): boolean {
  if (carries?.as === 'array') return isRowTyped(carries.of);
  return carries?.as === 'row' && carries.isText !== true;
}

/** Whether a result column of this type can be the sealed column's. */
export function isStoredAs(column: SealedColumn, oid: number): boolean {
  if (column.carries !== undefined) return isCarriedAs(column, column.carries, oid);
  return oid === storedType(column).oid || (column.format !== undefined && oid === VARCHAR_OID);
}

function isCarriedAs({ type }: SealedColumn, carried: Carried, oid: number): boolean {
  if (carried.as === 'row' && carried.isText !== true) return oid === RECORD || oid >= FIRST_OWN_OID;
  if (carried.as === 'joined' || carried.as === 'text') return oid === SEALED.oid;
  if (carried.as !== 'array') return oid === type.oid;
  const { of } = carried;
  if (isRowTyped(of)) return oid === RECORD_ARRAY || oid >= FIRST_OWN_OID;
  return (
    oid === storedType(of).arrayOid || (of.format === undefined ? oid >= FIRST_OWN_OID : oid === VARCHAR_ARRAY_OID)
  );
}
