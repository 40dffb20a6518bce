/** `postgres://user:password@host:port/database?sslmode=require`, as far as the config uses it. */
import type { PostgresTlsConfig } from './config.ts';

export type PostgresUrl = {
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly sslmode: PostgresTlsConfig['mode'] | undefined;
};

const MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

/** The parts, or what is wrong; the text itself is never repeated, it may hold a password. */
export function parsePostgresUrl(text: string): PostgresUrl | { readonly problem: string } {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { problem: 'not a URL: expected postgres://user@host:5432/database (other signs percent-encoded)' };
  }
  const options = [...url.searchParams.keys()].filter((name) => name !== 'sslmode');
  if (options.length > 0)
    return { problem: `unknown option \`${options[0] ?? ''}\`; only \`sslmode\` may stand in the URL` };
  const given = url.searchParams.get('sslmode');
  const sslmode = MODES.find((mode) => mode === given);
  if (given !== null && sslmode === undefined) return { problem: `\`sslmode\`: expected one of ${MODES.join(', ')}` };
  try {
    const part = (value: string): string | undefined => (value === '' ? undefined : decodeURIComponent(value));
    return {
      host: part(url.hostname.replace(/^\[|\]$/gu, '')) ?? 'localhost',
      port: url.port === '' ? undefined : Number(url.port),
      user: part(url.username),
      password: part(url.password),
      database: part(url.pathname.slice(1)),
      sslmode,
    };
  } catch {
    return { problem: 'a `%` that begins no percent-encoding' };
  }
}
