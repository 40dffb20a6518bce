/** Triggers, policies, publications, statistics and views on tables with sealed columns. */
import type {
  AlterPolicyStmt,
  CreatePolicyStmt,
  CreatePublicationStmt,
  CreateStatsStmt,
  CreateTrigStmt,
  RangeVar,
  ViewStmt,
} from 'libpg-query';
import { Analysis } from '../query/analysis.ts';
import { requireAllRead, searchPathOf, requireSettings } from '../draft-query.ts';
import { analyzeExpression } from '../expressions/expressions.ts';
import { analyzeQuery } from '../query/queries.ts';
import { locationOf, type Node } from '../text/syntax.ts';
import { DIRECTLY, refuseDdl } from './errors.ts';
import { refuseSealedIn } from './expressions.ts';
import type { DdlStatement } from './statement.ts';
import { existingTable, newTable, type DdlTable } from './tables.ts';

const TRIGGER_ROWS: ReadonlySet<string> = new Set(['new', 'old']);

/** A trigger sees ciphertext. What its function may do is judged when the table is written (`writeRefusal`), and where it is named here. */
export function createTrigger(ddl: DdlStatement, { relation, whenClause, constrrel }: CreateTrigStmt): void {
  refuseSealedIn(whenClause, named(ddl, relation), 'the condition of a trigger', { rows: TRIGGER_ROWS });
  named(ddl, constrrel);
}

export function createPolicy(
  ddl: DdlStatement,
  { table, qual, with_check: check }: CreatePolicyStmt | AlterPolicyStmt,
): void {
  const target = named(ddl, table);
  // A subquery names other tables, whose columns are not told apart here.
  refuseSealedIn([qual, check], target, 'a policy');
  refuseHotSubquery(ddl, [qual, check], table);
}

function refuseHotSubquery(ddl: DdlStatement, parts: readonly (Node | undefined)[], table: RangeVar | undefined): void {
  const text = JSON.stringify(parts);
  if (!text.includes('"RangeVar"')) return;
  for (const name of ddl.context.catalog.hotRelationNames) {
    if (!text.includes(JSON.stringify(name))) continue;
    throw refuseDdl('a policy with a subquery over a table with sealed columns', locationOf(table), DIRECTLY);
  }
}

export function createStatistics(ddl: DdlStatement, { relations = [], exprs }: CreateStatsStmt): void {
  for (const node of relations) {
    if ('RangeVar' in node) refuseSealedIn(exprs, named(ddl, node.RangeVar), 'statistics');
  }
}

/** Ciphertext is published as it is stored; which rows are, cannot be decided by it. */
export function createPublication(ddl: DdlStatement, { pubobjects = [] }: CreatePublicationStmt): void {
  for (const node of pubobjects) {
    if (!('PublicationObjSpec' in node)) continue;
    const { pubtable } = node.PublicationObjSpec;
    if (pubtable !== undefined) refuseSealedIn(pubtable.whereClause, named(ddl, pubtable.relation), 'a publication');
  }
}

/** A view over sealed columns carries them; a constant that would have to be sealed in it is refused, as in every statement over it. */
export function createView(ddl: DdlStatement, { view, query }: ViewStmt): void {
  if (view === undefined || query === undefined) return;
  const { catalog, source, settings, afterCatalogChange = false } = ddl.context;
  requireSettings({ ...settings, uncommittedCatalog: settings.uncommittedCatalog || afterCatalogChange });
  const own = newTable(view, ddl.context);
  if (own !== undefined && own.rules.size > 0)
    throw refuseDdl(
      `${own.schema}.${own.name} has rules, and a view holds no values`,
      locationOf(view),
      'Give the view another name.',
    );
  const analysis = new Analysis({
    catalog,
    searchPath: searchPathOf(settings),
    source,
    declaredOids: [],
    analyzeQuery,
    analyzeExpression,
    within: 'view',
  });
  analysis.query(query, undefined);
  analysis.finish();
  requireAllRead(analysis, query);
  if (analysis.edits.length > 0 || analysis.shadowEdits.length > 0)
    throw refuseDdl(
      'a view compares or mixes a sealed column with a constant',
      locationOf(view),
      'Compare in the query over the view.',
    );
  ddl.makes(view);
  for (const { relation, start, end } of analysis.relationNames)
    ddl.replaceName({ start, end }, relation.schema, relation.name);
}

function named(ddl: DdlStatement, name: RangeVar | undefined): DdlTable | undefined {
  if (name === undefined) return undefined;
  const table = existingTable(name, ddl.context);
  ddl.qualify(name, table);
  return table;
}
