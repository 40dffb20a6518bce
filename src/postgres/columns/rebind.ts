/**
 * `sealgate check --rebind`: binds each ruled column anew to the identity its stored values were sealed under.
 *
 * The values themselves are asked: each names its DEK, and the DEK's context, authenticated by the key manager, names column
 * or domain. So a swapped or renamed table finds back to its identity, and a lost schema is rebuilt from escrow.
 */
import type { Dek } from '../../crypto/key-types.ts';
import type { RandomSource } from '../../crypto/random.ts';
import { SEALED_VALUE_MAGIC } from '../../envelope/sealed-value.ts';
import type { DataKeys, KeyUse } from '../../keys/uses/data-keys.ts';
import type { ServiceConnection, ServiceSession } from '../service/connection.ts';
import { readLiveColumn } from '../service/live-column.ts';
import {
  COLUMNS_TABLE,
  DEKS_TABLE,
  DOMAINS_TABLE,
  META_TABLE,
  quoteIdentifier,
  quoteQualified,
} from '../service/names.ts';
import { ruleName, type SealRule } from '../service/rules.ts';
import { ID_BYTES } from '../service/schema.ts';
import { comparisonClassOf, storageClassOf } from './column-type.ts';
import { escrowOwnerOf, fromEscrow, insertDek, ownerOfContext, type DekOwner, type StoredDek } from './dek-table.ts';
import { ColumnError } from './errors.ts';
import { insertBinding, insertDomain, modeOf, type PlacedColumn } from './identity.ts';
import { isDeterministic } from './prove-deterministic.ts';

export type RebindOptions = {
  readonly connection: ServiceConnection;
  readonly keys: DataKeys;
  readonly random: RandomSource;
  /** Who runs it: each DEK found is tried for this principal. */
  readonly principal: string;
};

/** What became of one rule. */
export type Rebound = { readonly column: string; readonly outcome: 'unchanged' | 'bound' | 'restored' | 'skipped' };

type Plan = {
  readonly rule: SealRule;
  readonly live: PlacedColumn;
  readonly owner: DekOwner | undefined;
  readonly restored: boolean;
};

/** At the offset of the DEK id in a sealed value: magic, version, binding. */
const DEK_ID_OFFSET = SEALED_VALUE_MAGIC.length + 2;

/**
 * All rules of a database in one transaction.
 *
 * Precondition: `ensureSchema` has run. Errors: ERR_POSTGRES_COLUMN_KEY_MISSING, ERR_POSTGRES_COLUMN_RULE_CHANGED (values of
 * several identities in one column, or of the wrong kind), ERR_POSTGRES_SERVICE_*, ERR_KEYS_*.
 */
export async function rebindColumns(options: RebindOptions, rules: readonly SealRule[]): Promise<readonly Rebound[]> {
  return options.connection.transaction(async (session) => {
    await session.query("SELECT set_config('statement_timeout', '0', true), set_config('row_security', 'off', true)");
    await session.query(`LOCK TABLE ${COLUMNS_TABLE}, ${DOMAINS_TABLE}, ${DEKS_TABLE} IN EXCLUSIVE MODE`);
    const source = new DekSource(session, options);
    const plans: Plan[] = [];
    const outcomes: Rebound[] = [];
    for (const rule of rules) {
      const plan = await planRule(session, source, rule);
      if (plan === undefined) outcomes.push({ column: ruleName(rule), outcome: 'skipped' });
      else plans.push(plan);
    }
    return [...outcomes, ...(await bindAll(session, plans, options.random))];
  });
}

async function planRule(session: ServiceSession, source: DekSource, rule: SealRule): Promise<Plan | undefined> {
  const live = await readLiveColumn(session, rule);
  if (live === undefined || live.attnum === null) return undefined;
  if (rule.format !== undefined) return planPreserving(session, rule, { ...live, attnum: live.attnum });
  const { owners, deks, restored } = await source.ownersOf(rule, await dekIdsIn(session, rule));
  const [owner] = owners;
  const wantsDomain = rule.domain !== undefined;
  const fits =
    owner === undefined ||
    (owners.length === 1 &&
      (owner.type === 'domain') === wantsDomain &&
      (rule.mode === 'randomized' || deks.size === 1) &&
      (owner.type === 'domain' || (await wasSealedSo(session, rule, owner.id, deks))));
  if (!fits) {
    const message = `${ruleName(rule)} holds values that were sealed as another column, or in another mode or type, than its rule says`;
    throw new ColumnError('ERR_POSTGRES_COLUMN_RULE_CHANGED', message);
  }
  return { rule, live: { ...live, attnum: live.attnum }, owner, restored };
}

/** Its values name no key: they belong to what is bound to their very place, or nothing can say to what. */
async function planPreserving(session: ServiceSession, rule: SealRule, live: PlacedColumn): Promise<Plan> {
  const [bound] = await session.query<{ id: Buffer; mode: string }>(
    `SELECT id, mode FROM ${COLUMNS_TABLE} WHERE relation = $1 AND attnum = $2`,
    [live.relation, live.attnum],
  );
  if (bound?.mode === modeOf(rule))
    return { rule, live, owner: { type: 'column', id: bound.id.toString('hex') }, restored: false };
  const [row] = await session.query<{ any: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM ${quoteQualified(rule.schema, rule.table)} WHERE ${quoteIdentifier(rule.column)} IS NOT NULL) AS any`,
  );
  if (row?.any === false) return { rule, live, owner: undefined, restored: false };
  const message = `${ruleName(rule)} is format-preserving and holds values, which cannot say how they were sealed: give the rule back its former format and generation, or bring schema sealgate back from a backup of the same time`;
  throw new ColumnError('ERR_POSTGRES_COLUMN_RULE_CHANGED', message);
}

/** Mode and type as the column was last bound; where that is lost, a deterministic column's values must prove it. */
async function wasSealedSo(
  session: ServiceSession,
  rule: SealRule,
  columnId: string,
  deks: ReadonlyMap<string, Dek>,
): Promise<boolean> {
  const [bound] = await session.query<{ mode: string; type: string }>(
    `SELECT mode, logical_type AS type FROM ${COLUMNS_TABLE} WHERE id = $1`,
    [Buffer.from(columnId, 'hex')],
  );
  if (bound === undefined) return rule.mode === 'randomized' || isDeterministic(session, rule, deks, columnId);
  return bound.mode === rule.mode && storageClassOf(bound.type) === storageClassOf(rule.type);
}

/** Every DEK that values of the column name. */
async function dekIdsIn(session: ServiceSession, rule: SealRule): Promise<readonly string[]> {
  const column = `${quoteIdentifier(rule.column)}::bytea`;
  const rows = await session.query<{ id: string; sealed: boolean }>(
    `SELECT DISTINCT encode(substr(${column}, ${DEK_ID_OFFSET + 1}, ${ID_BYTES}), 'hex') AS id,
       substr(${column}, 1, ${SEALED_VALUE_MAGIC.length}) = $1 AS sealed
     FROM ${quoteQualified(rule.schema, rule.table)} WHERE ${quoteIdentifier(rule.column)} IS NOT NULL`,
    [Buffer.from(SEALED_VALUE_MAGIC)],
  );
  if (rows.some(({ sealed }) => !sealed)) {
    const message = `${ruleName(rule)} holds values that are not sealed; sealgate postgres seal moves them in`;
    throw new ColumnError('ERR_POSTGRES_COLUMN_GUARD', message);
  }
  return rows.map(({ id }) => id);
}

/** DEKs by id, from the database or from escrow; what comes from escrow is put back. */
class DekSource {
  readonly #session: ServiceSession;
  readonly #options: RebindOptions;
  #escrow: ReadonlyMap<string, StoredDek> | undefined;
  #databaseSet = false;

  constructor(session: ServiceSession, options: RebindOptions) {
    this.#session = session;
    this.#options = options;
  }

  async ownersOf(
    rule: SealRule,
    dekIds: readonly string[],
  ): Promise<{ owners: readonly DekOwner[]; deks: ReadonlyMap<string, Dek>; restored: boolean }> {
    const deks = new Map<string, Dek>();
    const owners = new Map<string, DekOwner>();
    let restored = false;
    for (const id of dekIds) {
      const known = await this.#stored(id);
      const dek = known ?? (await this.#restore(id, rule));
      restored ||= known === undefined;
      const owner = ownerOfContext(dek.context);
      // Proves the context: it opens only as it was wrapped.
      const request = { wrapped: dek.wrapped, context: dek.context };
      deks.set(id, (await this.#options.keys.decrypt(request, this.#use(rule))).dek);
      if (owner !== undefined) owners.set(owner.id, owner);
    }
    return { owners: [...owners.values()], deks, restored };
  }

  async #stored(id: string): Promise<StoredDek | undefined> {
    const [row] = await this.#session.query<{
      owner: Buffer;
      generation: number;
      wrapped: Buffer;
      context: StoredDek['context'];
    }>(`SELECT owner, generation, wrapped, context FROM ${DEKS_TABLE} WHERE id = $1`, [Buffer.from(id, 'hex')]);
    return row === undefined ? undefined : { ...row, id, owner: row.owner.toString('hex') };
  }

  async #restore(id: string, rule: SealRule): Promise<StoredDek> {
    this.#escrow ??= await this.#readEscrow();
    const dek = this.#escrow.get(id);
    if (dek === undefined) {
      const message = `${ruleName(rule)} holds values whose data key is neither in the database nor in escrow`;
      throw new ColumnError('ERR_POSTGRES_COLUMN_KEY_MISSING', message);
    }
    await insertDek(this.#session, dek, 'escrow');
    await this.#adoptDatabase(dek);
    return dek;
  }

  async #readEscrow(): Promise<ReadonlyMap<string, StoredDek>> {
    const { keys, connection } = this.#options;
    const records = await keys.escrowed(escrowOwnerOf(connection.database));
    return new Map(records.flatMap((record) => fromEscrow(record) ?? []).map((dek) => [dek.id, dek]));
  }

  /** A rebuilt schema takes its former database id back, so that new DEKs keep the context policies know. */
  async #adoptDatabase(dek: StoredDek): Promise<void> {
    const databaseId = dek.context['sealgate:database'];
    if (this.#databaseSet || databaseId === undefined) return;
    this.#databaseSet = true;
    await this.#session.query(
      `UPDATE ${META_TABLE} SET database_id = $1 WHERE NOT EXISTS (SELECT 1 FROM ${DEKS_TABLE} WHERE context ->> 'sealgate:database' <> $2)`,
      [Buffer.from(databaseId, 'hex'), databaseId],
    );
  }

  #use({ database, schema, table, column }: SealRule): KeyUse {
    const resource = `${database}.${schema}.${table}.${column}`;
    return { principal: this.#options.principal, via: 'cli', resource };
  }
}

/** Old bindings of all these names go first: two swapped tables change places in one step. */
async function bindAll(
  session: ServiceSession,
  plans: readonly Plan[],
  random: RandomSource,
): Promise<readonly Rebound[]> {
  const before = await currentBindings(session);
  const taken = new Set(plans.flatMap(({ owner }) => (owner?.type === 'column' ? [owner.id] : [])));
  const names = plans.map(({ rule }) => ruleName(rule));
  for (const [name, binding] of before) {
    if (!names.includes(name) && !taken.has(binding.id)) continue;
    await session.query(`DELETE FROM ${COLUMNS_TABLE} WHERE id = $1`, [Buffer.from(binding.id, 'hex')]);
  }
  const outcomes: Rebound[] = [];
  for (const plan of plans) {
    const name = ruleName(plan.rule);
    const old = before.get(name);
    const fresh = Buffer.from(random(ID_BYTES)).toString('hex');
    // An empty column keeps its identity, unless another column's values lay claim to it.
    const kept = old === undefined || taken.has(old.id) ? fresh : old.id;
    const id = plan.owner?.type === 'column' ? plan.owner.id : kept;
    if (plan.owner?.type === 'domain') await adoptDomain(session, plan.rule, plan.owner.id);
    await insertBinding(session, plan.rule, plan.live, id);
    const same = old?.id === id && old.place === placeOf(plan.live);
    outcomes.push({ column: name, outcome: plan.restored ? 'restored' : same ? 'unchanged' : 'bound' });
  }
  return outcomes;
}

async function currentBindings(session: ServiceSession): Promise<ReadonlyMap<string, { id: string; place: string }>> {
  const rows = await session.query<{
    id: Buffer;
    schema: string;
    table: string;
    column: string;
    relation: string;
    attnum: number;
  }>(
    `SELECT id, schema_name AS schema, table_name AS table, column_name AS column, relation::bigint::text AS relation, attnum FROM ${COLUMNS_TABLE}`,
  );
  return new Map(
    rows.map((row) => [ruleName(row), { id: row.id.toString('hex'), place: `${row.relation}.${row.attnum}` }]),
  );
}

function placeOf(live: PlacedColumn): string {
  return `${live.relation}.${live.attnum}`;
}

/** The rule's domain name must be free, or be this domain already. */
async function adoptDomain(session: ServiceSession, rule: SealRule, domainId: string): Promise<void> {
  const name = rule.domain ?? '';
  await insertDomain(session, name, domainId, comparisonClassOf(rule));
  const [row] = await session.query<{ id: Buffer }>(`SELECT id FROM ${DOMAINS_TABLE} WHERE name = $1`, [name]);
  if (row?.id.toString('hex') === domainId) return;
  const unused = await session.query(
    `UPDATE ${DOMAINS_TABLE} SET id = $2 WHERE name = $1 AND NOT EXISTS (SELECT 1 FROM ${DEKS_TABLE} k WHERE k.owner = ${DOMAINS_TABLE}.id) RETURNING id`,
    [name, Buffer.from(domainId, 'hex')],
  );
  if (unused.length === 1) return;
  throw new ColumnError(
    'ERR_POSTGRES_COLUMN_RULE_CHANGED',
    `domain ${name} has another identity than the values of ${ruleName(rule)}`,
  );
}
