/**
 * Column rules against the database as one open transaction sees it: what its own changes have made of ruled tables, which nobody else sees
 * yet.
 *
 * Invariant: identities are recorded over the service connection and committed before they are returned, never in the client's
 * transaction: a value may be sealed under an identity only once no crash and no rollback can take that back. Where the client rolls back,
 * the record names a table that never was, and the next one of that name takes it over as after a DROP.
 */
import type { RandomSource } from '../../crypto/random.ts';
import { loadGrammar } from '../analysis/text/syntax.ts';
import type { SealedColumn } from '../plan.ts';
import { BRIEF_LOCKS_SQL, type Questions, type ServiceConnection } from '../service/connection.ts';
import { judgeTable } from '../service/judge-table.ts';
import type { SealRule } from '../service/rules.ts';
import { ColumnError } from './errors.ts';
import { identify, looksOf, type Looks, type PlacedColumn } from './identity.ts';
import { declarations, sealedColumn, type Declared } from './resolve.ts';

/**
 * The rules that hold there. `mayComeBack`: a column that is gone, and that no other may take the identity of, since the values it may hold would
 * be without. Errors: ServiceError where either side cannot be asked. */
export async function resolveWithin(
  questions: Questions,
  connection: ServiceConnection,
  rules: readonly SealRule[],
  random: RandomSource,
  mayComeBack: (relation: number, attnum: number) => boolean,
): Promise<readonly SealedColumn[]> {
  // CHECKs are SQL.
  await loadGrammar();
  const judged = await Promise.all(rules.map((rule) => judge(questions, rule, rules)));
  const standing = judged.filter((found) => found !== undefined);
  if (standing.length === 0) return [];
  return connection.transaction(async (session) => {
    await session.query(BRIEF_LOCKS_SQL);
    const looks = looksOfAll(looksOf(questions), looksOf(session), mayComeBack);
    const columns: SealedColumn[] = [];
    for (const { rule, live, declared } of standing) {
      if (rule.format !== undefined && (await isAddedToCommitted(session, live))) continue;
      await session.query('SAVEPOINT binding');
      const identity = await unlessColumnError(identify(session, rule, live, random, looks));
      if (identity === undefined) await session.query('ROLLBACK TO SAVEPOINT binding');
      else columns.push(sealedColumn(rule, live, identity, declared));
    }
    return columns;
  });
}

type Standing = { readonly rule: SealRule; readonly live: PlacedColumn; readonly declared: Declared };

async function judge(questions: Questions, rule: SealRule, rules: readonly SealRule[]): Promise<Standing | undefined> {
  const { live, problems } = await judgeTable(questions, rule, rules);
  if (live === undefined || live.attnum === null) return undefined;
  if (problems.some(({ severity }) => severity === 'error')) return undefined;
  const declared = await unlessColumnError(declarations(questions, rule));
  return declared && { rule, live: { ...live, attnum: live.attnum }, declared };
}

/** What the transaction has dropped is there for all others until it commits, and after a rollback. */
function looksOfAll(own: Looks, committed: Looks, mayComeBack: (relation: number, attnum: number) => boolean): Looks {
  return {
    stillExists: async (place) =>
      mayComeBack(Number(place.relation), place.attnum) ||
      (await own.stillExists(place)) ||
      (await committed.stillExists(place)),
    holdsValues: own.holdsValues,
  };
}

/**
 * After a rollback the next column of that table has the same number, whoever adds it, and would pass for the one that was recorded. Its
 * values say themselves whether they are sealed, but for those that keep their form: plain ones would be opened to others.
 */
async function isAddedToCommitted(session: Questions, { relation, attnum }: PlacedColumn): Promise<boolean> {
  const [place] = await session.query<{ added: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = $2) AS added FROM pg_class c WHERE c.oid = $1`,
    [relation, attnum],
  );
  return place?.added === true;
}

async function unlessColumnError<Result>(result: Promise<Result>): Promise<Result | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof ColumnError) return undefined;
    throw error;
  }
}
