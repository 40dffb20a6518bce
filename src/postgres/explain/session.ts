/** One explanation of many statements: the analysis opened against the live catalog, and everything it made taken away again. */
import type { RandomSource } from '../../crypto/random.ts';
import { createAnalyzer } from '../analysis/analyzer.ts';
import { SHADOW_PREFIX } from '../analysis/catalog/shadow-names.ts';
import type { ServiceConnection } from '../service/connection.ts';
import { quoteIdentifier } from '../service/names.ts';
import type { ColumnProblem } from '../service/problem.ts';
import type { SealRule } from '../service/rules.ts';
import { initialSettings, type SessionSettings } from '../session/settings.ts';
import { columnsAsIfSealed, problemsNow } from './as-if-sealed.ts';
import { explainStatement, type Explanation, type HasIndex } from './explain.ts';

export type ExplainInput = {
  readonly connection: ServiceConnection;
  readonly rules: readonly SealRule[];
  readonly allowRoutines: readonly string[];
  readonly random: RandomSource;
  /** As SET search_path takes it; undefined: what a new connection has. */
  readonly searchPath: string | undefined;
};

export type ExplainRun = {
  /** Until these are mended, the proxy refuses what is explained here as if they were. */
  readonly problems: readonly ColumnProblem[];
  readonly explanations: readonly Explanation[];
};

/**
 * Explains each statement by itself. Precondition: `ensureSchema` has run.
 *
 * Errors: ERR_POSTGRES_SERVICE_*, ERR_POSTGRES_CATALOG.
 */
export async function explainAll(
  { connection, rules, allowRoutines, random, searchPath }: ExplainInput,
  statements: readonly { readonly sql: string; readonly calls?: number }[],
): Promise<ExplainRun> {
  // Running proxies keep shadows of their rules; ours are others.
  const shadowsApart = `explain_${Buffer.from(random(8)).toString('hex')}_`;
  const analyzer = await createAnalyzer({
    database: connection.database,
    service: connection,
    rules,
    resolveColumns: () => columnsAsIfSealed(connection, rules),
    allowRoutines,
    shadowsApart,
  });
  try {
    const settings = await settingsFor(connection, searchPath);
    const hasIndex = await readIndexes(connection);
    const explanations: Explanation[] = [];
    for (const statement of statements) {
      const verdict = await explainStatement(statement.sql, { analyzer, settings, hasIndex });
      explanations.push({ ...statement, verdict });
    }
    return { problems: await problemsNow(connection, rules), explanations };
  } finally {
    analyzer.close();
    await dropShadows(connection, shadowsApart);
  }
}

/** What a client finds after connecting, as far as statements mean something by it. */
async function settingsFor(connection: ServiceConnection, searchPath: string | undefined): Promise<SessionSettings> {
  return connection.dryRun(async (session) => {
    await session.query(
      "SELECT set_config('search_path', coalesce($1, (SELECT reset_val FROM pg_settings WHERE name = 'search_path')), true)",
      [searchPath ?? null],
    );
    const [row] = await session.query<{ path: string[]; version: string; role: string }>(
      "SELECT pg_catalog.current_schemas(true)::text[] AS path, pg_catalog.current_setting('server_version_num') AS version, current_user::text AS role",
    );
    const { path = [], version = '0', role = '' } = row ?? {};
    const settings = initialSettings(role, connection.database);
    return { ...settings, searchPath: path, serverVersion: Math.trunc(Number(version) / 10_000) };
  });
}

const INDEXES_SQL = `
SELECT DISTINCT i.indrelid::bigint::text || '.' || i.indkey[0]::text AS place FROM pg_index i
WHERE i.indisvalid AND i.indpred IS NULL AND i.indkey[0] <> 0`;

async function readIndexes(connection: ServiceConnection): Promise<HasIndex> {
  const rows = await connection.query<{ place: string }>(INDEXES_SQL);
  const places = new Set(rows.map(({ place }) => place));
  return ({ relationOid, attnum }) => places.has(`${relationOid}.${attnum}`);
}

async function dropShadows(connection: ServiceConnection, apart: string): Promise<void> {
  const schemas = await connection.query<{ name: string }>(
    'SELECT nspname::text AS name FROM pg_namespace WHERE starts_with(nspname::text, $1)',
    [SHADOW_PREFIX + apart],
  );
  for (const { name } of schemas) await connection.query(`DROP SCHEMA IF EXISTS ${quoteIdentifier(name)} CASCADE`);
}
