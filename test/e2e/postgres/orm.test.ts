/** An ORM that knows nothing of sealing, drizzle, over both of its usual drivers, through a running `sealgate up`. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { and, count, desc, eq, exists, inArray, isNotNull, isNull, like, sql } from 'drizzle-orm';
import { drizzle as overPg, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { migrate as migrateOverPg } from 'drizzle-orm/node-postgres/migrator';
import { union } from 'drizzle-orm/pg-core';
import { drizzle as overPostgres } from 'drizzle-orm/postgres-js';
import { migrate as migrateOverPostgres } from 'drizzle-orm/postgres-js/migrator';
import pg from 'pg';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import {
  ANN,
  BOB,
  customerLabels,
  customers,
  labels,
  orders,
  SCHEMA,
  SHOP_CANARIES,
  SHOP_DDL,
  SHOP_RULES,
} from '../../support/postgres/drizzle-shop.ts';
import { requireSecret, watchServer } from '../../support/canaries.ts';
import { applyDdl, install, type Installation } from '../../support/installation.ts';
import type { TestPostgres } from '../../support/postgres/postgres.ts';
import { POSTGRES_SERVERS, startPostgresServer } from '../../support/postgres/servers.ts';

const CONFIG = (of: TestPostgres): string => `
postgres:
  listen: { host: 127.0.0.1, port: 0 }
  upstream: { host: ${of.host}, port: ${of.port}, tls: { mode: disable } }
  databases:
    - { name: shop, service: { user: sealgate, password: service-password } }
  columns:
${SHOP_RULES}
`;

type Orm = {
  readonly db: NodePgDatabase<typeof SCHEMA>;
  readonly migrate: (folder: string) => Promise<void>;
  readonly close: () => Promise<void>;
};

const DRIVERS: readonly { readonly name: string; readonly open: (url: string) => Orm }[] = [
  {
    name: 'pg',
    open: (url) => {
      const pool = new pg.Pool({ connectionString: url, max: 4 });
      const db = overPg(pool, { schema: SCHEMA });
      const migrate = (migrationsFolder: string) => migrateOverPg(db, { migrationsFolder });
      return { db, migrate, close: () => pool.end() };
    },
  },
  {
    name: 'postgres',
    open: (url) => {
      const client = postgres(url, { max: 4, onnotice: () => undefined });
      const db = overPostgres(client, { schema: SCHEMA });
      const migrate = (migrationsFolder: string) => migrateOverPostgres(db, { migrationsFolder });
      // Both have the same query builder; what differs is the type of raw results, which no test uses.
      return { db: db as unknown as NodePgDatabase<typeof SCHEMA>, migrate, close: () => client.end() };
    },
  },
];

/** drizzle wraps the driver's error. */
const refused = (code: string) => ({ cause: expect.objectContaining({ code }) });

/** As drizzle-kit writes them; later than all that were run before. */
let when = Date.now();
async function writeMigrations(folder: string, migrations: readonly (readonly string[])[]): Promise<void> {
  await mkdir(join(folder, 'meta'), { recursive: true });
  const entries = migrations.map((_, idx) => ({
    idx,
    version: '7',
    when: ++when,
    tag: `000${idx}`,
    breakpoints: true,
  }));
  for (const [idx, statements] of migrations.entries())
    await writeFile(join(folder, `000${idx}.sql`), statements.join('--> statement-breakpoint\n'));
  const journal = { version: '7', dialect: 'postgresql', entries };
  await writeFile(join(folder, 'meta', '_journal.json'), JSON.stringify(journal));
}

describe.each(POSTGRES_SERVERS)('in front of %s', (serverName) => {
  let reason: string | undefined;
  let server: TestPostgres;
  let installation: Installation;
  let port: number;
  let direct: pg.Client;

  beforeAll(async () => {
    const started = await startPostgresServer(serverName);
    if (typeof started === 'string') {
      reason = started;
      return;
    }
    server = started;
    if (server.logFile !== undefined) await watchServer(server);
    const root = await connectTo(server.url());
    for (const statement of [
      "CREATE ROLE sealgate LOGIN PASSWORD 'service-password'",
      "CREATE ROLE app LOGIN PASSWORD 'app-password'",
      'CREATE DATABASE shop',
    ])
      await root.query(statement);
    await root.end();
    direct = await connectTo(server.url('shop'));
    // The application owns its tables and makes its own schemas, as ORMs do in their migrations.
    await direct.query('GRANT CREATE ON DATABASE shop TO app; GRANT CREATE ON SCHEMA public TO app; SET ROLE app');
    await direct.query(SHOP_DDL);
    await direct.query('RESET ROLE');
    installation = await install(CONFIG(server), ['shop']);
    await applyDdl(installation, server, 'shop');
    port = (await installation.up()).ports['postgres'] ?? 0;
  });
  beforeEach(({ skip }) => {
    if (reason !== undefined) skip(reason);
  });
  afterAll(async () => {
    if (reason !== undefined) return;
    await installation.remove();
    // Of a server in a container neither files nor log are at hand.
    if (server.logFile !== undefined) await requireSecret(server, SHOP_CANARIES);
    await direct.end();
    await server.stop();
  });

  describe.each(DRIVERS)('drizzle over $name', ({ name: driver, open }) => {
    let orm: Orm;
    let db: Orm['db'];

    beforeAll(() => {
      if (reason !== undefined) return;
      orm = open(`postgres://app:app-password@127.0.0.1:${port}/shop`);
      db = orm.db;
    });
    afterAll(async () => {
      if (reason === undefined) await orm.close();
    });
    beforeEach(async () => {
      await direct.query('TRUNCATE customers, orders, labels, customer_labels RESTART IDENTITY CASCADE');
      await db.insert(customers).values([ANN, BOB]);
    });

    const names = async (where?: ReturnType<typeof eq>): Promise<readonly string[]> =>
      (await db.select({ name: customers.name }).from(customers).where(where).orderBy(customers.id)).map(
        ({ name }) => name,
      );

    test('every type reads back as the application wrote it, and none of it lies at rest', async () => {
      const [ann, bob] = await db.select().from(customers).orderBy(customers.id);
      expect(ann).toMatchObject({ id: 1, ...ANN });
      expect(bob).toMatchObject({ id: 2, ...BOB, notes: null, birthDate: null, preferences: null });
      const { rows } = await direct.query<{ line: string }>('SELECT c::text AS line FROM customers c');
      const lines = rows.map(
        ({ line }) => line + Buffer.from(line.replaceAll(/[^0-9a-f]/gu, ''), 'hex').toString('latin1'),
      );
      for (const canary of SHOP_CANARIES) expect(lines.join()).not.toContain(canary);
    });

    test('insert returning, with defaults for what is left out', async () => {
      const [eve] = await db.insert(customers).values({ name: 'Eve', email: 'eve@example.org' }).returning();
      expect(eve).toMatchObject({ id: 3, name: 'Eve', email: 'eve@example.org', nationalId: null, active: null });
      expect(eve?.createdAt).toBeInstanceOf(Date);
    });

    test('equality, IN, NULL, AND, DISTINCT, GROUP BY, EXISTS, UNION over searchable columns', async () => {
      expect(await names(eq(customers.email, ANN.email))).toEqual(['Ann']);
      expect(await names(eq(customers.externalId, ANN.externalId))).toEqual(['Ann']);
      expect(await names(eq(customers.loyaltyNumber, ANN.loyaltyNumber))).toEqual(['Ann']);
      expect(await names(inArray(customers.nationalId, ['none', BOB.nationalId]))).toEqual(['Bob']);
      expect(await names(isNull(customers.notes))).toEqual(['Bob']);
      expect(await names(and(isNotNull(customers.birthDate), eq(customers.email, ANN.email)))).toEqual(['Ann']);
      await db.insert(customers).values({ name: 'Ann too', nationalId: ANN.nationalId });
      const distinct = await db.selectDistinct({ id: customers.nationalId }).from(customers);
      expect(distinct.map(({ id }) => id).sort()).toEqual([ANN.nationalId, BOB.nationalId]);
      const grouped = await db
        .select({ nationalId: customers.nationalId, many: count() })
        .from(customers)
        .groupBy(customers.nationalId)
        .orderBy(desc(count()));
      expect(grouped).toEqual([
        { nationalId: ANN.nationalId, many: 2 },
        { nationalId: BOB.nationalId, many: 1 },
      ]);
      expect(await db.$count(customers, eq(customers.nationalId, ANN.nationalId))).toBe(2);
      await db.insert(orders).values({ customerId: 2, total: '9.90', remark: 'fragile, do not bend' });
      const own = db.select().from(orders).where(eq(orders.customerId, customers.id));
      expect(await names(exists(own))).toEqual(['Bob']);
      const both = await union(
        db.select({ email: customers.email }).from(customers).where(eq(customers.id, 1)),
        db.select({ email: customers.email }).from(customers).where(eq(customers.id, 2)),
      );
      expect(both.map(({ email }) => email).sort()).toEqual([ANN.email, BOB.email]);
    });

    test('joins, subqueries, WITH, pages and prepared statements', async () => {
      await db.insert(orders).values([
        { customerId: 1, total: '10.00', remark: 'fragile, do not bend' },
        { customerId: 1, total: '5.50' },
      ]);
      const joined = await db
        .select({ email: customers.email, total: orders.total, remark: orders.remark })
        .from(orders)
        .innerJoin(customers, eq(customers.id, orders.customerId))
        .where(eq(customers.email, ANN.email))
        .orderBy(orders.id);
      expect(joined).toEqual([
        { email: ANN.email, total: '10.00', remark: 'fragile, do not bend' },
        { email: ANN.email, total: '5.50', remark: null },
      ]);
      const left = await db.select().from(customers).leftJoin(orders, eq(orders.customerId, customers.id));
      expect(left.map((row) => [row.customers.name, row.orders?.remark]).sort()).toEqual([
        ['Ann', null],
        ['Ann', 'fragile, do not bend'],
        ['Bob', undefined],
      ]);
      const spent = db
        .select({ customerId: orders.customerId, sum: sql<string>`sum(${orders.total})`.as('sum') })
        .from(orders)
        .groupBy(orders.customerId)
        .as('spent');
      expect(
        await db
          .select({ email: customers.email, sum: spent.sum })
          .from(customers)
          .innerJoin(spent, eq(spent.customerId, customers.id)),
      ).toEqual([{ email: ANN.email, sum: '15.50' }]);
      const known = db.$with('known').as(db.select().from(customers).where(isNotNull(customers.notes)));
      expect(await db.with(known).select({ notes: known.notes }).from(known)).toEqual([{ notes: ANN.notes }]);
      expect(
        await db.select({ email: customers.email }).from(customers).orderBy(customers.id).limit(1).offset(1),
      ).toEqual([{ email: BOB.email }]);
      const byEmail = db
        .select({ name: customers.name })
        .from(customers)
        .where(eq(customers.email, sql.placeholder('email')))
        .prepare('by_email');
      for (const { email, name } of [ANN, BOB, ANN]) expect(await byEmail.execute({ email })).toEqual([{ name }]);
    });

    test('update, upsert and delete, each returning', async () => {
      const changed = { balance: '0.01', preferences: { newsletter: true, tags: [] }, lastSeen: null, active: false };
      const [ann] = await db.update(customers).set(changed).where(eq(customers.email, ANN.email)).returning();
      expect(ann).toMatchObject({ ...ANN, ...changed });
      const upsert = (email: string, notes: string) =>
        db
          .insert(customers)
          .values({ name: 'X', email, notes })
          .onConflictDoUpdate({ target: customers.email, set: { notes: sql`excluded.notes` } })
          .returning({ name: customers.name, notes: customers.notes });
      expect(await upsert(BOB.email, 'first note')).toEqual([{ name: 'Bob', notes: 'first note' }]);
      expect(await upsert('new@example.org', 'second note')).toEqual([{ name: 'X', notes: 'second note' }]);
      await db.insert(customers).values({ name: 'Y', email: BOB.email }).onConflictDoNothing();
      expect(await names()).toEqual(['Ann', 'Bob', 'X']);
      const gone = await db
        .delete(customers)
        .where(inArray(customers.email, [BOB.email, 'new@example.org']))
        .returning();
      expect(gone.map(({ notes }) => notes).sort()).toEqual(['first note', 'second note']);
      await expect(db.insert(customers).values({ name: 'Z', email: ANN.email })).rejects.toMatchObject(
        refused('23505'),
      );
    });

    test('transactions commit, roll back, nest, and go on after a refusal in a savepoint', async () => {
      await db.transaction(
        async (tx) => {
          await tx.update(customers).set({ notes: 'kept' }).where(eq(customers.id, 2));
          await expect(
            tx.transaction(async (inner) => {
              await inner.update(customers).set({ notes: 'lost' }).where(eq(customers.id, 2));
              await inner.select().from(customers).where(like(customers.notes, '%o%'));
            }),
          ).rejects.toMatchObject(refused('0A000'));
          expect(await tx.select({ notes: customers.notes }).from(customers).where(eq(customers.id, 2))).toEqual([
            { notes: 'kept' },
          ]);
        },
        { isolationLevel: 'serializable' },
      );
      await expect(
        db.transaction(async (tx) => {
          await tx.update(customers).set({ notes: 'undone' });
          tx.rollback();
        }),
      ).rejects.toThrow();
      const notes = await db.select({ notes: customers.notes }).from(customers).orderBy(customers.id);
      expect(notes).toEqual([{ notes: ANN.notes }, { notes: 'kept' }]);
    });

    test('many rows at once, many clients at once', async () => {
      const many = Array.from({ length: 500 }, (_, i) => ({
        name: `n${i}`,
        email: `${i}@example.org`,
        birthDate: '2000-01-31',
      }));
      await db.insert(customers).values(many);
      const found = await Promise.all(
        many.slice(0, 40).map(({ email }) => db.select().from(customers).where(eq(customers.email, email))),
      );
      expect(found.map(([row]) => [row?.name, row?.birthDate])).toEqual(
        many.slice(0, 40).map(({ name, birthDate }) => [name, birthDate]),
      );
      expect(await db.$count(customers)).toBe(502);
    });

    test('the relational query builder works, for which the server puts sealed columns into JSON', async () => {
      await db.insert(labels).values([
        { id: 1, label: 'vip' },
        { id: 2, label: 'new' },
      ]);
      await db.insert(customerLabels).values({ customerId: 1, labelId: 1 });
      await db.insert(orders).values({ customerId: 1, total: '1.5', remark: 'fragile, do not bend' });
      expect(
        await db.query.customers.findFirst({
          columns: { email: true, notes: true },
          where: eq(customers.email, ANN.email),
          with: { orders: { columns: { id: true, total: true } } },
        }),
      ).toEqual({ email: ANN.email, notes: ANN.notes, orders: [{ id: 1, total: '1.5' }] });
      const [ann, bob] = await db.query.customers.findMany({ with: { orders: true }, orderBy: customers.id });
      const order = { id: 1, customerId: 1, total: '1.5', remark: 'fragile, do not bend' };
      expect(ann).toMatchObject({ id: 1, ...ANN, orders: [order] });
      expect(bob).toMatchObject({ id: 2, ...BOB, orders: [] });
    });

    test('migrations run through it, of ruled tables too; what would part a column from its rule is refused and says how to do it', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'sealgate-migrations-'));
      await writeMigrations(folder, [
        [
          `CREATE TABLE "${driver}_notes" ("id" serial PRIMARY KEY NOT NULL, "body" text DEFAULT '' NOT NULL);`,
          `CREATE INDEX "${driver}_bodies" ON "${driver}_notes" USING btree ("body");`,
        ],
        [`ALTER TABLE "${driver}_notes" ADD COLUMN "label_id" integer REFERENCES "labels"("id");`],
      ]);
      await orm.migrate(folder);
      await orm.migrate(folder);
      await db.execute(sql.raw(`insert into "${driver}_notes" (body) values ('plain')`));
      expect(await names(eq(customers.email, ANN.email))).toEqual(['Ann']);
      await writeMigrations(folder, [
        [
          `ALTER TABLE "customers" ADD COLUMN "${driver}_phone" text DEFAULT '' NOT NULL;`,
          `CREATE INDEX "${driver}_mails" ON "customers" USING btree ("email");`,
        ],
      ]);
      await orm.migrate(folder);
      expect(await names(eq(customers.email, ANN.email))).toEqual(['Ann']);
      await writeMigrations(folder, [['ALTER TABLE "customers" RENAME COLUMN "email" TO "mail";']]);
      await expect(orm.migrate(folder)).rejects.toMatchObject({
        cause: { code: '0A000', hint: expect.stringContaining('directly on the server') },
      });
      await rm(folder, { recursive: true });
    });
  });
});
