/**
 * Moulding: a constant or parameter takes the role its surroundings give it. In a sealed position it is sealed for that column,
 * elsewhere it stays as it is.
 */
import type { CaseExpr, SubLink, TypeCast } from 'libpg-query';
import type { LogicalType, SealedColumn, ValuePurpose } from '../../plan.ts';
import type { Analysis } from '../query/analysis.ts';
import { arrayConstant } from './array-constants.ts';
import { castTo, keepsModifier, sameCast } from './casts.ts';
import { openColumn } from './column-refs.ts';
import { isNull, signedConstant } from './constants.ts';
import { onlyColumn } from './counts.ts';
import { refuseUse } from '../errors.ts';
import { standsForNothing } from './carried-nothing.ts';
import { mouldConstant, mouldParameter, refuseInView, stores } from './mould-leaves.ts';
import { refuseSealed } from './refuse-sealed.ts';
import { changing, mouldRead, openRead } from './open-reads.ts';
import { isSameCast } from './parameters.ts';
import type { Scope } from '../query/scope.ts';
import { locationOf, type Node } from '../text/syntax.ts';
import { ofFields } from './interval-field.ts';
import { columnName, sameBytes, type Value } from './values.ts';

/** Constants, parameters, casts of them, and CASE and COALESCE that only choose among such. */
export function isMouldable(node: Node): boolean {
  if (signedConstant(node) !== undefined || 'ParamRef' in node) return true;
  if ('TypeCast' in node) return isLeaf(node.TypeCast.arg);
  if ('CoalesceExpr' in node) return (node.CoalesceExpr.args ?? []).every(isMouldable);
  return 'CaseExpr' in node && caseResults(node.CaseExpr).every(isMouldable);
}

function isLeaf(node: Node | undefined): boolean {
  return (
    node !== undefined &&
    (signedConstant(node) !== undefined || 'ParamRef' in node || ('TypeCast' in node && isLeaf(node.TypeCast.arg)))
  );
}

export function isNullConstant(node: Node): boolean {
  if ('TypeCast' in node) return node.TypeCast.arg !== undefined && isNullConstant(node.TypeCast.arg);
  return 'A_Const' in node && isNull(node.A_Const);
}

export function caseResults(expression: CaseExpr): readonly Node[] {
  const whens = (expression.args ?? []).flatMap((arm) =>
    'CaseWhen' in arm && arm.CaseWhen.result !== undefined ? [arm.CaseWhen.result] : [],
  );
  return expression.defresult === undefined ? whens : [...whens, expression.defresult];
}

/** The expression must be plain: a sealed value refuses, naming the place it is used in. */
export function requirePlain(analysis: Analysis, node: Node, scope: Scope, usage: string): void {
  const value = analysis.infer(node, scope);
  if (value.type === 'mouldable') settlePlain(analysis, value.node, scope);
  if (value.type === 'sealed') throw refuseSealed(value.column, usage, nodeLocation(node));
}

/** A mouldable expression that turned out to stand in no sealed position. */
export function settlePlain(analysis: Analysis, node: Node, scope: Scope): void {
  if ('ColumnRef' in node) openColumn(analysis, node.ColumnRef, scope)?.settlePlain();
  if ('ParamRef' in node) analysis.parameters.usePlain(node.ParamRef.number ?? 0, locationOf(node.ParamRef));
  if ('TypeCast' in node && node.TypeCast.arg !== undefined) settlePlain(analysis, node.TypeCast.arg, scope);
  if ('CoalesceExpr' in node) for (const arg of node.CoalesceExpr.args ?? []) settlePlain(analysis, arg, scope);
  if (!('CaseExpr' in node)) return;
  caseConditions(analysis, node.CaseExpr, scope);
  for (const result of caseResults(node.CaseExpr)) settlePlain(analysis, result, scope);
}

/** The conditions of CASE: booleans, or values compared with its argument. */
export function caseConditions(analysis: Analysis, expression: CaseExpr, scope: Scope): void {
  const conditions = (expression.args ?? []).flatMap((arm) =>
    'CaseWhen' in arm && arm.CaseWhen.expr !== undefined ? [arm.CaseWhen.expr] : [],
  );
  if (expression.arg !== undefined) return void analysis.infer(anyEqual(expression.arg, conditions), scope);
  for (const condition of conditions) requirePlain(analysis, condition, scope, 'as a condition of CASE');
}

/** CASE a WHEN b WHEN c compares as a IN (b, c) does. */
function anyEqual(tested: Node, items: readonly Node[]): Node {
  const name: Node[] = [{ String: { sval: '=' } }];
  const location = nodeLocation(tested);
  return { A_Expr: { kind: 'AEXPR_IN', name, lexpr: tested, rexpr: { List: { items: [...items] } }, location } };
}

/**
 * The expression becomes a value of the column: constants and parameters are sealed, its own sealed values pass.
 * @param through what a cast around it makes of it first.
 */
export function mould(
  analysis: Analysis,
  node: Node,
  scope: Scope,
  column: SealedColumn,
  purpose: ValuePurpose,
  through?: LogicalType,
): void {
  if (column.carries !== undefined) return mouldCarried(analysis, node, scope, column);
  analysis.use(column);
  const constant = signedConstant(node);
  if (constant !== undefined) return mouldConstant(analysis, constant, column, purpose, undefined, through);
  if ('ParamRef' in node) return mouldParameter(analysis, node.ParamRef, column, purpose, 'scalar', undefined, through);
  if ('TypeCast' in node && isLeaf(node.TypeCast.arg))
    return mouldCast(analysis, node.TypeCast, column, purpose, through);
  if (stores(purpose) && mouldArrayExpression(analysis, node, column, purpose)) return;
  const open = openRead(analysis, node, scope);
  if (open !== undefined && through !== undefined) throw changing(column, nodeLocation(node));
  if (open !== undefined) return mouldRead(analysis, open, column, purpose);
  if ('TypeCast' in node && node.TypeCast.arg !== undefined && stores(purpose)) {
    // What is stored is a value of the column's type in any case, so a cast to that changes nothing.
    const { as = through } = castTo(analysis, node.TypeCast, column, purpose);
    if (through !== undefined && !isSameCast(as, through)) throw changing(column, nodeLocation(node));
    return mould(analysis, node.TypeCast.arg, scope, column, purpose, as);
  }
  if (stores(purpose) && through === undefined && 'SubLink' in node && node.SubLink.subLinkType === 'EXPR_SUBLINK')
    return mouldSubquery(analysis, node.SubLink, scope, column, purpose);
  const choice = choiceOf(analysis, node, scope);
  if (choice !== undefined) return choice.forEach((branch) => mould(analysis, branch, scope, column, purpose, through));
  const value = analysis.infer(node, scope);
  // A cast to what the value is by itself makes nothing else of it.
  if (through !== undefined && !(value.type === 'sealed' && isSameCast(value.column.type, through)))
    throw changing(column, nodeLocation(node));
  requireSame(value, column, purpose, nodeLocation(node));
}

/** `(SELECT 'x')`: what it selects is stored, and no other than the column's values are made of it. */
function mouldSubquery(
  analysis: Analysis,
  { subselect, location = 0 }: SubLink,
  scope: Scope,
  column: SealedColumn,
  purpose: 'store' | 'both',
): void {
  if (subselect === undefined) return;
  const columns = analysis.query(subselect, scope, [{ column, purpose, named: false }]);
  const { value, open } = onlyColumn(columns, location);
  if (open !== undefined) return open.mould(column, purpose, undefined);
  requireSame(value, column, purpose, location);
}

/** Whether it was an array of constants alone, which becomes one constant of the column. */
function mouldArrayExpression(analysis: Analysis, node: Node, column: SealedColumn, purpose: ValuePurpose): boolean {
  const cast = 'TypeCast' in node ? node.TypeCast : undefined;
  const inner = cast === undefined ? node : cast.arg;
  if (inner === undefined || !('A_ArrayExpr' in inner)) return false;
  const constant = arrayConstant(analysis.source, inner.A_ArrayExpr, cast, column);
  if (constant === undefined) return false;
  const { value, start, end } = constant;
  refuseInView(analysis, column, start);
  if (cast !== undefined) castTo(analysis, cast, column, purpose);
  // Several constants became one value, which no other text's can stand for.
  analysis.literalsMatter = true;
  analysis.edit({ start, end, replacement: { column, value, purpose } });
  return true;
}

/** What CASE or COALESCE chooses among. */
function choiceOf(analysis: Analysis, node: Node, scope: Scope): readonly Node[] | undefined {
  if ('CoalesceExpr' in node) return node.CoalesceExpr.args ?? [];
  if (!('CaseExpr' in node)) return undefined;
  caseConditions(analysis, node.CaseExpr, scope);
  return caseResults(node.CaseExpr);
}

/** Beside a value that carries sealed ones only the same may stand, or nothing. */
function mouldCarried(analysis: Analysis, node: Node, scope: Scope, column: SealedColumn): void {
  if (standsForNothing(analysis, node, column)) return;
  const choice = choiceOf(analysis, node, scope);
  if (choice === undefined) return requireSame(analysis.infer(node, scope), column, 'choose', nodeLocation(node));
  for (const branch of choice) mouldCarried(analysis, branch, scope, column);
}

export function requireSame(value: Value, column: SealedColumn, purpose: ValuePurpose, location: number): void {
  if (value.type !== 'sealed') {
    throw refuseUse(
      `this expression cannot be sealed for column ${columnName(column)}`,
      location,
      'Compute the value in the application and pass it as a parameter or constant.',
    );
  }
  // What passed the checks of one column may fail those of another.
  if (stores(purpose) && column.checks !== undefined && column.checks !== value.column.checks) {
    throw refuseUse(
      `a value of sealed column ${columnName(value.column)} cannot become one of ${columnName(column)}, whose CHECK constraints it has not passed`,
      location,
      'Read the value and write it back through the proxy as a parameter.',
    );
  }
  const fits = column.type.typmod === -1 || column.type.typmod === value.column.type.typmod || !stores(purpose);
  if (sameBytes(value.column, column) && fits) return;
  throw refuseUse(
    `a value of sealed column ${columnName(value.column)} cannot become one of ${columnName(column)}`,
    location,
    'Read the value and write it back through the proxy as a parameter, or let both columns share a deterministic domain and type.',
  );
}

function mouldCast(
  analysis: Analysis,
  cast: TypeCast,
  column: SealedColumn,
  purpose: ValuePurpose,
  through?: LogicalType,
): void {
  const field = through === undefined ? ofFields(analysis, cast, column) : undefined;
  if (field !== undefined) return mouldConstant(analysis, field, column, purpose, undefined);
  const { oid, rounds, as: own = through } = castTo(analysis, cast, column, purpose);
  const { arg } = cast;
  if (through !== undefined && (rounds || !isSameCast(own, through))) throw changing(column, locationOf(cast.typeName));
  if (rounds && (purpose === 'choose' || !keepsModifier(column)))
    throw refuseUse(
      `a rounding cast is not supported here for sealed column ${columnName(column)}`,
      locationOf(cast.typeName),
      'Leave the cast out.',
    );
  // Rounded as the column's values are, it is what storing makes of it.
  const as = rounds ? 'store' : purpose;
  const constant = arg && signedConstant(arg);
  if (constant !== undefined) return mouldConstant(analysis, constant, column, as, oid, own);
  if (arg !== undefined && 'ParamRef' in arg)
    return mouldParameter(analysis, arg.ParamRef, column, as, 'scalar', oid, own);
  // A cast to the same type again.
  if (arg !== undefined && 'TypeCast' in arg && sameCast(cast, arg.TypeCast))
    return mouldCast(analysis, arg.TypeCast, column, as);
  throw refuseUse(
    `a cast of a cast is not supported for sealed column ${columnName(column)}`,
    locationOf(cast.typeName),
    'Leave one cast.',
  );
}

/** Where a refusal about an expression points. */
export function nodeLocation(node: Node): number {
  for (const part of Object.values(node)) {
    if (typeof part === 'object' && part !== null && 'location' in part && typeof part.location === 'number')
      return part.location;
  }
  return -1;
}
