/** IS [NOT] NULL: ciphertext is NULL where the value is, so any sealed value may be tested, alone or in a row. */
import { storedType } from '../../columns/stored-type.ts';
import type { Analysis } from '../query/analysis.ts';
import { castFor } from './constants.ts';
import { castTo, replaceType } from './casts.ts';
import { settlePlain } from './mould.ts';
import type { Scope } from '../query/scope.ts';
import { expandItems } from './stars.ts';
import type { Node } from '../text/syntax.ts';

export function testForNull(analysis: Analysis, tested: Node, scope: Scope): void {
  if ('RowExpr' in tested) {
    for (const item of expandItems(analysis, tested.RowExpr.args ?? [], scope)) testForNull(analysis, item, scope);
    return;
  }
  const number = parameterNumber(tested);
  // What the parameter is, other places of the statement say.
  if (number !== undefined) return analysis.later(() => parameterTested(analysis, number, tested, scope));
  const value = analysis.infer(tested, scope);
  // A column of constants and parameters may be tested whatever it becomes.
  if (value.type === 'mouldable' && 'ColumnRef' in value.node) return;
  if (value.type === 'mouldable') settlePlain(analysis, value.node, scope);
}

function parameterNumber(node: Node): number | undefined {
  if ('ParamRef' in node) return node.ParamRef.number ?? 0;
  return 'TypeCast' in node && node.TypeCast.arg !== undefined && 'ParamRef' in node.TypeCast.arg
    ? (node.TypeCast.arg.ParamRef.number ?? 0)
    : undefined;
}

function parameterTested(analysis: Analysis, number: number, tested: Node, scope: Scope): void {
  const use = analysis.parameters.sealed.get(number);
  if (use === undefined) return settlePlain(analysis, tested, scope);
  if (!('TypeCast' in tested)) return;
  const { column, shape, purpose } = use;
  if (shape === 'scalar') return void castTo(analysis, tested.TypeCast, column, purpose);
  castFor(tested.TypeCast, column, { shape, purpose, searchPath: analysis.input.searchPath });
  replaceType(analysis, tested.TypeCast, `${storedType(column).name}[]`, column);
}
