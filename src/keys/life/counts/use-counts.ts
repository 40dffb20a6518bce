/**
 * What each material has protected, in memory: using a key never writes to the key store. It is rebuilt from the audit log when the store is
 * opened (`replay.ts`). It may count too much, for a use that failed or a record that is missing, and never too little.
 */
import { MAX_WRAPPED_PLAINTEXT_BYTES } from '../../../envelope/limits.ts';

export type MaterialUse = { readonly operations: number; readonly bytes: number };
/** Records that are missing, by when that was seen: each may have been a use of any material that was there by then. */
export type MissingRecords = { readonly at: string; readonly records: number };

export const NO_USE: MaterialUse = { operations: 0, bytes: 0 };
/** More than one use protects. */
export const MAX_BYTES_OF_USE = MAX_WRAPPED_PLAINTEXT_BYTES;

/** Of more places, the last ones are one. */
const MAX_MISSING = 100;

export class UseCounts {
  readonly #uses = new Map<string, { operations: number; bytes: number }>();
  readonly #missing: MissingRecords[] = [];

  note(material: string, bytes: number, operations = 1): void {
    const used = this.#uses.get(material);
    if (used === undefined) this.#uses.set(material, { operations, bytes });
    else {
      used.operations += operations;
      used.bytes += bytes;
    }
  }

  noteMissing(missing: MissingRecords): void {
    if (missing.records <= 0) return;
    const last = this.#missing.at(-1);
    if (last === undefined || this.#missing.length < MAX_MISSING) this.#missing.push(missing);
    // Seen later, it concerns more materials.
    else this.#missing[MAX_MISSING - 1] = { at: missing.at, records: last.records + missing.records };
  }

  /** With what missing records may hide; `createdAt` in ISO 8601. */
  of(material: string, createdAt: string): MaterialUse {
    const used = this.#uses.get(material) ?? NO_USE;
    const hidden = this.hidden(createdAt);
    if (hidden === 0) return used;
    return { operations: used.operations + hidden, bytes: used.bytes + hidden * MAX_BYTES_OF_USE };
  }

  /** How many uses of a material of that age may be missing. */
  hidden(createdAt: string): number {
    return this.#missing.reduce((sum, { at, records }) => (createdAt <= at ? sum + records : sum), 0);
  }

  get size(): number {
    return this.#uses.size;
  }

  uses(): Iterable<readonly [string, MaterialUse]> {
    return this.#uses;
  }

  missing(): readonly MissingRecords[] {
    return this.#missing;
  }
}
