/** Bind ('B'), frontend (manual, "Message Formats"). */
import { FRONTEND } from '../wire/message-types.ts';
import { protocolError } from '../wire/protocol-error.ts';
import { nameOf, Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';

export type Bind = {
  readonly portal: string;
  readonly statement: string;
  /** None (all text), one (for all), or one for each. */
  readonly formats: readonly number[];
  /** Views over the body; undefined is NULL. */
  readonly values: readonly (Uint8Array | undefined)[];
  readonly resultFormats: readonly number[];
};

/** The names at the head of a Bind, and how many bytes they take. */
export type BindNames = { readonly portal: string; readonly statement: string; readonly length: number };

/** Undefined where `bytes` from `start` to `end` do not hold both. */
export function bindNames(bytes: Uint8Array, start: number, end: number): BindNames | undefined {
  const first = bytes.indexOf(0, start);
  if (first < 0 || first >= end) return undefined;
  const second = bytes.indexOf(0, first + 1);
  if (second < 0 || second >= end) return undefined;
  return {
    portal: nameOf(bytes, start, first),
    statement: nameOf(bytes, first + 1, second),
    length: second + 1 - start,
  };
}

export function decodeBind(body: Uint8Array): Bind {
  const names = bindNames(body, 0, body.length);
  if (names === undefined) throw protocolError('invalid string in message');
  return decodeBindAfter(names, body);
}

/** Throws where the body, `bytes` from `start` to `end`, ends before its values begin: the server finds that before it looks at the transaction. */
export function checkBindHead({ length }: BindNames, bytes: Uint8Array, start: number, end: number): void {
  readHead(new Reader(bytes, start + length, end));
}

function readHead(reader: Reader): { formats: number[]; count: number } {
  return { formats: formatCodes(reader), count: reader.uint16() };
}

/** Where the names of the body have been read before. */
export function decodeBindAfter({ portal, statement, length }: BindNames, body: Uint8Array): Bind {
  const reader = new Reader(body, length);
  const { formats, count } = readHead(reader);
  const values: (Uint8Array | undefined)[] = [];
  for (let i = 0; i < count; i++) {
    const length = reader.int32();
    values.push(length === -1 ? undefined : reader.bytes(length));
  }
  const resultFormats = formatCodes(reader);
  reader.end();
  return { portal, statement, formats, values, resultFormats };
}

export function encodeBind(bind: Bind): Uint8Array {
  let size = bind.portal.length + bind.statement.length + 8 + 2 * (bind.formats.length + bind.resultFormats.length);
  for (const value of bind.values) size += 4 + (value?.length ?? 0);
  const writer = new Writer(FRONTEND.bind, size).name(bind.portal).name(bind.statement);
  writer.int16(bind.formats.length);
  for (const format of bind.formats) writer.int16(format);
  writer.int16(bind.values.length);
  for (const value of bind.values) writer.value(value);
  writer.int16(bind.resultFormats.length);
  for (const format of bind.resultFormats) writer.int16(format);
  return writer.frame();
}

/** The format of the n-th (from 0) of several under the rule "none, one for all, or one each". */
export function formatAt(formats: readonly number[], index: number): number {
  return (formats.length === 1 ? formats[0] : formats[index]) ?? 0;
}

function formatCodes(reader: Reader): number[] {
  const count = reader.uint16();
  const formats: number[] = [];
  for (let i = 0; i < count; i++) formats.push(reader.uint16());
  return formats;
}
