/** unnest() in FROM, or as a result column: rows of constants and parameters in another form, so its columns are sealed or plain as their readers need. */
import type { FuncCall, RangeFunction } from 'libpg-query';
import { storedType } from '../../columns/stored-type.ts';
import type { SealedColumn, ValuePurpose } from '../../plan.ts';
import type { Analysis } from './analysis.ts';
import { replaceType } from '../expressions/casts.ts';
import { castFor } from '../expressions/constants.ts';
import { refuseUse } from '../errors.ts';
import { isMouldable, isNullConstant, mould, nodeLocation, requirePlain } from '../expressions/mould.ts';
import { mouldArrayConstant, mouldParameter } from '../expressions/mould-leaves.ts';
import { OpenColumn } from '../expressions/open-column.ts';
import { callServersOwn } from '../expressions/servers-own-call.ts';
import type { Scope } from './scope.ts';
import { builtinName, namesOf, type Node } from '../text/syntax.ts';
import { columnName, PLAIN, type OutputColumn } from '../expressions/values.ts';

/** Its columns; undefined: it is another function, or they are not known. */
export function unnestedColumns(
  analysis: Analysis,
  item: RangeFunction,
  scope: Scope,
): readonly OutputColumn[] | undefined {
  const call = unnestCall(item);
  const args = call?.args ?? [];
  const name = args.length === 1 ? (item.alias?.aliasname ?? 'unnest') : 'unnest';
  return (
    call && args.map((arg): OutputColumn => ({ name, value: PLAIN, open: elementsOf(analysis, call, arg, scope) }))
  );
}

/** What `unnest(a)` gives where it is a result column; undefined: it is another expression, or of another array. */
export function unnestedTarget(analysis: Analysis, node: Node, scope: Scope): OpenColumn | undefined {
  if (!('FuncCall' in node) || builtinName(namesOf(node.FuncCall.funcname)) !== 'unnest') return undefined;
  const [array, ...more] = node.FuncCall.args ?? [];
  if (array === undefined || more.length > 0 || !isScalarArray(array)) return undefined;
  return elementsOf(analysis, node.FuncCall, array, scope);
}

function elementsOf(analysis: Analysis, call: FuncCall, array: Node, scope: Scope): OpenColumn {
  const open = new OpenColumn({
    mould: (column, purpose, castOid) => {
      // Of several the grammar makes calls of the server's own, and only where no schema is written.
      if (call.args?.length === 1) callServersOwn(analysis, call);
      mouldArray(analysis, array, scope, column, purpose, castOid);
    },
    settle: () => requirePlain(analysis, array, scope, 'as an argument of unnest()'),
    location: nodeLocation(array),
  });
  analysis.later(() => open.finish());
  return open;
}

/** `unnest(a, b, ...)`, each of whose arrays gives one column; undefined: it is another function, or its columns are not known. */
function unnestCall({ functions, ordinality, coldeflist, lateral }: RangeFunction): FuncCall | undefined {
  const [only, ...more] = functions ?? [];
  const call = only !== undefined && 'List' in only ? only.List.items?.[0] : undefined;
  if (call === undefined || !('FuncCall' in call) || more.length > 0) return undefined;
  if (builtinName(namesOf(call.FuncCall.funcname)) !== 'unnest') return undefined;
  if (ordinality === true || lateral === true || (coldeflist ?? []).length > 0) return undefined;
  return (call.FuncCall.args ?? []).every(isScalarArray) ? call.FuncCall : undefined;
}

/** The types that the grammar itself names, and more of pg_catalog that are no rows. A row's fields would be columns each. */
const SCALARS: ReadonlySet<string> = new Set([
  ...['text', 'uuid', 'date', 'json', 'jsonb', 'bytea', 'inet', 'cidr', 'macaddr', 'int4', 'int8', 'int2', 'float4'],
  ...['float8', 'numeric', 'bool', 'varchar', 'bpchar', 'timestamp', 'timestamptz', 'time', 'timetz', 'interval'],
]);

function isScalarArray(node: Node): boolean {
  if ('A_ArrayExpr' in node) return (node.A_ArrayExpr.elements ?? []).every(isMouldable);
  if (!('TypeCast' in node)) return false;
  const { typeName } = node.TypeCast;
  return (typeName?.arrayBounds ?? []).length === 1 && SCALARS.has(builtinName(namesOf(typeName?.names)) ?? '');
}

/** The elements become values of the column. `elementOid`: their type, by a cast. */
function mouldArray(
  analysis: Analysis,
  node: Node,
  scope: Scope,
  column: SealedColumn,
  purpose: ValuePurpose,
  elementOid: number | undefined,
): void {
  analysis.use(column);
  if ('TypeCast' in node && node.TypeCast.arg !== undefined) {
    const { searchPath } = analysis.input;
    const oid = castFor(node.TypeCast, column, { shape: 'array', purpose, searchPath }) ?? column.type.oid;
    replaceType(analysis, node.TypeCast, `${storedType(column).name}[]`, column);
    return mouldArray(analysis, node.TypeCast.arg, scope, column, purpose, elementOid ?? oid);
  }
  if ('ParamRef' in node) return mouldParameter(analysis, node.ParamRef, column, purpose, 'array', elementOid);
  if ('A_ArrayExpr' in node) {
    for (const element of node.A_ArrayExpr.elements ?? []) mould(analysis, element, scope, column, purpose);
    return;
  }
  if (isNullConstant(node)) return;
  if ('A_Const' in node) return mouldArrayConstant(analysis, node.A_Const, column, purpose, elementOid);
  throw refuseUse(
    `this array cannot be sealed for column ${columnName(column)}`,
    nodeLocation(node),
    "Pass it as a parameter, or write '{a,b}' or ARRAY['a', 'b'].",
  );
}
