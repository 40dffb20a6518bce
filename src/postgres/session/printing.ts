/**
 * Values are printed under the encoding of the moment in which their rows are asked for, which may be another than when they were planned. In another than
 * UTF8 they are refused ahead of the first row, where nothing is lost yet.
 */
import type { Refusal, SealedPlan } from '../plan.ts';
import type { Session } from './session.ts';

export const NOT_PRINTED: Refusal = {
  sqlstate: '0A000',
  code: 'ERR_POSTGRES_SESSION_SETTINGS',
  message: 'client_encoding is not UTF8: values of sealed columns are not printed',
  hint: 'SET client_encoding TO UTF8.',
};

export function printsSealed({ results, copy }: SealedPlan): boolean {
  return copy?.direction === 'out' || results?.some((column) => column !== undefined) === true;
}

/** Under the settings that are known. */
export function isPrintable({ settings }: Session, plan: SealedPlan): boolean {
  return settings.clientEncoding === 'UTF8' || !printsSealed(plan);
}
