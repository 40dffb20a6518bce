/**
 * Schema changes that concern tables with sealed columns: rewritten so that the columns get the guard's type, or refused by name.
 *
 * Invariants: no constant that could be a value of a sealed column is sent; a column that a rule names never comes to be under another
 * type than the guard's; names mean upstream what they mean here.
 */
import type { SealedPlan } from '../../plan.ts';
import { requireLexing, type PlanningContext } from '../draft-query.ts';
import type { Node, RawStatement } from '../text/syntax.ts';
import { alterTable } from './alter-table.ts';
import { createIndex } from './create-index.ts';
import { createTable } from './create-table.ts';
import { refuseRenamedLabel } from './labels.ts';
import { createPolicy, createPublication, createStatistics, createTrigger, createView } from './others.ts';
import { refuseOwnSchema } from './own-schema.ts';
import { rename, setSchema } from './rename.ts';
import { DdlStatement } from './statement.ts';

/** Undefined: a kind of statement that has no handler here. */
export function draftDdl(statement: RawStatement, context: PlanningContext): SealedPlan | undefined {
  const ddl = new DdlStatement(statement, context);
  if (!handle(ddl, statement.node)) return undefined;
  requireLexing(context.settings);
  return ddl.plan();
}

/** Of every statement that is no query, whether or not it names a hot table. */
export function refuseForbiddenDdl(node: Node, context: PlanningContext): void {
  refuseOwnSchema(node);
  refuseRenamedLabel(node, context.catalog);
  if ('RenameStmt' in node && node.RenameStmt.renameType === 'OBJECT_SCHEMA')
    rename(new DdlStatement({ node, start: 0, end: 0 }, context), node.RenameStmt);
}

function handle(ddl: DdlStatement, node: Node): boolean {
  if ('CreateStmt' in node) createTable(ddl, node.CreateStmt);
  else if ('AlterTableStmt' in node) alterTable(ddl, node.AlterTableStmt);
  else if ('IndexStmt' in node) createIndex(ddl, node.IndexStmt);
  else if ('RenameStmt' in node) rename(ddl, node.RenameStmt);
  else if ('AlterObjectSchemaStmt' in node) setSchema(ddl, node.AlterObjectSchemaStmt);
  else if ('CreateTrigStmt' in node) createTrigger(ddl, node.CreateTrigStmt);
  else if ('CreatePolicyStmt' in node) createPolicy(ddl, node.CreatePolicyStmt);
  else if ('AlterPolicyStmt' in node) createPolicy(ddl, node.AlterPolicyStmt);
  else if ('CreateStatsStmt' in node) createStatistics(ddl, node.CreateStatsStmt);
  else if ('CreatePublicationStmt' in node) createPublication(ddl, node.CreatePublicationStmt);
  else if ('ViewStmt' in node) createView(ddl, node.ViewStmt);
  else return false;
  return true;
}
