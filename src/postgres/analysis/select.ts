/** SELECT, VALUES and set operations. Follows src/backend/parser/analyze.c. */
import type { SelectStmt } from 'libpg-query';
import type { Analysis, ExpectedColumns } from './analysis.ts';
import { requireDeterministic } from './comparisons.ts';
import { analyzeWith } from './common-tables.ts';
import { sealDefault } from './defaults.ts';
import { refuseStatement, refuseUse } from './errors.ts';
import { analyzeWindow } from './expressions.ts';
import { analyzeFrom } from './from.ts';
import { groupBy, distinct, orderBy } from './ordering.ts';
import { mould, refuseSealed, requirePlain, settlePlain } from './mould.ts';
import { Scope } from './scope.ts';
import type { Node } from './syntax.ts';
import { analyzeTargets } from './targets.ts';
import {
  columnName,
  comparable,
  passedThrough,
  PLAIN,
  sameBytes,
  unnamed,
  type OutputColumn,
  type SettledValue,
} from './values.ts';
import { wantedColumns, type Wanted } from './wanted.ts';

export function analyzeSelect(
  analysis: Analysis,
  select: SelectStmt,
  outer: Scope | undefined,
  expected: ExpectedColumns = [],
): readonly OutputColumn[] {
  if (select.intoClause !== undefined)
    throw refuseStatement(
      'SELECT INTO cannot read tables with sealed columns',
      -1,
      'Create the table first and use INSERT.',
    );
  const scope = new Scope(outer);
  if (select.withClause !== undefined) analyzeWith(analysis, select.withClause, scope);
  const columns = body(analysis, select, scope, expected);
  for (const limit of [select.limitCount, select.limitOffset]) {
    if (limit !== undefined) requirePlain(analysis, limit, scope, 'in LIMIT');
  }
  return columns;
}

function body(
  analysis: Analysis,
  select: SelectStmt,
  scope: Scope,
  expected: ExpectedColumns,
): readonly OutputColumn[] {
  if (select.larg !== undefined && select.rarg !== undefined)
    return setOperation(analysis, select, select.larg, select.rarg, scope, expected);
  if (select.valuesLists !== undefined) return values(analysis, select, select.valuesLists, scope, expected);
  return simpleSelect(analysis, select, scope, expected);
}

function simpleSelect(
  analysis: Analysis,
  select: SelectStmt,
  scope: Scope,
  expected: ExpectedColumns,
): readonly OutputColumn[] {
  const from = analyzeFrom(analysis, select.fromClause ?? [], scope, wantedBy(select, expected));
  if (select.whereClause !== undefined) requirePlain(analysis, select.whereClause, scope, 'as a condition');
  const outputs = analyzeTargets(analysis, select.targetList ?? [], scope, from, expected);
  for (const item of select.groupClause ?? []) groupBy(analysis, item, scope, outputs);
  if (select.havingClause !== undefined) requirePlain(analysis, select.havingClause, scope, 'as a condition');
  for (const window of select.windowClause ?? []) {
    if ('WindowDef' in window) analyzeWindow(analysis, window.WindowDef, scope);
  }
  distinct(analysis, select.distinctClause, scope, outputs);
  for (const item of select.sortClause ?? []) orderBy(analysis, item, scope, outputs);
  return outputs;
}

/** What its FROM items are to give, where its results are stored in sealed columns. */
function wantedBy(select: SelectStmt, expected: ExpectedColumns): Wanted {
  // Rows that look alike once they are rounded for their column did not before.
  const merges = select.distinctClause !== undefined || select.groupClause !== undefined;
  const targets = select.targetList ?? [];
  const given = targets.map((target) => ('ResTarget' in target ? target.ResTarget.val : undefined));
  const stored = expected.map((one, index) => ({
    value: given[index],
    expected: merges && one?.column.type.typmod !== -1 ? undefined : one,
  }));
  return wantedColumns(select.fromClause ?? [], stored, [{ SelectStmt: select }]);
}

/** VALUES: of an INSERT with the target's columns expected, else plain. */
function values(
  analysis: Analysis,
  { sortClause }: SelectStmt,
  lists: readonly Node[],
  scope: Scope,
  expected: ExpectedColumns,
): readonly OutputColumn[] {
  const width = { columns: 0 };
  for (const list of lists) {
    const items = 'List' in list ? (list.List.items ?? []) : [];
    width.columns = Math.max(width.columns, items.length);
    items.forEach((item, index) => valuesItem(analysis, item, scope, expected[index]));
  }
  const outputs = Array.from({ length: width.columns }, (_, index): OutputColumn => {
    const column = expected[index]?.column;
    const value: SettledValue = column === undefined ? PLAIN : { type: 'sealed', column, origin: { type: 'any' } };
    return { name: `column${index + 1}`, value };
  });
  for (const item of sortClause ?? []) orderBy(analysis, item, scope, outputs);
  return outputs;
}

function valuesItem(analysis: Analysis, item: Node, scope: Scope, expected: ExpectedColumns[number]): void {
  if ('SetToDefault' in item) {
    if (expected !== undefined) sealDefault(analysis, item.SetToDefault, expected.column);
    return;
  }
  if (expected !== undefined) return mould(analysis, item, scope, expected.column, expected.purpose);
  const value = analysis.infer(item, scope);
  if (value.type === 'mouldable') settlePlain(analysis, value.node, scope);
  if (value.type === 'sealed') throw refuseSealed(value.column, 'as a value of a column that is not sealed', -1);
}

function setOperation(
  analysis: Analysis,
  select: SelectStmt,
  larg: SelectStmt,
  rarg: SelectStmt,
  scope: Scope,
  expected: ExpectedColumns,
): readonly OutputColumn[] {
  let left = analyzeSelect(analysis, larg, scope, expected);
  const right = analyzeSelect(analysis, rarg, scope, expectedOf(left, expected, false));
  // A NULL on the left takes the type of the right.
  if (right.some((column, index) => column.value.type === 'sealed' && left[index]?.value.type !== 'sealed')) {
    left = analyzeSelect(analysis, larg, scope, expectedOf(right, expected, true));
  }
  const keepsAll = select.op === 'SETOP_UNION' && select.all === true;
  const outputs = left.map((column, index): OutputColumn => ({
    name: column.name,
    value: united(column.value, right[index]?.value ?? PLAIN, keepsAll),
  }));
  for (const item of select.sortClause ?? []) orderBy(analysis, item, scope, outputs);
  return outputs;
}

/** What the other arm's constants and parameters are moulded into. `named`: the other arm is the left one, which names the columns. */
function expectedOf(columns: readonly OutputColumn[], expected: ExpectedColumns, named: boolean): ExpectedColumns {
  return columns.map(({ value }, index) => {
    const outer = expected[index];
    if (outer !== undefined) return { ...outer, named: named && outer.named };
    if (value.type !== 'sealed') return undefined;
    return { column: passedThrough(value.column).column, purpose: 'choose', named };
  });
}

function united(left: SettledValue, right: SettledValue, keepsAll: boolean): SettledValue {
  if (left.type === 'plain' && right.type === 'plain') return PLAIN;
  if (left.type !== 'sealed' || right.type !== 'sealed')
    throw refuseUse('a set operation mixes a sealed column with one that is not', -1);
  if (!sameBytes(left.column, right.column)) {
    throw refuseUse(
      `a set operation mixes sealed columns ${columnName(left.column)} and ${columnName(right.column)}`,
      -1,
    );
  }
  if (!keepsAll) requireDeterministic(left.column, -1);
  if (!keepsAll && !comparable(left.column, right.column))
    throw refuseUse('a set operation compares columns of different domains', -1);
  return left.column.type.typmod === right.column.type.typmod ? unnamed(left.column) : passedThrough(left.column);
}
