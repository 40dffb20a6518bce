/** Column rules against the live database: which hold, as sealed columns; what is wrong with the others, and how to mend it. */
import type { RandomSource } from '../../crypto/random.ts';
import { loadGrammar } from '../analysis/text/syntax.ts';
import type { SealedColumn } from '../plan.ts';
import type { Questions, ServiceConnection, ServiceSession } from '../service/connection.ts';
import { ServiceError } from '../service/errors.ts';
import { tieAgain } from '../service/judge-foreign-key.ts';
import { judgeTable } from '../service/judge-table.ts';
import { readGuardedColumns } from '../service/live-column.ts';
import { quoteIdentifier, quoteQualified } from '../service/names.ts';
import type { ColumnProblem } from '../service/problem.ts';
import { repeated } from '../service/repeated.ts';
import { ruleName, type SealRule } from '../service/rules.ts';
import { columnType } from './column-type.ts';
import { declaredChecks, requireDefault } from './declared.ts';
import { ColumnError } from './errors.ts';
import { type ColumnIdentity, identify, type PlacedColumn } from './identity.ts';

export type DatabaseReport = {
  /** The rules that hold. */
  readonly columns: readonly SealedColumn[];
  readonly problems: readonly ColumnProblem[];
  /** All statements that mend problems, in order, each once. */
  readonly ddl: readonly string[];
};

/**
 * Compares rules with the live catalog. Columns that pass are bound to an identity if they have none yet.
 *
 * Precondition: `ensureSchema` has run. Errors: ERR_POSTGRES_SERVICE_* where the database cannot be asked.
 */
export async function checkDatabase(
  connection: ServiceConnection,
  rules: readonly SealRule[],
  random: RandomSource,
): Promise<DatabaseReport> {
  // CHECKs are SQL.
  await loadGrammar();
  const columns: SealedColumn[] = [];
  const found: ColumnProblem[] = [];
  for (const rule of rules) {
    const outcome = await connection.transaction(async (session) => checkRule(session, rule, rules, random));
    found.push(...outcome.problems);
    if (outcome.column !== undefined) columns.push(outcome.column);
  }
  const problems = tieAgain(found);
  return { columns, problems, ddl: [...new Set(problems.flatMap(({ ddl }) => ddl))] };
}

/** The rules that hold, for the analysis: a rule that does not makes every statement on its table a refusal. */
export async function resolveRules(
  connection: ServiceConnection,
  rules: readonly SealRule[],
  random: RandomSource,
): Promise<readonly SealedColumn[]> {
  return (await checkDatabase(connection, rules, random)).columns;
}

/** Columns with the guard's type that no rule names: a renamed or copied table, or a rule taken away. Statements on them are refused. */
export async function unruledColumns(
  connection: ServiceConnection,
  rules: readonly SealRule[],
): Promise<readonly ColumnProblem[]> {
  const ruled = new Set(rules.map(ruleName));
  const names = (await readGuardedColumns(connection)).map(ruleName).filter((name) => !ruled.has(name));
  return names.map((column) => ({
    code: 'ERR_POSTGRES_COLUMN_MOVED',
    severity: 'warning',
    column,
    message: 'it has the type of sealed columns, but no rule names it: statements on its table are refused',
    ddl: [],
  }));
}

/** What the rule and the database say of the column's values. */
export type Declared = Pick<SealedColumn, 'type' | 'checks' | 'default'>;

type RuleOutcome = { readonly column: SealedColumn | undefined; readonly problems: readonly ColumnProblem[] };

async function checkRule(
  session: ServiceSession,
  rule: SealRule,
  rules: readonly SealRule[],
  random: RandomSource,
): Promise<RuleOutcome> {
  // The look through an unbound column may take its time, and must see rows behind policies.
  await session.query("SELECT set_config('statement_timeout', '0', true), set_config('row_security', 'off', true)");
  const { live, problems } = await judgeTable(session, rule, rules);
  const broken = problems.some(({ severity }) => severity === 'error');
  // A rule that contradicts itself is told at once, not when a migration has made its column.
  const declaredWrong = broken ? await declarationProblems(session, rule) : [];
  if (live === undefined || live.attnum === null)
    return { column: undefined, problems: [...problems, ...declaredWrong] };
  // Said together with the rest, so that one round of DDL mends it all.
  const rights = await missingRights(session, rule, live.relation);
  if (broken)
    return { column: undefined, problems: [...problems, ...declaredWrong, ...rights.map(({ problem }) => problem)] };
  const needed = rights.find(({ right }) => right === 'USAGE');
  if (needed !== undefined) return { column: undefined, problems: [...problems, needed.problem] };
  const placed: PlacedColumn = { ...live, attnum: live.attnum };
  await session.query('SAVEPOINT binding');
  try {
    const declared = await declarations(session, rule);
    const identity = await identify(session, rule, placed, random);
    return { column: sealedColumn(rule, placed, identity, declared), problems };
  } catch (error) {
    await session.query('ROLLBACK TO SAVEPOINT binding');
    return { column: undefined, problems: [...problems, ...bindingProblems(error, rule, rights)] };
  }
}

/** Types of the database's own may be made by the migration that makes the column: they are judged then. */
async function declarationProblems(session: ServiceSession, rule: SealRule): Promise<readonly ColumnProblem[]> {
  try {
    await declarations(session, rule);
    return [];
  } catch (error) {
    if (error instanceof ColumnError && error.code === 'ERR_POSTGRES_COLUMN_TYPE') return [];
    return bindingProblems(error, rule, []);
  }
}

function bindingProblems(error: unknown, rule: SealRule, rights: readonly MissingRight[]): readonly ColumnProblem[] {
  const column = ruleName(rule);
  if (error instanceof ColumnError)
    return [{ code: error.code, severity: 'error', column, message: error.message, ddl: [] }];
  // insufficient_privilege: on the user's table, which is looked through once.
  if (!(error instanceof ServiceError) || error.sqlstate !== '42501' || rights.length === 0) throw error;
  return rights.map(({ problem }) => problem);
}

type MissingRight = { readonly right: 'USAGE' | 'SELECT'; readonly problem: ColumnProblem };

const RIGHTS = repeated(
  `SELECT quote_ident(current_user) AS role, has_schema_privilege($1, 'USAGE') AS usage, has_table_privilege($2::oid, 'SELECT') AS look`,
);

/** USAGE: the server is asked about statements that name the schema. SELECT: a column is looked through before its first use. */
async function missingRights(
  session: ServiceSession,
  rule: SealRule,
  relation: number,
): Promise<readonly MissingRight[]> {
  const [row] = await session.query<{ role: string; usage: boolean; look: boolean }>(RIGHTS, [rule.schema, relation]);
  const lacks = (right: MissingRight['right'], message: string, on: string): MissingRight => ({
    right,
    problem: {
      code: 'ERR_POSTGRES_COLUMN_RIGHTS',
      severity: 'error',
      column: ruleName(rule),
      message: `the service role may not ${message}`,
      ddl: [`GRANT ${right} ON ${on} TO ${row?.role ?? 'CURRENT_USER'};`],
    },
  });
  return [
    ...(row?.usage === true ? [] : [lacks('USAGE', 'use its schema', `SCHEMA ${quoteIdentifier(rule.schema)}`)]),
    ...(row?.look === true
      ? []
      : [lacks('SELECT', 'look whether it is empty', quoteQualified(rule.schema, rule.table))]),
  ];
}

/** What the rule and the database declare of its values. Errors: ERR_POSTGRES_COLUMN_CHECK, ERR_POSTGRES_COLUMN_TYPE. */
export async function declarations(session: Questions, rule: SealRule): Promise<Declared> {
  const { type, checks: domainChecks } = await columnType(session, rule);
  const checks = [...domainChecks, ...declaredChecks(rule, type)];
  if (rule.default !== undefined) requireDefault(rule.default, type, checks);
  return { type, ...(checks.length > 0 && { checks }), ...(rule.default !== undefined && { default: rule.default }) };
}

/** A rule at its place, under its identity. */
export function sealedColumn(
  rule: SealRule,
  live: PlacedColumn,
  identity: ColumnIdentity,
  declared: Declared,
): SealedColumn {
  const { database, schema, table, column, mode, domain, keyId } = rule;
  return {
    id: identity.id,
    database,
    schema,
    table,
    column,
    relationOid: live.relation,
    attnum: live.attnum,
    ...declared,
    storedType: declared.type,
    mode,
    domain,
    keyId,
    ...(identity.domainId !== undefined && { domainId: identity.domainId }),
    ...(rule.format !== undefined && { format: rule.format }),
  };
}
