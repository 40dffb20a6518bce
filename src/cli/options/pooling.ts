/** At start: a database with rules is not served behind a pooler that pools transactions. */
import { loginsAt } from './postgres.ts';
import type { PostgresConfig, PostgresServerConfig, PostgresServiceConfig } from '../../config/config.ts';
import type { Log } from '../../observe/log.ts';
import { PostgresError } from '../../postgres/errors.ts';
import { poolingAt } from '../../postgres/service/pooling.ts';

/** Where clients of a database are sent to. */
export function upstreamOf({ upstream, routes }: PostgresConfig, name: string): PostgresServerConfig {
  return routes.find(({ database }) => database === name)?.upstream ?? upstream;
}

/** Throws ERR_POSTGRES_TRANSACTION_POOLING. What cannot be told is logged: a session that notices refuses for itself. */
export async function refusePooling(
  name: string,
  service: PostgresServiceConfig,
  postgres: PostgresConfig,
  log: Log,
): Promise<void> {
  const pooling = await poolingAt(loginsAt(upstreamOf(postgres, name), service));
  if (pooling.type === 'unknown')
    log.warn(
      { err: pooling.cause, database: name },
      'whether the upstream pools transactions cannot be told: the service role cannot log in there',
    );
  if (pooling.type === 'transactions') throw poolsTransactions(name);
}

function poolsTransactions(name: string): PostgresError {
  return new PostgresError('ERR_POSTGRES_TRANSACTION_POOLING', poolingMessage(name), { sqlstate: '0A000' });
}

export function poolingMessage(name: string): string {
  return `database ${name}: the upstream pools transactions, and sealed columns need sessions (PgBouncer: pool_mode = session)`;
}
