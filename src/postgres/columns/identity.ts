/**
 * Identity of sealed columns: the random ids in `sealgate.columns` and `sealgate.domains`, which are AAD of all values, bound to
 * name, relation and attnum.
 *
 * Threat: two tables swapped by renaming, a column dropped and made again, a restored dump: writing under the old id would mix
 * values of two identities. Whatever is not exactly where it was bound fails closed until `check --rebind`.
 */
import type { RandomSource } from '../../crypto/random.ts';
import type { Questions, ServiceSession } from '../service/connection.ts';
import type { LiveColumn } from '../service/live-column.ts';
import { COLUMNS_TABLE, DOMAINS_TABLE, quoteIdentifier, quoteQualified } from '../service/names.ts';
import { repeated } from '../service/repeated.ts';
import type { SealRule } from '../service/rules.ts';
import { ID_BYTES } from '../service/schema.ts';
import { comparisonClassOf, storageClassOf } from './column-type.ts';
import { ColumnError } from './errors.ts';

export type ColumnIdentity = { readonly id: string; readonly domainId: string | undefined };

type BoundRow = {
  id: Buffer;
  relation: string;
  attnum: number;
  logical_type: string;
  mode: string;
  domain_name: string | null;
};

/** A live column that exists: `judgeColumn` has passed it. */
export type PlacedColumn = LiveColumn & { readonly attnum: number };

/** What else is known of the places that names are bound to. */
export type Looks = {
  /** Whether the column that a name was bound to is still anywhere, under whatever name. */
  readonly stillExists: (place: Pick<BoundRow, 'relation' | 'attnum'>) => Promise<boolean>;
  readonly holdsValues: (rule: SealRule, live: PlacedColumn) => Promise<boolean>;
};

/** As the session that asks sees it. */
export function looksOf(session: Questions): Looks {
  return {
    stillExists: (place) => stillExists(session, place),
    holdsValues: (rule, live) => holdsValues(session, rule, live),
  };
}

/**
 * The column's identity; an empty column that never had one gets it now.
 *
 * Errors: ERR_POSTGRES_COLUMN_MOVED, ERR_POSTGRES_COLUMN_RULE_CHANGED, ERR_POSTGRES_COLUMN_CONSTRAINT.
 */
export async function identify(
  session: ServiceSession,
  rule: SealRule,
  live: PlacedColumn,
  random: RandomSource,
  looks: Looks = looksOf(session),
): Promise<ColumnIdentity> {
  const known = (await findBound(session, rule)) ?? (await bindNew(session, rule, live, random, looks));
  const bound = isAt(known, live) ? known : await bindAgain(session, rule, live, random, looks);
  if (Object.values(MOVING_MODES).some((moving) => bound.mode.startsWith(moving)))
    throw new ColumnError(
      'ERR_POSTGRES_COLUMN_RULE_CHANGED',
      'its values are on their way in or out: finish `sealgate postgres seal` or `unseal`',
    );
  if (!sameSealing(bound, rule)) {
    throw new ColumnError(
      'ERR_POSTGRES_COLUMN_RULE_CHANGED',
      'it was bound with another mode, domain or type than the rule now says',
    );
  }
  const domainId = rule.domain === undefined ? undefined : await domainIdOf(session, rule, rule.domain, random);
  return { id: bound.id.toString('hex'), domainId };
}

function isAt({ relation, attnum }: BoundRow, live: PlacedColumn): boolean {
  return Number(relation) === live.relation && attnum === live.attnum;
}

/**
 * The column was dropped and made anew, with its table or alone: while it holds no values it takes over its identity, or, where it is to be
 * sealed otherwise, gets another. What still exists elsewhere keeps its values and identity, and this column fails closed.
 */
async function bindAgain(
  session: ServiceSession,
  rule: SealRule,
  live: PlacedColumn,
  random: RandomSource,
  looks: Looks,
): Promise<BoundRow> {
  await session.query(`LOCK TABLE ${COLUMNS_TABLE} IN SHARE ROW EXCLUSIVE MODE`);
  const old = await findBound(session, rule);
  if (old !== undefined && isAt(old, live)) return old;
  if (old === undefined || (await looks.stillExists(old)) || (await looks.holdsValues(rule, live)))
    throw moved('the table or column is not the one it was bound to');
  await refuseBoundElsewhere(session, live);
  const id = sameSealing(old, rule) ? old.id : Buffer.from(random(ID_BYTES));
  await session.query(`DELETE FROM ${COLUMNS_TABLE} WHERE id = $1`, [old.id]);
  return bind(session, rule, live, id);
}

/**
 * The identity under which the values of a plain column are going to be sealed. `begun`: some have been, so it stays what it is; else what
 * was bound to this place before holds nothing any more and gives way. `marked`: the record says that the values are on their way.
 *
 * Errors: as `identify`.
 */
export async function identifyPlain(
  session: ServiceSession,
  rule: SealRule,
  live: PlacedColumn,
  begun: boolean | 'marked',
  random: RandomSource,
): Promise<ColumnIdentity> {
  await session.query(`LOCK TABLE ${COLUMNS_TABLE} IN SHARE ROW EXCLUSIVE MODE`);
  const bound = await findBound(session, rule);
  if (begun === 'marked') {
    const mode = MOVING_MODES.sealing + modeOf(rule);
    if (bound !== undefined && isAt(bound, live) && bound.mode === mode)
      return { id: bound.id.toString('hex'), domainId: undefined };
    return { id: await bindPlain(session, rule, live, bound, mode, random), domainId: undefined };
  }
  if (!begun && !(bound !== undefined && isAt(bound, live) && sameSealing(bound, rule))) {
    await bindPlain(session, rule, live, bound, modeOf(rule), random);
  }
  return identify(session, rule, live, random);
}

/** In the place of what was bound there. Gives the new id, in hex. */
async function bindPlain(
  session: ServiceSession,
  rule: SealRule,
  live: PlacedColumn,
  bound: BoundRow | undefined,
  mode: string,
  random: RandomSource,
): Promise<string> {
  const elsewhere = bound !== undefined && !isAt(bound, live) && (await stillExists(session, bound));
  // A table that was renamed away: its values are sealed under what is bound to this name.
  if (elsewhere) throw moved('its name is bound to another table, which is still there');
  await session.query(
    `DELETE FROM ${COLUMNS_TABLE} WHERE (relation = $1 AND attnum = $2) OR (schema_name = $3 AND table_name = $4 AND column_name = $5)`,
    [live.relation, live.attnum, rule.schema, rule.table, rule.column],
  );
  const id = Buffer.from(random(ID_BYTES)).toString('hex');
  await insertBinding(session, rule, live, id, mode);
  return id;
}

/** The place holds plain values again. */
export async function forgetBinding(session: ServiceSession, live: PlacedColumn): Promise<void> {
  await session.query(`DELETE FROM ${COLUMNS_TABLE} WHERE relation = $1 AND attnum = $2`, [live.relation, live.attnum]);
}

async function stillExists(
  session: Questions,
  { relation, attnum }: Pick<BoundRow, 'relation' | 'attnum'>,
): Promise<boolean> {
  const found = await session.query(
    'SELECT 1 FROM pg_attribute WHERE attrelid = $1 AND attnum = $2 AND NOT attisdropped',
    [relation, attnum],
  );
  return found.length > 0;
}

async function refuseBoundElsewhere(session: ServiceSession, live: PlacedColumn): Promise<void> {
  const [elsewhere] = await session.query(`SELECT id FROM ${COLUMNS_TABLE} WHERE relation = $1 AND attnum = $2`, [
    live.relation,
    live.attnum,
  ]);
  if (elsewhere !== undefined) throw moved('it was bound under another name');
}

function moved(why: string): ColumnError {
  return new ColumnError('ERR_POSTGRES_COLUMN_MOVED', `${why}; if this is intended, run sealgate check --rebind`);
}

function sameSealing(bound: BoundRow, rule: SealRule): boolean {
  const sameType = storageClassOf(bound.logical_type) === storageClassOf(rule.type);
  return sameType && bound.mode === modeOf(rule) && bound.domain_name === (rule.domain ?? null);
}

/** Before the mode of a format-preserving column whose values are moved: no rule says it. */
export const MOVING_MODES = { sealing: 'sealing ', unsealing: 'unsealing ' } as const;

/** Everything about the mode that decides stored bytes. What keeps its form has no bytes to say so, so the record says it all. */
export function modeOf({ mode, format }: SealRule): string {
  if (format === undefined) return mode;
  const { alphabet, keepFirst, keepLast, generation } = format;
  return `format-preserving ${alphabet} ${keepFirst} ${keepLast} ${generation}`;
}

const BOUND = repeated(
  `SELECT id, relation::bigint::text AS relation, attnum, logical_type, mode, domain_name FROM ${COLUMNS_TABLE}
   WHERE schema_name = $1 AND table_name = $2 AND column_name = $3`,
);

async function findBound(session: ServiceSession, { schema, table, column }: SealRule): Promise<BoundRow | undefined> {
  const [row] = await session.query<BoundRow>(BOUND, [schema, table, column]);
  return row;
}

async function bindNew(
  session: ServiceSession,
  rule: SealRule,
  live: PlacedColumn,
  random: RandomSource,
  looks: Looks,
): Promise<BoundRow> {
  // One at a time: between another proxy's binding and our looks below, its first values could be taken for values without identity.
  await session.query(`LOCK TABLE ${COLUMNS_TABLE} IN SHARE ROW EXCLUSIVE MODE`);
  const faster = await findBound(session, rule);
  if (faster !== undefined) return faster;
  await refuseBoundElsewhere(session, live);
  if (await looks.holdsValues(rule, live)) throw moved('it holds values, but has no identity in schema sealgate');
  const id = Buffer.from(random(ID_BYTES));
  return bind(session, rule, live, id);
}

async function bind(session: ServiceSession, rule: SealRule, live: PlacedColumn, id: Buffer): Promise<BoundRow> {
  await insertBinding(session, rule, live, id.toString('hex'));
  const bound = await findBound(session, rule);
  if (bound === undefined) throw moved('its identity cannot be read back');
  return bound;
}

/** Does nothing where the name is bound already: another proxy was faster. */
export async function insertBinding(
  session: ServiceSession,
  rule: SealRule,
  live: PlacedColumn,
  id: string,
  mode = modeOf(rule),
): Promise<void> {
  await session.query(
    `INSERT INTO ${COLUMNS_TABLE} (id, schema_name, table_name, column_name, relation, attnum, logical_type, mode, domain_name)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
    [
      Buffer.from(id, 'hex'),
      rule.schema,
      rule.table,
      rule.column,
      live.relation,
      live.attnum,
      rule.type,
      mode,
      rule.domain ?? null,
    ],
  );
}

/** A table without a page, and without children, holds nothing, and may be one that the service role may not look into. */
const IS_NEW = `
SELECT c.relkind = 'r' AND NOT c.relhassubclass AND pg_relation_size(c.oid) = 0 AS new FROM pg_class c WHERE c.oid = $1`;

/** An empty column looks through its whole table once, at its first binding. */
async function holdsValues(session: Questions, rule: SealRule, live: PlacedColumn): Promise<boolean> {
  const [size] = await session.query<{ new: boolean }>(IS_NEW, [live.relation]);
  if (size?.new === true) return false;
  const table = quoteQualified(rule.schema, rule.table);
  const [row] = await session.query<{ any: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM ${table} WHERE ${quoteIdentifier(rule.column)} IS NOT NULL) AS any`,
  );
  return row?.any !== false;
}

/** The domain's id; made at its first use. */
async function domainIdOf(
  session: ServiceSession,
  rule: SealRule,
  name: string,
  random: RandomSource,
): Promise<string> {
  const wanted = comparisonClassOf(rule);
  await insertDomain(session, name, Buffer.from(random(ID_BYTES)).toString('hex'), wanted);
  const [row] = await session.query<{ id: Buffer; comparison_class: string }>(
    `SELECT id, comparison_class FROM ${DOMAINS_TABLE} WHERE name = $1`,
    [name],
  );
  if (row === undefined || row.comparison_class !== wanted) {
    throw new ColumnError('ERR_POSTGRES_COLUMN_CONSTRAINT', `domain ${name} holds values that compare otherwise`);
  }
  return row.id.toString('hex');
}

/** Does nothing where the name is taken. */
export async function insertDomain(
  session: ServiceSession,
  name: string,
  id: string,
  comparison: string,
): Promise<void> {
  await session.query(
    `INSERT INTO ${DOMAINS_TABLE} (name, id, comparison_class) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [name, Buffer.from(id, 'hex'), comparison],
  );
}
