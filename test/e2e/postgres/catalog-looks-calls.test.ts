/**
 * What runs functions that change settings is made by another client, and nothing else of the catalog changes with it: the next look sees that it is there,
 * and the one after it is dropped that it is gone.
 */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CatalogSource } from '../../../src/postgres/analysis/catalog/source.ts';
import type { ServiceConnection } from '../../../src/postgres/service/connection.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openServiceDatabase, type ServiceDatabase } from '../../support/postgres/service-database.ts';

/** All of these are there before: none of them is run by anything yet. */
const DDL = String.raw`
CREATE FUNCTION dmy(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM set_config('datestyle', 'SQL, DMY', false); RETURN 1; END $$;
CREATE FUNCTION dmy(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM set_config('datestyle', 'SQL, DMY', false); RETURN btint4cmp($1, $2); END $$;
CREATE FUNCTION is_dmy(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT dmy($1) = $2';
CREATE OPERATOR ### (leftarg = int, rightarg = int, function = is_dmy);
CREATE TYPE kind AS ENUM ('one');
CREATE FUNCTION to_int(kind) RETURNS int LANGUAGE sql AS 'SELECT dmy(1)';
CREATE DOMAIN narrow AS int;
CREATE TABLE indexed (x int);
CREATE TABLE guarded (x int);
CREATE OPERATOR FAMILY empty USING btree`;

let server: TestPostgres;
let database: ServiceDatabase;
let admin: pg.Client;
let service: ServiceConnection;
let source: CatalogSource;

beforeAll(async () => {
  server = await startPostgres();
  database = await openServiceDatabase(server, 'looks');
  ({ admin, service } = database);
  await admin.query(DDL);
  source = new CatalogSource({
    ...{ service, rules: [], resolveColumns: () => Promise.resolve([]) },
    ...{ allowRoutines: new Set(), now: () => performance.now() },
  });
});
afterAll(async () => {
  await database.close();
  await server.stop();
});

/** What a catalog has that knew nothing before. */
async function anew(): Promise<unknown> {
  await source.reload();
  return source.requireCatalog().changing;
}

async function afterALook(sql: string): Promise<unknown> {
  await admin.query(sql);
  source.distrust();
  await source.refresh();
  return source.requireCatalog().changing;
}

test.each([
  ['CREATE INDEX made ON indexed (dmy(x))', 'DROP INDEX made'],
  ['CREATE INDEX made ON indexed (x) WHERE dmy(x) = 1', 'DROP INDEX made'],
  [
    'CREATE OPERATOR CLASS own FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 3 =, OPERATOR 5 >, FUNCTION 1 dmy(int, int)',
    'CREATE INDEX made ON indexed (x own)',
    'DROP INDEX made',
    'DROP OPERATOR FAMILY own USING btree CASCADE',
  ],
  [
    'ALTER OPERATOR FAMILY empty USING btree ADD OPERATOR 1 ### (int, int)',
    'ALTER OPERATOR FAMILY empty USING btree DROP OPERATOR 1 (int, int)',
  ],
  [
    'ALTER OPERATOR FAMILY empty USING btree ADD FUNCTION 1 (int, int) dmy(int, int)',
    'ALTER OPERATOR FAMILY empty USING btree DROP FUNCTION 1 (int, int)',
  ],
  ['ALTER DOMAIN narrow ADD CONSTRAINT made CHECK (dmy(VALUE) = 1)', 'ALTER DOMAIN narrow DROP CONSTRAINT made'],
  ['CREATE CAST (kind AS int) WITH FUNCTION to_int(kind)', 'DROP CAST (kind AS int)'],
  ['CREATE OPERATOR #### (leftarg = int, rightarg = int, function = is_dmy)', 'DROP OPERATOR #### (int, int)'],
  ['CREATE POLICY made ON guarded USING (dmy(x) = 1)', 'DROP POLICY made ON guarded'],
  ['ALTER TABLE guarded ALTER x SET DEFAULT dmy(1)', 'ALTER TABLE guarded ALTER x DROP DEFAULT'],
  ['ALTER TABLE guarded ADD CONSTRAINT made CHECK (dmy(x) = 1)', 'ALTER TABLE guarded DROP CONSTRAINT made'],
])('A look sees what another client made, and that it is gone: %s', async (...statements) => {
  const first = await anew();
  let last = first;
  for (const sql of statements) {
    const seen = await afterALook(sql);
    expect({ sql, seen }).not.toEqual({ sql, seen: last });
    expect(seen).toEqual(await anew());
    last = seen;
  }
  expect(last).toEqual(first);
});
