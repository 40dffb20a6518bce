/** Lines that continue a chain, not yet written. */
import { checkpointEntry } from './checkpoint.ts';
import type { AuditIdentity } from './identity.ts';
import { advance, encodeRecord, type AuditEntry, type AuditHead } from './record.ts';

const LINE_END = Buffer.from('\n');

export class Chained {
  readonly #identity: AuditIdentity;
  readonly #parts: Uint8Array[] = [];
  #head: AuditHead;
  /** Whether the last of them is a checkpoint. */
  isAttested = false;

  constructor(identity: AuditIdentity, head: AuditHead) {
    this.#identity = identity;
    this.#head = head;
  }

  get head(): AuditHead {
    return this.#head;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  add(entry: AuditEntry): void {
    const seq = this.#head.seq + 1;
    const line = encodeRecord(entry, seq, this.#head.hash, this.#identity.key);
    this.#parts.push(line, LINE_END);
    this.#head = advance(this.#head, seq, line);
  }

  attest(nowMs: number): void {
    this.add(checkpointEntry(this.#identity, this.#head, nowMs));
    this.isAttested = true;
  }
}
