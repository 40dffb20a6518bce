/** Identities that name a client: its policies, denials and boundaries hold only where that client is who the name says. */
import { clientPrincipal } from '../principals.ts';
import type { ConfigPath, Finding } from '../problem.ts';
import type { ConfigFile } from '../schema.ts';

/** Of names that no client has, and of clients that stand for somebody else. A command that reads `keys` alone cannot tell. */
export function identityClientFindings({ keys, s3, kms }: ConfigFile): readonly Finding[] {
  if (s3 === undefined && kms === undefined) return [];
  const kmsClients = kms?.clients ?? [];
  const s3Clients = s3?.clients ?? [];
  const known = [...new Set([...s3Clients, ...kmsClients].map(({ name }) => name))];
  return keys.access.identities.flatMap(({ client }, index): readonly Finding[] => {
    if (client === undefined) return [];
    const path = ['keys', 'access', 'identities', index, 'client'];
    if (!known.includes(client)) return [unknown(path, known)];
    const usual = clientPrincipal(keys.account, client);
    const ofKms = kmsClients.filter(({ name }) => name === client);
    const isUsual =
      s3Clients.some(({ name }) => name === client) || ofKms.some(({ principal = usual }) => principal === usual);
    return kmsClients.flatMap(({ name, principal = usual }, at) =>
      name === client && principal !== usual
        ? [standsForAnother(path, ['kms', 'clients', at], principal, isUsual ? usual : undefined)]
        : [],
    );
  });
}

/** Left with the default rights, were the name misspelt and nothing said. */
function unknown(path: ConfigPath, known: readonly string[]): Finding {
  const message = `no client has this name; expected one of ${known.map((name) => `\`${name}\``).join(', ')}`;
  return { code: 'ERR_CONFIG_VALUE', path, at: 'value', message };
}

/**
 * What stands here would be of a user whom nobody is, and a Deny or a boundary of it would bind nobody. `also`: who other clients of the name
 * are, whom it would bind; whoever wrote it may mean them, or both.
 */
function standsForAnother(path: ConfigPath, client: ConfigPath, principal: string, also: string | undefined): Finding {
  const instead = principal.startsWith('arn:')
    ? `write \`principal: "${principal}"\`, or the role whose session it is`
    : 'a service has no identity policies';
  const others = also === undefined ? '' : `; others of its name are ${also}: for those write \`principal: "${also}"\``;
  const message = `this client of the KMS API stands for ${principal}: ${instead}${others}`;
  return { code: 'ERR_CONFIG_CONTRADICTION', path, other: [...client, 'principal'], at: 'value', message };
}
