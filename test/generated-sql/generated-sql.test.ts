/**
 * Generated sequences of statements on sealed columns and on plain ones: the same rows, names, types, tags, errors and transaction states, or a
 * refusal after which nothing has changed. One that fails shrinks, and is printed with its seed.
 *
 * `GENERATED_SQL_SEED` (1) and `GENERATED_SQL_RUNS` (100 sequences) say what is run: the same seed gives the same statements. What was run is
 * told where `GENERATED_SQL_RUNS` is set; `GENERATED_SQL_MINUTES` ends it earlier, and with `GENERATED_SQL_ALL` all that differs is listed as it is.
 */
import fc from 'fast-check';
import { isDeepStrictEqual, inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../support/postgres/postgres.ts';
import { RawClient } from '../support/postgres/proxy.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../support/postgres/sealed-database.ts';
import { ask } from '../support/postgres/wire-asker.ts';
import { actsOf, actText, type Act } from './acts.ts';
import { runAct, type Seen } from './run-act.ts';
import { RESETS } from './settings.ts';
import { ALSO_PLAIN, ddl, FILL, RULES, STORED, TABLES } from './tables.ts';
import { Tape, TAPE_LIMIT } from './tape.ts';

const SEED = Number(process.env['GENERATED_SQL_SEED'] ?? 1);
const RUNS = Number(process.env['GENERATED_SQL_RUNS'] ?? 100);
const MINUTES = process.env['GENERATED_SQL_MINUTES'];
const MAX_STEPS = 8;
const MAX_CHOICES = 80;

let server: TestPostgres;
let db: SearchedDatabase;
let sealed: RawClient;
let twin: RawClient;
const counts = { sequences: 0, acts: 0, refused: 0, failed: 0 };

beforeAll(async () => {
  server = await startPostgres(['timezone=UTC']);
  db = await openSearchedDatabase(server, 'sealed', ddl(true), RULES);
  db.canaries.alsoPlain(...ALSO_PLAIN);
  const twinUrl = await db.openTwin();
  sealed = await RawClient.login(db.url);
  twin = await RawClient.login(twinUrl);
  await requireBoth(ddl(false), [twin]);
  for (const side of [sealed, twin]) await learnTypes(side);
});
afterAll(async () => {
  sealed.end();
  twin.end();
  await db.close();
  await server.stop();
});

async function requireBoth(sql: string, sides: readonly RawClient[] = [sealed, twin]): Promise<void> {
  for (const side of sides) {
    const outcome = await ask(side, sql, [], 'simple');
    if (outcome.type === 'refused' || outcome.error !== undefined) throw new Error(`${sql}: ${inspect(outcome)}`);
  }
}

/** Ends what a sequence left open, and puts the rows back. */
async function reset(): Promise<void> {
  for (const side of [sealed, twin]) await ask(side, 'ROLLBACK', [], 'simple');
  for (const sql of ['CLOSE ALL', 'DEALLOCATE ALL', RESETS, ...FILL]) await requireBoth(sql);
}

async function rowsOf(side: RawClient): Promise<unknown> {
  const all = [];
  for (const table of STORED) {
    const found = await ask(side, `SELECT * FROM ${table}`, [], 'text');
    all.push(found.type === 'answer' ? [...found.rows].sort() : found);
  }
  return all;
}

/** The rows of tables among them. */
const OWN_TYPES = ['mood', 'posint', 'email', 'citext', 'hstore', ...Object.keys(TABLES)].flatMap((name) => [
  name,
  `_${name}`,
]);

/** OIDs of the database's own types, in decimal and as arrays have them, and what stands for them in a comparison. */
const ownTypes = new Map<RawClient, readonly (readonly [RegExp, string])[]>();

async function learnTypes(side: RawClient): Promise<void> {
  // The proxy's own schemas have tables of these names as well.
  const sql = `SELECT oid, typname FROM pg_type WHERE typname IN (${OWN_TYPES.map((name) => `'${name}'`).join(', ')})`;
  const found = await ask(side, sql, [], 'simple');
  const rows = found.type === 'answer' ? found.rows.map((row) => JSON.parse(row) as [string, string]) : []; // two columns
  // Of whole bytes, and by as many of them, so that the next are found as well.
  const hexOf = (number: number): string => number.toString(16).padStart(8, '0');
  const patternOf = (oid: string): RegExp =>
    new RegExp(String.raw`\b${oid}\b|${hexOf(Number(oid))}(?<="(?:[0-9a-f]{2})*)`, 'gu');
  ownTypes.set(
    side,
    rows.map(([oid, name]) => [patternOf(oid), hexOf(0xffff_0000 + OWN_TYPES.indexOf(name))]),
  );
}

const comparable = (side: RawClient, { what }: Seen): string =>
  (ownTypes.get(side) ?? []).reduce((text, [oid, name]) => text.replaceAll(oid, name), JSON.stringify(what));

/** Where all are listed. */
const found: string[] = [];

class Difference extends Error {}

/** On both sides; what fails on the one by refusal is made to fail on the other, and the transaction with it. Whether that has failed. */
async function runBoth(act: Act, isFailed: boolean): Promise<boolean> {
  const ours = await runAct(sealed, act);
  counts.acts += 1;
  if (ours.isRefused) {
    counts.refused += 1;
    const failed = await ask(twin, 'refused', [], 'simple');
    return failed.type === 'answer' && failed.status === 'E';
  }
  const theirs = await runAct(twin, act);
  if (ours.status === 'E') counts.failed += 1;
  // In a failed transaction the proxy may say what is wrong with the statement, where the server says 25P02 of all alike.
  const isSame =
    isFailed && ours.status === 'E' ? theirs.status === 'E' : comparable(sealed, ours) === comparable(twin, theirs);
  if (!isSame) throw new Difference(differenceText(ours, theirs));
  return ours.status === 'E';
}

const differenceText = (ours: Seen, theirs: Seen): string =>
  `sealed: ${inspect(ours.what, { depth: 9 })}\nplain: ${inspect(theirs.what, { depth: 9 })}`;

async function runSequence(tapes: readonly (readonly number[])[]): Promise<void> {
  await reset();
  counts.sequences += 1;
  const done: Act[] = [];
  let isFailed = false;
  try {
    for (const [step, numbers] of tapes.entries()) {
      for (const act of actsOf(new Tape(numbers), step)) {
        done.push(act);
        isFailed = await runBoth(act, isFailed);
      }
    }
    for (const side of [sealed, twin]) await ask(side, 'COMMIT', [], 'simple');
    await requireBoth('RESET client_encoding');
    const [ours, theirs] = [await rowsOf(sealed), await rowsOf(twin)];
    if (!isDeepStrictEqual(ours, theirs))
      throw new Difference(
        `rows\nsealed: ${inspect(ours, { depth: 9, maxArrayLength: null })}\nplain: ${inspect(theirs, { depth: 9, maxArrayLength: null })}`,
      );
  } catch (error) {
    if (!(error instanceof Difference)) throw error;
    const text = `${done.map(actText).join('\n')}\n${error.message}`;
    if (process.env['GENERATED_SQL_ALL'] === undefined) throw new Error(text, { cause: error });
    found.push(text);
    if (sealed.closed) sealed = await RawClient.login(db.url);
    process.stdout.write(`difference ${found.length}\n${text}\n`);
  }
}

test('what was generated gives on sealed columns what it gives on plain ones', { timeout: 0 }, async () => {
  const choice = fc.noBias(fc.integer({ min: 0, max: TAPE_LIMIT - 1 }));
  const statement = fc.array(choice, { minLength: 1, maxLength: MAX_CHOICES, size: 'max' });
  const sequence = fc.array(statement, { minLength: 1, maxLength: MAX_STEPS, size: 'max' });
  const limit = MINUTES === undefined ? {} : { interruptAfterTimeLimit: Number(MINUTES) * 60_000 };
  await fc.assert(fc.asyncProperty(sequence, runSequence), { seed: SEED, numRuns: RUNS, ...limit });
  if (process.env['GENERATED_SQL_RUNS'] !== undefined) process.stdout.write(`seed ${SEED}: ${inspect(counts)}\n`);
  expect(found).toEqual([]);
  // Most must go through, and most of that succeed, else little is compared.
  expect(counts.acts).toBeGreaterThan(counts.sequences);
  expect(counts.refused).toBeLessThan(counts.acts / 2);
  expect(counts.failed).toBeLessThan(counts.acts / 2);
});
