/**
 * Migrations by Drizzle's own migrator, in files as drizzle-kit writes them: DO blocks around what may have been made before, with breakpoints
 * between the statements and without, data among them. What is left, and what is told, is what a plain twin has.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const BREAK = '\n--> statement-breakpoint\n';
const FIRST = [
  `DO $$ BEGIN
 CREATE TYPE "public"."role" AS ENUM('admin', 'user');
EXCEPTION
 WHEN duplicate_object THEN null;
END $$;`,
  'CREATE TABLE IF NOT EXISTS "users" ("email" varchar(60) PRIMARY KEY NOT NULL, "note" text);',
  'CREATE TABLE IF NOT EXISTS "staff" ("id" serial PRIMARY KEY NOT NULL, "role" "role" DEFAULT \'user\' NOT NULL);',
  'CREATE TABLE IF NOT EXISTS "orders" ("id" serial PRIMARY KEY NOT NULL, "email" varchar(60), "what" text);',
  `DO $$ BEGIN
 ALTER TABLE "orders" ADD CONSTRAINT "orders_email_fk" FOREIGN KEY ("email") REFERENCES "public"."users"("email") ON DELETE no action ON UPDATE no action;
EXCEPTION
 WHEN duplicate_object THEN null;
END $$;`,
];
const FILL = `INSERT INTO "users" ("email", "note") VALUES ('canary-ann', 'canary note');
INSERT INTO "orders" ("email", "what") SELECT "email", 'ü' FROM "users";`;

let server: TestPostgres;
let db: SearchedDatabase;
let twinUrl: string;
let sealed: pg.Client;
let twin: pg.Client;
let folder: string;

beforeAll(async () => {
  server = await startPostgres();
  const rule = { type: 'varchar(60)', mode: 'deterministic', domain: 'mail' } as const;
  db = await openSearchedDatabase(server, 'sealed', '', [
    { table: 'users', column: 'email', ...rule },
    { table: 'users', column: 'note', type: 'text' },
    { table: 'orders', column: 'email', ...rule },
  ]);
  twinUrl = await db.openTwin();
});
afterAll(async () => {
  await db.close();
  await server.stop();
});
beforeEach(async () => {
  sealed = new pg.Client({ connectionString: db.url });
  twin = new pg.Client({ connectionString: twinUrl });
  folder = await mkdtemp(join(tmpdir(), 'sealgate-drizzle-'));
  await mkdir(join(folder, 'meta'));
  for (const on of [sealed, twin]) {
    await on.connect();
    for (const text of ['DROP SCHEMA public CASCADE', 'CREATE SCHEMA public', 'DROP SCHEMA IF EXISTS drizzle CASCADE'])
      await on.query(text);
  }
});
afterEach(async () => {
  await sealed.end();
  await twin.end();
  await rm(folder, { recursive: true });
});

async function migrations(...files: readonly string[]): Promise<void> {
  const entries = files.map((_, idx) => ({ idx, version: '7', when: idx + 1, tag: `000${idx}`, breakpoints: true }));
  await writeFile(join(folder, 'meta/_journal.json'), JSON.stringify({ version: '7', dialect: 'postgresql', entries }));
  for (const [index, text] of files.entries()) await writeFile(join(folder, `000${index}.sql`), text);
}

/** SQLSTATE, or how many migrations are done. */
async function run(on: pg.Client): Promise<unknown> {
  try {
    await migrate(drizzle(on), { migrationsFolder: folder });
  } catch (error) {
    const { cause = error } = error as Error; // as Drizzle wraps it
    return (cause as pg.DatabaseError).code;
  }
  return (await on.query('SELECT count(*)::int AS done FROM drizzle.__drizzle_migrations')).rows;
}

async function left(on: pg.Client): Promise<unknown> {
  const answers: unknown[] = [];
  for (const text of [
    'SELECT * FROM users ORDER BY note IS NULL',
    'SELECT * FROM orders ORDER BY id',
    'SELECT * FROM staff',
    "SELECT conname, contype FROM pg_constraint WHERE conrelid IN ('users'::regclass, 'orders'::regclass) ORDER BY 1",
  ])
    answers.push((await on.query(text)).rows);
  return answers;
}

async function same(done: unknown): Promise<void> {
  expect(await run(twin)).toEqual(done);
  expect(await run(sealed)).toEqual(done);
  expect(await left(sealed)).toEqual(await left(twin));
}

test('statement by statement, and again over what is there already', async () => {
  await migrations(FIRST.join(BREAK), FIRST.join(BREAK));
  await same([{ done: 2 }]);
  await sealed.query(`${FILL}`);
  const { rows } = await db.direct.query('SELECT count(*)::int AS n FROM users WHERE email::text LIKE $1', [
    '%canary%',
  ]);
  expect(rows).toEqual([{ n: 0 }]);
});

test('whole files without breakpoints, with data', async () => {
  await migrations(FIRST.join('\n'), FILL, 'ALTER TABLE "orders" ADD "more" int; UPDATE "users" SET "note" = NULL;');
  await same([{ done: 3 }]);
});

test('what the server refuses in such a block is its error, and nothing of the migrations is left', async () => {
  const bad = FIRST.join('\n').replace('"email" varchar(60), "what"', '"email" varchar(60), "other" int, "what"');
  await migrations(FIRST.join(BREAK));
  await same([{ done: 1 }]);
  await migrations(
    FIRST.join(BREAK),
    `${bad}\nDO $$ BEGIN ALTER TABLE "orders" ADD CONSTRAINT x FOREIGN KEY ("email") REFERENCES "users"("email") NOT VALID, ADD PRIMARY KEY ("id"); EXCEPTION WHEN duplicate_object THEN null; END $$;`,
  );
  await same('42P16');
});

test('any other block that names a sealed table is refused', async () => {
  await migrations(FIRST.join(BREAK));
  await same([{ done: 1 }]);
  const alter = 'ALTER TABLE orders ADD CONSTRAINT y FOREIGN KEY (email) REFERENCES users (email)';
  for (const text of [
    `DO $$ BEGIN ${alter}; END $$`,
    `DO $$ BEGIN ${alter}; PERFORM 1; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
    `DO $$ BEGIN ${alter}; EXCEPTION WHEN duplicate_object THEN PERFORM note FROM users; END $$`,
    `DO $$ BEGIN ${alter} -- ;\nEXCEPTION WHEN duplicate_object THEN NULL; END $$`,
    `DO $$ DECLARE a int; BEGIN ${alter}; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
    'DO $$ BEGIN UPDATE users SET note = NULL; EXCEPTION WHEN duplicate_object THEN NULL; END $$',
    `DO LANGUAGE sql $$ BEGIN ${alter}; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
    `DO $$ BEGIN ALTER TABLE users ALTER note SET DEFAULT 'canary'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  ])
    await expect(sealed.query(text), text).rejects.toMatchObject({ code: '0A000' });
  expect(await left(sealed)).toEqual(await left(twin));
});
