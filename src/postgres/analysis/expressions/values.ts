/** What an expression is, as far as sealing is concerned. */
import type { ResultOrigin, SealedColumn } from '../../plan.ts';
import { charLimit, numericModifier } from '../../types/modifiers.ts';
import type { OpenColumn } from './open-column.ts';
import type { Node } from '../text/syntax.ts';

export type PlainValue = { readonly type: 'plain' };
/** The sealed bytes of a column, unchanged. */
export type SealedValue = { readonly type: 'sealed'; readonly column: SealedColumn; readonly origin: ResultOrigin };
/** A constant or parameter, or a choice among such: its surroundings decide whether it is sealed. Not yet settled. */
export type MouldableValue = { readonly type: 'mouldable'; readonly node: Node };
export type Value = PlainValue | SealedValue | MouldableValue;
export type SettledValue = PlainValue | SealedValue;

/** One column of a row: of a relation, a subquery, a result. `open`: what its value is, those that read it decide; until then, plain. */
export type OutputColumn = {
  readonly name: string;
  readonly value: SettledValue;
  readonly open?: OpenColumn;
  /** It stands for as many columns as a composite type has, whose names and number are not known here. */
  readonly wide?: true;
};

export const PLAIN: PlainValue = { type: 'plain' };
/** `(composite).*`. No name is empty. */
export const WIDE: OutputColumn = { name: '', value: PLAIN, wide: true };
const EXPRESSION: ResultOrigin = { type: 'expression' };
const ANY_ORIGIN: ResultOrigin = { type: 'any' };

/** The value of an expression that keeps the column's type whole: the server no longer names its origin. */
export function unnamed(column: SealedColumn): SealedValue {
  return { type: 'sealed', column, origin: EXPRESSION };
}

/** The value after an expression that passes it through, whatever else it may give. */
export function passedThrough(column: SealedColumn, origin: 'expression' | 'any' = 'expression'): SealedValue {
  return { type: 'sealed', column: withoutModifier(column), origin: origin === 'any' ? ANY_ORIGIN : EXPRESSION };
}

/** CASE, COALESCE and the like lose varchar(n) and numeric(p,s). */
export function withoutModifier(column: SealedColumn): SealedColumn {
  return column.type.typmod === -1 ? column : { ...column, type: { ...column.type, typmod: -1 } };
}

/** Whether the ciphertext of one is ciphertext of the other: opened with the same AAD, read as the same type, printed alike. */
export function sameBytes(a: SealedColumn, b: SealedColumn): boolean {
  if (a.type.oid !== b.type.oid) return false;
  return a.id === b.id || (comparable(a, b) && fillOf(a) === fillOf(b));
}

/** numeric(p,s) prints s decimals and char(n) n characters, which the sealed bytes do not hold. */
function fillOf({ type, storedType = type }: SealedColumn): number | undefined {
  return numericModifier(storedType)?.scale ?? charLimit(storedType);
}

/** Whether equal values have equal ciphertext: both deterministic, in one domain. */
export function comparable(a: SealedColumn, b: SealedColumn): boolean {
  if (a.mode !== 'deterministic' || b.mode !== 'deterministic' || ignoresBlanks(a, b)) return false;
  return a.id === b.id || (a.domain !== undefined && a.domain === b.domain);
}

/** Between char and varchar the server looks at no blanks at the end, which a varchar's bytes hold. */
function ignoresBlanks(a: SealedColumn, b: SealedColumn): boolean {
  const names = [a.type.name, b.type.name];
  return names.includes('bpchar') && names.includes('varchar');
}

/** How messages name a column. */
export function columnName(column: SealedColumn): string {
  return `${column.schema}.${column.table}.${column.column}`;
}
