/** WITH: each query in turn; recursive ones by their first arm. */
import type { CommonTableExpr, WithClause } from 'libpg-query';
import type { Analysis } from './analysis.ts';
import { refuseStatement, refuseUse } from '../errors.ts';
import { caseResults, nodeLocation, requirePlain } from '../expressions/mould.ts';
import { refuseSealed } from '../expressions/refuse-sealed.ts';
import { withNames } from './relations.ts';
import type { Scope } from './scope.ts';
import { locationOf, namesOf, type Node } from '../text/syntax.ts';
import { columnName, PLAIN, type OutputColumn } from '../expressions/values.ts';

export function analyzeWith(analysis: Analysis, clause: WithClause, scope: Scope): void {
  const tables = (clause.ctes ?? []).flatMap((node) => ('CommonTableExpr' in node ? [node.CommonTableExpr] : []));
  if (clause.recursive === true) for (const table of tables) scope.expectCte(table.ctename ?? '');
  for (const table of tables) oneTable(analysis, table, scope, clause.recursive === true);
}

function oneTable(analysis: Analysis, table: CommonTableExpr, scope: Scope, recursive: boolean): void {
  const { ctename: name = '', ctequery: query } = table;
  if (query === undefined) return;
  const first = recursive ? firstArm(query) : undefined;
  const assumed = first === undefined ? undefined : named(settledColumns(analysis.query(first, scope)), table);
  if (assumed !== undefined) scope.addCte({ name, columns: assumed });
  // The whole is analysed with the first arm's columns standing for itself, so they must be what comes out.
  const columns = named(analysis.query(query, scope), table);
  if (assumed !== undefined) {
    requireSealedAlike(assumed, columns, locationOf(table));
    requireColumnsAgain(assumed, first, query);
  }
  scope.addCte({ name, columns: [...columns, ...searchColumns(analysis, table, columns, scope)] });
}

/** SEARCH and CYCLE add columns of their own, made of the rows' values: of plain ones only. */
function searchColumns(
  analysis: Analysis,
  table: CommonTableExpr,
  columns: readonly OutputColumn[],
  scope: Scope,
): readonly OutputColumn[] {
  const { search_clause: search, cycle_clause: cycle } = table;
  const location = search?.location ?? cycle?.location ?? -1;
  for (const name of namesOf([...(search?.search_col_list ?? []), ...(cycle?.cycle_col_list ?? [])])) {
    const sealed = columns.find((column) => column.name === name)?.value;
    if (sealed?.type === 'sealed') throw refuseSealed(sealed.column, 'in SEARCH or CYCLE', location);
  }
  for (const mark of [cycle?.cycle_mark_value, cycle?.cycle_mark_default]) {
    if (mark !== undefined) requirePlain(analysis, mark, scope, 'in CYCLE');
  }
  const added = [search?.search_seq_column, cycle?.cycle_mark_column, cycle?.cycle_path_column];
  return added.flatMap((name) => (name === undefined ? [] : [{ name, value: PLAIN }]));
}

function settledColumns(columns: readonly OutputColumn[]): readonly OutputColumn[] {
  return columns.map(({ open, ...column }) => {
    open?.settlePlain();
    return column;
  });
}

/** A constant of the first arm turns out sealed where the second gives a sealed column: inside, it was taken for plain. */
function requireSealedAlike(
  assumed: readonly OutputColumn[],
  columns: readonly OutputColumn[],
  location: number,
): void {
  if (columns.every(({ value }, index) => value.type === assumed[index]?.value.type)) return;
  throw refuseStatement(
    'the first part of a recursive query has a constant where the second has a sealed column',
    location,
    'Begin with rows of the sealed column.',
  );
}

/** The server wants one type of both parts: a column of the first has the guard's, which an expression of the second has not. */
function requireColumnsAgain(assumed: readonly OutputColumn[], start: Node | undefined, query: Node): void {
  const guarded = guardedTargets(start);
  const targets = 'SelectStmt' in query ? (query.SelectStmt.rarg?.targetList ?? []) : [];
  for (const [index, target] of targets.entries()) {
    const value = 'ResTarget' in target ? target.ResTarget.val : undefined;
    // From a star on the places of the others are not known.
    if (value === undefined || isStar(value)) return;
    const first = assumed[index]?.value;
    if (first?.type !== 'sealed' || keepsGuard(value)) continue;
    if (first.origin.type !== 'column' && guarded[index] !== true) continue;
    // What keeps its format is of its own type at the server.
    if (first.column.format !== undefined) continue;
    throw refuseUse(
      `the second part of a recursive query has an expression where the first has sealed column ${columnName(first.column)}`,
      nodeLocation(value),
      'Give a column there, and compute the rest in the application.',
    );
  }
}

/** Of expressions; up to a star. What a column itself is, is known. */
function guardedTargets(query: Node | undefined): readonly boolean[] {
  const targets = query !== undefined && 'SelectStmt' in query ? (query.SelectStmt.targetList ?? []) : [];
  const values = targets.map((target) => ('ResTarget' in target ? target.ResTarget.val : undefined));
  const star = values.findIndex((value) => value === undefined || isStar(value));
  return values
    .slice(0, star === -1 ? values.length : star)
    .map((value) => value !== undefined && !('ColumnRef' in value) && keepsGuard(value));
}

/** Whether it has the guard's own type where its columns do: what chooses among such alone, and not beside a NULL or a constant (select_common_type). */
function keepsGuard(node: Node): boolean {
  if ('ColumnRef' in node) return true;
  if ('CoalesceExpr' in node) return (node.CoalesceExpr.args ?? []).every(keepsGuard);
  if ('CaseExpr' in node) return node.CaseExpr.defresult !== undefined && caseResults(node.CaseExpr).every(keepsGuard);
  if (!('SubLink' in node) || node.SubLink.subLinkType !== 'EXPR_SUBLINK') return false;
  const { subselect } = node.SubLink;
  const [target] = subselect !== undefined && 'SelectStmt' in subselect ? (subselect.SelectStmt.targetList ?? []) : [];
  const value = target !== undefined && 'ResTarget' in target ? target.ResTarget.val : undefined;
  return value !== undefined && !isStar(value) && keepsGuard(value);
}

function isStar(node: Node): boolean {
  if (!('ColumnRef' in node)) return 'A_Indirection' in node;
  const last = node.ColumnRef.fields?.at(-1);
  return last !== undefined && 'A_Star' in last;
}

/** Of `first UNION [ALL] recursive`, with the WITH clause of the whole left out: it holds no reference to itself. */
function firstArm(query: Node): Node | undefined {
  if (!('SelectStmt' in query) || query.SelectStmt.larg === undefined) return undefined;
  if (query.SelectStmt.withClause !== undefined)
    throw refuseStatement('WITH inside of a recursive query is not supported together with sealed columns', -1);
  return { SelectStmt: query.SelectStmt.larg };
}

function named(columns: readonly OutputColumn[], table: CommonTableExpr): readonly OutputColumn[] {
  return withNames(columns, namesOf(table.aliascolnames));
}
