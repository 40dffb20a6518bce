/** Identities that name a client: its policies, denials and boundaries hold only where that client is who the name says. */
import { clientPrincipal } from '../principals.ts';
import type { ConfigPath, Finding } from '../problem.ts';
import type { ConfigFile } from '../schema.ts';

/** Of names that no client has, and of clients that stand for somebody else. A command that reads `keys` alone cannot tell. */
export function identityClientFindings({ keys, s3, kms }: ConfigFile): readonly Finding[] {
  if (s3 === undefined && kms === undefined) return [];
  const kmsClients = kms?.clients ?? [];
  const known = [...new Set([...(s3?.clients ?? []), ...kmsClients].map(({ name }) => name))];
  return keys.access.identities.flatMap(({ client }, index): readonly Finding[] => {
    if (client === undefined) return [];
    const path = ['keys', 'access', 'identities', index, 'client'];
    if (!known.includes(client)) return [unknown(path, known)];
    const usual = clientPrincipal(keys.account, client);
    return kmsClients.flatMap(({ name, principal = usual }, at) =>
      name === client && principal !== usual ? [standsForAnother(path, ['kms', 'clients', at], principal)] : [],
    );
  });
}

/** Left with the default rights, were the name misspelt and nothing said. */
function unknown(path: ConfigPath, known: readonly string[]): Finding {
  const message = `no client has this name; expected one of ${known.map((name) => `\`${name}\``).join(', ')}`;
  return { code: 'ERR_CONFIG_VALUE', path, at: 'value', message };
}

/** What stands here would be of a user whom nobody is, and a Deny or a boundary of it would bind nobody. */
function standsForAnother(path: ConfigPath, client: ConfigPath, principal: string): Finding {
  const instead = principal.startsWith('arn:')
    ? `write \`principal: "${principal}"\`, or the role whose session it is`
    : 'a service has no identity policies';
  const message = `this client of the KMS API stands for ${principal}: ${instead}`;
  return { code: 'ERR_CONFIG_CONTRADICTION', path, other: [...client, 'principal'], at: 'value', message };
}
