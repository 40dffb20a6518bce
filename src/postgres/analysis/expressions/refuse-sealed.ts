/** A sealed value where it cannot be used: which, and what can be done with it. */
import type { Carried, SealedColumn } from '../../plan.ts';
import { refuseUse } from '../errors.ts';
import { columnName } from './values.ts';

export function refuseSealed(column: SealedColumn, usage: string, location: number): Error {
  if (column.carries !== undefined) return refuseCarried(column, column.carries, usage, location);
  const hint =
    column.mode === 'randomized'
      ? 'A randomized column can be written, read as it is, and tested for NULL; compute in the application.'
      : 'A deterministic column can be written, read as it is, tested for NULL and compared for equality; compute the rest in the application.';
  return refuseUse(`sealed column ${columnName(column)} cannot be used ${usage}`, location, hint);
}

function refuseCarried(column: SealedColumn, carried: Carried, usage: string, location: number): Error {
  const name = columnName(column);
  if (carried.as === 'row')
    return refuseUse(
      `the row of "${carried.alias}" holds sealed column ${name} and cannot be used ${usage}`,
      location,
      'It can be read as it is, as text and as JSON; for anything else name the columns you need one by one.',
    );
  const hint = 'It can be read as it is, and become part of JSON of the same kind; compute in the application.';
  if (carried.as === 'joined')
    return refuseUse(
      `text joined of values of sealed column ${name} cannot be used ${usage}`,
      location,
      'It can be read as it is; compute in the application.',
    );
  if (carried.as === 'text')
    return refuseUse(
      `the text of sealed column ${name} cannot be used ${usage}`,
      location,
      'It can be read as it is; compare the column itself, and compute in the application.',
    );
  return refuseUse(`${carried.as} with values of sealed column ${name} cannot be used ${usage}`, location, hint);
}
