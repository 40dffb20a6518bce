/** What stands in the way of another type for a column, all of it found before anything is changed. */
import type { ServiceConnection, ServiceSession } from '../service/connection.ts';
import { ServiceError } from '../service/errors.ts';
import { judgeColumn } from '../service/judge-column.ts';
import { readLiveColumn } from '../service/live-column.ts';
import { ruleName, type SealRule } from '../service/rules.ts';
import { formatRuleType } from '../types/type-text.ts';
import { swapStatement } from './swap-sql.ts';
import type { Direction } from './stage.ts';
import { sqlNames, workType, type MoveTable, type MoveTarget } from './targets.ts';

export type Obstacle = { readonly column: string; readonly message: string };

type Job = {
  readonly direction: Direction;
  readonly tables: readonly MoveTable[];
  readonly rules: readonly SealRule[];
};

/** `connection`: the owner's. */
export async function findObstacles(connection: ServiceConnection, job: Job): Promise<readonly Obstacle[]> {
  const found: Obstacle[] = [];
  for (const table of job.tables) {
    for (const target of table.targets) found.push(...(await columnObstacles(connection, target, table, job)));
    const column = table.targets.map(({ rule }) => ruleName(rule)).join(', ');
    const message = await inheritance(connection, table);
    if (message !== undefined) found.push({ column, message });
    if (found.length > 0) continue;
    const refusal = await tryOnCopy(connection, job.direction, table);
    if (refusal !== undefined) found.push({ column, message: `the server would not take it: ${refusal}` });
  }
  return found;
}

async function columnObstacles(
  session: ServiceSession,
  target: MoveTarget,
  table: MoveTable,
  { direction, rules, tables }: Job,
): Promise<readonly Obstacle[]> {
  const { rule, live } = target;
  const column = ruleName(rule);
  const judged =
    direction === 'unseal'
      ? []
      : judgeColumn(rule, live, rules)
          // Another type is what is being made; an index that computes with the column stands in the way of that.
          .filter(({ code, severity }) => code !== 'ERR_POSTGRES_COLUMN_GUARD' && severity !== 'warning')
          .map(({ message }) => message);
  const messages = [
    ...typeProblems(direction, target),
    ...(target.workColumn === 'taken'
      ? [`its table has a column ${target.work}, the name that is needed for the work`]
      : []),
    ...judged,
    ...(live.expressionIndexes ?? []).map((name) => `index ${name} computes with it`),
    ...(await dependents(session, target, table, direction)).map((what) => `${what} depends on it`),
    ...(await otherEnds(session, target, direction, tables)),
    ...(direction === 'seal' ? collationProblem(target) : []),
  ];
  return messages.map((message) => ({ column, message }));
}

function typeProblems(direction: Direction, { rule, live }: MoveTarget): readonly string[] {
  const type = formatRuleType(rule.type);
  if (rule.format === undefined && !rule.guard && type === 'bytea')
    return ['its rule says `guard: off`, so sealed and plain bytes have the same type: put the guard on to move it'];
  const becomesPlain = direction === 'unseal' && rule.format === undefined;
  if (becomesPlain || live.typeName === type) return [];
  return [`its type is ${live.typeName ?? 'unknown'}, but its rule says ${type}: the two must be the same`];
}

/** By attribute name: partitions may number their columns otherwise. Constraints, defaults and policies are judged where it is sealed. */
const DEPENDENTS_SQL = `
SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) AS what
FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
LEFT JOIN pg_class i ON d.classid = 'pg_class'::regclass AND i.oid = d.objid
LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1::oid[]) AND a.attname = $2
  AND NOT (coalesce(i.relkind IN ('i', 'I', 'r', 'p'), false) AND d.objsubid = 0)
  AND d.classid <> 'pg_statistic_ext'::regclass
  AND NOT coalesce(k.contype IN ('p', 'u', 'f', 'n'), false)
  AND NOT ($3 AND d.classid IN ('pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_policy'::regclass))
ORDER BY 1`;

async function dependents(
  session: ServiceSession,
  { rule }: MoveTarget,
  { oid, leaves }: MoveTable,
  direction: Direction,
): Promise<readonly string[]> {
  const oids = [oid, ...leaves.map((leaf) => leaf.oid)];
  const rows = await session.query<{ what: string }>(DEPENDENTS_SQL, [oids, rule.column, direction === 'seal']);
  return rows.map(({ what }) => what);
}

/** Both ends of a foreign key have one type: moved in the same run, or moved already. */
async function otherEnds(
  session: ServiceSession,
  { live }: MoveTarget,
  direction: Direction,
  tables: readonly MoveTable[],
): Promise<readonly string[]> {
  const messages: string[] = [];
  for (const end of live.foreignKeys ?? []) {
    const moving = tables.some(({ targets }) => targets.some(({ rule }) => ruleName(rule) === ruleName(end)));
    if (moving) continue;
    const other = await readLiveColumn(session, end);
    if ((other?.isGuard === true) === (direction === 'seal')) continue;
    messages.push(`foreign key ${end.name} ties it to ${ruleName(end)}: name both columns in one run`);
  }
  return messages;
}

/** Equality of sealed bytes is equality of the texts' bytes. */
function collationProblem({ rule, live }: MoveTarget): readonly string[] {
  if (rule.mode !== 'deterministic' || live.looseCollation === null) return [];
  return [
    `its collation ${live.looseCollation} holds different texts for equal, which no sealed column can: make the rule randomized`,
  ];
}

async function inheritance(session: ServiceSession, { oid }: MoveTable): Promise<string | undefined> {
  const [child] = await session.query<{ name: string }>(
    `SELECT i.inhrelid::regclass::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = $1 AND NOT c.relispartition LIMIT 1`,
    [oid],
  );
  if (child !== undefined) return `table ${child.name} inherits from its table`;
  const [foreign] = await session.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_partition_tree($1::oid::regclass) p JOIN pg_class c ON c.oid = p.relid
     WHERE p.isleaf AND c.relkind <> 'r' LIMIT 1`,
    [oid],
  );
  return foreign === undefined ? undefined : `${foreign.name} is no ordinary table`;
}

/** Indexes and constraints are the server's to judge: on an empty copy of the table, in a transaction that is rolled back. */
async function tryOnCopy(
  connection: ServiceConnection,
  direction: Direction,
  table: MoveTable,
): Promise<string | undefined> {
  const copy = 'pg_temp.sealgate_trial';
  try {
    await connection.dryRun(async (session) => {
      for (const name of new Set([table.name, ...table.leaves.map((leaf) => leaf.name)])) {
        await session.query(`CREATE TEMP TABLE sealgate_trial (LIKE ${name} INCLUDING ALL)`);
        for (const target of table.targets) {
          if (target.workColumn === 'begun') continue;
          await session.query(`ALTER TABLE ${copy} ADD COLUMN ${sqlNames(target).work} ${workType(direction, target)}`);
        }
        await session.query(swapStatement(copy, table.targets));
        await session.query(`DROP TABLE ${copy}`);
      }
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'ERR_POSTGRES_SERVICE_QUERY') throw error;
    // insufficient_privilege: a role without TEMP learns it at the swap, which is then rolled back.
    return error.sqlstate === '42501'
      ? undefined
      : error.message.replace(/^service connection to database [^:]*: /, '');
  }
}
