/** What is to be moved: columns of rules as the catalog has them, by table, with the tables that really hold their rows. */
import type { PlacedColumn } from '../columns/identity.ts';
import type { ServiceSession } from '../service/connection.ts';
import { judgeColumn } from '../service/judge-column.ts';
import { readLiveColumn } from '../service/live-column.ts';
import { GUARD_DOMAIN_QUALIFIED, quoteIdentifier, quoteQualified } from '../service/names.ts';
import { ruleName, type SealRule } from '../service/rules.ts';
import { formatRuleType } from '../types/type-text.ts';
import { MigrateError } from './errors.ts';

export type Direction = 'seal' | 'unseal';

/** The column beside the one that is moved, in which converted values gather until the swap. */
const WORK_PREFIX = 'sealgate_moving_';

export type MoveTarget = {
  readonly rule: SealRule;
  readonly live: PlacedColumn;
  /** The work column's name, unquoted. */
  readonly work: string;
  /** `begun`: by an earlier run. `taken`: the name is another's. */
  readonly workColumn: 'none' | 'begun' | 'taken';
  /** What the column is to become, as SQL. */
  readonly type: string;
};

export type Trigger = { readonly name: string; readonly always: boolean };

/** A table that holds rows: the table itself, or each partition. */
export type Leaf = { readonly oid: number; readonly name: string; readonly triggers: readonly Trigger[] };

export type MoveTable = {
  readonly oid: number;
  /** Qualified and quoted. */
  readonly name: string;
  readonly targets: readonly MoveTarget[];
  readonly leaves: readonly Leaf[];
};

export type FoundTargets = {
  readonly tables: readonly MoveTable[];
  /** Columns that are what they are to become already. */
  readonly done: readonly string[];
};

/** Errors: ERR_POSTGRES_MOVE_REFUSED where a column is not there at all. */
export async function findTargets(
  session: ServiceSession,
  direction: Direction,
  rules: readonly SealRule[],
): Promise<FoundTargets> {
  const byTable = new Map<number, MoveTarget[]>();
  const done: string[] = [];
  for (const rule of rules) {
    const live = await placed(session, rule);
    if (isDone(direction, rule, live)) {
      done.push(ruleName(rule));
      continue;
    }
    const work = `${WORK_PREFIX}${live.attnum}`;
    const type = targetType(direction, rule);
    const there = await readLiveColumn(session, { ...rule, column: work });
    const ours = direction === 'seal' ? there?.isGuard === true : there?.typeName === type;
    const workColumn = (there?.attnum ?? null) === null ? 'none' : ours ? 'begun' : 'taken';
    const target: MoveTarget = { rule, live, work, workColumn, type };
    byTable.set(live.relation, [...(byTable.get(live.relation) ?? []), target]);
  }
  const tables: MoveTable[] = [];
  for (const [oid, targets] of [...byTable].sort(([a], [b]) => a - b)) {
    const [first] = targets;
    if (first === undefined) continue;
    const name = quoteQualified(first.rule.schema, first.rule.table);
    tables.push({ oid, name, targets, leaves: await readLeaves(session, oid) });
  }
  return { tables, done };
}

async function placed(session: ServiceSession, rule: SealRule): Promise<PlacedColumn> {
  if (rule.format !== undefined) throw refusePreserving(rule);
  const live = await readLiveColumn(session, rule);
  if (live !== undefined && live.attnum !== null && live.parent === null && /^[rp]$/.test(live.kind))
    return { ...live, attnum: live.attnum };
  const [problem] = judgeColumn(rule, live, [rule]);
  throw new MigrateError('ERR_POSTGRES_MOVE_REFUSED', `${ruleName(rule)}: ${problem?.message ?? 'it is not there'}`);
}

/** Nothing in the database could tell a finished move from one that has not begun. */
function refusePreserving(rule: SealRule): MigrateError {
  const message = `${ruleName(rule)}: the values of a format-preserving column look the same before and after, so it is not moved in place: add a column, put the rule on it while it is empty, and copy the values through the proxy`;
  return new MigrateError('ERR_POSTGRES_MOVE_REFUSED', message);
}

function isDone(direction: Direction, rule: SealRule, live: PlacedColumn): boolean {
  const sealed = live.isGuard === true || (!rule.guard && live.isBytea === true);
  return sealed === (direction === 'seal');
}

function targetType(direction: Direction, rule: SealRule): string {
  if (direction === 'unseal') return formatRuleType(rule.type);
  return rule.guard ? GUARD_DOMAIN_QUALIFIED : 'pg_catalog.bytea';
}

/** What the work column is: sealed values gather behind the guard also where the rule wants none. */
export function workType(direction: Direction, target: MoveTarget): string {
  return direction === 'seal' ? GUARD_DOMAIN_QUALIFIED : target.type;
}

const LEAVES_SQL = `
SELECT c.oid::int8::float8 AS oid, n.nspname::text AS schema, c.relname::text AS name,
  (SELECT coalesce(json_agg(json_build_object('name', t.tgname, 'always', t.tgenabled = 'A') ORDER BY t.tgname), '[]')
     FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')) AS triggers
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind NOT IN ('p', 'I') AND (c.oid = $1 OR c.oid IN (SELECT relid FROM pg_partition_tree($1::oid::regclass) WHERE isleaf))
ORDER BY c.oid`;

async function readLeaves(session: ServiceSession, oid: number): Promise<readonly Leaf[]> {
  const rows = await session.query<{ oid: number; schema: string; name: string; triggers: readonly Trigger[] }>(
    LEAVES_SQL,
    [oid],
  );
  return rows.map(({ schema, name, ...leaf }) => ({ ...leaf, name: quoteQualified(schema, name) }));
}

/** The column's own name as SQL, and its work column's. */
export function sqlNames({ rule, work }: MoveTarget): { readonly column: string; readonly work: string } {
  return { column: quoteIdentifier(rule.column), work: quoteIdentifier(work) };
}
