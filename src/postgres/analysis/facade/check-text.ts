/**
 * A declared CHECK as pg_get_expr prints it of a plain column: what the server's analysis makes of the expression (casts, ARRAY for IN), in
 * the words of get_rule_expr (ruleutils.c). Of the expressions that `checks/parse-check.ts` takes, and of no others.
 */
import type { A_Const, A_Expr, FuncCall, TypeCast } from 'libpg-query';
import { parseCheck } from '../../checks/parse-check.ts';
import type { LogicalType } from '../../plan.ts';
import { isNumber, isText, logicalTypeByOid } from '../../types/registry.ts';
import { isBuiltinTypeName, TYPES, type BuiltinTypeName } from '../../types/type-facts.ts';
import { quoteIdentifier } from '../../service/names.ts';
import { builtinName, castType, kindOf, namesOf, parseStatements, scanTokens, type Node } from '../text/syntax.ts';
import { constantParts } from './default-text.ts';

/** In the place of `(...)` behind CHECK, `pretty` as psql asks for it. */
export type CheckText = { readonly plain: string; readonly pretty: string };

/** What an expression is of: a type of the server, a string without a type yet, or the column's domain. */
type Type = BuiltinTypeName | 'unknown' | 'domain';

type Expression =
  | { readonly is: 'column' | 'constant'; readonly type: Type; readonly text: string }
  | { readonly is: 'cast'; readonly type: Type; readonly of: Expression; readonly isArray?: true }
  | { readonly is: 'call'; readonly type: Type; readonly name: string; readonly args: readonly Expression[] }
  | { readonly is: 'array'; readonly type: Type; readonly items: readonly Expression[] }
  | Tested;

type Tested =
  | { readonly is: 'operator'; readonly name: string; readonly left: Expression; readonly right: Expression }
  | { readonly is: 'ANY' | 'ALL'; readonly name: string; readonly left: Expression; readonly right: Expression }
  | { readonly is: 'AND' | 'OR' | 'NOT'; readonly parts: readonly Expression[] };

type Typed = Exclude<Expression, Tested>;

type Checked = { readonly name: string; readonly type: LogicalType; readonly shown: Typed };

/** Undefined: how the server would print it is not known. Precondition: the grammar is loaded. */
export function checkText(expression: string, name: string, type: LogicalType): CheckText | undefined {
  const { name: base } = type;
  if (base === 'enum' || base === 'array') return undefined;
  const shown: Typed = { is: 'column', type: type.domain === undefined ? base : 'domain', text: identifier(name) };
  try {
    // What is not evaluated is not printed either.
    parseCheck(expression, { name, type });
    const made = tested(treeOf(expression), { name, type, shown });
    return { plain: printed(made, false), pretty: printed(made, true) };
  } catch (error) {
    if (error instanceof NotPrinted) return undefined;
    throw error;
  }
}

class NotPrinted extends Error {}

/** Behind NO_KEYWORD in the scanner's KeywordKind. */
const UNRESERVED_KEYWORD = 1;

/** quote_identifier: what is a word of the grammar, but for those that are none of any weight, is quoted. */
function identifier(name: string): string {
  const [token] = /^[a-z_][a-z0-9_]*$/.test(name) ? scanTokens(name) : [];
  return token !== undefined && token.keywordKind <= UNRESERVED_KEYWORD ? name : quoteIdentifier(name);
}

function treeOf(expression: string): Node {
  const sql = `SELECT (${expression})`;
  const [statement] = parseStatements(sql, Buffer.byteLength(sql));
  const select = statement !== undefined && 'SelectStmt' in statement.node ? statement.node.SelectStmt : undefined;
  const [target] = select?.targetList ?? [];
  const val = target !== undefined && 'ResTarget' in target ? target.ResTarget.val : undefined;
  return val ?? notPrinted();
}

function notPrinted(): never {
  throw new NotPrinted('not printed');
}

function tested(node: Node, column: Checked): Expression {
  if ('BoolExpr' in node) {
    const { boolop, args = [] } = node.BoolExpr;
    const is = boolop === 'NOT_EXPR' ? 'NOT' : boolop === 'OR_EXPR' ? 'OR' : 'AND';
    return { is, parts: args.map((part) => tested(part, column)) };
  }
  return 'A_Expr' in node ? comparison(node.A_Expr, column) : notPrinted();
}

function comparison({ kind, name, lexpr, rexpr }: A_Expr, column: Checked): Expression {
  const operator = builtinName(namesOf(name));
  if (operator === undefined || lexpr === undefined || rexpr === undefined) return notPrinted();
  const items = 'List' in rexpr ? (rexpr.List.items ?? []) : [];
  switch (kind) {
    case 'AEXPR_OP':
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
      return operatorOf(operator, operand(lexpr, column), operand(rexpr, column), column);
    case 'AEXPR_IN':
      return membership(operator, lexpr, items, column);
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
      return quantified(kind === 'AEXPR_OP_ANY' ? 'ANY' : 'ALL', operator, lexpr, rexpr, column);
    case 'AEXPR_BETWEEN':
      return { is: 'AND', parts: bounds(['>=', '<='], lexpr, items, column) };
    case 'AEXPR_NOT_BETWEEN':
      return { is: 'OR', parts: bounds(['<', '>'], lexpr, items, column) };
    default:
      return notPrinted();
  }
}

function bounds(
  operators: readonly [string, string],
  value: Node,
  items: readonly Node[],
  column: Checked,
): readonly Expression[] {
  return operators.map((operator, index) =>
    operatorOf(operator, operand(value, column), operand(items[index] ?? notPrinted(), column), column),
  );
}

function membership(operator: string, value: Node, nodes: readonly Node[], column: Checked): Expression {
  const left = operand(value, column);
  const items = nodes.map((node) => operand(node, column));
  const [first] = items;
  if (items.length === 1 && first !== undefined) return operatorOf(operator, left, first, column);
  const common = commonType([left, ...items], column);
  const array: Typed = { is: 'array', type: common, items: items.map((item) => coerced(item, common)) };
  return arrayOperator(operator === '=' ? 'ANY' : 'ALL', operator, left, array, column);
}

function quantified(is: 'ANY' | 'ALL', operator: string, value: Node, node: Node, column: Checked): Expression {
  const cast = 'TypeCast' in node ? node.TypeCast : undefined;
  const inner = cast?.arg ?? node;
  if (!('A_ArrayExpr' in inner)) return notPrinted();
  const items = (inner.A_ArrayExpr.elements ?? []).map((item) => operand(item, column));
  const named = cast === undefined ? undefined : namedType(cast);
  const common = named ?? (items.every(({ type }) => type === 'unknown') ? 'text' : commonType(items, column));
  const array: Typed = { is: 'array', type: common, items: items.map((item) => coerced(item, common)) };
  return arrayOperator(is, operator, operand(value, column), array, column);
}

function arrayOperator(is: 'ANY' | 'ALL', name: string, left: Typed, array: Typed, column: Checked): Expression {
  const [mine, theirs] = operands(left.type, array.type, column);
  const right: Typed = array.type === theirs ? array : { is: 'cast', type: theirs, of: array, isArray: true };
  return { is, name, left: coerced(left, mine), right };
}

function operatorOf(name: string, left: Typed, right: Typed, column: Checked): Expression {
  const [mine, theirs] = operands(left.type, right.type, column);
  return { is: 'operator', name, left: coerced(left, mine), right: coerced(right, theirs) };
}

/** The types that the operator between two takes. */
function operands(left: Type, right: Type, column: Checked): readonly [BuiltinTypeName, BuiltinTypeName] {
  const [mine, theirs] = [baseOf(left, column), baseOf(right, column)];
  const [one, other] = [mine ?? theirs, theirs ?? mine];
  if (one === undefined || other === undefined) return notPrinted();
  if (isText({ ...column.type, name: one })) return ['text', 'text'];
  if (one === other) return [one, other];
  // Among integers there is one for each two.
  return one === 'numeric' || other === 'numeric' ? ['numeric', 'numeric'] : [one, other];
}

function baseOf(type: Type, { type: { name } }: Checked): BuiltinTypeName | undefined {
  if (type === 'unknown') return undefined;
  if (type !== 'domain') return type;
  return isBuiltinTypeName(name) ? name : notPrinted();
}

const WIDENING: readonly Type[] = ['int2', 'int4', 'int8', 'numeric'];

/** select_common_type: the widest number; text before varchar only where it comes first. */
function commonType(items: readonly Typed[], column: Checked): BuiltinTypeName {
  const types = items.flatMap(({ type }) => baseOf(type, column) ?? []);
  const [first = notPrinted()] = types;
  if (!isNumber({ ...column.type, name: first })) return types.includes('text') ? 'text' : first;
  return types.reduce((widest, type) => (WIDENING.indexOf(type) > WIDENING.indexOf(widest) ? type : widest));
}

function coerced(item: Typed, type: BuiltinTypeName): Typed {
  if (item.type === type) return item;
  if (item.is === 'constant' && item.type === 'unknown') return { is: 'constant', type, text: item.text };
  return { is: 'cast', type, of: item };
}

function operand(node: Node, column: Checked): Typed {
  if ('ColumnRef' in node) return column.shown;
  if ('A_Const' in node) return constant(node.A_Const);
  if ('FuncCall' in node) return call(node.FuncCall, column);
  if (!('TypeCast' in node) || node.TypeCast.arg === undefined) return notPrinted();
  return coerced(operand(node.TypeCast.arg, column), namedType(node.TypeCast));
}

function namedType(cast: TypeCast): BuiltinTypeName {
  const named = logicalTypeByOid(castType(cast.typeName)?.elementOid ?? 0)?.name;
  return named === undefined || named === 'enum' || named === 'array' ? notPrinted() : named;
}

function call({ funcname, args = [] }: FuncCall, column: Checked): Typed {
  const name = builtinName(namesOf(funcname)) ?? notPrinted();
  const taken = column.type.name === 'bytea' ? 'bytea' : 'text';
  return { is: 'call', type: 'int4', name, args: args.map((arg) => coerced(operand(arg, column), taken)) };
}

const INT4 = 2n ** 31n;
const INT8 = 2n ** 63n;

function constant({ ival, fval, sval, boolval }: A_Const): Typed {
  if (boolval !== undefined) return { is: 'constant', type: 'bool', text: String(boolval.boolval === true) };
  if (sval !== undefined) return { is: 'constant', type: 'unknown', text: sval.sval ?? '' };
  const text = ival === undefined ? (fval?.fval ?? notPrinted()) : String(ival.ival ?? 0);
  if (!/^-?\d+$/.test(text)) return { is: 'constant', type: 'numeric', text };
  const [whole, fits] = [BigInt(text), (most: bigint) => BigInt(text) >= -most && BigInt(text) < most];
  return { is: 'constant', type: fits(INT4) ? 'int4' : fits(INT8) ? 'int8' : 'numeric', text: `${whole}` };
}

function printed(of: Expression, pretty: boolean): string {
  const enclosed = (text: string): string => (pretty ? text : `(${text})`);
  switch (of.is) {
    case 'column':
      return of.text;
    case 'constant':
      return constantText(of, true);
    case 'cast':
      return castText(of, pretty);
    case 'call':
      return `${of.name}(${of.args.map((arg) => printed(arg, pretty)).join(', ')})`;
    case 'array':
      return `ARRAY[${of.items.map((item) => printed(item, pretty)).join(', ')}]`;
    case 'operator':
      return enclosed(`${printed(of.left, pretty)} ${of.name} ${printed(of.right, pretty)}`);
    case 'ANY':
    case 'ALL':
      return enclosed(`${printed(of.left, pretty)} ${of.name} ${of.is} (${printed(of.right, pretty)})`);
    case 'NOT':
      return enclosed(`NOT ${of.parts.map((part) => within(part, of, pretty)).join('')}`);
    case 'AND':
    case 'OR':
      return enclosed(of.parts.map((part) => within(part, of, pretty)).join(` ${of.is} `));
    default:
      throw new TypeError(`no such expression: ${kindOf(of)}`);
  }
}

/** isSimpleNode: what stands beside AND, OR and NOT without parentheses. */
function within(part: Expression, around: Extract<Expression, { parts: unknown }>, pretty: boolean): string {
  const text = printed(part, pretty);
  if (!pretty || part.is === 'operator') return text;
  const isBound = 'parts' in part && around.is !== 'NOT' && (part.is !== 'OR' || around.is === 'OR');
  return isBound ? text : `(${text})`;
}

function castText(cast: Extract<Expression, { is: 'cast' }>, pretty: boolean): string {
  const inner = printed(cast.of, pretty);
  const brackets = cast.isArray === true ? '[]' : '';
  return `${pretty ? inner : `(${inner})`}::${nameOf(cast.type)}${brackets}`;
}

function constantText({ type, text }: { readonly type: Type; readonly text: string }, labelled: boolean): string {
  if (type === 'unknown' || type === 'domain') return notPrinted();
  const { text: shown, bare } = constantParts(text, type);
  return bare || !labelled ? shown : `${shown}::${nameOf(type)}`;
}

/** format_type without a modifier. */
function nameOf(type: Type): string {
  if (type === 'unknown' || type === 'domain') return notPrinted();
  return type === 'bpchar' ? 'bpchar' : TYPES[type].sqlName;
}
