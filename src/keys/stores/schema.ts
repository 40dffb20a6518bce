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

export type TableName = 'slots' | 'keys' | 'materials' | 'aliases' | 'escrow' | 'service_epochs';

/** Each table's primary key, which is one column everywhere. */
export const TABLES = {
  slots: 'slot_id',
  keys: 'key_id',
  materials: 'material_id',
  aliases: 'alias_name',
  escrow: 'dek_id',
  service_epochs: 'purpose',
} as const satisfies Record<TableName, string>;

// The keys of a literal object are exactly its type's.
export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[];

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
