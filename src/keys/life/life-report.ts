/** What a report says of the life of a key: the terms that hold for it, and what of its limits is used up. */
import { laterHead, readHeadFile } from '../audit/head-file.ts';
import type { AuditIdentity } from '../audit/identity.ts';
import type { AuditHead } from '../audit/record.ts';
import type { HeldKey } from '../key-ring.ts';
import type { KeyManagerOptions } from '../options.ts';
import { replayUses } from './counts/replay.ts';
import type { UseCounts } from './counts/use-counts.ts';
import { LifeTerms, type KeyTerms } from './terms/key-terms.ts';
import { DEFAULT_LIFE } from './terms/options.ts';

export type LimitsUsed = {
  /** A material, by its version. */
  readonly material: number;
  readonly operations: number;
  readonly bytes: number;
  /** Of these, operations that are only counted because records of the audit trail are missing. */
  readonly missing: number;
};

export type LifeReading = {
  readonly termsOf: (key: HeldKey, aliases: readonly string[]) => KeyTerms;
  /** Of a key that has limits, of each material. */
  readonly usedOf: (key: HeldKey, terms: KeyTerms) => readonly LimitsUsed[];
};

/** Reads the audit log where limits are set. */
export function readLife(
  { life = DEFAULT_LIFE, audit }: Pick<KeyManagerOptions, 'life' | 'audit'>,
  { identity, auditHead }: { readonly identity: AuditIdentity; readonly auditHead: AuditHead },
  nowMs: number,
): LifeReading {
  const terms = new LifeTerms(life);
  const counts = terms.hasLimits ? readCounts(audit.path, identity, auditHead, nowMs) : undefined;
  return {
    termsOf: (key, aliases) => terms.of(key.record, aliases),
    usedOf: (key, { maxOperations, maxBytes }) =>
      counts === undefined || (maxOperations === null && maxBytes === null) ? [] : usedOf(key, counts),
  };
}

function readCounts(path: string, identity: AuditIdentity, auditHead: AuditHead, nowMs: number): UseCounts {
  // Before the log: its owner may append while it is read.
  const remembered = laterHead(auditHead, readHeadFile(path, identity)) ?? auditHead;
  return replayUses(path, identity, remembered, new Date(nowMs).toISOString()).counts;
}

function usedOf({ materials }: HeldKey, counts: UseCounts): readonly LimitsUsed[] {
  return [...materials.values()].map(({ name, record: { version, createdAt } }) => ({
    material: version,
    ...counts.of(name, createdAt),
    missing: counts.hidden(createdAt),
  }));
}
