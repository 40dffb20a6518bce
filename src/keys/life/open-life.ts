/** What a key manager needs to hold its keys to their lives: the terms, and the counts where there are limits. Each region's guard asks them. */
import type { AuditIdentity } from '../audit/identity.ts';
import type { AuditLog } from '../audit/log.ts';
import { KeptCounts } from './counts/kept-counts.ts';
import { LifeTerms } from './terms/key-terms.ts';
import { DEFAULT_LIFE, type LifeOptions } from './terms/options.ts';

export type OpenedLife = {
  readonly options: LifeOptions;
  readonly terms: LifeTerms;
  /** Of materials by their ids, which related keys of several regions share. To be closed after the log. */
  readonly kept: KeptCounts | undefined;
};

/** Reads the audit log where uses are to be counted; where that fails the log is closed. */
export async function openLife(
  options: LifeOptions = DEFAULT_LIFE,
  log: AuditLog,
  identity: AuditIdentity,
  nowMs: number,
): Promise<OpenedLife> {
  try {
    const terms = new LifeTerms(options);
    const kept = terms.hasLimits ? new KeptCounts(log, identity, new Date(nowMs).toISOString()) : undefined;
    return { options, terms, kept };
  } catch (error) {
    await log.close();
    throw error;
  }
}
