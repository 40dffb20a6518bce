/** Both sides of the comparison on one server: sealed columns behind the proxy, plain ones reached directly. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectTo } from '../support/postgres/connect.ts';
import { startPostgres } from '../support/postgres/postgres.ts';
import { RawClient } from '../support/postgres/proxy.ts';
import { openSealedDatabase } from '../support/postgres/sealed-database.ts';
import { ask, type Outcome, type Parameter, type Way } from '../support/postgres/wire-asker.ts';
import type { Case } from './case.ts';
import { CANARY, ddl, FILL, RULES, TABLES } from './database.ts';

type After = readonly (readonly string[])[];

export type Compared = {
  readonly way: Way;
  readonly sealed: Outcome;
  readonly plain: Outcome;
  /** All rows of all tables; `untouched`: as they were before. Empty where the statement changes none. */
  readonly after: { readonly sealed: After; readonly plain: After; readonly untouched: After };
};

export type Twins = {
  compare(one: Case): Promise<readonly Compared[]>;
  /** Where the server has what of the sealed values must not be there; whether it would have been found. */
  canaries(): Promise<{ readonly sealed: readonly string[]; readonly isLogged: boolean; readonly plain: boolean }>;
  close(): Promise<void>;
};

const CHANGES = /\b(?:insert|update|delete|merge|truncate|copy|execute)\b/iu;
const ORDERED = /\border by\b[^)]*$/iu;
const NOTHING: After = [];

/** `binaries`: of another version than the chosen one. */
export async function openTwins(binaries?: string): Promise<Twins> {
  const logged: Buffer[] = [];
  const settings = [
    'log_statement=all',
    'log_min_duration_statement=0',
    'timezone=UTC',
    'shared_preload_libraries=pg_stat_statements',
  ];
  const server = await startPostgres(settings, binaries, (log) => logged.push(Buffer.from(log)));
  const db = await openSealedDatabase(server, 'sealed', `CREATE EXTENSION pg_stat_statements; ${ddl(true)}`, RULES);
  // On a server of its own, so that what is found on the first one came through the proxy.
  const plainServer = await startPostgres(settings, binaries);
  const direct = await connectTo(plainServer.url());
  await direct.query(ddl(false));
  const sealed = await RawClient.login(db.url);
  const plain = await RawClient.login(plainServer.url());
  const both = async (sql: string, values: readonly Parameter[], way: Way): Promise<readonly [Outcome, Outcome]> =>
    Promise.all([ask(sealed, sql, values, way), ask(plain, sql, values, way)]);
  const refill = async (): Promise<void> => {
    for (const sql of FILL) requireOk(await both(sql, [], 'simple'), sql);
  };
  await refill();
  const untouched = await state(sealed);

  async function compareOne(one: Case, way: Way): Promise<Compared> {
    if (!one.alone) await both('BEGIN', [], 'simple');
    for (const sql of one.before) requireOk(await both(sql, [], 'simple'), sql);
    const [ofSealed, ofPlain] = await both(one.sql, one.values, way);
    const ordered = ORDERED.test(one.sql);
    const ends = one.alone ? 'ROLLBACK; RESET ALL; DISCARD ALL' : 'ROLLBACK';
    const isChange = CHANGES.test(one.sql);
    const wasRefused = ofSealed.type === 'refused';
    // In a failed transaction nothing can be asked; what it did is gone with it.
    const failed = ofSealed.type === 'refused' || ofSealed.error !== undefined;
    if (failed && !one.alone) await both('ROLLBACK', [], 'simple');
    const after =
      isChange || one.alone
        ? { sealed: await state(sealed), plain: wasRefused ? NOTHING : await state(plain) }
        : undefined;
    for (const sql of ends.split('; ')) await both(sql, [], 'simple');
    if (one.alone && isChange) await refill();
    return {
      way,
      sealed: sorted(ofSealed, ordered),
      plain: sorted(ofPlain, ordered),
      after: after === undefined ? { sealed: NOTHING, plain: NOTHING, untouched: NOTHING } : { ...after, untouched },
    };
  }

  return {
    compare: async (one) => {
      const several = one.sql.replace(/;\s*$/u, '').includes(';');
      const ways: readonly Way[] =
        one.values.length > 0 ? ['text', 'binary'] : several ? ['simple'] : ['simple', 'text', 'binary'];
      const found: Compared[] = [];
      for (const way of ways) found.push(await compareOne(one, way));
      return found;
    },
    canaries: async () => {
      await db.direct.query('CHECKPOINT');
      await direct.query('CHECKPOINT');
      const { rows } = await db.direct.query<{ query: string }>('SELECT query FROM pg_stat_statements');
      const said = Buffer.concat(logged).toString('utf8').split('\n');
      return {
        sealed: [
          ...(await filesWith(server.dataDirectory, CANARY)),
          ...[...said, ...rows.map(({ query }) => query)].filter((line) => line.includes(CANARY)),
        ],
        isLogged: said.some((line) => line.includes('INSERT INTO')),
        plain: (await filesWith(plainServer.dataDirectory, CANARY)).length > 0,
      };
    },
    close: async () => {
      sealed.end();
      plain.end();
      await direct.end();
      await db.close();
      await server.stop();
      await plainServer.stop();
    },
  };
}

/** Rows of every table, through the side's own door. */
async function state(on: RawClient): Promise<After> {
  const all: (readonly string[])[] = [];
  for (const table of [...TABLES, 'other.customers', 'excluded']) {
    const found = await ask(on, `SELECT * FROM ${table}`, [], 'text');
    all.push(found.type === 'answer' ? [...found.rows].sort() : ['refused']);
  }
  return all;
}

function sorted(outcome: Outcome, ordered: boolean): Outcome {
  return outcome.type === 'refused' || ordered ? outcome : { ...outcome, rows: [...outcome.rows].sort() };
}

function requireOk(outcomes: readonly Outcome[], sql: string): void {
  for (const outcome of outcomes) {
    if (outcome.type === 'refused' || outcome.error !== undefined)
      throw new Error(`${sql}: ${JSON.stringify(outcome)}`);
  }
}

async function filesWith(folder: string, text: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    // The server takes some of its files away while it works.
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return '';
    });
    if (bytes.includes(text)) found.push(path.slice(folder.length + 1));
  }
  return found;
}
