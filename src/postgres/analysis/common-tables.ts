/** WITH: each query in turn; recursive ones by their first arm. */
import type { CommonTableExpr, WithClause } from 'libpg-query';
import type { Analysis } from './analysis.ts';
import { refuseStatement } from './errors.ts';
import type { Scope } from './scope.ts';
import { locationOf, namesOf, type Node } from './syntax.ts';
import type { OutputColumn } from './values.ts';

export function analyzeWith(analysis: Analysis, clause: WithClause, scope: Scope): void {
  const tables = (clause.ctes ?? []).flatMap((node) => ('CommonTableExpr' in node ? [node.CommonTableExpr] : []));
  if (clause.recursive === true) for (const table of tables) scope.expectCte(table.ctename ?? '');
  for (const table of tables) oneTable(analysis, table, scope, clause.recursive === true);
}

function oneTable(analysis: Analysis, table: CommonTableExpr, scope: Scope, recursive: boolean): void {
  const { ctename: name = '', ctequery: query } = table;
  if (query === undefined) return;
  if (table.search_clause !== undefined || table.cycle_clause !== undefined) {
    throw refuseStatement('SEARCH and CYCLE are not supported together with sealed columns', locationOf(table));
  }
  const first = recursive ? firstArm(query) : undefined;
  const assumed = first === undefined ? undefined : named(analysis.query(first, scope), table);
  if (assumed !== undefined) scope.addCte({ name, columns: assumed });
  // The whole is analysed with the first arm's columns standing for itself, so they must be what comes out.
  const columns = named(analysis.query(query, scope), table);
  if (assumed !== undefined) requireSealedAlike(assumed, columns, locationOf(table));
  scope.addCte({ name, columns });
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

/** Of `first UNION [ALL] recursive`, with the WITH clause of the whole left out: it holds no reference to itself. */
function firstArm(query: Node): Node | undefined {
  if (!('SelectStmt' in query) || query.SelectStmt.larg === undefined) return undefined;
  if (query.SelectStmt.withClause !== undefined)
    throw refuseStatement('WITH inside of a recursive query is not supported together with sealed columns', -1);
  return { SelectStmt: query.SelectStmt.larg };
}

function named(columns: readonly OutputColumn[], table: CommonTableExpr): readonly OutputColumn[] {
  const names = namesOf(table.aliascolnames);
  return columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }));
}
