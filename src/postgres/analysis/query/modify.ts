/** INSERT, UPDATE and DELETE. Follows src/backend/parser/analyze.c. */
import type { DeleteStmt, InsertStmt, OnConflictClause, RangeVar, ReturningClause, UpdateStmt } from 'libpg-query';
import { originKey } from '../../plan.ts';
import type { Analysis } from './analysis.ts';
import { setTargets } from './assignments.ts';
import type { CatalogColumn, Relation } from '../catalog/catalog.ts';
import { requireDeterministic } from '../expressions/comparisons.ts';
import { analyzeWith } from './common-tables.ts';
import { insertDefaults, requireNoDefaults } from './defaults.ts';
import { refuseName, refuseStatement, WRITTEN_ELSEWHERE } from '../errors.ts';
import { analyzeFrom, type FromItem } from './from.ts';
import {
  placedColumns,
  requireInsertFits,
  requireNoSealed,
  unknownColumns,
  writtenRow,
} from '../expressions/counts.ts';
import { nodeLocation, requirePlain, requireSame } from '../expressions/mould.ts';
import { refuseSealed } from '../expressions/refuse-sealed.ts';
import { entry, hiddenColumns, nameInFull, relationColumns, resolveRelation, writtenRelation } from './relations.ts';
import { Scope, type RangeEntry } from './scope.ts';
import { locationOf, type Node } from '../text/syntax.ts';
import { analyzeTargets } from './targets.ts';
import type { OutputColumn } from '../expressions/values.ts';

export type Target = { readonly relation: Relation; readonly entry: RangeEntry; readonly location: number };

export function analyzeInsert(
  analysis: Analysis,
  insert: InsertStmt,
  outer: Scope | undefined,
): readonly OutputColumn[] {
  const scope = new Scope(outer);
  if (insert.withClause !== undefined) analyzeWith(analysis, insert.withClause, scope);
  const target = targetOf(analysis, insert.relation);
  const columns = insertColumns(target.relation, insert.cols);
  if (target.relation.kind === 'v') requireNoDefaults(hiddenColumns(analysis, target.relation), [], target.location);
  const filled =
    insert.selectStmt === undefined ? 0 : insertSource(analysis, insert.selectStmt, scope, target.relation, columns);
  insertDefaults(analysis, insert, target.relation.columns, columns.slice(0, filled));
  if (insert.onConflictClause !== undefined) onConflict(analysis, insert.onConflictClause, target, scope);
  return returning(analysis, insert.returningClause, target, scope, []);
}

/** The target of a write: a table, or a view through which the server writes one. */
export function targetOf(analysis: Analysis, table: RangeVar | undefined): Target {
  if (table === undefined) throw refuseStatement('a statement without a table', -1);
  analysis.tablesRead.add(table);
  const named = resolveRelation(analysis, table);
  const location = locationOf(table);
  if (named === undefined) {
    throw refuseStatement(
      'the catalog cannot be written together with sealed columns',
      location,
      'Write it in a statement of its own.',
    );
  }
  const relation = writtenRelation(analysis, named, location);
  if (relation.writeRefusal !== undefined) {
    throw refuseStatement(relation.writeRefusal, location, WRITTEN_ELSEWHERE);
  }
  nameInFull(analysis, table, relation);
  const alias = table.alias?.aliasname ?? relation.name;
  const schema = table.alias === undefined ? relation.schema : undefined;
  return { relation, entry: entry(alias, schema, relationColumns(analysis, relation), { isRelation: true }), location };
}

export function insertColumns(relation: Relation, cols: readonly Node[] | undefined): readonly CatalogColumn[] {
  if (cols === undefined) return relation.columns;
  return cols.flatMap((col) => {
    if (!('ResTarget' in col)) return [];
    const { name = '', indirection } = col.ResTarget;
    const column = relation.columns.find((candidate) => candidate.name === name);
    const location = locationOf(col.ResTarget);
    if (column === undefined)
      throw refuseName('42703', `column "${name}" of relation "${relation.name}" does not exist`, location);
    if (column.sealed !== undefined && (indirection ?? []).length > 0)
      throw refuseSealed(column.sealed, 'with a subscript', location);
    return [column];
  });
}

/** How many columns it fills. */
function insertSource(
  analysis: Analysis,
  source: Node,
  scope: Scope,
  relation: Relation,
  columns: readonly CatalogColumn[],
): number {
  const outputs = analysis.query(
    source,
    scope,
    columns.map(({ sealed }) => sealed && { column: sealed, purpose: 'store', named: false }),
  );
  const placed = placedColumns(outputs);
  if (placed === outputs.length || placed > columns.length)
    requireInsertFits(placed, columns.length, locationBeyond(source, outputs.length, columns.length));
  // The query has refused those that may be for sealed columns already.
  requireNoSealed(outputs, placed, -1);
  if (placed < outputs.length && columns.slice(placed).some(({ sealed }) => sealed !== undefined))
    throw unknownColumns(-1);
  outputs.slice(0, placed).forEach(({ value, open }, index) => {
    const column = columns[index];
    if (column?.sealed !== undefined) {
      if (open === undefined) requireSame(value, column.sealed, 'store', -1);
      else open.mould(column.sealed, 'store', undefined);
      analysis.use(column.sealed);
      analysis.writes.add(originKey(relation.oid, column.attnum));
    } else open?.settlePlain();
    if (column?.sealed === undefined && value.type === 'sealed') {
      throw refuseSealed(
        value.column,
        `as a value of column ${relation.name}.${column?.name ?? '?'}, which is not sealed`,
        -1,
      );
    }
  });
  return outputs.length;
}

/** Of the first value that no column is left for; with stars, of the first of all. */
function locationBeyond(source: Node, given: number, columns: number): number {
  const written = 'SelectStmt' in source ? writtenRow(source.SelectStmt) : [];
  const value = written.length === given ? written[columns] : written[0];
  return value === undefined ? -1 : nodeLocation(value);
}

function onConflict(analysis: Analysis, clause: OnConflictClause, target: Target, outer: Scope): void {
  const scope = outer.beside();
  scope.add(target.entry);
  conflictTarget(analysis, clause, target, scope);
  scope.add({ ...target.entry, alias: 'excluded', schema: undefined, qualifiedOnly: true });
  setTargets(analysis, clause.targetList ?? [], target.relation, scope);
  // The server counts every column of `excluded` as referred to, whether it is named or not (exclRelTlist).
  for (const { sealed, attnum } of target.relation.columns) {
    if (sealed !== undefined) analysis.writes.add(originKey(target.relation.oid, attnum));
  }
  if (clause.whereClause !== undefined) requirePlain(analysis, clause.whereClause, scope, 'as a condition');
}

function conflictTarget(analysis: Analysis, clause: OnConflictClause, target: Target, scope: Scope): void {
  for (const element of clause.infer?.indexElems ?? []) {
    if (!('IndexElem' in element)) continue;
    const { name, expr } = element.IndexElem;
    const column = target.relation.columns.find((candidate) => candidate.name === name);
    if (column?.sealed !== undefined) {
      requireDeterministic(column.sealed, locationOf(clause.infer));
      analysis.use(column.sealed);
    }
    if (expr !== undefined) requirePlain(analysis, expr, scope, 'in a conflict target');
  }
  if (clause.infer?.whereClause !== undefined)
    requirePlain(analysis, clause.infer.whereClause, scope, 'as a condition');
}

export function analyzeUpdate(
  analysis: Analysis,
  update: UpdateStmt,
  outer: Scope | undefined,
): readonly OutputColumn[] {
  const scope = new Scope(outer);
  if (update.withClause !== undefined) analyzeWith(analysis, update.withClause, scope);
  const target = targetOf(analysis, update.relation);
  scope.add(target.entry);
  const from = analyzeFrom(analysis, update.fromClause ?? [], scope);
  if (update.whereClause !== undefined) requirePlain(analysis, update.whereClause, scope, 'as a condition');
  setTargets(analysis, update.targetList ?? [], target.relation, scope);
  return returning(analysis, update.returningClause, target, scope, from);
}

export function analyzeDelete(
  analysis: Analysis,
  remove: DeleteStmt,
  outer: Scope | undefined,
): readonly OutputColumn[] {
  const scope = new Scope(outer);
  if (remove.withClause !== undefined) analyzeWith(analysis, remove.withClause, scope);
  const target = targetOf(analysis, remove.relation);
  scope.add(target.entry);
  const from = analyzeFrom(analysis, remove.usingClause ?? [], scope);
  if (remove.whereClause !== undefined) requirePlain(analysis, remove.whereClause, scope, 'as a condition');
  return returning(analysis, remove.returningClause, target, scope, from);
}

/** RETURNING sees the target (also as old and new, PostgreSQL 18) and what FROM or USING brought. `place`: of the target in `*`. */
export function returning(
  analysis: Analysis,
  clause: ReturningClause | undefined,
  target: Target,
  statement: Scope,
  from: readonly FromItem[],
  place: 'first' | 'last' = 'first',
): readonly OutputColumn[] {
  if (clause === undefined) return [];
  const scope = statement.beside();
  scope.add(target.entry);
  for (const item of from) {
    for (const added of item.entries) scope.add(added);
    scope.merged.push(...item.merged);
  }
  for (const alias of oldAndNew(clause)) {
    if (scope.entries.every((added) => added.alias !== alias))
      scope.add({ ...target.entry, alias, schema: undefined, qualifiedOnly: true });
  }
  const own: FromItem = { entries: [target.entry], merged: [], columns: target.entry.columns };
  return analyzeTargets(analysis, clause.exprs ?? [], scope, place === 'first' ? [own, ...from] : [...from, own]);
}

function oldAndNew(clause: ReturningClause): readonly string[] {
  const renamed = (clause.options ?? []).flatMap((option) =>
    'ReturningOption' in option ? [option.ReturningOption] : [],
  );
  const nameOf = (kind: string, fallback: string): string =>
    renamed.find((option) => option.option === kind)?.value ?? fallback;
  return [nameOf('RETURNING_OPTION_OLD', 'old'), nameOf('RETURNING_OPTION_NEW', 'new')];
}
