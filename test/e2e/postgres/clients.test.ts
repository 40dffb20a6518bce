/** Drivers and ORMs that know nothing of sealing, on tables of their own making where they make any, through a running `sealgate up`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { CLIENT_BUILD_TIMEOUT_MS } from '../../support/client-cache.ts';
import { CLUB_DDL, openClubDatabase, type ClubDatabase } from '../../support/postgres/club-database.ts';
import { goClient, javaClient, pythonClient, type LanguageClient } from '../../support/language-clients.ts';
import { nodeClient, prismaClient } from '../../support/node-clients.ts';
import { testedVersion, type PostgresVersion } from '../../support/postgres/versions.ts';
import { start } from '../../support/run.ts';

type Client = {
  readonly name: string;
  readonly build: () => Promise<LanguageClient>;
  /** Words after the URL, run by run. */
  readonly runs: readonly (readonly string[])[];
  /** It makes its tables itself, by `migrate <url>`, and works on them by `use <url>`. */
  readonly migrates?: true;
  /** It refuses older servers itself. */
  readonly since?: PostgresVersion;
};

const PSYCOPG = 'psycopg[binary]==3.3.9';

const CLIENTS: readonly Client[] = [
  { name: 'Prisma', build: () => prismaClient('postgres-prisma', '7.10.0'), runs: [[]] },
  {
    name: 'Knex, Sequelize and TypeORM',
    build: () =>
      nodeClient('postgres-node', [
        'knex@3.3.0',
        'sequelize@6.37.8',
        'typeorm@1.1.1',
        'pg@8.23.1',
        'pg-query-stream@4.17.0',
      ]),
    runs: [[]],
  },
  {
    name: 'Django',
    build: () => pythonClient('postgres-django', ['django==5.2.19', PSYCOPG]),
    // Values in the text of statements, as it does by itself; and as parameters.
    runs: [[], ['bound-by-the-server']],
    migrates: true,
    since: 14,
  },
  {
    name: 'SQLAlchemy over psycopg2, psycopg and asyncpg',
    build: () =>
      pythonClient('postgres-sqlalchemy', [
        'sqlalchemy[asyncio]==2.1.9',
        'psycopg2-binary==2.9.13',
        PSYCOPG,
        'asyncpg==0.32.0',
      ]),
    runs: [[]],
    migrates: true,
  },
  { name: 'pgx and lib/pq', build: () => goClient('postgres-go'), runs: [[]] },
  { name: 'pgjdbc and Hibernate', build: () => javaClient('postgres-java'), runs: [[]], migrates: true },
];

async function run(client: LanguageClient, ...words: readonly string[]): Promise<void> {
  if (client.type === 'none') throw new Error(client.reason);
  const [program, ...before] = client.words;
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  const { code, stdout, stderr } = await start(program, [...before, ...words], { env }).done;
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'ok\n', stderr: '' });
}

describe.each(CLIENTS)('$name', ({ name, build, runs, migrates, since = 13 }) => {
  let client: LanguageClient;
  let database: ClubDatabase;

  beforeAll(async () => {
    client =
      testedVersion() < since
        ? { type: 'none', reason: `${name} needs PostgreSQL ${since}, and this is ${testedVersion()}` }
        : await build();
    if (client.type === 'none') return;
    const made = client;
    database = await openClubDatabase((url) => (migrates === true ? run(made, 'migrate', url) : makeTables(url)));
  }, CLIENT_BUILD_TIMEOUT_MS);
  afterAll(async () => {
    if (client.type === 'built') await database.close();
  });

  test('works on sealed columns as on others, and nothing of them lies at rest', async ({ skip }) => {
    if (client.type === 'none') return skip(client.reason);
    for (const words of runs) await run(client, ...(migrates === true ? ['use'] : []), database.url, ...words);
    expect(await database.leaks()).toEqual([]);
  });
});

async function makeTables(url: string): Promise<void> {
  const client = await connectTo(url);
  await client.query(CLUB_DDL);
  await client.end();
}
