/** Values that carry sealed ones: what is sealed in them, and the same value with that opened. */
import type { Carried, SealedColumn } from '../plan.ts';
import { decodeBinaryArray, encodeBinaryArray } from '../types/array/binary.ts';
import { parseArrayLiteral, printArrayLiteral } from '../types/array/literal.ts';
import type { ShapedElements } from '../types/array/shape.ts';
import type { ValueFormat } from '../types/codec.ts';
import { byteaFromText } from './bytea-text.ts';
import { jsonOfText } from './json-text.ts';
import { findSealed, type FoundString } from './json-walk.ts';

type SealedPart = { readonly column: SealedColumn; readonly sealed: Uint8Array };

/** `iso`: dates are wanted in the ISO style, whatever the session's. */
export type OpenPart = (part: SealedPart, format: ValueFormat, iso: boolean) => Uint8Array;

export type CarriedValue = {
  /** In the order in which they stand. */
  readonly parts: readonly SealedPart[];
  /** The value as the client asked for it: stops after each part, for there may be a million. */
  readonly print: (open: OpenPart, format: ValueFormat) => Generator<void, Uint8Array>;
};

/** @param textual arrays come as text; JSON always does. Throws where the value is not what was planned. */
export function readCarried(column: SealedColumn, carried: Carried, value: Uint8Array, textual: boolean): CarriedValue {
  switch (carried.as) {
    case 'array':
      return readArray(carried.of, textual ? parseArrayLiteral(value) : decodeBinaryArray(value), textual);
    case 'json':
      return readJson(value, findSealed(value, carried.shape), column.type.name === 'jsonb');
    case 'row':
      throw new TypeError('a row as a value');
  }
}

function readArray(column: SealedColumn, { shape, elements }: ShapedElements, textual: boolean): CarriedValue {
  const isText = column.format !== undefined;
  const parts = elements.map((element) =>
    element === undefined ? undefined : { column, sealed: textual && !isText ? byteaFromText(element) : element },
  );
  return {
    parts: parts.filter((part) => part !== undefined),
    *print(open, format) {
      const values: (Uint8Array | undefined)[] = [];
      for (const part of parts) {
        values.push(part && open(part, format, false));
        yield;
      }
      const opened = { shape, elements: values };
      return format === 'text'
        ? printArrayLiteral(opened)
        : encodeBinaryArray({ elementOid: column.type.oid, ...opened });
    },
  };
}

const JSONB_VERSION = Uint8Array.of(1);

function readJson(json: Uint8Array, found: readonly FoundString[], isJsonb: boolean): CarriedValue {
  const parts = found.map((string) => ({ column: string.column, sealed: sealedOf(json, string) }));
  return {
    parts,
    *print(open, format) {
      const pieces: Uint8Array[] = isJsonb && format === 'binary' ? [JSONB_VERSION] : [];
      let copied = 0;
      for (const [index, { column, form, start, end }] of found.entries()) {
        const part = parts[index];
        if (part === undefined) continue;
        const type = column.storedType ?? column.type;
        pieces.push(json.subarray(copied, start), Buffer.from(jsonOfText(type, open(part, 'text', true), form)));
        copied = end;
        yield;
      }
      pieces.push(json.subarray(copied));
      return Buffer.concat(pieces);
    },
  };
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
