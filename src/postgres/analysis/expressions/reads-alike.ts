/**
 * Whether the server reads a value that is compared with a sealed column as we do. It settles what has no type by what stands beside it:
 * in `c = $1` that is the column's, among the elements of ARRAY, in VALUES, CASE and subqueries it is text, or another element's.
 */
import type { LogicalType } from '../../plan.ts';
import { isNumber, isText, logicalTypeByOid, logicalTypeOfArray } from '../../types/registry.ts';

/**
 * @param declaredOid of the value, or of the array that it stands in; undefined: it is read as the column's type.
 * @param servedOid what the server makes of it.
 */
export function readsAlike(column: LogicalType, declaredOid: number | undefined, servedOid: number): boolean {
  const served = servedOid === column.oid || servedOid === column.domain?.oid ? column : logicalTypeByOid(servedOid);
  const ours =
    declaredOid === undefined || declaredOid === column.domain?.oid
      ? column
      : (logicalTypeOfArray(declaredOid) ?? logicalTypeByOid(declaredOid));
  if (ours === undefined || served === undefined) return false;
  if (ours.name === served.name || (isNumber(ours) && isNumber(served)) || (isText(ours) && isText(served)))
    return true;
  // Beside a char a varchar is compared as one.
  if (ours.name === 'bpchar') return served.name === 'varchar' && column.name === 'bpchar';
  // The operator of cidr is inet's, and what is no cidr is found in no column of them.
  return ours.name === 'cidr' && served.name === 'inet';
}
