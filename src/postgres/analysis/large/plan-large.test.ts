/** What happens to the catalog while a large statement is read, which may take long. */
import { expect, test } from 'vitest';
import { CATALOG, SETTINGS } from '../../../../test/support/postgres/analysis.ts';
import type { ServiceConnection } from '../../service/connection.ts';
import { wordsOf, type Repeated } from '../../service/repeated.ts';
import { CatalogSource } from '../catalog/source.ts';
import type { CatalogSnapshot } from '../catalog/snapshot-shape.ts';
import { planLarge } from './plan-large.ts';
import type { LargeAnswer } from './messages.ts';

const SNAPSHOT: CatalogSnapshot = {
  searchPath: ['pg_catalog'],
  facts: CATALOG.facts,
  relations: [],
  made: { schemas: [], types: [], sequences: [], functions: [], operators: [], castsToText: false },
  guardOperators: false,
  inherits: [],
  rules: [],
  rowColumns: [],
  rowTypes: [],
  triggers: [],
  calls: [],
  cascades: [],
  uses: [],
  routines: [],
};
const STATEMENT = { sql: 'SELECT 1', declaredOids: [], settings: SETTINGS, seesPhysicalTypes: false };
const ANSWER: LargeAnswer = { plans: [{ type: 'pass', text: 'SELECT 1' }], isPlain: false, missesName: false };

/** A database of which only the version of its catalog is known. */
class Database implements ServiceConnection {
  readonly database = 'test';
  version: string | undefined = '1';

  query<Row>(sql: string | Repeated): Promise<readonly Row[]> {
    if (this.version === undefined) return Promise.reject(new Error('down'));
    const versions = { fingerprint: this.version, contents: this.version };
    const row: unknown = wordsOf(sql).includes('AS fingerprint') ? versions : { snapshot: SNAPSHOT };
    return Promise.resolve([row as Row]); // as pg types rows
  }

  describe = (): Promise<never> => Promise.reject(new Error('not asked'));
  transaction = this.describe;
  dryRun = this.describe;
  close = (): Promise<void> => Promise.resolve();
}

/** Plans while this happens, each time; says how often it was read. */
async function planned(
  happens: (source: CatalogSource, database: Database, times: number) => unknown,
): Promise<number> {
  const database = new Database();
  const source = new CatalogSource({
    service: database,
    rules: [],
    resolveColumns: () => Promise.resolve([]),
    allowRoutines: new Set(),
    now: () => 0,
  });
  let times = 0;
  const plan = async (): Promise<LargeAnswer> => {
    await happens(source, database, (times += 1));
    return ANSWER;
  };
  await planLarge({ plan }, source, STATEMENT);
  return times;
}

test('it is read once where nothing happens', async () => {
  expect(await planned(() => undefined)).toBe(1);
});

test('a change that nobody has looked for is seen', async () => {
  expect(await planned((_source, database, times) => (database.version = String(Math.min(times, 2) + 1)))).toBe(3);
});

test('a relation that is about to come by a name is seen', async () => {
  expect(await planned((source, _database, times) => (times === 1 ? source.expect([]) : undefined))).toBe(2);
});

// They have the catalog loaded anew, each, which used to be too often for any large statement.
test('temporary tables of others change nothing', async () => {
  const loads = async (source: CatalogSource): Promise<void> => {
    const before = source.epoch;
    await source.reload();
    expect(source.epoch).toBeGreaterThan(before);
  };
  expect(await planned(loads)).toBe(1);
});

test('a catalog that cannot be looked at any more is none', async () => {
  await expect(planned((_source, database) => (database.version = undefined))).rejects.toMatchObject({
    code: 'ERR_POSTGRES_CATALOG',
  });
});
