/**
 * Whether a column's values were sealed deterministically: for `check --rebind`, where nothing but the values themselves can say so.
 *
 * A randomized value in a deterministic column would never be found by what it says, and no error would tell.
 */
import type { Dek } from '../../crypto/key-types.ts';
import { openValue, parseSealedValue, sealValue } from '../../envelope/sealed-value.ts';
import type { ServiceSession } from '../service/connection.ts';
import { quoteIdentifier, quoteQualified } from '../service/names.ts';
import type { SealRule } from '../service/rules.ts';

const CURSOR = 'sealgate_values';
const BATCH_ROWS = 500;

/** Seals every value anew: the same bytes must come out. `deks`: by hex id, all that the values name. */
export async function isDeterministic(
  session: ServiceSession,
  { schema, table, column }: Pick<SealRule, 'schema' | 'table' | 'column'>,
  deks: ReadonlyMap<string, Dek>,
  columnId: string,
): Promise<boolean> {
  const name = quoteIdentifier(column);
  const values = `SELECT ${name}::bytea AS value FROM ${quoteQualified(schema, table)} WHERE ${name} IS NOT NULL`;
  await session.query(`DECLARE ${CURSOR} NO SCROLL CURSOR FOR ${values}`);
  try {
    for (;;) {
      const rows = await session.query<{ value: Buffer }>(`FETCH ${BATCH_ROWS} FROM ${CURSOR}`);
      if (!rows.every(({ value }) => sealsToItself(value, deks, Buffer.from(columnId, 'hex')))) return false;
      if (rows.length < BATCH_ROWS) return true;
    }
  } finally {
    await session.query(`CLOSE ${CURSOR}`);
  }
}

function sealsToItself(sealed: Uint8Array, deks: ReadonlyMap<string, Dek>, aad: Uint8Array): boolean {
  const { dekId } = parseSealedValue(sealed);
  const dek = deks.get(Buffer.from(dekId).toString('hex'));
  if (dek === undefined) return false;
  const plaintext = openValue({ dek, aad, sealed });
  const again = sealValue({ dek, dekId, aad, plaintext, mode: 'deterministic' }, noRandomness);
  return Buffer.from(again).equals(sealed);
}

function noRandomness(): never {
  throw new TypeError('deterministic sealing draws no randomness');
}
