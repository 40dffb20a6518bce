/** The columns that a statement looks for values in, by equality: those that an index serves. */
import type { A_Expr } from 'libpg-query';
import { isNode } from '../analysis/expressions/expressions.ts';
import { SourceText } from '../analysis/text/source-text.ts';
import { isOperator, locationOf, parseStatements, type Node } from '../analysis/text/syntax.ts';
import type { SealedColumn, SealedPlan } from '../plan.ts';

const SEEKING: ReadonlySet<string> = new Set(['AEXPR_OP', 'AEXPR_IN', 'AEXPR_OP_ANY']);

/** Compared with a constant or parameter by =, IN or = ANY; `<>` and NULLIF find nothing by an index. */
export function soughtColumns(plan: SealedPlan, sql: string): readonly SealedColumn[] {
  const source = new SourceText(sql);
  const values = valuesSought(source);
  const found = new Map<string, SealedColumn>();
  for (const [number, { column, purpose, shape }] of plan.parameters) {
    if ((purpose === 'compare' || shape === 'array') && values.parameters.has(number)) found.set(column.id, column);
  }
  plan.pieces.forEach((piece, index) => {
    if (typeof piece === 'string' || !values.positions.has(plan.piecePlaces[index] ?? 0)) return;
    if (piece.purpose === 'compare' || piece.shape === 'array') found.set(piece.column.id, piece.column);
  });
  return [...found.values()];
}

type Values = { readonly parameters: Set<number>; readonly positions: Set<number> };

function valuesSought(source: SourceText): Values {
  const values: Values = { parameters: new Set(), positions: new Set() };
  for (const { node } of parseStatements(source.sql, source.byteLength)) {
    visit(node, (expression) => {
      if (!SEEKING.has(expression.kind ?? '') || !isOperator(expression.name, '=')) return;
      for (const side of [expression.lexpr, expression.rexpr]) if (side !== undefined) collect(side, source, values);
    });
  }
  return values;
}

function visit(part: unknown, found: (expression: A_Expr) => void): void {
  if (Array.isArray(part)) {
    for (const item of part) visit(item, found);
    return;
  }
  if (typeof part !== 'object' || part === null) return;
  if (isNode(part) && 'A_Expr' in part) found(part.A_Expr);
  for (const inner of Object.values(part)) visit(inner, found);
}

/** The constants and parameters of one side, alone, cast, or in a list, array or row. */
function collect(node: Node, source: SourceText, values: Values): void {
  if ('ParamRef' in node) values.parameters.add(node.ParamRef.number ?? 0);
  else if ('A_Const' in node) values.positions.add(source.position(locationOf(node.A_Const)));
  else if ('TypeCast' in node && node.TypeCast.arg !== undefined) collect(node.TypeCast.arg, source, values);
  const items =
    'List' in node
      ? node.List.items
      : 'A_ArrayExpr' in node
        ? node.A_ArrayExpr.elements
        : 'RowExpr' in node
          ? node.RowExpr.args
          : [];
  for (const item of items ?? []) collect(item, source, values);
}
