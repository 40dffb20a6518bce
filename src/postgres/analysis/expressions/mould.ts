/**
 * Moulding: a constant or parameter takes the role its surroundings give it. In a sealed position it is sealed for that column,
 * elsewhere it stays as it is.
 */
import type { A_Const, CaseExpr, ParamRef, TypeCast } from 'libpg-query';
import type { Carried, SealedColumn, ValuePurpose } from '../../plan.ts';
import { isText } from '../../types/registry.ts';
import type { Analysis } from '../query/analysis.ts';
import { formatLogicalType } from '../../types/type-text.ts';
import { arrayConstant } from './array-constants.ts';
import { castTo, keepsModifier, sameCast, widens } from './casts.ts';
import { openColumn } from './column-refs.ts';
import { acceptsType, constantSpan, constantValue, isNull } from './constants.ts';
import { refuseUse } from '../errors.ts';
import { standsForNothing } from './carried-nothing.ts';
import { mouldRead, openRead } from './open-reads.ts';
import type { Scope } from '../query/scope.ts';
import { elementType, locationOf, type Node } from '../text/syntax.ts';
import { columnName, sameBytes, type Value } from './values.ts';

/** Constants, parameters, casts of them, and CASE and COALESCE that only choose among such. */
export function isMouldable(node: Node): boolean {
  if ('A_Const' in node || 'ParamRef' in node) return true;
  if ('TypeCast' in node) return isLeaf(node.TypeCast.arg);
  if ('CoalesceExpr' in node) return (node.CoalesceExpr.args ?? []).every(isMouldable);
  return 'CaseExpr' in node && caseResults(node.CaseExpr).every(isMouldable);
}

function isLeaf(node: Node | undefined): boolean {
  return (
    node !== undefined && ('A_Const' in node || 'ParamRef' in node || ('TypeCast' in node && isLeaf(node.TypeCast.arg)))
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

export function refuseSealed(column: SealedColumn, usage: string, location: number): Error {
  if (column.carries !== undefined) return refuseCarried(column, column.carries, usage, location);
  const hint =
    column.mode === 'randomized'
      ? 'A randomized column can be written, read as it is, and tested for NULL; compute in the application.'
      : 'A deterministic column can be written, read as it is, tested for NULL and compared for equality; compute the rest in the application.';
  return refuseUse(`sealed column ${columnName(column)} cannot be used ${usage}`, location, hint);
}

function refuseCarried(column: SealedColumn, carried: Carried, usage: string, location: number): Error {
  const name = columnName(column);
  if (carried.as === 'row')
    return refuseUse(
      `the row of "${carried.alias}" holds sealed column ${name} and cannot be used ${usage}`,
      location,
      'It can be read as it is, as text and as JSON; for anything else name the columns you need one by one.',
    );
  const hint = 'It can be read as it is, and become part of JSON of the same kind; compute in the application.';
  return refuseUse(`${carried.as} with values of sealed column ${name} cannot be used ${usage}`, location, hint);
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

/** The expression becomes a value of the column: constants and parameters are sealed, its own sealed values pass. */
export function mould(analysis: Analysis, node: Node, scope: Scope, column: SealedColumn, purpose: ValuePurpose): void {
  if (column.carries !== undefined) return mouldCarried(analysis, node, scope, column);
  analysis.use(column);
  if ('A_Const' in node) return mouldConstant(analysis, node.A_Const, column, purpose, undefined);
  if ('ParamRef' in node) return mouldParameter(analysis, node.ParamRef, column, purpose, 'scalar', undefined);
  if ('TypeCast' in node && isLeaf(node.TypeCast.arg)) return mouldCast(analysis, node.TypeCast, column, purpose);
  if (stores(purpose) && mouldArrayExpression(analysis, node, column, purpose)) return;
  const open = openRead(analysis, node, scope);
  if (open !== undefined) return mouldRead(analysis, open, column, purpose);
  if ('TypeCast' in node && node.TypeCast.arg !== undefined && stores(purpose)) {
    // What is stored is a value of the column's type in any case, so a cast to that changes nothing.
    castTo(analysis, node.TypeCast, column, purpose);
    return mould(analysis, node.TypeCast.arg, scope, column, purpose);
  }
  const choice = choiceOf(analysis, node, scope);
  if (choice === undefined) return requireSame(analysis.infer(node, scope), column, purpose, nodeLocation(node));
  for (const branch of choice) mould(analysis, branch, scope, column, purpose);
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

const stores = (purpose: ValuePurpose): boolean => purpose === 'store' || purpose === 'both';

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

export function mouldConstant(
  analysis: Analysis,
  constant: A_Const,
  column: SealedColumn,
  purpose: ValuePurpose,
  castOid: number | undefined,
): void {
  // A constant number stored in a text column is cast as an assignment would.
  const oid =
    castOid ?? (stores(purpose) && isText(column.type) && constant.ival !== undefined ? column.type.oid : undefined);
  const known = constantValue(constant, column, oid);
  if (known === undefined) return;
  const { start, end } = constantSpan(analysis.source, constant);
  refuseInView(analysis, column, start);
  const declared = known.declaredOid !== undefined &&
    !isRead(column, known.declaredOid) && { declaredOid: known.declaredOid };
  const replacement = { column, value: known.value, purpose, ...declared };
  analysis.edit({ start, end, replacement, constantOid: known.ownOid });
}

/** `'{a,b}'`, as array_in reads it. `elementOid`: the type that a cast gives the elements. */
export function mouldArrayConstant(
  analysis: Analysis,
  constant: A_Const,
  column: SealedColumn,
  purpose: ValuePurpose,
  elementOid: number | undefined,
): void {
  if (isNull(constant)) return;
  const { start, end } = constantSpan(analysis.source, constant);
  refuseInView(analysis, column, start);
  analysis.use(column);
  if (constant.sval === undefined) {
    throw refuseUse(
      'this kind of constant is no array for a sealed column',
      start,
      "Write '{a,b}' or ARRAY['a', 'b'].",
    );
  }
  const arrayOid = elementOid === undefined || isRead(column, elementOid) ? undefined : arrayOf(elementOid);
  const declared = arrayOid !== undefined && { declaredOid: arrayOid };
  const replacement = {
    column,
    value: constant.sval.sval ?? '',
    purpose,
    shape: 'array',
    ...declared,
  } as const;
  analysis.edit({ start, end, replacement });
}

function mouldCast(analysis: Analysis, cast: TypeCast, column: SealedColumn, purpose: ValuePurpose): void {
  const { oid, rounds } = castTo(analysis, cast, column, purpose);
  const { arg } = cast;
  if (rounds && (purpose === 'choose' || !keepsModifier(column)))
    throw refuseUse(
      `a rounding cast is not supported here for sealed column ${columnName(column)}`,
      locationOf(cast.typeName),
      'Leave the cast out.',
    );
  // Rounded as the column's values are, it is what storing makes of it.
  const as = rounds ? 'store' : purpose;
  if (arg !== undefined && 'A_Const' in arg) return mouldConstant(analysis, arg.A_Const, column, as, oid);
  if (arg !== undefined && 'ParamRef' in arg) return mouldParameter(analysis, arg.ParamRef, column, as, 'scalar', oid);
  // A cast to the same type again.
  if (arg !== undefined && 'TypeCast' in arg && sameCast(cast, arg.TypeCast))
    return mouldCast(analysis, arg.TypeCast, column, as);
  throw refuseUse(
    `a cast of a cast is not supported for sealed column ${columnName(column)}`,
    locationOf(cast.typeName),
    'Leave one cast.',
  );
}

/** `castOid`: the (element's) type of a cast around it. */
export function mouldParameter(
  analysis: Analysis,
  parameter: ParamRef,
  column: SealedColumn,
  purpose: ValuePurpose,
  shape: 'scalar' | 'array',
  castOid: number | undefined,
): void {
  const number = parameter.number ?? 0;
  const location = locationOf(parameter);
  refuseInView(analysis, column, location);
  analysis.use(column);
  const declared = declaredType(analysis, number, { column, shape, purpose }, location);
  if (declared !== undefined && castOid !== undefined && !widens(declared, castOid)) {
    throw refuseUse(
      `parameter $${number} is declared as one type and cast to another`,
      location,
      'Declare the type the cast names.',
    );
  }
  // The bytes come in the declared type, whatever wider one the cast names.
  const elementOid = declared ?? castOid;
  const own = elementOid === undefined || isRead(column, elementOid);
  const declaredOid = own ? undefined : shape === 'array' ? arrayOf(elementOid) : elementOid;
  analysis.parameters.useSealed(number, { column, shape, purpose, declaredOid, location });
}

/** Whether a value is read as this type without its being said. Beside a cidr what has no type may become an inet. */
function isRead({ type }: SealedColumn, oid: number): boolean {
  return oid === type.oid && type.name !== 'cidr';
}

function arrayOf(elementOid: number): number | undefined {
  return elementType(elementOid)?.arrayOid;
}

const UNKNOWN = 705;

/** What Parse declared for it, as the element's OID; undefined: nothing. */
function declaredType(
  analysis: Analysis,
  number: number,
  { column, shape, purpose }: { column: SealedColumn; shape: 'scalar' | 'array'; purpose: ValuePurpose },
  location: number,
): number | undefined {
  const oid = analysis.input.declaredOids[number - 1] ?? 0;
  if (oid === 0 || oid === UNKNOWN) return undefined;
  const element = shape === 'array' ? elementType(oid, 'array')?.oid : oid;
  if (element !== undefined && element === column.type.domain?.oid) return undefined;
  if (element !== undefined && acceptsType(column.type, element, purpose)) return element;
  throw refuseUse(
    `parameter $${number} is declared with type OID ${oid}, which sealed column ${columnName(column)} (${formatLogicalType(column.type)}) does not take`,
    location,
    'Leave the type unspecified or declare the type of the column.',
  );
}

function refuseInView(analysis: Analysis, column: SealedColumn, location: number): void {
  if (analysis.input.within === 'statement') return;
  throw refuseUse(
    `a view compares sealed column ${columnName(column)} with a constant`,
    location,
    'Compare in the query over the view.',
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
