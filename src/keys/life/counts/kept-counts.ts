/** The counts of the store's owner: written beside the audit log now and then, and when it is closed. */
import { open, rename } from 'node:fs/promises';
import type { AuditIdentity } from '../../audit/identity.ts';
import type { AuditLog } from '../../audit/log.ts';
import { EMPTY_HEAD, type AuditHead } from '../../audit/record.ts';
import { writeFileDurably } from '../../stores/durable-file.ts';
import { countPath, encodeCounts } from './count-file.ts';
import { replayUses } from './replay.ts';
import type { UseCounts } from './use-counts.ts';

/** So many records a start reads at most, at some 100,000 in a second; and writing the counts costs little beside writing those. */
const MIN_RECORDS_BETWEEN = 200_000;
const RECORDS_FOR_EACH_COUNT = 10;

export class KeptCounts {
  readonly counts: UseCounts;
  readonly #log: AuditLog;
  readonly #identity: AuditIdentity;
  #savedSeq: number;
  #saving: Promise<void> | undefined;
  /** Rotated since what is being saved was put together. */
  #isDue = false;
  readonly #stopListening: () => void;

  /** `now`: ISO 8601. */
  constructor(log: AuditLog, identity: AuditIdentity, now: string) {
    const { counts, from } = replayUses(log.path, identity, log.head, now);
    this.counts = counts;
    this.#log = log;
    this.#identity = identity;
    this.#savedSeq = from.seq;
    // Whoever moves that file away moves none that a start would have to count.
    log.onRotated(() => {
      this.#isDue = true;
      this.#saving ??= this.#save();
    });
    this.#stopListening = log.onWritten(() => {
      if (log.head.seq - this.#savedSeq >= this.#recordsBetween()) this.#saving ??= this.#save();
    });
  }

  /** After the log was closed: all that is counted is in it. */
  async close(): Promise<void> {
    this.#stopListening();
    await this.#saving;
    try {
      writeFileDurably(countPath(this.#log.path), this.#encoded(this.#log.syncedHead));
    } catch {
      // The next start counts more of the log.
    }
  }

  #recordsBetween(): number {
    return Math.max(MIN_RECORDS_BETWEEN, RECORDS_FOR_EACH_COUNT * this.counts.size);
  }

  /** Uses after the head are in these counts too, and will be counted once more: rather too much than too little. */
  async #save(): Promise<void> {
    try {
      do {
        this.#isDue = false;
        const head = this.#log.syncedHead;
        this.#savedSeq = this.#log.head.seq;
        await writeAside(countPath(this.#log.path), this.#encoded(head));
      } while (this.#isDue);
    } catch {
      // The next start counts more of the log.
    } finally {
      this.#saving = undefined;
    }
  }

  #encoded(head: AuditHead): Uint8Array {
    return encodeCounts(this.#identity, head.seq === 0 ? EMPTY_HEAD : head, this.counts);
  }
}

async function writeAside(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
