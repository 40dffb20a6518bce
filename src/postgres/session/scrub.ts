/**
 * Upstream errors and notices about sealed statements: what could show a value, its ciphertext, or text the client never wrote, is
 * taken out, and positions are mapped back to the client's own text.
 */
import { scrubContext } from '../copy/errors.ts';
import type { ErrorFields } from '../messages/error-response.ts';
import type { SealedPlan } from '../plan.ts';
import { clientPosition } from '../positions.ts';

/** Detail, context, and the internal query with its position: they quote rows, literals and rewritten SQL. */
const DROPPED = ['D', 'W', 'p', 'q'] as const;
const HEX_BYTEA = /\\x[0-9a-fA-F]{8,}/g;

/** The fields to send. `plan`: of the statement the error belongs to, where its text was rewritten. */
export function scrubError(fields: ErrorFields, plan: SealedPlan | undefined): ErrorFields {
  const scrubbed = new Map(fields);
  for (const code of DROPPED) scrubbed.delete(code);
  const context = plan?.copy === undefined ? undefined : scrubContext(fields.get('W') ?? '');
  if (context !== undefined) scrubbed.set('W', context);
  if (fields.has('D')) scrubbed.set('D', 'Left out by Sealgate: it may show sealed values.');
  for (const code of ['M', 'H']) {
    const text = scrubbed.get(code);
    if (text !== undefined) scrubbed.set(code, text.replace(HEX_BYTEA, '(sealed value)'));
  }
  const position = plan === undefined ? undefined : clientPosition(Number(fields.get('P')), plan);
  if (position === undefined) scrubbed.delete('P');
  else scrubbed.set('P', String(position));
  return scrubbed;
}
