/**
 * Defaults and CHECKs that a column's rule declares: the proxy applies them, so a new table may say them too. The server is not told: a
 * default is left out, a CHECK keeps its name and holds for everything.
 */
import type { ColumnRef, Constraint } from 'libpg-query';
import { STANDARD_SETTINGS } from '../../types/codec.ts';
import { ValueError } from '../../types/errors.ts';
import { parseLogicalType } from '../../types/type-text.ts';
import { readValue } from '../../types/values.ts';
import { quoteIdentifier } from '../../service/names.ts';
import type { RuledColumn } from '../catalog/rules.ts';
import { isOperator, locationOf, namesOf, parseStatements, type Node } from '../text/syntax.ts';
import type { DdlStatement } from './statement.ts';
import type { DdlTable } from './tables.ts';
import { tokenAt } from './text.ts';

/** Whether the default is the one that the rule declares, however it is written. */
export function isDeclaredDefault(node: Node, rule: RuledColumn): boolean {
  const written = constantText(node);
  if (written === undefined || rule.default === undefined) return false;
  const [ours, theirs] = [canonical(rule.default, rule), canonical(written, rule)];
  return ours !== undefined && theirs !== undefined && Buffer.compare(ours, theirs) === 0;
}

function canonical(text: string, rule: RuledColumn): Uint8Array | undefined {
  try {
    const type = parseLogicalType(rule.type);
    const zones = { zone: () => undefined };
    return readValue(Buffer.from(text), 'text', { type, purpose: 'store', settings: STANDARD_SETTINGS, zones });
  } catch (error) {
    if (error instanceof ValueError) return undefined;
    throw error;
  }
}

/** A constant as its type is written in text; undefined: an expression. */
function constantText(node: Node): string | undefined {
  if ('TypeCast' in node) return node.TypeCast.arg === undefined ? undefined : constantText(node.TypeCast.arg);
  if ('A_Expr' in node) return negated(node.A_Expr);
  if (!('A_Const' in node)) return undefined;
  const { ival, fval, sval, boolval } = node.A_Const;
  if (ival !== undefined) return String(ival.ival ?? 0);
  if (boolval !== undefined) return String(boolval.boolval ?? false);
  return fval?.fval ?? sval?.sval ?? (sval === undefined ? undefined : '');
}

function negated({ kind, name, lexpr, rexpr }: Extract<Node, { A_Expr: unknown }>['A_Expr']): string | undefined {
  if (kind !== 'AEXPR_OP' || lexpr !== undefined || rexpr === undefined || !isOperator(name, '-')) return undefined;
  const text = constantText(rexpr);
  return text === undefined ? undefined : `-${text}`;
}

/** A CHECK that a rule of the table declares: upstream it becomes CHECK (true), by its name or the rule's. Gives whether it is one. */
export function replaceDeclaredCheck(ddl: DdlStatement, constraint: Constraint, table: DdlTable): boolean {
  const { raw_expr: expression } = constraint;
  if (expression === undefined) return false;
  const declared = [...table.rules.values()].flatMap(({ column, checks = [] }) =>
    checks.filter(
      (check) => meaningOf(expression, [column]) === meaningOf(expressionOf(check.expression), [column, 'value']),
    ),
  );
  const known = declared.find(({ name }) => name === constraint.conname) ?? declared[0];
  if (known === undefined) return false;
  ddl.replace(conditionSpan(ddl, constraint), 'true');
  // Of a constant the server would name it after the table.
  const start = locationOf(constraint);
  if (constraint.conname === undefined)
    ddl.replace({ start, end: start }, `CONSTRAINT ${quoteIdentifier(known.name)} `);
  return true;
}

function expressionOf(text: string): Node | undefined {
  const sql = `SELECT (${text})`;
  const [statement] = parseStatements(sql, Buffer.byteLength(sql));
  const select = statement !== undefined && 'SelectStmt' in statement.node ? statement.node.SelectStmt : undefined;
  const [target] = select?.targetList ?? [];
  return target !== undefined && 'ResTarget' in target ? target.ResTarget.val : undefined;
}

/** Fields of nodes that say where something stands: of lists, where they begin and end. */
const PLACES: ReadonlySet<string> = new Set([
  'location',
  'list_start',
  'list_end',
  'rexpr_list_start',
  'rexpr_list_end',
]);

/** The tree without places, the column under one name: a rule may write VALUE for it, which in a table is another column. */
function meaningOf(node: Node | undefined, names: readonly string[]): string {
  return JSON.stringify(node, (key, value: unknown) => {
    if (PLACES.has(key)) return undefined;
    return key === 'ColumnRef' && isOneOf(value, names) ? 'the column' : value;
  });
}

function isOneOf(reference: unknown, names: readonly string[]): boolean {
  // The grammar's name for just this node.
  const [name, ...more] = namesOf((reference as ColumnRef).fields);
  return name !== undefined && more.length === 0 && names.includes(name);
}

/** What stands in the parentheses of CHECK (...). */
function conditionSpan(ddl: DdlStatement, constraint: Constraint): { readonly start: number; readonly end: number } {
  const { source } = ddl;
  let open = tokenAt(source, locationOf(constraint));
  while (source.tokens[open] !== undefined && source.tokenText(open) !== '(') open++;
  let close = open + 1;
  for (let depth = 1; source.tokens[close] !== undefined; close++) {
    if (source.tokenText(close) === '(') depth++;
    if (source.tokenText(close) === ')' && --depth === 0) break;
  }
  return { start: source.tokens[open + 1]?.start ?? 0, end: source.tokens[close]?.start ?? 0 };
}
