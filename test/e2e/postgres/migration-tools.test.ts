/**
 * Migration tools as their users run them: the rules are there first, the database is empty, and each tool makes tables, fills them, changes
 * them and takes all of it back through a running `sealgate up`, as a role that is no superuser.
 */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { requireSecret, watchServer } from '../../support/canaries.ts';
import { CLIENT_BUILD_TIMEOUT_MS } from '../../support/client-cache.ts';
import { install, type Installation } from '../../support/installation.ts';
import { goClient, javaClient, pythonClient, type LanguageClient } from '../../support/language-clients.ts';
import { nodeClient } from '../../support/node-clients.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { start } from '../../support/run.ts';

/** `tables`: how its tables' names begin; `returns`: whether it can take back what it did. */
type Tool = {
  readonly name: string;
  readonly tables: string;
  readonly build: () => Promise<LanguageClient>;
  readonly returns: boolean;
};

const node = (): Promise<LanguageClient> =>
  nodeClient('postgres-migrate-node', ['knex@3.3.0', 'node-pg-migrate@9.0.0', 'pg@8.23.1']);
const java = (): Promise<LanguageClient> => javaClient('postgres-migrate-java');

const TOOLS: readonly Tool[] = [
  { name: 'Knex', tables: 'knex', build: node, returns: true },
  { name: 'node-pg-migrate', tables: 'node_pg', build: node, returns: true },
  {
    name: 'Alembic',
    tables: 'alembic',
    build: () => pythonClient('postgres-alembic', ['alembic==1.20.1', 'sqlalchemy==2.1.9', 'psycopg[binary]==3.3.9']),
    returns: true,
  },
  { name: 'golang-migrate', tables: 'golang', build: () => goClient('postgres-migrate-go'), returns: true },
  { name: 'Flyway', tables: 'flyway', build: java, returns: false },
  { name: 'Liquibase', tables: 'liquibase', build: java, returns: true },
];

const rulesOf = ({ tables }: Tool): string => `
    - { column: clinic.public.${tables}_patient.ssn, type: varchar(11), key: alias/clinic, mode: deterministic, domain: ssn }
    - { column: clinic.public.${tables}_patient.note, type: text, key: alias/clinic }
    - { column: clinic.public.${tables}_patient.born, type: date, key: alias/clinic }
    - { column: clinic.public.${tables}_visit.ssn, type: varchar(11), key: alias/clinic, mode: deterministic, domain: ssn }`;

let server: TestPostgres;
let installation: Installation;
let direct: pg.Client;
let url: string;

beforeAll(async () => {
  server = await startPostgres();
  await watchServer(server);
  const root = await connectTo(server.url());
  for (const sql of [
    "CREATE ROLE sealgate LOGIN PASSWORD 'service-password'",
    "CREATE ROLE app LOGIN PASSWORD 'app-password'",
    'CREATE DATABASE clinic OWNER app',
    'GRANT CREATE ON DATABASE clinic TO sealgate',
  ])
    await root.query(sql);
  await root.end();
  direct = await connectTo(server.url('clinic'));
  // As `check` asks for columns that are added to tables with rows.
  await direct.query(
    'ALTER SCHEMA public OWNER TO app; ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT SELECT ON TABLES TO sealgate',
  );
  installation = await install(
    `
postgres:
  listen: { host: 127.0.0.1, port: 0 }
  upstream: { host: ${server.host}, port: ${server.port}, tls: { mode: disable } }
  databases:
    - { name: clinic, service: { user: sealgate, password: service-password } }
  columns:${TOOLS.map(rulesOf).join('')}
`,
    ['clinic'],
  );
  const { ports } = await installation.up();
  url = `postgres://app:app-password@127.0.0.1:${ports['postgres'] ?? 0}/clinic`;
});
afterAll(async () => {
  await installation.remove();
  await direct.end();
  await requireSecret(server, ['078-05-1120', 'canary of a migration']);
  await server.stop();
});

describe.each(TOOLS)('$name', ({ tables, build, returns }) => {
  let client: LanguageClient;
  beforeAll(async () => {
    client = await build();
  }, CLIENT_BUILD_TIMEOUT_MS);

  async function run(direction: 'up' | 'down'): Promise<void> {
    if (client.type === 'none') throw new Error(client.reason);
    const [program, ...before] = client.words;
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
    const { code, stdout, stderr } = await start(program, [...before, direction, tables, url], { env }).done;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'ok\n', stderr: '' });
  }

  async function rows(): Promise<unknown> {
    const application = await connectTo(url);
    const answer = await application.query(
      `SELECT p.name, p.ssn, p.note, p.born, p.city FROM ${tables}_patient p JOIN ${tables}_visit v USING (ssn) WHERE v.ssn = $1`,
      ['078-05-1120'],
    );
    await application.end();
    return answer.rows;
  }

  async function sealedColumns(): Promise<unknown> {
    const { rows: found } = await direct.query<{ of: string }>(
      `SELECT attrelid::regclass || '.' || attname AS of FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
       WHERE c.relkind = 'r' AND c.relname LIKE $1 AND atttypid = to_regtype('sealgate.sealed') ORDER BY 1`,
      [`${tables.replaceAll('_', String.raw`\_`)}\\_%`],
    );
    return found.map(({ of }) => of);
  }

  test('goes up, once, and back', async ({ skip }) => {
    if (client.type === 'none') return skip(client.reason);
    await run('up');
    const [patient, visit] = [`${tables}_patient`, `${tables}_visit`];
    const sealed = [`${patient}.born`, `${patient}.note`, `${patient}.ssn`, `${visit}.ssn`];
    expect(await sealedColumns()).toEqual(sealed);
    const ann = {
      name: 'Ann',
      ssn: '078-05-1120',
      note: 'canary of a migration',
      born: new Date(1990, 1, 3),
      city: 'Rome',
    };
    expect(await rows()).toEqual([ann]);
    await run('up');
    expect(await rows()).toEqual([ann]);
    if (!returns) return;
    await run('down');
    expect(await sealedColumns()).toEqual([]);
    await run('up');
    expect(await rows()).toEqual([ann]);
  });
});
