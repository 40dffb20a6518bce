/**
 * The proxy before every major version of PostgreSQL that it is made for: a little of everything. All other suites run on the newest, or on the
 * one that SEALGATE_TEST_POSTGRES names.
 */
import { once } from 'node:events';
import { chmod, chown, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialize } from 'pg-protocol';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { askServers } from '../../../src/postgres/service/server-roles.ts';
import { SHAPES } from '../../conformance-sql/all-shapes.ts';
import { casesOf } from '../../conformance-sql/case.ts';
import { openTwins, type Twins } from '../../conformance-sql/twins.ts';
import {
  PROXY_CERTIFICATE_PEM,
  PROXY_KEY_PEM,
  SERVER_CERTIFICATE_PEM,
  SERVER_KEY_PEM,
  TEST_CA_PEM,
} from '../../support/certificates.ts';
import { CLIENT_BUILD_TIMEOUT_MS } from '../../support/client-cache.ts';
import { requireSecret, watchServer } from '../../support/canaries.ts';
import { applyDdl, install, type Installation } from '../../support/installation.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { RawClient, startTestProxy } from '../../support/postgres/proxy.ts';
import { binariesOf, POSTGRES_VERSIONS, testedVersion, type Binaries } from '../../support/postgres/versions.ts';
import { missing } from '../../support/programs.ts';
import { start } from '../../support/run.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';
import { startStandby } from '../../support/postgres/standby.ts';
import { ask, type Outcome, type Way } from '../../support/postgres/wire-asker.ts';
import { RULES, tableDdl, TYPES } from './type-values.ts';

/** Of each shape of SQL; what is refused is so before a server is asked. */
const CASES = 1;
const SAMPLE = SHAPES.flatMap((shape) =>
  casesOf(shape)
    .filter(({ expected }) => expected === 'exact')
    .slice(0, CASES),
);

const others = POSTGRES_VERSIONS.filter((version) => version !== testedVersion());

describe.each(others)('PostgreSQL %i', (version) => {
  let binaries: Binaries;
  let folder: string | undefined;
  beforeAll(async () => {
    binaries = await binariesOf(version);
    folder = binaries.type === 'found' ? binaries.folder : undefined;
  }, CLIENT_BUILD_TIMEOUT_MS);
  beforeEach(({ skip }) => {
    if (binaries.type === 'none') skip(binaries.reason);
  });

  describe('statements of every shape', () => {
    let twins: Twins;
    beforeAll(async () => {
      if (folder !== undefined) twins = await openTwins(folder);
    });
    afterAll(async () => {
      if (folder !== undefined) await twins.close();
    });

    test('give what plain columns give; nothing of them is on the server', async () => {
      for (const one of SAMPLE) {
        for (const { way, sealed, plain, after } of await twins.compare(one)) {
          const place = { sql: one.sql, way };
          expect({ ...place, ...sealed, after: after.sealed }).toEqual({ ...place, ...plain, after: after.plain });
        }
      }
      expect(await twins.canaries()).toEqual({ sealed: [], isLogged: true, plain: true });
    });
  });

  describe('values', () => {
    let server: TestPostgres;
    let db: SearchedDatabase;
    let twinUrl: string;
    let twin: pg.Client;
    const raw: RawClient[] = [];
    beforeAll(async () => {
      if (folder === undefined) return;
      server = await startPostgres([], folder);
      db = await openSearchedDatabase(server, 'sealed', tableDdl(true), RULES);
      twinUrl = await db.openTwin();
      twin = await connectTo(twinUrl);
      await twin.query(tableDdl(false));
      for (const url of [db.url, twinUrl]) raw.push(await RawClient.login(url));
    });
    afterAll(async () => {
      if (folder === undefined) return;
      for (const client of raw) client.end();
      await twin.end();
      await db.close();
      await server.stop();
    });

    test('of all types, written and read as text and in binary, and copied', async () => {
      const names = TYPES.map(([name]) => name);
      // PostgreSQL 13 has no infinite numeric: see below.
      const values = TYPES.map(([, type, , all]) => all.filter((one) => type !== 'numeric' || one !== 'Infinity'));
      const rows = Array.from({ length: 7 }, (_, id) => values.map((all) => all[id] ?? null));
      const into = `INSERT INTO t (id, ${names.join(', ')}) VALUES`;
      const quoted = (value: string | null): string => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);
      const constants = rows.map((row, id) => `(${[id, ...row.map(quoted)].join(', ')})`);
      await expectAlike(raw, `${into} ${constants.join(', ')}`, [], 'simple');
      const parameters = names.map((_, index) => `$${index + 1}`).join(', ');
      for (const [id, row] of rows.entries())
        await expectAlike(raw, `${into} (${id + 100}, ${parameters}) RETURNING *`, row, 'text');
      // The OIDs of elements that are the database's own are others there.
      const binary = names.filter((name) => name !== 'c_moods').join(', ');
      await expectAlike(raw, 'SELECT * FROM t ORDER BY id', [], 'text');
      await expectAlike(raw, `SELECT ${binary} FROM t ORDER BY id`, [], 'binary');
      for (const options of ['FORMAT text', 'FORMAT csv', 'FORMAT binary']) {
        const out = `COPY (SELECT ${binary} FROM t ORDER BY id) TO STDOUT (${options})`;
        const [sealed, plain] = [await copied(db.url, out), await copied(twinUrl, out)];
        expect({ options, rows: sealed.toString('hex') }).toEqual({ options, rows: plain.toString('hex') });
      }
    });

    test('numbers that the server does not read are not read for it', async () => {
      const [sealed, plain] = raw;
      await expectAlike(
        raw,
        'PREPARE add (int, int) AS INSERT INTO t (id, c_int4) VALUES ($1, $2) RETURNING c_int4',
        [],
        'simple',
      );
      for (const number of ['0x1F', '0o17', '0b11', '1_000']) {
        for (const sql of [
          `INSERT INTO t (id, c_int4) VALUES (600, ${number}) RETURNING c_int4`,
          `SELECT id FROM t WHERE c_int4 IN (${number}, 5)`,
          `UPDATE t SET c_int4 = ${number} WHERE id = -1 RETURNING c_int4`,
          `SELECT coalesce(c_int4, ${number}) AS x FROM t WHERE id = -1`,
          `EXECUTE add (600, ${number})`,
          `EXECUTE add (${number}, 5)`,
          `EXPLAIN (COSTS off) EXECUTE add (600, -${number})`,
        ]) {
          if (sealed === undefined || plain === undefined) throw new Error('no connection');
          const [ours, theirs] = [await ask(sealed, sql, [], 'simple'), await ask(plain, sql, [], 'simple')];
          if (version < 16) expect({ sql, ours }).toEqual({ sql, ours: expect.objectContaining({ type: 'refused' }) });
          else expect({ sql, ours }).toEqual({ sql, ours: theirs });
        }
      }
    });

    test('infinite numbers are what they are to the server', async () => {
      for (const value of ['Infinity', '-Infinity', 'inf', '+inf', 'NaN']) {
        await expectAlike(raw, `INSERT INTO t (id, c_free) VALUES (500, '${value}') RETURNING c_free`, [], 'simple');
        for (const way of ['text', 'binary'] as const)
          await expectAlike(raw, 'INSERT INTO t (id, c_free) VALUES (501, $1) RETURNING c_free', [value], way);
      }
    });
  });

  describe('an installation', () => {
    let server: TestPostgres;
    let installation: Installation;
    let port: number;
    const login = { host: '127.0.0.1', user: 'app', password: 'app-password', database: 'bank' };
    /** Bound to its channel, with TLS on both legs. */
    const connect = async (): Promise<pg.Client> => {
      const ssl = { ca: TEST_CA_PEM };
      const client = new pg.Client({ ...login, port, ssl, enableChannelBinding: true });
      await client.connect();
      return client;
    };
    beforeAll(async () => {
      if (folder === undefined) return;
      server = await startPostgres([], folder);
      await watchServer(server);
      await startTls(server);
      await onServer(server, 'postgres', [
        "CREATE ROLE sealgate LOGIN PASSWORD 'service-password'",
        "CREATE ROLE app LOGIN PASSWORD 'app-password'",
        'CREATE DATABASE bank OWNER app',
      ]);
      await onServer(server, 'bank', [
        `CREATE FUNCTION public.verifier_of(name) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
           AS 'select rolpassword from pg_authid where rolname = $1 and rolcanlogin and not rolsuper'`,
        'ALTER SCHEMA public OWNER TO app',
        'SET ROLE app; CREATE TABLE secrets (id int PRIMARY KEY, code bigint UNIQUE, note text); CREATE TABLE more ()',
      ]);
      const files = { 'ca.pem': TEST_CA_PEM, 'proxy.crt': PROXY_CERTIFICATE_PEM, 'proxy.key': PROXY_KEY_PEM };
      installation = await install(configFor(server), ['bank'], files);
      await applyDdl(installation, server, 'bank');
      port = (await installation.up()).ports['postgres'] ?? 0;
    });
    afterAll(async () => {
      if (folder === undefined) return;
      await requireSecret(server, ['canary more', 'canary one', 'canary two', 'canary merged', 'canary copied']);
      await installation.remove();
      await server.stop();
    });

    test('is checked, and does what applications do: schema changes, upserts, MERGE, COPY, cursors', async () => {
      const client = await connect();
      await client.query('DROP TABLE more');
      // As the owner of its tables alone, who may not do what a superuser may.
      await client.query('BEGIN');
      await client.query('CREATE TABLE more (id int PRIMARY KEY, secret text NOT NULL)');
      await client.query('ALTER TABLE secrets ADD COLUMN made timestamptz DEFAULT now()');
      await client.query("INSERT INTO more VALUES (1, 'canary more')");
      expect((await client.query('SELECT secret FROM more')).rows).toEqual([{ secret: 'canary more' }]);
      await client.query('COMMIT');
      const upsert = 'INSERT INTO secrets VALUES ($1, $2, $3) ON CONFLICT (code) DO UPDATE SET note = excluded.note';
      await client.query(upsert, [1, 10, 'canary one']);
      await client.query(upsert, [2, 10, 'canary two']);
      const merge = `MERGE INTO secrets s USING (VALUES (3, 30::bigint)) v (id, code) ON s.code = v.code
        WHEN NOT MATCHED THEN INSERT (id, code, note) VALUES (v.id, 30, 'canary merged')`;
      const merged = await client.query(merge).then(
        () => 'done',
        (error: pg.DatabaseError) => error.code,
      );
      expect(merged).toBe(version >= 15 ? 'done' : '42601');
      const copy = client.query(copyFrom('COPY secrets (id, code, note) FROM STDIN'));
      copy.end('4\t40\tcanary copied\n');
      await once(copy, 'finish');
      await client.query('BEGIN');
      await client.query(
        'DECLARE c CURSOR FOR SELECT code, note FROM secrets WHERE code = ANY(ARRAY[10, 40]) ORDER BY id',
      );
      expect((await client.query('FETCH 5 FROM c')).rows).toEqual([
        { code: '10', note: 'canary two' },
        { code: '40', note: 'canary copied' },
      ]);
      await client.query('COMMIT');
      const { rows } = await client.query(
        'SELECT m.secret FROM more m JOIN secrets s USING (id) WHERE s.code = $1',
        [10],
      );
      expect(rows).toEqual([{ secret: 'canary more' }]);
      await client.end();
      const stored = await onServer(server, 'bank', ["SELECT string_agg(note::text, ' ') AS notes FROM secrets"]);
      expect(Buffer.from(String(stored[0]?.['notes'])).includes(Buffer.from('canary').toString('hex'))).toBe(false);
      expect(await installation.run('check')).toMatchObject({ code: 0 });
    });

    test('lets in by SCRAM bound to the channel, with TLS on both legs, and no wrong password', async () => {
      const client = await connect();
      expect((await client.query('SELECT current_user AS who')).rows).toEqual([{ who: 'app' }]);
      await client.end();
      const wrong = new pg.Client({ ...login, port, password: 'guess', ssl: { ca: TEST_CA_PEM } });
      await expect(wrong.connect()).rejects.toMatchObject({ code: '28P01' });
    });

    test('shows logical types to psql', async ({ skip }) => {
      const reason = missing('psql');
      if (reason !== undefined) skip(reason);
      const env = { ...process.env, PGPASSWORD: login.password, PGSSLMODE: 'require', PGHOST: login.host };
      const words = ['-X', '-U', login.user, '-p', String(port), '-d', login.database, '-c', '\\d secrets'];
      const { code, stdout, stderr } = await start('psql', words, { env }).done;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/ code +\| bigint .*\n note +\| text /u);
      expect(stdout).not.toContain('sealgate.sealed');
    });

    test('cancels what runs', async () => {
      const client = await connect();
      const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }; // npm pg keeps BackendKeyData there
      const cancelled = expect(client.query('SELECT pg_sleep(60)')).rejects.toMatchObject({ code: '57014' });
      const running =
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'";
      while ((await onServer(server, 'bank', [running]))[0]?.['n'] !== 1);
      const canceller = await RawClient.connect(port);
      canceller.send(serialize.cancel(processID, secretKey));
      expect(await canceller.untilClosed()).toEqual([]);
      await cancelled;
      await client.end();
    });

    test('finds the primary and its standby, and passes replication', async () => {
      const standby = await startStandby(server, folder);
      const roles = askServers((at) => Promise.resolve({ ...at, user: 'postgres', password: server.password }));
      for (const target of ['read-write', 'standby'] as const) {
        const servers = target === 'standby' ? [server, standby] : [standby, server];
        const proxy = await startTestProxy(server, {
          upstream: { servers, tls: { mode: 'disable' }, roles, target },
          replication: 'pass',
        });
        const client = new pg.Client({ connectionString: `${proxy.url()}?replication=database` });
        await client.connect();
        const { rows } = await client.query('SELECT pg_is_in_recovery() AS standby');
        expect({ target, ...rows[0] }).toEqual({ target, standby: target === 'standby' });
        expect((await client.query('IDENTIFY_SYSTEM')).rows).toHaveLength(1);
        await client.end();
        await proxy.close();
      }
      await standby.stop();
    });
  });
});

const configFor = ({ host, port }: TestPostgres): string => `
postgres:
  listen: { host: 127.0.0.1, port: 0, tls: { certFile: proxy.crt, keyFile: proxy.key } }
  upstream: { url: 'postgres://${host}:${port}/?sslmode=verify-ca&sslrootcert=ca.pem' }
  authentication: terminate
  verifiers: { user: sealgate, password: service-password, database: bank, query: 'select public.verifier_of($1)' }
  databases:
    - { name: bank, service: { user: sealgate, password: service-password } }
  columns:
    - { column: bank.public.secrets.code, type: bigint, key: alias/bank, mode: deterministic }
    - { column: bank.public.secrets.note, type: text, key: alias/bank }
    - { column: bank.public.more.secret, type: text, key: alias/bank }
`;

/** The same answer from the sealed table and from its plain twin; types that are the database's own have other OIDs there. */
async function expectAlike(
  [sealed, plain]: readonly RawClient[],
  sql: string,
  values: readonly (string | null)[],
  way: Way,
): Promise<void> {
  if (sealed === undefined || plain === undefined) throw new Error('not connected');
  const comparable = (outcome: Outcome): object =>
    outcome.type === 'refused' ? outcome : { rows: outcome.rows, tags: outcome.tags, error: outcome.error };
  const place = { sql, way };
  expect({ ...place, ...comparable(await ask(sealed, sql, values, way)) }).toEqual({
    ...place,
    ...comparable(await ask(plain, sql, values, way)),
  });
}

async function copied(url: string, sql: string): Promise<Buffer> {
  const client = await connectTo(url);
  const chunks: Buffer[] = [];
  for await (const chunk of client.query(copyTo(sql))) chunks.push(chunk as Buffer);
  await client.end();
  return Buffer.concat(chunks);
}

/** As superuser, past the proxy; the rows of the last. */
async function onServer(
  server: TestPostgres,
  database: string,
  statements: readonly string[],
): Promise<readonly Record<string, unknown>[]> {
  const client = await connectTo(server.url(database));
  let rows: readonly Record<string, unknown>[] = [];
  for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
  await client.end();
  return rows;
}

/** Its files belong to whom the server runs as; it takes them once it says so. */
async function startTls(server: TestPostgres): Promise<void> {
  const { uid, gid } = await stat(server.dataDirectory);
  for (const [name, text] of [
    ['server.crt', SERVER_CERTIFICATE_PEM],
    ['server.key', SERVER_KEY_PEM],
  ] as const) {
    const path = join(server.dataDirectory, name);
    await writeFile(path, text);
    await chown(path, uid, gid);
    await chmod(path, 0o600);
  }
  await onServer(server, 'postgres', ['ALTER SYSTEM SET ssl = on', 'SELECT pg_reload_conf()']);
  while ((await onServer(server, 'postgres', ['SHOW ssl']))[0]?.['ssl'] !== 'on');
}
