/** Constants and parameters as values of a sealed column: what is sealed in their place, read as which type. */
import type { A_Const, ParamRef } from 'libpg-query';
import type { LogicalType, SealedColumn, ValuePurpose } from '../../plan.ts';
import { isText } from '../../types/registry.ts';
import { formatLogicalType } from '../../types/type-text.ts';
import { refuseUse } from '../errors.ts';
import type { Analysis } from '../query/analysis.ts';
import { elementType, locationOf } from '../text/syntax.ts';
import { widens } from './casts.ts';
import { acceptsType, constantSpan, constantValue, isNull } from './constants.ts';
import { columnName } from './values.ts';

export const stores = (purpose: ValuePurpose): purpose is 'store' | 'both' => purpose === 'store' || purpose === 'both';

export function mouldConstant(
  analysis: Analysis,
  constant: A_Const,
  column: SealedColumn,
  purpose: ValuePurpose,
  castOid: number | undefined,
  cast?: LogicalType,
): void {
  // A constant number stored in a text column is cast as an assignment would.
  const oid =
    castOid ?? (stores(purpose) && isText(column.type) && constant.ival !== undefined ? column.type.oid : undefined);
  const known = constantValue(constant, column, oid);
  if (known === undefined) return;
  const { start, end } = constantSpan(analysis.source, constant);
  refuseInView(analysis, column, start);
  const declared = known.declaredOid !== undefined &&
    !isRead(column, known.declaredOid) && { declaredOid: known.declaredOid };
  const replacement = { column, value: known.value, purpose, ...declared, ...(cast !== undefined && { cast }) };
  analysis.edit({ start, end, replacement, constantOid: known.ownOid });
}

/** `'{a,b}'`, as array_in reads it. `elementOid`: the type that a cast gives the elements. */
export function mouldArrayConstant(
  analysis: Analysis,
  constant: A_Const,
  column: SealedColumn,
  purpose: ValuePurpose,
  elementOid: number | undefined,
): void {
  if (isNull(constant)) return;
  const { start, end } = constantSpan(analysis.source, constant);
  refuseInView(analysis, column, start);
  analysis.use(column);
  if (constant.sval === undefined) {
    throw refuseUse(
      'this kind of constant is no array for a sealed column',
      start,
      "Write '{a,b}' or ARRAY['a', 'b'].",
    );
  }
  const arrayOid = elementOid === undefined || isRead(column, elementOid) ? undefined : arrayOf(elementOid);
  const declared = arrayOid !== undefined && { declaredOid: arrayOid };
  const replacement = {
    column,
    value: constant.sval.sval ?? '',
    purpose,
    shape: 'array',
    ...declared,
  } as const;
  analysis.edit({ start, end, replacement });
}

/** `castOid`: the (element's) type of a cast around it. */
export function mouldParameter(
  analysis: Analysis,
  parameter: ParamRef,
  column: SealedColumn,
  purpose: ValuePurpose,
  shape: 'scalar' | 'array',
  castOid: number | undefined,
  cast?: LogicalType,
): void {
  const number = parameter.number ?? 0;
  const location = locationOf(parameter);
  refuseInView(analysis, column, location);
  analysis.use(column);
  const declared = declaredType(analysis, number, { column, shape, purpose }, location);
  if (declared !== undefined && castOid !== undefined && !widens(declared, castOid)) {
    throw refuseUse(
      `parameter $${number} is declared as one type and cast to another`,
      location,
      'Declare the type the cast names.',
    );
  }
  // The bytes come in the declared type, whatever wider one the cast names.
  const elementOid = declared ?? castOid;
  const own = elementOid === undefined || isRead(column, elementOid);
  const declaredOid = own ? undefined : shape === 'array' ? arrayOf(elementOid) : elementOid;
  analysis.parameters.useSealed(number, { column, shape, purpose, declaredOid, cast, location });
}

/** Whether a value is read as this type without its being said. Beside a cidr what has no type may become an inet. */
function isRead({ type }: SealedColumn, oid: number): boolean {
  return oid === type.oid && type.name !== 'cidr';
}

function arrayOf(elementOid: number): number | undefined {
  return elementType(elementOid)?.arrayOid;
}

const UNKNOWN = 705;

/** What Parse declared for it, as the element's OID; undefined: nothing. */
function declaredType(
  analysis: Analysis,
  number: number,
  { column, shape, purpose }: { column: SealedColumn; shape: 'scalar' | 'array'; purpose: ValuePurpose },
  location: number,
): number | undefined {
  const oid = analysis.input.declaredOids[number - 1] ?? 0;
  if (oid === 0 || oid === UNKNOWN) return undefined;
  const element = shape === 'array' ? elementType(oid, 'array')?.oid : oid;
  if (element !== undefined && element === column.type.domain?.oid) return undefined;
  if (element !== undefined && acceptsType(column.type, element, purpose)) return element;
  throw refuseUse(
    `parameter $${number} is declared with type OID ${oid}, which sealed column ${columnName(column)} (${formatLogicalType(column.type)}) does not take`,
    location,
    'Leave the type unspecified or declare the type of the column.',
  );
}

export function refuseInView(analysis: Analysis, column: SealedColumn, location: number): void {
  if (analysis.input.within === 'statement') return;
  throw refuseUse(
    `a view compares sealed column ${columnName(column)} with a constant`,
    location,
    'Compare in the query over the view.',
  );
}
