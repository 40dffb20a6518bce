/** unnest() in FROM whose columns are stored in sealed columns: its arrays are sealed element by element. */
import type { RangeFunction } from 'libpg-query';
import type { SealedColumn } from '../plan.ts';
import type { Analysis, ExpectedColumns } from './analysis.ts';
import { castFor, constantSpan } from './constants.ts';
import { refuseUse } from './errors.ts';
import {
  isMouldable,
  isNullConstant,
  mould,
  mouldParameter,
  nodeLocation,
  replaceType,
  requirePlain,
} from './mould.ts';
import { entry, renamed } from './relations.ts';
import type { RangeEntry, Scope } from './scope.ts';
import { builtinName, elementType, namesOf, type Node } from './syntax.ts';
import { columnName, PLAIN, type SettledValue } from './values.ts';

/** The arrays of `unnest(a, b, ...)`, each of which gives one column; undefined: it is another function, or its columns are not known. */
export function unnestArguments({
  functions,
  ordinality,
  coldeflist,
  lateral,
}: RangeFunction): readonly Node[] | undefined {
  const [only, ...more] = functions ?? [];
  const call = only !== undefined && 'List' in only ? only.List.items?.[0] : undefined;
  if (call === undefined || !('FuncCall' in call) || more.length > 0) return undefined;
  if (builtinName(namesOf(call.FuncCall.funcname)) !== 'unnest') return undefined;
  if (ordinality === true || lateral === true || (coldeflist ?? []).length > 0) return undefined;
  const args = call.FuncCall.args ?? [];
  return args.every(isScalarArray) ? args : undefined;
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

export function unnestEntry(
  analysis: Analysis,
  item: RangeFunction,
  args: readonly Node[],
  expected: ExpectedColumns,
  scope: Scope,
): RangeEntry {
  const alias = item.alias?.aliasname ?? 'unnest';
  const columns = args.map((arg, index) => {
    const column = expected[index]?.column;
    if (column === undefined) requirePlain(analysis, arg, scope, 'as an argument of unnest()');
    else mouldStored(analysis, arg, scope, column);
    const value: SettledValue = column === undefined ? PLAIN : { type: 'sealed', column, origin: { type: 'any' } };
    return { name: args.length === 1 ? alias : 'unnest', value };
  });
  return entry(alias, undefined, renamed(columns, item.alias), {});
}

/** Elements of the array are stored in the column. `elementOid`: their type, by a cast. */
function mouldStored(analysis: Analysis, node: Node, scope: Scope, column: SealedColumn, elementOid?: number): void {
  analysis.use(column);
  if ('TypeCast' in node && node.TypeCast.arg !== undefined) {
    const oid = castFor(node.TypeCast, column, 'array') ?? column.type.oid;
    replaceType(analysis, node.TypeCast, 'bytea[]');
    return mouldStored(analysis, node.TypeCast.arg, scope, column, elementOid ?? oid);
  }
  if ('ParamRef' in node) return mouldParameter(analysis, node.ParamRef, column, 'store', 'array', elementOid);
  if ('A_ArrayExpr' in node) {
    for (const element of node.A_ArrayExpr.elements ?? []) mould(analysis, element, scope, column, 'store');
    return;
  }
  if (isNullConstant(node)) return;
  const constant = 'A_Const' in node ? node.A_Const : undefined;
  if (constant?.sval === undefined) {
    throw refuseUse(
      `this array cannot be sealed for column ${columnName(column)}`,
      nodeLocation(node),
      "Pass it as a parameter, or write '{a,b}' or ARRAY['a', 'b'].",
    );
  }
  const own = elementOid === undefined || elementOid === column.type.oid;
  const arrayOid = own ? undefined : elementType(elementOid)?.arrayOid;
  const declared = arrayOid !== undefined && { declaredOid: arrayOid };
  const replacement = {
    column,
    value: constant.sval.sval ?? '',
    purpose: 'store',
    shape: 'array',
    ...declared,
  } as const;
  analysis.edit({ ...constantSpan(analysis.source, constant), replacement });
}
