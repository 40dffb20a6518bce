/** What reads a column of constants and parameters: its name, as it is or under casts. */
import type { TypeCast } from 'libpg-query';
import type { SealedColumn, ValuePurpose } from '../../plan.ts';
import type { Analysis } from '../query/analysis.ts';
import { castTo, keepsModifier, sameCast } from './casts.ts';
import { openColumn } from './column-refs.ts';
import { refuseUse } from '../errors.ts';
import type { OpenColumn } from './open-column.ts';
import type { Scope } from '../query/scope.ts';
import { locationOf, type Node } from '../text/syntax.ts';
import { columnName } from './values.ts';

export type OpenRead = { readonly open: OpenColumn; readonly casts: readonly TypeCast[] };

/** A column of constants and parameters, read as it is or under casts; the outermost first. */
export function openRead(analysis: Analysis, node: Node, scope: Scope): OpenRead | undefined {
  if ('ColumnRef' in node) {
    const open = openColumn(analysis, node.ColumnRef, scope);
    return open && { open, casts: [] };
  }
  if (!('TypeCast' in node) || node.TypeCast.arg === undefined) return undefined;
  const below = openRead(analysis, node.TypeCast.arg, scope);
  return below && { open: below.open, casts: [node.TypeCast, ...below.casts] };
}

export function mouldRead(
  analysis: Analysis,
  { open, casts }: OpenRead,
  column: SealedColumn,
  purpose: ValuePurpose,
): void {
  const read = casts.map((cast) => castTo(analysis, cast, column, purpose));
  casts.forEach((cast, index) => {
    const below = casts[index + 1];
    if (below !== undefined && !sameCast(cast, below)) throw changing(column, locationOf(cast.typeName));
  });
  if (read.some(({ as }) => as !== undefined)) throw changing(column, open.location);
  const rounds = read.some((cast) => cast.rounds);
  if (rounds && (purpose === 'choose' || !keepsModifier(column))) throw changing(column, open.location);
  open.mould(column, rounds ? 'store' : purpose, read.at(-1)?.oid);
}

export function changing(column: SealedColumn, location: number): Error {
  return refuseUse(
    `a cast may change a value of sealed column ${columnName(column)}`,
    location,
    `Cast to ${column.type.name}, or leave the casts out.`,
  );
}
