/** Values that carry sealed ones: what is sealed in them, and the same value with that opened. */
import type { Carried, RowField, SealedColumn, ValueSort } from '../plan.ts';
import { decodeBinaryArray, encodeBinaryArray } from '../types/array/binary.ts';
import { parseArrayLiteral, printArrayLiteral } from '../types/array/literal.ts';
import type { ShapedElements } from '../types/array/shape.ts';
import type { ValueFormat } from '../types/codec.ts';
import { decodeBinaryRecord, encodeBinaryRecord } from '../types/record/binary.ts';
import { parseRecordLiteral, printRecordLiteral } from '../types/record/literal.ts';
import { byteaFromText } from './bytea-text.ts';
import { castText } from './cast-text.ts';
import { jsonOfText, jsonString } from './json-text.ts';
import { splitJoined } from './joined.ts';
import { findSealed, type FoundString } from './json-walk.ts';
import { inOrder } from './sorted.ts';

const JSONB_VERSION = Uint8Array.of(1);

type SealedPart = { readonly column: SealedColumn; readonly sealed: Uint8Array };

/** `iso`: dates are wanted in the ISO style, whatever the session's. */
export type OpenPart = (part: SealedPart, format: ValueFormat, iso: boolean) => Uint8Array;

export type CarriedValue = {
  /** In the order in which they stand. */
  readonly parts: readonly SealedPart[];
  /** The value as the client asked for it: stops after each part, for there may be a million. */
  readonly print: (open: OpenPart, format: ValueFormat) => Generator<void, Uint8Array>;
};

/** @param textual arrays and rows come as text; JSON always does. Throws where the value is not what was planned. */
export function readCarried(column: SealedColumn, carried: Carried, value: Uint8Array, textual: boolean): CarriedValue {
  switch (carried.as) {
    case 'array':
      return readArray(carried, textual ? parseArrayLiteral(value) : decodeBinaryArray(value), textual);
    case 'joined':
      return readJoined(carried.of, textual ? byteaFromText(value) : value);
    case 'json':
      return readJson(value, findSealed(value, carried.shape), column.type.name === 'jsonb');
    case 'text':
      return readText(carried.of, textual ? byteaFromText(value) : value);
    case 'row':
      return carried.isText === true || textual
        ? readRecordText(carried.fields, value)
        : readRecord(carried.fields, value);
  }
}

/** A value inside of another, which is sealed itself or carries what is; undefined: nothing of it is, and it stays. */
function readInside(column: SealedColumn | undefined, value: Uint8Array, textual: boolean): CarriedValue | undefined {
  return column && readSealed(column, value, textual);
}

function readSealed(column: SealedColumn, value: Uint8Array, textual = false): CarriedValue {
  const { carries, format: isPreserved } = column;
  if (carries !== undefined) {
    const isBinaryJsonb = !textual && carries.as === 'json' && column.type.name === 'jsonb';
    return readCarried(column, carries, isBinaryJsonb ? value.subarray(JSONB_VERSION.length) : value, textual);
  }
  const part = { column, sealed: textual && isPreserved === undefined ? byteaFromText(value) : value };
  return {
    parts: [part],
    *print(open, format) {
      yield;
      return open(part, format, false);
    },
  };
}

type Inside = { readonly value: Uint8Array | undefined; readonly read: CarriedValue | undefined };

function partsOf(items: readonly Inside[]): readonly SealedPart[] {
  return items.flatMap(({ read }) => read?.parts ?? []);
}

function* printed(items: readonly Inside[], open: OpenPart, format: ValueFormat): Generator<void, Fields> {
  const values: (Uint8Array | undefined)[] = [];
  for (const { value, read } of items) values.push(read === undefined ? value : yield* read.print(open, format));
  return values;
}

type Fields = readonly (Uint8Array | undefined)[];

function readArray(
  { of: column, sorted }: Extract<Carried, { readonly as: 'array' }>,
  { shape, elements, elementOid = 0 }: ShapedElements & { readonly elementOid?: number },
  textual: boolean,
): CarriedValue {
  const items = elements.map((value) => ({ value, read: value && readInside(column, value, textual) }));
  return {
    parts: partsOf(items),
    *print(open, format) {
      const ordered = sorted === undefined ? items : yield* sortedItems(items, column, sorted, open);
      const opened = { shape, elements: yield* printed(ordered, open, format) };
      return format === 'text'
        ? printArrayLiteral(opened)
        : encodeBinaryArray({ elementOid: wireOid(column, elementOid), ...opened });
    },
  };
}

function* sortedItems(
  items: readonly Inside[],
  { type, storedType = type }: SealedColumn,
  sorted: ValueSort,
  open: OpenPart,
): Generator<void, readonly Inside[]> {
  const keys = yield* printed(items, open, 'binary');
  const keyed = items.map((item, index) => ({ ...item, key: keys[index] }));
  return yield* inOrder(keyed, storedType, sorted);
}

function readJoined(column: SealedColumn, value: Uint8Array): CarriedValue {
  const joined = splitJoined(value).map(({ delimiter, sealed }) => ({ delimiter, read: readSealed(column, sealed) }));
  return {
    parts: joined.flatMap(({ read }) => read.parts),
    *print(open) {
      const pieces: Uint8Array[] = [];
      for (const { delimiter, read } of joined) pieces.push(delimiter, yield* read.print(open, 'text'));
      return Buffer.concat(pieces);
    },
  };
}

/** Empty: no value, but the text that COALESCE may give in its place. */
function readText(column: SealedColumn, value: Uint8Array): CarriedValue {
  const part = { column, sealed: value };
  return {
    parts: value.length === 0 ? [] : [part],
    *print(open) {
      yield;
      return value.length === 0 ? value : castText(column.storedType ?? column.type, open(part, 'text', false));
    },
  };
}

/** Of a row its type is the server's to say. */
function wireOid({ type, carries }: SealedColumn, said: number): number {
  return carries?.as === 'row' || carries?.as === 'json' ? said : (type.domain?.oid ?? type.oid);
}

/** `textual`: its fields' values, too. */
function rowItems(fields: readonly RowField[], values: Fields, textual: boolean): readonly Inside[] {
  if (values.length !== fields.length) throw new TypeError('a row with another number of fields');
  return values.map((value, index) => ({ value, read: value && readInside(fields[index]?.column, value, textual) }));
}

function readRecordText(fields: readonly RowField[], value: Uint8Array): CarriedValue {
  const items = rowItems(fields, parseRecordLiteral(value, fields.length === 0), true);
  return {
    parts: partsOf(items),
    *print(open) {
      return printRecordLiteral(yield* printed(items, open, 'text'));
    },
  };
}

function readRecord(fields: readonly RowField[], value: Uint8Array): CarriedValue {
  const said = decodeBinaryRecord(value);
  const items = rowItems(
    fields,
    said.map((field) => field.value),
    false,
  );
  return {
    parts: partsOf(items),
    *print(open) {
      const values = yield* printed(items, open, 'binary');
      return encodeBinaryRecord(
        said.map(({ typeOid }, index) => {
          const column = fields[index]?.column;
          return { typeOid: column === undefined ? typeOid : wireOid(column, typeOid), value: values[index] };
        }),
      );
    },
  };
}

/** `part`: undefined of a null, and of a text, which is `read`. */
type JsonItem = {
  readonly place: FoundString;
  readonly part?: SealedPart | undefined;
  readonly read?: CarriedValue;
};

function jsonItem(json: Uint8Array, place: FoundString): JsonItem {
  if (place.isNull) return { place };
  const { column } = place;
  const sealed = sealedOf(json, place);
  return column.carries === undefined
    ? { place, part: { column, sealed } }
    : { place, read: readCarried(column, column.carries, sealed, false) };
}

function readJson(json: Uint8Array, found: readonly FoundString[], isJsonb: boolean): CarriedValue {
  const items = found.map((place) => jsonItem(json, place));
  return {
    parts: items.flatMap(({ part, read }) => read?.parts ?? part ?? []),
    *print(open, format) {
      const pieces: Uint8Array[] = isJsonb && format === 'binary' ? [JSONB_VERSION] : [];
      let copied = 0;
      for (const [index, item] of (yield* inTheirPlaces(items, open)).entries()) {
        const { start, end } = found[index] ?? item.place;
        pieces.push(json.subarray(copied, start), Buffer.from(yield* jsonText(item, open)));
        copied = end;
        yield;
      }
      pieces.push(json.subarray(copied));
      return Buffer.concat(pieces);
    },
  };
}

function* jsonText({ part, read, place: { form } }: JsonItem, open: OpenPart): Generator<void, string> {
  if (read !== undefined) return jsonString(yield* read.print(open, 'text'));
  if (part === undefined) return 'null';
  const { type, storedType = type } = part.column;
  return jsonOfText(storedType, open(part, 'text', true), form);
}

/** As they are; those of a list that is put in an order, in that. */
function* inTheirPlaces(items: readonly JsonItem[], open: OpenPart): Generator<void, readonly JsonItem[]> {
  if (items.every(({ place }) => place.list === undefined)) return items;
  const placed: JsonItem[] = [];
  for (let at = 0; at < items.length;) {
    const list = items[at]?.place.list;
    let end = at + 1;
    while (list !== undefined && items[end]?.place.list === list) end += 1;
    const run = items.slice(at, end);
    for (const item of list === undefined ? run : yield* sortedJson(run, list.sorted, open)) placed.push(item);
    at = end;
  }
  return placed;
}

function* sortedJson(
  items: readonly JsonItem[],
  sorted: ValueSort,
  open: OpenPart,
): Generator<void, readonly JsonItem[]> {
  const keyed: (JsonItem & { readonly key: Uint8Array | undefined })[] = [];
  for (const item of items) {
    keyed.push({ ...item, key: item.part && open(item.part, 'binary', false) });
    yield;
  }
  const [first] = items;
  if (first === undefined) return items;
  const { type, storedType = type } = first.place.column;
  return yield* inOrder(keyed, storedType, sorted);
}

/** `"\\x` */
const HEX_START = Buffer.from(String.raw`"\\x`);

/** bytea as its text output, inside of a JSON string. */
function sealedOf(json: Uint8Array, { column, start, end }: FoundString): Uint8Array {
  const token = Buffer.from(json.buffer, json.byteOffset + start, end - start);
  const isHex = column.format === undefined && token.subarray(0, HEX_START.length).equals(HEX_START);
  // Without the quotes and the second backslash.
  if (isHex) return byteaFromText(token.subarray(2, -1));
  const text = Buffer.from(String(JSON.parse(token.toString('utf8'))));
  return column.format === undefined ? byteaFromText(text) : text;
}
