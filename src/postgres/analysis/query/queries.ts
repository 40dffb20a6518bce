/** The doors of an analysis: which function reads which kind of query. */
import type { Analysis, ExpectedColumns } from './analysis.ts';
import { refuseStatement } from '../errors.ts';
import { analyzeMerge } from './merge.ts';
import { analyzeDelete, analyzeInsert, analyzeUpdate } from './modify.ts';
import type { Scope } from './scope.ts';
import { analyzeSelect } from './select.ts';
import { kindOf, type Node } from '../text/syntax.ts';
import type { OutputColumn } from '../expressions/values.ts';

export function analyzeQuery(
  analysis: Analysis,
  node: Node,
  outer: Scope | undefined,
  expected?: ExpectedColumns,
): readonly OutputColumn[] {
  if ('SelectStmt' in node) return analyzeSelect(analysis, node.SelectStmt, outer, expected);
  if ('InsertStmt' in node) return analyzeInsert(analysis, node.InsertStmt, outer);
  if ('UpdateStmt' in node) return analyzeUpdate(analysis, node.UpdateStmt, outer);
  if ('MergeStmt' in node) return analyzeMerge(analysis, node.MergeStmt, outer);
  if ('DeleteStmt' in node) return analyzeDelete(analysis, node.DeleteStmt, outer);
  throw refuseStatement(`${kindOf(node)} is not supported together with sealed columns`, -1);
}
