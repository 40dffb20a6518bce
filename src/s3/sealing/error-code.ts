/** The stable code of an error of ours; undefined for any other. */
import { SealgateError } from '../../errors.ts';

export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof SealgateError)) return undefined;
  // `instanceof` loses what the class's parameter is bound to.
  return error.code as string;
}
