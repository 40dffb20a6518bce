/** SET lists of UPDATE and ON CONFLICT: `c = e`, `(a, b) = (x, y)`, `(a, b) = (SELECT ...)`. */
import type { MultiAssignRef } from 'libpg-query';
import { originKey } from '../../plan.ts';
import type { Analysis, ExpectedColumn } from './analysis.ts';
import type { CatalogColumn, Relation } from '../catalog/catalog.ts';
import { sealDefault } from './defaults.ts';
import { refuseName, refuseUse } from '../errors.ts';
import { placedColumns, requireAssignedAll, requireInsertFits, requireNoSealed } from '../expressions/counts.ts';
import { mould, nodeLocation, requireSame, settlePlain } from '../expressions/mould.ts';
import { refuseSealed } from '../expressions/refuse-sealed.ts';
import { expandItems, placedItems, requireNoneSealed, requirePlainItems } from '../expressions/stars.ts';
import type { Scope } from './scope.ts';
import { locationOf, type Node } from '../text/syntax.ts';
import { PLAIN } from '../expressions/values.ts';

export function setTargets(analysis: Analysis, targets: readonly Node[], relation: Relation, scope: Scope): void {
  for (const target of targets) {
    if (!('ResTarget' in target)) continue;
    const { name = '', val, indirection } = target.ResTarget;
    const location = locationOf(target.ResTarget);
    const column = relation.columns.find((candidate) => candidate.name === name);
    if (column === undefined)
      throw refuseName('42703', `column "${name}" of relation "${relation.name}" does not exist`, location);
    if (column.sealed !== undefined && (indirection ?? []).length > 0)
      throw refuseSealed(column.sealed, 'with a subscript', location);
    if (column.sealed !== undefined) written(analysis, relation, column);
    if (val === undefined) continue;
    if ('MultiAssignRef' in val)
      assignPart(analysis, val.MultiAssignRef, { column, relation, targets }, scope, location);
    else assign(analysis, val, column, scope, location);
  }
}

/** The values of one row for columns of its table. */
export function assignEach(
  analysis: Analysis,
  values: readonly Node[],
  relation: Relation,
  columns: readonly CatalogColumn[],
  scope: Scope,
): void {
  const items = expandItems(analysis, values, scope);
  const placed = placedItems(items);
  const beyond = items[columns.length];
  if (beyond !== undefined && placed > columns.length)
    requireInsertFits(items.length, columns.length, nodeLocation(beyond));
  requirePlacedFor(analysis, items, columns, scope);
  items.slice(0, placed).forEach((value, index) => {
    const column = columns[index];
    if (column === undefined) return;
    if (column.sealed !== undefined) written(analysis, relation, column);
    assign(analysis, value, column, scope, nodeLocation(value));
  });
}

/** What a star that is not known may shift is for no sealed column. */
function requirePlacedFor(
  analysis: Analysis,
  items: readonly Node[],
  columns: readonly CatalogColumn[],
  scope: Scope,
): void {
  const placed = placedItems(items);
  if (placed === items.length) return;
  requireNoneSealed(
    columns.map(({ sealed }) => sealed),
    placed,
    items,
  );
  requirePlainItems(analysis, items, placed, scope);
}

function written(analysis: Analysis, relation: Relation, column: CatalogColumn): void {
  if (column.sealed !== undefined) analysis.use(column.sealed);
  analysis.writes.add(originKey(relation.oid, column.attnum));
}

function assign(analysis: Analysis, value: Node, column: CatalogColumn, scope: Scope, location: number): void {
  if ('SetToDefault' in value) {
    if (column.sealed !== undefined) sealDefault(analysis, value.SetToDefault, column.sealed);
    return;
  }
  if (column.sealed !== undefined) return mould(analysis, value, scope, column.sealed, 'store');
  const given = analysis.infer(value, scope);
  if (given.type === 'mouldable') settlePlain(analysis, given.node, scope);
  if (given.type === 'sealed')
    throw refuseSealed(given.column, `as a value of column ${column.name}, which is not sealed`, location);
}

type PartTarget = { readonly column: CatalogColumn; readonly relation: Relation; readonly targets: readonly Node[] };

function assignPart(
  analysis: Analysis,
  part: MultiAssignRef,
  { column, relation, targets }: PartTarget,
  scope: Scope,
  location: number,
): void {
  const index = (part.colno ?? 1) - 1;
  const { source } = part;
  if (source !== undefined && 'RowExpr' in source) {
    const items = expandItems(analysis, source.RowExpr.args ?? [], scope);
    const placed = placedItems(items);
    if (placed === items.length || placed > (part.ncolumns ?? 1))
      requireAssignedAll(items.length, part.ncolumns ?? 1, nodeLocation(source));
    if (index === 0) requirePlacedFor(analysis, items, assignedTogether(part, targets, relation), scope);
    const item = items[index];
    if (item !== undefined && index < placed) assign(analysis, item, column, scope, location);
    return;
  }
  if (source === undefined || !('SubLink' in source) || source.SubLink.subselect === undefined) {
    throw refuseUse(
      'this form of a multiple assignment is not supported together with sealed columns',
      location,
      'Assign the columns one by one.',
    );
  }
  const { sealed } = column;
  // All that it gives, not this one alone: a parameter in the place of another is a value of that column.
  const expected = assignedTogether(part, targets, relation).map(
    (one): ExpectedColumn => one.sealed && { column: one.sealed, purpose: 'store', named: false },
  );
  const outputs = analysis.query(source.SubLink.subselect, scope, expected);
  const placed = placedColumns(outputs);
  if (placed === outputs.length || placed > (part.ncolumns ?? 1))
    requireAssignedAll(placed, part.ncolumns ?? 1, locationOf(source.SubLink));
  requireNoSealed(outputs, placed, locationOf(source.SubLink));
  const { value = PLAIN, open } = outputs.slice(0, placed)[index] ?? {};
  if (sealed !== undefined && open !== undefined) return open.mould(sealed, 'store', undefined);
  open?.settlePlain();
  if (sealed !== undefined) return requireSame(value, sealed, 'store', location);
  if (value.type === 'sealed')
    throw refuseSealed(value.column, `as a value of column ${column.name}, which is not sealed`, location);
}

/** The columns that one source gives values for: they are set next to each other, `part` as the colno-th. */
function assignedTogether(
  part: MultiAssignRef,
  targets: readonly Node[],
  relation: Relation,
): readonly CatalogColumn[] {
  const at = targets.findIndex(
    (target) => 'ResTarget' in target && target.ResTarget.val !== undefined && isPart(target.ResTarget.val, part),
  );
  const first = at - ((part.colno ?? 1) - 1);
  return targets.slice(first, first + (part.ncolumns ?? 1)).flatMap((target) => {
    const name = 'ResTarget' in target ? target.ResTarget.name : undefined;
    const column = relation.columns.find((candidate) => candidate.name === name);
    if (column === undefined)
      throw refuseName('42703', `column "${name ?? ''}" of relation "${relation.name}" does not exist`, -1);
    return [column];
  });
}

const isPart = (value: Node, part: MultiAssignRef): boolean =>
  'MultiAssignRef' in value && value.MultiAssignRef === part;
