/** How clients of the Postgres proxy authenticate, and where SCRAM verifiers come from. */
import type { PostgresConfig } from '../config/config.ts';
import type { Log } from '../observe/log.ts';
import type { AuthenticationOptions, VerifierSource } from '../postgres/options.ts';
import type { ServiceConnection } from '../postgres/service/connection.ts';

const PG_AUTHID = 'SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin';

/** The config's own verifiers, then those that a query gives: by itself of pg_authid, which only a superuser may read. */
function verifierSource(
  { users, verifiers }: PostgresConfig,
  service: ServiceConnection | undefined,
  log: Log,
): VerifierSource {
  const own = new Map(users.map(({ name, verifier }) => [name, verifier]));
  const query = verifiers?.query ?? PG_AUTHID;
  return {
    verifier: async (user) => {
      const known = own.get(user);
      if (known !== undefined || service === undefined) return known?.reveal();
      try {
        return lastColumn(await service.query(query, [user]));
      } catch (error) {
        log.warn(
          { err: error },
          'cannot read SCRAM verifiers at the server: see postgres.verifiers and postgres.users',
        );
        return undefined;
      }
    },
  };
}

/** Of the one row: as the functions that are made for PgBouncer's auth_query give it, which name the user first. */
function lastColumn(rows: readonly Readonly<Record<string, unknown>>[]): string | undefined {
  const [row, another] = rows;
  const value = another === undefined && row !== undefined ? Object.values(row).at(-1) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/**
 * `auto`: relaying works unless both legs have TLS, for then clients bind SCRAM to our certificate and the server to its own.
 * Source: RFC 5802 section 6, RFC 5929.
 */
export function authenticationOptions(
  postgres: PostgresConfig,
  service: ServiceConnection | undefined,
  log: Log,
): AuthenticationOptions {
  const { authentication, listen, upstream, users } = postgres;
  const network = upstream.servers.some(({ host }) => !host.startsWith('/'));
  const bothLegs = listen.tls !== undefined && upstream.tls.mode !== 'disable' && network;
  const canTerminate = users.some(({ verifier }) => verifier !== undefined) || service !== undefined;
  const terminate = authentication === 'terminate' || (authentication === 'auto' && bothLegs && canTerminate);
  return terminate ? { type: 'terminate', verifiers: verifierSource(postgres, service, log) } : { type: 'relay' };
}
