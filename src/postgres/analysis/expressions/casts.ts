/** Casts around what is sealed: they change no value, and name bytea upstream. */
import type { TypeCast } from 'libpg-query';
import { storedType } from '../../columns/stored-type.ts';
import type { LogicalType, SealedColumn, ValuePurpose } from '../../plan.ts';
import { formatLogicalType } from '../../types/type-text.ts';
import type { Analysis } from '../query/analysis.ts';
import { castFor, castWithModifier, constantSpan, namesOwnType, roundsAsColumn, typeNameSpan } from './constants.ts';
import { castType } from '../text/syntax.ts';

/** `rounds`: it does what storing in the column would do. `as`: the type with its modifier, where the cast has another. */
export function castTo(
  analysis: Analysis,
  cast: TypeCast,
  column: SealedColumn,
  purpose: ValuePurpose,
): { readonly oid: number; readonly rounds: boolean; readonly as?: LogicalType } {
  const { searchPath } = analysis.input;
  const roundsNumber = roundsAsColumn(cast, column);
  // The numbers in the text decided it.
  if (roundsNumber) analysis.literalsMatter = true;
  const rounds = roundsNumber || entersDomain(cast, column, searchPath);
  const as = rounds ? undefined : castWithModifier(cast, column.type);
  if (as !== undefined && allows(as, purpose)) {
    analysis.literalsMatter = true;
    replaceType(analysis, cast, storedType(column).name, column);
    return { oid: as.oid, rounds: false, as };
  }
  const own = column.type.oid;
  const oid = rounds ? own : (castFor(cast, column, { shape: 'scalar', purpose, searchPath }) ?? own);
  replaceType(analysis, cast, storedType(column).name, column);
  return { oid, rounds };
}

/** Of a number that may come out its decimals count, which sealed bytes do not hold. */
function allows({ name }: LogicalType, purpose: ValuePurpose): boolean {
  return name !== 'numeric' || purpose !== 'choose';
}

/** A cast to the column's domain checks the value and fits it to the type below, as storing it does. */
function entersDomain(
  cast: TypeCast,
  { type, storedType: stored = type, checks }: SealedColumn,
  path: readonly string[],
): boolean {
  const changes = stored.typmod !== -1 || (checks ?? []).some(({ domain }) => domain !== undefined);
  return stored.domain !== undefined && changes && namesOwnType(cast.typeName, stored, path);
}

/** Not after COALESCE and the like, where nothing is assigned to the column. */
export function keepsModifier({ type, storedType = type }: SealedColumn): boolean {
  return type.typmod === storedType.typmod;
}

const UNLIMITED_TEXT: ReadonlySet<number> = new Set([25, 1043]);

/** Of one type without modifier, or of text and varchar, which hold the same values. */
export function sameCast(outer: TypeCast, inner: TypeCast): boolean {
  const [one, other] = [castType(outer.typeName)?.elementOid, castType(inner.typeName)?.elementOid];
  if (one === undefined || other === undefined) return false;
  return one === other || (UNLIMITED_TEXT.has(one) && UNLIMITED_TEXT.has(other));
}

/** int2, int4, int8, numeric: each holds all values of those before it. */
const WIDENING: readonly number[] = [21, 23, 20, 1700];

/** Whether a cast from one type to the other changes no value. */
export function widens(from: number, to: number): boolean {
  if (from === to || (UNLIMITED_TEXT.has(from) && UNLIMITED_TEXT.has(to))) return true;
  return WIDENING.includes(from) && WIDENING.indexOf(from) < WIDENING.indexOf(to);
}

/** The value is ciphertext upstream, so a cast that names its logical type names bytea there. */
export function replaceType(analysis: Analysis, cast: TypeCast, replacement: string, column: SealedColumn): void {
  const span = typeNameSpan(analysis.source, cast);
  analysis.edit({ ...span, replacement });
  // `date '...'` takes a constant only: where that becomes a parameter, the type goes behind it.
  if (cast.location === -1) {
    analysis.shadowEdits.push({ ...span, replacement: '' });
    const { arg } = cast;
    if (arg === undefined || !('A_Const' in arg)) return;
    const { end } = constantSpan(analysis.source, arg.A_Const);
    analysis.shadowEdits.push({ start: end, end, replacement: `::${typeBehind(analysis, span)}` });
  } else if (namesOwnType(cast.typeName, column.type, analysis.input.searchPath))
    analysis.shadowEdits.push({ ...span, replacement: formatLogicalType(column.type) });
}

/** The N of N'x' is no name of a type: the lexer makes character of it. */
function typeBehind({ source }: Analysis, { start, end }: { readonly start: number; readonly end: number }): string {
  const written = source.slice(start, end);
  const isNational = written.toLowerCase() === 'n' && source.slice(end, end + 1) === "'";
  return isNational ? 'pg_catalog.bpchar' : written;
}
