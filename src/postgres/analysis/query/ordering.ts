/** ORDER BY, GROUP BY and DISTINCT: by expression, by output name, by position. Follows findTargetlistEntrySQL92 in parse_clause.c. */
import type { Analysis } from './analysis.ts';
import { requireDeterministic } from '../expressions/comparisons.ts';
import { requireGroupable } from '../expressions/expressions.ts';
import { placedColumns, requireNoSealed } from '../expressions/counts.ts';
import { nodeLocation, requirePlain } from '../expressions/mould.ts';
import { refuseSealed } from '../expressions/refuse-sealed.ts';
import type { Scope } from './scope.ts';
import { namesOf, type Node } from '../text/syntax.ts';
import { keyedValues } from './keyed.ts';
import { WIDE, type OutputColumn, type SettledValue } from '../expressions/values.ts';

export function orderBy(analysis: Analysis, item: Node, scope: Scope, outputs: readonly OutputColumn[]): void {
  const node = 'SortBy' in item ? item.SortBy.node : item;
  if (node === undefined) return;
  const output = byPosition(analysis, node, outputs) ?? byName(node, outputs);
  if (output === undefined) return requirePlain(analysis, node, scope, 'in ORDER BY');
  output.open?.settlePlain();
  if (output.value.type === 'sealed') throw refuseSealed(output.value.column, 'in ORDER BY', nodeLocation(node));
}

/** An input column of that name comes before an output column. */
export function groupBy(
  analysis: Analysis,
  node: Node,
  scope: Scope,
  outputs: readonly OutputColumn[],
  keyed: ReadonlySet<SettledValue>,
): void {
  if ('GroupingSet' in node) {
    for (const item of node.GroupingSet.content ?? []) groupBy(analysis, item, scope, outputs, keyed);
    return;
  }
  const position = byPosition(analysis, node, outputs);
  const name = bareName(node);
  const isInput = name !== undefined && scope.findColumn(name, nodeLocation(node)) !== undefined;
  groupable(analysis, node, scope, position ?? (isInput ? undefined : byName(node, outputs)), keyed);
}

function groupable(
  analysis: Analysis,
  node: Node,
  scope: Scope,
  output: OutputColumn | undefined,
  keyed: ReadonlySet<SettledValue> = new Set(),
): void {
  if (output === undefined) return requireGroupable(analysis, node, scope, keyed);
  output.open?.settlePlain();
  if (output.value.type === 'sealed' && !keyed.has(output.value))
    requireDeterministic(output.value.column, nodeLocation(node));
}

/** Plain DISTINCT is a list of one empty node. */
export function distinct(
  analysis: Analysis,
  clause: readonly Node[] | undefined,
  scope: Scope,
  outputs: readonly OutputColumn[],
  targets: readonly Node[],
): void {
  if (clause === undefined) return;
  const items = clause.filter((item) => Object.keys(item).length > 0);
  for (const item of items)
    groupable(analysis, item, scope, byPosition(analysis, item, outputs) ?? byName(item, outputs));
  if (items.length > 0) return;
  const keyed = keyedValues(
    targets.flatMap((target) => ('ResTarget' in target ? (target.ResTarget.val ?? []) : [])),
    scope,
  );
  for (const { value, open } of outputs) {
    open?.settlePlain();
    if (value.type === 'sealed' && !keyed.has(value)) requireDeterministic(value.column, -1);
  }
}

function byPosition(analysis: Analysis, node: Node, outputs: readonly OutputColumn[]): OutputColumn | undefined {
  if (!('A_Const' in node) || node.A_Const.ival === undefined) return undefined;
  analysis.literalsMatter = true;
  const index = (node.A_Const.ival.ival ?? 0) - 1;
  const placed = placedColumns(outputs);
  if (index < placed || placed === outputs.length) return outputs[index];
  requireNoSealed(outputs, placed, nodeLocation(node));
  return WIDE;
}

function bareName(node: Node): string | undefined {
  if (!('ColumnRef' in node)) return undefined;
  const names = namesOf(node.ColumnRef.fields);
  return names.length === 1 ? names[0] : undefined;
}

function byName(node: Node, outputs: readonly OutputColumn[]): OutputColumn | undefined {
  const name = bareName(node);
  const found = name === undefined ? [] : outputs.filter((column) => column.name === name);
  return found.find((column) => column.value.type === 'sealed') ?? found[0];
}
