/** What `check` makes of indexes on columns that are to be sealed, on a real server. */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { checkDatabase } from '../../../src/postgres/columns/resolve.ts';
import { openServiceConnection } from '../../../src/postgres/service/connection.ts';
import type { SealRule } from '../../../src/postgres/service/rules.ts';
import { ensureSchema } from '../../../src/postgres/service/schema.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';

const RULE: SealRule = {
  database: 'postgres',
  schema: 'public',
  table: 't',
  column: 'a',
  type: 'text',
  keyId: 'alias/app',
  mode: 'deterministic',
  domain: undefined,
  guard: true,
};

let server: TestPostgres;
let admin: pg.Client;
beforeAll(async () => {
  server = await startPostgres();
  admin = await connectTo(server.url());
});
afterAll(async () => {
  await admin.end();
  await server.stop();
});

test('the DDL drops indexes that ciphertext cannot have, and keeps the others', async () => {
  const { host, port, superuser: user, password } = server;
  const service = openServiceConnection({ host, port, user, password, database: 'postgres' });
  try {
    await ensureSchema(service, randomBytes);
    await admin.query(
      `CREATE TABLE t (id int, a varchar(20) UNIQUE);
       CREATE INDEX for_like ON t (a varchar_pattern_ops); CREATE INDEX for_like_too ON t (id, (a || 'x'));
       CREATE INDEX "In lower case" ON t (lower(a)); CREATE INDEX by_place ON t USING spgist (a);
       CREATE INDEX hashed ON t USING hash (a); CREATE INDEX pair ON t (id, a); CREATE INDEX present ON t (id) WHERE a IS NOT NULL`,
    );
    const { ddl } = await checkDatabase(service, [RULE], randomBytes);
    await admin.query(ddl.join('\n'));
    const { problems } = await checkDatabase(service, [RULE], randomBytes);
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    const { rows } = await admin.query<{ name: string }>(
      "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = 't'::regclass ORDER BY 1",
    );
    expect(rows.map(({ name }) => name)).toEqual(['hashed', 'pair', 'present', 't_a_key']);
  } finally {
    await service.close();
  }
});
