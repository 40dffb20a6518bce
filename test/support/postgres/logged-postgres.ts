/** A real PostgreSQL that logs every statement and parameter it is sent, for tests that look for what it must not be told. */
import { startPostgres, type TestPostgres } from './postgres.ts';

export type LoggedPostgres = TestPostgres & {
  /** All it has logged so far. */
  log(): string;
};

const EVERYTHING = ['log_statement=all', 'log_parameter_max_length=-1', 'log_parameter_max_length_on_error=-1'];

/** `settings` come on top, as `startPostgres` takes them. */
export async function startLoggedPostgres(settings: readonly string[] = []): Promise<LoggedPostgres> {
  let log = '';
  const server = await startPostgres([...EVERYTHING, ...settings], undefined, (bytes) => {
    log += Buffer.from(bytes).toString();
  });
  return { ...server, log: () => log };
}
