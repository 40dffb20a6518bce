/**
 * Values with sealed ones inside them, as columns that no rule names: they have an identity of their own and are randomized, so whatever
 * would compare, store or compute with them is refused where that is refused for a sealed column.
 */
import type { CarriedParts, JsonForm, JsonShape, LogicalType, RowField, SealedColumn, ValueSort } from '../../plan.ts';
import { leavesOf } from '../../carried/json-leaves.ts';
import { arrayOf, isText, logicalType } from '../../types/registry.ts';
import { unnamed, withoutModifier, type SealedValue } from './values.ts';

/** What a column, or a plain field, is in whatever carries it. */
function partOf(column: SealedColumn | undefined): readonly SealedColumn[] {
  if (column === undefined) return [];
  return column.carries?.columns ?? [column];
}

/** How many places the analysis knows in a value. */
export function placesIn(column: SealedColumn | undefined): number {
  return column?.carries?.places ?? 1;
}

type Parts = readonly (SealedColumn | undefined)[];

/** Undefined: nothing in it is sealed. */
function carrying(carried: CarriedParts, parts: Parts, type: LogicalType, id: string): SealedValue | undefined {
  const columns = [...new Map(parts.flatMap(partOf).map((column) => [column.id, column])).values()];
  const [first] = columns;
  if (first === undefined) return undefined;
  const { database, schema, table, column, relationOid, attnum, keyId } = first;
  const place = { database, schema, table, column, relationOid, attnum, keyId };
  const places = parts.reduce((sum, part) => sum + placesIn(part), 0);
  const carries = { ...carried, columns, places };
  return unnamed({ ...place, id, type, storedType: type, mode: 'randomized', domain: undefined, carries });
}

/** An array of the column's values. Undefined: of its type there is none that could be told here. */
export function carriedArray(column: SealedColumn, sorted?: ValueSort): SealedValue | undefined {
  const { type, storedType = type } = column;
  if (column.carries?.as === 'row' && column.carries.isText !== true) return arrayOfRows(column);
  if (column.carries !== undefined && column.carries.as !== 'text') return undefined;
  // Arrays of arrays have more dimensions; the array type of a domain is not known.
  if (type.name === 'array' || type.arrayOid === 0) return undefined;
  if (storedType.domain !== undefined) return undefined;
  const of = withoutModifier(column);
  if (sorted === undefined) return carrying({ as: 'array', of }, [of], arrayOf(of.type), `${column.id}[]`);
  const { descending, nullsFirst } = sorted;
  const id = `${column.id}[] ${descending ? 'down' : 'up'} ${nullsFirst ? 'from' : 'to'} NULL`;
  return carrying({ as: 'array', of, sorted }, [of], arrayOf(of.type), id);
}

function arrayOfRows(of: SealedColumn): SealedValue | undefined {
  const type: LogicalType = { name: 'array', oid: RECORD_ARRAY, arrayOid: 0, typmod: -1, typlen: -1, element: of.type };
  return carrying({ as: 'array', of }, [of], type, `${of.id}[]`);
}

/** Texts as string_agg joins them. Undefined: it takes no such values as they are, or their ciphertext could not be told apart again. */
export function carriedJoined(column: SealedColumn): SealedValue | undefined {
  if (column.carries !== undefined && column.carries.as !== 'text') return undefined;
  if (column.format !== undefined || !isText(column.type)) return undefined;
  const of = withoutModifier(column);
  return carrying({ as: 'joined', of }, [of], logicalType('text'), `${column.id} joined`);
}

/** The value cast to text or varchar. Undefined: how the server would do it is not known. */
export function carriedText(column: SealedColumn, type: LogicalType): SealedValue | undefined {
  if (column.carries !== undefined || column.format !== undefined) return undefined;
  const of = withoutModifier(column);
  return carrying({ as: 'text', of }, [of], type, `text of ${column.id}`);
}

/** The row's text, in a text column. */
export function carriedRowText(row: SealedColumn, type: LogicalType): SealedValue | undefined {
  const { carries } = row;
  if (carries?.as !== 'row') return undefined;
  const parts = carries.fields.map(({ column }) => column);
  return carrying({ ...carries, isText: true }, parts, type, `text of ${row.id}`);
}

/** Undefined: nothing in it is sealed. */
export function carriedJson(shape: JsonShape, form: JsonForm): SealedValue | undefined {
  const parts = leavesOf(shape);
  if (parts.every((part) => part === undefined)) return undefined;
  return carrying({ as: 'json', shape }, parts, logicalType(form), `${form} ${JSON.stringify(shape, identity)}`);
}

/** Columns in what tells one shape from another: by their ids, and what carries others by what it carries. */
function identity(_key: string, value: unknown): unknown {
  const isColumn = typeof value === 'object' && value !== null && 'attnum' in value && 'id' in value;
  if (!isColumn) return value;
  const { id, type, carries } = value as SealedColumn; // nothing else in a shape has both
  if (carries === undefined) return [id, type];
  switch (carries.as) {
    case 'array':
      return [carries.of, carries.sorted];
    case 'joined':
    case 'text':
      return [carries.as, carries.of];
    case 'json':
      return [carries.shape];
    case 'row':
      return [carries.alias, carries.fields];
  }
}

/** Undefined: nothing in it is sealed. */
export function carriedRow(alias: string, location: number, fields: readonly RowField[]): SealedValue | undefined {
  const type: LogicalType = { name: 'text', oid: RECORD, arrayOid: 0, typmod: -1, typlen: -1 };
  const parts = fields.map(({ column }) => column);
  if (parts.every((part) => part === undefined)) return undefined;
  // Rows of one alias may be of different subqueries.
  const id = `row of ${alias} ${JSON.stringify(fields, identity)}`;
  const row = carrying({ as: 'row', alias, location, fields }, parts, type, id);
  // Of a table's own row the server names the table.
  return row && { ...row, origin: { type: 'any' } };
}

/** pg_type.oid of record and record[]. */
const RECORD = 2249;
const RECORD_ARRAY = 2287;

/** The value as JSON; undefined: how the server would write it is not known here. */
export function jsonShape(column: SealedColumn, form: JsonForm): JsonShape | undefined {
  const { carries } = column;
  if (carries === undefined) {
    const { type, storedType = type } = column;
    return isJsonable(storedType, form) ? { is: 'value', column: withoutModifier(column), form } : undefined;
  }
  switch (carries.as) {
    case 'array': {
      const items = jsonShape(carries.of, form);
      return items && listShape(items, carries.sorted);
    }
    case 'json':
      return form === 'json' ? carries.shape : asJsonb(carries.shape);
    case 'joined':
    case 'text':
      return { is: 'value', column, form };
    case 'row':
      return carries.isText === true ? undefined : rowShape(carries.fields, form);
  }
}

/** Enums may have a cast to json of their own; json that becomes jsonb is written otherwise. */
function isJsonable(type: LogicalType, form: JsonForm): boolean {
  if (type.element !== undefined) return isJsonable(type.element, form);
  return type.name !== 'enum' && !(type.name === 'json' && form === 'jsonb');
}

function rowShape(fields: readonly RowField[], form: JsonForm): JsonShape | undefined {
  const shapes = fields.map(({ column }) => (column === undefined ? PLAIN_SHAPE : jsonShape(column, form)));
  return objectShape(
    fields.map(({ name }, index) => ({ key: name, shape: shapes[index] })),
    form,
  );
}

export function listShape(items: JsonShape, sorted: ValueSort | undefined): JsonShape {
  return { is: 'list', items, ...(sorted !== undefined && { sorted }) };
}

export const PLAIN_SHAPE: JsonShape = { is: 'plain' };

/** jsonb orders its members by key and keeps the last of one key: each has to be known. */
export function objectShape(
  members: readonly { readonly key: string | undefined; readonly shape: JsonShape | undefined }[],
  form: JsonForm,
): JsonShape | undefined {
  const known = members.flatMap(({ key, shape }) => (shape === undefined ? [] : [{ key, shape }]));
  if (known.length < members.length) return undefined;
  if (form === 'json') return { is: 'object', by: 'place', members: known };
  const last = new Map(known.map((member) => [member.key, member]));
  return last.has(undefined) ? undefined : { is: 'object', by: 'key', members: [...last.values()] };
}

/** JSON that is read again as jsonb. */
function asJsonb(shape: JsonShape): JsonShape | undefined {
  switch (shape.is) {
    case 'plain':
      return shape;
    case 'value':
      return jsonShape(shape.column, 'jsonb');
    case 'list': {
      const items = asJsonb(shape.items);
      return items && listShape(items, shape.sorted);
    }
    case 'map': {
      const values = asJsonb(shape.values);
      return values && { is: 'map', values };
    }
    case 'tuple': {
      const items = shape.items.flatMap((item) => asJsonb(item) ?? []);
      return items.length === shape.items.length ? { is: 'tuple', items } : undefined;
    }
    case 'object':
      return objectShape(
        shape.members.map(({ key, shape: inner }) => ({ key, shape: asJsonb(inner) })),
        'jsonb',
      );
  }
}
