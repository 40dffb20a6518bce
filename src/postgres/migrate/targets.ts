/** What is to be moved: columns of rules as the catalog has them, by table, with the tables that really hold their rows. */
import type { PlacedColumn } from '../columns/identity.ts';
import type { ServiceSession } from '../service/connection.ts';
import { judgeColumn } from '../service/judge-column.ts';
import { readLiveColumn, type LiveColumn } from '../service/live-column.ts';
import { GUARD_DOMAIN_QUALIFIED, quoteIdentifier, quoteQualified } from '../service/names.ts';
import { ruleName, type SealRule } from '../service/rules.ts';
import { formatRuleType } from '../types/type-text.ts';
import { MigrateError } from './errors.ts';
import { stageOf, SWAPPED_TYPE, type Direction, type WorkColumn } from './stage.ts';

/** The column beside the one that is moved, in which converted values gather until the swap. */
const WORK_PREFIX = 'sealgate_moving_';

export type MoveTarget = {
  readonly rule: SealRule;
  readonly live: PlacedColumn;
  /** The work column's name, unquoted. */
  readonly work: string;
  readonly workColumn: WorkColumn;
  /** What the column is to become, as SQL. */
  readonly type: string;
  /** As SQL, where a column that keeps its type has another than its type's. */
  readonly collation: string | undefined;
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
  /** Columns that have been swapped; the rest of their move is outstanding. */
  readonly swapped: readonly MoveTable[];
};

/** `session`: the owner's. Errors: ERR_POSTGRES_MOVE_REFUSED where a column is not there at all, or its other direction is under way. */
export async function findTargets(
  session: ServiceSession,
  service: ServiceSession,
  direction: Direction,
  rules: readonly SealRule[],
): Promise<FoundTargets> {
  const open: MoveTarget[] = [];
  const swapped: MoveTarget[] = [];
  const done: string[] = [];
  for (const rule of rules) {
    const live = await placed(session, rule);
    if (rule.format === undefined && isDone(direction, rule, live)) {
      done.push(ruleName(rule));
      continue;
    }
    const work = `${WORK_PREFIX}${live.attnum}`;
    const type = targetType(direction, rule);
    const there = await readLiveColumn(session, { ...rule, column: work });
    const workColumn = workColumnOf(direction, rule, type, there);
    const collation = rule.format === undefined ? undefined : await collationOf(session, live);
    const target: MoveTarget = { rule, live, work, workColumn, type, collation };
    const stage = rule.format === undefined ? 'open' : await stageOf(service, direction, rule, live, workColumn);
    if (stage === 'done') done.push(ruleName(rule));
    else (stage === 'swapped' ? swapped : open).push(target);
  }
  return { tables: await byTable(session, open), swapped: await byTable(session, swapped), done };
}

function workColumnOf(direction: Direction, rule: SealRule, type: string, there: LiveColumn | undefined): WorkColumn {
  if ((there?.attnum ?? null) === null) return 'none';
  if (rule.format !== undefined && there?.typeName === SWAPPED_TYPE) return 'swapped';
  const isSealed = direction === 'seal' && rule.format === undefined;
  return (isSealed ? there?.isGuard === true : there?.typeName === type) ? 'begun' : 'taken';
}

async function byTable(session: ServiceSession, targets: readonly MoveTarget[]): Promise<readonly MoveTable[]> {
  const tables: MoveTable[] = [];
  for (const [oid, of] of [...Map.groupBy(targets, ({ live }) => live.relation)].sort(([a], [b]) => a - b)) {
    const [first] = of;
    if (first === undefined) continue;
    const name = quoteQualified(first.rule.schema, first.rule.table);
    tables.push({ oid, name, targets: of, leaves: await readLeaves(session, oid) });
  }
  return tables;
}

/** Another than its type's, as SQL: a new type would take that away. */
async function collationOf(session: ServiceSession, { relation, attnum }: PlacedColumn): Promise<string | undefined> {
  const [row] = await session.query<{ name: string }>(
    `SELECT quote_ident(n.nspname) || '.' || quote_ident(c.collname) AS name FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     JOIN pg_collation c ON c.oid = a.attcollation JOIN pg_namespace n ON n.oid = c.collnamespace
     WHERE a.attrelid = $1 AND a.attnum = $2 AND a.attcollation <> t.typcollation`,
    [relation, attnum],
  );
  return row?.name;
}

async function placed(session: ServiceSession, rule: SealRule): Promise<PlacedColumn> {
  const live = await readLiveColumn(session, rule);
  if (live !== undefined && live.attnum !== null && live.parent === null && /^[rp]$/.test(live.kind))
    return { ...live, attnum: live.attnum };
  const [problem] = judgeColumn(rule, live, [rule]);
  throw new MigrateError('ERR_POSTGRES_MOVE_REFUSED', `${ruleName(rule)}: ${problem?.message ?? 'it is not there'}`);
}

function isDone(direction: Direction, rule: SealRule, live: PlacedColumn): boolean {
  const sealed = live.isGuard === true || (!rule.guard && live.isBytea === true);
  return sealed === (direction === 'seal');
}

function targetType(direction: Direction, rule: SealRule): string {
  if (direction === 'unseal' || rule.format !== undefined) return formatRuleType(rule.type);
  return rule.guard ? GUARD_DOMAIN_QUALIFIED : 'pg_catalog.bytea';
}

/** What the work column is: sealed values gather behind the guard also where the rule wants none. */
export function workType(direction: Direction, target: MoveTarget): string {
  return direction === 'seal' && target.rule.format === undefined ? GUARD_DOMAIN_QUALIFIED : target.type;
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
