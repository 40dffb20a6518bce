/** Refusals of schema changes: nothing was sent, so the catalog is as it was. */
import { AnalysisError } from '../errors.ts';

/** feature_not_supported, with where, why, and the way to write it. */
export function refuseDdl(message: string, location: number, hint: string): AnalysisError {
  return new AnalysisError('ERR_POSTGRES_SEALED_DDL', '0A000', message, location, hint);
}

export const DIRECTLY = 'Change it directly on the server, then run `sealgate check`.';
