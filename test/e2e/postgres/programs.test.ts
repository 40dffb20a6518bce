/** PostgreSQL's own programs through a running `sealgate up`: psql and pgbench, on ruled and other tables of one database. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { requireSecret, watchServer } from '../../support/canaries.ts';
import { connectTo } from '../../support/postgres/connect.ts';
import { openBank } from '../../support/postgres/bank.ts';
import type { Installation } from '../../support/installation.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { missing } from '../../support/programs.ts';
import { start, type Ran } from '../../support/run.ts';
import { skipBecause } from '../../support/skip.ts';

const ROWS = 200;
/** Of what is sealed here, what could stand nowhere else. */
const SECRETS = [
  'the first note',
  'changed by psql',
  'first, with comma',
  'fourth of the wrong',
  'noted 1 time',
  'seen by pgbench',
  'added by pgbench',
];

let server: TestPostgres;
let installation: Installation;
let direct: pg.Client;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  server = await startPostgres();
  await watchServer(server);
  const root = await connectTo(server.url());
  await root.query("CREATE ROLE sealgate LOGIN PASSWORD 'service-password'");
  await root.query("CREATE ROLE app LOGIN PASSWORD 'app-password'");
  await root.query('CREATE DATABASE bank OWNER app');
  await root.end();
  direct = await connectTo(server.url('bank'));
  await direct.query(
    'CREATE TABLE secrets (id int PRIMARY KEY, code bigint UNIQUE, note text, seen int NOT NULL DEFAULT 0)',
  );
  await direct.query('ALTER TABLE secrets OWNER TO app');
  ({ installation, env } = await openBank(server));
});
afterAll(async () => {
  await installation.remove();
  await direct.end();
  await requireSecret(server, SECRETS);
  await server.stop();
});
beforeEach(async () => {
  await direct.query('TRUNCATE secrets');
});

const run = (program: string, ...words: readonly string[]): Promise<Ran> =>
  start(program, words, { env, cwd: installation.folder }).done;

describe('psql', () => {
  skipBecause(missing('psql'));
  /** Each a command of its own; unaligned tuples only. */
  const psql = (...commands: readonly string[]): Promise<Ran> =>
    run('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', ...commands.flatMap((command) => ['-c', command]));

  test('a script writes and reads sealed columns in one transaction', async () => {
    const script = join(installation.folder, 'script.sql');
    await writeFile(
      script,
      `insert into secrets (id, code, note) values (1, 10, 'the first note'), (2, 20, E'it''s\\n"second"'), (3, null, null);
       update secrets set note = 'changed by psql' where code = 10;
       \\gset
       select id, code, note from secrets order by id \\g
       \\set wanted 20
       select note from secrets where code = :wanted;
       select note from secrets where code = :'wanted' \\gx`,
    );
    const { code, stdout, stderr } = await run('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-1', '-f', script);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe('1|10|changed by psql\n2|20|it\'s\n"second"\n3||\nit\'s\n"second"\nnote|it\'s\n"second"\n');
  });

  test('its catalog commands answer as without the proxy, where it is asked for the types that the server has', async () => {
    const asked = { ...env, PGOPTIONS: '-c sealgate.catalog=physical' };
    const past = { ...asked, PGPORT: String(server.port) };
    for (const command of [
      '\\d',
      '\\d+ secrets',
      '\\dt+',
      '\\di',
      '\\dn',
      '\\du',
      '\\l',
      '\\df',
      '\\dT',
      '\\dD sealgate.*',
      '\\dp',
    ]) {
      const words = ['-X', '-c', command];
      const answers = [await start('psql', words, { env: asked }).done, await start('psql', words, { env: past }).done];
      expect({ command, ...answers[0] }).toEqual({ command, ...answers[1] });
    }
  });

  test('\\copy and COPY go both ways, of ruled tables and of others; what is wrong with the data is said with its line', async () => {
    await writeFile(join(installation.folder, 'rows.csv'), '1,one\n2,"two, with comma"\n');
    const copied = await psql(
      'create table if not exists other (id int, t text)',
      'truncate other',
      '\\copy other from rows.csv csv',
      'copy other to stdout csv',
    );
    expect(copied).toEqual({ code: 0, stdout: '1,one\n2,"two, with comma"\n', stderr: '' });
    const rows = '1,10,"first, with comma",0\n2,20,"second\nline",0\n3,,,5\n';
    await writeFile(join(installation.folder, 'secrets.csv'), rows);
    expect(await psql('\\copy secrets from secrets.csv csv', '\\copy secrets to out.csv csv')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(await readFile(join(installation.folder, 'out.csv'), 'utf8')).toBe(rows);
    const stored = await direct.query<{ note: Buffer | null }>('SELECT note FROM secrets ORDER BY id');
    expect(stored.rows.map(({ note }) => note?.toString().includes('comma'))).toEqual([false, false, undefined]);
    await writeFile(join(installation.folder, 'wrong.csv'), '4,40,fourth of the wrong,0\n5,leak,fifth,0\n');
    const wrong = await psql('\\copy secrets from wrong.csv csv');
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/type bigint.*\nCONTEXT: {2}COPY secrets, line 2, column code\n$/u),
    });
    expect((await direct.query('SELECT count(*)::int AS n FROM secrets')).rows).toEqual([{ n: 3 }]);
  });

  test('an error shows the place in the statement that the user wrote', async () => {
    const { code, stderr } = await psql("select * from secrets where code = 5 and note = 'x'");
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/LINE 1: .*note = 'x'\n\s+\^/u);
  });
});

describe('pgbench', () => {
  skipBecause(missing('pgbench'));
  const CLIENTS = ['-n', '-c', '4', '-j', '2', '-t', '25'];

  const bench = async (...words: readonly string[]): Promise<void> => {
    const { code, stdout, stderr } = await run('pgbench', ...words);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(/error|aborted/iu) });
    expect(stdout).toMatch(/actually processed: 100\/100/u);
    expect(stdout).not.toMatch(/failed transactions: [1-9]/u);
  };

  test('makes, fills and reads its own tables, which no rule names', async () => {
    const { code, stderr } = await run('pgbench', '-i', '-I', 'dtgvpf', '-s', '1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('done in') });
    const { rows } = await direct.query('SELECT count(*)::int AS accounts FROM pgbench_accounts');
    expect(rows).toEqual([{ accounts: 100_000 }]);
    for (const mode of ['simple', 'extended', 'prepared']) await bench('-S', '-M', mode, ...CLIENTS);
    await bench('-M', 'prepared', ...CLIENTS);
  });

  test.each(['simple', 'extended', 'prepared'])('finds, changes and adds rows by a sealed column, %s', async (mode) => {
    const url = `postgres://app:app-password@127.0.0.1:${String(env['PGPORT'])}/bank`;
    const client = await connectTo(url);
    onTestFinished(() => client.end());
    for (let id = 1; id <= ROWS; id += 1)
      await client.query('INSERT INTO secrets (id, code, note) VALUES ($1, $2, $3)', [
        id,
        id * 1000,
        `noted ${id} time`,
      ]);
    const script = join(installation.folder, 'bench.sql');
    await writeFile(
      script,
      `\\set code random(1, ${ROWS}) * 1000
       \\set id :client_id * 1000000 + random(1000, 900000)
       \\set added :id * 1000
       begin;
       select id, code, note from secrets where code = :code;
       update secrets set seen = seen + 1, note = 'seen by pgbench' where code = :code;
       insert into secrets (id, code, note) values (:id, :added, 'added by pgbench') on conflict do nothing;
       end;`,
    );
    await bench('-f', script, '-M', mode, ...CLIENTS);
    const { rows } = await client.query<{ seen: number }>('SELECT sum(seen)::int AS seen FROM secrets');
    expect(rows).toEqual([{ seen: 100 }]);
    const notes = await client.query<{ note: string }>('SELECT note FROM secrets WHERE seen > 0');
    expect(new Set(notes.rows.map(({ note }) => note))).toEqual(new Set(['seen by pgbench']));
  });
});
