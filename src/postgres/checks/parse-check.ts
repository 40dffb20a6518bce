/**
 * A CHECK expression over one column as a condition the proxy evaluates. Takes what people write and what pg_get_constraintdef prints:
 * comparisons of VALUE (or of the column's name) with constants, BETWEEN, IN, = ANY (ARRAY[...]), its length, LIKE and regular expressions,
 * joined by AND, OR and NOT. Anything else is refused: half a constraint would be none.
 */
import type { A_Expr, FuncCall } from 'libpg-query';
import { parseStatements, builtinName, kindOf, namesOf, type Node } from '../analysis/text/syntax.ts';
import type { LogicalType } from '../plan.ts';
import type { Comparison, Condition } from './condition.ts';
import { checkConstant, isValueCast, orderFor } from './constants.ts';
import { likePattern, regexPattern } from './patterns.ts';

/** What of the expression is not evaluated; caught by the caller. */
export class CheckNotEvaluated extends Error {}

export type CheckedColumn = { readonly name: string; readonly type: LogicalType };

/** Throws CheckNotEvaluated. Precondition: the grammar is loaded. */
export function parseCheck(expression: string, column: CheckedColumn): Condition {
  return conditionOf(expressionTree(expression), column);
}

function expressionTree(expression: string): Node {
  const sql = `SELECT (${expression})`;
  const statements = parsed(sql);
  const [only] = statements;
  const select = only !== undefined && 'SelectStmt' in only.node ? only.node.SelectStmt : undefined;
  const [target, ...more] = select?.targetList ?? [];
  const val = target !== undefined && 'ResTarget' in target ? target.ResTarget.val : undefined;
  const isAlone = statements.length === 1 && more.length === 0 && Object.keys(select ?? {}).length <= 3;
  if (val === undefined || !isAlone) throw new CheckNotEvaluated('it is no expression');
  return val;
}

function parsed(sql: string): ReturnType<typeof parseStatements> {
  try {
    return parseStatements(sql, Buffer.byteLength(sql));
  } catch {
    throw new CheckNotEvaluated('it is no SQL expression');
  }
}

function conditionOf(node: Node, column: CheckedColumn): Condition {
  if ('BoolExpr' in node) {
    const parts = (node.BoolExpr.args ?? []).map((part) => conditionOf(part, column));
    const [first] = parts;
    if (node.BoolExpr.boolop === 'NOT_EXPR' && first !== undefined) return { type: 'not', part: first };
    return { type: node.BoolExpr.boolop === 'OR_EXPR' ? 'or' : 'and', parts };
  }
  if ('A_Expr' in node) return comparisonOf(node.A_Expr, column);
  if ('NullTest' in node) throw new CheckNotEvaluated('NULL is the server’s to refuse: make the column NOT NULL');
  throw new CheckNotEvaluated(`${kindOf(node)} is not evaluated`);
}

function comparisonOf(expression: A_Expr, column: CheckedColumn): Condition {
  const { kind = '', lexpr, rexpr } = expression;
  if (lexpr === undefined || rexpr === undefined) throw new CheckNotEvaluated('an operator with one operand');
  const operator = builtinName(namesOf(expression.name)) ?? '';
  switch (kind) {
    case 'AEXPR_OP':
      return operatorCondition(operator, lexpr, rexpr, column);
    case 'AEXPR_IN':
      return membership(lexpr, itemsOf(rexpr), operator === '<>', column);
    case 'AEXPR_OP_ANY':
      return quantified(operator, '=', lexpr, rexpr, column);
    case 'AEXPR_OP_ALL':
      return quantified(operator, '<>', lexpr, rexpr, column);
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
      return operatorCondition(operator, lexpr, rexpr, column);
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN':
      return between(lexpr, itemsOf(rexpr), kind === 'AEXPR_NOT_BETWEEN', column);
    default:
      throw new CheckNotEvaluated(`${kind} is not evaluated`);
  }
}

function itemsOf(node: Node): readonly Node[] {
  return 'List' in node ? (node.List.items ?? []) : [node];
}

function between(value: Node, bounds: readonly Node[], negated: boolean, column: CheckedColumn): Condition {
  const [low, high] = bounds;
  if (low === undefined || high === undefined) throw new CheckNotEvaluated('BETWEEN without two bounds');
  const parts = [operatorCondition('>=', value, low, column), operatorCondition('<=', value, high, column)];
  return negated ? { type: 'not', part: { type: 'and', parts } } : { type: 'and', parts };
}

function membership(value: Node, items: readonly Node[], negated: boolean, column: CheckedColumn): Condition {
  const parts = items.map((item) => operatorCondition('=', value, item, column));
  return negated ? { type: 'not', part: { type: 'or', parts } } : { type: 'or', parts };
}

/** `= ANY (ARRAY[...])` and `<> ALL (ARRAY[...])`, as IN and NOT IN are printed. */
function quantified(operator: string, wanted: Comparison, value: Node, array: Node, column: CheckedColumn): Condition {
  const inner = 'TypeCast' in array && array.TypeCast.arg !== undefined ? array.TypeCast.arg : array;
  if (operator !== wanted || !('A_ArrayExpr' in inner)) throw new CheckNotEvaluated('this use of ANY or ALL');
  return membership(value, inner.A_ArrayExpr.elements ?? [], wanted === '<>', column);
}

const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

function isComparison(operator: string): operator is Comparison {
  return Object.hasOwn(MIRRORED, operator);
}

function operatorCondition(operator: string, left: Node, right: Node, column: CheckedColumn): Condition {
  if (!isComparison(operator)) return patternCondition(operator, left, right, column);
  if (isValue(left, column)) return orderCondition(operator, right, column);
  if (isValue(right, column)) return orderCondition(MIRRORED[operator], left, column);
  if ('FuncCall' in left) return lengthCondition(operator, left.FuncCall, right, column);
  if ('FuncCall' in right) return lengthCondition(MIRRORED[operator], right.FuncCall, left, column);
  throw new CheckNotEvaluated(`${operator} compares something else than VALUE`);
}

/** VALUE or the column's name, perhaps in a cast that changes nothing. */
function isValue(node: Node, column: CheckedColumn): boolean {
  if ('TypeCast' in node) {
    const { arg, typeName } = node.TypeCast;
    return arg !== undefined && isValue(arg, column) && isValueCast(typeName, column.type);
  }
  if (!('ColumnRef' in node)) return false;
  const names = namesOf(node.ColumnRef.fields);
  const [name] = names;
  if (names.length === 1 && (name === 'value' || name === column.name)) return true;
  throw new CheckNotEvaluated(`it reads ${names.join('.')}, and VALUE alone is known here`);
}

function orderCondition(holds: Comparison, constant: Node, { type }: CheckedColumn): Condition {
  const order = orderFor(type, holds);
  const known = order && checkConstant(constant, type);
  if (order === undefined || known === undefined)
    throw new CheckNotEvaluated(`${holds} with this operand is not evaluated for ${type.name}`);
  return { type: 'order', holds, compareTo: (canonical) => order(canonical, known) };
}

const LENGTHS: Readonly<Record<string, 'characters' | 'bytes'>> = {
  length: 'characters',
  char_length: 'characters',
  character_length: 'characters',
  octet_length: 'bytes',
};

function lengthCondition(holds: Comparison, call: FuncCall, constant: Node, column: CheckedColumn): Condition {
  const name = builtinName(namesOf(call.funcname)) ?? '';
  const unit = column.type.name === 'bytea' && name.startsWith('char') ? undefined : LENGTHS[name];
  const [argument, ...more] = call.args ?? [];
  const measured = ['text', 'varchar', 'bytea'].includes(column.type.name);
  const limit = 'A_Const' in constant ? constant.A_Const.ival : undefined;
  const alone = argument !== undefined && more.length === 0 && isValue(argument, column);
  if (unit === undefined || !measured || !alone || limit === undefined)
    throw new CheckNotEvaluated(`${name}() is not evaluated for ${column.type.name}`);
  return { type: 'length', holds, unit: column.type.name === 'bytea' ? 'bytes' : unit, limit: limit.ival ?? 0 };
}

const PATTERNS: Readonly<Record<string, { readonly kind: 'like' | 'regex'; readonly folds: boolean }>> = {
  '~~': { kind: 'like', folds: false },
  '~~*': { kind: 'like', folds: true },
  '~': { kind: 'regex', folds: false },
  '~*': { kind: 'regex', folds: true },
};

function patternCondition(operator: string, left: Node, right: Node, column: CheckedColumn): Condition {
  const positive = operator.replace(/^!/, '');
  const known = PATTERNS[positive];
  const isText = column.type.name === 'text' || column.type.name === 'varchar';
  if (known === undefined || !isText || !isValue(left, column))
    throw new CheckNotEvaluated(`the operator ${operator} is not evaluated`);
  const text = patternText(right);
  const pattern = known.kind === 'like' ? likePattern(text, known.folds) : regexPattern(text, known.folds);
  if (pattern === undefined) throw new CheckNotEvaluated('this pattern is not evaluated');
  const condition: Condition = { type: 'pattern', pattern };
  return positive === operator ? condition : { type: 'not', part: condition };
}

function patternText(node: Node): string {
  if ('TypeCast' in node && node.TypeCast.arg !== undefined && namesOf(node.TypeCast.typeName?.names).at(-1) === 'text')
    return patternText(node.TypeCast.arg);
  const text = 'A_Const' in node ? node.A_Const.sval : undefined;
  if (text === undefined) throw new CheckNotEvaluated('a pattern that is no constant');
  return text.sval ?? '';
}
