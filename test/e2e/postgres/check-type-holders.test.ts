/** What `check` says of that under which the server changes no column's type, on a real server. */
import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { checkDatabase } from '../../../src/postgres/columns/resolve.ts';
import { openServiceConnection } from '../../../src/postgres/service/connection.ts';
import type { SealRule } from '../../../src/postgres/service/rules.ts';
import { ensureSchema } from '../../../src/postgres/service/schema.ts';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres } from '../../support/postgres/postgres.ts';

const RULE: SealRule = {
  database: 'postgres',
  schema: 'public',
  table: 't',
  column: 'a',
  type: 'text',
  keyId: 'alias/app',
  mode: 'randomized',
  domain: undefined,
  guard: true,
};
const VIEW = 'CREATE VIEW v AS SELECT a FROM t';

test('views, rules and triggers that name a column are told by name, until they are gone or its type is right', async () => {
  const server = await startPostgres();
  const { host, port, superuser: user, password } = server;
  const admin = await connectTo(server.url());
  const service = openServiceConnection({ host, port, user, password, database: 'postgres' });
  onTestFinished(async () => {
    await service.close();
    await admin.end();
    await server.stop();
  });
  await ensureSchema(service, randomBytes);
  await admin.query(`CREATE TABLE t (id int, a text, b text); ${VIEW}; CREATE VIEW elsewhere AS SELECT b FROM t;
    CREATE MATERIALIZED VIEW m AS SELECT a FROM t; CREATE RULE r AS ON DELETE TO t WHERE OLD.a = 'x' DO INSTEAD NOTHING;
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER tr BEFORE UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION f()`);
  const check = () => checkDatabase(service, [RULE], randomBytes);
  const { problems, ddl } = await check();
  const held = problems
    .map(({ message }) => /^(.*) names it,/u.exec(message)?.[1])
    .filter((name) => name !== undefined);
  expect(held).toEqual([
    'materialized view public.m',
    'rule r on table public.t',
    'trigger tr on table public.t',
    'view public.v',
  ]);
  await expect(admin.query(ddl.join('\n'))).rejects.toMatchObject({ code: '0A000' });
  await admin.query('DROP VIEW v; DROP MATERIALIZED VIEW m; DROP RULE r ON t; DROP TRIGGER tr ON t');
  await admin.query((await check()).ddl.join('\n'));
  await admin.query(VIEW);
  expect((await check()).problems).toEqual([]);
});
