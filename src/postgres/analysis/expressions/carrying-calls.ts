/** Functions and constructors whose results carry values as they are given them: arrays, and JSON of built-in functions. */
import type { FuncCall } from 'libpg-query';
import type { JsonForm, JsonShape, RowField, SealedColumn, ValueSort } from '../../plan.ts';
import type { Analysis } from '../query/analysis.ts';
import { refuseUse } from '../errors.ts';
import type { Scope } from '../query/scope.ts';
import { namesOf, type Node } from '../text/syntax.ts';
import {
  carriedArray,
  carriedJson,
  carriedRow,
  jsonShape,
  listShape,
  objectShape,
  placesIn,
  PLAIN_SHAPE,
} from './carried.ts';
import { joiningCall } from './joining-call.ts';
import { nodeLocation, settlePlain } from './mould.ts';
import { refuseSealed } from './refuse-sealed.ts';
import { unknownColumns } from './counts.ts';
import { isStar, starredEntry } from './stars.ts';
import { sortedCall } from './value-sort.ts';
import { columnName, PLAIN, type SettledValue } from './values.ts';

type Maker =
  | { readonly makes: 'array' }
  | { readonly makes: 'joined' }
  | { readonly makes: 'value' | 'list' | 'tuple' | 'object' | 'map'; readonly form: JsonForm };

/** `value`: of the first argument; `list`, `map`: of the values, or keys and values, of many rows; `tuple`, `object`: of the arguments. */
export const MAKERS: ReadonlyMap<string, Maker> = new Map([
  ['array_agg', { makes: 'array' }],
  ['string_agg', { makes: 'joined' }],
  ['to_json', { makes: 'value', form: 'json' }],
  ['to_jsonb', { makes: 'value', form: 'jsonb' }],
  ['row_to_json', { makes: 'value', form: 'json' }],
  ['json_agg', { makes: 'list', form: 'json' }],
  ['jsonb_agg', { makes: 'list', form: 'jsonb' }],
  ['json_build_array', { makes: 'tuple', form: 'json' }],
  ['jsonb_build_array', { makes: 'tuple', form: 'jsonb' }],
  ['json_build_object', { makes: 'object', form: 'json' }],
  ['jsonb_build_object', { makes: 'object', form: 'jsonb' }],
  ['json_object_agg', { makes: 'map', form: 'json' }],
  ['jsonb_object_agg', { makes: 'map', form: 'jsonb' }],
]);

/** What the call gives; undefined: it is of another function. Its ORDER BY, FILTER and OVER are the caller's. */
export function carryingCall(analysis: Analysis, name: string, call: FuncCall, scope: Scope): SettledValue | undefined {
  const maker = MAKERS.get(name);
  if (maker === undefined || call.func_variadic === true) return undefined;
  const args = call.args ?? [];
  const usage = `as an argument of ${namesOf(call.funcname).join('.')}()`;
  const values = args.map((arg) => argumentOf(analysis, arg, scope));
  const first = values.findIndex(({ type }) => type === 'sealed');
  const sealed = values[first];
  if (sealed?.type !== 'sealed') return PLAIN;
  const refused = (): Error => refuseSealed(sealed.column, usage, nodeLocation(args[first] ?? { FuncCall: call }));
  const { sorted } = sortedCall(name, call, sealed.column);
  const isTold = sorted !== undefined && sealed.column.mode === 'deterministic';
  if (call.agg_distinct === true && !isTold)
    throw refuseDistinct(sealed.column, usage, nodeLocation(args[first] ?? { FuncCall: call }));
  const made =
    maker.makes === 'array'
      ? carriedArray(sealed.column, sorted)
      : maker.makes === 'joined'
        ? joined(analysis, call, values, first, usage)
        : madeJson(analysis, maker, args, values, sorted);
  if (made === undefined) throw refused();
  return made;
}

function joined(
  analysis: Analysis,
  call: FuncCall,
  values: readonly SettledValue[],
  first: number,
  usage: string,
): SettledValue | undefined {
  const [value, delimiter] = values;
  if (value?.type !== 'sealed') return undefined;
  if (delimiter?.type === 'sealed')
    throw refuseSealed(delimiter.column, usage, nodeLocation(call.args?.[1] ?? { FuncCall: call }));
  return joiningCall(analysis, call, value.column, first);
}

/** The server sorts to find what is distinct, and gives it in that order: of ciphertext, where it would be of values. */
function refuseDistinct(column: SealedColumn, usage: string, location: number): Error {
  if (column.carries !== undefined || column.mode === 'randomized')
    return refuseSealed(column, `${usage} with DISTINCT`, location);
  return refuseUse(
    `sealed column ${columnName(column)} cannot be used ${usage} with DISTINCT, which puts values in their order`,
    location,
    'Take the distinct values in a subquery, FROM (SELECT DISTINCT ...), and put them in order in the application.',
  );
}

/** A row constructor is a row of its own; anything else is what it is elsewhere. */
function argumentOf(analysis: Analysis, arg: Node, scope: Scope): SettledValue {
  if ('RowExpr' in arg) return rowValue(analysis, arg.RowExpr.args ?? [], scope);
  const value = analysis.infer(arg, scope);
  if (value.type !== 'mouldable') return value;
  settlePlain(analysis, value.node, scope);
  return PLAIN;
}

/** ROW(...), whose fields the server names f1, f2, ... */
export function rowValue(analysis: Analysis, items: readonly Node[], scope: Scope): SettledValue {
  const columns = items.flatMap((item) => fieldsOf(analysis, item, scope));
  const star = items.find((item) => isStar(item) && isWide(analysis, item, scope));
  if (star !== undefined && columns.some((column) => column !== undefined)) throw unknownColumns(nodeLocation(star));
  const fields = columns.map((column, index): RowField => ({ name: `f${index + 1}`, column }));
  analysis.source.spend(fields.reduce((sum, { column }) => sum + placesIn(column), 0));
  return carriedRow('ROW()', -1, fields) ?? PLAIN;
}

/** `t.*` is as many fields as it has columns. */
function fieldsOf(analysis: Analysis, item: Node, scope: Scope): readonly (SealedColumn | undefined)[] {
  const entry = starredEntry(analysis, item, scope);
  if (entry?.opaque === true) throw unknownColumns(nodeLocation(item));
  if (entry === undefined) return [sealedIn(argumentOf(analysis, item, scope))];
  return entry.columns.map(({ value, open }) => {
    open?.settlePlain();
    if (value.type === 'sealed') analysis.refer(value);
    return sealedIn(value);
  });
}

function sealedIn(value: SettledValue): SealedColumn | undefined {
  return value.type === 'sealed' ? value.column : undefined;
}

/** A star whose fields cannot be counted. */
function isWide(analysis: Analysis, star: Node, scope: Scope): boolean {
  return starredEntry(analysis, star, scope)?.wide ?? true;
}

type JsonMaker = Exclude<Maker, { makes: 'array' | 'joined' }>;

function madeJson(
  analysis: Analysis,
  maker: JsonMaker,
  args: readonly Node[],
  values: readonly SettledValue[],
  sorted: ValueSort | undefined,
): SettledValue | undefined {
  const { form } = maker;
  for (const value of values) if (value.type === 'sealed') analysis.source.spend(placesIn(value.column));
  const shapes = values.map((value) => (value.type === 'sealed' ? jsonShape(value.column, form) : PLAIN_SHAPE));
  const shape = madeShape(analysis, maker, args, shapes, sorted);
  return shape && carriedJson(shape, form);
}

function madeShape(
  analysis: Analysis,
  { makes, form }: JsonMaker,
  args: readonly Node[],
  shapes: readonly (JsonShape | undefined)[],
  sorted: ValueSort | undefined,
): JsonShape | undefined {
  const [first, second] = shapes;
  switch (makes) {
    case 'value':
      return shapes[1] === undefined || shapes[1] === PLAIN_SHAPE ? first : undefined;
    case 'list':
      return first && listShape(first, sorted);
    case 'tuple': {
      const items = shapes.filter((shape) => shape !== undefined);
      return items.length === shapes.length ? { is: 'tuple', items } : undefined;
    }
    case 'map':
      return first === PLAIN_SHAPE && second !== undefined ? { is: 'map', values: second } : undefined;
    case 'object':
      return builtObject(analysis, form, args, shapes);
  }
}

/** Keys and values in turn. */
function builtObject(
  analysis: Analysis,
  form: JsonForm,
  args: readonly Node[],
  shapes: readonly (JsonShape | undefined)[],
): JsonShape | undefined {
  const keys = args.filter((_arg, index) => index % 2 === 0);
  if (shapes.some((shape, index) => index % 2 === 0 && shape !== PLAIN_SHAPE)) return undefined;
  // The keys are constants, in which plans of one text may differ.
  analysis.literalsMatter = true;
  return objectShape(
    keys.map((key, index) => ({ key: constantText(key), shape: shapes[2 * index + 1] })),
    form,
  );
}

function constantText(node: Node): string | undefined {
  if ('TypeCast' in node && node.TypeCast.arg !== undefined) {
    const type = namesOf(node.TypeCast.typeName?.names).at(-1);
    return type === 'text' ? constantText(node.TypeCast.arg) : undefined;
  }
  return 'A_Const' in node ? node.A_Const.sval?.sval : undefined;
}

/** ARRAY[...] of one column's values and NULLs. */
export function carryingArray(analysis: Analysis, elements: readonly Node[], scope: Scope): SettledValue {
  const values = elements.map((element) => argumentOf(analysis, element, scope));
  const first = values.find(({ type }) => type === 'sealed');
  if (first?.type !== 'sealed') return PLAIN;
  const made = carriedArray(first.column);
  const alike = values.every((value, index) =>
    value.type === 'sealed'
      ? value.column.id === first.column.id && value.column.type.oid === first.column.type.oid
      : isNull(elements[index]),
  );
  if (made === undefined || !alike)
    throw refuseSealed(first.column, 'in an array', nodeLocation(elements[0] ?? { A_ArrayExpr: {} }));
  return made;
}

function isNull(node: Node | undefined): boolean {
  return node !== undefined && 'A_Const' in node && node.A_Const.isnull === true;
}

/** ARRAY(SELECT ...). */
export function carryingSubquery(value: SettledValue, location: number): SettledValue {
  if (value.type !== 'sealed') return PLAIN;
  const made = carriedArray(value.column);
  if (made === undefined) throw refuseSealed(value.column, 'in this kind of subquery', location);
  return made;
}
