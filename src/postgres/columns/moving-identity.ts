/**
 * Identity of a format-preserving column while its values are moved in or out. Neither its type nor its values say on which side it is, so
 * the record does: `sealing ` or `unsealing ` before the mode. No rule says that, so the proxy refuses the column meanwhile.
 */
import type { RandomSource } from '../../crypto/random.ts';
import type { Questions, ServiceSession } from '../service/connection.ts';
import { COLUMNS_TABLE } from '../service/names.ts';
import type { SealRule } from '../service/rules.ts';
import { ID_BYTES } from '../service/schema.ts';
import { ColumnError } from './errors.ts';
import { identifyPlain, modeOf, MOVING_MODES, type ColumnIdentity, type PlacedColumn } from './identity.ts';

/** `none`: what the column holds is plain as far as the record goes. `other`: sealed, and otherwise than the rule says. */
export type Mark = 'none' | 'sealing' | 'sealed' | 'unsealing' | 'other';

export async function markOf(session: Questions, rule: SealRule, live: PlacedColumn): Promise<Mark> {
  const [bound] = await session.query<{ mode: string }>(
    `SELECT mode FROM ${COLUMNS_TABLE} WHERE relation = $1 AND attnum = $2`,
    [live.relation, live.attnum],
  );
  const mode = modeOf(rule);
  switch (bound?.mode) {
    case mode:
      return 'sealed';
    case MOVING_MODES.unsealing + mode:
      return 'unsealing';
    default:
      // What was begun under another format is begun anew: no value of it has come to the column yet.
      if (bound?.mode.startsWith(MOVING_MODES.sealing) === true) return 'sealing';
      return /^(?:unsealing )?format-preserving /.test(bound?.mode ?? '') ? 'other' : 'none';
  }
}

/** The identity that values are going to be sealed under. Precondition: the mark is `none` or `sealing`. Errors: as `identifyPlain`. */
export async function identifySealing(
  session: ServiceSession,
  rule: SealRule,
  live: PlacedColumn,
  random: RandomSource,
): Promise<ColumnIdentity> {
  return identifyPlain(session, rule, live, 'marked', random);
}

/** That of values which are on their way out. Errors: ERR_POSTGRES_COLUMN_MOVED. */
export async function identifyUnsealing(
  session: ServiceSession,
  rule: SealRule,
  live: PlacedColumn,
): Promise<ColumnIdentity> {
  const [bound] = await session.query<{ id: Buffer }>(
    `SELECT id FROM ${COLUMNS_TABLE} WHERE relation = $1 AND attnum = $2 AND mode = ANY ($3::text[])
     AND schema_name = $4 AND table_name = $5 AND column_name = $6`,
    [
      live.relation,
      live.attnum,
      [modeOf(rule), MOVING_MODES.unsealing + modeOf(rule)],
      rule.schema,
      rule.table,
      rule.column,
    ],
  );
  if (bound?.id.length === ID_BYTES) return { id: bound.id.toString('hex'), domainId: undefined };
  throw new ColumnError('ERR_POSTGRES_COLUMN_MOVED', 'it is bound under another name; run sealgate check --rebind');
}

/** From one mark to another. Errors: ERR_POSTGRES_COLUMN_MOVED where the column has neither. */
export async function setMark(
  session: Questions,
  rule: SealRule,
  live: PlacedColumn,
  from: 'sealing' | 'sealed' | 'unsealing',
  to: 'sealed' | 'unsealing',
): Promise<void> {
  const text = (mark: typeof from): string => (mark === 'sealed' ? '' : MOVING_MODES[mark]) + modeOf(rule);
  const changed = await session.query(
    `UPDATE ${COLUMNS_TABLE} SET mode = $4 WHERE relation = $1 AND attnum = $2 AND mode IN ($3, $4) RETURNING id`,
    [live.relation, live.attnum, text(from), text(to)],
  );
  if (changed.length === 1) return;
  throw new ColumnError('ERR_POSTGRES_COLUMN_MOVED', 'its identity, or its rule, was changed meanwhile');
}
