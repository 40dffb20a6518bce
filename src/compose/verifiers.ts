/** How clients of the Postgres proxy authenticate, and where SCRAM verifiers come from. */
import type { PostgresConfig } from '../config/config.ts';
import type { Log } from '../observe/log.ts';
import type { AuthenticationOptions, VerifierSource } from '../postgres/options.ts';
import type { ServiceConnection } from '../postgres/service/connection.ts';

/** The config's own verifiers, then those in pg_authid, which only a superuser's service role may read. */
function verifierSource({ users }: PostgresConfig, service: ServiceConnection | undefined, log: Log): VerifierSource {
  const own = new Map(users.map(({ name, verifier }) => [name, verifier]));
  return {
    verifier: async (user) => {
      const known = own.get(user);
      if (known !== undefined || service === undefined) return known?.reveal();
      try {
        const [row] = await service.query<{ rolpassword: string | null }>(
          'SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin',
          [user],
        );
        return row?.rolpassword ?? undefined;
      } catch (error) {
        log.warn({ err: error }, 'cannot read SCRAM verifiers from pg_authid: name the roles in postgres.users');
        return undefined;
      }
    },
  };
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
  const bothLegs = listen.tls !== undefined && upstream.tls.mode !== 'disable' && !upstream.host.startsWith('/');
  const canTerminate = users.length > 0 || service !== undefined;
  const terminate = authentication === 'terminate' || (authentication === 'auto' && bothLegs && canTerminate);
  return terminate ? { type: 'terminate', verifiers: verifierSource(postgres, service, log) } : { type: 'relay' };
}
