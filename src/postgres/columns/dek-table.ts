/**
 * Wrapped DEKs in `sealgate.deks`, and their escrow.
 *
 * Invariants: a DEK is committed, read back and escrowed before its first use; proxies that race agree on the row that was
 * first (unique owner and generation); ids are random and never reused; a lost row comes back from escrow.
 */
import type { RandomSource } from '../../crypto/random.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import type { DataKeys, EscrowRecord, KeyUse } from '../../keys/uses/data-keys.ts';
import type { ServiceConnection, ServiceSession } from '../service/connection.ts';
import { DEKS_TABLE } from '../service/names.ts';
import { ID_BYTES } from '../service/schema.ts';
import { ColumnError } from './errors.ts';

/** Whose values a DEK seals: a column's, or a domain's (hex ids). */
export type DekOwner = {
  readonly type: 'column' | 'domain';
  readonly id: string;
  /** That DEK of the owner's alone: its values do not name theirs. Undefined: the newest. */
  readonly generation?: number;
};

export type StoredDek = {
  readonly id: string;
  readonly owner: string;
  readonly generation: number;
  readonly wrapped: Uint8Array;
  readonly context: EncryptionContext;
};

export type DekTableOptions = {
  readonly connection: ServiceConnection;
  readonly keys: DataKeys;
  readonly random: RandomSource;
  /** sealgate.meta's id, hex. */
  readonly databaseId: string;
  readonly escrowOwner: string;
};

type DekRow = { id: Buffer; owner: Buffer; generation: number; wrapped: Buffer; context: EncryptionContext };

const FIRST_GENERATION = 1;
const SELECT = `SELECT id, owner, generation, wrapped, context FROM ${DEKS_TABLE}`;

/** Under which DEKs of a database are escrowed: a name that outlives its schema `sealgate`. */
export function escrowOwnerOf(database: string): string {
  return `postgres/${database}`;
}

/** The encryption context of a DEK. Policies may name these keys. */
export function dekContext(databaseId: string, owner: DekOwner, dekId: string, generation: number): EncryptionContext {
  return {
    'sealgate:database': databaseId,
    [`sealgate:${owner.type}`]: owner.id,
    'sealgate:purpose': 'column-values',
    'sealgate:dek': dekId,
    'sealgate:generation': String(generation),
  };
}

/** Whose DEK a context speaks of; undefined: no DEK of a column. */
export function ownerOfContext(context: EncryptionContext): DekOwner | undefined {
  const column = context['sealgate:column'];
  const domain = context['sealgate:domain'];
  if (domain !== undefined) return { type: 'domain', id: domain };
  return column === undefined ? undefined : { type: 'column', id: column };
}

export class DekTable {
  readonly #options: DekTableOptions;
  readonly #byId = new Map<string, StoredDek>();
  readonly #current = new Map<string, Promise<StoredDek>>();
  /** What those have come to. */
  readonly #settled = new Map<string, StoredDek>();
  /** Escrowed by this process, or found in escrow: once is enough. */
  readonly #escrowed = new Set<string>();

  constructor(options: DekTableOptions) {
    this.#options = options;
  }

  /** The DEK new values of the owner are sealed with; made if there is none. */
  current(owner: DekOwner, keyId: string, use: KeyUse): Promise<StoredDek> {
    const known = this.#current.get(keyOf(owner));
    return known ?? this.#once(owner, () => this.#load(owner, keyId, use));
  }

  /** The same, where it is at hand. */
  currentNow(owner: DekOwner): StoredDek | undefined {
    return this.#settled.get(keyOf(owner));
  }

  /** Another current DEK in place of one that another KMS key wrapped. Only of randomized columns: equality would break. */
  renew(owner: DekOwner, keyId: string, use: KeyUse, outdated: StoredDek): Promise<StoredDek> {
    return this.#once(owner, async () => {
      const newest = await this.#newest(owner);
      if (newest !== undefined && newest.generation > outdated.generation) return this.#keep(newest, use);
      return this.#keep(await this.#create(owner, keyId, use, outdated.generation + 1), use);
    });
  }

  /** The DEK a stored value names. Errors: ERR_POSTGRES_COLUMN_KEY_MISSING. */
  async byId(dekId: string, use: KeyUse): Promise<StoredDek> {
    const known = this.#byId.get(dekId);
    if (known !== undefined) return known;
    const { connection } = this.#options;
    const [row] = await connection.query<DekRow>(`${SELECT} WHERE id = $1`, [Buffer.from(dekId, 'hex')]);
    const stored = row === undefined ? await this.#reinstate(dekId) : fromRow(row);
    return this.#keep(stored, use);
  }

  /** What is under way or done is shared; what failed is tried again. */
  #once(owner: DekOwner, load: () => Promise<StoredDek>): Promise<StoredDek> {
    const key = keyOf(owner);
    const isLatest = (): boolean => this.#current.get(key) === loading;
    const loading: Promise<StoredDek> = load().then(
      (stored) => {
        if (isLatest()) this.#settled.set(key, stored);
        return stored;
      },
      (error: unknown) => {
        if (isLatest()) this.#current.delete(key);
        throw error;
      },
    );
    this.#settled.delete(key);
    this.#current.set(key, loading);
    return loading;
  }

  async #load(owner: DekOwner, keyId: string, use: KeyUse): Promise<StoredDek> {
    const known = (await this.#newest(owner)) ?? (await this.#newestInEscrow(owner));
    return this.#keep(known ?? (await this.#create(owner, keyId, use, owner.generation ?? FIRST_GENERATION)), use);
  }

  async #newest(owner: DekOwner): Promise<StoredDek | undefined> {
    const [row] = await this.#options.connection.query<DekRow>(
      `${SELECT} WHERE owner = $1 AND generation = coalesce($2, generation) ORDER BY generation DESC LIMIT 1`,
      [Buffer.from(owner.id, 'hex'), owner.generation ?? null],
    );
    return row === undefined ? undefined : fromRow(row);
  }

  /** Rows that were lost: under a DEK of its own, what a deterministic column gets from now on would not equal what it holds. */
  async #newestInEscrow(owner: DekOwner): Promise<StoredDek | undefined> {
    const { connection } = this.#options;
    const held = (await this.#escrow()).filter((dek) => dek.owner === owner.id);
    if (held.length === 0) return undefined;
    for (const dek of held) await insertDek(connection, dek, 'escrow');
    return this.#newest(owner);
  }

  async #escrow(): Promise<readonly StoredDek[]> {
    const { keys, escrowOwner } = this.#options;
    return (await keys.escrowed(escrowOwner)).flatMap((record) => fromEscrow(record) ?? []);
  }

  async #create(owner: DekOwner, keyId: string, use: KeyUse, generation: number): Promise<StoredDek> {
    const { connection, keys, random, databaseId } = this.#options;
    const id = Buffer.from(random(ID_BYTES)).toString('hex');
    const context = dekContext(databaseId, owner, id, generation);
    const { wrapped, keyArn } = await keys.generateDataKey({ keyId, context }, use);
    const made: StoredDek = { id, owner: owner.id, generation, wrapped, context };
    await connection.transaction(async (session) => {
      // Whatever the database does by default: acknowledged means on disk.
      await session.query("SELECT set_config('synchronous_commit', 'on', true)");
      await insertDek(session, made, keyArn);
    });
    // Ours, or that of a proxy which was faster.
    const stored = await this.#newest(owner);
    if (stored === undefined)
      throw new ColumnError('ERR_POSTGRES_COLUMN_KEY_MISSING', 'a data key that was just written cannot be read back');
    return stored;
  }

  /** A row that the database lost (a restored backup, a dropped schema). */
  async #reinstate(dekId: string): Promise<StoredDek> {
    const stored = (await this.#escrow()).find((dek) => dek.id === dekId);
    if (stored === undefined) {
      throw new ColumnError(
        'ERR_POSTGRES_COLUMN_KEY_MISSING',
        'the data key of a stored value is neither in the database nor in escrow',
      );
    }
    await insertDek(this.#options.connection, stored, 'escrow');
    return stored;
  }

  async #keep(stored: StoredDek, use: KeyUse): Promise<StoredDek> {
    checkRow(stored);
    if (!this.#escrowed.has(stored.id)) {
      const { keys, escrowOwner } = this.#options;
      const dekId = Buffer.from(stored.id, 'hex');
      await keys.escrow({ dekId, owner: escrowOwner, wrapped: stored.wrapped, context: stored.context }, use);
      this.#escrowed.add(stored.id);
    }
    this.#byId.set(stored.id, stored);
    return stored;
  }
}

function keyOf({ id, generation }: DekOwner): string {
  return generation === undefined ? id : `${id} ${generation}`;
}

/** Does nothing where a row of this id, or of this owner and generation, is there already. */
export async function insertDek(session: ServiceSession, dek: StoredDek, keyArn: string): Promise<void> {
  await session.query(
    `INSERT INTO ${DEKS_TABLE} (id, owner, generation, wrapped, context, key_arn) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
    [
      Buffer.from(dek.id, 'hex'),
      Buffer.from(dek.owner, 'hex'),
      dek.generation,
      Buffer.from(dek.wrapped),
      JSON.stringify(dek.context),
      keyArn,
    ],
  );
}

/** Undefined: not the escrow of a column's DEK. */
export function fromEscrow(record: EscrowRecord): StoredDek | undefined {
  const owner = ownerOfContext(record.context);
  const generation = Number(record.context['sealgate:generation']);
  if (owner === undefined || !Number.isSafeInteger(generation)) return undefined;
  return {
    id: hex(record.dekId),
    owner: owner.id,
    generation,
    wrapped: record.wrapped,
    context: Object.freeze({ ...record.context }),
  };
}

function fromRow(row: DekRow): StoredDek {
  return {
    id: hex(row.id),
    owner: hex(row.owner),
    generation: row.generation,
    wrapped: row.wrapped,
    // Frozen: the key manager then remembers what it found out about it.
    context: Object.freeze({ ...row.context }),
  };
}

/** The context is authenticated with the wrapped key: a row that was pasted together does not fit it. */
function checkRow(stored: StoredDek): void {
  const fits = ownerOfContext(stored.context)?.id === stored.owner && stored.context['sealgate:dek'] === stored.id;
  if (!fits)
    throw new ColumnError('ERR_POSTGRES_COLUMN_KEY_DAMAGED', 'a row of sealgate.deks does not fit its own context');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
