/** MERGE. Follows src/backend/parser/parse_merge.c. */
import type { MergeStmt, MergeWhenClause } from 'libpg-query';
import type { Analysis } from './analysis.ts';
import { assignEach, setTargets } from './assignments.ts';
import { analyzeWith } from './common-tables.ts';
import { requireNoDefaults } from './defaults.ts';
import { analyzeFrom } from './from.ts';
import { insertColumns, returning, targetOf, type Target } from './modify.ts';
import { requirePlain } from '../expressions/mould.ts';
import { hiddenColumns } from './relations.ts';
import { Scope } from './scope.ts';
import type { OutputColumn } from '../expressions/values.ts';

export function analyzeMerge(analysis: Analysis, merge: MergeStmt, outer: Scope | undefined): readonly OutputColumn[] {
  const scope = new Scope(outer);
  if (merge.withClause !== undefined) analyzeWith(analysis, merge.withClause, scope);
  const target = targetOf(analysis, merge.relation);
  // The source does not see the target.
  const source = scope.beside();
  const from = merge.sourceRelation === undefined ? [] : analyzeFrom(analysis, [merge.sourceRelation], source);
  const both = scope.beside();
  both.add(target.entry);
  for (const entry of source.entries) both.add(entry);
  both.merged.push(...source.merged);
  if (merge.joinCondition !== undefined) requirePlain(analysis, merge.joinCondition, both, 'as a join condition');
  for (const clause of merge.mergeWhenClauses ?? []) {
    if ('MergeWhenClause' in clause) whenClause(analysis, clause.MergeWhenClause, target, { source, both });
  }
  return returning(analysis, merge.returningClause, target, scope, from, 'last');
}

/** What an action sees: rows of both sides, or of the one that has no partner. */
function whenClause(
  analysis: Analysis,
  clause: MergeWhenClause,
  target: Target,
  { source, both }: { readonly source: Scope; readonly both: Scope },
): void {
  const scope = scopeOf(clause, target, source, both);
  if (clause.condition !== undefined) requirePlain(analysis, clause.condition, scope, 'as a condition');
  if (clause.commandType === 'CMD_UPDATE') setTargets(analysis, clause.targetList ?? [], target.relation, scope);
  if (clause.commandType !== 'CMD_INSERT') return;
  const columns = insertColumns(target.relation, clause.targetList);
  const values = clause.values ?? [];
  const given = columns.slice(0, values.length);
  requireNoDefaults([...target.relation.columns, ...hiddenColumns(analysis, target.relation)], given, target.location);
  assignEach(analysis, values, target.relation, columns, scope);
}

function scopeOf({ matchKind }: MergeWhenClause, target: Target, source: Scope, both: Scope): Scope {
  if (matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_TARGET') return source;
  if (matchKind === 'MERGE_WHEN_MATCHED') return both;
  const own = both.beside();
  own.add(target.entry);
  return own;
}
