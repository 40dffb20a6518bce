/** The shape of a row of the KMS error catalogue. */
import type { ErrorCode, ErrorEntry } from '../errors.ts';

/** A KMS error is a catalogue entry with the name clients match on and its HTTP status. */
export type KmsErrorEntry = ErrorEntry & { readonly wireType: string; readonly status: number };

export type KmsCatalogue = Readonly<Record<ErrorCode, KmsErrorEntry>>;

export const row = (wireType: string, status: number, says: string, why: string, fix: string): KmsErrorEntry => ({
  wireType,
  status,
  says,
  why,
  fix,
});
