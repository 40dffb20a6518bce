/**
 * The store's tables and how they came to be. `user_version` is the schema version; each step up is one entry here, and the
 * store of every released version is kept as a test file that must open for ever.
 *
 * Rows are authenticated by the names and values of their non-NULL columns (`row-mac.ts`), so a step that adds a nullable
 * column leaves the MACs of existing rows as they are; only the seal, which names the schema version, is made again.
 */
import type { DatabaseSync } from 'node:sqlite';

/** "SGKS": marks the file as ours (PRAGMA application_id). */
export const APPLICATION_ID = 0x53474b53;

/** Tables that the seal covers row by row, and that are read whole at every start. */
export type SealedTable = 'slots' | 'keys' | 'materials' | 'aliases' | 'escrow' | 'service_epochs' | 'grant_buckets';
export type TableName = SealedTable | 'grants';

/** Each table's primary key, which is one column everywhere. */
export const TABLES = {
  slots: 'slot_id',
  keys: 'key_id',
  materials: 'material_id',
  aliases: 'alias_name',
  escrow: 'dek_id',
  service_epochs: 'purpose',
  grant_buckets: 'bucket',
  grants: 'grant_id',
} as const satisfies Record<TableName, string>;

/** And the schema version each came with. */
export const SEALED_TABLES = {
  slots: 1,
  keys: 1,
  materials: 1,
  aliases: 1,
  escrow: 1,
  service_epochs: 1,
  grant_buckets: 3,
} as const satisfies Record<SealedTable, number>;

export type SchemaStep = { readonly to: number; readonly sql: string };

export const SCHEMA_STEPS: readonly SchemaStep[] = [
  {
    to: 1,
    sql: `
      CREATE TABLE store (
        id INTEGER PRIMARY KEY CHECK (id = 1), store_id BLOB NOT NULL, created_at TEXT NOT NULL, epoch INTEGER NOT NULL,
        audit_seq INTEGER NOT NULL, audit_hash BLOB NOT NULL, audit_offset INTEGER NOT NULL, seal BLOB NOT NULL
      ) STRICT;
      CREATE TABLE slots (
        slot_id TEXT PRIMARY KEY, type TEXT NOT NULL, label TEXT NOT NULL, params TEXT NOT NULL, wrapped BLOB NOT NULL,
        created_at TEXT NOT NULL, mac BLOB NOT NULL
      ) STRICT;
      CREATE TABLE keys (
        key_id TEXT PRIMARY KEY, spec TEXT NOT NULL, usage TEXT NOT NULL, origin TEXT NOT NULL, description TEXT NOT NULL,
        state TEXT NOT NULL, state_since TEXT NOT NULL, current_material BLOB NOT NULL, created_at TEXT NOT NULL, mac BLOB NOT NULL
      ) STRICT;
      CREATE TABLE materials (
        material_id BLOB PRIMARY KEY, key_id TEXT NOT NULL REFERENCES keys, version INTEGER NOT NULL, state TEXT NOT NULL,
        state_since TEXT NOT NULL, state_reason TEXT NOT NULL, created_at TEXT NOT NULL, wrapped BLOB NOT NULL, canary BLOB NOT NULL,
        mac BLOB NOT NULL, UNIQUE (key_id, version)
      ) STRICT;
      CREATE TABLE aliases (
        alias_name TEXT PRIMARY KEY, key_id TEXT NOT NULL REFERENCES keys, created_at TEXT NOT NULL, mac BLOB NOT NULL
      ) STRICT;
      CREATE TABLE escrow (
        dek_id BLOB PRIMARY KEY, owner TEXT NOT NULL, wrapped BLOB NOT NULL, context BLOB NOT NULL, created_at TEXT NOT NULL,
        mac BLOB NOT NULL
      ) STRICT;
      CREATE INDEX escrow_owner ON escrow (owner);
      CREATE TABLE service_epochs (purpose TEXT PRIMARY KEY, epoch INTEGER NOT NULL, created_at TEXT NOT NULL, mac BLOB NOT NULL) STRICT;
    `,
  },
  {
    // What the KMS API keeps of a key. NULL: none, or as it was before anybody said otherwise.
    to: 2,
    sql: `
      ALTER TABLE keys ADD COLUMN policy TEXT;
      ALTER TABLE keys ADD COLUMN tags TEXT;
      ALTER TABLE keys ADD COLUMN deletion_date TEXT;
      ALTER TABLE keys ADD COLUMN rotation_days INTEGER;
      ALTER TABLE keys ADD COLUMN next_rotation TEXT;
      ALTER TABLE materials ADD COLUMN rotation TEXT;
      ALTER TABLE aliases ADD COLUMN updated_at TEXT;
    `,
  },
  {
    // Grants, sealed by the bucket (`grant-table.ts`).
    to: 3,
    sql: `
      CREATE TABLE grant_buckets (bucket TEXT PRIMARY KEY, grants INTEGER NOT NULL, digest BLOB NOT NULL, mac BLOB NOT NULL) STRICT;
      CREATE TABLE grants (
        grant_id BLOB PRIMARY KEY, bucket TEXT NOT NULL, key_id TEXT NOT NULL REFERENCES keys, grantee TEXT NOT NULL, retiring TEXT,
        operations TEXT NOT NULL, constraint_type TEXT, constraint_context BLOB, name TEXT NOT NULL, issuing_account TEXT NOT NULL,
        issued_by TEXT NOT NULL, created_at TEXT NOT NULL, mac BLOB NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX grants_bucket ON grants (bucket);
      CREATE INDEX grants_key ON grants (key_id);
      CREATE INDEX grants_grantee ON grants (key_id, grantee);
      CREATE INDEX grants_name ON grants (key_id, name) WHERE name <> '';
      CREATE INDEX grants_retiring ON grants (retiring) WHERE retiring IS NOT NULL;
    `,
  },
  {
    // Imported materials: NULL: not imported, does not expire, became current when it was made.
    to: 4,
    sql: `
      ALTER TABLE materials ADD COLUMN valid_to TEXT;
      ALTER TABLE materials ADD COLUMN description TEXT;
      ALTER TABLE materials ADD COLUMN rotated_at TEXT;
    `,
  },
  {
    // What became of materials, when, by whom and why.
    to: 5,
    sql: `
      ALTER TABLE materials ADD COLUMN history TEXT;
      ALTER TABLE materials ADD COLUMN still_opens INTEGER;
    `,
  },
  {
    // Keys of several regions (`regions/row-names.ts`). NULL: of its region alone; does not wait for its replicas.
    to: 6,
    sql: `
      ALTER TABLE keys ADD COLUMN multi_region TEXT;
      ALTER TABLE keys ADD COLUMN deletion_days INTEGER;
    `,
  },
  {
    // Keys that our services manage, or we for ourselves. NULL: a customer does.
    to: 7,
    sql: `
      ALTER TABLE keys ADD COLUMN manager TEXT;
      ALTER TABLE keys ADD COLUMN manages_for TEXT;
    `,
  },
  {
    // A bucket's MACs lie together: read from the grants, each was somewhere else in the file, and the first use of a key took three
    // times as long with a million grants as with few.
    to: 8,
    sql: `
      DROP INDEX grants_bucket;
      CREATE INDEX grants_bucket ON grants (bucket, grant_id, mac);
    `,
  },
  {
    // Grants to services, for one resource each. NULL: whoever asks for whatever.
    to: 9,
    sql: 'ALTER TABLE grants ADD COLUMN source_arn TEXT;',
  },
];

export function latestVersion(steps: readonly SchemaStep[]): number {
  return steps.at(-1)?.to ?? 0;
}

/** Runs the steps above `from`, inside the caller's transaction. */
export function runSteps(database: DatabaseSync, from: number, steps: readonly SchemaStep[]): void {
  for (const step of steps) {
    if (step.to <= from) continue;
    database.exec(step.sql);
    database.exec(`PRAGMA user_version = ${step.to}`);
  }
}
