/** A transaction of the owner's in which nobody else writes the tables, with triggers of the user's put out while we do. */
import type { ServiceConnection, ServiceSession } from '../service/connection.ts';
import { ServiceError } from '../service/errors.ts';
import { quoteIdentifier } from '../service/names.ts';
import { MigrateError } from './errors.ts';
import type { Leaf } from './targets.ts';

export type Lockable = { readonly oid: number; readonly name: string };

/** What values print by is fixed here; time limits meant for statements of applications are none of ours. */
const SETTINGS = `SELECT set_config('lock_timeout', $1, true), set_config('row_security', 'off', true), set_config('IntervalStyle', 'postgres', true),
  set_config('extra_float_digits', '1', true), set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true),
  set_config('default_transaction_read_only', 'off', true)`;

/** lock_not_available, deadlock_detected. */
const LOCK_STATES: ReadonlySet<string> = new Set(['55P03', '40P01']);

/** Errors: ERR_POSTGRES_MOVE_LOCKED, ERR_POSTGRES_SERVICE_*. */
export async function lockedTransaction<Result>(
  owner: ServiceConnection,
  tables: readonly Lockable[],
  lockTimeoutMs: number,
  work: (session: ServiceSession) => Promise<Result>,
): Promise<Result> {
  try {
    return await owner.transaction(async (session) => {
      await session.query(SETTINGS, [String(lockTimeoutMs)]);
      // Writers and other DDL wait; who only reads does not.
      await session.query(`LOCK TABLE ${tables.map(({ name }) => name).join(', ')} IN SHARE ROW EXCLUSIVE MODE`);
      return work(session);
    });
  } catch (error) {
    if (!(error instanceof ServiceError) || !LOCK_STATES.has(error.sqlstate)) throw error;
    const held = await holders(owner, tables).catch(() => '');
    const message = `${tables.map(({ name }) => name).join(', ')} could not be locked within ${lockTimeoutMs} ms${held}`;
    throw new MigrateError('ERR_POSTGRES_MOVE_LOCKED', message, { cause: error });
  }
}

async function holders(owner: ServiceConnection, tables: readonly Lockable[]): Promise<string> {
  const rows = await owner.query<{ pid: number; name: string | null; application: string | null }>(
    `SELECT DISTINCT l.pid, a.usename::text AS name, a.application_name AS application
     FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.relation = ANY ($1::oid[]) AND l.granted AND l.pid <> pg_backend_pid() ORDER BY l.pid LIMIT 10`,
    [tables.map(({ oid }) => oid)],
  );
  const named = rows.map(
    ({ pid, name, application }) => `${pid} (${name ?? '?'}${application ? `, ${application}` : ''})`,
  );
  return named.length === 0 ? '' : `; it is used by process ${named.join(', ')}`;
}

/** Triggers would see rows change that say the same as before, and could write plaintext elsewhere. */
export async function withoutTriggers<Result>(
  session: ServiceSession,
  leaves: readonly Leaf[],
  work: () => Promise<Result>,
): Promise<Result> {
  const each = async (statement: (always: boolean) => string): Promise<void> => {
    for (const { name, triggers } of leaves) {
      for (const trigger of triggers)
        await session.query(
          `ALTER TABLE ${name} ${statement(trigger.always)} TRIGGER ${quoteIdentifier(trigger.name)}`,
        );
    }
  };
  await each(() => 'DISABLE');
  const result = await work();
  // Where the work fails, the transaction takes the change back.
  await each((always) => (always ? 'ENABLE ALWAYS' : 'ENABLE'));
  return result;
}
