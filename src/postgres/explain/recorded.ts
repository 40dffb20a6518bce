/** Statements as pg_stat_statements recorded them: normalised by the server, and whatever literal is left masked here. */
import { scanTokens } from '../analysis/text/syntax.ts';
import type { ServiceConnection } from '../service/connection.ts';
import { ServiceError } from '../service/errors.ts';

export type RecordedStatement = { readonly sql: string; readonly calls: number };

/** The service's search_path is pg_catalog alone, and the extension may lie in any schema. */
const PLACE_SQL = `
SELECT quote_ident(n.nspname) || '.pg_stat_statements' AS view, x.extversion AS version
FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'pg_stat_statements'`;

/** Most often run first. Ours are left out: their role is the service's own. Errors: ERR_POSTGRES_SERVICE_*. */
export async function recordedStatements(
  connection: ServiceConnection,
  limit: number,
): Promise<readonly RecordedStatement[]> {
  const [place] = await connection.query<{ view: string }>(PLACE_SQL);
  if (place === undefined) throw notThere(connection.database);
  const rows = await connection.query<{ query: string | null; calls: string }>(
    `SELECT min(query) AS query, sum(calls)::bigint::text AS calls FROM ${place.view}
     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND userid <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
     GROUP BY queryid ORDER BY sum(calls) DESC, min(query) LIMIT $1`,
    [limit],
  );
  return rows.flatMap(({ query, calls }) =>
    query === null ? [] : [{ sql: asClientsWroteIt(masked(query)), calls: Number(calls) }],
  );
}

function notThere(database: string): ServiceError {
  const message = `extension pg_stat_statements is not in database ${database}: CREATE EXTENSION pg_stat_statements`;
  return new ServiceError('ERR_POSTGRES_SERVICE_QUERY', '42704', message);
}

const LITERALS: ReadonlySet<string> = new Set(['SCONST', 'USCONST', 'BCONST', 'XCONST']);

/** Utility statements keep their literals, passwords among them. */
export function masked(sql: string): string {
  const bytes = Buffer.from(sql);
  const parts: string[] = [];
  let at = 0;
  try {
    for (const { tokenName, start, end } of scanTokens(sql)) {
      if (!LITERALS.has(tokenName)) continue;
      parts.push(bytes.toString('utf8', at, start), `'…'`);
      at = end;
    }
  } catch {
    // Cut by track_activity_query_size, or not SQL: nothing of it can be told apart.
    return '…';
  }
  return parts.join('') + bytes.toString('utf8', at);
}

/** What went through the proxy was recorded with the casts that it put around sealed constants. */
function asClientsWroteIt(sql: string): string {
  return sql.replaceAll(/(\$\d+)::pg_catalog\.(?:bytea|text)(\[\])?/g, '$1');
}
