/** Expressions: what each yields, and that no sealed value meets anything that would compute with it. */
import type { CaseExpr, CoalesceExpr, FuncCall, SubLink, TypeCast, WindowDef } from 'libpg-query';
import { storedType } from '../../columns/stored-type.ts';
import type { SealedColumn } from '../../plan.ts';
import type { Analysis } from '../query/analysis.ts';
import { replaceType } from './casts.ts';
import { analyzeColumnRef, analyzeSelection } from './column-refs.ts';
import { analyzeOperator, compareSubquery, requireDeterministic } from './comparisons.ts';
import { carriedRowText, carriedText } from './carried.ts';
import { carryingArray, carryingCall, carryingSubquery, MAKERS, rowValue } from './carrying-calls.ts';
import { castFor, namesOwnModifier, namesOwnType } from './constants.ts';
import { onlyColumn } from './counts.ts';
import { caseConditions, caseResults, isMouldable, mould, nodeLocation, requirePlain, settlePlain } from './mould.ts';
import { refuseSealed } from './refuse-sealed.ts';
import { testForNull } from './null-tests.ts';
import { callServersOwn } from './servers-own-call.ts';
import { orderLeft } from './value-sort.ts';
import type { Scope } from '../query/scope.ts';
import { callPlaces, tokenSpan } from '../text/call-places.ts';
import { builtinName, castType, isOperator, locationOf, namesOf, type Node } from '../text/syntax.ts';
import { isText, logicalTypeByOid, typeLike, withTypmod } from '../../types/registry.ts';
import { passedThrough, PLAIN, unnamed, type OutputColumn, type SettledValue, type Value } from './values.ts';

export function analyzeExpression(analysis: Analysis, node: Node, scope: Scope): Value {
  if (isMouldable(node)) return { type: 'mouldable', node };
  if ('ColumnRef' in node) return analyzeColumnRef(analysis, node.ColumnRef, scope);
  if ('A_Indirection' in node) {
    const selected = analyzeSelection(analysis, node.A_Indirection, scope);
    if (selected !== undefined) return selected;
  }
  if ('A_Expr' in node) return analyzeOperator(analysis, node.A_Expr, scope);
  if ('TypeCast' in node) return analyzeCast(analysis, node.TypeCast, scope);
  if ('CaseExpr' in node) return analyzeCase(analysis, node.CaseExpr, scope);
  if ('CoalesceExpr' in node) return analyzeCoalesce(analysis, node.CoalesceExpr, scope);
  if ('SubLink' in node) return analyzeSubLink(analysis, node.SubLink, scope);
  if ('FuncCall' in node) return analyzeCall(analysis, node.FuncCall, scope);
  if ('A_ArrayExpr' in node) return carryingArray(analysis, node.A_ArrayExpr.elements ?? [], scope);
  if ('RowExpr' in node) return rowValue(analysis, node.RowExpr.args ?? [], scope);
  if ('NullTest' in node) {
    if (node.NullTest.arg !== undefined) testForNull(analysis, node.NullTest.arg, scope);
    return PLAIN;
  }
  if ('GroupingFunc' in node) {
    for (const arg of node.GroupingFunc.args ?? []) requireGroupable(analysis, arg, scope);
    return PLAIN;
  }
  if ('SelectStmt' in node) {
    analysis.query(node, scope).forEach((column) => refuseIfSealed(column, 'here', -1));
    return PLAIN;
  }
  plainParts(analysis, node, scope, usageOf(node));
  return PLAIN;
}

function refuseIfSealed({ value, open }: OutputColumn, usage: string, location: number): void {
  open?.settlePlain();
  if (value.type === 'sealed') throw refuseSealed(value.column, usage, location);
}

/** How refusals name the place, by kind of node. */
const USAGES: Readonly<Record<string, string>> = {
  BoolExpr: 'as a condition',
  SortBy: 'in ORDER BY',
  BooleanTest: 'with IS TRUE or IS FALSE',
  A_ArrayExpr: 'in an array',
  MinMaxExpr: 'in GREATEST or LEAST',
  CollateClause: 'with COLLATE',
  XmlExpr: 'in an XML expression',
  A_Indirection: 'with a subscript or field selection',
  JsonObjectConstructor: 'in a JSON expression',
  JsonArrayConstructor: 'in a JSON expression',
};

function usageOf(node: Node): string {
  return USAGES[Object.keys(node)[0] ?? ''] ?? 'in this expression';
}

/** Whatever the node, every expression inside it must be plain: unknown kinds fail closed as soon as they touch a sealed value. */
export function plainParts(analysis: Analysis, part: unknown, scope: Scope, usage: string): void {
  if (Array.isArray(part)) {
    for (const item of part) plainNested(analysis, item, scope, usage);
    return;
  }
  if (!isObject(part)) return;
  for (const inner of Object.values(part)) {
    if (Array.isArray(inner)) plainParts(analysis, inner, scope, usage);
    else if (isObject(inner)) for (const value of Object.values(inner)) plainNested(analysis, value, scope, usage);
  }
}

function plainNested(analysis: Analysis, part: unknown, scope: Scope, usage: string): void {
  if (Array.isArray(part)) return plainParts(analysis, part, scope, usage);
  if (!isObject(part)) return;
  if (isNode(part)) return requirePlain(analysis, part, scope, usage);
  for (const value of Object.values(part)) plainNested(analysis, value, scope, usage);
}

function isObject(part: unknown): part is Readonly<Record<string, unknown>> {
  return typeof part === 'object' && part !== null;
}

/** Nodes are wrapped in their kind, capitalised; plain fields are not. */
export function isNode(part: object): part is Node {
  const keys = Object.keys(part);
  const first = keys[0] ?? '';
  return (
    keys.length === 1 &&
    /^[A-Z]/.test(first) &&
    first !== 'String' &&
    first !== 'Integer' &&
    first !== 'Float' &&
    first !== 'A_Star' &&
    first !== 'TypeName' &&
    first !== 'Boolean' &&
    first !== 'BitString'
  );
}

/** A cast to the column's own type, or within text and varchar, gives the same value; any other computes. */
function analyzeCast(analysis: Analysis, cast: TypeCast, scope: Scope): Value {
  if (cast.arg === undefined) return PLAIN;
  const value = analysis.infer(cast.arg, scope);
  // A cast of a column of constants and parameters may yet become one of sealed values.
  if (value.type === 'mouldable' && 'ColumnRef' in value.node) return { type: 'mouldable', node: { TypeCast: cast } };
  if (value.type === 'mouldable') settlePlain(analysis, value.node, scope);
  if (value.type !== 'sealed') return PLAIN;
  const { column } = value;
  const { searchPath } = analysis.input;
  const target = castType(cast.typeName);
  if (column.carries?.as === 'json' && target?.isArray === false && target.elementOid === column.type.oid) return value;
  const text =
    target?.isArray === false
      ? (rowText(column, target.elementOid) ?? castedText(analysis, cast, column, target.elementOid))
      : undefined;
  if (text !== undefined) return text;
  if (column.carries !== undefined) throw refuseSealed(column, 'in a cast', locationOf(cast));
  if (namesOwnModifier(cast.typeName, column.type) && analysis.input.within === 'statement') {
    analysis.literalsMatter = true;
    replaceType(analysis, cast, storedType(column).name, column);
    return { type: 'sealed', column, origin: { type: 'any' } };
  }
  const type = namesOwnType(cast.typeName, column.type, searchPath)
    ? withTypmod(column.type, -1)
    : target && typeLike(column.type, target.isArray ? target.arrayOid : target.elementOid);
  const same = type !== undefined && (type.oid === column.type.oid || (isText(type) && isText(column.type)));
  if (!same || analysis.input.within === 'view')
    throw refuseSealed(column, 'in a cast to another type', locationOf(cast));
  castFor(cast, column, { shape: 'scalar', purpose: 'compare', searchPath });
  replaceType(analysis, cast, storedType(column).name, column);
  // A cast to its own type is none to the server's eyes in the shadow, and one upstream: either origin is right.
  return passedThrough({ ...column, type }, 'any');
}

/** Of a row as text or varchar. */
function rowText(column: SealedColumn, oid: number): Value | undefined {
  const type = logicalTypeByOid(oid);
  if (column.carries?.as !== 'row' || type === undefined) return undefined;
  if (column.carries.isText === true) return type.oid === column.type.oid ? unnamed(column) : undefined;
  return isText(type) ? carriedRowText(column, type) : undefined;
}

/** Of a value of another type than text: the server gives its ciphertext, and the proxy the text. */
function castedText(analysis: Analysis, cast: TypeCast, column: SealedColumn, oid: number): Value | undefined {
  const type = logicalTypeByOid(oid);
  if (type === undefined || !isText(type) || isText(column.type) || analysis.input.within === 'view') return undefined;
  const text = carriedText(column, type);
  if (text === undefined) return undefined;
  replaceType(analysis, cast, storedType(column).name, column);
  analysis.castsToText = true;
  return text;
}

function analyzeCase(analysis: Analysis, expression: CaseExpr, scope: Scope): Value {
  caseConditions(analysis, expression, scope);
  return chooseAmong(analysis, caseResults(expression), scope);
}

function analyzeCoalesce(analysis: Analysis, expression: CoalesceExpr, scope: Scope): Value {
  return chooseAmong(analysis, expression.args ?? [], scope);
}

/** The branches are one column's values, or constants and parameters that become such; or all plain. */
function chooseAmong(analysis: Analysis, branches: readonly Node[], scope: Scope): Value {
  const values = branches.map((branch) => ({ branch, value: analysis.infer(branch, scope) }));
  const first = values.find(({ value }) => value.type === 'sealed')?.value;
  if (first?.type !== 'sealed') {
    for (const { value } of values) if (value.type === 'mouldable') settlePlain(analysis, value.node, scope);
    return PLAIN;
  }
  const result = passedThrough(first.column);
  for (const { branch, value } of values) {
    if (value !== first) mould(analysis, branch, scope, result.column, 'choose');
  }
  return result;
}

function analyzeSubLink(analysis: Analysis, link: SubLink, scope: Scope): Value {
  if (link.subselect === undefined) return PLAIN;
  const columns = analysis.query(link.subselect, scope);
  const location = locationOf(link);
  switch (link.subLinkType) {
    case 'EXISTS_SUBLINK':
      return PLAIN;
    case 'EXPR_SUBLINK': {
      const { value, open } = onlyColumn(columns, location);
      open?.settlePlain();
      return value.type === 'sealed' ? unnamed(value.column) : PLAIN;
    }
    case 'ARRAY_SUBLINK': {
      const { value, open } = onlyColumn(columns, location);
      open?.settlePlain();
      return carryingSubquery(value, location);
    }
    case 'ANY_SUBLINK':
    case 'ALL_SUBLINK': {
      const isEquality = link.operName === undefined || isOperator(link.operName, '=', '<>');
      if (link.testexpr !== undefined) compareSubquery(analysis, link.testexpr, columns, scope, location, isEquality);
      return PLAIN;
    }
    default:
      columns.forEach((column) => refuseIfSealed(column, 'in this kind of subquery', location));
      if (link.testexpr !== undefined) requirePlain(analysis, link.testexpr, scope, 'in this kind of subquery');
      return PLAIN;
  }
}

/** Functions of a window or a group that give one of the values they are given; the place of the one that stands in where there is none. */
const CARRYING: ReadonlyMap<string, number | undefined> = new Map([
  ['lag', 2],
  ['lead', 2],
  ['first_value', undefined],
  ['last_value', undefined],
  ['nth_value', undefined],
  ['any_value', undefined],
]);

/** Whether sealed values may be given to the server's own function of that name. */
export function takesSealed(name: string): boolean {
  return name === 'count' || name === 'unnest' || CARRYING.has(name) || MAKERS.has(name);
}

/** count() counts ciphertext as it would plaintext, and some functions give back what they are given; every other computes. */
function analyzeCall(analysis: Analysis, call: FuncCall, scope: Scope): Value {
  const names = namesOf(call.funcname);
  const name = builtinName(names) ?? '';
  const made = carryingCall(analysis, name, call, scope);
  const isCount = name === 'count' && call.args?.length === 1;
  const [first, ...more] = call.args ?? [];
  const carried =
    first !== undefined && CARRYING.has(name) && call.agg_distinct !== true ? analysis.infer(first, scope) : undefined;
  const others = carried?.type === 'sealed' ? more : (call.args ?? []);
  if (made?.type === 'sealed' || carried?.type === 'sealed') callServersOwn(analysis, call);
  for (const arg of made === undefined ? others : []) {
    if (isCount) countArgument(analysis, arg, scope, call);
    else if (carried?.type === 'sealed' && call.args?.indexOf(arg) === CARRYING.get(name)) {
      makeArgumentsAlike(analysis, call, carried.column);
      mould(analysis, arg, scope, passedThrough(carried.column).column, 'choose');
    } else requirePlain(analysis, arg, scope, `as an argument of ${names.join('.')}()`);
  }
  plainParts(analysis, { order: orderLeft(name, call, made) }, scope, 'in ORDER BY');
  if (call.agg_filter !== undefined) requirePlain(analysis, call.agg_filter, scope, 'as a condition');
  if (call.over !== undefined) analyzeWindow(analysis, call.over, scope);
  return made ?? (carried?.type === 'sealed' ? passedThrough(carried.column) : PLAIN);
}

/** Before PostgreSQL 14 lag() and lead() want both of one type: a sealed constant is bytea, the column of a domain over it. */
function makeArgumentsAlike(analysis: Analysis, call: FuncCall, column: SealedColumn): void {
  const { catalog, source, input } = analysis;
  if (catalog.facts.serverVersion >= 140_000 || input.within === 'view') return;
  const { commas, end } = callPlaces(source, call);
  const cast = `::pg_catalog.${storedType(column).name}`;
  for (const at of [commas[0] ?? end, end])
    analysis.edit({ ...tokenSpan(source, at), replacement: `${cast}${source.tokenText(at)}` });
}

function countArgument(analysis: Analysis, arg: Node, scope: Scope, call: FuncCall): void {
  const value = analysis.infer(arg, scope);
  if (value.type === 'mouldable') settlePlain(analysis, value.node, scope);
  if (value.type !== 'sealed') return;
  callServersOwn(analysis, call);
  if (call.agg_distinct === true) requireCountable(value.column, nodeLocation(arg));
}

/** Rows are equal where all their fields are. */
function requireCountable(column: SealedColumn, location: number): void {
  const { carries } = column;
  if (carries?.as !== 'row' || carries.isText === true) return requireDeterministic(column, location);
  for (const field of carries.fields) if (field.column !== undefined) requireCountable(field.column, location);
}

export function analyzeWindow(analysis: Analysis, window: WindowDef, scope: Scope): void {
  for (const item of window.partitionClause ?? []) requireGroupable(analysis, item, scope);
  plainParts(analysis, { order: window.orderClause ?? [] }, scope, 'in ORDER BY');
  for (const offset of [window.startOffset, window.endOffset]) {
    if (offset !== undefined) requirePlain(analysis, offset, scope, 'as a frame offset');
  }
}

/** GROUP BY, PARTITION BY, DISTINCT ON: equality of ciphertext must be equality of values. */
export function requireGroupable(
  analysis: Analysis,
  node: Node,
  scope: Scope,
  keyed: ReadonlySet<SettledValue> = new Set(),
): void {
  if ('GroupingSet' in node) {
    for (const item of node.GroupingSet.content ?? []) requireGroupable(analysis, item, scope, keyed);
    return;
  }
  if ('RowExpr' in node) {
    for (const item of node.RowExpr.args ?? []) requireGroupable(analysis, item, scope, keyed);
    return;
  }
  const value = analysis.infer(node, scope);
  if (value.type === 'mouldable') settlePlain(analysis, value.node, scope);
  if (value.type === 'sealed' && !keyed.has(value)) requireDeterministic(value.column, nodeLocation(node));
}
