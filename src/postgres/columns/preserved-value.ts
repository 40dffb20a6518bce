/** Values that keep their form: a text is checked against the rule's format before it is sealed, and what is stored before it is opened. */
import type { Dek } from '../../crypto/key-types.ts';
import { misfit, openFormat, sealFormat } from '../../envelope/format-preserving.ts';
import type { SealedColumn } from '../plan.ts';
import { SQLSTATE, ValueError } from '../types/errors.ts';

/** The text that is stored, in UTF-8. Errors: ERR_POSTGRES_VALUE_FORMAT. */
export function sealPreserved(dek: Dek, column: SealedColumn, plaintext: Uint8Array): Uint8Array {
  return changed(dek, column, plaintext, sealFormat, (why) => {
    const message = `invalid value for format-preserving column ${nameOf(column)}: ${why}`;
    return new ValueError('ERR_POSTGRES_VALUE_FORMAT', SQLSTATE.syntax, message);
  });
}

/** Errors: ERR_POSTGRES_VALUE_DAMAGED. */
export function openPreserved(dek: Dek, column: SealedColumn, stored: Uint8Array): Uint8Array {
  return changed(dek, column, stored, openFormat, (why) => {
    const message = `a stored value of format-preserving column ${nameOf(column)} is none: ${why}`;
    return new ValueError('ERR_POSTGRES_VALUE_DAMAGED', SQLSTATE.corrupted, message);
  });
}

function changed(
  dek: Dek,
  column: SealedColumn,
  bytes: Uint8Array,
  change: typeof sealFormat,
  refuse: (why: string) => ValueError,
): Uint8Array {
  const { id, format } = column;
  if (format === undefined) throw new TypeError('the column preserves no format');
  // What is not ASCII fits no alphabet, whatever its bytes look like one by one.
  const text = Buffer.from(bytes).toString('latin1');
  const why = misfit(format, text);
  if (why !== undefined) throw refuse(why);
  return Buffer.from(change({ dek, aad: Buffer.from(id, 'hex'), format, text }), 'latin1');
}

function nameOf({ schema, table, column }: SealedColumn): string {
  return `${schema}.${table}.${column}`;
}
