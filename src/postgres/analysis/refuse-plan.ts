/** The one place where trouble becomes a plan. */
import { SealgateError } from '../../errors.ts';
import type { Refusal, RefusePlan } from '../plan.ts';
import { AnalysisError } from './errors.ts';
import { SequenceError } from './one-by-one.ts';
import type { SourceText } from './text/source-text.ts';

export function refusePlan(error: unknown, source: SourceText): RefusePlan {
  if (!(error instanceof AnalysisError)) {
    const code: string = error instanceof SealgateError ? String(error.code) : 'ERR_POSTGRES_ANALYSIS';
    const message = `the statement could not be analysed (${code})`;
    return { type: 'refuse', refusal: { code: 'ERR_POSTGRES_ANALYSIS', sqlstate: 'XX000', message } };
  }
  const place = error.location >= 0 ? { place: { position: source.position(error.location) } } : {};
  const refusal: Refusal = { ...error.refusal, ...place };
  return { type: 'refuse', refusal, ...(error instanceof SequenceError && { oneByOne: error.oneByOne }) };
}
