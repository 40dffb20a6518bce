/** The proxy's own connections to PostgreSQL: a whole URL, or a role at the upstream that clients use too. */
import type { PostgresServerConfig, PostgresServiceConfig } from '../config.ts';
import type { ConfigPath } from '../problem.ts';
import { readAddress, resolveTls, twice, type Tools } from './postgres-server.ts';
import type { ConfigFile } from '../schema.ts';
import { Secret } from '../secret.ts';

type Section = NonNullable<ConfigFile['postgres']>;
export type LoginFile = NonNullable<Section['databases'][number]['service']>;

/** `name`: the database, which a URL need not repeat. */
export async function resolveService(
  { name, service }: { readonly name: string; readonly service: LoginFile },
  upstream: PostgresServerConfig,
  at: ConfigPath,
  tools: Tools,
): Promise<PostgresServiceConfig> {
  const { files, findings } = tools;
  const url = service.url === undefined ? undefined : readAddress(service.url, [...at, 'url'], findings);
  if (url?.database !== undefined && url.database !== name) {
    const message = `the URL names another database than ${JSON.stringify(name)}`;
    const other = [...at.slice(0, -1), 'name'];
    findings.push({ code: 'ERR_CONFIG_CONTRADICTION', path: [...at, 'url'], other, at: 'value', message });
  }
  if (url !== undefined && url.user === undefined) {
    const message = 'expected a user in the URL: postgres://user@host/database';
    findings.push({ code: 'ERR_CONFIG_VALUE', path: [...at, 'url'], at: 'value', message });
  }
  const password = await files.secretOf(service, 'password', at);
  const passwordAt = [...at, service.password === undefined ? 'passwordFile' : 'password'];
  findings.push(...twice(password, url?.password, passwordAt, 'password'));
  const ownTls = service.tls !== undefined || url !== undefined;
  return {
    servers: url?.servers ?? upstream.servers,
    connectTimeoutSeconds: url?.connectTimeoutSeconds ?? upstream.connectTimeoutSeconds,
    user: url?.user ?? service.user ?? '',
    password: password ?? (url?.password === undefined ? undefined : new Secret(url.password)),
    database: name,
    tls: ownTls ? await resolveTls(service.tls, url, [...at, 'tls'], tools) : upstream.tls,
  };
}
