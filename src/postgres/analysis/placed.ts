/** A refusal that knows no better place points at the beginning of its statement. */
import { AnalysisError } from './errors.ts';

/** `start`: byte offset of the statement. */
export function placed(error: unknown, start: number): unknown {
  if (!(error instanceof AnalysisError) || error.location >= 0) return error;
  const { code, refusal, message } = error;
  return new AnalysisError(code, refusal.sqlstate, message, start, refusal.hint, { cause: error });
}
