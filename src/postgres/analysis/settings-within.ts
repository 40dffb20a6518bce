/**
 * Statements that change, while they run, what their own values are printed or read under. The server prints each row as it sends it, and reads each row of
 * a COPY when its turn comes, under what is set by then; which row that is nobody can know who has not run it.
 */
import { printsBySettings } from '../carried/cast-text.ts';
import type { SealedColumn } from '../plan.ts';
import { readsBySettings } from '../types/reads-by-settings.ts';
import type { DraftPlan } from './draft-query.ts';
import { refuseUse } from './errors.ts';
import { columnName } from './expressions/values.ts';
import type { Survey } from './survey.ts';

/** Throws where a value of a sealed column might be printed or read otherwise than the server would. */
export function requireSameWithin(drafted: DraftPlan, { functions, setsStyles, setsEncoding }: Survey): void {
  const { plan, opinion } = drafted;
  // The constant that names the setting decides.
  if (functions.some(({ names }) => names.at(-1) === 'set_config')) opinion.analysis.literalsMatter = true;
  const { results = [], copy } = plan;
  for (const column of results) {
    if (column === undefined) continue;
    // COPY has the encoding that it began with.
    if ((setsEncoding && copy === undefined) || (setsStyles && printsBySettings(column)))
      throw changing(column, 'printed');
  }
  if (!setsStyles || copy?.direction !== 'in' || copy.format.type === 'binary') return;
  for (const field of copy.fields)
    if (field !== undefined && readsBySettings(field.column)) throw changing(field.column, 'read');
}

function changing(column: SealedColumn, done: 'printed' | 'read'): Error {
  return refuseUse(
    `a value of sealed column ${columnName(column)} would be ${done} under settings that the same statement may change`,
    -1,
    'Change settings in a statement of its own, ahead of this one.',
  );
}
