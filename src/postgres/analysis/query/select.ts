/** SELECT, VALUES and set operations. Follows src/backend/parser/analyze.c. */
import type { SelectStmt } from 'libpg-query';
import type { SealedColumn, ValuePurpose } from '../../plan.ts';
import type { Analysis, ExpectedColumns } from './analysis.ts';
import { requireDeterministic } from '../expressions/comparisons.ts';
import { analyzeWith } from './common-tables.ts';
import { sealDefault } from './defaults.ts';
import { refuseStatement, refuseSyntax, refuseUse } from '../errors.ts';
import { placedColumns, requireNoSealed, requireSameColumns, unequalRow, writtenRow } from '../expressions/counts.ts';
import { analyzeWindow } from '../expressions/expressions.ts';
import { analyzeFrom } from './from.ts';
import { keyedValues } from './keyed.ts';
import { groupBy, distinct, orderBy } from './ordering.ts';
import { isMouldable, mould, nodeLocation, requirePlain, settlePlain } from '../expressions/mould.ts';
import { refuseSealed } from '../expressions/refuse-sealed.ts';
import { OpenColumn } from '../expressions/open-column.ts';
import { castNull, mouldBelow } from '../expressions/open-values.ts';
import { expandItems, isStar, placedItems, requireNoneSealed, requirePlainItems } from '../expressions/stars.ts';
import { Scope } from './scope.ts';
import type { Node } from '../text/syntax.ts';
import { analyzeTargets } from './targets.ts';
import {
  columnName,
  comparable,
  passedThrough,
  PLAIN,
  sameBytes,
  unnamed,
  WIDE,
  type OutputColumn,
  type SettledValue,
} from '../expressions/values.ts';

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
  const from = analyzeFrom(analysis, select.fromClause ?? [], scope);
  const merges = select.distinctClause !== undefined || select.groupClause !== undefined;
  if (select.whereClause !== undefined) requirePlain(analysis, select.whereClause, scope, 'as a condition');
  const outputs = analyzeTargets(
    analysis,
    select.targetList ?? [],
    scope,
    from,
    merges ? expected.map(unchanged) : expected,
  );
  const groups = select.groupClause ?? [];
  // Of grouping sets some may leave the key out.
  const keyed = keyedValues(groups.some((item) => 'GroupingSet' in item) ? [] : groups, scope);
  for (const item of groups) groupBy(analysis, item, scope, outputs, keyed);
  if (select.havingClause !== undefined) requirePlain(analysis, select.havingClause, scope, 'as a condition');
  for (const window of select.windowClause ?? []) {
    if ('WindowDef' in window) analyzeWindow(analysis, window.WindowDef, scope);
  }
  distinct(analysis, select.distinctClause, scope, outputs, select.targetList ?? []);
  for (const item of select.sortClause ?? []) orderBy(analysis, item, scope, outputs);
  return outputs;
}

/** Rows that look alike once they are rounded for their column did not before. */
function unchanged(expected: ExpectedColumns[number]): ExpectedColumns[number] {
  return expected?.purpose === 'store' ? { ...expected, purpose: 'both' } : expected;
}

/** VALUES: of an INSERT with the target's columns expected, else plain. */
function values(
  analysis: Analysis,
  { sortClause }: SelectStmt,
  lists: readonly Node[],
  scope: Scope,
  expected: ExpectedColumns,
): readonly OutputColumn[] {
  const rows = lists.map((list) => expandItems(analysis, 'List' in list ? (list.List.items ?? []) : [], scope));
  const placed = Math.min(...rows.map(placedItems));
  const starred = rows.filter((row) => row.some(isStar));
  const unequal = starred.length === 0 ? unequalRow(rows) : undefined;
  if (unequal !== undefined) throw refuseSyntax('VALUES lists must all be the same length', locationOfFirst(unequal));
  for (const row of starred) requireNoneSealed(expected, placed, row);
  if (starred.length > 0) for (const row of rows) requirePlainItems(analysis, row, placed, scope);
  const outputs = Array.from({ length: placed }, (_, index): OutputColumn => {
    const name = `column${index + 1}`;
    const items = rows.flatMap((row) => row[index] ?? []);
    const column = expected[index]?.column;
    if (column === undefined && items.every(isMouldable))
      return { name, value: PLAIN, open: openItems(analysis, items, scope) };
    for (const item of items) valuesItem(analysis, item, scope, expected[index]);
    return { name, value: column === undefined ? PLAIN : { type: 'sealed', column, origin: { type: 'any' } } };
  });
  if (starred.length > 0) outputs.push(WIDE);
  for (const item of sortClause ?? []) orderBy(analysis, item, scope, outputs);
  return outputs;
}

const locationOfFirst = ([first]: readonly Node[]): number => (first === undefined ? -1 : nodeLocation(first));

function openItems(analysis: Analysis, items: readonly Node[], scope: Scope): OpenColumn {
  const open = new OpenColumn({
    mould: (column, purpose, castOid) => {
      for (const item of items) {
        if ('A_Const' in item && item.A_Const.isnull === true) castNull(analysis, item.A_Const, column);
        else mouldBelow(analysis, item, scope, column, purpose, castOid);
      }
    },
    settle: () => {
      for (const item of items) settlePlain(analysis, item, scope);
    },
    location: items[0] === undefined ? -1 : nodeLocation(items[0]),
  });
  analysis.later(() => open.finish());
  return open;
}

function valuesItem(analysis: Analysis, item: Node, scope: Scope, expected: ExpectedColumns[number]): void {
  if ('SetToDefault' in item) {
    if (expected !== undefined) sealDefault(analysis, item.SetToDefault, expected.column);
    return;
  }
  if (expected !== undefined) return mould(analysis, item, scope, expected.column, expected.purpose);
  const value = analysis.infer(item, scope);
  if (value.type === 'mouldable') settlePlain(analysis, value.node, scope);
  if (value.type === 'sealed') throw refuseSealed(value.column, 'in VALUES', nodeLocation(item));
}

function setOperation(
  analysis: Analysis,
  select: SelectStmt,
  larg: SelectStmt,
  rarg: SelectStmt,
  scope: Scope,
  wanted: ExpectedColumns,
): readonly OutputColumn[] {
  const keepsAll = select.op === 'SETOP_UNION' && select.all === true;
  const expected = keepsAll ? wanted : wanted.map(unchanged);
  const left = analyzeSelect(analysis, larg, scope, expected);
  const right = analyzeSelect(analysis, rarg, scope, expectedOf(left, expected));
  const [leftPlaced, rightPlaced] = [placedColumns(left), placedColumns(right)];
  const placed = Math.min(leftPlaced, rightPlaced);
  const isPlaced = leftPlaced === left.length && rightPlaced === right.length;
  if (isPlaced) requireSameColumns(select.op, left.length, right.length, locationOfFirst(writtenRow(rarg)));
  else for (const arm of [left, right]) requireNoSealed(arm, placed, locationOfFirst(writtenRow(rarg)));
  const outputs = left.map((column, index): OutputColumn => {
    if (index >= placed) return withoutOpen(column);
    const other = right[index] ?? { name: '', value: PLAIN };
    return { name: column.name, ...unitedColumn(analysis, column, other, expected[index], keepsAll) };
  });
  for (const item of select.sortClause ?? []) orderBy(analysis, item, scope, outputs);
  return outputs;
}

/** What was open has become plain. */
const withoutOpen = ({ open: _open, ...column }: OutputColumn): OutputColumn => column;

/** What the right arm's constants and parameters are moulded into. */
function expectedOf(columns: readonly OutputColumn[], expected: ExpectedColumns): ExpectedColumns {
  // An arm of too few columns is no reason to send what another gives for more.
  return Array.from({ length: Math.max(columns.length, expected.length) }, (_, index) => {
    const outer = expected[index];
    if (outer !== undefined) return { ...outer, named: false };
    const value = columns[index]?.value;
    if (value?.type !== 'sealed') return undefined;
    return { column: passedThrough(value.column).column, purpose: 'choose', named: false };
  });
}

/** Constants and parameters of one arm become what the other has; where both have nothing else, they stay open. */
function unitedColumn(
  analysis: Analysis,
  left: OutputColumn,
  right: OutputColumn,
  expected: ExpectedColumns[number],
  keepsAll: boolean,
): Pick<OutputColumn, 'value' | 'open'> {
  if (left.open !== undefined && right.open !== undefined && expected === undefined && keepsAll)
    return { value: PLAIN, open: bothOpen(analysis, left.open, right.open) };
  const become = ({ value, open }: OutputColumn, other: OutputColumn): SettledValue => {
    if (open === undefined) return value;
    const sealed = expected ?? (other.value.type === 'sealed' ? chosen(other.value.column) : undefined);
    if (sealed === undefined) {
      open.settlePlain();
      return PLAIN;
    }
    if (open === left.open && expected?.named !== false) open.requireName();
    open.mould(sealed.column, sealed.purpose, undefined);
    return passedThrough(sealed.column);
  };
  return { value: united(become(left, right), become(right, left), keepsAll) };
}

function chosen(column: SealedColumn): { readonly column: SealedColumn; readonly purpose: ValuePurpose } {
  return { column: passedThrough(column).column, purpose: 'choose' };
}

function bothOpen(analysis: Analysis, left: OpenColumn, right: OpenColumn): OpenColumn {
  const open = new OpenColumn({
    mould: (column, purpose, castOid) => {
      left.mould(column, purpose, castOid);
      right.mould(column, purpose, castOid);
    },
    settle: () => {
      left.settlePlain();
      right.settlePlain();
    },
    requireName: () => left.requireName(),
    location: left.location,
  });
  analysis.later(() => open.finish());
  return open;
}

function united(left: SettledValue, right: SettledValue, keepsAll: boolean): SettledValue {
  if (left.type === 'plain' && right.type === 'plain') return PLAIN;
  if (left.type !== 'sealed' || right.type !== 'sealed')
    throw refuseUse(
      'a set operation mixes a sealed column with one that is not',
      -1,
      'Read the two separately, or leave the column out.',
    );
  if (!sameBytes(left.column, right.column)) {
    throw refuseUse(
      `a set operation mixes sealed columns ${columnName(left.column)} and ${columnName(right.column)}`,
      -1,
      'Read the two separately, or let both columns share a deterministic domain and type.',
    );
  }
  if (!keepsAll) requireDeterministic(left.column, -1);
  if (!keepsAll && !comparable(left.column, right.column))
    throw refuseUse(
      'a set operation compares columns of different domains',
      -1,
      'Use UNION ALL, or give both rules the same domain.',
    );
  return left.column.type.typmod === right.column.type.typmod ? unnamed(left.column) : passedThrough(left.column);
}
