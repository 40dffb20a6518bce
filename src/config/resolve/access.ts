/** Section `keys.access`: principals named in full, documents as JSON text, each tried by who knows the policy language. */
import type { z } from 'zod';
import type { AccessConfig, IdentityConfig, PolicyConfig } from '../config.ts';
import type { ConfigFiles } from '../files.ts';
import { clientPrincipal, postgresPrincipal } from '../principals.ts';
import type { ConfigPath, Finding } from '../problem.ts';
import type { accessSchema } from '../schema/access.ts';

type AccessFile = z.output<typeof accessSchema>;
type PolicyFile = AccessFile['organizationPolicies'][number];
type DocumentFile = Pick<PolicyFile, 'document' | 'file'>;

export type PolicyKind = 'key' | 'identity';
/** What is wrong with a policy document; undefined for nothing. */
export type CheckPolicy = (document: string, kind: PolicyKind) => string | undefined;

export type AccessPorts = {
  readonly files: ConfigFiles;
  readonly checkPolicy: CheckPolicy;
  readonly findings: Finding[];
};

const AT: ConfigPath = ['keys', 'access'];

export async function resolveAccess(access: AccessFile, account: string, ports: AccessPorts): Promise<AccessConfig> {
  const identities: IdentityConfig[] = [];
  for (const [index, identity] of access.identities.entries()) {
    const at = [...AT, 'identities', index];
    identities.push({
      arn: principalOf(identity, account),
      tags: identity.tags,
      organization: identity.organization,
      policies: await resolvePolicies(identity.policies, [...at, 'policies'], ports),
      boundaries: await resolvePolicies(identity.boundaries, [...at, 'boundaries'], ports),
    });
  }
  ports.findings.push(...sameCallerTwice(identities));
  return {
    identities,
    unlistedStorageCallers: access.unlistedStorageCallers,
    s3ByDefault: access.s3ByDefault,
    organizationPolicies: await resolvePolicies(access.organizationPolicies, [...AT, 'organizationPolicies'], ports),
    defaultKeyPolicy:
      access.defaultKeyPolicy === undefined
        ? undefined
        : await resolveDocument(access.defaultKeyPolicy, 'key', [...AT, 'defaultKeyPolicy'], ports),
    grantsCrossAccounts: access.grantsCrossAccounts,
  };
}

/** As the gateway, the KMS edge and the proxy name their callers. */
function principalOf({ client, postgresRole, principal }: AccessFile['identities'][number], account: string): string {
  if (client !== undefined) return clientPrincipal(account, client);
  if (postgresRole !== undefined) return postgresPrincipal(account, postgresRole.database, postgresRole.role);
  // The schema has made sure of exactly one of the three.
  return principal ?? '';
}

async function resolvePolicies(
  policies: readonly PolicyFile[],
  at: ConfigPath,
  ports: AccessPorts,
): Promise<readonly PolicyConfig[]> {
  const resolved: PolicyConfig[] = [];
  for (const [index, policy] of policies.entries()) {
    resolved.push({ name: policy.name, document: await resolveDocument(policy, 'identity', [...at, index], ports) });
  }
  return resolved;
}

async function resolveDocument(
  { document, file }: DocumentFile,
  kind: PolicyKind,
  at: ConfigPath,
  { files, checkPolicy, findings }: AccessPorts,
): Promise<string> {
  const before = files.findings.length;
  const path = [...at, file === undefined ? 'document' : 'file'];
  const text = file === undefined ? JSON.stringify(document) : await files.text(file, path);
  if (files.findings.length > before) return text;
  const problem = checkPolicy(text, kind);
  if (problem !== undefined) findings.push({ code: 'ERR_CONFIG_VALUE', path, at: 'value', message: problem });
  return text;
}

function sameCallerTwice(identities: readonly IdentityConfig[]): readonly Finding[] {
  return identities.flatMap(({ arn }, index) => {
    const first = identities.findIndex((identity) => identity.arn === arn);
    if (first === index) return [];
    const place = (at: number): ConfigPath => [...AT, 'identities', at];
    const message = 'a second identity for the same caller';
    return [
      { code: 'ERR_CONFIG_CONTRADICTION', path: place(index), other: place(first), at: 'value', message } as const,
    ];
  });
}
