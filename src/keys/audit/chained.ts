/** Lines that continue a chain, not yet written. */
import { checkpointEntry } from './checkpoint.ts';
import type { AuditIdentity } from './identity.ts';
import {
  lineHashText,
  lineRoom,
  recordJson,
  repeatedRoom,
  writeRecord,
  writeRepeated,
  type AuditEntry,
  type AuditHead,
  type RepeatedEntry,
} from './record.ts';
import { RecordFrames } from './record-frames.ts';

const LINE_END = 0x0a;
/** Some dozens of records; what needs more grows it. */
const FIRST_BYTES = 64 * 1024;
/** What a batch that was larger than usual leaves to the next one. */
const MAX_KEPT_BYTES = 1024 * 1024;

/** Where lines are put together before they are written: used by one batch after the other, since a write is over when it returns. */
export class LineBuffer {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  readonly frames = new RecordFrames();

  /** With room for `more` bytes after the first `length`, which stay. */
  reserve(length: number, more: number): Buffer {
    if (length + more > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length + more, 2 * this.#bytes.length));
      this.#bytes.copy(grown, 0, 0, length);
      this.#bytes = grown;
    }
    return this.#bytes;
  }

  /** The first `length` bytes, until the next lines are put there. */
  first(length: number): Uint8Array {
    return this.#bytes.subarray(0, length);
  }

  release(): void {
    if (this.#bytes.length > MAX_KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }
}

/** A chain's end as the next record names it: by its hash in hex. */
export type ChainEnd = Omit<AuditHead, 'hash'> & { readonly hash: string };

export const endOf = ({ seq, hash, offset }: AuditHead): ChainEnd => ({
  seq,
  hash: Buffer.from(hash.buffer, hash.byteOffset, hash.length).toString('hex'),
  offset,
});
export const headOf = ({ seq, hash, offset }: ChainEnd): AuditHead => ({
  seq,
  hash: Buffer.from(hash, 'hex'),
  offset,
});

export class Chained {
  readonly #identity: AuditIdentity;
  readonly #buffer: LineBuffer;
  readonly #start: number;
  #length = 0;
  #seq: number;
  /** Of the last line, in hex. */
  #hash: string;
  /** Whether the last of them is a checkpoint. */
  isAttested = false;

  constructor(identity: AuditIdentity, { seq, hash, offset }: ChainEnd, buffer: LineBuffer) {
    this.#identity = identity;
    this.#buffer = buffer;
    this.#start = offset;
    this.#seq = seq;
    this.#hash = hash;
  }

  get end(): ChainEnd {
    return { seq: this.#seq, hash: this.#hash, offset: this.#start + this.#length };
  }

  /** Good until the buffer is used again. */
  get bytes(): Uint8Array {
    return this.#buffer.first(this.#length);
  }

  add(entry: AuditEntry | RepeatedEntry): void {
    if ('saying' in entry) this.#repeat(entry);
    else this.#say(entry);
  }

  #say(entry: AuditEntry): void {
    const start = this.#length;
    const json = recordJson(this.#buffer.frames.membersOf(entry), this.#seq + 1, this.#hash);
    const bytes = this.#buffer.reserve(start, lineRoom(json) + 1);
    this.#endLine(bytes, start, writeRecord(json, this.#identity.key, bytes, start));
  }

  #repeat(entry: RepeatedEntry): void {
    const start = this.#length;
    const bytes = this.#buffer.reserve(start, repeatedRoom(entry) + 1);
    const place = { seq: this.#seq + 1, prevHash: this.#hash };
    this.#endLine(bytes, start, writeRepeated(entry, place, this.#identity.key, bytes, start));
  }

  #endLine(bytes: Buffer, start: number, end: number): void {
    this.#hash = lineHashText(bytes.subarray(start, end));
    this.#seq += 1;
    bytes[end] = LINE_END;
    this.#length = end + 1;
  }

  attest(nowMs: number): void {
    this.add(checkpointEntry(this.#identity, headOf(this.end), nowMs));
    this.isAttested = true;
  }
}
