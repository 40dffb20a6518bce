/** Equality in its forms: =, <>, IS [NOT] DISTINCT FROM, IN, = ANY, <> ALL, NULLIF, rows. Everything else computes, and is refused. */
import type { A_Expr } from 'libpg-query';
import type { SealedColumn } from '../../plan.ts';
import { storedType } from '../../columns/stored-type.ts';
import type { Analysis } from '../query/analysis.ts';
import { replaceType } from './casts.ts';
import { castFor } from './constants.ts';
import { placedColumns, requireNoMoreThan, requireNoSealed } from './counts.ts';
import { refuseSyntax, refuseUse } from '../errors.ts';
import { isMouldable, isNullConstant, mould, nodeLocation, requirePlain, settlePlain } from './mould.ts';
import { refuseSealed } from './refuse-sealed.ts';
import { mouldArrayConstant, mouldParameter } from './mould-leaves.ts';
import { inferOperand } from './operands.ts';
import type { Scope } from '../query/scope.ts';
import { expandItems, isStar, placedItems, requirePlainItems } from './stars.ts';
import { castType, isOperator, locationOf, namesOf, type Node } from '../text/syntax.ts';
import {
  columnName,
  comparable,
  passedThrough,
  PLAIN,
  type OutputColumn,
  type SettledValue,
  type Value,
} from './values.ts';

export function analyzeOperator(analysis: Analysis, expression: A_Expr, scope: Scope): SettledValue {
  const { lexpr, rexpr, name } = expression;
  const isEquality = isOperator(name, '=', '<>');
  if (lexpr === undefined || rexpr === undefined || !isEquality) return plainOperator(analysis, expression, scope);
  const location = locationOf(expression);
  switch (expression.kind) {
    case 'AEXPR_OP':
      compare(analysis, lexpr, rexpr, scope, location);
      return PLAIN;
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT':
      compareDistinct(analysis, lexpr, rexpr, scope, location);
      return PLAIN;
    case 'AEXPR_IN':
      compareList(analysis, lexpr, rexpr, scope, location);
      return PLAIN;
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
      compareArray(analysis, lexpr, rexpr, scope, location);
      return PLAIN;
    case 'AEXPR_NULLIF':
      return compareNullif(analysis, lexpr, rexpr, scope, location);
    default:
      return plainOperator(analysis, expression, scope);
  }
}

function plainOperator(analysis: Analysis, expression: A_Expr, scope: Scope): SettledValue {
  const usage = `with ${operatorName(expression)}`;
  for (const operand of [expression.lexpr, expression.rexpr]) {
    if (operand === undefined) continue;
    const items = 'List' in operand ? (operand.List.items ?? []) : [operand];
    for (const item of items) requirePlain(analysis, item, scope, usage);
  }
  return PLAIN;
}

const NAMED_KINDS: Readonly<Record<string, string>> = {
  AEXPR_LIKE: 'LIKE',
  AEXPR_ILIKE: 'ILIKE',
  AEXPR_SIMILAR: 'SIMILAR TO',
  AEXPR_BETWEEN: 'BETWEEN',
  AEXPR_NOT_BETWEEN: 'NOT BETWEEN',
  AEXPR_BETWEEN_SYM: 'BETWEEN SYMMETRIC',
  AEXPR_NOT_BETWEEN_SYM: 'NOT BETWEEN SYMMETRIC',
};

function operatorName(expression: A_Expr): string {
  return NAMED_KINDS[expression.kind ?? ''] ?? `the operator ${namesOf(expression.name).join('.')}`;
}

/** One side sealed: the other is moulded into its column. Both sealed: one domain. Neither: both plain. */
export function compare(analysis: Analysis, left: Node, right: Node, scope: Scope, location: number): void {
  if ('RowExpr' in left && 'RowExpr' in right) return compareRows(analysis, left, right, scope, location);
  const query =
    'SubLink' in right && right.SubLink.subLinkType === 'EXPR_SUBLINK' ? right.SubLink.subselect : undefined;
  if ('RowExpr' in left && query !== undefined) {
    return compareSubquery(analysis, left, analysis.query(query, scope), scope, location, true);
  }
  const values = [inferOperand(analysis, left, scope), inferOperand(analysis, right, scope)] as const;
  compareValues(analysis, values[0], left, values[1], right, scope, location);
}

function compareRows(analysis: Analysis, left: Node, right: Node, scope: Scope, location: number): void {
  const lefts = expandItems(analysis, rowItems(left), scope);
  const rights = expandItems(analysis, rowItems(right), scope);
  const placed = Math.min(placedItems(lefts), placedItems(rights));
  const isPlaced = !lefts.some(isStar) && !rights.some(isStar);
  if (isPlaced && lefts.length !== rights.length)
    throw refuseSyntax('unequal number of entries in row expressions', location);
  if (!isPlaced) for (const items of [lefts, rights]) requirePlainItems(analysis, items, placed, scope);
  lefts.slice(0, placed).forEach((item, index) => {
    const other = rights[index];
    if (other !== undefined) compare(analysis, item, other, scope, location);
  });
}

function rowItems(node: Node): readonly Node[] {
  return 'RowExpr' in node ? (node.RowExpr.args ?? []) : [];
}

function compareValues(
  analysis: Analysis,
  left: Value,
  leftNode: Node,
  right: Value,
  rightNode: Node,
  scope: Scope,
  location: number,
): void {
  if (left.type === 'sealed' && right.type === 'sealed') return requireComparable(left.column, right.column, location);
  if (left.type === 'sealed') return compareSealed(analysis, left.column, right, rightNode, scope, location);
  if (right.type === 'sealed') return compareSealed(analysis, right.column, left, leftNode, scope, location);
  if (left.type === 'mouldable') settlePlain(analysis, left.node, scope);
  if (right.type === 'mouldable') settlePlain(analysis, right.node, scope);
}

function compareSealed(
  analysis: Analysis,
  column: SealedColumn,
  other: Value,
  node: Node,
  scope: Scope,
  location: number,
): void {
  requireDeterministic(column, location);
  if (other.type === 'mouldable') return mould(analysis, node, scope, column, 'compare');
  throw refuseUse(
    `sealed column ${columnName(column)} is compared with a value that is not sealed`,
    location,
    'Compare it with a parameter, a constant, or a sealed column of the same domain.',
  );
}

export function requireDeterministic(column: SealedColumn, location: number): void {
  if (column.mode === 'deterministic') return;
  if (column.carries !== undefined) throw refuseSealed(column, 'where values are compared', location);
  throw refuseUse(
    `sealed column ${columnName(column)} is randomized and cannot be compared`,
    location,
    'Search by another column, or make the rule deterministic.',
  );
}

export function requireComparable(left: SealedColumn, right: SealedColumn, location: number): void {
  requireDeterministic(left, location);
  requireDeterministic(right, location);
  if (comparable(left, right)) return;
  throw refuseUse(
    `sealed columns ${columnName(left)} and ${columnName(right)} share no domain`,
    location,
    'Give both rules the same domain, or compare in the application.',
  );
}

/** IS DISTINCT FROM NULL is a test for NULL, which any sealed column allows. */
function compareDistinct(analysis: Analysis, left: Node, right: Node, scope: Scope, location: number): void {
  if (!isNullConstant(left) && !isNullConstant(right)) return compare(analysis, left, right, scope, location);
  const tested = analysis.infer(isNullConstant(left) ? right : left, scope);
  for (const operand of [left, right]) {
    // NULL::text is compared with ciphertext: the cast is none there.
    if (tested.type === 'sealed' && isNullConstant(operand)) mould(analysis, operand, scope, tested.column, 'compare');
    else if (isMouldable(operand)) settlePlain(analysis, operand, scope);
  }
}

function compareList(analysis: Analysis, left: Node, right: Node, scope: Scope, location: number): void {
  const items = 'List' in right ? (right.List.items ?? []) : [right];
  if ('RowExpr' in left) {
    for (const item of items) compareRows(analysis, left, item, scope, location);
    return;
  }
  const value = inferOperand(analysis, left, scope);
  const others = items.map((item) => ({ item, other: inferOperand(analysis, item, scope) }));
  const sealed = value.type === 'sealed' ? value : others.find(({ other }) => other.type === 'sealed')?.other;
  if (sealed === undefined || sealed.type !== 'sealed')
    return settleAll(analysis, [value, ...others.map(({ other }) => other)], scope);
  if (value.type !== 'sealed') compareSealed(analysis, sealed.column, value, left, scope, location);
  const ours = others.filter(({ other }) => other.type !== 'sealed').map(({ item }) => item);
  if (value.type === 'sealed' && ours.length > 1) requireNoTexts(analysis, ours, value.column);
  for (const { item, other } of others) {
    if (other.type === 'sealed') requireComparable(sealed.column, other.column, location);
    else compareSealed(analysis, sealed.column, other, item, scope, location);
  }
}

/** In a list of several constants every text beside a char becomes a char, whose blanks at the end do not count. */
function requireNoTexts(analysis: Analysis, items: readonly Node[], column: SealedColumn): void {
  if (column.type.name !== 'bpchar') return;
  const text = items.find((item) => typeOf(analysis, item) === TEXT_OID);
  if (text === undefined) return;
  throw refuseUse(
    `texts in a list are compared with column ${columnName(column)}, which is a char`,
    nodeLocation(text),
    'Leave the type out, or cast to bpchar.',
  );
}

const TEXT_OID = 25;

function typeOf(analysis: Analysis, node: Node): number | undefined {
  if ('TypeCast' in node) return castType(node.TypeCast.typeName)?.elementOid;
  return 'ParamRef' in node ? analysis.input.declaredOids[(node.ParamRef.number ?? 0) - 1] : undefined;
}

function settleAll(analysis: Analysis, values: readonly Value[], scope: Scope): void {
  for (const value of values) if (value.type === 'mouldable') settlePlain(analysis, value.node, scope);
}

/** `c = ANY($1)`, `c = ANY(ARRAY[...])`, `c <> ALL(...)`. */
function compareArray(analysis: Analysis, left: Node, right: Node, scope: Scope, location: number): void {
  const value = inferOperand(analysis, left, scope);
  if (value.type !== 'sealed') {
    if (value.type === 'mouldable') settlePlain(analysis, value.node, scope);
    return requirePlain(analysis, right, scope, 'as an array');
  }
  requireDeterministic(value.column, location);
  mouldArray(analysis, right, scope, value.column);
}

function mouldArray(analysis: Analysis, node: Node, scope: Scope, column: SealedColumn): void {
  if ('ParamRef' in node) return mouldParameter(analysis, node.ParamRef, column, 'compare', 'array', undefined);
  if ('A_Const' in node && (node.A_Const.sval !== undefined || isNullConstant(node)))
    return mouldArrayConstant(analysis, node.A_Const, column, 'compare', undefined);
  if ('A_ArrayExpr' in node) {
    for (const element of node.A_ArrayExpr.elements ?? []) {
      const value = inferOperand(analysis, element, scope);
      if (value.type === 'sealed') requireComparable(column, value.column, nodeLocation(element));
      else compareSealed(analysis, column, value, element, scope, nodeLocation(element));
    }
    return;
  }
  const inner = 'TypeCast' in node ? node.TypeCast.arg : undefined;
  if (
    !('TypeCast' in node) ||
    inner === undefined ||
    !('ParamRef' in inner || 'A_ArrayExpr' in inner || 'A_Const' in inner)
  ) {
    throw refuseUse(
      `sealed column ${columnName(column)} is compared with an array that cannot be sealed`,
      nodeLocation(node),
      'Write = ANY($1) with an array parameter, IN (...), or ARRAY[...].',
    );
  }
  const { searchPath } = analysis.input;
  const oid = castFor(node.TypeCast, column, { shape: 'array', purpose: 'compare', searchPath }) ?? column.type.oid;
  replaceType(analysis, node.TypeCast, `${storedType(column).name}[]`, column);
  if ('ParamRef' in inner) mouldParameter(analysis, inner.ParamRef, column, 'compare', 'array', oid);
  else if ('A_Const' in inner) mouldArrayConstant(analysis, inner.A_Const, column, 'compare', oid);
  else mouldArray(analysis, inner, scope, column);
}

function compareNullif(analysis: Analysis, left: Node, right: Node, scope: Scope, location: number): SettledValue {
  const value = inferOperand(analysis, left, scope);
  const other = inferOperand(analysis, right, scope);
  if (value.type !== 'sealed' && other.type === 'sealed') {
    throw refuseUse(
      'NULLIF would give back a constant or parameter that is sealed for its comparison',
      location,
      'Write the sealed column first, or use CASE.',
    );
  }
  compareValues(analysis, value, left, other, right, scope, location);
  return value.type === 'sealed' ? passedThrough(value.column) : PLAIN;
}

/** IN (SELECT ...), = ANY (SELECT ...), <> ALL (SELECT ...): the tested value against the subquery's column. */
export function compareSubquery(
  analysis: Analysis,
  tested: Node,
  columns: readonly OutputColumn[],
  scope: Scope,
  location: number,
  isEquality: boolean,
): void {
  const items = 'RowExpr' in tested ? expandItems(analysis, rowItems(tested), scope) : [tested];
  const isPlaced = placedColumns(columns) === columns.length && !('RowExpr' in tested && items.some(isStar));
  const placed = isPlaced ? items.length : Math.min(placedItems(items), placedColumns(columns));
  if (isPlaced) requireNoMoreThan(items.length, columns.length, location);
  else {
    requirePlainItems(analysis, items, placed, scope);
    requireNoSealed(columns, placed, location);
  }
  items.slice(0, placed).forEach((item, index) => {
    const value = inferOperand(analysis, item, scope);
    const other = comparedColumn(columns[index], value, location);
    const sealed = value.type === 'sealed' ? value : other;
    if (sealed.type === 'sealed' && !isEquality) throw refuseSealed(sealed.column, 'with this operator', location);
    if (value.type === 'sealed' && other.type === 'sealed')
      return requireComparable(value.column, other.column, location);
    if (value.type === 'sealed') return compareSealed(analysis, value.column, other, tested, scope, location);
    if (other.type === 'sealed' && isMouldable(item))
      return compareSealed(analysis, other.column, value, item, scope, location);
    if (other.type === 'sealed') return compareSealed(analysis, other.column, PLAIN, item, scope, location);
    if (value.type === 'mouldable') settlePlain(analysis, value.node, scope);
  });
}

/** Constants and parameters that a subquery gives become values of what they are compared with. */
function comparedColumn(column: OutputColumn | undefined, value: Value, location: number): SettledValue {
  const { value: other = PLAIN, open } = column ?? {};
  if (open === undefined) return other;
  if (value.type !== 'sealed') {
    open.settlePlain();
    return PLAIN;
  }
  requireDeterministic(value.column, location);
  open.mould(value.column, 'compare', undefined);
  return passedThrough(value.column);
}
