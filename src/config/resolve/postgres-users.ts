/** Who logs in how: roles with verifiers or certificates of their own, and where the verifiers of others are read. */
import type { PostgresConfig, PostgresServerConfig, PostgresUserConfig } from '../config.ts';
import { parsePostgresAddress } from './postgres-address.ts';
import type { ConfigPath, Finding } from '../problem.ts';
import type { Tools } from './postgres-server.ts';
import { resolveService } from './postgres-service.ts';
import type { ConfigFile } from '../schema.ts';

type Section = NonNullable<ConfigFile['postgres']>;
type UserFile = Section['users'][number];

const USERS: ConfigPath = ['postgres', 'users'];

export async function resolveUsers(
  section: Section,
  { files, findings }: Tools,
): Promise<readonly PostgresUserConfig[]> {
  const takesCertificates = section.listen.tls?.clientCaFile !== undefined;
  const users = [];
  for (const [index, user] of section.users.entries()) {
    const at = [...USERS, index];
    findings.push(...userFindings(user, at, takesCertificates));
    users.push({
      name: user.name,
      verifier: await files.secretOf(user, 'verifier', at),
      certificates: certificatesOf(user),
      password: await files.secretOf(user, 'password', at),
    });
  }
  return users;
}

function certificatesOf({ certificates = [] }: UserFile): PostgresUserConfig['certificates'] {
  return certificates.map(({ subject, name = '' }) =>
    subject === undefined ? { type: 'name', name } : { type: 'subject', subject },
  );
}

function userFindings(user: UserFile, at: ConfigPath, takesCertificates: boolean): readonly Finding[] {
  const contradiction = (key: string, message: string): Finding => ({
    code: 'ERR_CONFIG_CONTRADICTION',
    path: [...at, key],
    at: 'key',
    message,
  });
  if (user.certificates !== undefined)
    return takesCertificates
      ? []
      : [
          contradiction(
            'certificates',
            'certificates are shown only where `postgres.listen.tls.clientCaFile` says what they are checked with',
          ),
        ];
  return (['password', 'passwordFile'] as const)
    .filter((key) => user[key] !== undefined)
    .map((key) => contradiction(key, 'belongs to `certificates`: a role with a verifier brings its own password'));
}

export async function resolveVerifiers(
  { verifiers }: Section,
  upstream: PostgresServerConfig,
  tools: Tools,
): Promise<PostgresConfig['verifiers']> {
  if (verifiers === undefined) return undefined;
  const { query, database, ...service } = verifiers;
  const url = service.url === undefined ? undefined : parsePostgresAddress(service.url);
  const inUrl = url === undefined || 'problem' in url ? undefined : url.database;
  const name = database ?? inUrl ?? 'postgres';
  return { query, service: await resolveService({ name, service }, upstream, ['postgres', 'verifiers'], tools) };
}
