/** COPY's binary format: a header, rows of length-prefixed fields, a trailer (manual, "COPY", Binary Format). */
import { uint32At } from '../wire/reader.ts';
import { badCopyData } from './errors.ts';
import { FieldList } from './fields.ts';
import type { CopyOutput } from './output.ts';
import type { FieldCodec, Found, RowScanner } from './rows.ts';

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const FLAGS_BYTES = 4;
const WITH_OIDS = 1 << 16;
const CRITICAL_FLAGS = 0xffff0000;
const COUNT_BYTES = 2;
const LENGTH_BYTES = 4;
const TRAILER = 0xffff;
const NULL_LENGTH = 0xffffffff;

/** How many bytes the header at `start` has; undefined where more must be seen. Throws where it is none. */
export function binaryHeaderLength(bytes: Uint8Array, start: number, end: number): number | undefined {
  const have = Math.min(SIGNATURE.length, end - start);
  if (Buffer.compare(SIGNATURE.subarray(0, have), bytes.subarray(start, start + have)) !== 0)
    throw badCopyData('COPY file signature not recognized');
  const extensionAt = start + SIGNATURE.length + FLAGS_BYTES;
  if (end < extensionAt + LENGTH_BYTES) return undefined;
  const flags = uint32At(bytes, start + SIGNATURE.length);
  if ((flags & WITH_OIDS) !== 0) throw badCopyData('invalid COPY file header (WITH OIDS)');
  if ((flags & CRITICAL_FLAGS) !== 0) throw badCopyData('unrecognized critical flags in COPY file header');
  const extension = uint32At(bytes, extensionAt);
  if (extension > 0x7fffffff) throw badCopyData('invalid COPY file header (missing length)');
  return SIGNATURE.length + FLAGS_BYTES + LENGTH_BYTES + extension;
}

/** Rows after the header. A field is its length and its value. */
export class BinaryRows implements RowScanner {
  readonly fields: FieldList;
  readonly lines = 1;
  readonly unterminated = false;
  contentEnd = 0;
  next = 0;
  readonly #columns: number;
  #seen = 0;

  constructor(columns: number) {
    this.fields = new FieldList(columns);
    this.#columns = columns;
  }

  scan(bytes: Uint8Array, start: number, end: number, last: boolean): Found {
    if (start === end && last) return 'end';
    if (this.#seen === 0) {
      if (end - start < COUNT_BYTES) return this.#more(last);
      const count = ((bytes[start] ?? 0) << 8) | (bytes[start + 1] ?? 0);
      if (count === TRAILER) {
        if (end - start > COUNT_BYTES) throw badCopyData('received copy data after EOF marker');
        return 'end';
      }
      if (count !== this.#columns)
        throw badCopyData(`row field count is ${(count << 16) >> 16}, expected ${this.#columns}`);
      this.fields.reset(COUNT_BYTES);
      this.#seen = COUNT_BYTES;
    }
    while (this.fields.count < this.#columns) {
      const at = start + this.#seen;
      if (end - at < LENGTH_BYTES) return this.#more(last);
      const length = uint32At(bytes, at);
      if (length !== NULL_LENGTH && length > 0x7fffffff) throw badCopyData('invalid field size');
      const size = length === NULL_LENGTH ? 0 : length;
      if (end - at - LENGTH_BYTES < size) return this.#more(last);
      this.fields.close(this.#seen + LENGTH_BYTES + size, 0);
      this.#seen += LENGTH_BYTES + size;
    }
    this.contentEnd = this.#seen;
    this.next = this.#seen;
    this.#seen = 0;
    return 'row';
  }

  #more(last: boolean): Found {
    if (last) throw badCopyData('unexpected EOF in COPY data');
    return 'more';
  }
}

export class BinaryFields implements FieldCodec {
  readonly valueFormat = 'binary';

  read(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
    return uint32At(bytes, start) === NULL_LENGTH ? undefined : bytes.subarray(start + LENGTH_BYTES, end);
  }

  writeSealed(output: CopyOutput, sealed: Uint8Array): void {
    this.writeValue(output, sealed);
  }

  writePreserved(output: CopyOutput, text: Uint8Array): void {
    this.writeValue(output, text);
  }

  sealedBytes(value: Uint8Array): Uint8Array {
    return value;
  }

  writeValue(output: CopyOutput, value: Uint8Array): void {
    output.int32(value.length);
    output.bytes(value);
  }
}
