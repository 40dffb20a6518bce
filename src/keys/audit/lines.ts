/** Reads a log's lines with their places, in bounded memory. */
import { readSync } from 'node:fs';
import { MAX_AUDIT_LINE_BYTES } from '../limits.ts';

/** `whole`: `bytes` is all of it; `long`: longer than any record, cut; `unfinished`: the last one, without its line end. */
export type LogLine = {
  readonly type: 'whole' | 'long' | 'unfinished';
  readonly bytes: Uint8Array;
  readonly start: number;
  /** The byte after it, line end included. */
  readonly end: number;
};

const CHUNK_BYTES = 256 * 1024;
const LINE_END = 0x0a;

/** Of a file whose first byte has the place `base`, from the place `from` on. */
export function* readLines(file: number, from: number, base = 0): Generator<LogLine> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let rest: Uint8Array = new Uint8Array(0);
  let restLength = 0;
  let start = from;
  for (let position = from - base; ;) {
    const read = readSync(file, chunk, 0, chunk.length, position);
    if (read === 0) break;
    position += read;
    let at = 0;
    for (let found = chunk.indexOf(LINE_END); found !== -1 && found < read; found = chunk.indexOf(LINE_END, at)) {
      const length = restLength + found - at;
      const bytes = Buffer.concat([rest, chunk.subarray(at, found)]);
      const type = length <= MAX_AUDIT_LINE_BYTES ? 'whole' : 'long';
      yield { type, bytes, start, end: start + length + 1 };
      start += length + 1;
      [rest, restLength, at] = [new Uint8Array(0), 0, found + 1];
    }
    restLength += read - at;
    // A line without end is counted, not kept.
    if (restLength <= MAX_AUDIT_LINE_BYTES) rest = Buffer.concat([rest, chunk.subarray(at, read)]);
  }
  if (restLength > 0) yield { type: 'unfinished', bytes: rest, start, end: start + restLength };
}

/** The whole line that ends (line end included) right before `offset`; undefined if there is none. */
export function lineBefore(file: number, offset: number): Uint8Array | undefined {
  const length = Math.min(offset, MAX_AUDIT_LINE_BYTES + 2);
  const bytes = Buffer.alloc(length);
  if (readSync(file, bytes, 0, length, offset - length) !== length || bytes[length - 1] !== LINE_END) return undefined;
  const start = length < 2 ? -1 : bytes.lastIndexOf(LINE_END, length - 2);
  if (start === -1 && length < offset) return undefined;
  return bytes.subarray(start + 1, length - 1);
}
