/**
 * Schema `sealgate` in a protected database: identity of database and columns, wrapped DEKs, the guard domain.
 *
 * Invariants: the service role owns it, nobody else has a grant on its tables; ids are random and never reused; the guard has
 * been seen to refuse before it is relied on.
 */
import { SEALED_VALUE_MAGIC, SEALED_VALUE_OVERHEAD } from '../../envelope/sealed-value.ts';
import type { RandomSource } from '../../crypto/random.ts';
import type { ServiceConnection, ServiceSession } from './connection.ts';
import { ServiceError } from './errors.ts';
import {
  COLUMNS_TABLE,
  DEKS_TABLE,
  DOMAINS_TABLE,
  GUARD_CONSTRAINT,
  GUARD_DOMAIN,
  GUARD_DOMAIN_QUALIFIED,
  META_TABLE,
  SEALGATE_SCHEMA,
} from './names.ts';

const SCHEMA_VERSION = 1;
export const ID_BYTES = 16;

/** One proxy at a time: the lock's number is "seal" in ASCII. */
const LOCK = 0x7365616c;

const MAGIC_HEX = Buffer.from(SEALED_VALUE_MAGIC).toString('hex');

const TABLES: readonly string[] = [
  `CREATE TABLE ${META_TABLE} (
     singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
     version integer NOT NULL,
     database_id bytea NOT NULL CHECK (octet_length(database_id) = ${ID_BYTES}))`,
  `CREATE TABLE ${DOMAINS_TABLE} (
     name text PRIMARY KEY,
     id bytea NOT NULL UNIQUE CHECK (octet_length(id) = ${ID_BYTES}),
     comparison_class text NOT NULL)`,
  `CREATE TABLE ${COLUMNS_TABLE} (
     id bytea PRIMARY KEY CHECK (octet_length(id) = ${ID_BYTES}),
     schema_name text NOT NULL, table_name text NOT NULL, column_name text NOT NULL,
     relation oid NOT NULL, attnum smallint NOT NULL,
     logical_type text NOT NULL, mode text NOT NULL, domain_name text,
     bound_at timestamptz NOT NULL DEFAULT now(),
     UNIQUE (schema_name, table_name, column_name))`,
  `CREATE TABLE ${DEKS_TABLE} (
     id bytea PRIMARY KEY CHECK (octet_length(id) = ${ID_BYTES}),
     owner bytea NOT NULL, generation integer NOT NULL,
     wrapped bytea NOT NULL, context jsonb NOT NULL, key_arn text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     UNIQUE (owner, generation))`,
];

/** A domain's error names the domain and prints no row; a table CHECK's would. */
const GUARD = `CREATE DOMAIN ${GUARD_DOMAIN_QUALIFIED} AS bytea CONSTRAINT ${GUARD_CONSTRAINT}
  CHECK (octet_length(VALUE) >= ${SEALED_VALUE_OVERHEAD} AND substr(VALUE, 1, ${SEALED_VALUE_MAGIC.length}) = '\\x${MAGIC_HEX}'::bytea)`;

export type DatabaseIdentity = { readonly databaseId: string };

/** Makes the schema, or verifies the one that is there. Errors: ERR_POSTGRES_SERVICE_*. */
export async function ensureSchema(connection: ServiceConnection, random: RandomSource): Promise<DatabaseIdentity> {
  await connection.transaction(async (session) => {
    await session.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    await refuseWithoutCreate(session);
    const found = await inspectSchema(session);
    if (found === 'missing') await session.query(`CREATE SCHEMA ${SEALGATE_SCHEMA}`);
    if (found !== 'complete') await fillSchema(session, random);
  });
  const identity = await readIdentity(connection);
  await proveGuard(connection);
  return identity;
}

/** The right is needed for good, and not for this schema alone: shadows of ruled tables (`analysis/catalog/shadow.ts`) follow their changes. */
async function refuseWithoutCreate(session: ServiceSession): Promise<void> {
  const [row] = await session.query<{ may: boolean }>(
    "SELECT has_database_privilege(current_database(), 'CREATE') AS may",
  );
  if (row?.may === true) return;
  throw new ServiceError(
    'ERR_POSTGRES_SERVICE_RIGHTS',
    '42501',
    'the service role may not create schemas in this database',
  );
}

/** `empty`: made by hand for the service role (CREATE SCHEMA sealgate AUTHORIZATION ...). */
async function inspectSchema(session: ServiceSession): Promise<'missing' | 'empty' | 'complete'> {
  const [row] = await session.query<{ owner: string; mine: boolean }>(
    `SELECT nspowner::regrole::text AS owner, nspowner = (SELECT oid FROM pg_roles WHERE rolname = current_user) AS mine
     FROM pg_namespace WHERE nspname = $1`,
    [SEALGATE_SCHEMA],
  );
  if (row === undefined) return 'missing';
  // Whoever owns the schema could swap the tables under us.
  if (!row.mine) throw wrongSchema(`it belongs to role ${row.owner}, not to the service role`);
  const [tables] = await session.query<{ meta: string | null }>('SELECT to_regclass($1)::text AS meta', [META_TABLE]);
  return tables?.meta === null ? 'empty' : 'complete';
}

async function fillSchema(session: ServiceSession, random: RandomSource): Promise<void> {
  await session.query(`REVOKE ALL ON SCHEMA ${SEALGATE_SCHEMA} FROM PUBLIC`);
  // Table owners need the guard's name in their DDL; the tables stay closed.
  await session.query(`GRANT USAGE ON SCHEMA ${SEALGATE_SCHEMA} TO PUBLIC`);
  for (const statement of TABLES) await session.query(statement);
  for (const table of [META_TABLE, DOMAINS_TABLE, COLUMNS_TABLE, DEKS_TABLE]) {
    await session.query(`REVOKE ALL ON TABLE ${table} FROM PUBLIC`);
  }
  const [guard] = await session.query<{ guard: string | null }>('SELECT to_regtype($1)::text AS guard', [
    GUARD_DOMAIN_QUALIFIED,
  ]);
  if (guard?.guard === null) await session.query(GUARD);
  await session.query(`INSERT INTO ${META_TABLE} (version, database_id) VALUES ($1, $2)`, [
    SCHEMA_VERSION,
    Buffer.from(random(ID_BYTES)),
  ]);
}

/** Errors: ERR_POSTGRES_SERVICE_SCHEMA where it is missing or newer. */
export async function readIdentity(connection: ServiceSession): Promise<DatabaseIdentity> {
  const rows = await connection
    .query<{ version: number; database_id: Buffer }>(`SELECT version, database_id FROM ${META_TABLE}`)
    .catch((error: unknown) => {
      // undefined_table, invalid_schema_name
      if (error instanceof ServiceError && /^(42P01|3F000)$/.test(error.sqlstate))
        throw wrongSchema('it does not exist');
      throw error;
    });
  const [row] = rows;
  if (row === undefined) throw wrongSchema('its meta table is empty');
  if (row.version > SCHEMA_VERSION) throw wrongSchema('a newer Sealgate has upgraded it');
  return { databaseId: row.database_id.toString('hex') };
}

/** Tries the guard: plaintext must be refused, long or short, and sealed bytes taken. */
async function proveGuard(connection: ServiceConnection): Promise<void> {
  const plain = Buffer.alloc(SEALED_VALUE_OVERHEAD + 1, 0x41);
  const short = Buffer.from(SEALED_VALUE_MAGIC);
  const sealed = Buffer.concat([short, Buffer.alloc(SEALED_VALUE_OVERHEAD - short.length)]);
  const verdicts = [];
  for (const bytes of [plain, short, sealed]) verdicts.push(await guardTakes(connection, bytes));
  if (verdicts.join() !== 'false,false,true') {
    throw wrongSchema(`domain ${GUARD_DOMAIN} does not tell sealed bytes from others`);
  }
}

async function guardTakes(connection: ServiceConnection, bytes: Buffer): Promise<boolean> {
  try {
    await connection.query(`SELECT $1::bytea::${GUARD_DOMAIN_QUALIFIED} IS NULL`, [bytes]);
    return true;
  } catch (error) {
    // check_violation
    if (error instanceof ServiceError && error.sqlstate === '23514') return false;
    throw error;
  }
}

function wrongSchema(why: string): ServiceError {
  return new ServiceError('ERR_POSTGRES_SERVICE_SCHEMA', '55000', `schema ${SEALGATE_SCHEMA}: ${why}`);
}
