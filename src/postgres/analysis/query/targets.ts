/** Target lists: result columns of SELECT and RETURNING, stars expanded. Follows src/backend/parser/parse_target.c. */
import type { A_Indirection, ColumnRef, ResTarget } from 'libpg-query';
import type { SealedColumn } from '../../plan.ts';
import type { Analysis, ExpectedColumns } from './analysis.ts';
import { openColumn, requireEntry } from '../expressions/column-refs.ts';
import { placedColumns, unknownColumns } from '../expressions/counts.ts';
import { refuseUse } from '../errors.ts';
import type { FromItem } from './from.ts';
import { isNullConstant, mould, nodeLocation, requirePlain, settlePlain } from '../expressions/mould.ts';
import { signedConstant } from '../expressions/constants.ts';
import { OpenColumn } from '../expressions/open-column.ts';
import { castNull, mouldBelow } from '../expressions/open-values.ts';
import { isStar, starredEntry } from '../expressions/stars.ts';
import type { RangeEntry, Scope } from './scope.ts';
import { unnestedTarget } from './unnest.ts';
import { locationOf, namesOf, type Node } from '../text/syntax.ts';
import { PLAIN, WIDE, type OutputColumn } from '../expressions/values.ts';

export function analyzeTargets(
  analysis: Analysis,
  targets: readonly Node[],
  scope: Scope,
  from: readonly FromItem[],
  expected: ExpectedColumns = [],
): readonly OutputColumn[] {
  const outputs: OutputColumn[] = [];
  for (const target of targets) {
    if (!('ResTarget' in target)) continue;
    const { ResTarget: item } = target;
    const { val } = item;
    if (val === undefined || !isStar(val)) outputs.push(oneTarget(analysis, item, scope, expected[outputs.length]));
    else outputs.push(...starTarget(analysis, val, scope, from));
    const placed = placedColumns(outputs);
    if (placed < outputs.length && expected.slice(placed).some((column) => column !== undefined))
      throw unknownColumns(val === undefined ? -1 : nodeLocation(val));
  }
  return outputs;
}

function starTarget(analysis: Analysis, star: Node, scope: Scope, from: readonly FromItem[]): readonly OutputColumn[] {
  if ('ColumnRef' in star) return expandStar(analysis, star.ColumnRef, scope, from);
  const row = starredEntry(analysis, star, scope);
  if (row !== undefined) return allOf(analysis, columnsOf(row, nodeLocation(star)));
  requirePlain(analysis, star, scope, 'with a subscript or field selection');
  return [WIDE];
}

function oneTarget(
  analysis: Analysis,
  target: ResTarget,
  scope: Scope,
  expected: ExpectedColumns[number],
): OutputColumn {
  const { val } = target;
  if (val === undefined) return { name: target.name ?? '?column?', value: PLAIN };
  const name = target.name ?? figureName(val);
  const unnested = unnestedTarget(analysis, val, scope);
  if (unnested !== undefined) {
    if (expected === undefined) return { name, value: PLAIN, open: unnested };
    unnested.mould(expected.column, expected.purpose, undefined);
    return { name, value: { type: 'sealed', column: expected.column, origin: { type: 'any' } } };
  }
  if (expected !== undefined) {
    const { column, purpose, named } = expected;
    if (named && target.name === undefined) requireName(val);
    mould(analysis, val, scope, column, purpose);
    // A subquery gives NULL as text, whatever it is assigned to.
    if (!named && 'A_Const' in val && val.A_Const.isnull === true) castNull(analysis, val.A_Const, column);
    return { name, value: { type: 'sealed', column, origin: { type: 'any' } } };
  }
  const value = analysis.infer(val, scope);
  if (value.type === 'sealed' && target.name === undefined) requireNameOfCast(val, value.column);
  if (value.type !== 'mouldable') return { name, value };
  // Read as it is, it is the same column.
  const same = 'ColumnRef' in val ? openColumn(analysis, val.ColumnRef, scope) : undefined;
  if (same !== undefined) return { name, value: PLAIN, open: same };
  return { name, value: PLAIN, open: openTarget(analysis, val, scope, target.name !== undefined) };
}

function openTarget(analysis: Analysis, val: Node, scope: Scope, hasName: boolean): OpenColumn {
  const open = new OpenColumn({
    mould: (column, purpose, castOid) => {
      // Without a name of its own it would get the cast's.
      if (hasName && 'A_Const' in val && val.A_Const.isnull === true) castNull(analysis, val.A_Const, column);
      else mouldBelow(analysis, val, scope, column, purpose, castOid);
    },
    settle: () => settlePlain(analysis, val, scope),
    requireName: () => hasName || requireName(val),
    location: nodeLocation(val),
  });
  analysis.later(() => open.finish());
  return open;
}

/** Sealed, a constant is a cast of other bytes, and a column without a name is named after a cast's type. */
function requireName(node: Node): void {
  if (isNullConstant(node) || !(signedConstant(node) !== undefined || 'TypeCast' in node)) return;
  throw refuseUse(
    'a constant that is sealed as a result column needs a name of its own',
    nodeLocation(node),
    'Write AS and a name after it.',
  );
}

/** Of what has no name but the type's of a cast, which is another one upstream. */
function requireNameOfCast(node: Node, { carries }: SealedColumn): void {
  // Their casts stay as they are.
  if (carries?.as === 'row' || carries?.as === 'json') return;
  if (!('TypeCast' in node) || strongName(node) !== undefined) return;
  throw refuseUse(
    'a cast of a sealed value that has no name needs one',
    nodeLocation(node),
    'Write AS and a name after it.',
  );
}

function expandStar(
  analysis: Analysis,
  star: ColumnRef,
  scope: Scope,
  from: readonly FromItem[],
): readonly OutputColumn[] {
  const location = locationOf(star);
  const names = namesOf((star.fields ?? []).slice(0, -1));
  const [first, second] = names;
  if (names.length > 2) throw refuseUse('a database name in front of * is not supported', location);
  const columns =
    first === undefined
      ? everything(from, location)
      : second === undefined
        ? entryColumns(analysis, first, undefined, scope, location)
        : entryColumns(analysis, second, first, scope, location);
  return allOf(analysis, columns);
}

function allOf(analysis: Analysis, columns: readonly OutputColumn[]): readonly OutputColumn[] {
  // Twice the columns of what has twice the columns, and so on.
  analysis.source.spend(columns.length);
  for (const { value } of columns) if (value.type === 'sealed') analysis.refer(value);
  return columns;
}

function entryColumns(
  analysis: Analysis,
  alias: string,
  schema: string | undefined,
  scope: Scope,
  location: number,
): readonly OutputColumn[] {
  return columnsOf(requireEntry(analysis, alias, schema, scope, location), location);
}

function columnsOf(entry: RangeEntry, location: number): readonly OutputColumn[] {
  if (entry.opaque) throw unknownColumns(location);
  return entry.columns;
}

function everything(from: readonly FromItem[], location: number): readonly OutputColumn[] {
  if (from.some((item) => item.entries.some((entry) => entry.opaque))) throw unknownColumns(location);
  return from.flatMap((item) => item.columns);
}

/** The name the server gives a column without one: FigureColnameInternal in parse_target.c. */
export function figureName(node: Node): string {
  return strongName(node) ?? weakName(node) ?? '?column?';
}

function strongName(node: Node): string | undefined {
  if ('ColumnRef' in node) return namesOf(node.ColumnRef.fields).at(-1);
  if ('FuncCall' in node) return namesOf(node.FuncCall.funcname).at(-1);
  if ('A_Indirection' in node) return selectedName(node.A_Indirection);
  if ('TypeCast' in node && node.TypeCast.arg !== undefined) return strongName(node.TypeCast.arg);
  if ('CollateClause' in node && node.CollateClause.arg !== undefined) return strongName(node.CollateClause.arg);
  if ('CaseExpr' in node && node.CaseExpr.defresult !== undefined) return strongName(node.CaseExpr.defresult);
  if ('CoalesceExpr' in node) return 'coalesce';
  if ('RowExpr' in node) return 'row';
  if ('A_ArrayExpr' in node) return 'array';
  if ('A_Expr' in node && node.A_Expr.kind === 'AEXPR_NULLIF') return 'nullif';
  if ('SubLink' in node) return subLinkName(node);
  return undefined;
}

/** The last field that is selected; of a subscript, what it is of. */
function selectedName({ arg, indirection = [] }: A_Indirection): string | undefined {
  const field = indirection.findLast((part) => 'String' in part);
  return field === undefined ? arg && strongName(arg) : field.String.sval;
}

function subLinkName(node: Extract<Node, { SubLink: unknown }>): string | undefined {
  const { subLinkType, subselect } = node.SubLink;
  if (subLinkType === 'EXISTS_SUBLINK') return 'exists';
  if (subLinkType === 'ARRAY_SUBLINK') return 'array';
  if (subLinkType !== 'EXPR_SUBLINK' || subselect === undefined || !('SelectStmt' in subselect)) return undefined;
  const [first] = subselect.SelectStmt.targetList ?? [];
  if (first === undefined || !('ResTarget' in first)) return undefined;
  return first.ResTarget.name ?? (first.ResTarget.val === undefined ? undefined : strongName(first.ResTarget.val));
}

function weakName(node: Node): string | undefined {
  if ('TypeCast' in node) return namesOf(node.TypeCast.typeName?.names).at(-1);
  return 'CaseExpr' in node ? 'case' : undefined;
}
